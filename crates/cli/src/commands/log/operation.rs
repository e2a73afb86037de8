// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operations of a history: from the event files that a commit brought, and from
//! the trailers of its message where there is no event of the same command.

use std::collections::HashMap;

use certkeep_pki::{
    ledger::{Deed, Named, text::shown},
    moment::Moment,
};
use certkeep_store::{
    chronicle::{self, Change, Chronicle, Commit},
    event::Event,
};

use super::trailers::trailers;
use crate::report::Failure;

/// Something that somebody did.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// The commit that brought it.
    pub(super) commit: String,
    /// When it was done.
    pub(super) when: Moment,
    /// Who did it: foreign text, as is the command.
    pub(super) actor: String,
    /// The command as it was typed.
    pub(super) command: String,
    /// What it did, as far as it left an event.
    pub(super) deeds: Vec<Deed>,
    /// The certificate that the message names, where there is no event.
    pub(super) about: Option<Named>,
    /// Whether it left an event.
    pub(super) has_event: bool,
}

/// Which operations are wanted.
pub(super) struct Wanted {
    pub(super) names: Vec<String>,
    pub(super) since: Option<Moment>,
    pub(super) until: Option<Moment>,
}

impl Wanted {
    pub(super) fn takes(&self, operation: &Operation) -> bool {
        self.since.is_none_or(|since| operation.when >= since)
            && self.until.is_none_or(|until| operation.when < until)
            && (self.names.is_empty() || self.names.iter().any(|name| operation.is_about(name)))
    }
}

impl Operation {
    /// Whether it names a certificate by serial number, fingerprint or name.
    fn is_about(&self, text: &str) -> bool {
        let number = |digits: &str| digits.trim_start_matches('0').to_ascii_uppercase();
        let serial = |serial: &str| number(serial) == number(text);
        let named = |named: &Named| {
            let digits: String = text.chars().filter(|letter| *letter != ':').collect();
            let fingerprint = shown(&named.fingerprint);
            let name = named.subject.split(", ").any(|part| part.strip_prefix("CN=") == Some(text));
            let end = fingerprint.strip_prefix("sha256:").unwrap_or_default();
            name || serial(named.serial.as_str())
                || fingerprint == text
                || digits.len() >= 8 && end.starts_with(&digits.to_ascii_lowercase())
        };
        let deeds = self.deeds.iter().any(|deed| match deed {
            Deed::Authority(certificate) | Deed::Certificate(certificate) => named(certificate),
            Deed::Row(row) | Deed::Revocation(row, _) => serial(row.as_str()),
            _ => false,
        });
        deeds
            || self.about.as_ref().is_some_and(named)
            || self.command.split(' ').skip(1).any(|word| word == text)
    }
}

/// The operations of some commits, the youngest first; `all` has their parents.
pub(super) fn of_commits(
    chronicle: &Chronicle,
    commits: &[Commit],
    all: &[Commit],
) -> Result<Vec<Operation>, Failure> {
    let trees: HashMap<&str, &str> =
        all.iter().map(|commit| (commit.id.as_str(), commit.tree.as_str())).collect();
    let mut pairs = Vec::new();
    let mut counts = Vec::new();
    for commit in commits {
        let parents: Vec<&str> =
            commit.parents.iter().filter_map(|parent| trees.get(parent.as_str()).copied()).collect();
        counts.push(parents.len().max(1));
        if parents.is_empty() {
            pairs.push((None, commit.tree.as_str()));
        }
        pairs.extend(parents.into_iter().map(|parent| (Some(parent), commit.tree.as_str())));
    }
    let changes = chronicle.changes(&pairs, &[&chronicle::events()])?;
    let mut changes = changes.as_slice();
    let mut operations = Vec::new();
    for (commit, count) in commits.iter().zip(counts) {
        let (own, rest) = changes.split_at_checked(count).unwrap_or((changes, &[]));
        changes = rest;
        operations.extend(of_commit(chronicle, commit, own)?);
    }
    Ok(operations)
}

fn of_commit(
    chronicle: &Chronicle,
    commit: &Commit,
    changes: &[Vec<Change>],
) -> Result<Vec<Operation>, Failure> {
    let mut operations = Vec::new();
    let (first, others) = changes.split_first().map_or((&[][..], &[][..]), |(first, rest)| (first, rest));
    for change in first {
        let Some(blob) = &change.after else { continue };
        let everywhere = others.iter().all(|other| other.iter().any(|other| other.path == change.path));
        if change.before.is_some() || !everywhere {
            continue;
        }
        let Ok(event) = Event::parse(&change.path, &chronicle.bytes(blob)?) else { continue };
        let deeds = event.lines.iter().filter_map(|(word, rest)| Deed::of_line(word, rest));
        operations.push(Operation {
            commit: commit.id.clone(),
            when: event.when,
            actor: event.actor,
            command: event.command,
            deeds: deeds.collect(),
            about: None,
            has_event: true,
        });
    }
    for trailer in trailers(&commit.message) {
        if let Some(known) = operations.iter_mut().find(|operation| operation.command == trailer.command) {
            known.about = known.about.take().or(trailer.named);
            continue;
        }
        operations.push(Operation {
            commit: commit.id.clone(),
            when: commit.when,
            actor: commit.author.clone(),
            command: trailer.command,
            deeds: Vec::new(),
            about: trailer.named,
            has_event: false,
        });
    }
    operations.sort_by_key(|operation| std::cmp::Reverse(operation.when));
    Ok(operations)
}
