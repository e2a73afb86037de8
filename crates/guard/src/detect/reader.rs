// SPDX-License-Identifier: MIT OR Apache-2.0
//! Base64 and hexadecimal digits as people keep them: in lines of any width,
//! indented, quoted, commented out, put together from strings, with `\n` for
//! the ends of lines. What the digits mean is not this file's business.

mod escape;

use std::ops::Range;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use self::escape::{Escape, escape};

/// Takes what a copy and paste may leave: any padding, any last bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Which bytes are digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// RFC 4648 section 4.
    Standard,
    /// RFC 4648 section 5.
    Url,
    /// Hexadecimal.
    Hex,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Standard => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Hex => byte.is_ascii_hexdigit(),
        }
    }
}

/// Bytes taken out of a text, and where they stood there.
#[derive(Default)]
pub(crate) struct Taken {
    bytes: Zeroizing<Vec<u8>>,
    /// Index into `bytes`, offset in the text; ascending in both.
    segments: Vec<(usize, usize)>,
}

impl Taken {
    /// Adds bytes that stand at `offset`.
    pub(crate) fn push(&mut self, bytes: &[u8], offset: usize) {
        self.segments.push((self.bytes.len(), offset));
        // Grown by hand, so that no copy of a secret stays behind.
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            let mut larger = Zeroizing::new(Vec::with_capacity((self.bytes.len() + bytes.len()) * 2));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Where the byte with this index stood.
    pub(crate) fn offset(&self, index: usize) -> usize {
        let after = self.segments.partition_point(|(start, _)| *start <= index);
        let (start, offset) = after.checked_sub(1).map_or((0, 0), |last| self.segments[last]);
        offset + (index - start)
    }

    /// How many digits precede the one that stands at `offset`.
    pub(crate) fn index(&self, offset: usize) -> usize {
        let after = self.segments.partition_point(|(_, start)| *start <= offset);
        let (index, start) = after.checked_sub(1).map_or((0, offset), |last| self.segments[last]);
        (index + (offset - start)).min(self.len())
    }

    /// Where the bytes stood that `decoded`, a range of what the digits from
    /// `phase` on decode to, was made of.
    pub(crate) fn place(&self, decoded: &Range<usize>, phase: usize) -> Range<usize> {
        let start = phase + decoded.start / 3 * 4 + decoded.start % 3;
        let last = decoded.end.saturating_sub(1);
        let end = (phase + last / 3 * 4 + last % 3 + 1).min(self.len().saturating_sub(1));
        self.offset(start.min(end))..self.offset(end) + 1
    }

    /// Decodes the base64 digits `range`; a digit too many at the end is dropped.
    pub(crate) fn decode(&self, range: Range<usize>) -> Option<Zeroizing<Vec<u8>>> {
        decode(self.bytes.get(range)?)
    }
}

/// Decodes base64 digits of either alphabet, without padding. A digit too many
/// at the end is dropped.
pub(crate) fn decode(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digits = match digits.len() % 4 {
        1 => &digits[..digits.len() - 1],
        _ => digits,
    };
    let mut decoded = Zeroizing::new(Vec::with_capacity(digits.len() / 4 * 3 + 3));
    if memchr::memchr2(b'-', b'_', digits).is_none() {
        LENIENT.decode_vec(digits, &mut decoded).ok()?;
    } else {
        let mut standard = Zeroizing::new(digits.to_vec());
        for digit in standard.iter_mut() {
            *digit = match *digit {
                b'-' => b'+',
                b'_' => b'/',
                other => other,
            };
        }
        LENIENT.decode_vec(&standard, &mut decoded).ok()?;
    }
    Some(decoded)
}

/// What stands between two tokens of digits.
#[derive(Clone, Copy, Default)]
pub(crate) struct Gap {
    /// The end of a line, as itself or escaped.
    pub(crate) line: bool,
    /// The end of a line as `\n` or the like.
    pub(crate) escaped: bool,
    /// A quotation mark.
    pub(crate) quote: bool,
    /// Space in the line.
    pub(crate) space: bool,
}

/// A place in a text of digits.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    /// The offset of the next byte.
    pub(crate) at: usize,
    /// What the lines begin with (the mark of a comment, a quote or a patch).
    prefix: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from `at`; the lines may begin as the one does on which `start` stands.
    pub(crate) fn new(bytes: &'a [u8], start: usize, at: usize) -> Self {
        Self { bytes, at, prefix: prefix(bytes, start) }
    }

    /// The bytes from here to the end.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Goes past everything that may stand between two tokens.
    pub(crate) fn gap(&mut self) -> Gap {
        let mut gap = Gap::default();
        loop {
            let rest = self.rest();
            let [first, ..] = rest else { return gap };
            let next = rest.get(1).copied();
            let blank = next.is_none_or(|byte| byte.is_ascii_whitespace() || is_quote(byte) || byte == b'\\');
            self.at += match first {
                b' ' | b'\t' => {
                    gap.space = true;
                    1
                }
                b'\n' | b'\r' => {
                    gap.line = true;
                    1 + self.line_start(&rest[1..])
                }
                byte if is_quote(*byte) => {
                    gap.quote = true;
                    1
                }
                b'.' if next != Some(b'.') => 1,
                b'+' if blank => 1,
                b'/' if matches!(next, Some(b'*')) => 2,
                b'/' if next == Some(b'/') && rest.get(2).is_none_or(u8::is_ascii_whitespace) => 2,
                b',' | b';' | b'>' | b'#' | b'*' | b'|' | b'&' | b'(' | b')' | b'!' => 1,
                b'\\' => match escape(rest) {
                    Some((Escape::Line, length)) => {
                        (gap.line, gap.escaped) = (true, true);
                        length
                    }
                    Some((Escape::Quote, length)) => {
                        gap.quote = true;
                        length
                    }
                    Some((Escape::Nothing, length)) => length,
                    _ => return gap,
                },
                _ => return gap,
            }
        }
    }

    /// The length of what a line begins with, before its digits.
    fn line_start(&self, line: &[u8]) -> usize {
        let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        match line[indent..].starts_with(self.prefix) {
            true => indent + self.prefix.len(),
            false => 0,
        }
    }

    /// Takes digits up to the next byte that is none, without padding. Returns
    /// how many.
    pub(crate) fn digits(&mut self, alphabet: Alphabet, into: &mut Taken) -> usize {
        let before = into.len();
        loop {
            let rest = self.rest();
            let plain = rest
                .iter()
                .enumerate()
                .take_while(|(at, byte)| {
                    alphabet.has(**byte) && !(**byte == b'-' && rest[*at..].starts_with(b"----"))
                })
                .count();
            if plain > 0 {
                into.push(&rest[..plain], self.at);
                self.at += plain;
            }
            match escape(self.rest()) {
                Some((Escape::Digit(digit), length)) if alphabet.has(digit) => {
                    into.push(&[digit], self.at);
                    self.at += length;
                }
                _ => return into.len() - before,
            }
        }
    }

    /// Goes past `=`, up to three times, as itself or escaped. Whether there was one.
    pub(crate) fn padding(&mut self) -> bool {
        let start = self.at;
        for _ in 0..3 {
            match (self.rest().first(), escape(self.rest())) {
                (Some(b'='), _) => self.at += 1,
                (_, Some((Escape::Digit(b'='), length))) => self.at += length,
                _ => break,
            }
        }
        self.at > start
    }

    /// The rest of the line, as far as 512 bytes; the reader then stands at its
    /// end. `None`, and no step, if it is longer.
    pub(crate) fn line(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let window = &rest[..rest.len().min(512)];
        let mut from = 0;
        let length = loop {
            match memchr::memchr3(b'\n', b'\r', b'\\', &window[from..]) {
                Some(at) if window[from + at] != b'\\' => break from + at,
                Some(at) if matches!(escape(&rest[from + at..]), Some((Escape::Line, _))) => break from + at,
                Some(at) => from += at + 1,
                None if window.len() == rest.len() => break window.len(),
                None => return None,
            }
        };
        self.at += length;
        Some(&window[..length])
    }
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// What the line on which `start` stands begins with, if that is a mark of a
/// comment, a quote or a patch.
fn prefix(bytes: &[u8], start: usize) -> &[u8] {
    let window = start.saturating_sub(64);
    let before = &bytes[window..start];
    let line = match memchr::memrchr2(b'\n', b'\r', before) {
        Some(end) => &before[end + 1..],
        None if window == 0 => before,
        None => return b"",
    };
    let marks = line.iter().take_while(|byte| b" \t>#/*;:%!|+-".contains(byte)).count();
    line[..marks].trim_ascii()
}
