// SPDX-License-Identifier: MIT OR Apache-2.0
//! Replays the history, commit by commit, and compares what each of them did with what
//! the journal and its message say; then the whole with what this clone has proved before.

mod account;
mod files;
mod finding;
mod past;
mod replay;
mod signatures;
mod words;

use std::collections::{BTreeSet, HashMap};

use certkeep_pki::x509::describe::Value;
use certkeep_store::chronicle::{Chronicle, Commit};

use self::{
    finding::{Finding, Kind},
    replay::Replay,
};
use super::Args;
use crate::{
    commands::account::number,
    render,
    report::{ExitCode, Failure},
    session::Session,
    settings::Format,
    terminal::Safe,
};

/// The most findings that people are shown.
const SHOWN: usize = 200;

/// What a replay came to.
#[derive(Default)]
struct Verdict {
    findings: Vec<Finding>,
    /// How many findings somebody has accepted in this clone.
    accepted: usize,
    commits: usize,
    events: usize,
    /// Commits that say what they did in their message alone.
    without_event: usize,
    /// Certificates that came in when the store was made, and the commit.
    imported: Option<(String, usize)>,
    /// What to tell beside the findings.
    notices: Vec<String>,
}

/// Replays, shows what is not accounted for, and fails for it.
pub(super) fn run(args: &Args, chronicle: &Chronicle, session: &mut Session) -> Result<(), Failure> {
    let Some(head) = chronicle.head()? else {
        return Err(Failure::refused("there is no commit yet"));
    };
    let pki = session.vault()?.and_then(|vault| vault.manifest().pki.clone());
    let commits = chronicle.commits(&head)?;
    let mut memory = chronicle.memory()?;
    let mut verdict = Verdict { commits: commits.len(), ..Verdict::default() };
    let mut replay = Replay::new(chronicle, pki.as_deref());
    let mut progress = session.terminal.progress("replaying");
    replay.run(&commits, &mut |done, of| progress.reach(done, of))?;
    drop(progress);
    account::close(&mut replay, &commits, &mut verdict);
    verdict.findings.append(&mut replay.findings);
    verdict.findings.extend(signatures::findings(chronicle, &head, args.signatures, &commits)?);
    let past = past::compare(chronicle, &memory, &head, pki.as_deref())?;
    verdict.findings.extend(past.findings);
    verdict.notices.extend(past.notices);
    let accepted = reached(&memory.accepted, &commits);
    let before = verdict.findings.len();
    verdict
        .findings
        .retain(|finding| finding.commit.as_ref().is_none_or(|commit| !accepted.contains(commit.as_str())));
    verdict.accepted = before - verdict.findings.len();
    show(&verdict, &head, chronicle, session)?;
    if verdict.findings.is_empty() || args.accept {
        if !verdict.findings.is_empty() {
            // What the upstream has beyond it was not looked at.
            memory.accepted.insert(head.clone());
            memory.settled.extend(past.left);
        }
        if past.branch != "HEAD" {
            memory.proven.insert(past.branch, head);
        }
        memory.proven.extend(past.upstream);
        if let Err(error) = chronicle.remember(&memory) {
            session
                .terminal
                .warning(format_args!("this clone cannot remember what was proved: {}", Safe(error)));
        }
    }
    conclude(&verdict, args, chronicle, session)
}

/// The commits that some commits lead to.
fn reached<'a>(tips: &BTreeSet<String>, commits: &'a [Commit]) -> BTreeSet<&'a str> {
    let parents: HashMap<&str, &Commit> = commits.iter().map(|commit| (commit.id.as_str(), commit)).collect();
    let mut waiting: Vec<&str> = tips.iter().map(String::as_str).collect();
    let mut reached = BTreeSet::new();
    while let Some(commit) = waiting.pop().and_then(|id| parents.get(id)) {
        if reached.insert(commit.id.as_str()) {
            waiting.extend(commit.parents.iter().map(String::as_str));
        }
    }
    reached
}

fn show(verdict: &Verdict, head: &str, chronicle: &Chronicle, session: &mut Session) -> Result<(), Failure> {
    if session.settings.format == Format::Json {
        let imported = verdict.imported.as_ref().map_or(Value::Absent, |(commit, count)| {
            Value::Section(vec![("commit", commit.as_str().into()), ("certificates", number(*count))])
        });
        let value = Value::Section(vec![
            ("head", head.into()),
            ("commits", number(verdict.commits)),
            ("events", number(verdict.events)),
            ("commits_without_event", number(verdict.without_event)),
            ("imported", imported),
            ("cut", Value::Flag(chronicle.is_cut())),
            ("accepted", number(verdict.accepted)),
            ("findings", Value::List(verdict.findings.iter().map(Finding::value).collect())),
        ]);
        return Ok(session.terminal.data(&render::json(&value))?);
    }
    let mut text: String = verdict.findings.iter().take(SHOWN).map(Finding::text).collect();
    let more = verdict.findings.len().saturating_sub(SHOWN);
    if more > 0 {
        text.push_str(&format!("and {more} more; `certkeep --format json log --verify` has all of them\n"));
    }
    Ok(session.terminal.data(&text)?)
}

fn conclude(
    verdict: &Verdict,
    args: &Args,
    chronicle: &Chronicle,
    session: &mut Session,
) -> Result<(), Failure> {
    let terminal = &mut session.terminal;
    if let Some((commit, count)) = &verdict.imported {
        terminal.notice(format_args!(
            "{} came in when the store was made, in {}",
            counted(*count, "certificate"),
            super::show::short(commit)
        ));
    }
    if verdict.without_event > 0 {
        terminal.notice(format_args!(
            "without an event in the journal, as before this version: {}, taken at its word",
            counted(verdict.without_event, "commit")
        ));
    }
    if chronicle.is_cut() {
        terminal.notice(
            "this clone is shallow: what stood in its first commit counts as told, and nothing before it \
             was looked at; `git fetch --unshallow`",
        );
    }
    for notice in &verdict.notices {
        terminal.notice(notice);
    }
    if verdict.accepted > 0 {
        terminal
            .notice(format_args!("accepted in this clone before: {}", counted(verdict.accepted, "finding")));
    }
    if verdict.findings.is_empty() {
        terminal.notice(format_args!(
            "{} and {} account for everything",
            counted(verdict.commits, "commit"),
            counted(verdict.events, "event")
        ));
        return Ok(());
    }
    if args.accept {
        terminal
            .notice(format_args!("accepted {} in this clone", counted(verdict.findings.len(), "finding")));
        return Ok(());
    }
    let count = verdict.findings.len();
    let failure = Failure::refused(format!("the history does not account for {}", counted(count, "thing")))
        .with_exit(ExitCode::HistoryUnproven);
    let failure = match verdict.findings.iter().find_map(|finding| finding.commit.as_deref()) {
        Some(commit) => {
            failure.with_hint(format!("see what a commit did: `git show {}`", super::show::short(commit)))
        }
        None => failure,
    };
    let rewritten = verdict.findings.iter().any(|finding| finding.kind == Kind::HistoryRewritten);
    let failure = if rewritten {
        failure.with_hint("ask whoever may push; where the branch was: `git reflog show @{upstream}`")
    } else {
        failure
    };
    Err(failure.with_hint("if you know how it came about, and this clone is to say no more of it: `certkeep log --verify --accept`"))
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
