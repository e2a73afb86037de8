// SPDX-License-Identifier: MIT OR Apache-2.0
//! Java keystores: JKS and JCEKS of the JDK, BKS and UBER of Bouncy Castle.
//!
//! The entries are walked; a truststore, which has certificates alone, is no
//! finding. UBER is encrypted as a whole, so it is told by its header and its
//! length, and always a finding.

use certkeep_pki::key::PublicKey;

use super::{Body, ber::Element, cursor::Cursor, public};
use crate::finding::{Format, Protection};

const JKS: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];
const JCEKS: &[u8] = &[0xce, 0xce, 0xce, 0xce];

/// Bytes of salt in the headers of Bouncy Castle.
const SALT: usize = 20;
/// Bytes of the HMAC-SHA-1 at the end of BKS.
const MAC: usize = 20;
/// Iterations that Bouncy Castle takes: 1024 and a random number below 1024.
const ITERATIONS: std::ops::Range<usize> = 1024..2048;

fn found(public_key: Option<PublicKey>) -> Option<Body> {
    Some(Body { format: Format::JavaKeystore, protection: Protection::Passphrase, public_key })
}

/// JKS or JCEKS with an entry that is no certificate.
pub(super) fn parse(bytes: &[u8]) -> Option<Body> {
    let rest = bytes.strip_prefix(JKS).or_else(|| bytes.strip_prefix(JCEKS))?;
    let mut cursor = Cursor::new(rest);
    let version = cursor.u32().filter(|version| (1..=2).contains(version))?;
    let count = cursor.u32()?;
    let certificate = |cursor: &mut Cursor<'_>| -> Option<Option<PublicKey>> {
        if version == 2 {
            cursor.short()?;
        }
        cursor.long().map(public::of_certificate)
    };
    for _ in 0..count {
        let kind = cursor.u32()?;
        let (_alias, _date) = (cursor.short()?, cursor.take(8)?);
        match kind {
            1 => {
                Element::read(cursor.long()?)?;
                let chain = cursor.u32()?;
                let first = if chain > 0 { certificate(&mut cursor).flatten() } else { None };
                return found(first);
            }
            2 => certificate(&mut cursor).map(drop)?,
            // A secret key in JCEKS: a Java object stream.
            3 if cursor.rest().starts_with(&[0xac, 0xed]) => return found(None),
            _ => return None,
        }
    }
    None
}

/// BKS with a key entry, or UBER.
pub(super) fn parse_bouncy_castle(bytes: &[u8]) -> Option<Body> {
    let mut cursor = Cursor::new(bytes);
    let version = cursor.u32().filter(|version| (0..=2).contains(version))?;
    cursor.long().filter(|salt| salt.len() == SALT)?;
    cursor.u32().filter(|iterations| ITERATIONS.contains(iterations))?;
    match walk(cursor) {
        Some(Entries::Key(public_key)) => found(public_key),
        Some(Entries::Certificates) => None,
        None => uber(version, cursor.rest()),
    }
}

/// What is in a BKS file.
enum Entries {
    Certificates,
    Key(Option<PublicKey>),
}

/// Walks the entries of BKS to the first key; `None` if it is none.
fn walk(mut cursor: Cursor<'_>) -> Option<Entries> {
    loop {
        let kind = cursor.u8()?;
        if kind == 0 {
            return (cursor.rest().len() == MAC).then_some(Entries::Certificates);
        }
        let (_alias, _date) = (cursor.short()?, cursor.take(8)?);
        let mut first = None;
        for _ in 0..cursor.u32()? {
            let key = certificate(&mut cursor)?;
            first = first.or(key);
        }
        match kind {
            1 => certificate(&mut cursor).map(drop)?,
            // A key in the clear but for the MAC: its kind, format, algorithm, encoding.
            2 => {
                let (_kind, _format, _algorithm) = (cursor.u8()?, cursor.short()?, cursor.short()?);
                cursor.long()?;
                return Some(Entries::Key(first));
            }
            // A secret in the clear, or a sealed key.
            3 | 4 => return cursor.long().map(|_| Entries::Key(first)),
            _ => return None,
        }
    }
}

/// A certificate of BKS: its type, then its DER.
fn certificate(cursor: &mut Cursor<'_>) -> Option<Option<PublicKey>> {
    cursor.short().filter(|kind| *kind == b"X.509")?;
    cursor.long().map(public::of_certificate)
}

/// Twofish in CBC mode: whole blocks, and no byte more frequent than chance has it.
fn uber(version: usize, encrypted: &[u8]) -> Option<Body> {
    let mut counts = [0_usize; 256];
    for &byte in encrypted {
        *counts.get_mut(usize::from(byte))? += 1;
    }
    let even = counts.iter().all(|&count| count <= 16 + encrypted.len() / 64);
    if version == 1 && encrypted.len() >= 48 && encrypted.len().is_multiple_of(16) && even {
        return found(None);
    }
    None
}
