// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finding a certificate by what the user calls it: the name it is filed under,
//! its serial number, or its fingerprint.

use certkeep_pki::{
    index::Index,
    layout::{EntryName, PkiDirectory, PkiPath, SerialHex},
    x509::{certificate::Certificate, serial::SerialNumber},
};

use crate::{report::Failure, session::Session};

/// A certificate that was found.
#[derive(Debug)]
pub struct Found {
    /// The certificate.
    pub certificate: Certificate,
    /// The name under which it is the current one, if it is.
    pub name: Option<EntryName>,
}

/// Finds a certificate. A name comes first; hexadecimal digits, with or without
/// colons, are a serial number or a SHA-256 or SHA-1 fingerprint.
///
/// # Errors
///
/// There is none, or its file cannot be read.
pub fn certificate(session: &Session, text: &str) -> Result<Found, Failure> {
    let name = EntryName::parse(text);
    if let Ok(name) = &name
        && let Some(certificate) = read(session, &PkiPath::Issued(name.clone()))?
    {
        return Ok(Found { certificate, name: Some(name.clone()) });
    }
    let digits: String = text.chars().filter(|&character| character != ':').collect();
    let serial = SerialNumber::parse(text).map(|number| number.to_hex());
    let found = match serial {
        Ok(serial) => by_serial(session, &serial)?,
        Err(_) if matches!(digits.len(), 40 | 64) => None,
        Err(_) => return name.map_err(Failure::from).and_then(|name| Err(Failure::no_certificate(&name))),
    };
    let found = match found {
        None if matches!(digits.len(), 40 | 64) => by_fingerprint(session, &digits)?,
        found => found,
    };
    let certificate = found.ok_or_else(|| Failure::no_certificate_called(text))?;
    let name = current_name(session, &certificate)?;
    Ok(Found { certificate, name })
}

fn read(session: &Session, path: &PkiPath) -> Result<Option<Certificate>, Failure> {
    let Some(bytes) = session.read(path)? else { return Ok(None) };
    Certificate::read(&bytes).map(Some).map_err(|error| Failure::unreadable(path, &error))
}

/// A certificate on the way to another one: a broken file is none.
fn scan(session: &Session, path: &PkiPath) -> Option<Certificate> {
    read(session, path).ok().flatten()
}

fn by_serial(session: &Session, serial: &SerialHex) -> Result<Option<Certificate>, Failure> {
    for path in [PkiPath::CertificateBySerial(serial.clone()), PkiPath::RevokedCertificate(serial.clone())] {
        if let Some(certificate) = read(session, &path)? {
            return Ok(Some(certificate));
        }
    }
    Ok(None)
}

fn by_fingerprint(session: &Session, digits: &str) -> Result<Option<Certificate>, Failure> {
    for file in session.store()?.list(PkiDirectory::CertificatesBySerial)? {
        let Some(serial) = file.strip_suffix(".pem").and_then(SerialHex::parse) else { continue };
        let Some(certificate) = scan(session, &PkiPath::CertificateBySerial(serial)) else { continue };
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let prints = [hex(&certificate.fingerprint_sha256()), hex(&certificate.fingerprint_sha1())];
        if prints.iter().any(|print| print.eq_ignore_ascii_case(digits)) {
            return Ok(Some(certificate));
        }
    }
    Ok(None)
}

/// The name in `issued/` that holds this very certificate. The common name is
/// tried first; it usually is the name.
fn current_name(session: &Session, certificate: &Certificate) -> Result<Option<EntryName>, Failure> {
    let guess = certificate.subject().common_name().and_then(|name| EntryName::parse(&name).ok());
    let listed = session.store()?.list(PkiDirectory::Issued)?;
    let listed: Vec<_> =
        listed.iter().filter_map(|file| EntryName::parse(file.strip_suffix(".crt")?).ok()).collect();
    let guess = guess.filter(|name| listed.contains(name));
    for name in guess.into_iter().chain(listed) {
        let held = scan(session, &PkiPath::Issued(name.clone()));
        if held.is_some_and(|held| held.as_der() == certificate.as_der()) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The index, where there is one.
///
/// # Errors
///
/// It cannot be read.
pub fn index(session: &Session) -> Result<Option<Index>, Failure> {
    let bytes = session.read(&PkiPath::Index)?;
    Ok(bytes.map(Index::from_bytes).transpose()?)
}
