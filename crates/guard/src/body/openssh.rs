// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenSSH's own private key file, `openssh-key-v1`, without its PEM.

use super::{Body, cursor::Cursor};
use crate::{
    finding::{Format, Protection},
    ssh_public,
};

const MAGIC: &[u8] = b"openssh-key-v1\0";
/// Keys that need a FIDO token for every signature.
const TOKEN: &[u8] = b"sk-";
/// Keys in one file; ssh-keygen writes one.
const MOST_KEYS: usize = 1024;

/// A key file; the public half is that of its first key.
pub(super) fn parse(bytes: &[u8]) -> Option<Body> {
    let mut cursor = Cursor::new(bytes.strip_prefix(MAGIC)?);
    let (cipher, _function, _options) = (cursor.long()?, cursor.long()?, cursor.long()?);
    let count = cursor.u32().filter(|count| (1..=MOST_KEYS).contains(count))?;
    let first = cursor.long()?;
    for _ in 1..count {
        cursor.long()?;
    }
    // Ciphers with a tag (AES-GCM) have it after the field.
    cursor.long().filter(|private| private.len() >= 8)?;
    let device = Cursor::new(first).long().is_some_and(|kind| kind.starts_with(TOKEN));
    let protection = match cipher {
        _ if device => Protection::Device,
        b"none" => Protection::None,
        _ => Protection::Passphrase,
    };
    Some(Body { format: Format::OpenSsh, protection, public_key: ssh_public::public_key(first) })
}
