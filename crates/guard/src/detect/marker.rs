// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inline marker: `certkeep:allow-key REASON` on the line on which a key
//! begins, or on the line before. The reason is required, one word at least; it
//! ends with the line, with a comment, or where a key begins.

use std::collections::HashMap;

use crate::finding::Finding;

const MARKER: &[u8] = b"certkeep:allow-key";
/// Of a reason this many bytes are kept.
const LONGEST: usize = 200;
/// No word of a reason is longer; a key may be.
const LONGEST_WORD: usize = 32;

/// Notes the reasons given in `bytes` at `findings`, which are in the order of
/// their places.
pub(crate) fn allow(bytes: &[u8], findings: &mut [Finding]) {
    if findings.is_empty() {
        return;
    }
    let mut lines = Lines { bytes, at: 0, line: 0 };
    let mut reasons = HashMap::new();
    for marker in memchr::memmem::find_iter(bytes, MARKER) {
        let next = findings.partition_point(|finding| finding.place.start < marker);
        let limit = findings.get(next).map_or(bytes.len(), |finding| finding.place.start);
        if let Some(reason) = reason(&bytes[marker + MARKER.len()..limit.max(marker + MARKER.len())]) {
            reasons.insert(lines.number(marker), reason);
        }
    }
    if reasons.is_empty() {
        return;
    }
    let mut lines = Lines { bytes, at: 0, line: 0 };
    for finding in findings {
        let line = lines.number(finding.place.start);
        let before = || line.checked_sub(1).and_then(|before| reasons.get(&before));
        finding.allowed = reasons.get(&line).or_else(before).cloned();
    }
}

/// Counts lines forward.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of `offset`, from 0; no offset is less than the one before.
    fn number(&mut self, offset: usize) -> usize {
        self.line += memchr::memchr_iter(b'\n', &self.bytes[self.at..offset]).count();
        self.at = offset;
        self.line
    }
}

/// The words behind a marker.
fn reason(rest: &[u8]) -> Option<String> {
    let rest = &rest[..rest.len().min(LONGEST)];
    let line = &rest[..memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())];
    if !line.first().is_some_and(u8::is_ascii_whitespace) {
        return None;
    }
    let line = String::from_utf8_lossy(line);
    let end = ["*/", "-->", "\\n", "\"", "-----"].iter().filter_map(|end| line.find(end)).min();
    let words = line[..end.unwrap_or(line.len())].split_whitespace();
    let words: Vec<&str> = words.take_while(|word| word.len() <= LONGEST_WORD).collect();
    let reason = words.join(" ");
    reason.contains(char::is_alphanumeric).then_some(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_ends_where_the_comment_does() {
        let told = |text: &str| reason(text.as_bytes());
        assert_eq!(told(" a test's key */ more"), Some("a test's key".to_owned()));
        assert_eq!(told(" throw-away -->\nnext"), Some("throw-away".to_owned()));
        assert_eq!(told(" for tests\", \"key\": \"x\""), Some("for tests".to_owned()));
        assert_eq!(told(&format!(" see {}", "A".repeat(40))), Some("see".to_owned()));
    }

    #[test]
    fn without_a_word_nothing_is_allowed() {
        for text in ["", " ", "\nreason", " */ reason", " -- ", "s reason", ": reason"] {
            assert_eq!(reason(text.as_bytes()), None, "{text}");
        }
    }
}
