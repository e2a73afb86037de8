// SPDX-License-Identifier: MIT OR Apache-2.0
//! PEM as it is found in the wild: text before, between and after the blocks
//! (openssl and easy-rsa write a dump in front of certificates), CRLF, lines of
//! any width, several blocks in a file. Strict about what is inside a block.
//!
//! Printing is RFC 7468: 64 characters a line.

use base64ct::{Base64, Encoding};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::secret::SecretBytes;

/// A block between `-----BEGIN` and `-----END`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// What the block says it holds, such as `CERTIFICATE`.
    pub label: &'a str,
    /// Everything between the two lines.
    pub body: &'a str,
}

/// Why a file is not PEM.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PemError {
    /// A block that begins and does not end, or ends under another label.
    #[error("the block `{}` does not end", .0.escape_debug())]
    Unterminated(String),
    /// The body is not base64.
    #[error("the block `{}` is not base64", .0.escape_debug())]
    Base64(String),
}

/// The blocks of a file, in order; none if there is no PEM in it.
///
/// # Errors
///
/// [`PemError::Unterminated`].
pub fn blocks(text: &str) -> Result<Vec<Block<'_>>, PemError> {
    const BEGIN: &str = "-----BEGIN ";
    const DASHES: &str = "-----";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(position) = find_at_line_start(rest, BEGIN) {
        let after = &rest[position + BEGIN.len()..];
        let line = after.lines().next().unwrap_or_default();
        let inside = &after[line.len()..];
        let Some(label) = line.trim_end().strip_suffix(DASHES) else {
            // Nothing further on this line ends in dashes either.
            rest = inside;
            continue;
        };
        let end = format!("-----END {label}{DASHES}");
        let length =
            find_at_line_start(inside, &end).ok_or_else(|| PemError::Unterminated(label.to_owned()))?;
        found.push(Block { label, body: &inside[..length] });
        rest = &inside[length + end.len()..];
    }
    Ok(found)
}

impl Block<'_> {
    /// The bytes of the block, zeroised on drop: the block may be a key.
    ///
    /// # Errors
    ///
    /// [`PemError::Base64`], also for a block with RFC 1421 headers.
    pub fn decode(&self) -> Result<Zeroizing<Vec<u8>>, PemError> {
        let mut digits = Zeroizing::new(Vec::with_capacity(self.body.len()));
        self.collect_digits(&mut digits);
        self.decode_digits(&digits).map(Zeroizing::new)
    }

    /// The bytes of a block that is no key.
    fn decode_public(&self) -> Result<Vec<u8>, PemError> {
        let mut digits = Vec::with_capacity(self.body.len());
        self.collect_digits(&mut digits);
        self.decode_digits(&digits)
    }

    /// The body without white space; `digits` has room for all of it.
    fn collect_digits(&self, digits: &mut Vec<u8>) {
        for line in self.body.as_bytes().split(|byte| *byte == b'\n') {
            let line = line.trim_ascii();
            // Every byte is looked at, which is faster than to stop at the first.
            if line.iter().fold(false, |found, byte| found | byte.is_ascii_whitespace()) {
                digits.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
            } else {
                digits.extend_from_slice(line);
            }
        }
    }

    fn decode_digits(&self, digits: &[u8]) -> Result<Vec<u8>, PemError> {
        let bad = || PemError::Base64(self.label.to_owned());
        let text = std::str::from_utf8(digits).map_err(|_| bad())?;
        Base64::decode_vec(text).map_err(|_| bad())
    }
}

/// Prints one block for public contents.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let digits = Base64::encode_string(der);
    for start in (0..digits.len()).step_by(64) {
        text.push_str(&digits[start..digits.len().min(start + 64)]);
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// Prints one block for secret contents; no copy of them stays behind.
#[must_use]
pub fn encode_secret(label: &str, der: &[u8]) -> SecretBytes {
    let length = Base64::encoded_len(der);
    let mut digits = Zeroizing::new(vec![0; length]);
    let digits = Base64::encode(der, &mut digits).expect("the buffer has the length that was asked for");
    // Sized before it is filled: a growing buffer leaves copies.
    let mut text = Vec::with_capacity(length + length / 64 + 2 * label.len() + 64);
    text.extend_from_slice(format!("-----BEGIN {label}-----\n").as_bytes());
    for line in digits.as_bytes().chunks(64) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(format!("-----END {label}-----\n").as_bytes());
    SecretBytes::new(text)
}

/// The DER in `file`, which is public: the first block with one of `labels`, or the file itself
/// where it holds no PEM at all (it is DER then, or nothing that a parser takes).
///
/// # Errors
///
/// [`PemError`] for broken blocks; `Ok(None)` if there are blocks with other labels only.
pub fn first(file: &[u8], labels: &[&str]) -> Result<Option<Vec<u8>>, PemError> {
    let text = String::from_utf8_lossy(file);
    let all = blocks(&text)?;
    if all.is_empty() {
        return Ok(Some(file.to_vec()));
    }
    let block = all.iter().find(|block| labels.contains(&block.label));
    block.map(Block::decode_public).transpose()
}

/// Where `pattern` begins the first line that it does begin, white space aside.
/// One pass; the start of `text` counts as that of a line.
fn find_at_line_start(text: &str, pattern: &str) -> Option<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start();
        if content.starts_with(pattern) {
            return Some(start + line.len() - content.len());
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_around_blocks_is_skipped() {
        let file = format!(
            "Certificate:\n  Data -----BEGIN x\n{}between\r\n{}",
            encode("A", b"one"),
            encode("B", &[7; 100]).replace('\n', "\r\n")
        );
        let blocks = blocks(&file).expect("valid");
        let read: Vec<_> =
            blocks.iter().map(|block| (block.label, block.decode().expect("base64").to_vec())).collect();
        assert_eq!(read, [("A", b"one".to_vec()), ("B", vec![7; 100])]);
    }

    #[test]
    fn broken_blocks_are_named() {
        assert_eq!(blocks("-----BEGIN A-----\nAAAA\n"), Err(PemError::Unterminated("A".to_owned())));
        assert_eq!(
            blocks("-----BEGIN A-----\n-----END B-----\n"),
            Err(PemError::Unterminated("A".to_owned()))
        );
        let bad = "-----BEGIN A-----\n****\n-----END A-----\n";
        assert_eq!(blocks(bad).expect("a block")[0].decode(), Err(PemError::Base64("A".to_owned())));
    }

    #[test]
    fn a_file_without_blocks_is_taken_as_der() {
        assert_eq!(first(b"0\x03\x02\x01\x05", &["A"]), Ok(Some(b"0\x03\x02\x01\x05".to_vec())));
        assert_eq!(first(encode("A", b"x").as_bytes(), &["B"]), Ok(None));
    }

    #[test]
    fn a_line_that_begins_over_and_over_takes_no_longer_than_its_length() {
        const BEGIN: &str = "-----BEGIN ";
        let begins = BEGIN.repeat((16 << 20) / BEGIN.len());
        let began = std::time::Instant::now();
        for start in ["x", "", " "] {
            assert_eq!(blocks(&format!("{start}{begins}")), Ok(Vec::new()));
        }
        let label = begins.clone();
        let unterminated = format!("-----BEGIN {label}-----\n{begins}\n");
        assert_eq!(blocks(&unterminated), Err(PemError::Unterminated(label)));
        // Far more than one pass takes, far less than one pass for each of them.
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    }

    #[test]
    fn blocks_may_be_indented_and_follow_each_other_on_a_line() {
        let file = "x -----BEGIN A-----\n-----BEGIN A -----BEGIN B\n \t-----BEGIN C-----\r\nx -----END C-----\n\
                    AAAA\n  -----END C----- -----BEGIN D----- \n-----END D-----x";
        let labels: Vec<_> = blocks(file).expect("valid").iter().map(|block| block.label).collect();
        assert_eq!(labels, ["C", "D"]);
    }

    proptest! {
        #[test]
        fn encoding_round_trips(der in proptest::collection::vec(any::<u8>(), 1..200)) {
            prop_assert_eq!(first(encode("X", &der).as_bytes(), &["X"]), Ok(Some(der)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(-----(BEGIN|END) [AB]-----|[\\n\\r ]|[A-Za-z=]|\\PC){0,12}") {
            for block in blocks(&text).unwrap_or_default() {
                let _ = block.decode();
            }
        }
    }
}
