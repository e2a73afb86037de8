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
    certificate::Certificate,
    general_name::{self, GeneralNameError},
    name::{Name, NameError},
    oid,
    serial::SerialNumber,
    signed::AuthorityKeyIdentifier,
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
    /// An e-mail address of the subject is none for an alternative name.
    #[error(transparent)]
    Email(#[from] GeneralNameError),
    /// The subject cannot be encoded without its e-mail addresses.
    #[error(transparent)]
    Subject(#[from] NameError),
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
            ExtensionValue::AltNames { oid, .. } | ExtensionValue::Encoded { oid, .. } => *oid,
        }
    }
}

/// The subject without what `email:move` takes out of it.
pub(crate) fn subject_left(specs: &[ExtensionSpec], subject: &Name) -> Result<Name, ExtensionError> {
    let moves = |spec: &ExtensionSpec| match &spec.value {
        ExtensionValue::AltNames { names, .. } => names.contains(&AltName::SubjectEmail(EmailUse::Move)),
        _ => false,
    };
    if specs.iter().any(moves) { Ok(subject.without(oid::EMAIL_ADDRESS)?) } else { Ok(subject.clone()) }
}

/// Encodes `specs` for a certificate with `subject_key` that `issuer` signs;
/// `subject` is the whole one, before anything was moved out of it.
///
/// An authority key identifier that has nothing to say (the issuer has no
/// subject key identifier and is not to be named) is left out, as openssl does.
pub(crate) fn encode(
    specs: &[ExtensionSpec],
    subject: &Name,
    subject_key: &PublicKey,
    issuer: Issuer<'_>,
) -> Result<Vec<Extension>, ExtensionError> {
    let mut extensions: Vec<Extension> = Vec::with_capacity(specs.len());
    for spec in specs {
        let extn_id = spec.oid();
        if extensions.iter().any(|present| present.extn_id == extn_id) {
            return Err(ExtensionError::Twice(oid::short_name(oid::EXTENSIONS, extn_id)));
        }
        let Some(der) = encode_value(&spec.value, subject, subject_key, issuer, &extensions)? else {
            continue;
        };
        extensions.push(Extension {
            extn_id,
            critical: spec.criticality == Criticality::Critical,
            extn_value: OctetString::new(der)?,
        });
    }
    Ok(extensions)
}

/// `before` is what the certificate has so far, which is what a certificate that
/// signs itself can look up in its issuer.
fn encode_value(
    value: &ExtensionValue,
    subject: &Name,
    subject_key: &PublicKey,
    issuer: Issuer<'_>,
    before: &[Extension],
) -> Result<Option<Vec<u8>>, ExtensionError> {
    Ok(Some(match value {
        ExtensionValue::BasicConstraints { ca, path_len } => {
            BasicConstraints { ca: *ca, path_len_constraint: *path_len }.to_der()?
        }
        ExtensionValue::SubjectKeyIdentifier => OctetString::new(subject_key.key_identifier())?.to_der()?,
        ExtensionValue::AuthorityKeyIdentifier { key_identifier, issuer: names } => {
            let own = present(before, oid::SUBJECT_KEY_IDENTIFIER)
                .and_then(|der| OctetString::from_der(der).ok())
                .map_or_else(|| subject_key.key_identifier().to_vec(), |own| own.as_bytes().to_vec());
            match authority_key_identifier(*key_identifier, *names, &own, issuer)? {
                Some(identifier) => identifier.to_der()?,
                None => return Ok(None),
            }
        }
        ExtensionValue::KeyUsage(usages) => KeyUsage(*usages).to_der()?,
        ExtensionValue::ExtendedKeyUsage(purposes) => ExtendedKeyUsage(purposes.clone()).to_der()?,
        ExtensionValue::SubjectAltName(names) => names.to_der()?,
        ExtensionValue::AltNames { names, .. } => {
            let mut all: Vec<GeneralName> = Vec::new();
            for name in names {
                match name {
                    AltName::Name(name) => all.push(name.clone()),
                    AltName::SubjectEmail(_) => {
                        for address in subject.values(oid::EMAIL_ADDRESS) {
                            all.push(general_name::parse(&format!("email:{address}"))?);
                        }
                    }
                    AltName::OfIssuer => {
                        let theirs = match issuer {
                            Issuer::Certificate(certificate) => certificate.extension(oid::SUBJECT_ALT_NAME),
                            Issuer::Itself { .. } => present(before, oid::SUBJECT_ALT_NAME)
                                .map(Vec::<GeneralName>::from_der)
                                .transpose()?,
                        };
                        all.extend(theirs.unwrap_or_default());
                    }
                }
            }
            all.to_der()?
        }
        ExtensionValue::Encoded { der, .. } => der.clone(),
    }))
}

fn present(extensions: &[Extension], wanted: ObjectIdentifier) -> Option<&[u8]> {
    extensions.iter().find(|present| present.extn_id == wanted).map(|present| present.extn_value.as_bytes())
}

/// The key identifier is copied from the issuer's certificate, never recomputed
/// (RFC 5280 §4.2.1.1); `own` is it where a certificate signs itself. Issuer and
/// serial number are those *of* the issuer's certificate.
pub(crate) fn authority_key_identifier(
    key_identifier: Inclusion,
    issuer_names: Inclusion,
    own: &[u8],
    issuer: Issuer<'_>,
) -> Result<Option<AuthorityKeyIdentifier>, der::Error> {
    let (found, name, serial, itself) = match issuer {
        Issuer::Certificate(certificate) => {
            (certificate.subject_key_identifier(), certificate.issuer(), certificate.serial_number(), false)
        }
        Issuer::Itself { name, serial } => (Some(own.to_vec()), name, serial, true),
    };
    let wanted = |inclusion| match inclusion {
        Inclusion::Never => false,
        Inclusion::WhereNeeded => !itself,
        Inclusion::Always => true,
    };
    let key_identifier = found.filter(|_| wanted(key_identifier));
    let with_issuer = issuer_names == Inclusion::Always || wanted(issuer_names) && key_identifier.is_none();
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
