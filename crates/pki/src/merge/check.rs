// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a database and the certificates beside it still belong together after a
//! merge. A merge driver sees one file at a time; this sees all that has changed.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use crate::{
    index::{Index, Reason, Revocation, Status},
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
    /// A row that was there is not there any more.
    Gone(SerialHex),
    /// A revocation was taken back, or one for good has become a hold.
    TakenBack(SerialHex),
    /// A row says another expiry date or subject than before.
    Replaced(SerialHex),
    /// A certificate of `ca.crt` has neither the key nor the signature of this CA: its
    /// serial number and subject.
    OtherAuthority(SerialHex, String),
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
            Self::Gone(serial) => write!(formatter, "index.txt has lost the row of {serial}"),
            Self::TakenBack(serial) => write!(formatter, "the revocation of {serial} was taken back"),
            Self::Replaced(serial) => {
                write!(formatter, "the row of {serial} in index.txt is that of another certificate now")
            }
            Self::OtherAuthority(serial, subject) => write!(
                formatter,
                "ca.crt: the certificate {serial}, {}, has neither the key nor the signature of this CA",
                subject.replace(char::is_control, " ")
            ),
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
        "expired" => PkiPath::Expired(EntryName::parse(file.strip_suffix(".crt")?).ok()?),
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

/// What `before` said of certificates and `after` does not say any more. Rows may be
/// added, and a certificate may expire or be revoked: nothing else happens to a row.
#[must_use]
pub fn weakened(before: &Index, after: &Index) -> Vec<Flaw> {
    let rows: HashMap<SerialHex, _> = after.rows().map(|row| (row.serial(), row)).collect();
    let mut flaws = Vec::new();
    for row in before.rows() {
        let serial = row.serial();
        let Some(now) = rows.get(&serial) else {
            flaws.push(Flaw::Gone(serial));
            continue;
        };
        if row.expiry() != now.expiry() || row.subject() != now.subject() {
            flaws.push(Flaw::Replaced(serial));
        } else if firmness(row.revocation()) > firmness(now.revocation()) {
            flaws.push(Flaw::TakenBack(serial));
        }
    }
    flaws
}

/// Whether a revocation says more than another.
#[must_use]
pub(crate) fn is_firmer(one: Revocation, other: Revocation) -> bool {
    firmness(Some(one)) > firmness(Some(other))
}

/// A revocation for good is more than a hold, and that more than none.
fn firmness(revocation: Option<Revocation>) -> u8 {
    match revocation.map(|revocation| revocation.reason) {
        None => 0,
        Some(Some(Reason::CertificateHold | Reason::RemoveFromCrl)) => 1,
        Some(_) => 2,
    }
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

/// How many revoked rows the CRL, if there is one, does not list.
#[must_use]
pub fn unlisted(index: &Index, crl: Option<&Crl>) -> usize {
    let entries = crl.into_iter().flat_map(Crl::entries);
    let listed: HashSet<SerialHex> =
        entries.filter_map(|entry| Some(entry.serial_number?.to_hex())).collect();
    let revoked = index.rows().filter(|row| row.status() == Status::Revoked);
    revoked.filter(|row| !listed.contains(&row.serial())).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ca::fixture, moment::Moment};

    fn serial(text: &str) -> SerialHex {
        SerialHex::parse(text).expect("valid")
    }

    #[test]
    fn rows_and_certificates_that_do_not_fit_are_told() {
        let certificate = fixture::certificate();
        let (issuer, pem) = (certificate.issuer().clone(), certificate.to_pem().into_bytes());
        let row =
            |serial: &str, expiry: Moment| format!("V\t{}\t\t{serial}\tunknown\t/CN=a\n", expiry.to_index());
        let index = |text: &str| Index::parse(text.as_bytes()).expect("valid");
        let good = index(&row("07", certificate.not_after()));
        let by_serial = |text: &str| PkiPath::CertificateBySerial(serial(text));
        let told = |index: &Index, path: PkiPath, bytes: &[u8]| {
            let flaws = flaws(Some(&issuer), index, &[(path, bytes.to_vec())]);
            flaws.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(told(&good, by_serial("07"), &pem), "");
        assert_eq!(told(&good, by_serial("08"), &pem), "certs_by_serial/08.pem holds the certificate 07");
        assert_eq!(told(&good, by_serial("07"), b"<<<<<<<"), "certs_by_serial/07.pem holds no certificate");
        let name = PkiPath::Issued(EntryName::parse("web1").expect("valid"));
        assert_eq!(told(&index(""), name.clone(), &pem), "issued/web1.crt: index.txt has no row for 07");
        let other = index(&row("07", certificate.not_before()));
        let wrong = "issued/web1.crt: the row of 07 in index.txt has another expiry date";
        assert_eq!(told(&other, name.clone(), &pem), wrong);
        let twice = index(&[row("07", certificate.not_after()), row("07", certificate.not_after())].concat());
        assert_eq!(told(&twice, name, &pem), "index.txt has two rows with the serial number 07");
        assert_eq!(new_serials(Some(&index("")), &good), [serial("07")]);
        assert_eq!(new_serials(Some(&good), &good), []);
    }

    #[test]
    fn a_row_that_is_gone_or_says_less_is_told() {
        let index = |rows: &[&str]| {
            let text: String = rows.iter().map(|row| format!("{}\n", row.replace(' ', "\t"))).collect();
            Index::parse(text.as_bytes()).expect("valid")
        };
        let valid = "V 290101000000Z  0A unknown /CN=a";
        let expired = "E 290101000000Z  0A unknown /CN=a";
        let hold = "R 290101000000Z 261101000000Z,certificateHold 0A unknown /CN=a";
        let revoked = "R 290101000000Z 261101000000Z,keyCompromise 0A unknown /CN=a";
        let told = |before: &str, after: &[&str]| weakened(&index(&[before]), &index(after));
        for (before, after) in
            [(valid, valid), (valid, expired), (valid, hold), (hold, revoked), (expired, revoked)]
        {
            assert_eq!(told(before, &[after]), [], "{before} {after}");
        }
        for (before, after) in [(revoked, valid), (revoked, hold), (revoked, expired), (hold, valid)] {
            assert_eq!(told(before, &[after]), [Flaw::TakenBack(serial("0A"))], "{before} {after}");
        }
        assert_eq!(told(valid, &[]), [Flaw::Gone(serial("0A"))]);
        for other in ["V 300101000000Z  0A unknown /CN=a", "V 290101000000Z  0A unknown /CN=b"] {
            assert_eq!(told(valid, &[other]), [Flaw::Replaced(serial("0A"))]);
        }
    }

    #[test]
    fn a_path_names_a_certificate() {
        for (path, there) in [
            ("issued/web1.crt", true),
            ("renewed/issued/web1.crt", true),
            ("expired/web1.crt", true),
            ("certs_by_serial/0A.pem", true),
            ("revoked/certs_by_serial/0A.crt", true),
            ("revoked/certs_by_serial/xx.crt", false),
            ("issued/web1.p7b", false),
            ("private/web1.key", false),
            ("index.txt", false),
        ] {
            assert_eq!(certificate_at(path).is_some(), there, "{path}");
        }
    }

    #[test]
    fn what_a_crl_does_not_list_is_counted() {
        let crl = fixture::crl(1, &["0A"], Moment::from_unix(1_800_000_000).expect("a moment"));
        let row = |serial: &str| format!("R\t290101000000Z\t261101000000Z\t{serial}\tunknown\t/CN=a\n");
        let index = Index::parse([row("0A"), row("0B")].concat().as_bytes()).expect("valid");
        assert_eq!((unlisted(&index, Some(&crl)), unlisted(&index, None)), (1, 2));
    }
}
