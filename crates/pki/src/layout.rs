// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every file of an easy-rsa PKI directory as a typed value.
//!
//! [`PkiPath`] is the only way to name a file; no other room builds path
//! strings. `PUBLIC` is the one table that decides what is secret: by
//! omission. A path that no row of it names is secret, so a file that a later
//! version forgets to list is kept too close, never too open.
//!
//! long: one line for each file of the directory, and no logic.

mod name;

use std::fmt;

pub use self::name::{EntryName, EntryNameError, SerialHex, is_invisible};

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
    /// `NAME.creds`: what easy-rsa 3.1 calls an inline file, with the key in it.
    Credentials(EntryName),
    /// `crl.der`.
    CrlDer,
    /// `crl.pem`.
    CrlPem,
    /// `crlnumber`: the number of the next CRL, in hexadecimal.
    CrlNumber,
    /// `crlnumber.old`: the previous generation.
    CrlNumberOld,
    /// `dh.pem`: the Diffie-Hellman group of OpenVPN servers.
    DhParameters,
    /// `expired/NAME.crt`: put aside by `expire`, so that its request can be signed again.
    Expired(EntryName),
    /// `expired-ca.list`: the CA certificates before the present one.
    ExpiredCaList,
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
    /// `peer-fp.mode`: the mark of a PKI without a CA, whose certificates sign themselves.
    PeerFingerprintMode,
    /// `inline/pfp-server.list-inline` and `inline/pfp-client.list-inline`: the fingerprints
    /// of self-signed certificates, for OpenVPN's peers.
    PeerFingerprints(PeerSide),
    /// `private/NAME.key`.
    PrivateKey(EntryName),
    /// `inline/private/NAME.inline` and its relatives; NAME.p12-inline holds a private key.
    PrivateInline(EntryName),
    /// `inline/private/NAME.p12-inline`.
    PrivateInlineP12(EntryName),
    /// `inline/private/README.inline.private`: what the folder is for.
    PrivateInlineReadme,
    /// `inline/NAME.inline`.
    Inline(EntryName),
    /// `private/NAME.p12`, `private/NAME.p8`, `private/NAME.p1`: exports that hold the key.
    PrivateExport(EntryName, PrivateExport),
    /// `issued/NAME.p7b`.
    IssuedP7b(EntryName),
    /// `renewed/issued/NAME.crt`: what `renew` has replaced; valid until it is revoked.
    Renewed(EntryName),
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
    /// `openssl-easyrsa.cnf`: openssl's settings, for easy-rsa alone.
    SslConfig,
    /// `private/NAME.tls-crypt-v2`: OpenVPN's tls-crypt-v2 key of one client.
    TlsCryptV2Client(EntryName),
    /// `private/easyrsa-tls.tls-crypt-v2-server`: OpenVPN's tls-crypt-v2 key of the servers.
    TlsCryptV2Server,
    /// `private/easyrsa-tls.key`: OpenVPN's tls-auth or tls-crypt key.
    TlsKey,
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

/// The side of a TLS connection that a self-signed certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerSide {
    /// Servers, whose fingerprints clients are to know.
    Server,
    /// Clients, whose fingerprints servers are to know.
    Client,
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
    /// `expired`.
    Expired,
    /// `issued`.
    Issued,
    /// `private`.
    Private,
    /// `renewed/issued`.
    Renewed,
    /// `renewed/certs_by_serial`, which easy-rsa 3.0 and 3.1 fill.
    RenewedCertificates,
    /// `renewed/private_by_serial`, likewise.
    RenewedKeys,
    /// `renewed/reqs_by_serial`, likewise.
    RenewedRequests,
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
/// component, `*.crt` for one that ends like that. Everything else is secret:
/// a bundle that somebody keeps beside his certificates may hold the key, and
/// so do the files of easy-rsa 3.0 and 3.1 in `inline`.
const PUBLIC: &[&str] = &[
    ".gitattributes",
    ".gitignore",
    "ca.crt",
    "certs_by_serial/*.pem",
    "crl.der",
    "crl.pem",
    "crlnumber",
    "crlnumber.old",
    "dh.pem",
    "expired-ca.list",
    "expired/*.crt",
    "index.txt",
    "index.txt.attr",
    "index.txt.attr.old",
    "index.txt.old",
    "inline/external-ca.list",
    "issued/*.crt",
    "issued/*.p7b",
    "lock.file",
    "openssl-easyrsa.cnf",
    "peer-fp.mode",
    "renewed/certs_by_serial/*.crt",
    "renewed/certs_by_serial/*.pem",
    "renewed/issued/*.crt",
    "revoked/certs_by_serial/*.crt",
    "revoked/certs_by_serial/*.pem",
    "safessl-easyrsa.cnf",
    "serial",
    "serial.old",
    "vars",
    "vars.example",
    "x509-types/*",
];

/// The public files in which the CA counts and keeps its books: two versions of one
/// are merged by what they mean, never line by line.
const DATABASE: &[PkiPath] = &[
    PkiPath::CrlDer,
    PkiPath::CrlNumber,
    PkiPath::CrlNumberOld,
    PkiPath::CrlPem,
    PkiPath::Index,
    PkiPath::IndexAttributes,
    PkiPath::IndexAttributesOld,
    PkiPath::IndexOld,
    PkiPath::Serial,
    PkiPath::SerialOld,
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

    /// Whether a directory is there for public files.
    #[must_use]
    pub fn of_directory(relative: &str) -> Self {
        let mut parents = PUBLIC.iter().filter_map(|pattern| pattern.rsplit_once('/'));
        if parents.any(|(folder, _)| folder == relative) { Self::Public } else { Self::Secret }
    }
}

/// The rows of that table, for a program that has to be told, such as git: paths
/// relative to the PKI directory, `*` standing for one component or the
/// beginning of one.
#[must_use]
pub fn public_patterns() -> &'static [&'static str] {
    PUBLIC
}

/// How a program that has to be told, such as git, may merge two versions of the
/// files of a row of [`public_patterns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merging {
    /// By what they mean: [`crate::merge`].
    Database,
    /// Not at all: half of one certificate and half of another is none.
    Whole,
    /// Line by line, as any text.
    Lines,
}

impl Merging {
    /// How the files of a row of [`public_patterns`] are merged.
    #[must_use]
    pub fn of(pattern: &str) -> Self {
        if PkiPath::database(pattern).is_some() {
            Self::Database
        } else if [".crt", ".list", ".p7b", ".pem"].iter().any(|end| pattern.ends_with(end)) {
            Self::Whole
        } else {
            Self::Lines
        }
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
        Some(component) => match expected.strip_prefix('*') {
            Some(end) => component.ends_with(end) && !matches!(component, "" | "." | ".."),
            None => component == expected,
        },
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
            Self::Credentials(name) => format!("{name}.creds"),
            Self::CrlDer => "crl.der".to_owned(),
            Self::CrlPem => "crl.pem".to_owned(),
            Self::CrlNumber => "crlnumber".to_owned(),
            Self::CrlNumberOld => "crlnumber.old".to_owned(),
            Self::DhParameters => "dh.pem".to_owned(),
            Self::Expired(name) => format!("expired/{name}.crt"),
            Self::ExpiredCaList => "expired-ca.list".to_owned(),
            Self::ExternalCaList => "inline/external-ca.list".to_owned(),
            Self::Index => "index.txt".to_owned(),
            Self::IndexAttributes => "index.txt.attr".to_owned(),
            Self::IndexAttributesOld => "index.txt.attr.old".to_owned(),
            Self::IndexOld => "index.txt.old".to_owned(),
            Self::Issued(name) => format!("issued/{name}.crt"),
            Self::PeerFingerprintMode => "peer-fp.mode".to_owned(),
            Self::PeerFingerprints(PeerSide::Server) => "inline/pfp-server.list-inline".to_owned(),
            Self::PeerFingerprints(PeerSide::Client) => "inline/pfp-client.list-inline".to_owned(),
            Self::PrivateKey(name) => format!("private/{name}.key"),
            Self::PrivateInline(name) => format!("inline/private/{name}.inline"),
            Self::PrivateInlineP12(name) => format!("inline/private/{name}.p12-inline"),
            Self::PrivateInlineReadme => "inline/private/README.inline.private".to_owned(),
            Self::Inline(name) => format!("inline/{name}.inline"),
            Self::PrivateExport(name, PrivateExport::Pkcs12) => format!("private/{name}.p12"),
            Self::PrivateExport(name, PrivateExport::Pkcs8) => format!("private/{name}.p8"),
            Self::PrivateExport(name, PrivateExport::Pkcs1) => format!("private/{name}.p1"),
            Self::IssuedP7b(name) => format!("issued/{name}.p7b"),
            Self::Renewed(name) => format!("renewed/issued/{name}.crt"),
            Self::Request(name) => format!("reqs/{name}.req"),
            Self::RevokedCertificate(serial) => format!("revoked/certs_by_serial/{serial}.crt"),
            Self::RevokedKey(serial) => format!("revoked/private_by_serial/{serial}.key"),
            Self::RevokedRequest(serial) => format!("revoked/reqs_by_serial/{serial}.req"),
            Self::Serial => "serial".to_owned(),
            Self::SerialOld => "serial.old".to_owned(),
            Self::SslConfig => "openssl-easyrsa.cnf".to_owned(),
            Self::TlsCryptV2Client(name) => format!("private/{name}.tls-crypt-v2"),
            Self::TlsCryptV2Server => "private/easyrsa-tls.tls-crypt-v2-server".to_owned(),
            Self::TlsKey => "private/easyrsa-tls.key".to_owned(),
            Self::Vars => "vars".to_owned(),
            Self::VarsExample => "vars.example".to_owned(),
            Self::X509Type(name) => format!("x509-types/{name}"),
        }
    }

    /// The file of the CA's database at this path, relative to the PKI directory.
    #[must_use]
    pub fn database(relative: &str) -> Option<Self> {
        DATABASE.iter().find(|path| path.relative() == relative).cloned()
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
            Self::Expired => "expired",
            Self::Issued => "issued",
            Self::Private => "private",
            Self::Renewed => "renewed/issued",
            Self::RenewedCertificates => "renewed/certs_by_serial",
            Self::RenewedKeys => "renewed/private_by_serial",
            Self::RenewedRequests => "renewed/reqs_by_serial",
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
        for path in [
            "private/ca.key",
            "anything",
            "issued/a/b",
            "issued/a/b.crt",
            "issued/a.pem",
            "issued/a.key",
            "issued/a.crt.bak",
            "inline/x.inline",
            "inline/private/x.inline",
            "issued/..",
            "issued/",
        ] {
            assert_eq!(Sensitivity::of(path), Sensitivity::Secret, "{path}");
        }
        for path in [
            "issued/a.crt",
            "issued/a.p7b",
            "certs_by_serial/0A.pem",
            "revoked/certs_by_serial/0A.crt",
            "inline/external-ca.list",
            "x509-types/server",
        ] {
            assert_eq!(Sensitivity::of(path), Sensitivity::Public, "{path}");
        }
        assert_eq!(Zone::of("private/ca.key"), Some(Zone::Ca));
        assert_eq!(Zone::of("inline/x.inline"), Some(Zone::Keys));
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
        assert!(matches!(EntryName::parse("a\u{202e}b"), Err(EntryNameError::Character(_, '\u{202e}'))));
        assert!(matches!(EntryName::parse(" a"), Err(EntryNameError::Edge(_))));
        assert!(matches!(EntryName::parse("a "), Err(EntryNameError::Edge(_))));
        assert!(EntryName::parse(&"x".repeat(201)).is_err());
        assert_eq!(EntryName::parse_new("CA"), Err(EntryNameError::Reserved("ca")));
        assert_eq!(EntryName::parse("Jane Doe").expect("valid").as_str(), "Jane Doe");
    }
}
