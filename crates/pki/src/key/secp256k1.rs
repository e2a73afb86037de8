// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys on secp256k1, which rcgen does not have: aws-lc-rs makes and uses them,
//! with SHA-256 alone.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256K1_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use der::{
    Encode,
    asn1::{Any, BitString},
};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use zeroize::Zeroizing;

use super::{
    GenerateError, LoadError, PublicKey, SignError,
    public::{EC, K256},
};

/// A new key as PKCS#8.
pub(super) fn generate() -> Result<Zeroizing<Vec<u8>>, GenerateError> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256K1_SHA256_ASN1_SIGNING);
    let document = pair.and_then(|pair| pair.to_pkcs8v1()).map_err(|_| GenerateError::Generator)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

/// The public half.
pub(super) fn public_key(pkcs8: &[u8]) -> Result<PublicKey, LoadError> {
    let malformed = |_| LoadError::Malformed;
    let pair = pair(pkcs8).map_err(|_| LoadError::Malformed)?;
    let parameters = Some(Any::encode_from(&K256).map_err(malformed)?);
    let key = SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned { oid: EC, parameters },
        // The point in its long form (SEC 1 §2.3.3).
        subject_public_key: BitString::from_bytes(pair.public_key().as_ref()).map_err(malformed)?,
    };
    PublicKey::from_der(&key.to_der().map_err(malformed)?).map_err(|_| LoadError::Malformed)
}

/// A DER ECDSA-Sig-Value over SHA-256.
pub(super) fn sign(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>, SignError> {
    let signature = pair(pkcs8)?.sign(&SystemRandom::new(), message);
    signature.map(|bytes| bytes.as_ref().to_vec()).map_err(|_| SignError::Signer)
}

fn pair(pkcs8: &[u8]) -> Result<EcdsaKeyPair, SignError> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256K1_SHA256_ASN1_SIGNING, pkcs8).map_err(|_| SignError::Signer)
}
