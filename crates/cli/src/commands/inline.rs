// SPDX-License-Identifier: MIT OR Apache-2.0
//! `inline`: everything that one OpenVPN peer needs, in one file.

use certkeep_pki::{
    ca::{
        inline::{self, Inline, Parts},
        kind,
    },
    change::ChangeSet,
    layout::{EntryName, PkiPath},
    secret::SecretBytes,
    x509::{certificate::Certificate, profile::CertificateType},
};

use super::details;
use crate::{
    lookup, message,
    report::Failure,
    session::Session,
    settings::ProfileSet,
    terminal::{Safe, shell_word},
};

/// What easy-rsa puts beside private inline files, in our words.
const README: &str =
    "The files of this folder hold private keys. Whoever is given one needs no other file to connect.\n";

/// Arguments of `inline`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name under which the certificate is filed
    name: String,
}

/// Puts the file together, and says what it lacks.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let name = EntryName::parse(&args.name)?;
    session.lock()?;
    let certificate = lookup::issued(session, &name)?;
    let (changes, place) = beside(session, &name, &certificate, None)?;
    session.record(&changes, &message::about(&["inline", &args.name], &certificate))?;
    say(session, &name, &place);
    Ok(())
}

/// Where an inline file is, and what it lacks.
pub(super) struct Place {
    path: PkiPath,
    missing: Vec<&'static str>,
}

/// The inline file of a certificate whose key is `made` with it, or lies in the PKI;
/// in the easyrsa set with a word about the folder, where there is none yet (easy-rsa 3.2).
pub(super) fn beside(
    session: &mut Session,
    name: &EntryName,
    certificate: &Certificate,
    made: Option<&SecretBytes>,
) -> Result<(ChangeSet, Place), Failure> {
    // Their key files are the CA's and OpenVPN's.
    let filed = if made.is_some() || name.is_reserved() {
        None
    } else {
        session.read_secret(&PkiPath::PrivateKey(name.clone()))?
    };
    let built = build(session, name, certificate, made.or(filed.as_ref()))?;
    let place = Place { path: built.path.clone(), missing: built.missing.clone() };
    let mut changes = built.into_changes();
    let readme = PkiPath::PrivateInlineReadme;
    let private = matches!(place.path, PkiPath::PrivateInline(_));
    if private && session.settings.profile_set == ProfileSet::Easyrsa && !session.exists(&readme)? {
        changes.create(readme, README.to_owned());
    }
    Ok((changes, place))
}

/// The inline file of a certificate whose key file is `key`.
fn build(
    session: &mut Session,
    name: &EntryName,
    certificate: &Certificate,
    key: Option<&SecretBytes>,
) -> Result<Inline, Failure> {
    let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let authority = text(session.read(&PkiPath::CaCertificate)?);
    let external = text(session.read(&PkiPath::ExternalCaList)?);
    let dh = text(session.read(&PkiPath::DhParameters)?);
    let kind = kind::of(certificate).map(|recognised| recognised.kind);
    let server = kind.as_ref().is_some_and(CertificateType::is_server);
    let tls_key = session.read_secret(&PkiPath::TlsKey)?;
    let tls_crypt_v2 = session.read_secret(&match server {
        true => PkiPath::TlsCryptV2Server,
        false => PkiPath::TlsCryptV2Client(name.clone()),
    })?;
    Ok(inline::build(&Parts {
        name: name.clone(),
        certificate,
        key,
        authority: authority.as_deref(),
        external: external.as_deref(),
        dh: dh.as_deref(),
        tls_key: tls_key.as_ref(),
        tls_crypt_v2: tls_crypt_v2.as_ref(),
    }))
}

/// Says where the file is and what it lacks.
pub(super) fn say(session: &mut Session, name: &EntryName, place: &Place) {
    let Place { path, missing } = place;
    if session.settings.dry_run {
        return;
    }
    if !missing.is_empty() {
        session
            .terminal
            .warning(format_args!("the inline file is INCOMPLETE, it lacks {}", missing.join(", ")));
        if missing.contains(&"dh.pem") {
            session.terminal.notice(format_args!(
                "next: `certkeep gen-dh`, then `certkeep inline {}`",
                Safe(shell_word(name.as_str()))
            ));
        }
    }
    session.terminal.notice("made an inline file");
    details::say_files(session, &[path.relative()]);
}
