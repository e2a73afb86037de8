// SPDX-License-Identifier: MIT OR Apache-2.0
//! Public keys put together from what a private key file says of them in
//! ASN.1. The core loads the keys that it can use; this is for the others
//! (curves of other people, algorithms that came later), and for what only a
//! certificate tells.

use certkeep_pki::key::PublicKey;
use der::{
    Decode as _, Encode as _,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier},
};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::ber::{Element, SEQUENCE};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// A key of the algorithm whose AlgorithmIdentifier is `algorithm` in DER;
/// `bits` are those of the subjectPublicKey.
pub(super) fn of_algorithm(algorithm: &[u8], bits: &[u8]) -> Option<PublicKey> {
    assemble(AlgorithmIdentifierRef::from_der(algorithm).ok()?, bits)
}

/// A point on a curve that is told as DER: its identifier, or its numbers.
pub(super) fn on_curve(curve: &[u8], point: &[u8]) -> Option<PublicKey> {
    let parameters = AnyRef::from_der(curve).ok()?;
    assemble(AlgorithmIdentifierRef { oid: EC, parameters: Some(parameters) }, point)
}

/// A point on a curve that has a name.
pub(super) fn on_named_curve(curve: ObjectIdentifier, point: &[u8]) -> Option<PublicKey> {
    on_curve(&curve.to_der().ok()?, point)
}

/// The public key of an X.509 certificate (RFC 5280 section 4.1); nothing else of it is looked at.
pub(super) fn of_certificate(der: &[u8]) -> Option<PublicKey> {
    let (certificate, _) = Element::read(der)?;
    let inside = certificate.sequence()?;
    let body = inside.first()?.sequence()?;
    // Serial number, signature, issuer, validity and subject stand before the key; a version may be first.
    let key = body.iter().skip(usize::from(body.first()?.tag == 0xa0)).nth(5)?;
    if key.tag == SEQUENCE { PublicKey::from_der(key.whole).ok() } else { None }
}

fn assemble(algorithm: AlgorithmIdentifierRef<'_>, bits: &[u8]) -> Option<PublicKey> {
    let subject_public_key = BitStringRef::from_bytes(bits).ok()?;
    let der = SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().ok()?;
    PublicKey::from_der(&der).ok()
}
