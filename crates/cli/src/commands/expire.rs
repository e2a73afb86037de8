// SPDX-License-Identifier: MIT OR Apache-2.0
//! `expire`: puts a certificate aside, so that its request can be signed again.

use certkeep_pki::{
    ca::expire,
    layout::{EntryName, PkiPath},
};

use crate::{
    lookup, message,
    report::Failure,
    session::Session,
    terminal::{Safe, shell_word},
};

/// Arguments of `expire`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name under which the certificate is filed
    name: String,
}

/// Moves the certificate to `expired/`; it stays valid until it is revoked.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let name = EntryName::parse(&args.name)?;
    session.lock()?;
    session.authority()?;
    let certificate = lookup::issued(session, &name)?;
    session.refuse_existing(&PkiPath::Expired(name.clone()))?;
    let details = format!(
        "About to put a certificate aside:\n  Subject: {}\n  Serial number: {}\n  Not after: {}\n\
         It stays valid until then, or until `revoke-expired`. Its request can be signed again.",
        Safe(certificate.subject()),
        certificate.serial_number(),
        certificate.not_after(),
    );
    session.terminal.confirm(details, "  Continue with expiry: ")?;
    session.record(&expire::put_aside(&name), &message::about(&["expire", &args.name], &certificate))?;
    if !session.settings.dry_run {
        let word = Safe(shell_word(name.as_str()));
        session.terminal.notice(format_args!(
            "put {} (serial number {}) aside",
            Safe(certificate.subject()),
            certificate.serial_number()
        ));
        session.terminal.notice(format_args!(
            "next: `certkeep sign-req TYPE {word}`, and once the new one is in use `certkeep revoke-expired {word}`"
        ));
    }
    Ok(())
}
