// SPDX-License-Identifier: MIT OR Apache-2.0
//! `revoke-issued` (`revoke`): revokes a certificate.

use certkeep_pki::{
    ca::revoke::{self, Target},
    index::Reason,
};

use crate::{lookup, message, report::Failure, session::Session, terminal::Safe};

/// Arguments of `revoke-issued`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of the certificate, its serial number, or its fingerprint
    certificate: String,
    /// keyCompromise, superseded, cessationOfOperation, affiliationChanged, CACompromise,
    /// certificateHold, unspecified (or kc, ss, co, ac, cc, ch, us)
    reason: Option<String>,
}

/// Proposes the revocation, confirms it, records it.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let reason = args.reason.as_deref().filter(|text| !text.is_empty());
    let reason =
        reason.map(|text| Reason::parse(text).ok_or_else(|| Failure::no_reason(text))).transpose()?;
    session.lock()?;
    session.authority()?;
    let found = lookup::certificate(session, &args.certificate)?;
    // A request that cannot be read is no reason to leave a certificate valid.
    let request = found.name.as_ref().and_then(|name| session.request(name).ok());
    let request_key = request.map(|request| request.public_key().clone());
    let target = Target { certificate: found.certificate, name: found.name, request_key };
    let proposal = revoke::propose_revocation(target, reason, session.database()?, session.now)?;
    let certificate = proposal.certificate.clone();
    let reason = reason.map_or_else(|| "none given".to_owned(), |reason| reason.to_string());
    let details = format!(
        "About to revoke a certificate:\n  Subject: {}\n  Serial number: {}\n  Not after: {}\n  Reason: {reason}\n{}",
        Safe(certificate.subject()),
        certificate.serial_number(),
        certificate.not_after(),
        if proposal.archives_key {
            "Its key and its request, if they are here, are archived with it."
        } else {
            "No key and no request is archived with it: what is filed under its name is not its own."
        },
    );
    session.terminal.confirm(details, "  Continue with revocation: ")?;
    let words = [Some("revoke-issued"), Some(args.certificate.as_str()), args.reason.as_deref()];
    let words: Vec<&str> = words.into_iter().flatten().filter(|word| !word.is_empty()).collect();
    session.record(&proposal.into_changes(), &message::about(&words, &certificate))?;
    if !session.settings.dry_run {
        session.terminal.notice(format_args!(
            "revoked {} (serial number {})",
            Safe(certificate.subject()),
            certificate.serial_number()
        ));
        session.terminal.notice("next: `certkeep gen-crl`, then take the new crl.pem to whoever checks it");
    }
    Ok(())
}
