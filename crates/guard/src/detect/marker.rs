// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inline marker: `certkeep:allow-key REASON` on the line on which a key
//! begins, or on the line before. The reason is required, one word at least; it
//! ends with the line, with a comment, or where a key begins. A marker is for one
//! key: a second one on the line needs a second marker.

use std::collections::{HashMap, VecDeque};

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
    let mut reasons: HashMap<usize, VecDeque<String>> = HashMap::new();
    for marker in memchr::memmem::find_iter(bytes, MARKER) {
        let next = findings.partition_point(|finding| finding.place.start < marker);
        let limit = findings.get(next).map_or(bytes.len(), |finding| finding.place.start);
        if let Some(reason) = reason(&bytes[marker + MARKER.len()..limit.max(marker + MARKER.len())]) {
            reasons.entry(lines.number(marker)).or_default().push_back(reason);
        }
    }
    if reasons.is_empty() {
        return;
    }
    let mut lines = Lines { bytes, at: 0, line: 0 };
    for finding in findings {
        let line = lines.number(finding.place.start);
        let mut take = |line: usize| reasons.get_mut(&line).and_then(VecDeque::pop_front);
        finding.allowed = match line.checked_sub(1) {
            Some(before) => take(line).or_else(|| take(before)),
            None => take(line),
        };
    }
}

/// Counts lines forward; LF, CR LF and CR alone end one.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of `offset`, from 0; no offset is less than the one before.
    fn number(&mut self, offset: usize) -> usize {
        let is_end = |at: &usize| self.bytes[*at] == b'\n' || self.bytes.get(at + 1) != Some(&b'\n');
        let ends = memchr::memchr2_iter(b'\n', b'\r', &self.bytes[self.at..offset]);
        self.line += ends.map(|end| self.at + end).filter(is_end).count();
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
