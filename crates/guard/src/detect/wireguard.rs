// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys in the configuration of WireGuard: 32 bytes in base64, in the sections
//! of wg, systemd.netdev or NetworkManager. Names are read in letters of any
//! case, as wg does.

use std::ops::Range;

use super::{
    found,
    reader::{Alphabet, Reader, Taken},
};
use crate::finding::{Certainty, Finding, Format};

/// The names of the secret values, as wg and systemd or NetworkManager have them.
const NAMES: [&[u8]; 4] = [b"PrivateKey", b"PresharedKey", b"private-key", b"preshared-key"];

const SECTIONS: [&[u8]; 4] = [b"Interface]", b"Peer]", b"WireGuard]", b"WireGuardPeer]"];
/// NetworkManager's sections of peers go on with a public key.
const PEER: &[u8] = b"wireguard-peer.";
/// Sections are shorter than this.
const WINDOW: usize = 16 << 10;
/// Of 32 bytes in base64.
const DIGITS: usize = 43;
/// Between a name, its sign and its value, and before a heading.
const MOST_BLANKS: usize = 64;

/// Finds the keys in the sections of WireGuard. No section reaches into the
/// next, so that the time is linear.
pub(crate) fn keys(bytes: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for open in memchr::memchr_iter(b'[', bytes) {
        if !is_heading(&bytes[open + 1..]) {
            continue;
        }
        let window = &bytes[..bytes.len().min(open + WINDOW)];
        let mut others = memchr::memchr_iter(b'[', &window[open + 1..]).map(|at| open + 1 + at);
        let ends = |at: &usize| is_heading(&window[at + 1..]) || begins_a_line(window, *at);
        let section = open..others.find(ends).unwrap_or(window.len());
        let signs = memchr::memchr_iter(b'=', &bytes[section.clone()]).map(|at| section.start + at);
        findings.extend(signs.filter_map(|sign| key(bytes, section.start, sign)));
    }
    findings
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn begins_with(text: &[u8], name: &[u8]) -> bool {
    text.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name))
}

/// Whether what stands behind a bracket is the heading of a section of WireGuard's.
fn is_heading(text: &[u8]) -> bool {
    begins_with(text, PEER) || SECTIONS.iter().any(|name| begins_with(text, name))
}

/// Whether nothing but blanks stands before `at` on its line; an address, a
/// reference or a command in brackets is no heading.
fn begins_a_line(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[..at];
    let blanks = before.iter().rev().take(MOST_BLANKS).take_while(|byte| is_blank(**byte)).count();
    let before = &before[..at - blanks];
    match before {
        [] | [.., b'\n' | b'\r'] | [.., b'\\', b'n'] => true,
        // In a program's source, where a string begins.
        [.., b'"' | b'\''] => is_named(&bytes[at + 1..]),
        _ => false,
    }
}

/// Whether a word and a closing bracket follow.
fn is_named(text: &[u8]) -> bool {
    let word = text.iter().take(MOST_BLANKS).take_while(|byte| byte.is_ascii_alphabetic()).count();
    word > 0 && text.get(word) == Some(&b']')
}

/// Reads the key of which `sign` is the equals sign.
fn key(bytes: &[u8], section: usize, sign: usize) -> Option<Finding> {
    let name = name(bytes, section, sign)?;
    let mut at = sign + 1;
    at += bytes[at..].iter().take(MOST_BLANKS).take_while(|byte| is_blank(**byte)).count();
    let mut reader = Reader::new(bytes, at, at);
    let mut digits = Taken::default();
    if reader.digits(Alphabet::Standard, &mut digits) != DIGITS || !reader.padding() {
        return None;
    }
    let decoded = digits.decode(0..DIGITS)?;
    // An example, or "no key" of wg itself.
    if decoded.iter().all(|byte| *byte == decoded[0]) {
        return None;
    }
    Some(found(Format::WireGuard, Certainty::Parsed, name.start..reader.at))
}

/// The name before an equals sign, if it is a secret value's.
fn name(bytes: &[u8], section: usize, sign: usize) -> Option<Range<usize>> {
    let before = &bytes[section..sign];
    let blanks = before.iter().rev().take(MOST_BLANKS).take_while(|byte| is_blank(**byte)).count();
    let before = &before[..before.len() - blanks];
    let start = NAMES.iter().find_map(|name| {
        let start = before.len().checked_sub(name.len())?;
        before[start..].eq_ignore_ascii_case(name).then_some(start)
    })?;
    Some(section + start..section + before.len())
}
