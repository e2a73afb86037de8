// SPDX-License-Identifier: MIT OR Apache-2.0
//! `revoke-issued` (`revoke`), `revoke-expired`, `revoke-renewed`: revokes a certificate.

use certkeep_pki::{
    ca::revoke::{self, Place, Target},
    index::{Reason, Status},
    layout::{EntryName, PkiPath},
    x509::certificate::Certificate,
};

use crate::{
    lookup::{self, Aside, Found},
    message,
    report::Failure,
    session::Session,
    terminal::{Safe, shell_word},
};

/// Arguments of `revoke-issued`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of the certificate, its serial number, or its fingerprint
    certificate: String,
    /// keyCompromise, superseded, cessationOfOperation, affiliationChanged, CACompromise,
    /// certificateHold, unspecified (or kc, ss, co, ac, cc, ch, us)
    reason: Option<String>,
}

/// Arguments of `revoke-expired` and `revoke-renewed`.
#[derive(Debug, clap::Args)]
pub struct AsideArgs {
    /// The name under which the certificate was issued
    name: String,
    /// keyCompromise, superseded, cessationOfOperation, affiliationChanged, CACompromise,
    /// certificateHold, unspecified (or kc, ss, co, ac, cc, ch, us)
    reason: Option<String>,
}

/// Revokes the certificate that was named.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let reason = read_reason(args.reason.as_deref())?;
    session.lock()?;
    session.authority()?;
    let found = lookup::certificate(session, &args.certificate)?;
    let words = [Some("revoke-issued"), Some(args.certificate.as_str()), args.reason.as_deref()];
    let older = match &found.place {
        Place::Current(name) => valid_still(session, name)?,
        _ => Vec::new(),
    };
    revoke(session, found, reason, &words)?;
    if !session.settings.dry_run {
        for command in older {
            session
                .terminal
                .warning(format_args!("an older certificate of this name is still valid: `{command}`"));
        }
    }
    Ok(())
}

/// Revokes the certificate that `renew` has replaced, or that `expire` has put aside.
pub(super) fn aside(args: &AsideArgs, folder: Aside, session: &mut Session) -> Result<(), Failure> {
    let reason = read_reason(args.reason.as_deref())?;
    let name = EntryName::parse(&args.name)?;
    session.lock()?;
    session.authority()?;
    let found = lookup::put_aside(session, &name, folder)?;
    let command = match folder {
        Aside::Renewed => "revoke-renewed",
        Aside::Expired => "revoke-expired",
    };
    if is_revoked(session, &found.certificate)? {
        return file_away(session, found, command, &args.name);
    }
    revoke(session, found, reason, &[Some(command), Some(args.name.as_str()), args.reason.as_deref()])
}

fn is_revoked(session: &Session, certificate: &Certificate) -> Result<bool, Failure> {
    let index = session.database()?.index;
    let row = index.find(&certificate.serial_number().to_hex());
    Ok(row.is_some_and(|row| row.status() == Status::Revoked))
}

/// What was revoked where it lay before, as on another branch, is in the way of the next one.
fn file_away(session: &mut Session, found: Found, command: &str, name: &str) -> Result<(), Failure> {
    let certificate = found.certificate.clone();
    let filed = session.exists(&PkiPath::RevokedCertificate(certificate.serial_number().to_hex()))?;
    let target = Target { certificate: found.certificate, place: found.place, request_key: None };
    let changes = revoke::file_away(target, filed);
    session.record(&changes, &message::about(&[command, name], &certificate))?;
    if !session.settings.dry_run {
        session.terminal.notice(format_args!(
            "{} was revoked before (serial number {}); it lies among the revoked ones now",
            Safe(certificate.subject()),
            certificate.serial_number()
        ));
    }
    Ok(())
}

fn read_reason(text: Option<&str>) -> Result<Option<Reason>, Failure> {
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| Reason::parse(text).ok_or_else(|| Failure::no_reason(text))).transpose()
}

/// Proposes the revocation, confirms it, records it; `words` is what was typed.
fn revoke(
    session: &mut Session,
    found: Found,
    reason: Option<Reason>,
    words: &[Option<&str>],
) -> Result<(), Failure> {
    // A request that cannot be read is no reason to leave a certificate valid.
    let request = match &found.place {
        Place::Current(name) => session.request(name).ok(),
        _ => None,
    };
    let request_key = request.map(|request| request.public_key().clone());
    let kept = match &found.place {
        Place::Current(_) | Place::Archive => {
            "No key and no request is archived with it: what is filed under its name is not its own."
        }
        Place::Renewed(..) | Place::Expired(..) => "Its key and its request stay where they are.",
    };
    let target = Target { certificate: found.certificate, place: found.place, request_key };
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
            kept
        },
    );
    session.terminal.confirm(details, "  Continue with revocation: ")?;
    let words: Vec<&str> = words.iter().copied().flatten().filter(|word| !word.is_empty()).collect();
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

/// The commands that revoke what else was issued under `name`.
fn valid_still(session: &Session, name: &EntryName) -> Result<Vec<String>, Failure> {
    let mut commands = Vec::new();
    for (path, command) in [
        (PkiPath::Renewed(name.clone()), "revoke-renewed"),
        (PkiPath::Expired(name.clone()), "revoke-expired"),
    ] {
        let Some(bytes) = session.read(&path)? else { continue };
        // One that cannot be read may be valid as well.
        let revoked = match Certificate::read(&bytes) {
            Ok(certificate) => is_revoked(session, &certificate)?,
            Err(_) => false,
        };
        if !revoked {
            commands.push(format!("certkeep {command} {}", Safe(shell_word(name.as_str()))));
        }
    }
    Ok(commands)
}
