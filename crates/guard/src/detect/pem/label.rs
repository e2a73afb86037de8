// SPDX-License-Identifier: MIT OR Apache-2.0
//! The first line of a block, and what its label promises.

use std::ops::Range;

use crate::finding::{Format, Protection};

/// The line that begins a block.
pub(super) struct Opening<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) label: &'a [u8],
}

/// The line around `name`, if it begins a block.
pub(super) fn opening<'a>(bytes: &'a [u8], name: &Range<usize>) -> Option<Opening<'a>> {
    let mut end = name.end;
    if bytes[end..].starts_with(b" BLOCK") {
        end += b" BLOCK".len();
    }
    let label_end = end;
    end += usize::from(bytes.get(end) == Some(&b' '));
    let dashes = bytes[end..].iter().take(5).take_while(|byte| **byte == b'-').count();
    if dashes < 4 {
        return None;
    }
    // Longer labels than this are in no use.
    let window = name.start.saturating_sub(80);
    let begin = window + memchr::memmem::rfind(&bytes[window..name.start], b"BEGIN ")?;
    let label = &bytes[begin + b"BEGIN ".len()..label_end];
    if memchr::memmem::find(label, b"--").is_some() || !label.iter().all(|byte| matches!(byte, b' '..=b'z')) {
        return None;
    }
    // ssh.com has four dashes and a space.
    let (before, most) = match bytes[..begin].ends_with(b" ") {
        true => (begin - 1, 4),
        false => (begin, 5),
    };
    let dashes_before = bytes[..before].iter().rev().take(most).take_while(|byte| **byte == b'-').count();
    (dashes_before >= 4).then_some(Opening { start: before - dashes_before, end: end + dashes, label })
}

/// What a block's label promises.
pub(super) fn named(label: &[u8]) -> (Format, Protection) {
    let has = |word: &[u8]| memchr::memmem::find(label, word).is_some();
    let format = match label {
        b"PRIVATE KEY" => Format::Pkcs8,
        b"ENCRYPTED PRIVATE KEY" => return (Format::EncryptedPkcs8, Protection::Passphrase),
        b"RSA PRIVATE KEY" => Format::Pkcs1,
        b"EC PRIVATE KEY" => Format::Sec1,
        b"DSA PRIVATE KEY" => Format::Dsa,
        b"OPENSSH PRIVATE KEY" => Format::OpenSsh,
        b"PGP PRIVATE KEY BLOCK" => Format::OpenPgp,
        b"SSH2 ENCRYPTED PRIVATE KEY" => Format::Ssh2,
        _ if label.starts_with(b"OpenVPN ") => Format::OpenVpn,
        _ => Format::OtherPem,
    };
    let protection = match () {
        () if has(b"TSS2") => Protection::Device,
        () if format == Format::OtherPem && has(b"ENCRYPTED") => Protection::Passphrase,
        () => Protection::None,
    };
    (format, protection)
}
