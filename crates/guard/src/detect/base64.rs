// SPDX-License-Identifier: MIT OR Apache-2.0
//! Base64 without a frame around it: a value in JSON or YAML, a block of lines.
//! What it decodes to is looked at as a file would be.

use std::ops::Range;

use super::{
    reader::{Alphabet, Reader, Taken, decode},
    scan_within,
};
use crate::finding::{Finding, Wrapping};

/// The shortest run that is looked at. The smallest key in base64 has 52
/// digits; lines of base64 are 60 to 76 wide.
const SHORTEST: usize = 40;

/// What `-----BEGIN` is in base64 when it begins at an offset that leaves the
/// remainder 0, 1 or 2 by 3, without the digits that depend on what is before.
pub(crate) const PEM_IN_BASE64: [&str; 3] = ["LS0tLS1CRUdJTi", "0tLS0tQkVHSU4", "tLS0tLUJFR0lO"];

/// Where in `bytes` one of [`PEM_IN_BASE64`] stands.
pub(crate) struct Mark {
    pub(crate) at: usize,
    /// Which of them.
    pub(crate) alignment: usize,
}

impl Mark {
    /// How many digits precede the mark in its group of four.
    fn shift(&self) -> usize {
        [0, 2, 3][self.alignment]
    }
}

/// The keys in the base64 of `bytes`, except in `settled`, places in order that
/// are known already. `marks` are in order too.
pub(crate) fn keys(bytes: &[u8], marks: &[Mark], settled: &[Range<usize>], depth: u8) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut marks, mut settled) = (marks, settled);
    let mut from = 0;
    while let Some(run) = next_run(bytes, from) {
        while settled.first().is_some_and(|place| place.end <= run.start) {
            settled = &settled[1..];
        }
        if let Some(place) = settled.first().filter(|place| place.start < run.end) {
            // At least as far as the run that overlaps; a run may go on behind it.
            from = place.end;
            continue;
        }
        while marks.first().is_some_and(|mark| mark.at < run.start) {
            marks = &marks[1..];
        }
        let mut block = Block::read(bytes, run.clone());
        if block.digits.len() == 0
            && let Some(mark) = marks.first().filter(|mark| mark.at < run.end)
        {
            // A path, and base64 behind it.
            let start = run.start.max(mark.at.saturating_sub(mark.shift()));
            block = Block::read(bytes, start..run.end);
        }
        from = block.end;
        let mut inside = block.keys(before(marks, block.end), depth);
        if inside.is_empty()
            && let Some(start) = behind_a_name(bytes, &run)
        {
            let tail = Block::read(bytes, start..run.end);
            from = from.max(tail.end);
            inside = tail.keys(before(marks, tail.end), depth);
        }
        findings.append(&mut inside);
    }
    findings
}

/// The first of `marks`, as far as `end`.
fn before(marks: &[Mark], end: usize) -> &[Mark] {
    &marks[..marks.partition_point(|mark| mark.at < end)]
}

/// Where a run goes on behind its last `-` or `_`: what is before may be a name,
/// and the digits the other alphabet's.
fn behind_a_name(bytes: &[u8], run: &Range<usize>) -> Option<usize> {
    let start = run.start + memchr::memrchr2(b'-', b'_', &bytes[run.clone()])? + 1;
    (run.end - start >= SHORTEST).then_some(start)
}

/// A run of base64, together with the lines that carry it on.
struct Block {
    digits: Taken,
    /// Index of each line's first digit.
    lines: Vec<usize>,
    /// The first digit may be a patch's mark.
    patch: bool,
    end: usize,
}

impl Block {
    fn read(bytes: &[u8], run: Range<usize>) -> Self {
        let at_line_start = run.start == 0 || matches!(bytes[run.start - 1], b'\n' | b'\r');
        let patch = at_line_start && matches!(bytes[run.start], b'+' | b'-');
        let first = &bytes[run.clone()];
        let alphabet = match memchr::memchr2(b'-', b'_', &first[usize::from(patch)..]) {
            Some(_) => Alphabet::Url,
            None => Alphabet::Standard,
        };
        // A patch's mark is what its lines begin with.
        let start = run.start + usize::from(patch);
        let mut reader = Reader::new(bytes, start, start);
        let mut digits = Taken::default();
        let mut lines = vec![0];
        let width = reader.digits(alphabet, &mut digits);
        let mut end = reader.at;
        // Mixed alphabets: a path, or the like.
        if end < run.end && width < SHORTEST {
            return Self { digits: Taken::default(), lines, patch, end: run.end };
        }
        while !reader.padding() {
            let gap = reader.gap();
            if !gap.line {
                break;
            }
            let line = digits.len();
            let ahead = reader.rest().iter().take(width + 1).take_while(|byte| is_digit(**byte)).count();
            if ahead == 0 || ahead > width || !may_end_a_line(&reader.rest()[ahead..]) {
                break;
            }
            lines.push(line);
            reader.digits(alphabet, &mut digits);
            end = reader.at;
            if digits.len() - line < width {
                reader.padding();
                break;
            }
        }
        Self { digits, lines, patch, end: end.max(reader.at.min(bytes.len())).max(run.start + 1) }
    }

    fn keys(&self, marks: &[Mark], depth: u8) -> Vec<Finding> {
        let mut phases = [true, false, false, false];
        // The patch's mark may have been a digit after all.
        if self.patch {
            phases[3] = true;
        }
        for mark in marks {
            let digit = self.digits.index(mark.at);
            phases[(digit + 4 - mark.shift()) % 4] = true;
        }
        let mut findings = Vec::new();
        for phase in (0..4).filter(|phase| phases[*phase]) {
            let Some(decoded) = self.digits.decode(phase..self.digits.len()) else { continue };
            for mut finding in scan_within(&decoded, depth) {
                finding.place = self.digits.place(&finding.place, phase);
                finding.wrappings.insert(0, Wrapping::Base64);
                findings.push(finding);
            }
        }
        if findings.is_empty() && self.lines.len() > 1 {
            self.lines_alone(&mut findings, depth);
        }
        findings
    }

    /// Lines that are a key each.
    fn lines_alone(&self, findings: &mut Vec<Finding>, depth: u8) {
        let ends = self.lines.iter().skip(1).copied().chain([self.digits.len()]);
        for (start, end) in self.lines.iter().copied().zip(ends) {
            let line = &self.digits.as_bytes()[start..end];
            // DER, OpenSSH, minisign: what a key that fits on a line begins with.
            if line.len() < SHORTEST || !matches!(line[0], b'M' | b'b' | b'R') {
                continue;
            }
            let Some(decoded) = decode(line) else { continue };
            for mut finding in scan_within(&decoded, depth) {
                finding.place = self.digits.offset(start)..self.digits.offset(end - 1) + 1;
                finding.wrappings.insert(0, Wrapping::Base64);
                findings.push(finding);
            }
        }
    }
}

/// Whether digits that stand before `rest` are a line's, and not the name of a
/// value or a word among others.
fn may_end_a_line(rest: &[u8]) -> bool {
    match rest {
        [] | [b'\n' | b'\r' | b'\\' | b'=' | b'<' | b',' | b';' | b')', ..] => true,
        [b'"' | b'\'' | b'`', rest @ ..] => !rest.trim_ascii_start().starts_with(b":"),
        [b' ' | b'\t', ..] => {
            let rest = &rest[..rest.len().min(16)];
            matches!(rest.trim_ascii_start().first(), None | Some(b'\\' | b'*' | b'+'))
                || memchr::memchr2(b'\n', b'\r', rest).is_some_and(|end| rest[..end].trim_ascii().is_empty())
        }
        _ => false,
    }
}

/// The next run of digits of either alphabet from `from` on. Looks at one byte
/// in forty where there is none.
fn next_run(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let mut from = from;
    loop {
        let mut probe = from + SHORTEST - 1;
        bytes.get(probe)?;
        while !is_digit_at(bytes, probe) {
            probe += SHORTEST;
            bytes.get(probe)?;
        }
        let lowest = from.max(probe + 1 - SHORTEST);
        // The byte before `lowest` is no digit, or it is where the last run ended.
        let start = (lowest..probe).rev().find(|at| !is_digit_at(bytes, *at)).map_or(lowest, |at| at + 1);
        let dashes = |at: usize| bytes[at] == b'-' && bytes[at..].starts_with(b"----");
        let length = (start..bytes.len()).take_while(|at| is_digit_at(bytes, *at) && !dashes(*at)).count();
        let run = start..start + length;
        if run.len() >= SHORTEST {
            return Some(run.start + escape_length(bytes, run.start)..run.end);
        }
        let dashes = bytes[run.end..].iter().take_while(|byte| **byte == b'-').count();
        from = run.end + dashes.max(1);
    }
}

/// How many letters at `start` belong to an escape sequence (`\n`, `\u000a`).
fn escape_length(bytes: &[u8], start: usize) -> usize {
    match (bytes[..start].ends_with(b"\\"), bytes[start]) {
        (true, b'n' | b'r' | b't') => 1,
        (true, b'u') => 5,
        _ => 0,
    }
}

/// Also counts the backslash that some put before a slash.
fn is_digit_at(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at) {
        Some(b'\\') => bytes.get(at + 1) == Some(&b'/'),
        Some(byte) => is_digit(*byte),
        None => false,
    }
}

fn is_digit(byte: u8) -> bool {
    DIGITS[usize::from(byte)]
}

/// The digits of both alphabets.
const DIGITS: [bool; 256] = {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
    let mut table = [false; 256];
    let mut at = 0;
    while at < digits.len() {
        table[widen(digits[at])] = true;
        at += 1;
    }
    table
};

/// `usize::from`, which is not const.
const fn widen(byte: u8) -> usize {
    let mut wide = 0;
    let mut bytes = [0; size_of::<usize>()];
    bytes[0] = byte;
    wide += usize::from_le_bytes(bytes);
    wide
}
