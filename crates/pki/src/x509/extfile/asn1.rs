// SPDX-License-Identifier: MIT OR Apache-2.0
//! Openssl's notation for any ASN.1 value (ASN1_generate_nconf(3)): modifiers,
//! separated by commas, then a type and its value; sequences and sets are
//! sections. [`primitive`] knows the types that hold no others.

mod primitive;

use self::primitive::Format;
use super::{ExtfileError, Problem, text::Word, value::Context};

/// How deep sequences may lie in sequences, as with openssl.
const MAX_DEPTH: usize = 50;
/// How many tags a value may be wrapped in, as with openssl.
const MAX_WRAPS: usize = 20;

const SEQUENCE: u32 = 16;
const SET: u32 = 17;

/// The two high bits of an identifier octet (X.690 §8.1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Universal,
    Application,
    ContextSpecific,
    Private,
}

#[derive(Clone, Copy, Debug)]
struct Tag {
    class: Class,
    number: u32,
}

/// A value whose tag is not yet final.
struct Element {
    tag: Tag,
    constructed: bool,
    content: Vec<u8>,
}

/// A tag around the value.
struct Wrap {
    tag: Tag,
    constructed: bool,
    /// The count of unused bits in front of a BIT STRING.
    padded: bool,
}

/// The DER of a value in openssl's notation.
pub(super) fn read(context: &Context<'_>, text: Word<'_>) -> Result<Vec<u8>, ExtfileError> {
    value(context, text, 0)
}

fn value(context: &Context<'_>, text: Word<'_>, depth: usize) -> Result<Vec<u8>, ExtfileError> {
    context.spend(text, text.as_str().len() + 16)?;
    if depth >= MAX_DEPTH {
        return Err(context.error(text, Problem::TooMuch));
    }
    let mut implicit: Option<Tag> = None;
    let mut wraps: Vec<Wrap> = Vec::new();
    let mut format = Format::Ascii;
    let mut rest = text.trim_start();
    let mut element = loop {
        let (part, behind) = match rest.split_once(',') {
            Some((part, behind)) => (part, Some(behind)),
            None => (rest, None),
        };
        let (word, argument) = match part.split_once(':') {
            Some((word, argument)) => (word, Some(argument)),
            None => (part.trim(), None),
        };
        let bad = || context.bad(part);
        let wrap = |number, constructed| Wrap {
            tag: Tag { class: Class::Universal, number },
            constructed,
            padded: number == primitive::BIT_STRING,
        };
        match word.as_str() {
            "IMP" | "IMPLICIT" if implicit.is_none() => {
                implicit = Some(tag(argument.ok_or_else(bad)?.trim()).ok_or_else(bad)?);
            }
            "EXP" | "EXPLICIT" if implicit.is_none() => {
                let tag = tag(argument.ok_or_else(bad)?.trim()).ok_or_else(bad)?;
                wraps.push(Wrap { tag, constructed: true, padded: false });
            }
            "SEQWRAP" | "SETWRAP" | "OCTWRAP" | "BITWRAP" if argument.is_none() => {
                let mut wrap = match word.as_str() {
                    "SEQWRAP" => wrap(SEQUENCE, true),
                    "SETWRAP" => wrap(SET, true),
                    "OCTWRAP" => wrap(primitive::OCTET_STRING, false),
                    _ => wrap(primitive::BIT_STRING, false),
                };
                wrap.tag = implicit.take().unwrap_or(wrap.tag);
                wraps.push(wrap);
            }
            "FORM" | "FORMAT" => {
                format = argument.and_then(|name| Format::parse(name.trim().as_str())).ok_or_else(bad)?;
            }
            kind => {
                // The value is all that follows the colon, commas included.
                let value = match (argument, behind) {
                    (Some(_), _) => rest.split_once(':').map(|(_, value)| value),
                    (None, None) => None,
                    (None, Some(_)) => return Err(bad()),
                };
                break match kind {
                    "SEQ" | "SEQUENCE" => collection(context, SEQUENCE, value, depth)?,
                    "SET" => collection(context, SET, value, depth)?,
                    _ => {
                        let (number, content) = primitive::read(context, word, value, format)?;
                        let tag = Tag { class: Class::Universal, number };
                        Element { tag, constructed: false, content }
                    }
                };
            }
        }
        if wraps.len() > MAX_WRAPS {
            return Err(context.error(text, Problem::TooMuch));
        }
        rest = behind.ok_or_else(bad)?.trim_start();
    };
    if let Some(tag) = implicit {
        let collects = tag.class == Class::Universal && matches!(tag.number, SEQUENCE | SET);
        element.constructed |= collects;
        element.tag = tag;
    }
    let mut der = encode(element.tag, element.constructed, &element.content);
    for wrap in wraps.iter().rev() {
        if wrap.padded {
            der.insert(0, 0);
        }
        der = encode(wrap.tag, wrap.constructed, &der);
    }
    Ok(der)
}

/// The lines of a section as a SEQUENCE or SET; their names mean nothing.
fn collection(
    context: &Context<'_>,
    number: u32,
    section: Option<Word<'_>>,
    depth: usize,
) -> Result<Element, ExtfileError> {
    let mut members = Vec::new();
    if let Some(section) = section {
        for item in &context.section(section)? {
            members.push(value(context, context.required(item)?, depth + 1)?);
        }
    }
    if number == SET {
        // X.690 §11.6
        members.sort_unstable();
    }
    let tag = Tag { class: Class::Universal, number };
    Ok(Element { tag, constructed: true, content: members.concat() })
}

/// `NUMBER` and a letter for the class; none is context-specific.
fn tag(text: Word<'_>) -> Option<Tag> {
    let text = text.as_str();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let class = match &text[digits..] {
        "" | "C" => Class::ContextSpecific,
        "U" => Class::Universal,
        "A" => Class::Application,
        "P" => Class::Private,
        _ => return None,
    };
    Some(Tag { class, number: text[..digits].parse().ok()? })
}

/// Identifier, length and content (X.690 §8.1).
fn encode(tag: Tag, constructed: bool, content: &[u8]) -> Vec<u8> {
    let class = match tag.class {
        Class::Universal => 0x00,
        Class::Application => 0x40,
        Class::ContextSpecific => 0x80,
        Class::Private => 0xc0,
    };
    let first = class | if constructed { 0x20 } else { 0 };
    let mut der = match u8::try_from(tag.number) {
        Ok(number @ 0..=30) => vec![first | number],
        _ => {
            let mut groups: Vec<u8> = vec![first | 31];
            let used = (32 - tag.number.leading_zeros()).div_ceil(7).max(1);
            for group in (0..used).rev() {
                let [low, ..] = (tag.number >> (7 * group)).to_le_bytes();
                groups.push(low & 0x7f | if group > 0 { 0x80 } else { 0 });
            }
            groups
        }
    };
    match u8::try_from(content.len()) {
        Ok(length @ 0..=0x7f) => der.push(length),
        _ => {
            let bytes = content.len().to_be_bytes();
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            der.extend(u8::try_from(bytes.len() - zeros).map(|count| 0x80 | count));
            der.extend_from_slice(&bytes[zeros..]);
        }
    }
    der.extend_from_slice(content);
    der
}
