// SPDX-License-Identifier: MIT OR Apache-2.0
//! Passphrases in easy-rsa's vars and in environments for it:
//! `EASYRSA_PASSIN` and `EASYRSA_PASSOUT` with the word itself (`pass:…`).

use std::ops::Range;

use super::found;
use crate::finding::{Certainty, Finding, Format};

/// What both names begin with.
pub(crate) const MARK: &str = "EASYRSA_PASS";

/// Reads the setting that begins with `mark`. Comments, variables and words in
/// the middle of a text are none.
pub(crate) fn passphrase(bytes: &[u8], mark: &Range<usize>) -> Option<Finding> {
    let rest = &bytes[mark.end..];
    let name = if rest.starts_with(b"IN") {
        2
    } else if rest.starts_with(b"OUT") {
        3
    } else {
        return None;
    };
    if !is_setting(bytes, mark.start) {
        return None;
    }
    let between = rest[name..].iter().take(16).take_while(|byte| b" \t=:\"'\\".contains(byte)).count();
    if between == 0 {
        return None;
    }
    let value = rest[name + between..].strip_prefix(b"pass:")?;
    let word = value.iter().take(1024).take_while(|byte| !b"\"'\r\n\t `\\".contains(byte)).count();
    let is_template = matches!(value.first(), Some(b'$' | b'<' | b'{' | b'%')) || value.starts_with(b"...");
    if word == 0 || is_template {
        return None;
    }
    let end = mark.end + name + between + b"pass:".len() + word;
    Some(found(Format::VarsPassphrase, Certainty::Parsed, mark.start..end))
}

/// Whether the line up to the name makes a setting of it.
fn is_setting(bytes: &[u8], name: usize) -> bool {
    let window = name.saturating_sub(64);
    let before = &bytes[window..name];
    let line = match memchr::memrchr2(b'\n', b'\r', before) {
        Some(end) => &before[end + 1..],
        None if window == 0 => before,
        None => return false,
    };
    // The end of a line may be written `\n`.
    let line = match memchr::memmem::rfind(line, b"\\n") {
        Some(end) => &line[end + 2..],
        None => line,
    };
    let words = |byte: &u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'=' | b';' | b'{' | b',');
    line.split(words).filter(|word| !word.is_empty()).all(|word| {
        const COMMANDS: [&[u8]; 10] =
            [b"set_var", b"export", b"setenv", b"set", b"ENV", b"ARG", b"-", b"-e", b"--env", b"env"];
        COMMANDS.contains(&word)
    })
}
