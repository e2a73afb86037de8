// SPDX-License-Identifier: MIT OR Apache-2.0
//! From an offset to the line that an editor shows.

use crate::detect::utf16::{self, Text};

/// A file with a NUL in its first bytes is binary, as git has it.
const HEAD: usize = 8000;

/// The line on which `offset` (bytes from the beginning of `file`) stands,
/// counted from 1. `None` for binary files and for offsets behind the end.
///
/// A file in UTF-16 is text, with a byte order mark or without.
#[must_use]
pub fn line_of(file: &[u8], offset: usize) -> Option<usize> {
    Lines::new(file).line_of(offset)
}

/// The lines of one file, counted forward: offsets in ascending order take one
/// pass over the file together.
pub struct Lines<'file> {
    file: &'file [u8],
    wide: Option<Text>,
    is_text: bool,
    /// How many units were counted, and the ends of lines among them.
    at: usize,
    ends: usize,
}

impl<'file> Lines<'file> {
    /// Begins to count.
    #[must_use]
    pub fn new(file: &'file [u8]) -> Self {
        let head = &file[..file.len().min(HEAD)];
        let wide = utf16::whole(file);
        Self { file, is_text: wide.is_some() || memchr::memchr(0, head).is_none(), wide, at: 0, ends: 0 }
    }

    /// What [`line_of`] gives; an offset before the last one begins anew.
    pub fn line_of(&mut self, offset: usize) -> Option<usize> {
        if offset > self.file.len() || !self.is_text {
            return None;
        }
        let (units, end) = match &self.wide {
            Some(text) => (text.units.as_slice(), text.units_before(offset).len()),
            None => (self.file, offset),
        };
        if end < self.at {
            (self.at, self.ends) = (0, 0);
        }
        self.ends += memchr::memchr_iter(b'\n', &units[self.at..end]).count();
        self.at = end;
        Some(1 + self.ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let file = b"a\nb\r\nc";
        let lines: Vec<_> = (0..8).map(|offset| line_of(file, offset)).collect();
        assert_eq!(lines, [Some(1), Some(1), Some(2), Some(2), Some(2), Some(3), Some(3), None]);
        assert_eq!(line_of(b"", 0), Some(1));
        let mut counted = Lines::new(file);
        let lines: Vec<_> = [1, 4, 6, 6, 2, 8].map(|offset| counted.line_of(offset)).to_vec();
        assert_eq!(lines, [Some(1), Some(2), Some(3), Some(3), Some(2), None]);
    }

    #[test]
    fn utf_16_has_lines_and_binary_files_have_none() {
        let units: Vec<u16> = "\u{feff}one\ntwo\nthree".encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for file in [&little[..], &big[..], &little[2..], &big[2..]] {
            assert_eq!(line_of(file, file.len() - 2), Some(3));
            assert_eq!(line_of(file, 0), Some(1));
        }
        assert_eq!(line_of(b"\0CKSEAL\0\n\n", 9), None);
    }
}
