// SPDX-License-Identifier: MIT OR Apache-2.0
//! The types of openssl's ASN.1 notation that hold no others: numbers, times,
//! strings of bits, bytes and characters.

use crate::{
    moment::Moment,
    x509::{
        extfile::{ExtfileError, text::Word, value::Context},
        name,
    },
};

pub(super) const BIT_STRING: u32 = 3;
pub(super) const OCTET_STRING: u32 = 4;

/// Bits of a list; nobody names that many.
const MAX_BIT: u16 = 4095;

/// How the value of a string is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// As ASCII text.
    Ascii,
    /// As UTF-8 text.
    Utf8,
    /// As hexadecimal bytes.
    Hex,
    /// As the numbers of the bits that are set.
    BitList,
}

impl Format {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "ASCII" => Self::Ascii,
            "UTF8" => Self::Utf8,
            "HEX" => Self::Hex,
            "BITLIST" => Self::BitList,
            _ => return None,
        })
    }
}

/// The universal tag number and the content of a value.
pub(super) fn read(
    context: &Context<'_>,
    kind: Word<'_>,
    value: Option<Word<'_>>,
    format: Format,
) -> Result<(u32, Vec<u8>), ExtfileError> {
    if kind.as_str() == "NULL" {
        return match value {
            Some(value) if !value.is_empty() => Err(context.bad(value)),
            _ => Ok((5, Vec::new())),
        };
    }
    let value = value.ok_or_else(|| context.bad(kind))?;
    let (number, content) = match kind.as_str() {
        "BITSTR" | "BITSTRING" => return Ok((BIT_STRING, bit_string(context, value, format)?)),
        "OCT" | "OCTETSTRING" => return Ok((OCTET_STRING, octets(context, value, format)?)),
        "BOOL" | "BOOLEAN" => (1, vec![if context.boolean(value)? { 0xff } else { 0 }]),
        "INT" | "INTEGER" => (2, context.integer(value)?),
        "ENUM" | "ENUMERATED" => (10, context.integer(value)?),
        "OID" | "OBJECT" => (6, context.object_identifier(value)?.as_bytes().to_vec()),
        "UTC" | "UTCTIME" => (23, time(context, value, 13)?),
        "GENTIME" | "GENERALIZEDTIME" => (24, time(context, value, 15)?),
        _ => return string(context, kind, value, format),
    };
    if format == Format::Ascii { Ok((number, content)) } else { Err(context.bad(kind)) }
}

fn octets(context: &Context<'_>, value: Word<'_>, format: Format) -> Result<Vec<u8>, ExtfileError> {
    match format {
        Format::Ascii => Ok(value.as_str().as_bytes().to_vec()),
        Format::Hex => context.hex(value),
        Format::Utf8 | Format::BitList => Err(context.bad(value)),
    }
}

fn bit_string(context: &Context<'_>, value: Word<'_>, format: Format) -> Result<Vec<u8>, ExtfileError> {
    if format != Format::BitList {
        let mut content = vec![0];
        content.extend(octets(context, value, format)?);
        return Ok(content);
    }
    let mut bits: Vec<u8> = Vec::new();
    for word in value.split(',').map(Word::trim) {
        let bit = context.number::<u16>(word).ok().filter(|bit| *bit <= MAX_BIT);
        let bit = usize::from(bit.ok_or_else(|| context.bad(word))?);
        bits.resize(bits.len().max(bit / 8 + 1), 0);
        bits[bit / 8] |= 0x80 >> (bit % 8);
    }
    // X.690 §11.2.2: no zeros at the end; the last byte has a bit that is set.
    let unused = bits.last().map_or(0, |last| last.trailing_zeros().to_le_bytes()[0]);
    Ok([&[unused], bits.as_slice()].concat())
}

/// A time in the one form that DER allows (X.690 §11.7, §11.8).
fn time(context: &Context<'_>, value: Word<'_>, length: usize) -> Result<Vec<u8>, ExtfileError> {
    let text = value.as_str();
    let valid = text.len() == length && Moment::parse(text).is_ok();
    if valid { Ok(text.as_bytes().to_vec()) } else { Err(context.bad(value)) }
}

fn string(
    context: &Context<'_>,
    kind: Word<'_>,
    value: Word<'_>,
    format: Format,
) -> Result<(u32, Vec<u8>), ExtfileError> {
    let number = match kind.as_str() {
        "UTF8" | "UTF8String" => 12,
        "NUMERIC" | "NUMERICSTRING" => 18,
        "PRINTABLE" | "PRINTABLESTRING" => 19,
        "T61" | "T61STRING" | "TELETEXSTRING" => 20,
        "IA5" | "IA5STRING" => 22,
        "VISIBLE" | "VISIBLESTRING" => 26,
        "GENSTR" | "GeneralString" => 27,
        "UNIV" | "UNIVERSALSTRING" => 28,
        "BMP" | "BMPSTRING" => 30,
        _ => return Err(context.bad(kind)),
    };
    let text = value.as_str();
    // Openssl takes the bytes of a value without FORMAT:UTF8 for Latin-1.
    let readable = format == Format::Utf8 || format == Format::Ascii && text.is_ascii();
    let content: Option<Vec<u8>> = match number {
        12 => Some(text.as_bytes().to_vec()),
        20 => text.chars().map(|character| u8::try_from(character).ok()).collect(),
        28 => Some(text.chars().flat_map(|character| u32::from(character).to_be_bytes()).collect()),
        30 => {
            let units = text.chars().map(|character| u16::try_from(u32::from(character)).ok());
            let units: Option<Vec<u16>> = units.collect();
            units.map(|units| units.into_iter().flat_map(u16::to_be_bytes).collect())
        }
        _ => {
            let possible = text.chars().all(|character| match number {
                18 => character.is_ascii_digit() || character == ' ',
                19 => name::is_printable_string(character),
                26 => matches!(character, ' '..='~'),
                _ => character.is_ascii(),
            });
            possible.then(|| text.as_bytes().to_vec())
        }
    };
    Ok((number, content.filter(|_| readable).ok_or_else(|| context.bad(value))?))
}
