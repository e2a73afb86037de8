// SPDX-License-Identifier: MIT OR Apache-2.0
//! The names that file names are built from: entries and serial numbers.

use std::fmt;

use thiserror::Error;

/// The names whose private key files have a meaning of their own.
const RESERVED: [&str; 2] = ["ca", "easyrsa-tls"];

/// A name under which a key, a request and a certificate are filed.
///
/// One path component that is safe in every file name we build from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryName(String);

/// Why a text cannot name an entry.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryNameError {
    /// Nothing at all.
    #[error("the name is empty")]
    Empty,
    /// A `/`, `\`, a control character, or one that hides or reorders its neighbours.
    #[error("the name `{}` holds the character `{}`, which cannot be part of a file name", .0.escape_debug(), .1.escape_debug())]
    Character(String, char),
    /// A leading `-` reads as an option, a leading `.` hides the file (or leaves the directory).
    #[error("the name `{}` starts with `{}`", .0.escape_debug(), .1)]
    Start(String, char),
    /// White space at an end, which nobody sees.
    #[error("the name `{}` begins or ends with white space", .0.escape_debug())]
    Edge(String),
    /// More than 200 bytes: `NAME.p12-inline` must stay below the 255 of common file systems.
    #[error("the name is {0} bytes long, at most 200 are possible")]
    Length(usize),
    /// `private/NAME.key` already has another meaning.
    #[error("the name `{0}` is reserved: its private key file would be `private/{0}.key`")]
    Reserved(&'static str),
}

impl EntryName {
    /// Checks that `text` can stand as one file name component.
    ///
    /// # Errors
    ///
    /// One [`EntryNameError`] per rule; see its variants.
    pub fn parse(text: &str) -> Result<Self, EntryNameError> {
        let first = text.chars().next().ok_or(EntryNameError::Empty)?;
        if let Some(character) =
            text.chars().find(|&character| matches!(character, '/' | '\\') || is_invisible(character))
        {
            return Err(EntryNameError::Character(text.to_owned(), character));
        }
        if matches!(first, '-' | '.') {
            return Err(EntryNameError::Start(text.to_owned(), first));
        }
        if first.is_whitespace() || text.ends_with(char::is_whitespace) {
            return Err(EntryNameError::Edge(text.to_owned()));
        }
        if text.len() > 200 {
            return Err(EntryNameError::Length(text.len()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Checks a name under which something new will be filed.
    ///
    /// # Errors
    ///
    /// As [`EntryName::parse`], and [`EntryNameError::Reserved`] for `ca` and
    /// `easyrsa-tls`, whose key files are the CA's and OpenVPN's: whoever revokes
    /// such a certificate would take them away.
    pub fn parse_new(text: &str) -> Result<Self, EntryNameError> {
        let name = Self::parse(text)?;
        match RESERVED.into_iter().find(|reserved| text.eq_ignore_ascii_case(reserved)) {
            Some(reserved) => Err(EntryNameError::Reserved(reserved)),
            None => Ok(name),
        }
    }

    /// Whether `private/NAME.key` is somebody else's. easy-rsa files such names.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED.into_iter().any(|reserved| self.0.eq_ignore_ascii_case(reserved))
    }

    /// The entry of the CA itself: `private/ca.key`, `reqs/ca.req`.
    #[must_use]
    pub fn ca() -> Self {
        Self("ca".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether a terminal would act on a character, or would show nothing for it, or
/// would show its neighbours in another order: C0 and C1 controls, DEL, line
/// separators, bidirectional controls, characters without width.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' // soft hyphen
            | '\u{34f}' // combining grapheme joiner
            | '\u{61c}' // Arabic letter mark
            | '\u{115f}'..='\u{1160}' // Hangul fillers
            | '\u{17b4}'..='\u{17b5}' // Khmer vowels that are not shown
            | '\u{180b}'..='\u{180f}' // Mongolian selectors and separator
            | '\u{200b}'..='\u{200f}' // zero width, left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}' // line and paragraph separator, bidirectional embeddings
            | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, bidirectional isolates
            | '\u{3164}' // Hangul filler
            | '\u{fe00}'..='\u{fe0f}' // variation selectors
            | '\u{feff}' // byte order mark
            | '\u{ffa0}' // halfwidth Hangul filler
            | '\u{fff0}'..='\u{fffb}' // interlinear annotation
            | '\u{1d173}'..='\u{1d17a}' // musical controls
            | '\u{e0000}'..='\u{e0fff}' // tags, variation selectors
        )
}

/// A serial number as easy-rsa writes it in file names and in `index.txt`:
/// upper-case hexadecimal with an even number of digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialHex(String);

impl SerialHex {
    /// Checks that `text` is hexadecimal with an even number of digits; takes either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (hexadecimal && !text.is_empty() && text.len().is_multiple_of(2))
            .then(|| Self(text.to_ascii_uppercase()))
    }

    /// The number without leading zero bytes: `02` for `0002`, which openssl takes for
    /// the same.
    #[must_use]
    pub fn canonical(self) -> Self {
        let mut digits = self.0.as_str();
        while let Some(rest) = digits.strip_prefix("00").filter(|rest| !rest.is_empty()) {
            digits = rest;
        }
        if digits.len() == self.0.len() { self } else { Self(digits.to_owned()) }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SerialHex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
