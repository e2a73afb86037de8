// SPDX-License-Identifier: MIT OR Apache-2.0
//! `renew-ca`: another certificate for the CA itself. A root signs itself anew; a
//! subordinate CA makes a request, and installs what comes back.

use std::path::PathBuf;

use certkeep_pki::{
    ca::{authority::Authority, renew_ca::CaRenewalOrder},
    change::ChangeSet,
    layout::{EntryName, PkiDirectory, PkiPath, SerialHex},
    x509::{certificate::Certificate, request::Request, serial::SerialNumber},
};

use super::details::{self, Beside};
use crate::{input, message, order, report::Failure, session::Session, terminal::Safe};

/// Arguments of `renew-ca`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The new certificate of a subordinate CA, as it came back, with or without its chain; - is standard input
    file: Option<PathBuf>,
}

/// Renews a root, makes the request of a subordinate CA, or installs its new certificate.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let named = session.settings.subject.common_name.as_ref().map(|_| "--req-cn");
    for options in order::unused_by_a_ca(&session.settings).into_iter().chain(named) {
        session.terminal.warning(format_args!("{options} says nothing to renew-ca: the CA stays who it is"));
    }
    let file = args.file.as_deref().filter(|file| !file.as_os_str().is_empty());
    let file = file.map(|file| input::read(file).map(|bytes| (file.display().to_string(), bytes)));
    let file = file.transpose()?;
    session.lock()?;
    let authority = session.authority()?;
    let list = session.read(&PkiPath::ExpiredCaList)?;
    let list = list.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    match file {
        Some((name, bytes)) => install(session, &authority, &name, &bytes, list.as_deref()),
        None if authority.is_root() => root(session, &authority, list.as_deref()),
        None => request(session, &authority),
    }
}

fn root(session: &mut Session, authority: &Authority, list: Option<&str>) -> Result<(), Failure> {
    let issued = issued(session)?;
    let serial = SerialNumber::random(&mut Session::rng());
    let order = CaRenewalOrder {
        set: order::profile_set(&session.settings),
        period: order::ca_period(&session.settings),
        serial: &serial,
        digest: order::digest(&session.settings, None)?,
        expired_list: list,
    };
    let proposal = authority.propose_ca_renewal(order, &issued, session.now)?;
    let old = authority.certificate();
    if proposal.serial_number() == old.serial_number() {
        session.terminal.warning(
            "the CA keeps its serial number, because certificates name it; a program of Mozilla's that has seen \
             the old certificate of the CA refuses the new one until it forgets that",
        );
    }
    confirm(session, old, proposal.serial_number(), proposal.validity().not_after)?;
    let beside = Beside { changes: ChangeSet::new(), name: EntryName::ca(), key: None };
    let renewed = details::issue(session, proposal, beside, &["renew-ca"])?;
    said(session, &renewed.certificate);
    Ok(())
}

/// A request that asks for the certificate of the CA once more.
fn request(session: &mut Session, authority: &Authority) -> Result<(), Failure> {
    let path = PkiPath::Request(EntryName::ca());
    let signer = session.ca_signer()?;
    if signer.public_key() != authority.certificate().public_key() {
        return Err(certkeep_pki::ca::sign::IssueError::WrongKey.into());
    }
    let set = order::profile_set(&session.settings);
    let digest = order::digest(&session.settings, None)?.unwrap_or_else(|| set.digest(signer.public_key()));
    let request = Request::make(authority.certificate().subject(), None, &*signer, digest)?;
    let mut changes = ChangeSet::new();
    changes.replace(path.clone(), details::request_file(session, &request));
    session.record(&changes, &message::of(&["renew-ca"]))?;
    if !session.settings.dry_run {
        session.terminal.notice(format_args!(
            "made a request of {}, which was issued by {}",
            Safe(authority.certificate().subject()),
            Safe(authority.certificate().issuer())
        ));
        details::say_files(session, &[path.relative()]);
        session.terminal.notice(
            "next: have the CA above renew its certificate (there: `certkeep renew NAME`, or sign the request), \
             then here: `certkeep renew-ca FILE`",
        );
    }
    Ok(())
}

fn install(
    session: &mut Session,
    authority: &Authority,
    name: &str,
    bytes: &[u8],
    list: Option<&str>,
) -> Result<(), Failure> {
    let installation =
        authority.install(bytes, list, session.now).map_err(|error| Failure::in_file(name, &error))?;
    let new = installation.certificate.clone();
    confirm(session, authority.certificate(), new.serial_number(), new.not_after())?;
    session.record(&installation.into_changes(), &message::about(&["renew-ca", name], &new))?;
    said(session, &new);
    Ok(())
}

fn confirm(
    session: &mut Session,
    old: &Certificate,
    serial: &SerialNumber,
    not_after: certkeep_pki::moment::Moment,
) -> Result<(), Failure> {
    let details = format!(
        "About to renew the CA:\n  Subject: {}\n  Serial number: {}, before {}\n  Not after: {not_after}, before {}\n\
         Its key stays, and what it has issued goes on to verify.",
        Safe(old.subject()),
        serial,
        old.serial_number(),
        old.not_after(),
    );
    Ok(session.terminal.confirm(details, "Install the new CA certificate ? ")?)
}

fn said(session: &mut Session, renewed: &Certificate) {
    if session.settings.dry_run {
        return;
    }
    session.terminal.notice(format_args!(
        "renewed the CA {}, valid until {}",
        Safe(renewed.subject()),
        renewed.not_after()
    ));
    details::say_files(session, &["ca.crt".to_owned(), "expired-ca.list".to_owned()]);
    session.terminal.notice("next: take the new ca.crt to whoever trusts the CA, and `certkeep gen-crl`");
}

/// Every certificate that the CA has issued, as far as its copy can be read.
fn issued(session: &Session) -> Result<Vec<Certificate>, Failure> {
    let mut found = Vec::new();
    for file in session.store()?.list(PkiDirectory::CertificatesBySerial)? {
        let Some(serial) = file.strip_suffix(".pem").and_then(SerialHex::parse) else { continue };
        let bytes = session.read(&PkiPath::CertificateBySerial(serial))?;
        found.extend(bytes.and_then(|bytes| Certificate::read(&bytes).ok()));
    }
    Ok(found)
}
