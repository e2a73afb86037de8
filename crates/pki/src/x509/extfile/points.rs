// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where CRLs are found: crlDistributionPoints, freshestCRL (RFC 5280 §4.2.1.13,
//! §4.2.1.15) and issuingDistributionPoint (§5.2.5).

use x509_cert::ext::pkix::{
    CrlDistributionPoints, IssuingDistributionPoint,
    crl::dp::{DistributionPoint, ReasonFlags, Reasons},
    name::DistributionPointName,
};

use super::{
    ExtfileError, alt_name,
    alt_name::Place,
    text::Word,
    value::{Context, Item},
};

const REASONS: [(&str, Reasons); 9] = [
    ("unused", Reasons::Unused),
    ("keyCompromise", Reasons::KeyCompromise),
    ("CACompromise", Reasons::CaCompromise),
    ("affiliationChanged", Reasons::AffiliationChanged),
    ("superseded", Reasons::Superseded),
    ("cessationOfOperation", Reasons::CessationOfOperation),
    ("certificateHold", Reasons::CertificateHold),
    ("privilegeWithdrawn", Reasons::PrivilegeWithdrawn),
    ("AACompromise", Reasons::AaCompromise),
];

/// Each of the list a general name, or the name of a section with one point.
pub(super) fn distribution(
    context: &Context<'_>,
    value: Word<'_>,
    items: &[Item<'_>],
) -> Result<Vec<u8>, ExtfileError> {
    let mut points = Vec::with_capacity(items.len());
    for item in items {
        points.push(match item.value {
            Some(name) => {
                let name = alt_name::general_name(context, item.name, Some(name), Place::Names)?;
                let name = DistributionPointName::FullName(vec![name]);
                DistributionPoint { distribution_point: Some(name), reasons: None, crl_issuer: None }
            }
            None => point(context, item.name)?,
        });
    }
    context.encode(value, &CrlDistributionPoints(points))
}

fn point(context: &Context<'_>, section: Word<'_>) -> Result<DistributionPoint, ExtfileError> {
    let mut point = DistributionPoint { distribution_point: None, reasons: None, crl_issuer: None };
    for item in &context.section(section)? {
        let value = context.required(item)?;
        match item.name.as_str() {
            "reasons" if point.reasons.is_none() => point.reasons = Some(reasons(context, value)?),
            "CRLissuer" => point.crl_issuer = Some(alt_name::list(context, value)?),
            _ => name(context, item, value, &mut point.distribution_point)?,
        }
    }
    // RFC 5280 §4.2.1.13: reasons alone say nothing.
    if point.distribution_point.is_none() && point.crl_issuer.is_none() {
        return Err(context.bad(section));
    }
    Ok(point)
}

pub(super) fn issuing(
    context: &Context<'_>,
    value: Word<'_>,
    items: &[Item<'_>],
) -> Result<Vec<u8>, ExtfileError> {
    let mut point = IssuingDistributionPoint {
        distribution_point: None,
        only_contains_user_certs: false,
        only_contains_ca_certs: false,
        only_some_reasons: None,
        indirect_crl: false,
        only_contains_attribute_certs: false,
    };
    for item in items {
        let value = context.required(item)?;
        match item.name.as_str() {
            "onlyuser" => point.only_contains_user_certs = context.boolean(value)?,
            "onlyCA" => point.only_contains_ca_certs = context.boolean(value)?,
            "onlyAA" => point.only_contains_attribute_certs = context.boolean(value)?,
            "indirectCRL" => point.indirect_crl = context.boolean(value)?,
            "onlysomereasons" if point.only_some_reasons.is_none() => {
                point.only_some_reasons = Some(reasons(context, value)?);
            }
            _ => name(context, item, value, &mut point.distribution_point)?,
        }
    }
    context.encode(value, &point)
}

fn name(
    context: &Context<'_>,
    item: &Item<'_>,
    value: Word<'_>,
    name: &mut Option<DistributionPointName>,
) -> Result<(), ExtfileError> {
    let read = match item.name.as_str() {
        "fullname" => DistributionPointName::FullName(alt_name::list(context, value)?),
        "relativename" => {
            DistributionPointName::NameRelativeToCRLIssuer(alt_name::relative_name(context, value)?)
        }
        _ => return Err(context.bad(item.name)),
    };
    // fullname and relativename are a choice.
    if name.replace(read).is_some() { Err(context.bad(item.name)) } else { Ok(()) }
}

fn reasons(context: &Context<'_>, value: Word<'_>) -> Result<ReasonFlags, ExtfileError> {
    let mut flags = ReasonFlags::default();
    for item in &context.list(value)? {
        let known = REASONS.iter().find(|(name, _)| *name == item.name.as_str() && item.value.is_none());
        flags |= known.map(|&(_, reason)| reason).ok_or_else(|| context.bad(item.name))?;
    }
    Ok(flags)
}
