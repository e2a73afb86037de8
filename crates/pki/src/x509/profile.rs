// SPDX-License-Identifier: MIT OR Apache-2.0
//! Certificate types and the two built-in sets of what they mean.
//!
//! `strict` follows RFC 5280 and today's verifiers; `easyrsa` repeats the
//! x509-types files that easy-rsa 3.2 ships, extension by extension and in
//! their order. An x509-types file that stands in the PKI replaces the built-in
//! type of its name, whatever the set.
//!
//! long: the two sets stand side by side, to be compared line by line.

use std::fmt;

use der::{
    Encode, Sequence, Tag,
    asn1::{Any, ObjectIdentifier},
    flagset::FlagSet,
};
use thiserror::Error;
use x509_cert::ext::pkix::{
    KeyUsages,
    name::{GeneralName, OtherName},
};

use super::{
    extension::{Criticality, ExtensionSpec, ExtensionValue, Inclusion},
    oid,
};
use crate::{
    key::{Digest, KeyAlgorithm, PublicKey},
    layout::{EntryName, EntryNameError},
};

/// Which built-in meaning the certificate types have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileSet {
    /// RFC 5280 and today's verifiers.
    Strict,
    /// The extensions of easy-rsa 3.2, one by one.
    Easyrsa,
}

impl ProfileSet {
    /// The digest of a signature by `key` that nobody chose: in the strict set as
    /// strong as the key, in the easyrsa set SHA-256 (easy-rsa 3.2: EASYRSA_DIGEST).
    #[must_use]
    pub fn digest(self, key: &PublicKey) -> Digest {
        match (self, key.algorithm()) {
            (Self::Strict, Some(algorithm)) => Digest::matching(algorithm),
            _ => Digest::Sha256,
        }
    }
}

/// What a certificate is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateType {
    /// A subordinate CA (or the root itself).
    Ca,
    /// A TLS client.
    Client,
    /// Signed code.
    CodeSigning,
    /// Signed and encrypted mail.
    Email,
    /// A Kerberos key distribution centre (RFC 4556 §3.2.4).
    Kdc,
    /// A TLS server.
    Server,
    /// A TLS server that is a client too.
    ServerClient,
    /// A type that only an x509-types file explains.
    Custom(EntryName),
}

/// Why a word is not a certificate type.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypeError {
    /// It cannot name a file of x509-types.
    #[error(transparent)]
    Name(#[from] EntryNameError),
    /// `COMMON` and `selfsign` are parts of types.
    #[error("`{0}` is not a certificate type of its own")]
    Part(String),
}

/// A built-in type cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Neither built in nor a file of x509-types.
    #[error("the certificate type `{0}` is unknown: it is not built in and there is no file x509-types/{0}")]
    Unknown(EntryName),
    /// A KDC certificate names its Kerberos realm.
    #[error("a kdc certificate needs the Kerberos realm")]
    Realm,
    /// An extension cannot be encoded.
    #[error("an extension cannot be encoded")]
    Der(#[from] der::Error),
}

impl CertificateType {
    /// Reads a type as easy-rsa takes it; `code-signing` is its older name for `codeSigning`.
    ///
    /// # Errors
    ///
    /// [`TypeError`] for a word that cannot be a type, not for one that is merely unknown.
    pub fn parse(text: &str) -> Result<Self, TypeError> {
        Ok(match text {
            "ca" => Self::Ca,
            "client" => Self::Client,
            "codeSigning" | "code-signing" => Self::CodeSigning,
            "email" => Self::Email,
            "kdc" => Self::Kdc,
            "server" => Self::Server,
            "serverClient" => Self::ServerClient,
            "COMMON" | "selfsign" => return Err(TypeError::Part(text.to_owned())),
            _ => Self::Custom(EntryName::parse(text)?),
        })
    }

    /// The names that a file of this type may have in x509-types, preferred first.
    #[must_use]
    pub fn file_names(&self) -> Vec<EntryName> {
        let names: &[&str] = match self {
            Self::Ca => &["ca"],
            Self::Client => &["client"],
            Self::CodeSigning => &["codeSigning", "code-signing"],
            Self::Email => &["email"],
            Self::Kdc => &["kdc"],
            Self::Server => &["server"],
            Self::ServerClient => &["serverClient"],
            Self::Custom(name) => return vec![name.clone()],
        };
        names.iter().map(|name| EntryName::parse(name).expect("a plain word")).collect()
    }

    /// Whether TLS clients will look for a host name in it.
    #[must_use]
    pub fn is_server(&self) -> bool {
        matches!(self, Self::Server | Self::ServerClient)
    }

    /// The extensions of the built-in type, in the order of the certificate.
    ///
    /// `realm` is the Kerberos realm of a [`CertificateType::Kdc`].
    ///
    /// # Errors
    ///
    /// [`ProfileError`].
    pub fn extensions(
        &self,
        set: ProfileSet,
        key: &PublicKey,
        realm: Option<&str>,
    ) -> Result<Vec<ExtensionSpec>, ProfileError> {
        if let Self::Custom(name) = self {
            return Err(ProfileError::Unknown(name.clone()));
        }
        match set {
            ProfileSet::Strict => self.strict(key, realm),
            ProfileSet::Easyrsa => self.easyrsa(realm),
        }
    }

    fn strict(&self, key: &PublicKey, realm: Option<&str>) -> Result<Vec<ExtensionSpec>, ProfileError> {
        use KeyUsages::{
            CRLSign, DigitalSignature, KeyAgreement, KeyCertSign, KeyEncipherment, NonRepudiation,
        };
        // RFC 8410 §5 forbids keyEncipherment for Ed25519, RFC 8813 §3 for EC keys;
        // key agreement is what an EC key does instead where something is encrypted to it.
        let encryption: FlagSet<KeyUsages> = match key.algorithm() {
            Some(KeyAlgorithm::Rsa { .. }) => KeyEncipherment.into(),
            Some(KeyAlgorithm::Ec(_)) => KeyAgreement.into(),
            Some(KeyAlgorithm::Ed25519) | None => FlagSet::default(),
        };
        let usage = match self {
            Self::Ca => KeyCertSign | CRLSign,
            Self::Email => encryption | DigitalSignature | NonRepudiation,
            Self::Kdc => encryption | DigitalSignature,
            // keyEncipherment would be for TLS without forward secrecy.
            Self::Client | Self::CodeSigning | Self::Server | Self::ServerClient | Self::Custom(_) => {
                DigitalSignature.into()
            }
        };
        let ca = *self == Self::Ca;
        let mut extensions = vec![
            ExtensionSpec::critical(ExtensionValue::BasicConstraints { ca, path_len: None }),
            ExtensionSpec::non_critical(ExtensionValue::SubjectKeyIdentifier),
            // Issuer and serial number would break the day the CA is renewed (RFC 5280 §4.2.1.1).
            ExtensionSpec::non_critical(ExtensionValue::AuthorityKeyIdentifier {
                key_identifier: Inclusion::Always,
                issuer: Inclusion::Never,
            }),
            ExtensionSpec::critical(ExtensionValue::KeyUsage(usage)),
        ];
        if !ca {
            extensions.push(ExtensionSpec::non_critical(ExtensionValue::ExtendedKeyUsage(self.purposes())));
        }
        if *self == Self::Kdc {
            extensions.push(kdc_alt_name(realm)?);
        }
        Ok(extensions)
    }

    fn easyrsa(&self, realm: Option<&str>) -> Result<Vec<ExtensionSpec>, ProfileError> {
        use KeyUsages::{
            CRLSign, DigitalSignature, KeyAgreement, KeyCertSign, KeyEncipherment, NonRepudiation,
        };
        let ca = *self == Self::Ca;
        let constraints = ExtensionValue::BasicConstraints { ca, path_len: None };
        let mut extensions = vec![
            // easy-rsa 3.2.6: x509-types/ca - critical; the other types - not critical
            if ca { ExtensionSpec::critical(constraints) } else { ExtensionSpec::non_critical(constraints) },
            ExtensionSpec::non_critical(ExtensionValue::SubjectKeyIdentifier),
            ExtensionSpec::non_critical(ExtensionValue::AuthorityKeyIdentifier {
                key_identifier: Inclusion::Always,
                issuer: Inclusion::Always,
            }),
        ];
        let usage = match self {
            Self::Ca => CRLSign | KeyCertSign,
            Self::Server | Self::ServerClient => DigitalSignature | KeyEncipherment,
            Self::Email => DigitalSignature | KeyEncipherment | NonRepudiation,
            Self::Kdc => NonRepudiation | DigitalSignature | KeyEncipherment | KeyAgreement,
            Self::Client | Self::CodeSigning | Self::Custom(_) => DigitalSignature.into(),
        };
        if !ca {
            extensions.push(ExtensionSpec::non_critical(ExtensionValue::ExtendedKeyUsage(self.purposes())));
        }
        extensions.push(ExtensionSpec::non_critical(ExtensionValue::KeyUsage(usage)));
        if *self == Self::Kdc {
            // easy-rsa 3.2: x509-types/kdc - issuer:copy of a CA without alternative names is an empty list
            extensions.push(ExtensionSpec::non_critical(ExtensionValue::Encoded {
                oid: oid::ISSUER_ALT_NAME,
                der: Vec::<GeneralName>::new().to_der()?,
            }));
            extensions.push(kdc_alt_name(realm)?);
        }
        Ok(extensions)
    }

    fn purposes(&self) -> Vec<ObjectIdentifier> {
        let names: &[&str] = match self {
            Self::Client => &["clientAuth"],
            Self::CodeSigning => &["codeSigning"],
            Self::Email => &["emailProtection"],
            Self::Kdc => &["pkInitKDC"],
            Self::Server => &["serverAuth"],
            Self::ServerClient => &["serverAuth", "clientAuth"],
            Self::Ca | Self::Custom(_) => &[],
        };
        names.iter().filter_map(|name| oid::parse(oid::PURPOSES, name)).collect()
    }
}

impl fmt::Display for CertificateType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ca => "ca",
            Self::Client => "client",
            Self::CodeSigning => "codeSigning",
            Self::Email => "email",
            Self::Kdc => "kdc",
            Self::Server => "server",
            Self::ServerClient => "serverClient",
            Self::Custom(name) => name.as_str(),
        })
    }
}

/// Puts `spec` at the end, in place of an extension of its kind: what openssl
/// does when a line of its configuration is repeated.
pub fn put(extensions: &mut Vec<ExtensionSpec>, spec: ExtensionSpec) {
    extensions.retain(|present| present.oid() != spec.oid());
    extensions.push(spec);
}

/// Makes one kind of extension critical, where it is present.
pub(crate) fn make_critical(extensions: &mut [ExtensionSpec], wanted: ObjectIdentifier) {
    for spec in extensions.iter_mut().filter(|spec| spec.oid() == wanted) {
        spec.criticality = Criticality::Critical;
    }
}

/// `krbtgt/REALM@REALM` as KRB5PrincipalName (RFC 4556 §3.2.4).
fn kdc_alt_name(realm: Option<&str>) -> Result<ExtensionSpec, ProfileError> {
    #[derive(Sequence)]
    struct PrincipalName {
        #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
        name_type: u8,
        #[asn1(context_specific = "1", tag_mode = "EXPLICIT")]
        name_string: Vec<Any>,
    }
    #[derive(Sequence)]
    struct Krb5PrincipalName {
        #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
        realm: Any,
        #[asn1(context_specific = "1", tag_mode = "EXPLICIT")]
        principal_name: PrincipalName,
    }
    let realm = realm.filter(|realm| !realm.is_empty() && realm.is_ascii()).ok_or(ProfileError::Realm)?;
    let general_string = |text: &str| Any::new(Tag::GeneralString, text.as_bytes());
    let value = Krb5PrincipalName {
        realm: general_string(realm)?,
        principal_name: PrincipalName {
            name_type: 1,
            name_string: vec![general_string("krbtgt")?, general_string(realm)?],
        },
    };
    let type_id = ObjectIdentifier::new_unwrap("1.3.6.1.5.2.2");
    let name = GeneralName::OtherName(OtherName { type_id, value: Any::encode_from(&value)? });
    Ok(ExtensionSpec::non_critical(ExtensionValue::SubjectAltName(vec![name])))
}
