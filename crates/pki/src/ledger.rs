// SPDX-License-Identifier: MIT OR Apache-2.0
//! What operations did, one deed a line, and what two states of a PKI differ by, in
//! the same words: a history that says what it did can be compared with what it did.
//!
//! A change of the database is found in the lines between the common beginning and
//! the common end of its two versions; the rest is not read again.

pub mod text;

use std::collections::{BTreeSet, HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use crate::{
    index::{Index, ParseError, Revocation, Salvage},
    layout::{PkiPath, SerialHex},
    merge::check::{self, Flaw},
    x509::{certificate::Certificate, crl::Crl},
};

/// The SHA-256 of a certificate or a CRL in DER.
pub type Fingerprint = [u8; 32];

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deed {
    /// A certificate became that of the CA, or one of its chain.
    Authority(Named),
    /// A certificate came in: it was issued, most often.
    Certificate(Named),
    /// A row of the database came in without a file of its certificate.
    Row(SerialHex),
    /// A certificate was revoked, or its revocation was given another date or reason.
    Revocation(SerialHex, Revocation),
    /// A CRL was signed: its number, if it has one, and the SHA-256 of its DER.
    Crl(Option<SerialHex>, Fingerprint),
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its serial number.
    pub serial: SerialHex,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Its subject, as it is shown: foreign text.
    pub subject: String,
}

impl Named {
    /// What names a certificate.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        Self {
            serial: certificate.serial_number().to_hex(),
            fingerprint: certificate.fingerprint_sha256(),
            subject: certificate.subject().to_string(),
        }
    }
}

/// What the rows of two versions of a database differ by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowChange {
    /// The rows that came in.
    pub added: Vec<SerialHex>,
    /// The revocations that came in, or have another date or reason now.
    pub revoked: Vec<(SerialHex, Revocation)>,
    /// What was said before and is not said any more.
    pub weakened: Vec<Flaw>,
    /// Revocations that have another reason or a later date and are no firmer than before.
    /// An earlier date says more: two have revoked the same, and the first one counts.
    pub redated: Vec<SerialHex>,
}

/// Whether a path of the PKI holds something that deeds speak of, beside the database.
#[must_use]
pub fn is_told(path: &PkiPath) -> bool {
    matches!(path, PkiPath::CaCertificate | PkiPath::CrlPem | PkiPath::CrlDer)
        || check::certificate_at(&path.relative()).is_some()
}

/// The deeds behind a file that came in at `path`; none for one that holds neither
/// certificate nor CRL.
#[must_use]
pub fn deeds_of_file(path: &PkiPath, bytes: &[u8]) -> Vec<Deed> {
    match path {
        PkiPath::CaCertificate => {
            let all = Certificate::read_all(bytes).unwrap_or_default();
            all.iter().map(|certificate| Deed::Authority(Named::of(certificate))).collect()
        }
        PkiPath::CrlPem | PkiPath::CrlDer => Crl::read(bytes).iter().map(deed_of_crl).collect(),
        _ => {
            let found = Certificate::read(bytes);
            found.iter().map(|certificate| Deed::Certificate(Named::of(certificate))).collect()
        }
    }
}

fn deed_of_crl(crl: &Crl) -> Deed {
    let number = crl.number().map(|number| number.to_hex());
    Deed::Crl(number, Sha256::digest(crl.as_der()).into())
}

/// The deeds that lead from one database to another, and to the files that came in;
/// each once. Of a damaged database, or one with the marks of a merge, what can be
/// read was there before.
///
/// # Errors
///
/// The database that comes in cannot be read.
pub fn deeds(before: &[u8], after: &[u8], files: &[(PkiPath, Vec<u8>)]) -> Result<Vec<Deed>, ParseError> {
    let mut deeds: Vec<Deed> = Vec::new();
    let mut seen = HashSet::new();
    for deed in files.iter().flat_map(|(path, bytes)| deeds_of_file(path, bytes)) {
        let fingerprint = match &deed {
            Deed::Authority(named) | Deed::Certificate(named) => named.fingerprint,
            Deed::Crl(_, fingerprint) => *fingerprint,
            _ => continue,
        };
        if seen.insert(fingerprint) {
            deeds.push(deed);
        }
    }
    let named: HashSet<SerialHex> = deeds.iter().filter_map(|deed| deed.certificate()).collect();
    let change = row_change(before, after).or_else(|_| {
        let Salvage { rows, merged, .. } = Salvage::of(before);
        row_change(merged.unwrap_or(rows).as_str().as_bytes(), after)
    })?;
    deeds.extend(change.added.into_iter().filter(|serial| !named.contains(serial)).map(Deed::Row));
    deeds.extend(change.revoked.into_iter().map(|(serial, revocation)| Deed::Revocation(serial, revocation)));
    Ok(deeds)
}

impl Deed {
    /// The serial number of the certificate that came in, if this is about one.
    fn certificate(&self) -> Option<SerialHex> {
        match self {
            Self::Certificate(named) => Some(named.serial.clone()),
            _ => None,
        }
    }
}

/// What the rows of two versions of a database differ by. Whether a row came in whose
/// number another one has where they do not differ, [`is_twice`] tells.
///
/// # Errors
///
/// One of them cannot be read, where they differ.
pub fn row_change(before: &[u8], after: &[u8]) -> Result<RowChange, ParseError> {
    let (begin, end) = common_ends(before, after);
    let middle = |text: &'_ [u8]| text.get(begin..text.len() - end).unwrap_or_default().to_vec();
    let (old, new) = (Index::from_bytes(middle(before))?, Index::from_bytes(middle(after))?);
    let rows: HashMap<SerialHex, _> = old.rows().map(|row| (row.serial(), row)).collect();
    let mut change = RowChange { weakened: check::weakened(&old, &new), ..RowChange::default() };
    let weak: BTreeSet<String> = change.weakened.iter().map(ToString::to_string).collect();
    let mut met = HashSet::new();
    for row in new.rows() {
        let serial = row.serial();
        let was = rows.get(&serial).copied();
        if was.is_none() {
            change.added.push(serial.clone());
        }
        if !met.insert(serial.clone()) {
            change.weakened.push(Flaw::Twice(serial.clone()));
        }
        let Some(revocation) = row.revocation() else { continue };
        let earlier = was.and_then(crate::index::Row::revocation);
        if earlier == Some(revocation) {
            continue;
        }
        let firmer = earlier.is_none_or(|earlier| {
            let sooner = revocation.at < earlier.at && revocation.reason == earlier.reason;
            sooner || check::is_firmer(revocation, earlier)
        });
        if !firmer && !weak.contains(&Flaw::TakenBack(serial.clone()).to_string()) {
            change.redated.push(serial.clone());
        }
        change.revoked.push((serial, revocation));
    }
    Ok(change)
}

/// Whether more than one row of a database has a serial number. Does not read the rows.
#[must_use]
pub fn is_twice(database: &[u8], serial: &SerialHex) -> bool {
    // Status, expiry date, revocation; then the number.
    let rows = database.split(|&byte| byte == b'\n');
    let numbers = rows.filter_map(|row| row.split(|&byte| byte == b'\t').nth(3));
    numbers.filter(|number| number.eq_ignore_ascii_case(serial.as_str().as_bytes())).count() > 1
}

/// How many bytes at the beginning and at the end of two texts are the same, in whole lines.
fn common_ends(before: &[u8], after: &[u8]) -> (usize, usize) {
    // In blocks first: of a database of megabytes a line is different.
    const BLOCK: usize = 1 << 12;
    let blocks = before.chunks_exact(BLOCK).zip(after.chunks_exact(BLOCK));
    let same = BLOCK * blocks.take_while(|(one, other)| one == other).count();
    let (one, other) = (before.get(same..).unwrap_or_default(), after.get(same..).unwrap_or_default());
    let rest = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let begin = before.get(..same + rest).unwrap_or_default();
    let begin = memchr::memrchr(b'\n', begin).map_or(0, |end| end + 1);
    let (before, after) = (before.get(begin..).unwrap_or_default(), after.get(begin..).unwrap_or_default());
    let blocks = before.rchunks_exact(BLOCK).zip(after.rchunks_exact(BLOCK));
    let same = BLOCK * blocks.take_while(|(one, other)| one == other).count();
    let one = before.get(..before.len() - same).unwrap_or_default();
    let other = after.get(..after.len() - same).unwrap_or_default();
    let rest = one.iter().rev().zip(other.iter().rev());
    let same = same + rest.take_while(|(one, other)| one == other).count();
    let tail = before.len() - same;
    // From the first line that begins behind a line feed which both have.
    let end = memchr::memchr(b'\n', before.get(tail..).unwrap_or_default());
    (begin, end.map_or(0, |end| before.len() - tail - end - 1))
}

#[cfg(test)]
mod tests;
