// SPDX-License-Identifier: MIT OR Apache-2.0
//! Private keys in ASN.1: PKCS#8 of both versions and its encrypted form,
//! PKCS#1, SEC 1, and OpenSSL's DSA. What they must not be mistaken for
//! (certificates, parameters, signatures, CMS) has another number or kind of
//! elements, and numbers are looked at as well.

use std::ops::RangeInclusive;

use certkeep_pki::{
    key::{PrivateKey, PublicKey, Signer as _},
    secret::SecretBytes,
};
use der::{Encode as _, Tag, asn1::AnyRef};

use super::{
    Body,
    ber::{BIT_STRING, Element, OCTET_STRING, SEQUENCE, SET, context},
    public,
};
use crate::{
    finding::{Format, Protection},
    public_half,
};

/// Fewer bytes than this after the structure do not matter: an end of line.
pub(super) const TRAILING: usize = 16;

/// PKCS#5: 1.2.840.113549.1.5.
const PKCS5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05];
/// Last arcs there that encrypt: pbeWithMD2AndDES-CBC to pbeWithSHA1AndRC2-CBC, and PBES2.
const PKCS5_ENCRYPTING: [u8; 7] = [1, 3, 4, 6, 10, 11, 13];
/// The passphrase encryption of PKCS#12: 1.2.840.113549.1.12.1.
const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
/// Sun's own for JKS and JCEKS: 1.3.6.1.4.1.42.2.
const SUN: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02];

/// rsaEncryption and RSASSA-PSS: 1.2.840.113549.1.1.1 and .10.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];

/// Bytes of an ECPrivateKey's number: the fields of the curves that there are.
const EC_NUMBER: RangeInclusive<usize> = 1..=72;
/// The same where nothing else tells that it is a key.
const EC_FIELDS: [usize; 13] = [14, 16, 20, 21, 24, 28, 30, 32, 36, 40, 48, 64, 66];

/// A key that fills `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Option<Body> {
    if bytes.first() != Some(&SEQUENCE) {
        return None;
    }
    let (outer, rest) = Element::read(bytes)?;
    if rest.len() >= TRAILING {
        return None;
    }
    let elements = outer.sequence()?;
    encrypted(&elements)
        .or_else(|| pkcs8(&outer, &elements))
        .or_else(|| pkcs1(&elements))
        .or_else(|| sec1(&outer, &elements))
        .or_else(|| dsa(&elements))
}

/// EncryptedPrivateKeyInfo (RFC 5958 section 3).
fn encrypted(elements: &[Element<'_>]) -> Option<Body> {
    let [algorithm, data] = elements else { return None };
    let algorithm = algorithm.sequence()?;
    let identifier = algorithm.first()?.identifier()?;
    let encrypting = match identifier.strip_prefix(PKCS5) {
        Some([last]) => PKCS5_ENCRYPTING.contains(last),
        Some(_) => false,
        None => identifier.starts_with(PKCS12_PBE) || identifier.starts_with(SUN),
    };
    if !encrypting || algorithm.len() > 2 || data.octets()?.len() < 16 {
        return None;
    }
    Some(Body { format: Format::EncryptedPkcs8, protection: Protection::Passphrase, public_key: None })
}

/// PrivateKeyInfo (RFC 5208), OneAsymmetricKey (RFC 5958), of any algorithm.
fn pkcs8(outer: &Element<'_>, elements: &[Element<'_>]) -> Option<Body> {
    let [version, algorithm, key, more @ ..] = elements else { return None };
    if version.small()? > 1 || key.tag != OCTET_STRING || key.contents.len() < 8 {
        return None;
    }
    let parts = algorithm.sequence()?;
    let kind = parts.first()?.identifier()?;
    // Attributes, then the public half: [0] and [1], the latter implicit or (old writers) explicit.
    // The attributes are a SET OF; some writers leave its tag and some do not.
    let fits = |element: &Element<'_>| matches!(element.tag, 0x81 | 0xa0 | 0xa1 | SET);
    if parts.len() > 2 || more.len() > 2 || !more.iter().all(fits) {
        return None;
    }
    let own = more.iter().find_map(|element| match element.tag {
        0x81 => element.contents.strip_prefix(&[0]),
        0xa1 => Element::read(element.contents)?.0.bits(),
        _ => None,
    });
    let public_key = rsa_inside(kind, algorithm.whole, key.contents)
        .or_else(|| loaded(outer))
        .or_else(|| public::of_algorithm(algorithm.whole, own?))
        .or_else(|| {
            let (inner, _) = Element::read(key.contents)?;
            public::of_algorithm(algorithm.whole, sec1_public(&inner.sequence()?)?)
        });
    Some(Body { format: Format::Pkcs8, protection: Protection::None, public_key })
}

/// The public half of an RSA key in PKCS#8.
fn rsa_inside(kind: &[u8], algorithm: &[u8], key: &[u8]) -> Option<PublicKey> {
    let (inner, _) = Element::read(key)?;
    let elements = inner.sequence()?;
    let (modulus, exponent) = rsa_numbers(&elements)?;
    match kind {
        RSA => public_half::rsa(modulus, exponent),
        RSA_PSS => {
            // RSAPublicKey (RFC 8017 appendix A.1.1) is two of the elements as they are.
            let numbers = [elements.get(1)?.whole, elements.get(2)?.whole].concat();
            public::of_algorithm(algorithm, &AnyRef::new(Tag::Sequence, &numbers).ok()?.to_der().ok()?)
        }
        _ => None,
    }
}

/// RSAPrivateKey (RFC 8017 appendix A.1.2).
fn pkcs1(elements: &[Element<'_>]) -> Option<Body> {
    let (modulus, exponent) = rsa_numbers(elements)?;
    Some(Body {
        format: Format::Pkcs1,
        protection: Protection::None,
        public_key: public_half::rsa(modulus, exponent),
    })
}

/// Modulus and public exponent of what is an RSAPrivateKey.
fn rsa_numbers<'bytes>(elements: &[Element<'bytes>]) -> Option<(&'bytes [u8], &'bytes [u8])> {
    let (numbers, primes) = elements.split_at_checked(9)?;
    let numbers: Vec<&[u8]> = numbers.iter().map(Element::integer).collect::<Option<_>>()?;
    let &[version, modulus, exponent, private, ..] = numbers.as_slice() else { return None };
    let multi_prime = match (version, primes) {
        ([], []) => true,
        (&[1], [others]) => others.tag == SEQUENCE,
        _ => false,
    };
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    // 384 bits was the least that anybody ever made.
    let plausible = modulus.len() >= 48
        && odd(modulus)
        && odd(exponent)
        && exponent.len() <= modulus.len()
        && private.len() >= 16;
    (multi_prime && plausible).then_some((modulus, exponent))
}

/// ECPrivateKey (RFC 5915).
fn sec1(outer: &Element<'_>, elements: &[Element<'_>]) -> Option<Body> {
    let [version, number, more @ ..] = elements else { return None };
    if version.small()? != 1 || number.tag != OCTET_STRING || !EC_NUMBER.contains(&number.contents.len()) {
        return None;
    }
    let parameters = more.iter().find(|element| element.tag == context(0));
    let named = match parameters {
        Some(parameters) => {
            let (inner, rest) = Element::read(parameters.contents)?;
            if !rest.is_empty() || (inner.identifier().is_none() && inner.tag != SEQUENCE) {
                return None;
            }
            Some(inner.whole)
        }
        None => None,
    };
    let is_public =
        |element: &Element<'_>| element.tag == context(1) && element.contents.first() == Some(&BIT_STRING);
    let told = usize::from(named.is_some()) + usize::from(more.iter().any(is_public));
    if told != more.len() || (told == 0 && !EC_FIELDS.contains(&number.contents.len())) {
        return None;
    }
    let public_key = loaded(outer).or_else(|| public::on_curve(named?, sec1_public(elements)?));
    Some(Body { format: Format::Sec1, protection: Protection::None, public_key })
}

/// The point of an ECPrivateKey.
fn sec1_public<'bytes>(elements: &[Element<'bytes>]) -> Option<&'bytes [u8]> {
    let public = elements.iter().skip(2).find(|element| element.tag == context(1))?;
    let (bits, rest) = Element::read(public.contents)?;
    if rest.is_empty() && bits.tag == BIT_STRING { bits.bits() } else { None }
}

/// OpenSSL's DSA: version, p, q, g, y, x.
fn dsa(elements: &[Element<'_>]) -> Option<Body> {
    let numbers: Vec<&[u8]> = elements.iter().map(Element::integer).collect::<Option<_>>()?;
    let &[version, p, q, g, y, x] = numbers.as_slice() else { return None };
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    let plausible = version.is_empty()
        && p.len() >= 64
        && (20..=64).contains(&q.len())
        && odd(p)
        && odd(q)
        && (1..=p.len()).contains(&g.len())
        && (1..=p.len()).contains(&y.len())
        && (1..=q.len()).contains(&x.len());
    plausible.then(|| Body {
        format: Format::Dsa,
        protection: Protection::None,
        public_key: public_half::dsa(p, q, g, y),
    })
}

/// The public half by way of the core, which derives it from the private one.
fn loaded(key: &Element<'_>) -> Option<PublicKey> {
    // Nothing that can be loaded is longer, and a copy is made.
    if key.whole.len() > 1 << 16 {
        return None;
    }
    let file = SecretBytes::new(key.whole.to_vec());
    PrivateKey::load(&file, None).ok().map(|key| key.public_key().clone())
}
