// SPDX-License-Identifier: MIT OR Apache-2.0
//! `doctor`: what is wrong with a PKI, why that matters, and what mends it.
//! Needs no key; without `--fix` no right to write either.

use crate::{
    report::{
        Failure,
        doctor::{self, Examined, Row, Told},
    },
    session::Session,
    settings::Format,
};
use certkeep_pki::doctor::Check;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Mend what can be mended without a key and without a decision, after showing it
    #[arg(long, conflicts_with = "rebuild_index")]
    fix: bool,
    /// Make index.txt from the certificates, the CRL and the rows that can be read, after showing it
    #[arg(long)]
    rebuild_index: bool,
}

/// Every check, in the order in which they are published.
#[must_use]
pub fn checks() -> Vec<Row> {
    Check::ALL.iter().map(|check| Row::of(*check)).collect()
}

/// Examines, shows what was found, and fails for warnings and errors.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let examined = examine(session)?;
    show(&examined, session)
}

/// Everything that all checks find.
fn examine(session: &mut Session) -> Result<Examined, Failure> {
    let mut found: Vec<Told> = Vec::new();
    let skipped = Vec::new();
    let place = |told: &Told| checks().iter().position(|row| row.id == told.row.id);
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
        session.terminal.notice(format_args!("not looked at: {skipped}"));
    }
    let counted = examined.counted();
    Failure::unless_sound(examined.worst(), &counted)?;
    session.terminal.notice(format_args!("the doctor found {counted}"));
    Ok(())
}
