// SPDX-License-Identifier: MIT OR Apache-2.0
//! `index.txt`, the certificate database of `openssl ca`, and `index.txt.attr`.
//!
//! Rows that are not touched are printed byte for byte as they were read. The
//! whole file stays one buffer with the places where rows begin, so 100,000 rows
//! cost one pass and no allocation per row. Nothing here repairs: a line that
//! openssl would choke on is an error that names the line.

mod attributes;
mod merge;
mod rebuild;
mod revocation;
mod row;
mod salvage;

use thiserror::Error;

use self::row::{Line, SerialCase};
pub use self::{
    attributes::UniqueSubject,
    merge::{Clash, MergeError, Merged, Side, merge},
    rebuild::{Step, Witness},
    revocation::{Reason, Revocation},
    row::{LineError, Row, Status},
    salvage::{Damaged, Salvage, has_conflict},
};

use crate::{layout::SerialHex, moment::Moment};

/// What `openssl ca` writes in the file name field since it stopped filling it.
const FILE_NAME: &str = "unknown";

/// A line of `index.txt` that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {line} of index.txt: {problem}")]
pub struct ParseError {
    /// The line number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: LineError,
}

/// Why a row cannot be changed.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeError {
    /// The certificate has been revoked before.
    #[error("the certificate with the serial number {0} has been revoked already")]
    AlreadyRevoked(SerialHex),
    /// No row has this serial number.
    #[error("no row of index.txt has the serial number {0}")]
    Missing(SerialHex),
    /// Another row has this serial number.
    #[error("the serial number {0} is in index.txt already")]
    Taken(SerialHex),
}

/// The certificate database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The whole file; ends with a newline unless it is empty.
    text: String,
    /// Where the rows begin in it.
    starts: Vec<usize>,
    /// How the serial numbers are written.
    serial_case: SerialCase,
}

impl Index {
    /// A database without rows.
    #[must_use]
    pub fn empty() -> Self {
        Self { text: String::new(), starts: Vec::new(), serial_case: SerialCase::Upper }
    }

    /// Reads the file. Comment lines (`#`) are kept; a missing newline at the
    /// end is added.
    ///
    /// # Errors
    ///
    /// [`ParseError`] for the first line that is not a row.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        Self::from_bytes(bytes.to_vec())
    }

    /// As [`Index::parse`], without a copy of what may be many megabytes.
    ///
    /// # Errors
    ///
    /// As [`Index::parse`].
    pub fn from_bytes(mut bytes: Vec<u8>) -> Result<Self, ParseError> {
        if bytes.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let before = error.utf8_error().valid_up_to();
            let lines = memchr::memchr_iter(b'\n', &error.as_bytes()[..before]).count();
            ParseError { line: lines + 1, problem: LineError::Text }
        })?;
        let mut starts = Vec::with_capacity(text.len() / 80);
        let mut serial_case = SerialCase::Upper;
        let mut number = 1;
        let mut line = Line::at(0);
        let bytes = text.as_bytes();
        for position in memchr::memchr2_iter(b'\t', b'\n', bytes) {
            if bytes[position] == b'\t' {
                line.take_tab(position, bytes);
                continue;
            }
            if bytes[line.start] != b'#' {
                let checked = line.fields(&text, position).and_then(|fields| Row { fields }.check());
                match checked.map_err(|problem| ParseError { line: number, problem })? {
                    SerialCase::Mixed => serial_case = SerialCase::Mixed,
                    SerialCase::Upper => {}
                }
                starts.push(line.start);
            }
            number += 1;
            line = Line::at(position + 1);
        }
        Ok(Self { text, starts, serial_case })
    }

    /// The file: every row that was not changed is as it was read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As [`Index::as_str`], for somebody who needs the database no more.
    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }

    /// The rows, in the order of the file.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = Row<'_>> + ExactSizeIterator {
        self.starts.iter().map(|&start| self.row(start))
    }

    /// The row with this serial number.
    #[must_use]
    pub fn find(&self, serial: &SerialHex) -> Option<Row<'_>> {
        self.start_of(serial).map(|start| self.row(start))
    }

    /// The rows whose subject is `subject` (the one-line form) that are still `V`.
    pub fn valid_with_subject<'a>(&'a self, subject: &'a str) -> impl Iterator<Item = Row<'a>> {
        self.rows().filter(move |row| row.status() == Status::Valid && row.subject() == subject)
    }

    /// Adds a row for a new certificate.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Taken`] if a row has this serial number already.
    pub fn add(&mut self, expiry: Moment, serial: &SerialHex, subject: &str) -> Result<(), ChangeError> {
        if self.start_of(serial).is_some() {
            return Err(ChangeError::Taken(serial.clone()));
        }
        self.starts.push(self.text.len());
        let serial = serial.clone().canonical();
        // A one-line subject holds no control character; whatever else comes may not break the file.
        let subject: String = subject.chars().filter(|character| !character.is_control()).collect();
        self.text.push_str(&format!("V\t{}\t\t{serial}\t{FILE_NAME}\t{subject}\n", expiry.to_index()));
        Ok(())
    }

    /// Marks a row as revoked; also one that has expired.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Missing`] and [`ChangeError::AlreadyRevoked`].
    pub fn revoke(&mut self, serial: &SerialHex, revocation: Revocation) -> Result<(), ChangeError> {
        let start = self.start_of(serial).ok_or_else(|| ChangeError::Missing(serial.clone()))?;
        let row = self.row(start);
        if row.status() == Status::Revoked {
            return Err(ChangeError::AlreadyRevoked(serial.clone()));
        }
        // V or E, a tab, the expiry, a tab: then the revocation field, which is empty.
        let field_at = start + row.fields[0].len() + 1 + row.fields[1].len() + 1;
        let field = revocation.to_string();
        self.text.insert_str(field_at, &field);
        self.text.replace_range(start..=start, "R");
        let after = self.starts.partition_point(|&row| row <= start);
        for later in &mut self.starts[after..] {
            *later += field.len();
        }
        Ok(())
    }

    /// Marks every `V` row whose expiry date lies before `now` as `E`, as
    /// `openssl ca -updatedb` does, and says which ones those were.
    pub fn expire(&mut self, now: Moment) -> Vec<SerialHex> {
        let due = |row: &Row<'_>| row.status() == Status::Valid && row.expiry() < now;
        let rows = self.starts.iter().map(|&start| (start, self.row(start)));
        let expired: Vec<(usize, SerialHex)> =
            rows.filter(|(_, row)| due(row)).map(|(start, row)| (start, row.serial())).collect();
        for &(start, _) in &expired {
            self.text.replace_range(start..=start, "E");
        }
        expired.into_iter().map(|(_, serial)| serial).collect()
    }

    /// The row that begins at `start`.
    fn row(&self, start: usize) -> Row<'_> {
        let bytes = self.text.as_bytes();
        let mut line = Line::at(start);
        for offset in memchr::memchr2_iter(b'\t', b'\n', &bytes[start..]) {
            if bytes[start + offset] == b'\n' {
                let fields = line.fields(&self.text, start + offset);
                return Row { fields: fields.expect("checked when the row was read") };
            }
            line.take_tab(start + offset, bytes);
        }
        unreachable!("every row ends with a newline")
    }

    /// Where the row with this serial number begins. Between tabs there may be
    /// a subject that looks like it, so the field is compared.
    fn start_of(&self, serial: &SerialHex) -> Option<usize> {
        let serial = &serial.clone().canonical();
        let matches = |start: &usize| self.row(*start).serial() == *serial;
        if self.serial_case == SerialCase::Mixed {
            return self.starts.iter().copied().find(matches);
        }
        let wanted = format!("\t{serial}\t");
        memchr::memmem::find_iter(self.text.as_bytes(), &wanted).find_map(|position| {
            let after = self.starts.partition_point(|&start| start <= position);
            let start = after.checked_sub(1).and_then(|row| self.starts.get(row)).copied();
            start.filter(matches)
        })
    }
}

#[cfg(test)]
mod tests;
