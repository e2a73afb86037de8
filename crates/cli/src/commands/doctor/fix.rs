// SPDX-License-Identifier: MIT OR Apache-2.0
//! `doctor --fix` and `--rebuild-index`: mends what can be mended without a key and
//! without a decision, after it was shown, in one transaction.

use certkeep_pki::doctor::{self as core, Scope};

use super::gather;
use crate::{
    message,
    report::Failure,
    session::Session,
    settings::Commits,
    terminal::{Safe, shell_word},
};

/// Shows what is to be done, asks, and does it.
pub(super) fn run(scope: Scope, option: &str, session: &mut Session) -> Result<(), Failure> {
    // Whoever writes takes a stale lock.file away.
    let stale = session.store()?.survey()?.has_stale_lock();
    session.lock()?;
    if stale && !session.settings.dry_run {
        session.terminal.notice("removed the lock.file of an easy-rsa that is gone");
    }
    let mending = core::mend(&gather::gather(session)?.evidence, scope);
    if let Some(why) = &mending.undecided {
        let why = Safe(why);
        session.terminal.warning(format_args!("index.txt stays as it is, somebody has to decide: {why}"));
    }
    if mending.steps.is_empty() {
        if !stale {
            session.terminal.notice("there is nothing to mend without a decision or a key");
        }
        return Ok(());
    }
    let steps: Vec<String> = mending.steps.iter().map(|step| format!("  {}", Safe(step))).collect();
    if session.settings.batch || session.settings.dry_run {
        let will = if session.settings.dry_run { "would be mended" } else { "mending" };
        session.terminal.notice(format_args!("{will}:\n{}", steps.join("\n")));
    } else {
        let details = format!("This will be mended, all of it or nothing:\n\n{}", steps.join("\n"));
        session.terminal.confirm(details, "Mend it: ")?;
    }
    session.close(&mending.close)?;
    // The merge's own commit is the one that is to hold both sides.
    if mending.merging {
        session.settings.commits = Commits::None;
    }
    if !mending.changes.as_slice().is_empty() {
        session.record(&mending.changes, &message::of(&["doctor", option]))?;
    }
    if mending.merging && !session.settings.dry_run {
        let pki = shell_word(&session.settings.pki.display().to_string());
        session.terminal.notice(format_args!(
            "the merge is not concluded: look at it, then `git add {pki}` and `git commit`"
        ));
    }
    Ok(())
}
