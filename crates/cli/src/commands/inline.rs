// SPDX-License-Identifier: MIT OR Apache-2.0
//! `inline`: everything that one OpenVPN peer needs, in one file.

use certkeep_pki::{
    ca::{
        inline::{self, Inline, Parts},
        kind,
    },
    layout::{EntryName, PkiPath},
    secret::SecretBytes,
    x509::{certificate::Certificate, profile::CertificateType},
};

use super::details;
use crate::{
    lookup, message,
    report::Failure,
    session::Session,
    terminal::{Safe, shell_word},
};

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
    let path = PkiPath::PrivateKey(name.clone());
    let key = if name.is_reserved() { None } else { session.read_secret(&path)? };
    let built = build(session, &name, &certificate, key.as_ref())?;
    let (path, missing) = (built.path.clone(), built.missing.clone());
    session.record(&built.into_changes(), &message::about(&["inline", &args.name], &certificate))?;
    say(session, &name, &path, &missing);
    Ok(())
}

/// The inline file of a certificate whose key file is `key`.
pub(super) fn build(
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
pub(super) fn say(session: &mut Session, name: &EntryName, path: &PkiPath, missing: &[&str]) {
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
