// SPDX-License-Identifier: MIT OR Apache-2.0
//! `doctor`: what is wrong with a PKI and the store around it, why that matters, and
//! what mends it. Needs no key; without `--fix` no right to write either.

mod fix;
mod gather;
mod store;

use certkeep_pki::doctor::{self as core, Scope};

use crate::{
    report::{
        Failure,
        doctor::{self, Examined, Row, Told},
    },
    session::Session,
    settings::Format,
    terminal::Safe,
};

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Mend what can be mended without a key and without a decision, after showing it
    #[arg(long, conflicts_with = "rebuild_index")]
    fix: bool,
    /// Make index.txt from the certificates, the CRL and the rows that can be read, after showing it
    #[arg(long)]
    rebuild_index: bool,
    /// Look through all earlier commits for secrets, too
    #[arg(long)]
    history: bool,
}

/// Every check, in the order in which they are published.
#[must_use]
pub fn checks() -> Vec<Row> {
    let of_store = doctor::store::rows();
    core::Check::ALL.iter().map(|check| Row::of(*check)).chain(of_store).collect()
}

/// Examines, shows what was found, and fails for warnings and errors.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    match args {
        Args { fix: true, .. } => fix::run(Scope::Everything, "--fix", session)?,
        Args { rebuild_index: true, .. } => fix::run(Scope::Database, "--rebuild-index", session)?,
        _ => {}
    }
    let examined = examine(args, session)?;
    show(&examined, session)
}

/// Everything that all checks find.
fn examine(args: &Args, session: &mut Session) -> Result<Examined, Failure> {
    // Before anything else: whatever opens a store completes what was interrupted in it.
    let store = store::examine(args.history, session)?;
    let in_store = store.as_ref().is_some_and(|store| store.is_store);
    let (of_store, mut skipped) = store.map(|store| (store.faults, store.skipped)).unwrap_or_default();
    let mut found: Vec<Told> = of_store.iter().map(Told::from).collect();
    match gather::gather(session) {
        Ok(gather::Gathered { evidence, skipped: closed, .. }) => {
            found.extend(core::examine(&evidence).into_iter().map(Told::from));
            skipped.extend(closed);
        }
        // A store that is damaged, or that has no PKI yet.
        Err(failure) if in_store => skipped.push(format!("the PKI: {}", failure.message)),
        Err(failure) => return Err(failure),
    }
    let rows = checks();
    let place = |told: &Told| rows.iter().position(|row| row.id == told.row.id);
    found.sort_by_cached_key(|told| (std::cmp::Reverse(told.row.severity), place(told)));
    Ok(Examined { pki: session.settings.pki.display().to_string(), found, skipped })
}

fn show(examined: &Examined, session: &mut Session) -> Result<(), Failure> {
    let shown = match session.settings.format {
        Format::Json => doctor::json(examined),
        _ => session.settings.called.put(&doctor::text(examined)).into_owned(),
    };
    session.terminal.data(&shown)?;
    for skipped in &examined.skipped {
        session.terminal.notice(format_args!("not looked at: {}", Safe(skipped)));
    }
    let counted = examined.counted();
    Failure::unless_sound(examined.worst(), &counted)?;
    session.terminal.notice(format_args!("the doctor found {counted}"));
    Ok(())
}
