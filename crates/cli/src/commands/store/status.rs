// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store status`: what git and the work tree hold of every protected file.

use std::collections::BTreeMap;

use certkeep_pki::x509::describe::Value;
use certkeep_store::vault::{
    Vault, VaultError,
    status::{File, Report, State},
};

use super::super::account;
use crate::{
    report::{ExitCode, Failure},
    session::Session,
    settings::Format,
    terminal::{Safe, shell_word},
};

/// How many files are named in one line.
const SHOWN: usize = 10;

/// Looks, and ends with an exit code of its own if git has something in the clear.
pub(super) fn run(session: &mut Session) -> Result<(), Failure> {
    let all = session.settings.format == Format::Json;
    let opened = session.opened()?;
    let report = opened.vault.status()?;
    let value = describe(opened.vault, &report, all);
    account::show(session, "Store", &value)?;
    if !report.driver {
        session.terminal.notice("this clone is not set up for the store yet: `certkeep unlock`");
    }
    let exposed = report.files.iter().filter(|file| file.exposed).count();
    if exposed > 0 {
        session.terminal.warning(format_args!(
            "others on this machine can read {exposed} protected {} of the work tree: `certkeep unlock` closes what it can, `chmod go= FILE` the rest",
            if exposed == 1 { "file" } else { "files" }
        ));
    }
    if !report.misplaced.is_empty() {
        let shown: Vec<_> = report.misplaced.iter().take(SHOWN).map(|path| shell_word(path)).collect();
        let (words, more) = (shown.join(" "), report.misplaced.len().saturating_sub(SHOWN));
        let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
        session.terminal.warning(format_args!(
            "no zone keeps what git has sealed, and nothing opens it: {0}{more}. To keep it sealed: \
             `certkeep store protect {0}`, `certkeep unlock`; to have it in the clear, `certkeep store unprotect {0}` after that",
            Safe(words)
        ));
    }
    for zone in &report.earlier {
        session.terminal.warning(format_args!("{}", account::earlier(zone)));
    }
    for zone in &report.behind {
        session.terminal.warning(account::renewed(zone));
    }
    if let Some(error) = report.unremembered {
        return Err(VaultError::Pin(error).into());
    }
    if report.is_sound() { Ok(()) } else { Err(not_sealed(&report)) }
}

fn describe(vault: &Vault, report: &Report, all: bool) -> Value {
    let zones = vault.manifest().zones.iter().map(|(name, zone)| {
        let count = report.files.iter().filter(|file| file.zone == *name).count();
        Value::Section(vec![
            ("zone", name.as_str().into()),
            ("mode", zone.mode.as_str().into()),
            ("unlocked", Value::Flag(report.unlocked.contains(name))),
            ("epoch", Value::Number(zone.epoch.number().into())),
            ("members", account::number(zone.grants.len())),
            ("files", account::number(count)),
            ("patterns", account::texts(zone.patterns.iter().map(|pattern| pattern.as_str()))),
        ])
    });
    let shown = report.files.iter().filter(|file| all || !is_usual(file));
    let files = shown.map(|file| {
        Value::Section(vec![
            ("path", file.path.as_str().into()),
            ("zone", file.zone.as_str().into()),
            ("in_git", word(&file.in_git).into()),
            ("in_work_tree", word(&file.in_work_tree).into()),
            ("readable_by_others", Value::Flag(file.exposed)),
        ])
    });
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for file in &report.files {
        *kinds.entry(word(&file.in_git)).or_default() += 1;
    }
    let counts = kinds.into_iter().map(|(kind, count)| format!("{count} {kind}"));
    Value::Section(vec![
        ("store", vault.work_tree().display().to_string().into()),
        ("pki", vault.pki().map(|pki| pki.display().to_string()).into()),
        ("sound", Value::Flag(report.is_sound())),
        ("filter", Value::Flag(report.driver)),
        ("in_git", account::texts(counts)),
        ("zones", Value::List(zones.collect())),
        (if all { "files" } else { "unusual_files" }, Value::List(files.collect())),
        ("sealed_unprotected", account::texts(&report.misplaced)),
        ("unfiltered", account::texts(&report.unfiltered)),
    ])
}

/// A file that nobody needs to look at.
fn is_usual(file: &File) -> bool {
    let kept = matches!(file.in_git, State::Sealed | State::Locked | State::Empty);
    let here = matches!(
        file.in_work_tree,
        State::Sealed | State::Locked | State::Plaintext | State::Empty | State::Absent
    );
    kept && here && !file.exposed
}

fn word(state: &State) -> String {
    match state {
        State::Sealed => "sealed",
        State::Locked => "sealed, not opened",
        State::ForeignKey => "sealed with an unknown key",
        State::Altered => "sealed and altered",
        State::Newer => "sealed by a newer certkeep",
        State::Empty => "empty",
        State::Plaintext => "in the clear",
        State::OtherTool(tool) => return format!("sealed by {tool}"),
        State::Absent => "absent",
        State::Symlink => "a symbolic link",
        _ => "unknown",
    }
    .to_owned()
}

fn not_sealed(report: &Report) -> Failure {
    let wrong = report.files.iter().filter(|file| {
        !matches!(file.in_git, State::Sealed | State::Locked | State::Empty | State::Absent)
            && file.in_git != State::OtherTool("git-crypt")
    });
    let mut causes: Vec<String> =
        wrong.map(|file| format!("{}: {}", file.path, word(&file.in_git))).collect();
    causes.extend(
        report.unfiltered.iter().map(|path| format!("{path}: git does not send it through the filter")),
    );
    let mut failure = Failure::refused("git has protected files that are not sealed as they should be");
    failure.causes = causes;
    failure
        .with_exit(ExitCode::NotSealed)
        .with_hint(
            "to seal what is in the clear: `certkeep unlock`, `git add --renormalize FILE`, then commit",
        )
        .with_hint(
            "if it was ever pushed, treat a key as compromised: `certkeep revoke-issued NAME keyCompromise`",
        )
}
