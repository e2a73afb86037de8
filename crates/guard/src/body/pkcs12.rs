// SPDX-License-Identifier: MIT OR Apache-2.0
//! PKCS#12 (RFC 7292). A file counts as a secret unless it provably holds
//! nothing but certificates and CRLs, in the clear. What is encrypted may be a
//! key; whether its passphrase is the empty one cannot be told without trying.

use certkeep_pki::key::PublicKey;
use zeroize::Zeroizing;

use super::{
    Body,
    asn1::{self, TRAILING},
    ber::{Element, SEQUENCE, context},
    public,
};
use crate::finding::{Format, Protection};

/// PKCS#7's content types (1.2.840.113549.1.7): data, signedData.
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
/// The kinds of bags (1.2.840.113549.1.12.10.1).
const BAGS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01];
/// localKeyId, which a key and its certificate share (1.2.840.113549.1.9.21).
const LOCAL_KEY_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
/// Bags in bags; nobody writes them.
const DEEPEST: usize = 4;

/// What is known of the bags.
#[derive(Default)]
struct Contents {
    /// A key without a passphrase.
    plain_key: bool,
    /// Something that may be a key: encrypted, or not understood.
    secret: bool,
    public_key: Option<PublicKey>,
    /// The localKeyIds of keys.
    keys: Vec<Vec<u8>>,
    /// The certificates in the clear, with their localKeyIds.
    certificates: Vec<(Vec<u8>, Option<PublicKey>)>,
}

/// A PKCS#12 file that may hold a key.
pub(super) fn parse(bytes: &[u8]) -> Option<Body> {
    let (outer, rest) = Element::read(bytes)?;
    if rest.len() >= TRAILING {
        return None;
    }
    let elements = outer.sequence()?;
    let [version, safe, mac @ ..] = elements.as_slice() else { return None };
    if version.small()? != 3 || mac.len() > 1 || mac.iter().any(|mac| mac.tag != SEQUENCE) {
        return None;
    }
    let (kind, content) = content_info(safe)?;
    let mut contents = Contents::default();
    match kind {
        1 if contents.read_safe(&content).is_some() => {}
        // Signed instead of under a MAC, or damaged: nothing is proved.
        1 | 2 => contents.secret = true,
        _ => return None,
    }
    if !contents.plain_key && !contents.secret {
        return None;
    }
    let protection = if contents.plain_key { Protection::None } else { Protection::Passphrase };
    let public_key = contents.public();
    Some(Body { format: Format::Pkcs12, protection, public_key })
}

/// The last arc of a ContentInfo's type, and what is in it.
fn content_info(info: &Element<'_>) -> Option<(u8, Zeroizing<Vec<u8>>)> {
    let parts = info.sequence()?;
    let (kind, content) = (parts.first()?, parts.get(1)?);
    let &[kind] = kind.identifier()?.strip_prefix(PKCS7)? else { return None };
    if parts.len() != 2 || content.tag != context(0) {
        return None;
    }
    let inner = Element::read(content.contents).map(|(inner, _)| inner);
    Some((kind, inner.and_then(|inner| inner.octets()).unwrap_or_default()))
}

impl Contents {
    /// AuthenticatedSafe.
    fn read_safe(&mut self, bytes: &[u8]) -> Option<()> {
        for info in Element::read(bytes)?.0.sequence()? {
            match content_info(&info)? {
                (1, bags) => self.read_bags(&bags, DEEPEST)?,
                _ => self.secret = true,
            }
        }
        Some(())
    }

    /// SafeContents.
    fn read_bags(&mut self, bytes: &[u8], depth: usize) -> Option<()> {
        for bag in Element::read(bytes)?.0.sequence()? {
            let parts = bag.sequence()?;
            let value = parts.get(1).filter(|value| value.tag == context(0))?.contents;
            let id = parts.get(2).and_then(local_key_id).unwrap_or_default();
            match parts.first()?.identifier()?.strip_prefix(BAGS)? {
                [1] => {
                    let key = asn1::parse(value)?;
                    self.plain_key = true;
                    self.public_key = self.public_key.take().or(key.public_key);
                }
                [2] => {
                    self.secret = true;
                    self.keys.push(id);
                }
                [3] => self.certificates.push((id, certificate(value))),
                [4] => {}
                [6] => self.read_bags(value, depth.checked_sub(1)?)?,
                _ => self.secret = true,
            }
        }
        Some(())
    }

    /// The public half of the first key: its own, or that of its certificate.
    fn public(self) -> Option<PublicKey> {
        let key = self.keys.first();
        let belongs = |id: &Vec<u8>| key.is_some_and(|key| !key.is_empty() && key == id);
        self.public_key.or_else(|| {
            let certificate = self.certificates.into_iter().find(|(id, _)| belongs(id));
            certificate.and_then(|(_, key)| key)
        })
    }
}

/// The localKeyId among a bag's attributes.
fn local_key_id(attributes: &Element<'_>) -> Option<Vec<u8>> {
    attributes.children()?.iter().find_map(|attribute| {
        let parts = attribute.sequence()?;
        if parts.first()?.identifier()? != LOCAL_KEY_ID {
            return None;
        }
        let (id, _) = Element::read(parts.get(1)?.contents)?;
        Some(id.octets()?.to_vec())
    })
}

/// CertBag: the type of the certificate, then the certificate in an OCTET STRING.
fn certificate(bag: &[u8]) -> Option<PublicKey> {
    let parts = Element::read(bag)?.0.sequence()?;
    let (octets, _) = Element::read(parts.get(1)?.contents)?;
    public::of_certificate(&octets.octets()?)
}
