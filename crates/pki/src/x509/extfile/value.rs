// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parts of values that extensions share: lists and sections, truth values,
//! numbers, hexadecimal bytes, object identifiers. And the budget that keeps
//! sections which refer to sections from growing without end.

use std::{cell::Cell, str::FromStr};

use der::{Encode, asn1::ObjectIdentifier};

use super::{ExtfileError, Problem, Source, grammar::Sections, text::Word};
use crate::x509::{oid, serial};

/// Bytes of values that may be looked at in all, each as often as it is.
const MAX_LOOKED_AT: usize = 1 << 22;
/// Decimal digits of a number.
const MAX_DIGITS: usize = 1 << 8;

/// What is left of the work that a file may cause.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub(super) fn new() -> Self {
        Self(Cell::new(MAX_LOOKED_AT))
    }
}

/// What the values of one line are read with.
pub(super) struct Context<'a> {
    pub(super) sources: &'a [Source<'a>],
    pub(super) sections: &'a Sections,
    /// The name of the extension, for errors.
    pub(super) extension: &'a str,
    pub(super) budget: &'a Budget,
}

/// One of a list: `name` or `name:value`; of a section: `name = value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) name: Word<'a>,
    pub(super) value: Option<Word<'a>>,
}

impl<'a> Item<'a> {
    /// Whether its name is `name`, or `name` with a dot and anything behind it:
    /// how a section says the same thing twice.
    pub(super) fn is_named(&self, name: &str) -> bool {
        let rest = self.name.as_str().strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The value where the word itself may stand in its place.
    pub(super) fn value_or_name(&self) -> Word<'a> {
        self.value.unwrap_or(self.name)
    }
}

impl<'a> Context<'a> {
    /// A part that is not valid.
    pub(super) fn bad(&self, word: Word<'_>) -> ExtfileError {
        let (extension, value) = (self.extension.to_owned(), word.as_str().to_owned());
        self.error(word, Problem::Value { extension, value })
    }

    pub(super) fn error(&self, word: Word<'_>, problem: Problem) -> ExtfileError {
        ExtfileError::new(self.sources, word.position(), problem)
    }

    /// DER, or the value that does not become any.
    pub(super) fn encode(&self, word: Word<'_>, value: &impl Encode) -> Result<Vec<u8>, ExtfileError> {
        value.to_der().map_err(|_| self.bad(word))
    }

    /// Counts work of `cost` bytes.
    pub(super) fn spend(&self, word: Word<'_>, cost: usize) -> Result<(), ExtfileError> {
        let left = self.budget.0.get().checked_sub(cost).ok_or_else(|| self.error(word, Problem::TooMuch))?;
        self.budget.0.set(left);
        Ok(())
    }

    /// `name, name:value, ...`
    pub(super) fn list(&self, word: Word<'a>) -> Result<Vec<Item<'a>>, ExtfileError> {
        self.spend(word, word.as_str().len())?;
        if word.as_str().contains(['\r', '\n']) {
            return Err(self.bad(word));
        }
        let item = |part: Word<'a>| {
            let (name, value) = match part.split_once(':') {
                Some((name, value)) => (name.trim(), Some(value.trim())),
                None => (part.trim(), None),
            };
            let empty = name.is_empty() || value.is_some_and(Word::is_empty);
            if empty { Err(self.bad(part.trim())) } else { Ok(Item { name, value }) }
        };
        word.split(',').map(item).collect()
    }

    /// The lines of the section that `name` names.
    pub(super) fn section(&self, name: Word<'_>) -> Result<Vec<Item<'a>>, ExtfileError> {
        let missing = || self.error(name, Problem::Section(name.as_str().to_owned()));
        let section = self.sections.section(name.as_str()).ok_or_else(missing)?;
        let mut items = Vec::new();
        for entry in section.entries() {
            self.spend(name, entry.name.as_str().len() + entry.value.as_str().len())?;
            items.push(Item { name: entry.name.word(), value: Some(entry.value.word()) });
        }
        if items.is_empty() { Err(missing()) } else { Ok(items) }
    }

    /// `@section`, or a list.
    pub(super) fn list_or_section(&self, word: Word<'a>) -> Result<Vec<Item<'a>>, ExtfileError> {
        match word.strip_prefix("@") {
            Some(name) => self.section(name),
            None => self.list(word),
        }
    }

    /// The value that an item must have.
    pub(super) fn required(&self, item: &Item<'a>) -> Result<Word<'a>, ExtfileError> {
        item.value.ok_or_else(|| self.bad(item.name))
    }

    pub(super) fn boolean(&self, word: Word<'_>) -> Result<bool, ExtfileError> {
        match word.as_str() {
            "TRUE" | "true" | "Y" | "y" | "YES" | "yes" => Ok(true),
            "FALSE" | "false" | "N" | "n" | "NO" | "no" => Ok(false),
            _ => Err(self.bad(word)),
        }
    }

    /// A number that is not negative and fits.
    pub(super) fn number<T: TryFrom<u64>>(&self, word: Word<'_>) -> Result<T, ExtfileError> {
        let text = word.as_str();
        let read = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                u64::from_str_radix(digits, 16).ok()
            }
            _ if text.bytes().all(|byte| byte.is_ascii_digit()) => u64::from_str(text).ok(),
            _ => None,
        };
        read.and_then(|number| T::try_from(number).ok()).ok_or_else(|| self.bad(word))
    }

    /// The content of a DER INTEGER of any size and sign.
    pub(super) fn integer(&self, word: Word<'_>) -> Result<Vec<u8>, ExtfileError> {
        let text = word.as_str();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            Some(digits) => (16, digits),
            None => (10, digits),
        };
        if digits.is_empty() || digits.len() > MAX_DIGITS {
            return Err(self.bad(word));
        }
        // Little-endian while it grows.
        let mut bytes: Vec<u8> = Vec::new();
        for character in digits.chars() {
            let mut carry = character.to_digit(radix).ok_or_else(|| self.bad(word))?;
            for byte in &mut bytes {
                let product = u32::from(*byte) * radix + carry;
                let [low, rest @ ..] = product.to_le_bytes();
                *byte = low;
                carry = u32::from_le_bytes([rest[0], rest[1], rest[2], 0]);
            }
            if carry > 0 {
                bytes.extend(u8::try_from(carry));
            }
        }
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        bytes.push(0);
        bytes.reverse();
        if negative {
            // Two's complement: every bit inverted, and one added.
            let mut carry = true;
            for byte in bytes.iter_mut().rev() {
                let (sum, overflow) = (!*byte).overflowing_add(u8::from(carry));
                *byte = sum;
                carry = overflow;
            }
        }
        // X.690 §8.3.2: the first nine bits are not all alike.
        let alike = |pair: &[u8]| matches!(pair, [0, 0..=0x7f] | [0xff, 0x80..=0xff]);
        let spare = bytes.windows(2).take_while(|pair| alike(pair)).count();
        Ok(bytes.split_off(spare))
    }

    /// Bytes in hexadecimal, colons between them or not.
    pub(super) fn hex(&self, word: Word<'_>) -> Result<Vec<u8>, ExtfileError> {
        let whole = word.as_str().split(':').all(|part| part.len() % 2 == 0);
        serial::parse_hex(word.as_str()).filter(|_| whole).ok_or_else(|| self.bad(word))
    }

    /// An object identifier by any name that is known, or by its numbers.
    pub(super) fn object_identifier(&self, word: Word<'_>) -> Result<ObjectIdentifier, ExtfileError> {
        oid::find(word.as_str()).ok_or_else(|| self.bad(word))
    }
}
