// SPDX-License-Identifier: MIT OR Apache-2.0
//! Extensions as a profile asks for them, and the DER they become once the keys
//! and the issuer are known.
//!
//! Both built-in profile sets and x509-types files produce the same
//! [`ExtensionSpec`]s, so there is one place that encodes them.

mod encode;

use der::{
    Encode,
    asn1::{BitString, ObjectIdentifier},
    flagset::FlagSet,
};
use thiserror::Error;
use x509_cert::ext::pkix::{KeyUsages, name::GeneralName};

pub(crate) use self::encode::{Issuer, authority_key_identifier, encode, subject_left};
use super::{general_name::GeneralNameError, name::NameError, oid};

/// Whether a verifier that does not understand an extension must refuse the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criticality {
    /// It must.
    Critical,
    /// It may go on.
    NonCritical,
}

/// An extension that a certificate shall have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionSpec {
    /// Whether it is critical.
    pub criticality: Criticality,
    /// What it says.
    pub value: ExtensionValue,
}

/// What an extension says, as far as it can be said before keys and issuer are known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionValue {
    /// basicConstraints (RFC 5280 §4.2.1.9).
    BasicConstraints {
        /// Whether the subject is a CA.
        ca: bool,
        /// How many CAs may follow below it.
        path_len: Option<u8>,
    },
    /// subjectKeyIdentifier by method 1 of RFC 5280 §4.2.1.2.
    SubjectKeyIdentifier,
    /// authorityKeyIdentifier (RFC 5280 §4.2.1.1).
    AuthorityKeyIdentifier {
        /// Whether the issuer's key identifier is named.
        key_identifier: Inclusion,
        /// Whether the issuer's issuer and serial number are named.
        issuer: Inclusion,
    },
    /// keyUsage (RFC 5280 §4.2.1.3).
    KeyUsage(FlagSet<KeyUsages>),
    /// extendedKeyUsage (RFC 5280 §4.2.1.12).
    ExtendedKeyUsage(Vec<ObjectIdentifier>),
    /// subjectAltName (RFC 5280 §4.2.1.6).
    SubjectAltName(Vec<GeneralName>),
    /// subjectAltName or issuerAltName, with names that are only known when the
    /// certificate is made.
    AltNames {
        /// Which one.
        oid: ObjectIdentifier,
        /// The names, in order.
        names: Vec<AltName>,
    },
    /// Any other extension, its value already encoded.
    Encoded {
        /// Which one.
        oid: ObjectIdentifier,
        /// The DER inside the OCTET STRING.
        der: Vec<u8>,
    },
}

/// Whether a part of an authority key identifier is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inclusion {
    /// No.
    Never,
    /// As openssl does without `always`: not in a certificate that signs itself,
    /// issuer and serial number only where there is no key identifier.
    WhereNeeded,
    /// Yes, if there is one.
    Always,
}

/// A name of [`ExtensionValue::AltNames`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AltName {
    /// This one.
    Name(GeneralName),
    /// The e-mail addresses of the subject (`email:copy`, `email:move`).
    SubjectEmail(EmailUse),
    /// The alternative names of the issuer (`issuer:copy`).
    OfIssuer,
}

/// What becomes of the e-mail addresses of the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailUse {
    /// They stay there too.
    Copy,
    /// They are taken out of it.
    Move,
}

/// Why an extension cannot be encoded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExtensionError {
    /// The DER does not come out.
    #[error("an extension cannot be encoded")]
    Der(#[from] der::Error),
    /// RFC 5280 §4.2: a certificate must not have an extension twice.
    #[error("the extension {0} is asked for twice")]
    Twice(String),
    /// RFC 5280 §4.2.1.6: at least one name.
    #[error("the subject has no e-mail address that subjectAltName could hold")]
    NoNames,
    /// An e-mail address of the subject is none for an alternative name.
    #[error(transparent)]
    Email(#[from] GeneralNameError),
    /// The subject cannot be encoded without its e-mail addresses.
    #[error(transparent)]
    Subject(#[from] NameError),
}

impl ExtensionSpec {
    /// A critical extension.
    #[must_use]
    pub fn critical(value: ExtensionValue) -> Self {
        Self { criticality: Criticality::Critical, value }
    }

    /// An extension that is not critical.
    #[must_use]
    pub fn non_critical(value: ExtensionValue) -> Self {
        Self { criticality: Criticality::NonCritical, value }
    }

    /// Which extension this is.
    #[must_use]
    pub fn oid(&self) -> ObjectIdentifier {
        match &self.value {
            ExtensionValue::BasicConstraints { .. } => oid::BASIC_CONSTRAINTS,
            ExtensionValue::SubjectKeyIdentifier => oid::SUBJECT_KEY_IDENTIFIER,
            ExtensionValue::AuthorityKeyIdentifier { .. } => oid::AUTHORITY_KEY_IDENTIFIER,
            ExtensionValue::KeyUsage(_) => oid::KEY_USAGE,
            ExtensionValue::ExtendedKeyUsage(_) => oid::EXTENDED_KEY_USAGE,
            ExtensionValue::SubjectAltName(_) => oid::SUBJECT_ALT_NAME,
            ExtensionValue::AltNames { oid, .. } | ExtensionValue::Encoded { oid, .. } => *oid,
        }
    }
}

/// The BIT STRING of a keyUsage, by openssl's names.
pub(crate) const KEY_USAGES: [(&str, &str, KeyUsages); 9] = [
    ("digitalSignature", "Digital Signature", KeyUsages::DigitalSignature),
    ("nonRepudiation", "Non Repudiation", KeyUsages::NonRepudiation),
    ("keyEncipherment", "Key Encipherment", KeyUsages::KeyEncipherment),
    ("dataEncipherment", "Data Encipherment", KeyUsages::DataEncipherment),
    ("keyAgreement", "Key Agreement", KeyUsages::KeyAgreement),
    ("keyCertSign", "Certificate Sign", KeyUsages::KeyCertSign),
    ("cRLSign", "CRL Sign", KeyUsages::CRLSign),
    ("encipherOnly", "Encipher Only", KeyUsages::EncipherOnly),
    ("decipherOnly", "Decipher Only", KeyUsages::DecipherOnly),
];

/// The named bits of a Netscape certificate type, most significant first.
pub(crate) const NETSCAPE_TYPES: [&str; 8] =
    ["client", "server", "email", "objsign", "reserved", "sslCA", "emailCA", "objCA"];

/// A BIT STRING of named bits with trailing zero bits removed (X.690 §11.2.2).
pub(crate) fn named_bits(byte: u8) -> Result<Vec<u8>, der::Error> {
    let unused = u8::try_from(byte.trailing_zeros().min(7)).unwrap_or(0);
    let bytes: &[u8] = if byte == 0 { &[] } else { &[byte] };
    BitString::new(if byte == 0 { 0 } else { unused }, bytes)?.to_der()
}
