// SPDX-License-Identifier: MIT OR Apache-2.0
//! Escape sequences of the languages in whose strings keys are kept.

/// What an escape sequence stands for.
pub(super) enum Escape {
    /// The end of a line.
    Line,
    /// A digit that the language escapes (`\/`, `\u002b`), or padding.
    Digit(u8),
    /// A quotation mark.
    Quote,
    /// White space, or a line that goes on.
    Nothing,
}

/// The escape sequence that `rest` begins with, and its length. Strings within
/// strings have several backslashes, so any number of them counts as one.
pub(super) fn escape(rest: &[u8]) -> Option<(Escape, usize)> {
    let slashes = rest.iter().take(16).take_while(|byte| **byte == b'\\').count();
    if slashes == 0 {
        return None;
    }
    Some(match rest.get(slashes)? {
        b'n' | b'r' => (Escape::Line, slashes + 1),
        b'"' | b'\'' | b'`' => (Escape::Quote, slashes + 1),
        b't' => (Escape::Nothing, slashes + 1),
        b'\n' | b'\r' => (Escape::Nothing, slashes),
        b'/' => (Escape::Digit(b'/'), slashes + 1),
        b'u' => {
            let code = std::str::from_utf8(rest.get(slashes + 1..slashes + 5)?).ok()?;
            let escape = match u8::from_str_radix(code, 16).ok()? {
                b'\n' | b'\r' => Escape::Line,
                b'"' | b'\'' => Escape::Quote,
                b' ' | b'\t' => Escape::Nothing,
                byte @ (b'+' | b'/' | b'=') => Escape::Digit(byte),
                _ => return None,
            };
            (escape, slashes + 5)
        }
        _ => return None,
    })
}
