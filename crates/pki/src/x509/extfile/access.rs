// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where more is to be had: authorityInfoAccess and subjectInfoAccess (RFC 5280
//! §4.2.2), `METHOD;TYPE:VALUE` each.

use x509_cert::ext::pkix::AccessDescription;

use super::{
    ExtfileError,
    alt_name::{self, Place},
    text::Word,
    value::{Context, Item},
};

pub(super) fn descriptions(
    context: &Context<'_>,
    value: Word<'_>,
    items: &[Item<'_>],
) -> Result<Vec<u8>, ExtfileError> {
    let description = |item: &Item<'_>| {
        let (method, kind) = item.name.split_once(';').ok_or_else(|| context.bad(item.name))?;
        Ok(AccessDescription {
            access_method: context.object_identifier(method)?,
            access_location: alt_name::general_name(context, kind, item.value, Place::Names)?,
        })
    };
    context.encode(value, &items.iter().map(description).collect::<Result<Vec<_>, _>>()?)
}
