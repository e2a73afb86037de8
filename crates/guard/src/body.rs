// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes that are a key as a whole: DER, and the binary formats that begin
//! with a magic. What is around them (PEM, base64, archives) is `detect`'s.

use certkeep_pki::key::PublicKey;

use crate::finding::{Format, Protection};

/// A key that was parsed.
pub(crate) struct Body {
    /// What it is.
    pub(crate) format: Format,
    /// Whether a passphrase stands before it.
    pub(crate) protection: Protection,
    /// Its public half, if that can be told.
    pub(crate) public_key: Option<PublicKey>,
}

/// Tells which private key `bytes` are, if they are one from their first byte
/// to (nearly) their last.
pub(crate) fn parse(bytes: &[u8]) -> Option<Body> {
    let _ = bytes;
    None
}
