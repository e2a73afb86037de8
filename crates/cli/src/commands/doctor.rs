// SPDX-License-Identifier: MIT OR Apache-2.0
//! `doctor`: what is wrong with a PKI, why that matters, and what mends it.
//! Needs no key; without `--fix` no right to write either.

mod store;

use crate::{
    report::{
        Failure,
        doctor::{self, Examined, Row, Told},
    },
    session::Session,
    settings::Format,
    terminal::Safe,
};
use certkeep_pki::doctor::Check;
use certkeep_store::vault::health::{self, Fault};

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
    Check::ALL.iter().map(|check| Row::of(*check)).chain(of_store).collect()
}

/// Examines, shows what was found, and fails for warnings and errors.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    // Before anything else: whatever opens a store completes what was interrupted in it.
    let of_store = store::examine(args.history, session)?;
    let mut examined = examine(of_store, session)?;
    if args.fix && mend(&examined.of_store, session)? {
        session.read_again();
        let of_store = store::examine(args.history, session)?;
        examined = examine(of_store, session)?;
    }
    show(&examined.all, session)
}

/// What all checks found, and once more what those of the store did.
struct Findings {
    all: Examined,
    of_store: Vec<Fault>,
}

/// Shows what can be mended, and does it after a yes; says whether anything was done.
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

/// Everything that all checks find.
fn examine(of_store: health::Examined, session: &mut Session) -> Result<Findings, Failure> {
    let mut found: Vec<Told> = of_store.faults.iter().map(Told::from).collect();
    let skipped = of_store.skipped;
    let place = |told: &Told| checks().iter().position(|row| row.id == told.row.id);
    found.sort_by_cached_key(|told| (std::cmp::Reverse(told.row.severity), place(told)));
    let all = Examined { pki: session.settings.pki.display().to_string(), found, skipped };
    Ok(Findings { all, of_store: of_store.faults })
}

fn show(examined: &Examined, session: &mut Session) -> Result<(), Failure> {
    let shown = match session.settings.format {
        Format::Json => doctor::json(examined),
        _ => session.settings.called.put(&doctor::text(examined)).into_owned(),
    };
    session.terminal.data(&shown)?;
    for skipped in &examined.skipped {
        session.terminal.notice(format_args!("not looked at: {skipped}"));
    }
    let counted = examined.counted();
    Failure::unless_sound(examined.worst(), &counted)?;
    session.terminal.notice(format_args!("the doctor found {counted}"));
    Ok(())
}
