// SPDX-License-Identifier: MIT OR Apache-2.0
//! `update-db`: marks certificates that are past their date as expired.

use certkeep_pki::ca::expire;

use crate::{message, report::Failure, session::Session};

/// Marks the rows and says how many those were.
pub(super) fn run(session: &mut Session) -> Result<(), Failure> {
    session.lock()?;
    session.authority()?;
    let expired = expire::update(session.database()?, session.now);
    if !expired.changes.as_slice().is_empty() {
        session.record(&expired.changes, &message::of(&["update-db"]))?;
    }
    for serial in &expired.serials {
        session.terminal.notice(format_args!("expired: serial number {serial}"));
    }
    let count = expired.serials.len();
    let marked = if session.settings.dry_run { "would mark" } else { "marked" };
    session.terminal.notice(format_args!(
        "{marked} {count} {} as expired",
        if count == 1 { "certificate" } else { "certificates" }
    ));
    Ok(())
}
