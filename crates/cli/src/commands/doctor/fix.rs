// SPDX-License-Identifier: MIT OR Apache-2.0
//! `doctor --fix` and `--rebuild-index`: mends what can be mended without a key and
//! without a decision, after all of it was shown. What is wrong with the store goes first:
//! the PKI is read and recorded through it.

use certkeep_pki::doctor::{self as core, Mending, Scope};

use super::{gather, store};
use crate::{
    message,
    report::Failure,
    session::Session,
    settings::Commits,
    terminal::{Safe, shell_word},
};

/// Shows what is to be done, asks, and does it.
pub(super) fn run(scope: Scope, option: &str, session: &mut Session) -> Result<(), Failure> {
    let of_store = match scope {
        Scope::Everything => store::plan(session)?,
        Scope::Database => store::Plan::default(),
    };
    let of_pki = match propose(scope, session) {
        Err(_) if of_store.is_store() => None,
        proposed => Some(proposed?),
    };
    let mut lines = of_store.lines();
    lines.extend(of_pki.iter().flatten().cloned());
    if lines.is_empty() && of_pki.is_some() {
        // Says why it is so, if somebody has to decide.
        warn_of_decisions(&core::mend(&gather::gather_all(session)?, scope), session);
        session.terminal.notice("there is nothing to mend without a decision or a key");
        return Ok(());
    }
    ask(&lines, session)?;
    if session.settings.dry_run {
        return Ok(());
    }
    of_store.carry_out(session)?;
    match mend(scope, option, of_pki.as_deref(), session) {
        // A store that only a person can mend; what is wrong with it is shown now.
        Err(failure) if of_pki.is_none() => {
            session.terminal.warning(format_args!("the PKI stays as it is: {}", Safe(&failure.message)));
            Ok(())
        }
        mended => mended,
    }
}

/// What would be done to the PKI, a line each.
fn propose(scope: Scope, session: &Session) -> Result<Vec<String>, Failure> {
    let mut lines = core::mend(&gather::gather_all(session)?, scope).steps;
    if session.store()?.survey()?.has_stale_lock() {
        lines.push("remove the lock.file of an easy-rsa that is gone".to_owned());
    }
    Ok(lines)
}

fn ask(lines: &[String], session: &mut Session) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = lines.iter().map(|line| format!("  {}", Safe(line))).collect();
    let shown = shown.join("\n");
    if session.settings.batch || session.settings.dry_run {
        let will = if session.settings.dry_run { "would be mended" } else { "mending" };
        session.terminal.notice(format_args!("{will}:\n{shown}"));
        return Ok(());
    }
    session.terminal.confirm(format!("This will be mended:\n\n{shown}"), "Mend it: ")?;
    Ok(())
}

/// Mends the PKI in one transaction. Asks only if it is not what was shown.
fn mend(scope: Scope, option: &str, shown: Option<&[String]>, session: &mut Session) -> Result<(), Failure> {
    let now = propose(scope, session)?;
    if shown != Some(now.as_slice()) {
        ask(&now, session)?;
    }
    // Whoever writes takes a stale lock.file away.
    session.hold()?;
    let mending = core::mend(&gather::gather_all(session)?, scope);
    warn_of_decisions(&mending, session);
    session.close(&mending.close)?;
    // The merge's own commit is the one that is to hold both sides.
    if mending.merging {
        session.settings.commits = Commits::None;
    }
    if !mending.changes.as_slice().is_empty() {
        session.record(&mending.changes, &message::of(&["doctor", option]))?;
    }
    if mending.merging {
        // The journal of what was done is a part of it.
        let store = session.vault()?.map(|vault| vault.work_tree().join(".certkeep"));
        let paths = [Some(session.settings.pki.clone()), store].into_iter().flatten();
        let words: Vec<String> = paths.map(|path| shell_word(&path.display().to_string())).collect();
        session.terminal.notice(format_args!(
            "the merge is not concluded: look at it, then `git add {}` and `git commit`",
            words.join(" ")
        ));
    }
    Ok(())
}

fn warn_of_decisions(mending: &Mending, session: &mut Session) {
    if let Some(why) = &mending.undecided {
        let why = Safe(why);
        session.terminal.warning(format_args!("index.txt stays as it is, somebody has to decide: {why}"));
    }
}
