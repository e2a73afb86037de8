// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes that are a key as a whole: DER, and the binary formats that begin
//! with a magic. What is around them (PEM, base64, archives) is `detect`'s.

mod asn1;
mod ber;
mod cursor;
mod git_crypt;
mod gnupg;
mod keystore;
mod nss;
mod openpgp;
mod openssh;
mod pkcs12;
mod public;
mod s_expression;
pub(crate) mod zone_keys;

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
///
/// What is not a key is mostly told from the first bytes; the time is linear
/// in the length at worst.
pub(crate) fn parse(bytes: &[u8]) -> Option<Body> {
    match *bytes.first()? {
        0x30 => asn1::parse(bytes).or_else(|| pkcs12::parse(bytes)),
        b'o' => openssh::parse(bytes),
        b'(' => gnupg::parse(bytes),
        b'S' if nss::is_sqlite(bytes) => nss::parse(bytes),
        0x80.. => keystore::parse(bytes).or_else(|| openpgp::parse(bytes)),
        0 => git_crypt::parse(bytes)
            .or_else(|| keystore::parse_bouncy_castle(bytes))
            .or_else(|| nss::parse_key3(bytes)),
        _ => gnupg::parse_extended(bytes)
            .or_else(|| nss::parse_key3(bytes))
            .or_else(|| zone_keys::parse(bytes)),
    }
}
