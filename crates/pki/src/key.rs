// SPDX-License-Identifier: MIT OR Apache-2.0
//! Private keys: made, written, and used to sign. Reading key files is the work
//! of `load`, checking signatures that of `public`.
//!
//! The only file that names rcgen, which makes keys and signatures with
//! aws-lc-rs. The pairs of curve and digest that aws-lc-rs does not have go to
//! the p256 and p384 crates, odd RSA sizes to the rsa crate; secp256k1, which
//! rcgen does not have, to aws-lc-rs itself.

mod algorithm;
mod foreign;
mod legacy;
mod load;
mod parameters;
mod pbes2;
mod pss;
mod public;
mod secp256k1;
mod strength;
mod traditional;

use std::fmt;

use der::{Decode, Encode};
use pkcs8::PrivateKeyInfoRef;
use rand_core::CryptoRng;
use rcgen::{KeyPair, PublicKeyData, RsaKeySize, SigningKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use spki::AlgorithmIdentifierOwned;
use thiserror::Error;
use zeroize::Zeroizing;

pub use self::{
    algorithm::{Curve, Digest, KeyAlgorithm},
    load::{LoadError, Protection},
    parameters::ParametersError,
    public::{PublicKey, PublicKeyError, VerifyError, signature_algorithm},
    traditional::TraditionalError,
};
use crate::{
    pem,
    secret::{Passphrase, SecretBytes},
};

/// The bounds of a new RSA key, in bits: RFC 5280 verifiers refuse shorter ones,
/// aws-lc-rs does not work with longer ones.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// PBKDF2 iterations of a new passphrase-protected key: what OWASP asks for with
/// HMAC-SHA-256 (2023), about 0.1 s; openssl's own default of 2048 is from 2000.
const PBKDF2_ITERATIONS: u32 = 600_000;

/// Why a key cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The modulus would be too short or too long.
    #[error("an RSA key of {bits} bits is not possible, only {} to {}", RSA_BITS.start(), RSA_BITS.end())]
    RsaBits {
        /// What was asked for.
        bits: u32,
    },
    /// The generator failed.
    #[error("the key could not be generated")]
    Generator,
}

/// Why a key cannot be encrypted.
#[derive(Debug, Error)]
#[error("the key could not be encrypted")]
pub struct EncryptError;

/// Why something was not signed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key cannot make this kind of signature.
    #[error("a key of the kind {key} cannot sign with {digest}")]
    Unsupported {
        /// The key's algorithm.
        key: String,
        /// The digest.
        digest: Digest,
    },
    /// The structure to be signed cannot be encoded.
    #[error("the structure to be signed cannot be encoded")]
    Der(#[from] der::Error),
    /// The signer failed.
    #[error("the key did not sign")]
    Signer,
}

/// Who can sign: a key in memory; one day a device.
pub trait Signer {
    /// The public half of the key.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`: RSASSA-PKCS1-v1_5, a DER ECDSA-Sig-Value, or Ed25519.
    ///
    /// # Errors
    ///
    /// [`SignError`].
    fn sign(&self, digest: Digest, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// A private key in memory: PKCS#8 version 1, zeroised when it is dropped.
pub struct PrivateKey {
    algorithm: KeyAlgorithm,
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey({})", self.algorithm)
    }
}

impl PrivateKey {
    /// Makes a key. RSA has the public exponent 65537.
    ///
    /// # Errors
    ///
    /// [`GenerateError::RsaBits`] outside 2048..=8192.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, GenerateError> {
        let failed = |_| GenerateError::Generator;
        let pkcs8 = match algorithm {
            KeyAlgorithm::Rsa { bits } => generate_rsa(bits)?,
            KeyAlgorithm::Ec(Curve::K256) => secp256k1::generate()?,
            KeyAlgorithm::Ec(curve @ (Curve::P256 | Curve::P384 | Curve::P521)) => {
                let pair = KeyPair::generate_for(match curve {
                    Curve::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
                    Curve::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
                    _ => &rcgen::PKCS_ECDSA_P521_SHA512,
                });
                Zeroizing::new(pair.map_err(failed)?.serialize_der())
            }
            KeyAlgorithm::Ed25519 => {
                let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).map_err(failed)?;
                Zeroizing::new(pair.serialize_der())
            }
        };
        Self::from_pkcs8(&pkcs8).map_err(|_| GenerateError::Generator)
    }

    /// What the key is.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The key as PKCS#8 PEM, not encrypted.
    #[must_use]
    pub fn to_pem(&self) -> SecretBytes {
        pem::encode_secret("PRIVATE KEY", &self.pkcs8)
    }

    /// The key as PKCS#8 PEM, encrypted with PBES2 (AES-256-CBC, PBKDF2 with
    /// HMAC-SHA-256; RFC 8018), which openssl 1.0 and later open.
    ///
    /// # Errors
    ///
    /// [`EncryptError`].
    pub fn to_encrypted_pem(
        &self,
        passphrase: &Passphrase,
        rng: &mut dyn CryptoRng,
    ) -> Result<SecretBytes, EncryptError> {
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(&mut iv);
        let parameters =
            pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(PBKDF2_ITERATIONS, &salt, iv);
        let information = PrivateKeyInfoRef::try_from(self.pkcs8.as_slice()).map_err(|_| EncryptError)?;
        let encrypted = parameters.map_err(|_| EncryptError).and_then(|chosen| {
            information.encrypt_with_params(chosen, passphrase.expose()).map_err(|_| EncryptError)
        })?;
        Ok(pem::encode_secret("ENCRYPTED PRIVATE KEY", encrypted.as_bytes()))
    }

    /// Takes PKCS#8 of either version; keeps version 1, because OpenSSL 3.0
    /// cannot read version 2.
    fn from_pkcs8(der: &[u8]) -> Result<Self, LoadError> {
        let information = PrivateKeyInfoRef::try_from(der).map_err(|_| LoadError::Malformed)?;
        let encoded = information.algorithm.to_der().map_err(|_| LoadError::Malformed)?;
        let identifier = AlgorithmIdentifierOwned::from_der(&encoded).map_err(|_| LoadError::Malformed)?;
        let private_key = information.private_key;
        let unsupported = || load::unsupported(&identifier, private_key.as_bytes().len());
        if public::has_explicit_parameters(&identifier) {
            return Err(unsupported());
        }
        let plain = PrivateKeyInfoRef::new(information.algorithm, private_key);
        let pkcs8 = Zeroizing::new(plain.to_der().map_err(|_| LoadError::Malformed)?);
        let public = if public::named_curve(&identifier) == Some(public::K256) {
            secp256k1::public_key(&pkcs8)?
        } else {
            let pair = KeyPair::try_from(pkcs8.as_slice()).map_err(|_| unsupported())?;
            PublicKey::from_der(&pair.subject_public_key_info()).map_err(|_| LoadError::Malformed)?
        };
        // Version 2 brings a public half of its own, which would otherwise be dropped unread.
        if information.public_key.is_some_and(|bits| bits.as_bytes() != Some(public.bits())) {
            return Err(LoadError::Malformed);
        }
        let algorithm = public.algorithm().ok_or(LoadError::Malformed)?;
        Ok(Self { algorithm, pkcs8, public })
    }

    /// A key pair of rcgen for one kind of signature.
    fn pair(&self, kind: &'static rcgen::SignatureAlgorithm) -> Result<KeyPair, SignError> {
        let der = PrivatePkcs8KeyDer::from(self.pkcs8.as_slice());
        KeyPair::from_pkcs8_der_and_sign_algo(&der, kind).map_err(|_| SignError::Signer)
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, digest: Digest, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let kind = match (self.algorithm, digest) {
            (KeyAlgorithm::Rsa { .. }, Digest::Sha256) => &rcgen::PKCS_RSA_SHA256,
            (KeyAlgorithm::Rsa { .. }, Digest::Sha384) => &rcgen::PKCS_RSA_SHA384,
            (KeyAlgorithm::Rsa { .. }, Digest::Sha512) => &rcgen::PKCS_RSA_SHA512,
            (KeyAlgorithm::Ec(Curve::P256), Digest::Sha256) => &rcgen::PKCS_ECDSA_P256_SHA256,
            (KeyAlgorithm::Ec(Curve::P384), Digest::Sha384) => &rcgen::PKCS_ECDSA_P384_SHA384,
            (KeyAlgorithm::Ec(Curve::P521), Digest::Sha256) => &rcgen::PKCS_ECDSA_P521_SHA256,
            (KeyAlgorithm::Ec(Curve::P521), Digest::Sha384) => &rcgen::PKCS_ECDSA_P521_SHA384,
            (KeyAlgorithm::Ec(Curve::P521), Digest::Sha512) => &rcgen::PKCS_ECDSA_P521_SHA512,
            (KeyAlgorithm::Ed25519, _) => &rcgen::PKCS_ED25519,
            (KeyAlgorithm::Ec(Curve::P256), _) => return sign_p256(&self.pkcs8, digest, message),
            (KeyAlgorithm::Ec(Curve::P384), _) => return sign_p384(&self.pkcs8, digest, message),
            (KeyAlgorithm::Ec(Curve::K256), Digest::Sha256) => return secp256k1::sign(&self.pkcs8, message),
            (KeyAlgorithm::Ec(Curve::K256), _) => {
                return Err(SignError::Unsupported { key: self.algorithm.to_string(), digest });
            }
        };
        self.pair(kind)?.sign(message).map_err(|_| SignError::Signer)
    }
}

/// aws-lc-rs knows four sizes; the rsa crate makes the others.
fn generate_rsa(bits: u32) -> Result<Zeroizing<Vec<u8>>, GenerateError> {
    use rsa::{pkcs8::EncodePrivateKey, rand_core::OsRng};
    if !RSA_BITS.contains(&bits) {
        return Err(GenerateError::RsaBits { bits });
    }
    let size = match bits {
        2048 => RsaKeySize::_2048,
        3072 => RsaKeySize::_3072,
        4096 => RsaKeySize::_4096,
        8192 => {
            use aws_lc_rs::{
                encoding::AsDer,
                rsa::{KeyPair, KeySize},
            };
            let pair = KeyPair::generate(KeySize::Rsa8192).map_err(|_| GenerateError::Generator)?;
            let der = pair.as_der().map_err(|_| GenerateError::Generator)?;
            return Ok(Zeroizing::new(der.as_ref().to_vec()));
        }
        _ => {
            let bits = usize::try_from(bits).map_err(|_| GenerateError::RsaBits { bits })?;
            let key = rsa::RsaPrivateKey::new(&mut OsRng, bits).map_err(|_| GenerateError::Generator)?;
            let document = key.to_pkcs8_der().map_err(|_| GenerateError::Generator)?;
            return Ok(document.to_bytes());
        }
    };
    let pair = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
    Ok(Zeroizing::new(pair.map_err(|_| GenerateError::Generator)?.serialize_der()))
}

/// Signs a digest of another length than the curve's with one of the RustCrypto
/// curves: `openssl ca` does it by default for every key (easy-rsa 3.2: EASYRSA_DIGEST).
macro_rules! sign_prehash {
    ($name:ident, $curve:ident) => {
        fn $name(pkcs8: &[u8], digest: Digest, message: &[u8]) -> Result<Vec<u8>, SignError> {
            use $curve::{
                ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner},
                pkcs8::DecodePrivateKey,
            };
            let key = SigningKey::from_pkcs8_der(pkcs8).map_err(|_| SignError::Signer)?;
            let signature: Signature =
                key.sign_prehash(&hash(digest, message)).map_err(|_| SignError::Signer)?;
            Ok(signature.to_der().as_bytes().to_vec())
        }
    };
}

sign_prehash!(sign_p256, p256);
sign_prehash!(sign_p384, p384);

fn hash(digest: Digest, message: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    match digest {
        Digest::Sha256 => sha2::Sha256::digest(message).to_vec(),
        Digest::Sha384 => sha2::Sha384::digest(message).to_vec(),
        Digest::Sha512 => sha2::Sha512::digest(message).to_vec(),
    }
}
