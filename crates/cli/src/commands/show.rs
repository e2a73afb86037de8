// SPDX-License-Identifier: MIT OR Apache-2.0
//! `show-req`, `show-cert`, `show-ca`, `show-crl`: everything that is in a file,
//! readable, as JSON, or as the PEM itself. None of them needs a key or write access.

use certkeep_pki::{
    layout::{EntryName, PkiPath},
    x509::{
        crl::Crl,
        describe::{self, Value},
    },
};

use super::word;
use crate::{lookup, render, report::Failure, session::Session, settings::Format};

/// Arguments of `show-req`.
#[derive(Debug, clap::Args)]
pub struct RequestArgs {
    /// The name under which the request is filed
    name: String,
    /// full: accepted, everything is shown anyway
    #[arg(value_name = "full")]
    words: Vec<String>,
}

/// Arguments of `show-cert`.
#[derive(Debug, clap::Args)]
pub struct CertificateArgs {
    /// The name of the certificate, its serial number, or its fingerprint
    certificate: String,
    /// full: accepted, everything is shown anyway
    #[arg(value_name = "full")]
    words: Vec<String>,
}

/// Arguments of `show-ca`.
#[derive(Debug, clap::Args)]
pub struct AuthorityArgs {
    /// full: accepted, everything is shown anyway
    #[arg(value_name = "full")]
    words: Vec<String>,
}

/// Shows a request.
pub(super) fn request(args: &RequestArgs, session: &mut Session) -> Result<(), Failure> {
    word::present(&args.words, ["full"])?;
    let request = session.request(&EntryName::parse(&args.name)?)?;
    show(session, "Certificate request", &describe::request(&request), || request.to_pem())
}

/// Shows a certificate.
pub(super) fn certificate(args: &CertificateArgs, session: &mut Session) -> Result<(), Failure> {
    word::present(&args.words, ["full"])?;
    let found = lookup::certificate(session, &args.certificate)?;
    show(session, "Certificate", &describe::certificate(&found.certificate), || found.certificate.to_pem())
}

/// Shows the CA's certificate.
pub(super) fn authority(args: &AuthorityArgs, session: &mut Session) -> Result<(), Failure> {
    word::present(&args.words, ["full"])?;
    let authority = session.authority()?;
    let certificate = authority.certificate();
    show(session, "CA certificate", &describe::certificate(certificate), || certificate.to_pem())
}

/// Shows the CRL.
pub(super) fn crl(session: &mut Session) -> Result<(), Failure> {
    let path = PkiPath::CrlPem;
    let bytes = session.read(&path)?.ok_or_else(Failure::no_crl)?;
    let crl = Crl::read(&bytes).map_err(|error| Failure::unreadable(&path, &error))?;
    show(session, "Certificate revocation list", &describe::crl(&crl), || crl.to_pem())
}

fn show(session: &mut Session, title: &str, value: &Value, pem: impl Fn() -> String) -> Result<(), Failure> {
    let text = match session.settings.format {
        Format::Json => render::json(value),
        Format::Pem => pem(),
        _ => render::text(title, value),
    };
    Ok(session.terminal.data(&text)?)
}
