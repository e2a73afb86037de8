// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether what this clone has proved is still there. What others may have seen must
//! not be rewritten at all; a branch of one's own may be rebased, if nothing is lost.

use certkeep_pki::ledger;
use certkeep_store::chronicle::{self, Chronicle, Memory};

use super::{
    super::show::short,
    finding::{Finding, Kind},
};
use crate::report::Failure;

pub(super) struct Past {
    pub(super) findings: Vec<Finding>,
    pub(super) notices: Vec<String>,
    /// The branch by its full name; `HEAD` when it is detached.
    pub(super) branch: String,
    /// The upstream and where it is.
    pub(super) upstream: Option<(String, String)>,
    /// Where the upstream was, and is no part of it any more.
    pub(super) left: Vec<String>,
}

pub(super) fn compare(
    chronicle: &Chronicle,
    memory: &Memory,
    head: &str,
    pki: Option<&str>,
) -> Result<Past, Failure> {
    let branch = chronicle.branch();
    let mut past =
        Past { findings: Vec::new(), notices: Vec::new(), branch, upstream: None, left: Vec::new() };
    let upstream = chronicle.upstream()?;
    if let Some((name, been)) = &upstream {
        let Some(now) = been.first() else { return Ok(past) };
        let ancestry = chronicle.ancestry(now)?;
        for commit in been.iter().chain(memory.proven.get(name)) {
            let kept = ancestry.contains(commit) || commit.bytes().all(|digit| digit == b'0');
            let known = kept || memory.settled.contains(commit) || past.left.contains(commit);
            if !known {
                past.left.push(commit.clone());
                past.findings.push(Finding::of_none(
                    Kind::HistoryRewritten,
                    format!("{name} was at {}, which is not part of it any more", short(commit)),
                ));
            }
        }
        past.upstream = Some((name.clone(), now.clone()));
    }
    if past.branch == "HEAD" {
        past.notices.push(
            "HEAD is on no branch: this clone neither remembers up to where it was proved, nor compares it \
             with what was proved before; `git switch BRANCH`"
                .to_owned(),
        );
    }
    let Some(proven) = memory.proven.get(&past.branch) else { return Ok(past) };
    if !chronicle.is_here(proven) {
        let what = format!("{} was proved at {}, which is not here any more", past.branch, short(proven));
        past.findings.push(Finding::of_none(Kind::HistoryRewritten, what));
    } else if !chronicle.ancestry(head)?.contains(proven) {
        let lost = lost(chronicle, proven, head, pki)?;
        let what =
            format!("{} was proved at {}, which is not part of it any more", past.branch, short(proven));
        if lost.is_empty() && upstream.is_some() {
            past.notices.push(format!("{what}; all that it had is still there"));
        } else {
            past.findings.push(Finding::of_none(Kind::HistoryRewritten, what));
            past.findings.extend(lost);
        }
    }
    Ok(past)
}

/// What a commit had and another one has not.
fn lost(
    chronicle: &Chronicle,
    before: &str,
    after: &str,
    pki: Option<&str>,
) -> Result<Vec<Finding>, Failure> {
    let tree =
        |commit: &str| chronicle.commits(commit).map(|all| all.first().map(|first| first.tree.clone()));
    let (Some(old), Some(new)) = (tree(before)?, tree(after)?) else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    let events = chronicle.changes(&[(Some(&old), &new)], &[&chronicle::events()])?;
    for change in events.iter().flatten().filter(|change| change.before.is_some()) {
        findings.push(Finding::of_none(Kind::EventAltered, format!("{} is lost", change.path)));
    }
    if let Some(folder) = pki {
        let path = if folder.is_empty() { "index.txt".to_owned() } else { format!("{folder}/index.txt") };
        let bytes = |tree: &str| -> Result<Vec<u8>, Failure> {
            let blob = chronicle.blob_at(tree, &path)?;
            Ok(blob.map(|blob| chronicle.bytes(&blob)).transpose()?.unwrap_or_default())
        };
        if let Ok(change) = ledger::row_change(&bytes(&old)?, &bytes(&new)?) {
            let flaws = change.weakened.iter().map(|flaw| Finding::of_none(Kind::Vanished, flaw.to_string()));
            findings.extend(flaws);
        }
    }
    Ok(findings)
}
