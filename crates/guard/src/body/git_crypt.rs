// SPDX-License-Identifier: MIT OR Apache-2.0
//! The key file of git-crypt 0.4 and later. The one of before is 96 random
//! bytes without any sign of what they are, and cannot be told from others.

use super::{Body, cursor::Cursor};
use crate::finding::{Format, Protection};

const MAGIC: &[u8] = b"\0GITCRYPTKEY";

/// A key file with at least one key.
pub(super) fn parse(bytes: &[u8]) -> Option<Body> {
    let mut cursor = Cursor::new(bytes.strip_prefix(MAGIC)?);
    if cursor.u32()? != 2 {
        return None;
    }
    // The header's fields, then those of the first key; each list ends with a zero.
    while field(&mut cursor)?.is_some() {}
    while let Some((id, value)) = field(&mut cursor)? {
        if id == 3 && !value.is_empty() {
            return Some(Body { format: Format::GitCrypt, protection: Protection::None, public_key: None });
        }
    }
    None
}

/// A field: its number, then its value behind its length; `Some(None)` at the end of a list.
fn field<'bytes>(cursor: &mut Cursor<'bytes>) -> Option<Option<(usize, &'bytes [u8])>> {
    match cursor.u32()? {
        0 => Some(None),
        id => Some(Some((id, cursor.long()?))),
    }
}
