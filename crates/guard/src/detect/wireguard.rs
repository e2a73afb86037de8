// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys in the configuration of WireGuard: 32 bytes in base64, in the sections
//! of wg, systemd.netdev or NetworkManager.

use std::ops::Range;

use super::{
    found,
    reader::{Alphabet, Reader, Taken},
};
use crate::finding::{Certainty, Finding, Format};

/// The names of the secret values, as wg, systemd and NetworkManager write them.
pub(crate) const NAMES: [&str; 4] = ["PrivateKey", "PresharedKey", "private-key=", "preshared-key="];

const SECTIONS: [&[u8]; 5] = [b"Interface", b"Peer", b"WireGuard", b"WireGuardPeer", b"wireguard"];
/// Sections are shorter than this.
const WINDOW: usize = 4096;
/// Of 32 bytes in base64.
const DIGITS: usize = 43;

/// Reads the value of `name`, if it is in a section of WireGuard's.
pub(crate) fn key(bytes: &[u8], name: &Range<usize>) -> Option<Finding> {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    let mut at = name.end;
    at += bytes[at..].iter().take(64).take_while(blank).count();
    if bytes[..name.end].ends_with(b"=") {
        at = name.end;
    } else if bytes.get(at) == Some(&b'=') {
        at += 1;
    } else {
        return None;
    }
    at += bytes[at..].iter().take(64).take_while(blank).count();
    let mut reader = Reader::new(bytes, at, at);
    let mut digits = Taken::default();
    if reader.digits(Alphabet::Standard, &mut digits) != DIGITS || !reader.padding() {
        return None;
    }
    let decoded = digits.decode(0..DIGITS)?;
    // An example, or "no key" of wg itself.
    if decoded.iter().all(|byte| *byte == decoded[0]) || !in_section(bytes, name.start) {
        return None;
    }
    Some(found(Format::WireGuard, Certainty::Parsed, name.start..reader.at))
}

/// Whether the last section heading before `at` is one of WireGuard's.
fn in_section(bytes: &[u8], at: usize) -> bool {
    let window = &bytes[at.saturating_sub(WINDOW)..at];
    let Some(open) = memchr::memrchr(b'[', window) else { return false };
    let heading = &window[open + 1..];
    let peer = heading.starts_with(b"wireguard-peer.");
    peer || SECTIONS.iter().any(|name| heading.strip_prefix(*name).is_some_and(|rest| rest.starts_with(b"]")))
}
