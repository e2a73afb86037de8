// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads private key files in every form that openssl and easy-rsa have written
//! over the years: PKCS#8, encrypted PKCS#8 (PBES2), PKCS#1, SEC1, and the old
//! PEM with `Proc-Type: 4,ENCRYPTED`; PEM or DER.

use der::{
    Decode, Encode,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};
use pkcs8::PrivateKeyInfoRef;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    PrivateKey,
    foreign::name_of,
    legacy, pbes2,
    public::{curve_of, named_curve},
};
use crate::{
    pem::{self, PemError},
    secret::{Passphrase, SecretBytes},
};

/// Whether a key file can be opened without a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// It can.
    None,
    /// It cannot.
    Passphrase,
}

/// Why a file does not give a private key.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// The key is encrypted and there is no passphrase.
    #[error("the private key is encrypted and no passphrase was given")]
    PassphraseNeeded,
    /// The passphrase does not open the key (or the file is damaged: the format cannot tell).
    #[error("wrong passphrase, or the key file is damaged")]
    WrongPassphrase,
    /// Something else is in the file.
    #[error("there is no private key in it, but {}", .0.escape_debug())]
    NoKey(String),
    /// A kind of key or of encryption that certkeep does not have.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// The PEM is broken.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// Neither PEM nor the DER of a private key.
    #[error("it is not a private key")]
    Malformed,
}

/// A private key as it was found in a file.
enum Found {
    Pkcs8(Zeroizing<Vec<u8>>),
    EncryptedPkcs8(Zeroizing<Vec<u8>>),
    Pkcs1(Zeroizing<Vec<u8>>),
    Sec1(Zeroizing<Vec<u8>>),
    Legacy(legacy::Encrypted),
}

impl PrivateKey {
    /// Says whether the key in `file` is encrypted.
    ///
    /// # Errors
    ///
    /// [`LoadError`], if there is no private key in it.
    pub fn protection(file: &SecretBytes) -> Result<Protection, LoadError> {
        Ok(match find(file)? {
            Found::EncryptedPkcs8(_) | Found::Legacy(_) => Protection::Passphrase,
            Found::Pkcs8(_) | Found::Pkcs1(_) | Found::Sec1(_) => Protection::None,
        })
    }

    /// Reads a private key. A passphrase for a key that has none is ignored, as
    /// openssl does (easy-rsa 3.2: --passin on every command).
    ///
    /// # Errors
    ///
    /// [`LoadError`]. A key derivation that would take minutes or gigabytes is
    /// refused, not tried.
    pub fn load(file: &SecretBytes, passphrase: Option<&Passphrase>) -> Result<Self, LoadError> {
        let needed = || passphrase.ok_or(LoadError::PassphraseNeeded);
        match find(file)? {
            Found::Pkcs8(der) => Self::from_pkcs8(&der),
            Found::Pkcs1(der) => Self::from_pkcs8(&wrap_pkcs1(&der)?),
            Found::Sec1(der) => Self::from_pkcs8(&wrap_sec1(&der)?),
            Found::EncryptedPkcs8(der) => {
                Self::from_pkcs8(&pbes2::decrypt(&der, needed()?)?).map_err(as_wrong_passphrase)
            }
            Found::Legacy(encrypted) => {
                let der = encrypted.decrypt(needed()?)?;
                let wrapped = match encrypted.label.as_str() {
                    "EC PRIVATE KEY" => wrap_sec1(&der),
                    _ => wrap_pkcs1(&der),
                };
                let wrapped = wrapped.map_err(|_| LoadError::WrongPassphrase)?;
                Self::from_pkcs8(&wrapped).map_err(as_wrong_passphrase)
            }
        }
    }
}

/// What comes out under a wrong passphrase has valid padding one time in 256, and is no key then.
fn as_wrong_passphrase(error: LoadError) -> LoadError {
    match error {
        LoadError::Malformed => LoadError::WrongPassphrase,
        other => other,
    }
}

fn find(file: &SecretBytes) -> Result<Found, LoadError> {
    let bytes = file.expose();
    // A lossy copy would be a copy of the key; what is not text is DER.
    let blocks = match std::str::from_utf8(bytes) {
        Ok(text) => pem::blocks(text)?,
        Err(_) => Vec::new(),
    };
    for block in &blocks {
        return Ok(match block.label {
            "PRIVATE KEY" => Found::Pkcs8(block.decode()?),
            "ENCRYPTED PRIVATE KEY" => Found::EncryptedPkcs8(block.decode()?),
            "RSA PRIVATE KEY" | "EC PRIVATE KEY" => match legacy::Encrypted::read(block)? {
                Some(encrypted) => Found::Legacy(encrypted),
                None if block.label == "RSA PRIVATE KEY" => Found::Pkcs1(block.decode()?),
                None => Found::Sec1(block.decode()?),
            },
            label if label.ends_with("PRIVATE KEY") => {
                return Err(LoadError::Unsupported(format!("a key in the form `{}`", label.escape_debug())));
            }
            // openssl writes the parameters of an EC key in front of it.
            _ => continue,
        });
    }
    match blocks.first() {
        Some(block) => Err(LoadError::NoKey(format!("a block `{}`", block.label))),
        None => find_der(bytes),
    }
}

fn find_der(bytes: &[u8]) -> Result<Found, LoadError> {
    let copy = || Zeroizing::new(bytes.to_vec());
    if PrivateKeyInfoRef::try_from(bytes).is_ok() {
        return Ok(Found::Pkcs8(copy()));
    }
    if pbes2::is_encrypted(bytes) {
        return Ok(Found::EncryptedPkcs8(copy()));
    }
    // Both begin with a version: 0 or 1 (multi-prime) in PKCS#1, 1 and an OCTET STRING in SEC1.
    let elements = Vec::<AnyRef<'_>>::from_der(bytes).map_err(|_| LoadError::Malformed)?;
    use der::{Tag, Tagged};
    match elements.get(1).map(Tagged::tag) {
        Some(Tag::OctetString) => Ok(Found::Sec1(copy())),
        Some(Tag::Integer) if elements.len() >= 9 => Ok(Found::Pkcs1(copy())),
        _ => Err(LoadError::Malformed),
    }
}

/// `PrivateKeyInfo` around an RSAPrivateKey (RFC 8017 §A.1.2).
fn wrap_pkcs1(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, LoadError> {
    let algorithm = spki::AlgorithmIdentifierRef {
        oid: ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"),
        parameters: Some(AnyRef::NULL),
    };
    wrap(algorithm, der)
}

/// `PrivateKeyInfo` around an ECPrivateKey (RFC 5915 §3), whose curve it names.
fn wrap_sec1(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, LoadError> {
    use der::{Tag, TagNumber, Tagged};
    let elements = Vec::<AnyRef<'_>>::from_der(der).map_err(|_| LoadError::Malformed)?;
    let zero = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    let parameters = elements.iter().find(|element| element.tag() == zero).ok_or(LoadError::Malformed)?;
    let curve: ObjectIdentifier = ObjectIdentifier::from_der(parameters.value())
        .map_err(|_| LoadError::Unsupported("a key of the kind EC with explicit parameters".to_owned()))?;
    let algorithm = spki::AlgorithmIdentifierRef {
        oid: ObjectIdentifier::new_unwrap("1.2.840.10045.2.1"),
        parameters: Some((&curve).into()),
    };
    wrap(algorithm, der)
}

fn wrap(algorithm: spki::AlgorithmIdentifierRef<'_>, der: &[u8]) -> Result<Zeroizing<Vec<u8>>, LoadError> {
    let key = OctetStringRef::new(der).map_err(|_| LoadError::Malformed)?;
    let wrapped = PrivateKeyInfoRef::new(algorithm, key).to_der();
    wrapped.map(Zeroizing::new).map_err(|_| LoadError::Malformed)
}

/// What to say of a key that is well formed and yet cannot be used.
pub(super) fn unsupported(
    identifier: &spki::AlgorithmIdentifierOwned,
    private_key_bytes: usize,
) -> LoadError {
    let name = match identifier.oid.to_string().as_str() {
        // An RSAPrivateKey of 1024 bits has about 600 bytes, one of 2048 about 1190.
        "1.2.840.113549.1.1.1" if private_key_bytes < 1100 => "an RSA key below 2048 bits".to_owned(),
        "1.2.840.113549.1.1.1" | "1.3.101.112" => return LoadError::Malformed,
        "1.2.840.10045.2.1" if named_curve(identifier).and_then(curve_of).is_some() => {
            return LoadError::Malformed;
        }
        _ => format!("a key of the kind {}", name_of(identifier)),
    };
    LoadError::Unsupported(name)
}
