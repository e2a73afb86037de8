// SPDX-License-Identifier: MIT OR Apache-2.0
//! SubjectPublicKeyInfos put together from the numbers that other formats
//! (SSH, JSON Web Keys) keep of a public key.

use certkeep_pki::key::PublicKey;
use der::{
    Encode,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef},
};
use spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// A curve with points (RFC 5480, RFC 8812), or one of the Edwards and
/// Montgomery curves whose keys are plain bytes (RFC 8410).
#[derive(Clone, Copy)]
pub(crate) enum Curve {
    /// secp256r1
    P256,
    /// secp384r1
    P384,
    /// secp521r1
    P521,
    /// secp256k1
    Secp256k1,
    /// 32 bytes
    Ed25519,
    /// 57 bytes
    Ed448,
    /// 32 bytes
    X25519,
    /// 56 bytes
    X448,
}

impl Curve {
    /// The object identifier, and the bytes of one coordinate; for keys that are
    /// plain bytes the length of the key.
    fn parameters(self) -> (ObjectIdentifier, usize) {
        match self {
            Self::P256 => (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), 32),
            Self::P384 => (ObjectIdentifier::new_unwrap("1.3.132.0.34"), 48),
            Self::P521 => (ObjectIdentifier::new_unwrap("1.3.132.0.35"), 66),
            Self::Secp256k1 => (ObjectIdentifier::new_unwrap("1.3.132.0.10"), 32),
            Self::Ed25519 => (ObjectIdentifier::new_unwrap("1.3.101.112"), 32),
            Self::Ed448 => (ObjectIdentifier::new_unwrap("1.3.101.113"), 57),
            Self::X25519 => (ObjectIdentifier::new_unwrap("1.3.101.110"), 32),
            Self::X448 => (ObjectIdentifier::new_unwrap("1.3.101.111"), 56),
        }
    }

    /// Bytes of one coordinate, or of the key.
    pub(crate) fn length(self) -> usize {
        self.parameters().1
    }

    /// Whether keys are points with two coordinates.
    pub(crate) fn has_points(self) -> bool {
        matches!(self, Self::P256 | Self::P384 | Self::P521 | Self::Secp256k1)
    }
}

/// An RSA key; `modulus` and `exponent` big-endian, leading zeros or not
/// (RFC 8017 appendix A.1.1).
pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<PublicKey> {
    let key = sequence(&[UintRef::new(modulus).ok()?, UintRef::new(exponent).ok()?])?;
    assemble(RSA, Some(AnyRef::NULL), &key)
}

/// A DSA key; all numbers big-endian (RFC 3279 section 2.3.2).
pub(crate) fn dsa(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Option<PublicKey> {
    let parameters = sequence(&[UintRef::new(p).ok()?, UintRef::new(q).ok()?, UintRef::new(g).ok()?])?;
    let key = UintRef::new(y).ok()?.to_der().ok()?;
    assemble(DSA, Some(AnyRef::try_from(parameters.as_slice()).ok()?), &key)
}

/// A key on `curve`: an encoded point (SEC 1 section 2.3.3), or plain bytes.
pub(crate) fn ec(curve: Curve, key: &[u8]) -> Option<PublicKey> {
    let (oid, length) = curve.parameters();
    if !curve.has_points() {
        return (key.len() == length).then(|| assemble(oid, None, key)).flatten();
    }
    let parameters = oid.to_der().ok()?;
    assemble(EC, Some(AnyRef::try_from(parameters.as_slice()).ok()?), key)
}

fn sequence(numbers: &[UintRef<'_>]) -> Option<Vec<u8>> {
    numbers.to_vec().to_der().ok()
}

fn assemble(oid: ObjectIdentifier, parameters: Option<AnyRef<'_>>, key: &[u8]) -> Option<PublicKey> {
    let info = SubjectPublicKeyInfo {
        algorithm: AlgorithmIdentifier { oid, parameters },
        subject_public_key: BitStringRef::from_bytes(key).ok()?,
    };
    PublicKey::from_der(&info.to_der().ok()?).ok()
}
