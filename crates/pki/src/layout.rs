// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every file of an easy-rsa PKI directory as a typed value.
//!
//! [`PkiPath`] is the only way to name a file; no other room builds path
//! strings. [`PUBLIC`] is the one table that decides what is secret: by
//! omission. A path that no row of it names is secret, so a file that a later
//! version forgets to list is kept too close, never too open.

use std::fmt;

use thiserror::Error;

/// A name under which a key, a request and a certificate are filed.
///
/// One path component that is safe in every file name we build from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryName(String);

/// Why a text cannot name an entry.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryNameError {
    /// Nothing at all.
    #[error("the name is empty")]
    Empty,
    /// A `/`, `\`, NUL or other control character.
    #[error("the name `{}` holds the character `{}`, which cannot be part of a file name", .0.escape_debug(), .1.escape_debug())]
    Character(String, char),
    /// A leading `-` reads as an option, a leading `.` hides the file (or leaves the directory).
    #[error("the name `{}` starts with `{}`", .0.escape_debug(), .1)]
    Start(String, char),
    /// More than 200 bytes: `NAME.p12-inline` must stay below the 255 of common file systems.
    #[error("the name is {0} bytes long, at most 200 are possible")]
    Length(usize),
    /// `private/NAME.key` already has another meaning.
    #[error("the name `{0}` is reserved: its private key file would be `private/{0}.key`")]
    Reserved(&'static str),
}

impl EntryName {
    /// Checks that `text` can stand as one file name component.
    ///
    /// # Errors
    ///
    /// One [`EntryNameError`] per rule; see its variants.
    pub fn parse(text: &str) -> Result<Self, EntryNameError> {
        let first = text.chars().next().ok_or(EntryNameError::Empty)?;
        if let Some(character) =
            text.chars().find(|&character| character.is_control() || matches!(character, '/' | '\\'))
        {
            return Err(EntryNameError::Character(text.to_owned(), character));
        }
        if matches!(first, '-' | '.') {
            return Err(EntryNameError::Start(text.to_owned(), first));
        }
        if text.len() > 200 {
            return Err(EntryNameError::Length(text.len()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Checks a name under which a new private key will be filed.
    ///
    /// # Errors
    ///
    /// As [`EntryName::parse`], and [`EntryNameError::Reserved`] for `ca` and
    /// `easyrsa-tls`, whose key files are the CA's and OpenVPN's.
    pub fn parse_for_key(text: &str) -> Result<Self, EntryNameError> {
        for reserved in ["ca", "easyrsa-tls"] {
            if text.eq_ignore_ascii_case(reserved) {
                return Err(EntryNameError::Reserved(reserved));
            }
        }
        Self::parse(text)
    }

    /// The entry of the CA itself: `private/ca.key`, `reqs/ca.req`.
    #[must_use]
    pub fn ca() -> Self {
        Self("ca".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A serial number as easy-rsa writes it in file names and in `index.txt`:
/// upper-case hexadecimal with an even number of digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialHex(String);

impl SerialHex {
    /// Checks that `text` is hexadecimal with an even number of digits; takes either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (hexadecimal && !text.is_empty() && text.len().is_multiple_of(2))
            .then(|| Self(text.to_ascii_uppercase()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SerialHex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A file of a PKI directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PkiPath {
    /// `ca.crt`: the CA certificate; a sub-CA's file may hold its chain after it.
    CaCertificate,
    /// `private/ca.key`.
    CaKey,
    /// `certs_by_serial/SERIAL.pem`: a copy of every certificate ever issued.
    CertificateBySerial(SerialHex),
    /// `crl.der`.
    CrlDer,
    /// `crl.pem`.
    CrlPem,
    /// `crlnumber`: the number of the next CRL, in hexadecimal.
    CrlNumber,
    /// `crlnumber.old`: the previous generation.
    CrlNumberOld,
    /// `inline/external-ca.list`: CA certificates of other PKIs.
    ExternalCaList,
    /// `index.txt`: the database of `openssl ca`.
    Index,
    /// `index.txt.attr`.
    IndexAttributes,
    /// `index.txt.attr.old`: the previous generation.
    IndexAttributesOld,
    /// `index.txt.old`: the previous generation.
    IndexOld,
    /// `issued/NAME.crt`.
    Issued(EntryName),
    /// `private/NAME.key`.
    PrivateKey(EntryName),
    /// `inline/private/NAME.inline` and its relatives; NAME.p12-inline holds a private key.
    PrivateInline(EntryName),
    /// `inline/private/NAME.p12-inline`.
    PrivateInlineP12(EntryName),
    /// `inline/NAME.inline`.
    Inline(EntryName),
    /// `private/NAME.p12`, `private/NAME.p8`, `private/NAME.p1`: exports that hold the key.
    PrivateExport(EntryName, PrivateExport),
    /// `issued/NAME.p7b`.
    IssuedP7b(EntryName),
    /// `reqs/NAME.req`.
    Request(EntryName),
    /// `revoked/certs_by_serial/SERIAL.crt`.
    RevokedCertificate(SerialHex),
    /// `revoked/private_by_serial/SERIAL.key`.
    RevokedKey(SerialHex),
    /// `revoked/reqs_by_serial/SERIAL.req`.
    RevokedRequest(SerialHex),
    /// `serial`: the serial number that `openssl ca` would use next.
    Serial,
    /// `serial.old`: the previous generation.
    SerialOld,
    /// `vars`.
    Vars,
    /// `vars.example`.
    VarsExample,
    /// `x509-types/TYPE`: the extensions of a certificate type, in openssl's language.
    X509Type(EntryName),
}

/// The formats of an exported key under `private/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PrivateExport {
    /// PKCS#12, `.p12`.
    Pkcs12,
    /// PKCS#8, `.p8`.
    Pkcs8,
    /// PKCS#1, `.p1`.
    Pkcs1,
}

/// Whether a file may be seen by everybody who has the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensitivity {
    /// Certificates, CRLs, the index: anybody may read it.
    Public,
    /// Keys, requests, and whatever is not known to be public.
    Secret,
}

/// A set of secret paths with keys and members of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The CA's private key.
    Ca,
    /// Every other private key, and everything that is secret by omission.
    Keys,
    /// Requests: not key material, but nobody's business.
    Reqs,
}

/// A directory of a PKI that a command creates even while it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PkiDirectory {
    /// `certs_by_serial`.
    CertificatesBySerial,
    /// `issued`.
    Issued,
    /// `private`.
    Private,
    /// `reqs`.
    Requests,
    /// `revoked/certs_by_serial`.
    RevokedCertificates,
    /// `revoked/private_by_serial`.
    RevokedKeys,
    /// `revoked/reqs_by_serial`.
    RevokedRequests,
    /// `x509-types`.
    X509Types,
}

/// The public paths, relative to the PKI directory; `*` stands for one
/// component. Everything else is secret.
const PUBLIC: &[&str] = &[
    ".gitattributes",
    ".gitignore",
    "ca.crt",
    "certs_by_serial/*",
    "crl.der",
    "crl.pem",
    "crlnumber",
    "crlnumber.old",
    "dh.pem",
    "expired-ca.list",
    "expired/*",
    "index.txt",
    "index.txt.attr",
    "index.txt.attr.old",
    "index.txt.old",
    "inline/*",
    "issued/*",
    "lock.file",
    "openssl-easyrsa.cnf",
    "peer-fp.mode",
    "renewed/certs_by_serial/*",
    "renewed/issued/*",
    "revoked/certs_by_serial/*",
    "safessl-easyrsa.cnf",
    "serial",
    "serial.old",
    "vars",
    "vars.example",
    "x509-types/*",
];

/// The zone of a secret path; first match wins, `keys` takes the rest.
const ZONES: &[(&str, Zone)] =
    &[("private/ca.key", Zone::Ca), ("reqs/*", Zone::Reqs), ("revoked/reqs_by_serial/*", Zone::Reqs)];

impl Sensitivity {
    /// Looks a path, relative to the PKI directory and with `/` between its
    /// components, up in the table. What the table does not name is secret.
    #[must_use]
    pub fn of(relative: &str) -> Self {
        if PUBLIC.iter().any(|pattern| matches(pattern, relative)) { Self::Public } else { Self::Secret }
    }
}

impl Zone {
    /// The zone that keeps a path; `None` for a public one.
    #[must_use]
    pub fn of(relative: &str) -> Option<Self> {
        if Sensitivity::of(relative) == Sensitivity::Public {
            return None;
        }
        let zone = ZONES.iter().find(|(pattern, _)| matches(pattern, relative));
        Some(zone.map_or(Self::Keys, |&(_, zone)| zone))
    }
}

fn matches(pattern: &str, relative: &str) -> bool {
    let mut components = relative.split('/');
    pattern.split('/').all(|expected| match components.next() {
        Some(component) if expected == "*" => !matches!(component, "" | "." | ".."),
        Some(component) => component == expected,
        None => false,
    }) && components.next().is_none()
}

impl PkiPath {
    /// The path relative to the PKI directory, components separated by `/`.
    #[must_use]
    pub fn relative(&self) -> String {
        match self {
            Self::CaCertificate => "ca.crt".to_owned(),
            Self::CaKey => "private/ca.key".to_owned(),
            Self::CertificateBySerial(serial) => format!("certs_by_serial/{serial}.pem"),
            Self::CrlDer => "crl.der".to_owned(),
            Self::CrlPem => "crl.pem".to_owned(),
            Self::CrlNumber => "crlnumber".to_owned(),
            Self::CrlNumberOld => "crlnumber.old".to_owned(),
            Self::ExternalCaList => "inline/external-ca.list".to_owned(),
            Self::Index => "index.txt".to_owned(),
            Self::IndexAttributes => "index.txt.attr".to_owned(),
            Self::IndexAttributesOld => "index.txt.attr.old".to_owned(),
            Self::IndexOld => "index.txt.old".to_owned(),
            Self::Issued(name) => format!("issued/{name}.crt"),
            Self::PrivateKey(name) => format!("private/{name}.key"),
            Self::PrivateInline(name) => format!("inline/private/{name}.inline"),
            Self::PrivateInlineP12(name) => format!("inline/private/{name}.p12-inline"),
            Self::Inline(name) => format!("inline/{name}.inline"),
            Self::PrivateExport(name, PrivateExport::Pkcs12) => format!("private/{name}.p12"),
            Self::PrivateExport(name, PrivateExport::Pkcs8) => format!("private/{name}.p8"),
            Self::PrivateExport(name, PrivateExport::Pkcs1) => format!("private/{name}.p1"),
            Self::IssuedP7b(name) => format!("issued/{name}.p7b"),
            Self::Request(name) => format!("reqs/{name}.req"),
            Self::RevokedCertificate(serial) => format!("revoked/certs_by_serial/{serial}.crt"),
            Self::RevokedKey(serial) => format!("revoked/private_by_serial/{serial}.key"),
            Self::RevokedRequest(serial) => format!("revoked/reqs_by_serial/{serial}.req"),
            Self::Serial => "serial".to_owned(),
            Self::SerialOld => "serial.old".to_owned(),
            Self::Vars => "vars".to_owned(),
            Self::VarsExample => "vars.example".to_owned(),
            Self::X509Type(name) => format!("x509-types/{name}"),
        }
    }

    /// Who may see this file.
    #[must_use]
    pub fn sensitivity(&self) -> Sensitivity {
        Sensitivity::of(&self.relative())
    }
}

impl fmt::Display for PkiPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.relative())
    }
}

impl PkiDirectory {
    /// The path relative to the PKI directory.
    #[must_use]
    pub fn relative(self) -> &'static str {
        match self {
            Self::CertificatesBySerial => "certs_by_serial",
            Self::Issued => "issued",
            Self::Private => "private",
            Self::Requests => "reqs",
            Self::RevokedCertificates => "revoked/certs_by_serial",
            Self::RevokedKeys => "revoked/private_by_serial",
            Self::RevokedRequests => "revoked/reqs_by_serial",
            Self::X509Types => "x509-types",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_secret() {
        for path in
            ["private/ca.key", "anything", "issued/a/b", "inline/private/x.inline", "issued/..", "issued/"]
        {
            assert_eq!(Sensitivity::of(path), Sensitivity::Secret, "{path}");
        }
        assert_eq!(Zone::of("private/ca.key"), Some(Zone::Ca));
        assert_eq!(Zone::of("private/web1.key"), Some(Zone::Keys));
        assert_eq!(Zone::of("reqs/web1.req"), Some(Zone::Reqs));
        assert_eq!(Zone::of("a-new-kind-of-file"), Some(Zone::Keys));
        assert_eq!(Zone::of("issued/web1.crt"), None);
    }

    #[test]
    fn names_that_leave_their_place_are_refused() {
        assert_eq!(EntryName::parse(""), Err(EntryNameError::Empty));
        assert!(matches!(EntryName::parse("../x"), Err(EntryNameError::Character(_, '/'))));
        assert!(matches!(EntryName::parse("a/b"), Err(EntryNameError::Character(_, '/'))));
        assert!(matches!(EntryName::parse("a\\b"), Err(EntryNameError::Character(_, '\\'))));
        assert!(matches!(EntryName::parse("a\nb"), Err(EntryNameError::Character(_, '\n'))));
        assert!(matches!(EntryName::parse("-x"), Err(EntryNameError::Start(_, '-'))));
        assert!(matches!(EntryName::parse(".."), Err(EntryNameError::Start(_, '.'))));
        assert!(EntryName::parse(&"x".repeat(201)).is_err());
        assert_eq!(EntryName::parse_for_key("CA"), Err(EntryNameError::Reserved("ca")));
        assert_eq!(EntryName::parse("Jane Doe").expect("valid").as_str(), "Jane Doe");
    }
}
