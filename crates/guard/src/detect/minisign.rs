// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secret keys of minisign and signify: one line of base64 behind a comment.
//! Here are the bytes that the line decodes to.

use certkeep_pki::key::PublicKey;

use crate::{
    body::Body,
    finding::{Format, Protection},
    public_half::{self, Curve},
};

/// Reads a secret key of either program.
pub(crate) fn parse(bytes: &[u8]) -> Option<Body> {
    let (protection, public_key) = match (bytes.first_chunk()?, bytes.len()) {
        // minisign: algorithm, key derivation, checksum algorithm, salt (32),
        // limits (8 and 8), key id (8), secret key (64), checksum (32).
        (b"EdScB2", 158) => (Protection::Passphrase, None),
        (b"Ed\0\0B2", 158) => (Protection::None, ed25519(&bytes[94..126])),
        // signify: algorithm, key derivation, its rounds (4), salt (16),
        // checksum (8), key number (8), secret key (64).
        ([b'E', b'd', b'B', b'K', rounds @ ..], 104) => {
            let rounds = [rounds[0], rounds[1], bytes[6], bytes[7]];
            match u32::from_be_bytes(rounds) {
                0 => (Protection::None, ed25519(&bytes[72..104])),
                _ => (Protection::Passphrase, None),
            }
        }
        _ => return None,
    };
    Some(Body { format: Format::Minisign, protection, public_key })
}

/// The second half of a secret key of Ed25519 is the public key.
fn ed25519(public: &[u8]) -> Option<PublicKey> {
    public_half::ec(Curve::Ed25519, public)
}
