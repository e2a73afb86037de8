// SPDX-License-Identifier: MIT OR Apache-2.0
//! Certificates, requests and CRLs as a tree of labelled values with everything
//! in it, for the readable text and the JSON of the show commands.
//!
//! One tree serves both, so the JSON cannot lack what the text shows. Keys are
//! stable: scripts read them. Text of foreign origin is not escaped here.
//!
//! long: one arm for each kind of extension, in one table.

use der::{Decode, asn1::OctetString};
use x509_cert::ext::{
    Extension,
    pkix::{
        AccessDescription, BasicConstraints, CertificatePolicies, CrlDistributionPoints, ExtendedKeyUsage,
        IssuingDistributionPoint, KeyUsage, NameConstraints,
        crl::dp::DistributionPoint,
        name::{DistributionPointName, GeneralName},
    },
};

use super::{
    certificate::Certificate,
    colon_hex,
    crl::Crl,
    extension::{KEY_USAGES, NETSCAPE_TYPES},
    general_name, hex,
    name::Name,
    oid,
    request::Request,
    serial::SerialNumber,
    signed::AuthorityKeyIdentifier,
};
use crate::key::PublicKey;

/// A value of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, as it is.
    Text(String),
    /// A number.
    Number(u64),
    /// A number that may be below zero.
    Integer(i64),
    /// True or false.
    Flag(bool),
    /// Nothing where something could be.
    Absent,
    /// Several values.
    List(Vec<Self>),
    /// Labelled values, in order.
    Section(Vec<(&'static str, Self)>),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<V: Into<Self>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

impl<V: Into<Self>> From<Vec<V>> for Value {
    fn from(values: Vec<V>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// Describes a certificate.
#[must_use]
pub fn certificate(certificate: &Certificate) -> Value {
    Value::Section(vec![
        ("version", Value::Number(certificate.version().into())),
        ("serial_number", serial(certificate.serial_number())),
        ("issuer", name(certificate.issuer())),
        ("not_before", certificate.not_before().to_string().into()),
        ("not_after", certificate.not_after().to_string().into()),
        ("subject", name(certificate.subject())),
        ("public_key", public_key(certificate.public_key())),
        ("extensions", extensions(certificate.extensions())),
        ("signature_algorithm", oid::short_name(oid::SIGNATURES, certificate.signature_algorithm()).into()),
        ("signature", hex(certificate.signature()).into()),
        ("fingerprint_sha256", colon_hex(&certificate.fingerprint_sha256()).into()),
        ("fingerprint_sha1", colon_hex(&certificate.fingerprint_sha1()).into()),
    ])
}

/// Describes a request.
#[must_use]
pub fn request(request: &Request) -> Value {
    let others = request.attributes().iter().filter(|attribute| attribute.oid != oid::EXTENSION_REQUEST);
    let attributes: Vec<Value> =
        others.map(|attribute| oid::short_name(oid::ATTRIBUTES, attribute.oid).into()).collect();
    Value::Section(vec![
        ("subject", name(request.subject())),
        ("public_key", public_key(request.public_key())),
        ("requested_extensions", extensions(request.extensions())),
        ("other_attributes", Value::List(attributes)),
        ("signature_algorithm", oid::short_name(oid::SIGNATURES, request.signature_algorithm()).into()),
        ("signature", hex(request.signature()).into()),
    ])
}

/// Describes a CRL.
#[must_use]
pub fn crl(crl: &Crl) -> Value {
    let entry = |entry: super::crl::RevokedEntry| {
        let others = entry.extensions.iter().filter(|extension| extension.extn_id != oid::CRL_REASON);
        let mut described = vec![
            ("serial_number", entry.serial_number.as_ref().map(serial).into()),
            ("revoked_at", entry.revoked_at.to_string().into()),
            ("reason", entry.reason.map(|reason| reason.to_string()).into()),
        ];
        let others: Vec<Value> = others.map(extension).collect();
        if !others.is_empty() {
            described.push(("extensions", Value::List(others)));
        }
        Value::Section(described)
    };
    Value::Section(vec![
        ("version", Value::Number(crl.version().into())),
        ("issuer", name(crl.issuer())),
        ("number", crl.number().as_ref().map(serial).into()),
        ("this_update", crl.this_update().to_string().into()),
        ("next_update", crl.next_update().map(|next| next.to_string()).into()),
        ("revoked", Value::List(crl.entries().map(entry).collect())),
        ("extensions", extensions(crl.extensions())),
        ("signature_algorithm", oid::short_name(oid::SIGNATURES, crl.signature_algorithm()).into()),
        ("signature", hex(crl.signature()).into()),
    ])
}

/// Describes a list of extensions.
#[must_use]
pub fn extensions(list: &[Extension]) -> Value {
    Value::List(list.iter().map(extension).collect())
}

fn serial(number: &SerialNumber) -> Value {
    number.to_string().into()
}

/// Describes a name.
#[must_use]
pub fn name(name: &Name) -> Value {
    let attribute = |(kind, value): (String, String)| {
        Value::Section(vec![("type", kind.into()), ("value", value.into())])
    };
    Value::Section(vec![
        ("text", name.to_string().into()),
        ("attributes", Value::List(name.fields().map(attribute).collect())),
    ])
}

fn public_key(key: &PublicKey) -> Value {
    Value::Section(vec![
        ("algorithm", key.algorithm_name().into()),
        ("key_identifier", colon_hex(&key.key_identifier()).into()),
        ("subject_public_key_info", hex(key.as_der()).into()),
    ])
}

fn extension(extension: &Extension) -> Value {
    let der = extension.extn_value.as_bytes();
    let value = known_value(extension).unwrap_or_else(|| Value::Section(vec![("der", hex(der).into())]));
    Value::Section(vec![
        ("name", oid::short_name(oid::EXTENSIONS, extension.extn_id).into()),
        ("oid", extension.extn_id.to_string().into()),
        ("critical", Value::Flag(extension.critical)),
        ("value", value),
    ])
}

/// What an extension says; `None` where these words could not say all of it:
/// then its DER is shown.
fn known_value(extension: &Extension) -> Option<Value> {
    let der = extension.extn_value.as_bytes();
    let value = match oid::short_name(oid::EXTENSIONS, extension.extn_id).as_str() {
        "basicConstraints" => {
            let read = BasicConstraints::from_der(der).ok()?;
            let limit = read.path_len_constraint.map(|limit| Value::Number(limit.into()));
            Value::Section(vec![
                ("ca", Value::Flag(read.ca)),
                ("path_length", limit.unwrap_or(Value::Absent)),
            ])
        }
        "subjectKeyIdentifier" => colon_hex(OctetString::from_der(der).ok()?.as_bytes()).into(),
        "authorityKeyIdentifier" => authority_key_identifier(&AuthorityKeyIdentifier::from_der(der).ok()?),
        "keyUsage" => {
            let read = KeyUsage::from_der(der).ok()?;
            let usages = KEY_USAGES.iter().filter(|(_, _, usage)| read.0.contains(*usage));
            Value::List(usages.map(|(short, _, _)| (*short).into()).collect())
        }
        "extendedKeyUsage" => {
            let read = ExtendedKeyUsage::from_der(der).ok()?;
            Value::List(
                read.0.iter().map(|purpose| oid::short_name(oid::PURPOSES, *purpose).into()).collect(),
            )
        }
        "subjectAltName" | "issuerAltName" => general_names(&Vec::<GeneralName>::from_der(der).ok()?),
        "crlDistributionPoints" | "freshestCRL" => {
            let points = CrlDistributionPoints::from_der(der).ok()?.0.into_iter();
            // What is not said below must not be there.
            let plain = |point: DistributionPoint| match point {
                DistributionPoint { distribution_point, reasons: None, crl_issuer: None } => {
                    distribution_point
                }
                _ => None,
            };
            let names = points.map(plain).collect::<Option<Vec<_>>>()?;
            Value::List(names.into_iter().map(distribution_point).collect::<Option<_>>()?)
        }
        "issuingDistributionPoint" => {
            let read = IssuingDistributionPoint::from_der(der).ok()?;
            if read.only_some_reasons.is_some() || read.only_contains_attribute_certs {
                return None;
            }
            let name = match read.distribution_point {
                Some(name) => distribution_point(name)?,
                None => Value::Absent,
            };
            Value::Section(vec![
                ("distribution_point", name),
                ("only_contains_user_certs", Value::Flag(read.only_contains_user_certs)),
                ("only_contains_ca_certs", Value::Flag(read.only_contains_ca_certs)),
                ("indirect_crl", Value::Flag(read.indirect_crl)),
            ])
        }
        "authorityInfoAccess" | "subjectInfoAccess" => {
            let access = |access: AccessDescription| {
                Value::Section(vec![
                    ("method", oid::short_name(oid::ACCESS_METHODS, access.access_method).into()),
                    ("location", general_name::display(&access.access_location).into()),
                ])
            };
            Value::List(Vec::<AccessDescription>::from_der(der).ok()?.into_iter().map(access).collect())
        }
        "certificatePolicies" => {
            let policies = CertificatePolicies::from_der(der).ok()?.0;
            if policies.iter().any(|policy| policy.policy_qualifiers.is_some()) {
                return None;
            }
            Value::List(policies.iter().map(|policy| policy.policy_identifier.to_string().into()).collect())
        }
        "nameConstraints" => {
            let read = NameConstraints::from_der(der).ok()?;
            let mut all =
                read.permitted_subtrees.iter().flatten().chain(read.excluded_subtrees.iter().flatten());
            if all.any(|subtree| subtree.minimum != 0 || subtree.maximum.is_some()) {
                return None;
            }
            let names = |subtrees: Option<Vec<x509_cert::ext::pkix::constraints::name::GeneralSubtree>>| {
                let bases: Vec<_> = subtrees.into_iter().flatten().map(|subtree| subtree.base).collect();
                general_names(&bases)
            };
            Value::Section(vec![
                ("permitted", names(read.permitted_subtrees)),
                ("excluded", names(read.excluded_subtrees)),
            ])
        }
        "crlNumber" | "deltaCRL" | "inhibitAnyPolicy" => {
            let integer = der::asn1::Int::from_der(der).ok()?;
            serial(&SerialNumber::from_der_integer(&integer).ok()?)
        }
        "nsCertType" => {
            let bits = der::asn1::BitString::from_der(der).ok()?;
            let byte = bits.raw_bytes().first().copied().unwrap_or_default();
            let set = NETSCAPE_TYPES.iter().enumerate().filter(|(bit, _)| byte & (0x80 >> bit) != 0);
            Value::List(set.map(|(_, name)| (*name).into()).collect())
        }
        "nsComment" => der::asn1::Ia5String::from_der(der).ok()?.as_str().into(),
        _ => return None,
    };
    Some(value)
}

fn authority_key_identifier(read: &AuthorityKeyIdentifier) -> Value {
    let number = read.authority_cert_serial_number.as_ref();
    let number = number.and_then(|integer| SerialNumber::from_der_integer(integer).ok());
    let mut described = vec![(
        "key_identifier",
        read.key_identifier.as_ref().map(|identifier| colon_hex(identifier.as_bytes())).into(),
    )];
    if let Some(issuer) = &read.authority_cert_issuer {
        described.push(("issuer", general_names(issuer)));
    }
    if let Some(number) = number {
        described.push(("serial_number", serial(&number)));
    }
    Value::Section(described)
}

fn distribution_point(name: DistributionPointName) -> Option<Value> {
    match name {
        DistributionPointName::FullName(names) => Some(general_names(&names)),
        DistributionPointName::NameRelativeToCRLIssuer(_) => None,
    }
}

fn general_names(names: &[GeneralName]) -> Value {
    Value::List(names.iter().map(|name| general_name::display(name).into()).collect())
}
