// SPDX-License-Identifier: MIT OR Apache-2.0
//! Private keys in the forms of their own algorithms, for programs that know no
//! PKCS#8: PKCS#1 for RSA (RFC 8017), SEC1 for keys on curves (RFC 5915).

use der::{
    Decode, Encode, Tag, TagNumber, Tagged,
    asn1::{Any, AnyRef},
};
use pkcs8::PrivateKeyInfoRef;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{KeyAlgorithm, PrivateKey, legacy};
use crate::{
    pem,
    secret::{Passphrase, SecretBytes},
};

/// Why a key is not written in its traditional form.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TraditionalError {
    /// Ed25519 came after PKCS#8.
    #[error("a key of the kind {0} has no form older than PKCS#8")]
    NoForm(KeyAlgorithm),
    /// The structure cannot be encoded.
    #[error("the key cannot be encoded")]
    Encode,
}

impl PrivateKey {
    /// The key as `RSA PRIVATE KEY` or `EC PRIVATE KEY`, encrypted in the old way
    /// of OpenSSL if there is a passphrase: AES-256-CBC under a key from one round
    /// of MD5, because there is no better one in this form.
    ///
    /// # Errors
    ///
    /// [`TraditionalError::NoForm`] for Ed25519.
    pub fn to_traditional_pem(
        &self,
        passphrase: Option<&Passphrase>,
        rng: &mut dyn CryptoRng,
    ) -> Result<SecretBytes, TraditionalError> {
        let information =
            PrivateKeyInfoRef::try_from(self.pkcs8.as_slice()).map_err(|_| TraditionalError::Encode)?;
        let inner = information.private_key.as_bytes();
        let (label, der) = match self.algorithm {
            KeyAlgorithm::Rsa { .. } => ("RSA PRIVATE KEY", Zeroizing::new(inner.to_vec())),
            KeyAlgorithm::Ec(_) => {
                let curve = information.algorithm.parameters.ok_or(TraditionalError::Encode)?;
                ("EC PRIVATE KEY", with_curve(inner, curve).map_err(|_| TraditionalError::Encode)?)
            }
            KeyAlgorithm::Ed25519 => return Err(TraditionalError::NoForm(self.algorithm)),
        };
        Ok(match passphrase {
            Some(passphrase) => legacy::encrypt(label, &der, passphrase, rng),
            None => pem::encode_secret(label, &der),
        })
    }

    /// The key as PKCS#8 DER, not encrypted, for containers that encrypt it themselves.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }
}

/// An ECPrivateKey that names its curve, which PKCS#8 names outside of it.
fn with_curve(inner: &[u8], curve: AnyRef<'_>) -> Result<Zeroizing<Vec<u8>>, der::Error> {
    let zero = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    let parameters = Any::new(zero, curve.to_der()?)?;
    let mut elements = Vec::<AnyRef<'_>>::from_der(inner)?;
    elements.retain(|element| element.tag() != zero);
    elements.insert(2.min(elements.len()), AnyRef::from(&parameters));
    Ok(Zeroizing::new(elements.to_der()?))
}
