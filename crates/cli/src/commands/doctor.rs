// SPDX-License-Identifier: MIT OR Apache-2.0
//! `doctor`: what is wrong with a PKI and the store around it, why that matters, and
//! what mends it. Needs no key; without `--fix` no right to write either.

mod gather;
mod store;

use certkeep_pki::doctor as core;
use certkeep_store::vault::health::Fault;

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
    let mut found = examine(args, session)?;
    if args.fix && mend(&found.of_store, session)? {
        session.read_again();
        found = examine(args, session)?;
    }
    show(&found.all, session)
}

/// What all checks have found, and once more what those of the store have.
struct Found {
    all: Examined,
    of_store: Vec<Fault>,
}

/// Everything that all checks find.
fn examine(args: &Args, session: &mut Session) -> Result<Found, Failure> {
    // Before anything else: whatever opens a store completes what was interrupted in it.
    let store = store::examine(args.history, session)?;
    let in_store = store.is_some();
    let (of_store, mut skipped) = store.map(|store| (store.faults, store.skipped)).unwrap_or_default();
    let mut found: Vec<Told> = of_store.iter().map(Told::from).collect();
    match gather::gather(session) {
        Ok(gather::Gathered { evidence, skipped: closed }) => {
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
    let all = Examined { pki: session.settings.pki.display().to_string(), found, skipped };
    Ok(Found { all, of_store })
}

/// Shows what of the store can be mended, and does it after a yes; says whether it did.
fn mend(faults: &[Fault], session: &mut Session) -> Result<bool, Failure> {
    let proposals = store::proposals(faults);
    if proposals.is_empty() {
        return Ok(false);
    }
    let lines: Vec<String> = proposals.iter().map(|line| format!("  {}", Safe(line))).collect();
    if session.settings.dry_run {
        session.terminal.notice(format_args!("would\n{}", lines.join("\n")));
        return Ok(false);
    }
    session.terminal.confirm(format!("About to\n{}", lines.join("\n")), "Confirm: ")?;
    store::fix(faults, session)?;
    Ok(true)
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
