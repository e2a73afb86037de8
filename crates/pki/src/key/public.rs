// SPDX-License-Identifier: MIT OR Apache-2.0
//! Public keys: a SubjectPublicKeyInfo kept as it came, and the signatures that
//! can be checked with it.

use aws_lc_rs::signature::{self, ParsedPublicKey, UnparsedPublicKey, VerificationAlgorithm};
use der::{
    Decode,
    asn1::{Any, AnyRef, Null, ObjectIdentifier, UintRef},
};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use thiserror::Error;

use super::{Curve, Digest, KeyAlgorithm, SignError, foreign::name_of, pss};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(super) const K256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.10");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), byte for byte as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    der: Vec<u8>,
    algorithm: Option<KeyAlgorithm>,
    identifier: AlgorithmIdentifierOwned,
    key: Vec<u8>,
}

/// Why bytes are not a public key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// Not a SubjectPublicKeyInfo.
    #[error("it is not a SubjectPublicKeyInfo")]
    Der(#[from] der::Error),
    /// An RSA key that is no RSAPublicKey, a point that has the wrong length, ...
    #[error("the public key does not fit its algorithm")]
    Malformed,
}

/// Why a signature is not accepted.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The key did not make it.
    #[error("the signature does not match")]
    Mismatch,
    /// Nobody here can tell.
    #[error("a signature of the kind {algorithm} by a key of the kind {key} cannot be checked")]
    Unsupported {
        /// The signature algorithm.
        algorithm: String,
        /// The key's algorithm.
        key: String,
    },
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo. Keys of algorithms that certkeep does not
    /// have are read too; they can be certified, not checked.
    ///
    /// # Errors
    ///
    /// [`PublicKeyError`].
    pub fn from_der(spki: &[u8]) -> Result<Self, PublicKeyError> {
        let read = SubjectPublicKeyInfoOwned::from_der(spki)?;
        let key = read.subject_public_key.as_bytes().ok_or(PublicKeyError::Malformed)?.to_vec();
        let algorithm = algorithm_of(&read.algorithm, &key)?;
        Ok(Self { der: spki.to_vec(), algorithm, identifier: read.algorithm, key })
    }

    /// The DER, as it was read.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// What the key is; `None` for an algorithm that certkeep does not have.
    #[must_use]
    pub fn algorithm(&self) -> Option<KeyAlgorithm> {
        self.algorithm
    }

    /// What the key is, for people, whatever it is.
    #[must_use]
    pub fn algorithm_name(&self) -> String {
        self.algorithm.map_or_else(|| name_of(&self.identifier), |algorithm| algorithm.to_string())
    }

    /// The algorithm, as the key names it.
    pub(super) fn identifier(&self) -> &AlgorithmIdentifierOwned {
        &self.identifier
    }

    /// The bits of the subjectPublicKey.
    pub(super) fn bits(&self) -> &[u8] {
        &self.key
    }

    /// SHA-1 over the bits of the key (RFC 5280 §4.2.1.2, method 1).
    #[must_use]
    pub fn key_identifier(&self) -> [u8; 20] {
        Sha1::digest(&self.key).into()
    }

    /// SHA-256 over the SubjectPublicKeyInfo, as pins of public keys have it.
    #[must_use]
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }

    /// Checks a signature over `message`: RSASSA-PKCS1-v1_5 with SHA-1 and SHA-2
    /// (1024 to 8192 bits), RSASSA-PSS with SHA-2, ECDSA on the NIST
    /// curves and, with SHA-256, on secp256k1, Ed25519.
    ///
    /// # Errors
    ///
    /// [`VerifyError`]; also when the algorithm is not one of this kind of key.
    pub fn verify(
        &self,
        algorithm: &AlgorithmIdentifierOwned,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        let unsupported = || VerifyError::Unsupported {
            algorithm: crate::x509::oid::short_name(crate::x509::oid::SIGNATURES, algorithm.oid),
            key: self.algorithm_name(),
        };
        let verifier = self.verifier(algorithm).ok_or_else(unsupported)?;
        UnparsedPublicKey::new(verifier, &self.key)
            .verify(message, signature)
            .map_err(|_| VerifyError::Mismatch)
    }

    fn verifier(&self, algorithm: &AlgorithmIdentifierOwned) -> Option<&'static dyn VerificationAlgorithm> {
        use signature as s;
        let dotted = algorithm.oid.to_string();
        Some(match (self.algorithm?, dotted.as_str()) {
            (KeyAlgorithm::Rsa { .. }, "1.2.840.113549.1.1.5") => {
                &s::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY
            }
            (KeyAlgorithm::Rsa { .. }, "1.2.840.113549.1.1.11") => {
                &s::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
            }
            (KeyAlgorithm::Rsa { .. }, "1.2.840.113549.1.1.12") => &s::RSA_PKCS1_2048_8192_SHA384,
            (KeyAlgorithm::Rsa { .. }, "1.2.840.113549.1.1.13") => {
                &s::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
            }
            (KeyAlgorithm::Rsa { .. }, "1.2.840.113549.1.1.10") => match pss::digest(algorithm)? {
                Digest::Sha256 => &s::RSA_PSS_2048_8192_SHA256,
                Digest::Sha384 => &s::RSA_PSS_2048_8192_SHA384,
                Digest::Sha512 => &s::RSA_PSS_2048_8192_SHA512,
            },
            (KeyAlgorithm::Ec(Curve::P256), "1.2.840.10045.4.1") => &s::ECDSA_P256_SHA1_ASN1,
            (KeyAlgorithm::Ec(Curve::P256), "1.2.840.10045.4.3.2") => &s::ECDSA_P256_SHA256_ASN1,
            (KeyAlgorithm::Ec(Curve::P256), "1.2.840.10045.4.3.3") => &s::ECDSA_P256_SHA384_ASN1,
            (KeyAlgorithm::Ec(Curve::P256), "1.2.840.10045.4.3.4") => &s::ECDSA_P256_SHA512_ASN1,
            (KeyAlgorithm::Ec(Curve::P384), "1.2.840.10045.4.3.2") => &s::ECDSA_P384_SHA256_ASN1,
            (KeyAlgorithm::Ec(Curve::P384), "1.2.840.10045.4.3.3") => &s::ECDSA_P384_SHA384_ASN1,
            (KeyAlgorithm::Ec(Curve::P384), "1.2.840.10045.4.3.4") => &s::ECDSA_P384_SHA512_ASN1,
            (KeyAlgorithm::Ec(Curve::P521), "1.2.840.10045.4.1") => &s::ECDSA_P521_SHA1_ASN1,
            (KeyAlgorithm::Ec(Curve::P521), "1.2.840.10045.4.3.2") => &s::ECDSA_P521_SHA256_ASN1,
            (KeyAlgorithm::Ec(Curve::P521), "1.2.840.10045.4.3.3") => &s::ECDSA_P521_SHA384_ASN1,
            (KeyAlgorithm::Ec(Curve::P521), "1.2.840.10045.4.3.4") => &s::ECDSA_P521_SHA512_ASN1,
            (KeyAlgorithm::Ec(Curve::K256), "1.2.840.10045.4.3.2") => &s::ECDSA_P256K1_SHA256_ASN1,
            (KeyAlgorithm::Ed25519, "1.3.101.112") => &s::ED25519,
            _ => return None,
        })
    }
}

/// The curve of an EC key, where it is a named one (RFC 5480 §2.1.1).
pub(super) fn named_curve(identifier: &AlgorithmIdentifierOwned) -> Option<ObjectIdentifier> {
    identifier.parameters.as_ref()?.decode_as().ok()
}

/// Whether the key is an EC key that does not name its curve (forbidden by RFC
/// 5480 §2.1.1: the parameters could be those of a weaker curve).
pub(super) fn has_explicit_parameters(identifier: &AlgorithmIdentifierOwned) -> bool {
    identifier.oid == EC && named_curve(identifier).is_none()
}

/// The curve with this identifier, if certkeep has it.
pub(super) fn curve_of(curve: ObjectIdentifier) -> Option<Curve> {
    match curve {
        P256 => Some(Curve::P256),
        P384 => Some(Curve::P384),
        P521 => Some(Curve::P521),
        K256 => Some(Curve::K256),
        _ => None,
    }
}

fn algorithm_of(
    identifier: &AlgorithmIdentifierOwned,
    key: &[u8],
) -> Result<Option<KeyAlgorithm>, PublicKeyError> {
    match identifier.oid {
        RSA => {
            // RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } (RFC 8017 §A.1.1)
            let (modulus, _) = <(UintRef<'_>, UintRef<'_>)>::from_sequence(key)?;
            let bytes = modulus.as_bytes();
            let leading = bytes.first().map_or(0, |first| first.leading_zeros());
            let length = u32::try_from(bytes.len()).map_err(|_| PublicKeyError::Malformed)?;
            let bits = length.checked_mul(8).ok_or(PublicKeyError::Malformed)? - leading;
            Ok(Some(KeyAlgorithm::Rsa { bits }))
        }
        EC => {
            let Some(curve) = named_curve(identifier).and_then(curve_of) else { return Ok(None) };
            // A point that is not on its curve is no key at all.
            let probe = match curve {
                Curve::P256 => &signature::ECDSA_P256_SHA256_ASN1,
                Curve::P384 => &signature::ECDSA_P384_SHA384_ASN1,
                Curve::P521 => &signature::ECDSA_P521_SHA512_ASN1,
                Curve::K256 => &signature::ECDSA_P256K1_SHA256_ASN1,
            };
            ParsedPublicKey::new(probe, key).map_err(|_| PublicKeyError::Malformed)?;
            Ok(Some(KeyAlgorithm::Ec(curve)))
        }
        ED25519 if key.len() == 32 => Ok(Some(KeyAlgorithm::Ed25519)),
        ED25519 => Err(PublicKeyError::Malformed),
        _ => Ok(None),
    }
}

/// Reads a SEQUENCE of two elements.
trait FromSequence<'a>: Sized {
    fn from_sequence(der: &'a [u8]) -> Result<Self, der::Error>;
}

impl<'a> FromSequence<'a> for (UintRef<'a>, UintRef<'a>) {
    fn from_sequence(der: &'a [u8]) -> Result<Self, der::Error> {
        use der::Reader;
        AnyRef::from_der(der)?.sequence(|reader| Ok((reader.decode()?, reader.decode()?)))
    }
}

/// The AlgorithmIdentifier of a signature: RSA with NULL parameters (RFC 4055
/// §5), ECDSA and Ed25519 without any (RFC 5758 §3.2, RFC 8410 §3).
///
/// # Errors
///
/// [`SignError::Unsupported`] for a key that certkeep cannot sign with.
pub fn signature_algorithm(key: &PublicKey, digest: Digest) -> Result<AlgorithmIdentifierOwned, SignError> {
    let unsupported = || SignError::Unsupported { key: key.algorithm_name(), digest };
    let (oid, parameters) = match (key.algorithm().ok_or_else(unsupported)?, digest) {
        (KeyAlgorithm::Rsa { bits }, _) if bits < 2048 => return Err(unsupported()),
        (KeyAlgorithm::Rsa { .. }, Digest::Sha256) => {
            ("1.2.840.113549.1.1.11", Some(Any::encode_from(&Null)?))
        }
        (KeyAlgorithm::Rsa { .. }, Digest::Sha384) => {
            ("1.2.840.113549.1.1.12", Some(Any::encode_from(&Null)?))
        }
        (KeyAlgorithm::Rsa { .. }, Digest::Sha512) => {
            ("1.2.840.113549.1.1.13", Some(Any::encode_from(&Null)?))
        }
        // aws-lc-rs binds the curve to this digest, as it is in use.
        (KeyAlgorithm::Ec(Curve::K256), Digest::Sha384 | Digest::Sha512) => return Err(unsupported()),
        (KeyAlgorithm::Ec(_), Digest::Sha256) => ("1.2.840.10045.4.3.2", None),
        (KeyAlgorithm::Ec(_), Digest::Sha384) => ("1.2.840.10045.4.3.3", None),
        (KeyAlgorithm::Ec(_), Digest::Sha512) => ("1.2.840.10045.4.3.4", None),
        (KeyAlgorithm::Ed25519, _) => ("1.3.101.112", None),
    };
    Ok(AlgorithmIdentifierOwned { oid: ObjectIdentifier::new_unwrap(oid), parameters })
}
