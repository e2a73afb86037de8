// SPDX-License-Identifier: MIT OR Apache-2.0
//! From an offset to the line that an editor shows.

use crate::detect::utf16;

/// A file with a NUL in its first bytes is binary, as git has it.
const HEAD: usize = 8000;

/// The line on which `offset` (bytes from the beginning of `file`) stands,
/// counted from 1. `None` for binary files and for offsets behind the end.
///
/// A file in UTF-16 is text, with a byte order mark or without.
#[must_use]
pub fn line_of(file: &[u8], offset: usize) -> Option<usize> {
    let before = file.get(..offset)?;
    if let Some(text) = utf16::whole(file) {
        let units = text.units_before(offset);
        return Some(1 + memchr::memchr_iter(b'\n', units).count());
    }
    let head = &file[..file.len().min(HEAD)];
    let is_text = memchr::memchr(0, head).is_none();
    is_text.then(|| 1 + memchr::memchr_iter(b'\n', before).count())
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
