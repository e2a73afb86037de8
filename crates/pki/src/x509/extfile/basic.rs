// SPDX-License-Identifier: MIT OR Apache-2.0
//! The extensions that nearly every certificate has: basicConstraints, keyUsage,
//! extendedKeyUsage and the key identifiers.

use der::{Decode, Encode, asn1::OctetString, flagset::FlagSet};
use x509_cert::ext::pkix::BasicConstraints;

use super::{
    ExtfileError,
    text::Word,
    value::{Context, Item},
};
use crate::x509::{
    extension::{ExtensionValue, Inclusion, KEY_USAGES},
    oid,
};

pub(super) fn constraints(context: &Context<'_>, items: &[Item<'_>]) -> Result<ExtensionValue, ExtfileError> {
    let mut ca = false;
    let mut path_len = None;
    for item in items {
        let value = context.required(item)?;
        match item.name.as_str() {
            "CA" => ca = context.boolean(value)?,
            "pathlen" => path_len = Some(context.number(value)?),
            _ => return Err(context.bad(item.name)),
        }
    }
    Ok(ExtensionValue::BasicConstraints { ca, path_len })
}

/// basicConstraints from its own DER, and from nothing else.
pub(super) fn from_der(der: &[u8]) -> Option<ExtensionValue> {
    let read = BasicConstraints::from_der(der).ok()?;
    let same = read.to_der().is_ok_and(|again| again == der);
    same.then_some(ExtensionValue::BasicConstraints { ca: read.ca, path_len: read.path_len_constraint })
}

pub(super) fn key_usage(context: &Context<'_>, items: &[Item<'_>]) -> Result<ExtensionValue, ExtfileError> {
    let mut set = FlagSet::default();
    for item in items {
        let word = item.name.as_str();
        let known = KEY_USAGES.iter().find(|(short, long, _)| word == *short || word == *long);
        set |= known.map(|&(_, _, usage)| usage).ok_or_else(|| context.bad(item.name))?;
    }
    Ok(ExtensionValue::KeyUsage(set))
}

pub(super) fn extended_key_usage(
    context: &Context<'_>,
    items: &[Item<'_>],
) -> Result<ExtensionValue, ExtfileError> {
    let purpose = |item: &Item<'_>| context.object_identifier(item.value_or_name());
    Ok(ExtensionValue::ExtendedKeyUsage(items.iter().map(purpose).collect::<Result<_, _>>()?))
}

pub(super) fn subject_key_identifier(
    context: &Context<'_>,
    value: Word<'_>,
) -> Result<Option<ExtensionValue>, ExtfileError> {
    match value.as_str() {
        "hash" => Ok(Some(ExtensionValue::SubjectKeyIdentifier)),
        "none" => Ok(None),
        _ => {
            let bytes = OctetString::new(context.hex(value)?).map_err(|_| context.bad(value))?;
            let der = context.encode(value, &bytes)?;
            Ok(Some(ExtensionValue::Encoded { oid: oid::SUBJECT_KEY_IDENTIFIER, der }))
        }
    }
}

pub(super) fn authority_key_identifier(
    context: &Context<'_>,
    value: Word<'_>,
    items: &[Item<'_>],
) -> Result<Option<ExtensionValue>, ExtfileError> {
    if value.as_str() == "none" {
        return Ok(None);
    }
    let (mut key_identifier, mut issuer) = (Inclusion::Never, Inclusion::Never);
    for item in items {
        let wanted = match item.value.map(Word::as_str) {
            None => Inclusion::WhereNeeded,
            Some("always") => Inclusion::Always,
            Some(_) => return Err(context.bad(item.value_or_name())),
        };
        let part = match item.name.as_str() {
            "keyid" => &mut key_identifier,
            "issuer" => &mut issuer,
            _ => return Err(context.bad(item.name)),
        };
        if *part != Inclusion::Never {
            return Err(context.bad(item.name));
        }
        *part = wanted;
    }
    Ok(Some(ExtensionValue::AuthorityKeyIdentifier { key_identifier, issuer }))
}
