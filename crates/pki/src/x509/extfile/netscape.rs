// SPDX-License-Identifier: MIT OR Apache-2.0
//! The small ones: tlsfeature (RFC 7633), noCheck (RFC 6960 §4.2.2.2.1), and what
//! is left of Netscape's extensions.

use der::asn1::Ia5String;

use super::{
    ExtfileError,
    text::Word,
    value::{Context, Item},
};
use crate::x509::extension::{self, NETSCAPE_TYPES};

/// TLS extensions by name (RFC 6066 §8, RFC 6961 §2.2) or by number.
pub(super) fn tls_feature(
    context: &Context<'_>,
    value: Word<'_>,
    items: &[Item<'_>],
) -> Result<Vec<u8>, ExtfileError> {
    let feature = |item: &Item<'_>| {
        let word = item.value_or_name();
        match word.as_str() {
            "status_request" => Ok(5),
            "status_request_v2" => Ok(17),
            _ => context.number::<u16>(word),
        }
    };
    context.encode(value, &items.iter().map(feature).collect::<Result<Vec<_>, _>>()?)
}

/// NULL, whatever the line says.
pub(super) fn no_check() -> Vec<u8> {
    vec![5, 0]
}

/// nsCertType: named bits.
pub(super) fn certificate_type(
    context: &Context<'_>,
    value: Word<'_>,
    items: &[Item<'_>],
) -> Result<Vec<u8>, ExtfileError> {
    const LONG: [&str; 8] = [
        "SSL Client",
        "SSL Server",
        "S/MIME",
        "Object Signing",
        "Unused",
        "SSL CA",
        "S/MIME CA",
        "Object Signing CA",
    ];
    let mut byte = 0;
    for item in items {
        let word = item.name.as_str();
        let bit = NETSCAPE_TYPES.iter().zip(LONG).position(|(short, long)| word == *short || word == long);
        byte |= 0x80 >> bit.ok_or_else(|| context.bad(item.name))?;
    }
    extension::named_bits(byte).map_err(|_| context.bad(value))
}

/// nsComment and the addresses: an IA5String, commas and all.
pub(super) fn text(context: &Context<'_>, value: Word<'_>) -> Result<Vec<u8>, ExtfileError> {
    let printable = !value.is_empty() && !value.as_str().chars().any(char::is_control);
    let text = Ia5String::new(value.as_str()).ok().filter(|_| printable);
    context.encode(value, &text.ok_or_else(|| context.bad(value))?)
}
