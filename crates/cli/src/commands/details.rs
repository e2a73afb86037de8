// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is shown before something is signed or revoked, and what is said after.

use std::fmt::Write;

use certkeep_pki::{
    ca::sign::{Issued, Proposal},
    change::ChangeSet,
    layout::{EntryName, PkiPath},
    secret::SecretBytes,
    x509::{
        certificate::Certificate,
        describe::{self, Value},
        name::Name,
        request::Request,
    },
};

use super::inline::{self, Place};
use crate::{message, render, report::Failure, session::Session, terminal::Safe};

/// Shows a proposal and asks for a yes; `from_file` adds a word of caution for a
/// request that somebody else may have made.
///
/// # Errors
///
/// No yes came.
pub(super) fn confirm(session: &mut Session, proposal: &Proposal, from_file: bool) -> Result<(), Failure> {
    for warning in proposal.warnings() {
        session.terminal.warning(Safe(warning));
    }
    let validity = proposal.validity();
    let mut details = format!(
        "About to sign a {} certificate:\n  Subject: {}\n  Key: {}\n  Serial number: {}\n  Not before: {}\n  Not after: {}\n",
        Safe(proposal.kind()),
        Safe(proposal.subject()),
        proposal.subject_key().algorithm_name(),
        proposal.serial_number(),
        validity.not_before,
        validity.not_after,
    );
    let extensions = Value::Section(vec![("extensions", describe::extensions(proposal.extensions()))]);
    details.push_str(render::text("With", &extensions).trim_start_matches("With:\n"));
    if from_file {
        let _ = write!(
            details,
            "\nWhoever made this request gets a certificate for these names. Make sure that it is the one you expect."
        );
    }
    Ok(session.terminal.confirm(details.trim_end(), "Confirm requested details: ")?)
}

/// What is recorded beside a certificate.
pub(super) struct Beside {
    /// What happens first.
    pub changes: ChangeSet,
    /// The name under which everything is filed.
    pub name: EntryName,
    /// The file of a key that was made with the certificate.
    pub key: Option<SecretBytes>,
}

/// What came of it.
pub(super) struct Made {
    /// The certificate.
    pub certificate: Certificate,
    /// Its inline file, if one was made.
    pub inline: Option<Place>,
    name: EntryName,
}

/// Signs and records; `command` is what was typed. In the easyrsa set the inline
/// file of the certificate is part of the same transaction (easy-rsa 3.2: sign-req,
/// renew, build-*-full – but for a CA).
///
/// # Errors
///
/// The CA's key cannot be opened, or nothing was recorded.
pub(super) fn issue(
    session: &mut Session,
    proposal: Proposal,
    beside: Beside,
    command: &[&str],
) -> Result<Made, Failure> {
    let signer = session.ca_signer()?;
    let issued: Issued = proposal.sign(&*signer)?;
    let certificate = issued.certificate().clone();
    let Beside { mut changes, name, key } = beside;
    let inlined = if session.settings.issues_inline() && !certificate.is_ca() {
        let inlined = inline::beside(session, &name, &certificate, key.as_ref());
        Some(inlined.map_err(|failure| {
            failure.with_hint("to issue without an inline file: `certkeep --no-inline ...`")
        })?)
    } else {
        None
    };
    if let Some(key) = key {
        changes.create(PkiPath::PrivateKey(name.clone()), key);
    }
    changes.extend(issued.into_changes());
    put_text(session, &certificate, &mut changes);
    let mut place = None;
    if let Some((file, at)) = inlined {
        changes.extend(file);
        place = Some(at);
    }
    session.record(&changes, &message::about(command, &certificate))?;
    Ok(Made { certificate, inline: place, name })
}

/// Says what was made: the certificate, where the files are, and the inline file.
pub(super) fn say_made(session: &mut Session, made: &Made, files: &[String]) {
    say_issued(session, &made.certificate, files);
    if let Some(place) = &made.inline {
        inline::say(session, &made.name, place);
    }
}

/// Puts a readable text in front of the files of a certificate where that is wanted.
pub(super) fn put_text(session: &Session, certificate: &Certificate, changes: &mut ChangeSet) {
    if session.settings.text {
        let text = render::text("Certificate", &describe::certificate(certificate));
        changes.put_in_front(certificate.to_pem().as_bytes(), text.as_bytes());
    }
}

/// The file of a request, with a readable text in front where that is wanted.
pub(super) fn request_file(session: &Session, request: &Request) -> String {
    let pem = request.to_pem();
    if !session.settings.text {
        return pem;
    }
    format!("{}{pem}", render::text("Certificate request", &describe::request(request)))
}

/// One line about a certificate that was made.
pub(super) fn say_issued(session: &mut Session, certificate: &Certificate, files: &[String]) {
    if session.settings.dry_run {
        return;
    }
    session.terminal.notice(format_args!(
        "issued {} (serial number {}), valid until {}",
        Safe(certificate.subject()),
        certificate.serial_number(),
        certificate.not_after()
    ));
    say_files(session, files);
}

/// The files of a result, with the directory they are in.
pub(super) fn say_files(session: &mut Session, files: &[String]) {
    for file in files {
        let path = session.settings.pki.join(file);
        session.terminal.notice(format_args!("  {}", Safe(path.display())));
    }
}

/// A subject or what stands for an empty one.
pub(super) fn subject(name: &Name) -> String {
    if name.is_empty() { "(no subject)".to_owned() } else { Safe(name).to_string() }
}
