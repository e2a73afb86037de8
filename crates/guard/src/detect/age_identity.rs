// SPDX-License-Identifier: MIT OR Apache-2.0
//! age's identities: bech32 strings in capitals, with the checksum of BIP 173.

use std::ops::Range;

use bech32::{Bech32, primitives::decode::CheckedHrpstring};

use super::found;
use crate::finding::{Certainty, Finding, Format, Protection};

/// What the identities in files begin with, X25519 or post-quantum.
pub(crate) const SECRET: &str = "AGE-SECRET-KEY-";
/// What the identities of plugins begin with.
pub(crate) const PLUGIN: &str = "AGE-PLUGIN-";

/// The longest identity that is read.
const LONGEST: usize = 8192;
/// With fewer characters behind its prefix it is the prefix that is spoken of.
const LEAST: usize = 16;

/// Reads the identity that begins with `mark`.
pub(crate) fn identity(bytes: &[u8], mark: &Range<usize>) -> Option<Finding> {
    let rest = &bytes[mark.start..];
    let is_prefix = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'-';
    let prefix = rest.iter().take(128).take_while(is_prefix).count();
    let one = 1 + memchr::memmem::find(&rest[..prefix], b"-1")?;
    let data = rest[one + 1..].iter().take(LONGEST).take_while(|byte| is_data(**byte)).count();
    if data < LEAST {
        return None;
    }
    let text = &rest[..one + 1 + data];
    let plugin = rest.starts_with(PLUGIN.as_bytes());
    let parsed = !plugin && is_secret(text);
    let certainty = if parsed { Certainty::Parsed } else { Certainty::Suspected };
    let mut finding = found(Format::Age, certainty, mark.start..mark.start + text.len());
    if plugin {
        finding.protection = Protection::Device;
    }
    Some(finding)
}

/// 32 bytes behind one of the two prefixes.
fn is_secret(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    CheckedHrpstring::new::<Bech32>(text).is_ok_and(|checked| {
        let prefix = checked.hrp().to_string().to_ascii_uppercase();
        matches!(prefix.as_str(), "AGE-SECRET-KEY-" | "AGE-SECRET-KEY-PQ-")
            && checked.byte_iter().count() == 32
    })
}

/// The characters of bech32 in capitals.
fn is_data(byte: u8) -> bool {
    b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".contains(&byte)
}
