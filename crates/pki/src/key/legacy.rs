// SPDX-License-Identifier: MIT OR Apache-2.0
//! The old encrypted PEM of OpenSSL, `Proc-Type: 4,ENCRYPTED` with a `DEK-Info`
//! line (RFC 1421): read, because `openssl ec -aes256` still writes it, and written
//! for programs that know no PKCS#8 alone.
//!
//! The key is `EVP_BytesToKey` with MD5 and one round over the passphrase and
//! the first eight bytes of the IV.

use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use base64ct::{Base64, Encoding};
use md5::{Digest, Md5};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::LoadError;
use crate::{
    pem::{Block, PemError, encode_secret},
    secret::{Passphrase, SecretBytes},
};

/// A block that a passphrase opens.
pub(super) struct Encrypted {
    pub(super) label: String,
    cipher: Cipher,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Des,
    Des3,
}

impl Cipher {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "AES-128-CBC" => Some(Self::Aes128),
            "AES-192-CBC" => Some(Self::Aes192),
            "AES-256-CBC" => Some(Self::Aes256),
            "DES-CBC" => Some(Self::Des),
            "DES-EDE3-CBC" => Some(Self::Des3),
            _ => None,
        }
    }

    /// Bytes of the key and of the IV.
    fn lengths(self) -> (usize, usize) {
        match self {
            Self::Aes128 => (16, 16),
            Self::Aes192 => (24, 16),
            Self::Aes256 => (32, 16),
            Self::Des => (8, 8),
            Self::Des3 => (24, 8),
        }
    }
}

impl Encrypted {
    /// Reads a block that has headers; `None` for one without.
    pub(super) fn read(block: &Block<'_>) -> Result<Option<Self>, LoadError> {
        if !block.body.contains("Proc-Type:") {
            return Ok(None);
        }
        let unsupported = || LoadError::Unsupported("this kind of PEM encryption".to_owned());
        let (headers, body) = split_headers(block.body).ok_or_else(unsupported)?;
        let information = headers.lines().find_map(|line| line.trim().strip_prefix("DEK-Info:"));
        let (name, iv) =
            information.and_then(|value| value.trim().split_once(',')).ok_or_else(unsupported)?;
        let cipher = Cipher::parse(name.trim()).ok_or_else(unsupported)?;
        let iv = crate::x509::serial::parse_hex(iv.trim()).ok_or_else(unsupported)?;
        if iv.len() != cipher.lengths().1 {
            return Err(unsupported());
        }
        let digits: String = body.chars().filter(|character| !character.is_whitespace()).collect();
        let ciphertext = Base64::decode_vec(&digits).map_err(|_| PemError::Base64(block.label.to_owned()))?;
        Ok(Some(Self { label: block.label.to_owned(), cipher, iv, ciphertext }))
    }

    /// Decrypts the DER; one wrong passphrase in 256 gives garbage instead of an error.
    pub(super) fn decrypt(&self, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, LoadError> {
        let (length, _) = self.cipher.lengths();
        let salt = self.iv.get(..8).ok_or(LoadError::Malformed)?;
        let key = derive(passphrase, salt, length);
        match self.cipher {
            Cipher::Aes128 => open::<cbc::Decryptor<aes::Aes128>>(&key, &self.iv, &self.ciphertext),
            Cipher::Aes192 => open::<cbc::Decryptor<aes::Aes192>>(&key, &self.iv, &self.ciphertext),
            Cipher::Aes256 => open::<cbc::Decryptor<aes::Aes256>>(&key, &self.iv, &self.ciphertext),
            Cipher::Des => open::<cbc::Decryptor<des::Des>>(&key, &self.iv, &self.ciphertext),
            Cipher::Des3 => open::<cbc::Decryptor<des::TdesEde3>>(&key, &self.iv, &self.ciphertext),
        }
    }
}

/// The headers end at the first empty line.
fn split_headers(body: &str) -> Option<(&str, &str)> {
    let body = body.trim_start();
    body.split_once("\n\n").or_else(|| body.split_once("\r\n\r\n"))
}

/// Encrypts a key as openssl does with `-aes256`. One round of MD5 slows nobody
/// down who guesses: the passphrase is all there is.
pub(super) fn encrypt(
    label: &str,
    der: &[u8],
    passphrase: &Passphrase,
    rng: &mut dyn CryptoRng,
) -> SecretBytes {
    let mut iv = [0_u8; 16];
    rng.fill_bytes(&mut iv);
    let key = derive(passphrase, &iv[..8], 32);
    let encryptor =
        cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, &iv).expect("32 bytes of key and 16 of IV");
    let mut buffer = Zeroizing::new(vec![0; der.len() + 16]);
    buffer[..der.len()].copy_from_slice(der);
    let ciphertext =
        encryptor.encrypt_padded::<Pkcs7>(&mut buffer, der.len()).expect("a block more than the plaintext");
    let encoded = encode_secret(label, ciphertext);
    let head = format!("-----BEGIN {label}-----\n");
    let body = encoded.expose().strip_prefix(head.as_bytes()).unwrap_or_default();
    let iv: String = iv.iter().map(|byte| format!("{byte:02X}")).collect();
    let headers = format!("{head}Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,{iv}\n\n");
    SecretBytes::new([headers.as_bytes(), body].concat())
}

fn derive(passphrase: &Passphrase, salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut previous = Zeroizing::new([0_u8; 16]);
    while key.len() < length {
        let mut hash = Md5::new();
        if !key.is_empty() {
            hash.update(*previous);
        }
        hash.update(passphrase.expose());
        hash.update(salt);
        *previous = hash.finalize().into();
        key.extend_from_slice(&*previous);
    }
    key.truncate(length);
    key
}

fn open<D: KeyIvInit + BlockModeDecrypt>(
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, LoadError> {
    let decryptor = D::new_from_slices(key, iv).map_err(|_| LoadError::Malformed)?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let plain = decryptor.decrypt_padded::<Pkcs7>(&mut buffer).map_err(|_| LoadError::WrongPassphrase)?;
    Ok(Zeroizing::new(plain.to_vec()))
}
