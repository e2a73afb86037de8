// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finding a certificate by what the user calls it: the name it is filed under,
//! its serial number, or its fingerprint.

use certkeep_pki::{
    ca::revoke::{Place, Successor},
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
    /// Where it is filed.
    pub place: Place,
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
        return Ok(Found { certificate, place: Place::Current(name.clone()) });
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
    let place = place(session, &certificate)?;
    Ok(Found { certificate, place })
}

/// The current certificate of a name.
///
/// # Errors
///
/// There is none, or its file cannot be read.
pub fn issued(session: &Session, name: &EntryName) -> Result<Certificate, Failure> {
    read(session, &PkiPath::Issued(name.clone()))?.ok_or_else(|| Failure::no_certificate(name))
}

/// The certificate that `renew` has replaced under `name`, or that `expire` has put aside.
///
/// # Errors
///
/// There is none, or its file cannot be read.
pub fn put_aside(session: &Session, name: &EntryName, folder: Aside) -> Result<Found, Failure> {
    let path = folder.path(name);
    let certificate = read(session, &path)?.ok_or_else(|| Failure::none_put_aside(&path))?;
    Ok(Found { certificate, place: folder.place(session, name)? })
}

/// The folders for certificates that are not the current ones of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// `renewed/issued`.
    Renewed,
    /// `expired`.
    Expired,
}

impl Aside {
    fn path(self, name: &EntryName) -> PkiPath {
        match self {
            Self::Renewed => PkiPath::Renewed(name.clone()),
            Self::Expired => PkiPath::Expired(name.clone()),
        }
    }

    fn place(self, session: &Session, name: &EntryName) -> Result<Place, Failure> {
        let issued = session.exists(&PkiPath::Issued(name.clone()))?;
        let successor = if issued { Successor::Issued } else { Successor::None };
        Ok(match self {
            Self::Renewed => Place::Renewed(name.clone(), successor),
            Self::Expired => Place::Expired(name.clone(), successor),
        })
    }
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

/// The folder and the name that hold this very certificate. The common name is
/// tried first; it usually is the name.
fn place(session: &Session, certificate: &Certificate) -> Result<Place, Failure> {
    let guess = certificate.subject().common_name().and_then(|name| EntryName::parse(&name).ok());
    for folder in [None, Some(Aside::Renewed), Some(Aside::Expired)] {
        let directory = match folder {
            None => PkiDirectory::Issued,
            Some(Aside::Renewed) => PkiDirectory::Renewed,
            Some(Aside::Expired) => PkiDirectory::Expired,
        };
        let listed = names_in(session, directory)?;
        let guess = guess.clone().filter(|name| listed.contains(name));
        for name in guess.into_iter().chain(listed) {
            let path = folder.map_or_else(|| PkiPath::Issued(name.clone()), |folder| folder.path(&name));
            if scan(session, &path).is_some_and(|held| held.as_der() == certificate.as_der()) {
                return folder
                    .map_or(Ok(Place::Current(name.clone())), |folder| folder.place(session, &name));
            }
        }
    }
    Ok(Place::Archive)
}

/// The names of the certificates in a directory.
///
/// # Errors
///
/// It cannot be listed.
pub fn names_in(session: &Session, directory: PkiDirectory) -> Result<Vec<EntryName>, Failure> {
    let listed = session.store()?.list(directory)?;
    Ok(listed.iter().filter_map(|file| EntryName::parse(file.strip_suffix(".crt")?).ok()).collect())
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
