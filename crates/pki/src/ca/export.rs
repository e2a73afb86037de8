// SPDX-License-Identifier: MIT OR Apache-2.0
//! Certificates and keys in containers for other programs: PKCS#12 (RFC 7292) and
//! PKCS#7 with certificates alone (RFC 5652 §5).

use der::{
    Decode, Encode, Sequence, Tag, TagNumber,
    asn1::{Any, ObjectIdentifier},
};
use p12_keystore::{
    Certificate as Held, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey as HeldKey,
    PrivateKeyChain,
};
use thiserror::Error;

use crate::{
    key::{PrivateKey, Signer},
    pem,
    secret::{Passphrase, SecretBytes},
    x509::certificate::Certificate,
};

/// Rounds of key derivation: fifty times those of openssl, and what Java, NSS and
/// openssl still open in a moment.
const ITERATIONS: u32 = 100_000;

/// Rounds where there is no passphrase that anybody would have to guess: those of openssl.
const ITERATIONS_WITHOUT_PASSPHRASE: u32 = 2_048;

/// How a PKCS#12 file is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkcs12Protection {
    /// AES-256 with PBKDF2 and HMAC-SHA-256.
    Modern,
    /// Triple DES and SHA-1, for programs from before 2020.
    Legacy,
}

/// What goes into a PKCS#12 file.
#[derive(Debug)]
pub struct Pkcs12Order<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// Its key; without one the file holds certificates alone.
    pub key: Option<&'a PrivateKey>,
    /// The CA and the chain above it.
    pub chain: &'a [Certificate],
    /// What a person calls the entry; empty for no name.
    pub friendly_name: &'a str,
    /// What opens it; an empty one stands for none.
    pub passphrase: &'a Passphrase,
    /// How it is protected.
    pub protection: Pkcs12Protection,
}

/// Why nothing is exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The certificate is for another key.
    #[error("the private key does not belong to the certificate")]
    OtherKey,
    /// PKCS#12 turns the passphrase into UTF-16.
    #[error("the passphrase of a PKCS#12 file has to be UTF-8 text")]
    Passphrase,
    /// PKCS#12 writes names as a BMPString.
    #[error("the name `{}` has characters that PKCS#12 cannot write", .0.escape_debug())]
    FriendlyName(String),
    /// The container cannot be written.
    #[error("the PKCS#12 file cannot be written")]
    Pkcs12(#[from] p12_keystore::error::Error),
    /// The container cannot be encoded.
    #[error("the PKCS#7 file cannot be encoded")]
    Der(#[from] der::Error),
}

/// Puts a certificate, its key and its chain into a PKCS#12 file.
///
/// # Errors
///
/// [`ExportError`].
pub fn pkcs12(order: &Pkcs12Order<'_>) -> Result<SecretBytes, ExportError> {
    let password = std::str::from_utf8(order.passphrase.expose()).map_err(|_| ExportError::Passphrase)?;
    let in_bmp = |text: &str| text.chars().all(|character| u32::from(character) <= 0xffff);
    if !in_bmp(password) {
        return Err(ExportError::Passphrase);
    }
    if !in_bmp(order.friendly_name) {
        return Err(ExportError::FriendlyName(order.friendly_name.to_owned()));
    }
    let held = |certificate: &Certificate| Held::from_der(certificate.as_der());
    let mut store = KeyStore::new();
    match order.key {
        Some(key) => {
            if key.public_key() != order.certificate.public_key() {
                return Err(ExportError::OtherKey);
            }
            let all = std::iter::once(order.certificate).chain(order.chain);
            let certificates = all.map(held).collect::<Result<Vec<_>, _>>()?;
            // The same identifier at key and certificate tells which belong together.
            let identifier = order.certificate.fingerprint_sha1().to_vec();
            let chain = PrivateKeyChain::new(identifier, HeldKey::from_der(key.pkcs8())?, certificates);
            store.add_entry(order.friendly_name, KeyStoreEntry::PrivateKeyChain(chain));
        }
        None => {
            store.add_entry(order.friendly_name, KeyStoreEntry::Certificate(held(order.certificate)?));
            for certificate in order.chain {
                let alias = certificate.subject().to_string();
                let alias = if in_bmp(&alias) { alias } else { certificate.serial_number().to_string() };
                store.add_entry(&alias, KeyStoreEntry::Certificate(held(certificate)?));
            }
        }
    }
    let (encryption, mac) = match order.protection {
        Pkcs12Protection::Modern => {
            (EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256)
        }
        Pkcs12Protection::Legacy => {
            (EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1)
        }
    };
    let writer = store.writer(password).encryption_algorithm(encryption).mac_algorithm(mac);
    let iterations = if password.is_empty() { ITERATIONS_WITHOUT_PASSPHRASE } else { ITERATIONS };
    let written = writer.encryption_iterations(iterations).mac_iterations(iterations).write()?;
    Ok(SecretBytes::new(written))
}

/// RFC 5652 §3.
#[derive(Sequence)]
struct ContentInfo {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    content: Option<Any>,
}

/// RFC 5652 §5.1, with nothing signed.
#[derive(Sequence)]
struct SignedData {
    version: u8,
    digest_algorithms: Any,
    encapsulated: ContentInfo,
    certificates: Any,
    signer_infos: Any,
}

/// Puts certificates into a PKCS#7 file, PEM, in the order given: as openssl and
/// easy-rsa do, the certificate first. (DER would sort them; readers take either.)
///
/// # Errors
///
/// [`ExportError::Der`].
pub fn pkcs7(certificates: &[&Certificate]) -> Result<String, ExportError> {
    let data = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
    let signed_data = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
    let empty_set = || Any::new(Tag::Set, Vec::new());
    let all: Vec<u8> = certificates.iter().flat_map(|certificate| certificate.as_der()).copied().collect();
    let zero = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    let signed = SignedData {
        version: 1,
        digest_algorithms: empty_set()?,
        encapsulated: ContentInfo { content_type: data, content: None },
        certificates: Any::new(zero, all)?,
        signer_infos: empty_set()?,
    };
    let content = Any::from_der(&signed.to_der()?)?;
    let info = ContentInfo { content_type: signed_data, content: Some(content) };
    Ok(pem::encode("PKCS7", &info.to_der()?))
}
