// SPDX-License-Identifier: MIT OR Apache-2.0
//! General names in openssl's notation, with the sections of `dirName`, the
//! values of `otherName`, and the names that are copied from the subject or the
//! issuer: subjectAltName, issuerAltName, and what other extensions build on.

use std::net::IpAddr;

use der::{
    Decode, Encode,
    asn1::{Any, ObjectIdentifier, OctetString},
};
use x509_cert::ext::pkix::name::{GeneralName, OtherName};

use super::{
    ExtfileError, asn1,
    text::Word,
    value::{Context, Item},
};
use crate::x509::{
    extension::{AltName, EmailUse, ExtensionValue},
    general_name,
    name::Name,
    oid,
};

/// Where a general name stands, which decides what `IP` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a list of names: an address.
    Names,
    /// In a name constraint: an address and its mask (RFC 5280 §4.2.1.10).
    Constraint,
}

/// subjectAltName or issuerAltName.
pub(super) fn extension(
    context: &Context<'_>,
    extn_id: ObjectIdentifier,
    items: &[Item<'_>],
) -> Result<ExtensionValue, ExtfileError> {
    let mut parts = Vec::new();
    for item in items {
        let value = item.value.map(Word::as_str);
        let part = match (extn_id == oid::SUBJECT_ALT_NAME, value) {
            (true, Some("copy")) if item.is_named("email") => AltName::SubjectEmail(EmailUse::Copy),
            (true, Some("move")) if item.is_named("email") => AltName::SubjectEmail(EmailUse::Move),
            (false, Some("copy")) if item.is_named("issuer") => AltName::OfIssuer,
            // Openssl takes these for mailboxes.
            (false, Some("copy" | "move")) if item.is_named("email") => return Err(context.bad(item.name)),
            _ => AltName::Name(general_name(context, item.name, item.value, Place::Names)?),
        };
        parts.push(part);
    }
    let given = |part: &AltName| match part {
        AltName::Name(name) => Some(name.clone()),
        AltName::SubjectEmail(_) | AltName::OfIssuer => None,
    };
    Ok(match parts.iter().map(given).collect::<Option<Vec<_>>>() {
        Some(names) if extn_id == oid::SUBJECT_ALT_NAME => ExtensionValue::SubjectAltName(names),
        _ => ExtensionValue::AltNames { oid: extn_id, names: parts },
    })
}

/// The names that a value lists, or the section that it names with `@`.
pub(super) fn list(context: &Context<'_>, value: Word<'_>) -> Result<Vec<GeneralName>, ExtfileError> {
    let name = |item: &Item<'_>| general_name(context, item.name, item.value, Place::Names);
    context.list_or_section(value)?.iter().map(name).collect()
}

/// One name: its type (a dot and what follows it mean nothing) and its value.
pub(super) fn general_name(
    context: &Context<'_>,
    kind: Word<'_>,
    value: Option<Word<'_>>,
    place: Place,
) -> Result<GeneralName, ExtfileError> {
    let value = value.ok_or_else(|| context.bad(kind))?;
    let kind_name = kind.as_str().split('.').next().unwrap_or_default();
    match kind_name {
        "IP" if place == Place::Constraint => network(context, value),
        "email" | "URI" | "DNS" | "IP" => {
            let text = format!("{kind_name}:{}", value.as_str());
            general_name::parse(&text).map_err(|_| context.bad(value))
        }
        "RID" => Ok(GeneralName::RegisteredId(context.object_identifier(value)?)),
        "dirName" => directory_name(context, value),
        "otherName" => other_name(context, value),
        _ => Err(context.bad(kind)),
    }
}

fn directory_name(context: &Context<'_>, section: Word<'_>) -> Result<GeneralName, ExtfileError> {
    let name = name(context, section)?;
    let name = x509_cert::name::Name::from_der(name.as_der()).map_err(|_| context.bad(section))?;
    Ok(GeneralName::DirectoryName(name))
}

/// The distinguished name that a section spells: `CN = ...`, `2.OU = ...` for a
/// second one, `+O = ...` for one in the same RDN.
pub(super) fn name(context: &Context<'_>, section: Word<'_>) -> Result<Name, ExtfileError> {
    let mut rdns: Vec<Vec<(ObjectIdentifier, &str)>> = Vec::new();
    let items = context.section(section)?;
    for item in &items {
        let whole = item.name.as_str();
        let behind = whole.split_once(['.', ',', ':']).map(|(_, behind)| behind);
        let numbered = behind.filter(|behind| !behind.is_empty()).unwrap_or(whole);
        let (joins, attribute) = match numbered.strip_prefix('+') {
            Some(attribute) => (true, attribute),
            None => (false, numbered),
        };
        let attribute = oid::find(attribute).ok_or_else(|| context.bad(item.name))?;
        let value = context.required(item)?;
        Name::from_fields(&[(attribute, value.as_str())]).map_err(|_| context.bad(value))?;
        match rdns.last_mut().filter(|_| joins) {
            Some(rdn) => rdn.push((attribute, value.as_str())),
            None => rdns.push(vec![(attribute, value.as_str())]),
        }
    }
    Name::from_rdn_fields(&rdns).map_err(|_| context.bad(section))
}

/// `OID;` and a value in openssl's ASN.1 notation.
fn other_name(context: &Context<'_>, value: Word<'_>) -> Result<GeneralName, ExtfileError> {
    let (type_id, text) = value.split_once(';').ok_or_else(|| context.bad(value))?;
    let type_id = context.object_identifier(type_id)?;
    let der = asn1::read(context, text)?;
    let value = Any::from_der(&der).map_err(|_| context.bad(text))?;
    Ok(GeneralName::OtherName(OtherName { type_id, value }))
}

/// `ADDRESS/MASK`, both of one family.
fn network(context: &Context<'_>, value: Word<'_>) -> Result<GeneralName, ExtfileError> {
    let bad = || context.bad(value);
    let (address, mask) = value.as_str().split_once('/').ok_or_else(bad)?;
    let bytes = match (address.parse().map_err(|_| bad())?, mask.parse().map_err(|_| bad())?) {
        (IpAddr::V4(address), IpAddr::V4(mask)) => [address.octets(), mask.octets()].concat(),
        (IpAddr::V6(address), IpAddr::V6(mask)) => [address.octets(), mask.octets()].concat(),
        _ => return Err(bad()),
    };
    OctetString::new(bytes).map(GeneralName::IpAddress).map_err(|_| bad())
}

/// The one RDN that a section spells.
pub(super) fn relative_name(
    context: &Context<'_>,
    section: Word<'_>,
) -> Result<x509_cert::name::RelativeDistinguishedName, ExtfileError> {
    let name = name(context, section)?;
    let sequence = Vec::<Any>::from_der(name.as_der()).map_err(|_| context.bad(section))?;
    let [rdn] = sequence.as_slice() else { return Err(context.bad(section)) };
    let der = rdn.to_der().map_err(|_| context.bad(section))?;
    x509_cert::name::RelativeDistinguishedName::from_der(&der).map_err(|_| context.bad(section))
}
