// SPDX-License-Identifier: MIT OR Apache-2.0
//! Extensions as a profile asks for them, and the DER they become once the keys
//! and the issuer are known.
//!
//! Both built-in profile sets and x509-types files produce the same
//! [`ExtensionSpec`]s, so there is one place that encodes them.

use der::{
    Decode, Encode,
    asn1::{BitString, ObjectIdentifier, OctetString},
    flagset::FlagSet,
};
use thiserror::Error;
use x509_cert::ext::{
    Extension,
    pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, name::GeneralName},
};

use super::{
    certificate::Certificate, name::Name, oid, serial::SerialNumber, signed::AuthorityKeyIdentifier,
};
use crate::key::PublicKey;

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
    /// authorityKeyIdentifier with the issuer's key identifier, and its issuer
    /// and serial number if `issuer` says so.
    AuthorityKeyIdentifier {
        /// Whether the issuer's issuer and serial number are named too.
        issuer: bool,
    },
    /// keyUsage (RFC 5280 §4.2.1.3).
    KeyUsage(FlagSet<KeyUsages>),
    /// extendedKeyUsage (RFC 5280 §4.2.1.12).
    ExtendedKeyUsage(Vec<ObjectIdentifier>),
    /// subjectAltName (RFC 5280 §4.2.1.6).
    SubjectAltName(Vec<GeneralName>),
    /// Any other extension, its value already encoded.
    Encoded {
        /// Which one.
        oid: ObjectIdentifier,
        /// The DER inside the OCTET STRING.
        der: Vec<u8>,
    },
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
}

/// Who issues, as far as the authority key identifier needs to know.
#[derive(Clone, Copy)]
pub(crate) enum Issuer<'a> {
    /// An existing CA.
    Certificate(&'a Certificate),
    /// The certificate signs itself.
    Itself { name: &'a Name, serial: &'a SerialNumber },
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
            ExtensionValue::Encoded { oid, .. } => *oid,
        }
    }
}

/// Encodes `specs` for a certificate with `subject_key` that `issuer` signs.
///
/// An authority key identifier that has nothing to say (the issuer has no
/// subject key identifier and is not to be named) is left out, as openssl does.
pub(crate) fn encode(
    specs: &[ExtensionSpec],
    subject_key: &PublicKey,
    issuer: Issuer<'_>,
) -> Result<Vec<Extension>, ExtensionError> {
    let mut extensions: Vec<Extension> = Vec::with_capacity(specs.len());
    for spec in specs {
        let extn_id = spec.oid();
        if extensions.iter().any(|present| present.extn_id == extn_id) {
            return Err(ExtensionError::Twice(oid::short_name(oid::EXTENSIONS, extn_id)));
        }
        let Some(der) = encode_value(&spec.value, subject_key, issuer)? else { continue };
        extensions.push(Extension {
            extn_id,
            critical: spec.criticality == Criticality::Critical,
            extn_value: OctetString::new(der)?,
        });
    }
    Ok(extensions)
}

fn encode_value(
    value: &ExtensionValue,
    subject_key: &PublicKey,
    issuer: Issuer<'_>,
) -> Result<Option<Vec<u8>>, ExtensionError> {
    Ok(Some(match value {
        ExtensionValue::BasicConstraints { ca, path_len } => {
            BasicConstraints { ca: *ca, path_len_constraint: *path_len }.to_der()?
        }
        ExtensionValue::SubjectKeyIdentifier => OctetString::new(subject_key.key_identifier())?.to_der()?,
        ExtensionValue::AuthorityKeyIdentifier { issuer: with_issuer } => {
            match authority_key_identifier(*with_issuer, subject_key, issuer)? {
                Some(identifier) => identifier.to_der()?,
                None => return Ok(None),
            }
        }
        ExtensionValue::KeyUsage(usages) => KeyUsage(*usages).to_der()?,
        ExtensionValue::ExtendedKeyUsage(purposes) => ExtendedKeyUsage(purposes.clone()).to_der()?,
        ExtensionValue::SubjectAltName(names) => names.to_der()?,
        ExtensionValue::Encoded { der, .. } => der.clone(),
    }))
}

/// The key identifier is copied from the issuer's certificate, never recomputed
/// (RFC 5280 §4.2.1.1); issuer and serial number are those *of* the issuer's
/// certificate.
pub(crate) fn authority_key_identifier(
    with_issuer: bool,
    subject_key: &PublicKey,
    issuer: Issuer<'_>,
) -> Result<Option<AuthorityKeyIdentifier>, der::Error> {
    let (key_identifier, name, serial) = match issuer {
        Issuer::Certificate(certificate) => {
            (certificate.subject_key_identifier(), certificate.issuer(), certificate.serial_number())
        }
        Issuer::Itself { name, serial } => (Some(subject_key.key_identifier().to_vec()), name, serial),
    };
    if key_identifier.is_none() && !with_issuer {
        return Ok(None);
    }
    let directory_name = |name: &Name| {
        x509_cert::name::Name::from_der(name.as_der()).map(|name| vec![GeneralName::DirectoryName(name)])
    };
    Ok(Some(AuthorityKeyIdentifier {
        key_identifier: key_identifier.map(OctetString::new).transpose()?,
        authority_cert_issuer: with_issuer.then(|| directory_name(name)).transpose()?,
        authority_cert_serial_number: with_issuer.then(|| serial.to_der_integer()).transpose()?,
    }))
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
