// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a database and the certificates beside it still belong together after a
//! merge. A merge driver sees one file at a time; this sees all that has changed.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use crate::{
    index::{Index, Status},
    layout::{EntryName, PkiPath, SerialHex},
    x509::{certificate::Certificate, crl::Crl, name::Name},
};

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// Two rows have one serial number.
    Twice(SerialHex),
    /// A row that came in names a certificate that is nowhere.
    NoCertificate(SerialHex),
    /// A certificate of this CA has no row: it could never be revoked.
    NoRow(PkiPath, SerialHex),
    /// A file that is named after one number holds the certificate of another.
    OtherCertificate(PkiPath, SerialHex),
    /// The row of a certificate is another one's.
    OtherRow(PkiPath, SerialHex),
    /// A file holds no certificate.
    Unreadable(PkiPath),
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice(serial) => {
                write!(formatter, "index.txt has two rows with the serial number {serial}")
            }
            Self::NoCertificate(serial) => {
                write!(formatter, "the certificate {serial} of index.txt is missing")
            }
            Self::NoRow(path, serial) => write!(formatter, "{path}: index.txt has no row for {serial}"),
            Self::OtherCertificate(path, serial) => {
                write!(formatter, "{path} holds the certificate {serial}")
            }
            Self::OtherRow(path, serial) => {
                write!(formatter, "{path}: the row of {serial} in index.txt has another expiry date")
            }
            Self::Unreadable(path) => write!(formatter, "{path} holds no certificate"),
        }
    }
}

/// The certificate file at this path, relative to the PKI directory.
#[must_use]
pub fn certificate_at(relative: &str) -> Option<PkiPath> {
    let serial = SerialHex::parse;
    let (folder, file) = relative.rsplit_once('/')?;
    let path = match folder {
        "certs_by_serial" => PkiPath::CertificateBySerial(serial(file.strip_suffix(".pem")?)?),
        "revoked/certs_by_serial" => PkiPath::RevokedCertificate(serial(file.strip_suffix(".crt")?)?),
        "issued" => PkiPath::Issued(EntryName::parse(file.strip_suffix(".crt")?).ok()?),
        "renewed/issued" => PkiPath::Renewed(EntryName::parse(file.strip_suffix(".crt")?).ok()?),
        _ => return None,
    };
    (path.relative() == relative).then_some(path)
}

/// The rows that `after` has and `before` had not: their certificates came in with them.
#[must_use]
pub fn new_serials(before: Option<&Index>, after: &Index) -> Vec<SerialHex> {
    let known: HashSet<SerialHex> =
        before.into_iter().flat_map(Index::rows).map(|row| row.serial()).collect();
    after.rows().map(|row| row.serial()).filter(|serial| !known.contains(serial)).collect()
}

/// What does not fit in a database and in the certificates that have changed.
/// `issuer` is the CA; a certificate of another one needs no row.
#[must_use]
pub fn flaws(issuer: Option<&Name>, index: &Index, changed: &[(PkiPath, Vec<u8>)]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut rows = HashMap::new();
    for row in index.rows() {
        if rows.insert(row.serial(), row).is_some() {
            flaws.push(Flaw::Twice(row.serial()));
        }
    }
    for (path, bytes) in changed {
        let Ok(certificate) = Certificate::read(bytes) else {
            flaws.push(Flaw::Unreadable(path.clone()));
            continue;
        };
        let serial = certificate.serial_number().to_hex();
        let named = match path {
            PkiPath::CertificateBySerial(named) | PkiPath::RevokedCertificate(named) => Some(named),
            _ => None,
        };
        if named.is_some_and(|named| *named != serial) {
            flaws.push(Flaw::OtherCertificate(path.clone(), serial));
            continue;
        }
        let ours = issuer.is_none_or(|issuer| issuer.as_der() == certificate.issuer().as_der());
        match rows.get(&serial) {
            None if ours && !certificate.is_self_issued() => flaws.push(Flaw::NoRow(path.clone(), serial)),
            Some(row) if row.expiry() != certificate.not_after() => {
                flaws.push(Flaw::OtherRow(path.clone(), serial));
            }
            _ => {}
        }
    }
    flaws
}

/// How many revoked rows a CRL does not list.
#[must_use]
pub fn unlisted(index: &Index, crl: &Crl) -> usize {
    let listed: HashSet<SerialHex> =
        crl.entries().filter_map(|entry| Some(entry.serial_number?.to_hex())).collect();
    let revoked = index.rows().filter(|row| row.status() == Status::Revoked);
    revoked.filter(|row| !listed.contains(&row.serial())).count()
}
