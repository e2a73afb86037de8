// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secret key and subkey packets of OpenPGP (RFC 9580; versions 2 to 6, the
//! fifth being GnuPG's). Packets before them are skipped. A stub, which says
//! that the key is on a card or was left out, is no key.

use certkeep_pki::key::PublicKey;
use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use super::{Body, cursor::Cursor, public};
use crate::{
    finding::{Format, Protection},
    public_half::{self, Curve},
};

/// Packets that are skipped before the first key; exports have some dozens.
const MOST_PACKETS: usize = 4096;
/// Bits of the longest number in a key.
const LONGEST_NUMBER: usize = 1 << 15;

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// GnuPG's name of Ed25519 before it had one (1.3.6.1.4.1.11591.15.1).
const GNU_ED25519: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

/// Packets with at least one secret key in them. The public half is that of the first.
pub(super) fn parse(bytes: &[u8]) -> Option<Body> {
    let mut cursor = Cursor::new(bytes);
    let mut found: Option<Body> = None;
    for number in 0..MOST_PACKETS {
        let Some((tag, body)) = packet(&mut cursor) else { break };
        let known = matches!(tag, 1..=14 | 17..=21 | 60..=63);
        if !known || (number == 0 && !matches!(tag, 2 | 5 | 6 | 7 | 10 | 12 | 13 | 14)) {
            break;
        }
        if !matches!(tag, 5 | 7) {
            continue;
        }
        // What is no key where one should be makes what follows unbelievable.
        let Some(head) = head(&body) else { break };
        if is_stub(&head) {
            continue;
        }
        let Some(key) = secret_key(head) else { break };
        found = Some(match found {
            Some(first) if first.protection == Protection::None => first,
            Some(first) => Body { protection: key.protection, ..first },
            None => key,
        });
    }
    found
}

/// The next packet: its tag and its body (RFC 9580 section 4.2).
fn packet(cursor: &mut Cursor<'_>) -> Option<(u8, Zeroizing<Vec<u8>>)> {
    let header = cursor.u8().filter(|header| header & 0x80 != 0)?;
    if header & 0x40 == 0 {
        let length = match header & 3 {
            0 => usize::from(cursor.u8()?),
            1 => cursor.u16()?,
            2 => cursor.u32()?,
            _ => cursor.rest().len(),
        };
        return Some((header >> 2 & 0x0f, Zeroizing::new(cursor.take(length)?.to_vec())));
    }
    let mut body = Zeroizing::new(Vec::new());
    loop {
        let (length, last) = match cursor.u8()? {
            first @ 0..192 => (usize::from(first), true),
            first @ 192..224 => (((usize::from(first) - 192) << 8) + usize::from(cursor.u8()?) + 192, true),
            first @ 224..255 => (1 << (first & 0x1f), false),
            255 => (cursor.u32()?, true),
        };
        body.extend_from_slice(cursor.take(length)?);
        if last {
            return Some((header & 0x3f, body));
        }
    }
}

/// What a secret key packet says of itself.
struct Head<'bytes> {
    /// The octet that tells how the secret part is protected.
    usage: u8,
    /// What follows it.
    rest: Cursor<'bytes>,
    version: u8,
    public_key: Option<PublicKey>,
}

fn secret_key(head: Head<'_>) -> Option<Body> {
    if head.rest.rest().len() < 8 {
        return None;
    }
    let protection = if head.usage == 0 { Protection::None } else { Protection::Passphrase };
    Some(Body { format: Format::OpenPgp, protection, public_key: head.public_key })
}

/// Whether the secret part is elsewhere: GnuPG's S2K type 101, mode 1 (left
/// out) or 2 (on a card).
fn is_stub(head: &Head<'_>) -> bool {
    matches!(gnu_mode(head), Some(1 | 2))
}

fn gnu_mode(head: &Head<'_>) -> Option<u8> {
    if !matches!(head.usage, 253..=255) {
        return None;
    }
    let mut rest = head.rest;
    if head.version >= 5 {
        // The length of what follows.
        rest.u8()?;
    }
    let (_cipher, kind, _hash) = (rest.u8()?, rest.u8()?, rest.u8()?);
    if kind == 101 && rest.take(3)? == b"GNU" { rest.u8() } else { None }
}

/// Reads up to the usage octet (RFC 9580 section 5.5.3).
fn head(body: &[u8]) -> Option<Head<'_>> {
    let mut cursor = Cursor::new(body);
    let version = cursor.u8().filter(|version| (2..=6).contains(version))?;
    cursor.take(4)?;
    if version < 4 {
        // Days until it expires.
        cursor.u16()?;
    }
    let algorithm = cursor.u8()?;
    let public_key = if version >= 5 {
        let mut material = Cursor::new(cursor.long()?);
        match public_part(algorithm, &mut material) {
            Some(key) if material.rest().is_empty() => key,
            // An algorithm that came later; version 6 tells its length.
            None if version == 6 && algorithm > 28 => None,
            _ => return None,
        }
    } else {
        public_part(algorithm, &mut cursor)?
    };
    let usage = cursor.u8()?;
    // Below 253 stands a cipher's number; there are thirteen.
    matches!(usage, 0..=13 | 253..=255).then_some(Head { usage, rest: cursor, version, public_key })
}

/// The public numbers of a key: `None` if they do not fit, `Some(None)` if
/// nothing but OpenPGP knows such a key.
fn public_part(algorithm: u8, cursor: &mut Cursor<'_>) -> Option<Option<PublicKey>> {
    match algorithm {
        1..=3 => {
            let (modulus, exponent) = (number(cursor)?, number(cursor)?);
            (modulus.len() >= 48).then(|| public_half::rsa(modulus, exponent))
        }
        16 | 20 => {
            let (prime, _generator, _value) = (number(cursor)?, number(cursor)?, number(cursor)?);
            (prime.len() >= 48).then_some(None)
        }
        17 => {
            let (p, q, g, y) = (number(cursor)?, number(cursor)?, number(cursor)?, number(cursor)?);
            (p.len() >= 48).then(|| public_half::dsa(p, q, g, y))
        }
        18 | 19 | 22 => {
            let length = cursor.u8().filter(|length| (3..=12).contains(length))?;
            let (curve, point) = (cursor.take(usize::from(length))?, number(cursor)?);
            if algorithm == 18 {
                // Parameters of the key derivation.
                let length = cursor.u8().filter(|length| (3..=64).contains(length))?;
                cursor.take(usize::from(length))?;
            }
            (point.len() >= 16).then(|| on_curve(curve, point))
        }
        25 => cursor.take(32).map(|_| None),
        26 => cursor.take(56).map(|_| None),
        27 => cursor.take(32).map(|key| public_half::ec(Curve::Ed25519, key)),
        28 => cursor.take(57).map(|key| public_half::ec(Curve::Ed448, key)),
        _ => None,
    }
}

/// A multiprecision integer (RFC 9580 section 3.2), without zeros in front.
fn number<'bytes>(cursor: &mut Cursor<'bytes>) -> Option<&'bytes [u8]> {
    let bits = cursor.u16().filter(|bits| (1..=LONGEST_NUMBER).contains(bits))?;
    let bytes = cursor.take(bits.div_ceil(8))?;
    // The length is exact; bytes that are no key seldom have one that is.
    let leading = usize::try_from(bytes.first()?.leading_zeros()).ok()?;
    (bytes.len() * 8 - leading == bits).then_some(bytes)
}

/// A point on the curve with this object identifier.
fn on_curve(curve: &[u8], point: &[u8]) -> Option<PublicKey> {
    if curve == GNU_ED25519 || curve == ED25519.as_bytes() {
        return public_half::ec(Curve::Ed25519, point.strip_prefix(&[0x40])?);
    }
    let curve = ObjectIdentifier::from_bytes(curve).ok()?;
    // Curve25519, for encryption: there the point has the same prefix.
    (point.first() == Some(&4)).then(|| public::on_named_curve(curve, point))?
}
