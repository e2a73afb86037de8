// SPDX-License-Identifier: MIT OR Apache-2.0
//! JSON Web Keys with private parts (RFC 7517, RFC 7518 section 6, RFC 8037),
//! alone, in a set, or anywhere in other JSON or a program's source.
//!
//! The objects are found by their braces in one pass; only those that name a
//! key type are parsed.

use std::{collections::VecDeque, ops::Range};

use certkeep_pki::key::PublicKey;
use serde_json::{Map, Value};

use super::{
    found,
    reader::{Taken, decode},
};
use crate::{
    finding::{Certainty, Finding, Format, Wrapping},
    public_half::{self, Curve},
};

/// The member that every key has.
pub(crate) const MARK: &str = "\"kty\"";
/// The same within a string.
pub(crate) const MARK_ESCAPED: &str = "\\\"kty\\\"";

/// Objects within objects; the outermost are forgotten beyond it.
const DEEPEST: usize = 128;
/// The longest object that is parsed, in bytes.
const LONGEST: usize = 64 << 10;

/// An object whose end is not reached.
#[derive(Clone, Copy)]
struct Open {
    start: usize,
    /// It has a member `kty` of its own.
    key: bool,
}

/// Finds the keys in `bytes`. A key may be found twice.
pub(crate) fn keys(bytes: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !walk(bytes, Strays::None, &mut findings) {
        walk(bytes, Strays::Some, &mut findings);
    }
    findings
}

/// Whether there may be quotation marks that begin no string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strays {
    None,
    /// Then what seems to be a string that ends with a brace is between two.
    Some,
}

/// Adds the keys that are found in one pass; whether it has met every [`MARK`]
/// as the name of a member.
fn walk(bytes: &[u8], strays: Strays, findings: &mut Vec<Finding>) -> bool {
    let mut met = 0;
    let mut open = VecDeque::new();
    let mut at = 0;
    while let Some(step) = bytes[at..].iter().position(|byte| matches!(byte, b'{' | b'}' | b'"')) {
        at += step;
        match bytes[at] {
            b'{' => {
                if open.len() == DEEPEST {
                    open.pop_front();
                }
                open.push_back(Open { start: at, key: false });
            }
            b'}' => {
                let object = open.pop_back().filter(|object| object.key && at - object.start < LONGEST);
                findings.extend(object.and_then(|object| key(bytes, object.start..at + 1)));
            }
            _ => {
                if bytes[at..].starts_with(MARK.as_bytes()) {
                    met += 1;
                    if let Some(object) = open.back_mut() {
                        object.key = true;
                    }
                }
                let inside = &bytes[at + 1..];
                let inside = &inside[..string(inside)];
                let stray = strays == Strays::Some && inside.trim_ascii_end().ends_with(b"{");
                // At the brace, or behind the string.
                at += if stray { inside.trim_ascii_end().len() - 1 } else { inside.len() + 1 };
            }
        }
        at = (at + 1).min(bytes.len());
    }
    met == memchr::memmem::find_iter(bytes, MARK).count()
}

/// Finds the keys in the strings of `bytes`, with one level of escapes taken off.
pub(crate) fn keys_in_strings(bytes: &[u8]) -> Vec<Finding> {
    let mut view = Taken::default();
    let mut from = 0;
    for mark in memchr::memchr2_iter(b'\\', b'"', bytes) {
        if mark < from {
            continue;
        }
        view.push(&bytes[from..mark], from);
        from = match &bytes[mark..] {
            [b'\\', b'"' | b'\\' | b'/', ..] => {
                view.push(&bytes[mark + 1..mark + 2], mark + 1);
                mark + 2
            }
            [b'\\', b'n' | b'r' | b't', ..] => mark + 2,
            // The quotation marks of the strings themselves end what is in them.
            [b'"', ..] => {
                view.push(b"\n", mark);
                mark + 1
            }
            _ => mark + 1,
        };
    }
    view.push(&bytes[from..], from);
    let mut findings = keys(view.as_bytes());
    for finding in &mut findings {
        finding.place = view.offset(finding.place.start)..view.offset(finding.place.end - 1) + 1;
        finding.wrappings.push(Wrapping::Escaped);
    }
    findings
}

/// The length of a string's rest, without its closing quote. A string in JSON
/// ends on its line; what does not is no string.
fn string(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(step) = memchr::memchr3(b'"', b'\\', b'\n', &rest[at..]) {
        match rest[at + step] {
            b'\\' => at = (at + step + 2).min(rest.len()),
            _ => return at + step,
        }
    }
    rest.len()
}

/// Reads one object, which stands at `place`.
fn key(bytes: &[u8], place: Range<usize>) -> Option<Finding> {
    let object: Map<String, Value> = serde_json::from_slice(&bytes[place.clone()]).ok()?;
    let (private, public_key) = match object.get("kty")?.as_str()? {
        "RSA" => {
            let public = number(&object, "n").zip(number(&object, "e"));
            let private = ["d", "p", "q", "dp", "dq", "qi"].iter().find_map(|name| number(&object, name));
            (private?, public.and_then(|(modulus, exponent)| public_half::rsa(&modulus, &exponent)))
        }
        "EC" | "OKP" => (number(&object, "d")?, on_curve(&object)),
        "oct" => (number(&object, "k")?, None),
        // What later specifications add: the seed of RFC 9964, ML-KEM's.
        _ => (["priv", "d"].iter().find_map(|name| number(&object, name))?, None),
    };
    if private.len() < 16 {
        return None;
    }
    let mut finding = found(Format::Jwk, Certainty::Parsed, place);
    finding.public_key = public_key;
    Some(finding)
}

/// A member in base64url.
fn number(object: &Map<String, Value>, name: &str) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    decode(object.get(name)?.as_str()?.trim_end_matches('=').as_bytes())
}

fn on_curve(object: &Map<String, Value>) -> Option<PublicKey> {
    let curve = match object.get("crv")?.as_str()? {
        "P-256" => Curve::P256,
        "P-384" => Curve::P384,
        "P-521" => Curve::P521,
        "secp256k1" => Curve::Secp256k1,
        "Ed25519" => Curve::Ed25519,
        "Ed448" => Curve::Ed448,
        "X25519" => Curve::X25519,
        "X448" => Curve::X448,
        _ => return None,
    };
    let x = number(object, "x")?;
    if !curve.has_points() {
        return public_half::ec(curve, &x);
    }
    let y = number(object, "y").filter(|y| y.len() == curve.length() && x.len() == curve.length())?;
    public_half::ec(curve, &[&[4], x.as_slice(), y.as_slice()].concat())
}
