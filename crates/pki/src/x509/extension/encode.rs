// SPDX-License-Identifier: MIT OR Apache-2.0
//! The DER that extensions become once the keys, the subject and the issuer are
//! known: where names and key identifiers are copied from.

use der::{
    Decode, Encode,
    asn1::{ObjectIdentifier, OctetString},
};
use x509_cert::ext::{
    Extension,
    pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, name::GeneralName},
};

use super::{AltName, Criticality, EmailUse, ExtensionError, ExtensionSpec, ExtensionValue, Inclusion};
use crate::{
    key::PublicKey,
    x509::{
        certificate::Certificate, general_name, name::Name, oid, serial::SerialNumber,
        signed::AuthorityKeyIdentifier,
    },
};

/// Who issues, as far as the authority key identifier needs to know.
#[derive(Clone, Copy)]
pub(crate) enum Issuer<'a> {
    /// An existing CA.
    Certificate(&'a Certificate),
    /// The certificate signs itself.
    Itself { name: &'a Name, serial: &'a SerialNumber },
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
        ExtensionValue::AltNames { oid: extn_id, names } => {
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
            // An issuer without names leaves an empty issuerAltName, as with easy-rsa's kdc.
            if all.is_empty() && *extn_id == oid::SUBJECT_ALT_NAME {
                return Err(ExtensionError::NoNames);
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
