// SPDX-License-Identifier: MIT OR Apache-2.0
//! What constrains the path below a CA: nameConstraints (RFC 5280 §4.2.1.10),
//! policyConstraints, policyMappings, inhibitAnyPolicy (§4.2.1.5, 11, 14).

use der::asn1::Int;
use x509_cert::ext::pkix::{
    NameConstraints, PolicyConstraints, PolicyMapping, PolicyMappings, constraints::name::GeneralSubtree,
};

use super::{
    ExtfileError,
    alt_name::{self, Place},
    text::Word,
    value::{Context, Item},
};

/// `permitted;TYPE:VALUE` and `excluded;TYPE:VALUE`.
pub(super) fn name_constraints(
    context: &Context<'_>,
    value: Word<'_>,
    items: &[Item<'_>],
) -> Result<Vec<u8>, ExtfileError> {
    let mut constraints = NameConstraints { permitted_subtrees: None, excluded_subtrees: None };
    for item in items {
        let (list, kind) = match item.name.split_once(';') {
            Some((tree, kind)) if tree.as_str() == "permitted" => (&mut constraints.permitted_subtrees, kind),
            Some((tree, kind)) if tree.as_str() == "excluded" => (&mut constraints.excluded_subtrees, kind),
            _ => return Err(context.bad(item.name)),
        };
        let base = alt_name::general_name(context, kind, item.value, Place::Constraint)?;
        list.get_or_insert_default().push(GeneralSubtree { base, minimum: 0, maximum: None });
    }
    context.encode(value, &constraints)
}

pub(super) fn policy_constraints(
    context: &Context<'_>,
    value: Word<'_>,
    items: &[Item<'_>],
) -> Result<Vec<u8>, ExtfileError> {
    let mut constraints = PolicyConstraints { require_explicit_policy: None, inhibit_policy_mapping: None };
    for item in items {
        let limit = Some(context.number(context.required(item)?)?);
        match item.name.as_str() {
            "requireExplicitPolicy" => constraints.require_explicit_policy = limit,
            "inhibitPolicyMapping" => constraints.inhibit_policy_mapping = limit,
            _ => return Err(context.bad(item.name)),
        }
    }
    context.encode(value, &constraints)
}

/// `ISSUER-POLICY:SUBJECT-POLICY` each.
pub(super) fn policy_mappings(
    context: &Context<'_>,
    value: Word<'_>,
    items: &[Item<'_>],
) -> Result<Vec<u8>, ExtfileError> {
    let mapping = |item: &Item<'_>| {
        Ok(PolicyMapping {
            issuer_domain_policy: context.object_identifier(item.name)?,
            subject_domain_policy: context.object_identifier(context.required(item)?)?,
        })
    };
    context.encode(value, &PolicyMappings(items.iter().map(mapping).collect::<Result<_, _>>()?))
}

/// How many certificates further down anyPolicy still counts.
pub(super) fn inhibit_any_policy(context: &Context<'_>, value: Word<'_>) -> Result<Vec<u8>, ExtfileError> {
    let number = context.integer(value)?;
    if number.first().is_none_or(|first| first & 0x80 != 0) {
        return Err(context.bad(value));
    }
    context.encode(value, &Int::new(&number).map_err(|_| context.bad(value))?)
}
