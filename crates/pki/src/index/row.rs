// SPDX-License-Identifier: MIT OR Apache-2.0
//! One row of `index.txt`: where its fields are, whether they can be read, what they say.

use std::fmt;

use thiserror::Error;

use super::revocation::Revocation;
use crate::{layout::SerialHex, moment::Moment};

/// Six fields, separated by tabs.
const FIELDS: usize = 6;

/// What git and other programs write around what they could not merge.
pub(super) const MARKS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// The state of a certificate in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `V`: issued, and neither revoked nor marked as expired.
    Valid,
    /// `R`: revoked.
    Revoked,
    /// `E`: marked as expired by `update-db`.
    Expired,
}

/// What is wrong with a line.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineError {
    /// A mark that a merge has left: some rows are there twice, and others are nobody's yet.
    #[error("a merge was not finished, its mark `{0}` stands there")]
    Conflict(&'static str),
    /// Not six fields.
    #[error("{0} fields instead of {FIELDS}")]
    Fields(usize),
    /// The first field is none of V, R, E.
    #[error("the status is not V, R or E")]
    Status,
    /// The second field is not a time.
    #[error("the expiry date is not a date")]
    Expiry,
    /// The third field is not a time with a known reason, or there is one in
    /// a row that is not revoked, or none in one that is.
    #[error("the revocation field does not fit")]
    Revocation,
    /// The fourth field is not hexadecimal with an even number of digits.
    #[error("the serial number is not hexadecimal with an even number of digits")]
    Serial,
    /// A control character other than the separating tabs, or not UTF-8.
    #[error("a byte that is not text")]
    Text,
}

/// Whether serial numbers can be found by their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SerialCase {
    /// As openssl writes them.
    Upper,
    /// Somebody wrote lower case into one, or zeros in front of it.
    Mixed,
}

/// A row of the database.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub(super) fields: [&'a str; FIELDS],
}

/// A line whose tabs are being found.
pub(super) struct Line {
    pub(super) start: usize,
    tabs: [usize; FIELDS - 1],
    found: usize,
}

impl Line {
    pub(super) fn at(start: usize) -> Self {
        Self { start, tabs: [start; FIELDS - 1], found: 0 }
    }

    /// Takes note of a tab; behind a backslash it belongs to its field, as for openssl.
    pub(super) fn take_tab(&mut self, position: usize, bytes: &[u8]) {
        if position > self.start && bytes[position - 1] == b'\\' {
            return;
        }
        if let Some(tab) = self.tabs.get_mut(self.found) {
            *tab = position;
        }
        self.found += 1;
    }

    /// The fields, once the end of the line is known.
    pub(super) fn fields<'a>(&self, text: &'a str, end: usize) -> Result<[&'a str; FIELDS], LineError> {
        if self.found != FIELDS - 1 {
            let line = &text[self.start..end];
            let mark = MARKS.iter().find(|mark| line.starts_with(**mark));
            return Err(mark.map_or(LineError::Fields(self.found + 1), |mark| LineError::Conflict(mark)));
        }
        let [one, two, three, four, five] = self.tabs;
        Ok([
            &text[self.start..one],
            &text[one + 1..two],
            &text[two + 1..three],
            &text[three + 1..four],
            &text[four + 1..five],
            &text[five + 1..end],
        ])
    }
}

impl<'a> Row<'a> {
    /// Checks every field, and says how the serial number is written.
    pub(super) fn check(self) -> Result<SerialCase, LineError> {
        let [status, expiry, revocation, serial, file, subject] = self.fields;
        // Without an early exit the compiler looks at many bytes at once.
        let control =
            |field: &str| field.bytes().fold(false, |found, byte| found | (byte < 0x20) | (byte == 0x7f));
        let escaped_tabs = |field: &str| control(field) && control(&field.replace("\\\t", ""));
        if [revocation, file, subject].into_iter().any(escaped_tabs) {
            return Err(LineError::Text);
        }
        let revoked = match status {
            "V" | "E" => false,
            "R" => true,
            _ => return Err(LineError::Status),
        };
        if !Moment::can_parse(expiry) {
            return Err(LineError::Expiry);
        }
        if revoked == revocation.is_empty() || (revoked && !Revocation::can_parse(revocation)) {
            return Err(LineError::Revocation);
        }
        let hexadecimal = serial.bytes().fold(true, |all, byte| all & byte.is_ascii_hexdigit());
        if serial.is_empty() || !serial.len().is_multiple_of(2) || !hexadecimal {
            return Err(LineError::Serial);
        }
        let lower = serial.bytes().fold(false, |found, byte| found | byte.is_ascii_lowercase());
        let zeros = serial.len() > 2 && serial.starts_with("00");
        Ok(if lower || zeros { SerialCase::Mixed } else { SerialCase::Upper })
    }

    /// The status field.
    #[must_use]
    pub fn status(self) -> Status {
        match self.fields[0] {
            "R" => Status::Revoked,
            "E" => Status::Expired,
            _ => Status::Valid,
        }
    }

    /// The end of the certificate's validity.
    #[must_use]
    pub fn expiry(self) -> Moment {
        Moment::parse(self.fields[1]).expect("checked when the row was read")
    }

    /// When and why the certificate was revoked, if it was.
    #[must_use]
    pub fn revocation(self) -> Option<Revocation> {
        Revocation::parse(self.fields[2])
    }

    /// The field that says when and why it was revoked; empty if it was not.
    pub(crate) fn revocation_text(self) -> &'a str {
        self.fields[2]
    }

    /// The serial number, without zeros in front of it.
    #[must_use]
    pub fn serial(self) -> SerialHex {
        SerialHex::parse(self.fields[3]).expect("checked when the row was read").canonical()
    }

    /// The digits of the serial number, as they stand in the file.
    #[must_use]
    pub fn serial_text(self) -> &'a str {
        self.fields[3]
    }

    /// The subject in openssl's one-line form, escapes included.
    #[must_use]
    pub fn subject(self) -> &'a str {
        self.fields[5]
    }
}

impl Row<'_> {
    /// The common name, without the escapes of the one-line form.
    #[must_use]
    pub fn common_name(self) -> Option<String> {
        let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
        let mut bytes = self.subject().bytes().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'/' | b'+' => parts.push(Vec::new()),
                b'\\' => {
                    let escaped = bytes.next().unwrap_or(b'\\');
                    let value = if escaped == b'x' { hexadecimal(&mut bytes) } else { Some(escaped) };
                    parts.last_mut()?.extend(value.map_or_else(|| vec![b'\\', escaped], |value| vec![value]));
                }
                _ => parts.last_mut()?.push(byte),
            }
        }
        let name = parts.iter().rev().find_map(|part| part.strip_prefix(b"CN="))?;
        Some(String::from_utf8_lossy(name).into_owned())
    }
}

/// The value of two hexadecimal digits, if they come next.
fn hexadecimal(bytes: &mut std::iter::Peekable<std::str::Bytes<'_>>) -> Option<u8> {
    let mut digit = || {
        let digit = bytes.next_if(u8::is_ascii_hexdigit)?;
        char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
    };
    Some(digit()? * 16 + digit()?)
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.fields)
    }
}
