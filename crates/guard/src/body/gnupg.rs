// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of `private-keys-v1.d`, where GnuPG's agent keeps its keys: an
//! s-expression, or since 2.2.20 lines of names and values with the
//! s-expression under `Key`. A shadowed key is on a card: no finding.

use certkeep_pki::key::PublicKey;
use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use super::{Body, asn1::TRAILING, public, s_expression::Node};
use crate::{
    finding::{Format, Protection},
    public_half::{self, Curve},
};

/// GnuPG's names of curves that certificates know.
const CURVES: [(&[u8], ObjectIdentifier); 7] = [
    (b"NIST P-256", ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
    (b"NIST P-384", ObjectIdentifier::new_unwrap("1.3.132.0.34")),
    (b"NIST P-521", ObjectIdentifier::new_unwrap("1.3.132.0.35")),
    (b"secp256k1", ObjectIdentifier::new_unwrap("1.3.132.0.10")),
    (b"brainpoolP256r1", ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.7")),
    (b"brainpoolP384r1", ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.11")),
    (b"brainpoolP512r1", ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.13")),
];

/// A file that is an s-expression.
pub(super) fn parse(bytes: &[u8]) -> Option<Body> {
    // Both forms of the file begin like this; prose and Lisp do not.
    let known =
        [&b"(11:private-key"[..], b"(21:protected-private-key", b"(private-key", b"(protected-private-key"];
    if !known.iter().any(|start| bytes.starts_with(start)) {
        return None;
    }
    let (node, rest) = Node::read(bytes)?;
    if rest.trim_ascii().len() < TRAILING { key(&node) } else { None }
}

/// A file of names and values.
pub(super) fn parse_extended(bytes: &[u8]) -> Option<Body> {
    let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let mut expression = loop {
        let line = lines.next()?;
        if let Some(value) = line.strip_prefix(b"Key:") {
            break Zeroizing::new(value.trim_ascii_start().to_vec());
        }
        let colon = memchr::memchr(b':', line).unwrap_or(0);
        let name = line.get(..colon).unwrap_or_default();
        let named = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        if !named && !line.trim_ascii().is_empty() && !line.starts_with(b" ") && !line.starts_with(b"#") {
            return None;
        }
    };
    // A long value goes on after a line's end and one space, in the middle of a word too.
    expression.reserve_exact(bytes.len());
    for line in lines.map_while(|line| line.strip_prefix(b" ")) {
        let kept = expression.trim_ascii_end().len();
        expression.truncate(kept);
        expression.extend_from_slice(line);
    }
    let known = [&b"(private-key"[..], b"(protected-private-key"];
    if !known.iter().any(|start| expression.starts_with(start)) {
        return None;
    }
    key(&Node::read(&expression)?.0)
}

fn key(node: &Node) -> Option<Body> {
    let protection = match node.name()? {
        b"private-key" => Protection::None,
        b"protected-private-key" => Protection::Passphrase,
        _ => return None,
    };
    let numbers = node.list()?.get(1)?;
    let kind = numbers.name()?;
    // The secret numbers, or what they are encrypted into.
    let secret: &[u8] = match (protection, kind) {
        (Protection::Passphrase, _) => b"protected",
        (_, b"ecc" | b"ecdsa" | b"ecdh") | (_, b"rsa") => b"d",
        _ => b"x",
    };
    numbers.value(secret)?;
    let public_key = match kind {
        b"rsa" => public_half::rsa(numbers.value(b"n")?, numbers.value(b"e")?),
        b"dsa" => public_half::dsa(
            numbers.value(b"p")?,
            numbers.value(b"q")?,
            numbers.value(b"g")?,
            numbers.value(b"y")?,
        ),
        b"ecc" | b"ecdsa" => numbers.value(b"curve").and_then(|curve| on_curve(curve, numbers.value(b"q")?)),
        _ => None,
    };
    Some(Body { format: Format::GnupgAgent, protection, public_key })
}

fn on_curve(curve: &[u8], point: &[u8]) -> Option<PublicKey> {
    if curve == b"Ed25519" {
        return public_half::ec(Curve::Ed25519, point.strip_prefix(&[0x40]).unwrap_or(point));
    }
    let (_, curve) = CURVES.iter().find(|(name, _)| *name == curve)?;
    public::on_named_curve(*curve, point)
}
