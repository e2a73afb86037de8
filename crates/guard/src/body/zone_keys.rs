// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys of a certkeep zone as `certkeep store export-key` writes them, and
//! as they are wrapped for a member. They are text, so they may stand in a
//! longer one.

use std::ops::Range;

use memchr::memmem;

use super::Body;
use crate::finding::{Format, Protection};

/// The first line.
pub(crate) const MARK: &str = "certkeep zone keys 1";
const HEADER: &[u8] = MARK.as_bytes();
/// Hexadecimal digits of a store's id and of a key.
const STORE: usize = 32;
const KEY: usize = 64;
/// Bytes of the longest line there is, one of git-crypt, and more.
const LONGEST_LINE: usize = 512;

/// Text that is nothing else.
pub(super) fn parse(bytes: &[u8]) -> Option<Body> {
    (bytes.starts_with(HEADER) && end(bytes).is_some()).then(body)
}

/// What is said of them.
fn body() -> Body {
    Body { format: Format::CertkeepKeys, protection: Protection::None, public_key: None }
}

/// Where in `text` exported keys stand: from the header to the end of the last key.
pub(crate) fn places(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut past = 0;
    memmem::find_iter(text, HEADER).filter_map(move |start| {
        if start < past {
            return None;
        }
        past = start + end(text.get(start..)?)?;
        Some(start..past)
    })
}

/// Where keys that begin with the header end; `None` if not one key follows.
fn end(text: &[u8]) -> Option<usize> {
    let (mut at, mut last) = (0, None);
    for number in 0_usize.. {
        let ahead = text.get(at..).unwrap_or_default();
        let ahead = ahead.get(..LONGEST_LINE).unwrap_or(ahead);
        let length = memchr::memchr(b'\n', ahead).map_or(ahead.len(), |newline| newline + 1);
        let (start, line) = (at, ahead.get(..length).unwrap_or_default());
        at += length;
        let trimmed = line.trim_ascii();
        let words: Vec<&[u8]> = trimmed.split(|byte| byte.is_ascii_whitespace()).take(7).collect();
        let good = match (number, words.as_slice()) {
            (0, _) => trimmed == HEADER,
            (1, [b"store", id]) => is_hex(id, STORE),
            (2, [b"zone", name]) => !name.is_empty(),
            (3.., [b"epoch", epoch, key]) => {
                !epoch.is_empty() && epoch.iter().all(u8::is_ascii_digit) && is_hex(key, KEY)
            }
            (4.., [b"git-crypt", _, aes, hmac]) => is_hex(aes, 64) && is_hex(hmac, 128),
            _ => false,
        };
        if !good {
            break;
        }
        if number >= 3 {
            last = Some(start + line.trim_ascii_end().len());
        }
    }
    last
}

fn is_hex(word: &[u8], length: usize) -> bool {
    word.len() == length && word.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exported_keys_are_found_between_other_lines() {
        let key = "0".repeat(KEY);
        let keys = format!(
            "certkeep zone keys 1\nstore {}\nzone ca\nepoch 1 {key}\nepoch 2 {key}",
            "a".repeat(STORE)
        );
        assert!(parse(keys.as_bytes()).is_some());
        let text = format!("a note\n  {}\nmore\n\n{keys}\n", keys.replace('\n', "\r\n  "));
        let places: Vec<_> = places(text.as_bytes()).collect();
        assert_eq!(places.len(), 2);
        assert_eq!(places[1], text.len() - 1 - keys.len()..text.len() - 1);
        assert!(text[places[0].clone()].ends_with(&key));
    }

    #[test]
    fn the_header_alone_is_no_key() {
        for text in [
            "certkeep zone keys 1\n",
            "certkeep zone keys 1\nstore 40…\nzone keys\nepoch 1 000102…1f\n",
            "begins with `certkeep zone keys 1`, then",
        ] {
            assert_eq!(places(text.as_bytes()).count(), 0, "{text}");
        }
    }
}
