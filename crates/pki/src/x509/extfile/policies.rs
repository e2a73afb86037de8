// SPDX-License-Identifier: MIT OR Apache-2.0
//! certificatePolicies with their qualifiers (RFC 5280 §4.2.1.4): where the
//! practices are written down, and what users are to be told.

use der::{
    Sequence, Tag,
    asn1::{Any, Ia5String, Int, ObjectIdentifier},
};
use x509_cert::ext::pkix::{
    CertificatePolicies,
    certpolicy::{PolicyInformation, PolicyQualifierInfo},
};

use super::{ExtfileError, text::Word, value::Context};

const CPS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.2.1");
const USER_NOTICE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.2.2");

/// x509-cert's has a time in place of the reference.
#[derive(Sequence)]
struct UserNotice {
    #[asn1(optional = "true")]
    reference: Option<NoticeReference>,
    #[asn1(optional = "true")]
    explicit_text: Option<Any>,
}

#[derive(Sequence)]
struct NoticeReference {
    organization: Any,
    numbers: Vec<Int>,
}

/// A list of identifiers and sections, with `ia5org` in front of those whose
/// organization is an IA5String.
pub(super) fn read(context: &Context<'_>, value: Word<'_>) -> Result<Vec<u8>, ExtfileError> {
    let mut organization = Tag::VisibleString;
    let mut policies = Vec::new();
    for item in &context.list(value)? {
        if item.value.is_some() {
            return Err(context.bad(item.name));
        }
        if item.name.as_str() == "ia5org" {
            organization = Tag::Ia5String;
        } else if let Some(section) = item.name.strip_prefix("@") {
            policies.push(policy(context, section, organization)?);
        } else {
            let policy_identifier = context.object_identifier(item.name)?;
            policies.push(PolicyInformation { policy_identifier, policy_qualifiers: None });
        }
    }
    if policies.is_empty() {
        return Err(context.bad(value));
    }
    context.encode(value, &CertificatePolicies(policies))
}

fn policy(
    context: &Context<'_>,
    section: Word<'_>,
    organization: Tag,
) -> Result<PolicyInformation, ExtfileError> {
    let mut identifier = None;
    let mut qualifiers = Vec::new();
    for item in &context.section(section)? {
        let value = context.required(item)?;
        if item.name.as_str() == "policyIdentifier" {
            identifier = Some(context.object_identifier(value)?);
        } else if item.is_named("CPS") {
            qualifiers.push((CPS, string(context, Tag::Ia5String, value)?));
        } else if item.is_named("userNotice") {
            let section = value.strip_prefix("@").ok_or_else(|| context.bad(value))?;
            qualifiers.push((USER_NOTICE, notice(context, section, organization)?));
        } else {
            return Err(context.bad(item.name));
        }
    }
    let qualifier = |(policy_qualifier_id, qualifier)| PolicyQualifierInfo {
        policy_qualifier_id,
        qualifier: Some(qualifier),
    };
    let qualifiers: Vec<_> = qualifiers.into_iter().map(qualifier).collect();
    Ok(PolicyInformation {
        policy_identifier: identifier.ok_or_else(|| context.bad(section))?,
        policy_qualifiers: Some(qualifiers).filter(|qualifiers| !qualifiers.is_empty()),
    })
}

fn notice(context: &Context<'_>, section: Word<'_>, organization: Tag) -> Result<Any, ExtfileError> {
    let mut notice = UserNotice { reference: None, explicit_text: None };
    let (mut by, mut numbers) = (None, None);
    for item in &context.section(section)? {
        let value = context.required(item)?;
        match item.name.as_str() {
            "explicitText" => notice.explicit_text = Some(display_text(context, value)?),
            "organization" => by = Some(string(context, organization, value)?),
            "noticeNumbers" => {
                let number = |word| Int::new(&context.integer(word)?).map_err(|_| context.bad(word));
                let list = context.list(value)?;
                numbers = Some(list.iter().map(|item| number(item.name)).collect::<Result<_, _>>()?);
            }
            _ => return Err(context.bad(item.name)),
        }
    }
    notice.reference = match (by, numbers) {
        (Some(organization), Some(numbers)) => Some(NoticeReference { organization, numbers }),
        (None, None) => None,
        // One without the other is no reference.
        _ => return Err(context.bad(section)),
    };
    Any::encode_from(&notice).map_err(|_| context.bad(section))
}

/// `UTF8:text`, `VISIBLE:text`, or text, which is a VisibleString. Openssl puts
/// the bytes of a BMP text into the certificate as they are; that is refused.
fn display_text(context: &Context<'_>, value: Word<'_>) -> Result<Any, ExtfileError> {
    let (tag, text) = match value.split_once(':') {
        Some((kind, text)) => match kind.as_str() {
            "UTF8" | "UTF8String" => (Tag::Utf8String, text),
            "VISIBLE" | "VISIBLESTRING" => (Tag::VisibleString, text),
            "BMP" | "BMPSTRING" => return Err(context.bad(value)),
            _ => (Tag::VisibleString, value),
        },
        None => (Tag::VisibleString, value),
    };
    string(context, tag, text)
}

fn string(context: &Context<'_>, tag: Tag, text: Word<'_>) -> Result<Any, ExtfileError> {
    let possible = match tag {
        Tag::Utf8String => true,
        Tag::Ia5String => Ia5String::new(text.as_str()).is_ok(),
        _ => text.as_str().bytes().all(|byte| matches!(byte, b' '..=b'~')),
    };
    let possible = possible && !text.is_empty() && !text.as_str().chars().any(char::is_control);
    Any::new(tag, text.as_str().as_bytes()).ok().filter(|_| possible).ok_or_else(|| context.bad(text))
}
