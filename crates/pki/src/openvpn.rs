// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenVPN's own keys, which no certificate is for: the static key of `tls-auth`
//! and `tls-crypt`, and the pair of `tls-crypt-v2`. Values in OpenVPN's file
//! formats; what a server does with them is OpenVPN's.

use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    hmac,
    iv::FixedLength,
};
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    moment::Moment,
    pem::{self, PemError},
    secret::SecretBytes,
};

/// What a static key is used for. OpenVPN's file does not tell, so easy-rsa
/// writes a comment line in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsUse {
    /// `tls-auth`: control packets are signed.
    Auth,
    /// `tls-crypt`: control packets are signed and encrypted.
    Crypt,
}

/// Why a file is not a key of OpenVPN's.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsKeyError {
    /// No static key in it.
    #[error("there is no OpenVPN static key in it")]
    NoStaticKey,
    /// The static key is not 2048 bits in hexadecimal.
    #[error("its static key is not 2048 bits long")]
    Length,
    /// No tls-crypt-v2 server key in it.
    #[error("there is no tls-crypt-v2 server key in it")]
    NoServerKey,
    /// The PEM around it is broken.
    #[error(transparent)]
    Pem(#[from] PemError),
}

const STATIC: &str = "OpenVPN Static key V1";
const SERVER: &str = "OpenVPN tls-crypt-v2 server key";
const CLIENT: &str = "OpenVPN tls-crypt-v2 client key";
/// Bytes of a static key: two directions of a cipher key and an HMAC key of 64 bytes each.
const STATIC_LENGTH: usize = 256;
/// Bytes of a server key: a cipher key and an HMAC key, of which the first 32 each are used.
const SERVER_LENGTH: usize = 128;
/// The kind of metadata that is the time at which the key was made.
const TIMESTAMP: u8 = 1;

impl TlsUse {
    /// Reads the comment that easy-rsa writes into a key file.
    #[must_use]
    pub fn of_file(file: &SecretBytes) -> Option<Self> {
        let comments = file.expose().split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"#"));
        comments.into_iter().find_map(|line| {
            let names = |word: &[u8]| memchr::memmem::find(line, word).is_some();
            match (names(b"TLS-AUTH"), names(b"TLS-CRYPT")) {
                (true, _) => Some(Self::Auth),
                (_, true) => Some(Self::Crypt),
                _ => None,
            }
        })
    }

    /// OpenVPN's option.
    #[must_use]
    pub fn option(self) -> &'static str {
        match self {
            Self::Auth => "tls-auth",
            Self::Crypt => "tls-crypt",
        }
    }
}

/// A new static key, with the comment that tells its use.
pub fn static_key(purpose: TlsUse, rng: &mut dyn CryptoRng) -> SecretBytes {
    let mut key = Zeroizing::new([0_u8; STATIC_LENGTH]);
    rng.fill_bytes(&mut *key);
    static_file(purpose, &*key)
}

/// Reads a static key, of which the file of OpenVPN has nothing but hexadecimal
/// digits between two lines, and gives it as a file that tells its use.
///
/// # Errors
///
/// [`TlsKeyError::NoStaticKey`] and [`TlsKeyError::Length`].
pub fn import_static_key(file: &SecretBytes, purpose: TlsUse) -> Result<SecretBytes, TlsKeyError> {
    let text = std::str::from_utf8(file.expose()).map_err(|_| TlsKeyError::NoStaticKey)?;
    let begin = format!("-----BEGIN {STATIC}-----");
    let (_, body) = text.split_once(begin.as_str()).ok_or(TlsKeyError::NoStaticKey)?;
    let end = format!("-----END {STATIC}-----");
    let (body, _) = body.split_once(end.as_str()).ok_or(TlsKeyError::NoStaticKey)?;
    let mut digits = Zeroizing::new(Vec::with_capacity(body.len()));
    digits.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    if digits.len() != 2 * STATIC_LENGTH {
        return Err(TlsKeyError::Length);
    }
    let mut key = Zeroizing::new(Vec::with_capacity(STATIC_LENGTH));
    for pair in digits.chunks_exact(2) {
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let (Some(high), Some(low)) = (value(pair[0]), value(pair[1])) else {
            return Err(TlsKeyError::Length);
        };
        key.push(high * 16 + low);
    }
    Ok(static_file(purpose, &key))
}

fn static_file(purpose: TlsUse, key: &[u8]) -> SecretBytes {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let label = purpose.option().to_ascii_uppercase();
    let head =
        format!("# Easy-RSA {label} Key\n#\n# 2048 bit OpenVPN static key\n#\n-----BEGIN {STATIC}-----\n");
    let mut text = Vec::with_capacity(head.len() + 3 * key.len());
    text.extend_from_slice(head.as_bytes());
    for line in key.chunks(16) {
        for byte in line {
            text.push(DIGITS[usize::from(byte >> 4)]);
            text.push(DIGITS[usize::from(byte & 15)]);
        }
        text.push(b'\n');
    }
    text.extend_from_slice(format!("-----END {STATIC}-----\n").as_bytes());
    SecretBytes::new(text)
}

/// A new tls-crypt-v2 key for servers.
pub fn server_key(rng: &mut dyn CryptoRng) -> SecretBytes {
    let mut key = Zeroizing::new([0_u8; SERVER_LENGTH]);
    rng.fill_bytes(&mut *key);
    pem::encode_secret(SERVER, &*key)
}

/// A new tls-crypt-v2 key for one client: the key itself, and the same wrapped
/// for the servers, which learn from it when the key was made.
///
/// The wrapping is OpenVPN's: HMAC-SHA-256 over length, key and metadata, whose
/// first half is the counter block of AES-256-CTR over key and metadata.
///
/// # Errors
///
/// [`TlsKeyError::NoServerKey`] if `server` does not hold the servers' key.
pub fn client_key(
    server: &SecretBytes,
    now: Moment,
    rng: &mut dyn CryptoRng,
) -> Result<SecretBytes, TlsKeyError> {
    let text = std::str::from_utf8(server.expose()).map_err(|_| TlsKeyError::NoServerKey)?;
    let blocks = pem::blocks(text)?;
    let block = blocks.iter().find(|block| block.label == SERVER).ok_or(TlsKeyError::NoServerKey)?;
    let server = block.decode()?;
    if server.len() != SERVER_LENGTH {
        return Err(TlsKeyError::NoServerKey);
    }
    let (encryption, authentication) = (&server[..32], &server[64..96]);
    let mut client = Zeroizing::new(vec![0_u8; STATIC_LENGTH]);
    rng.fill_bytes(&mut client);
    let mut wrapped = Zeroizing::new(Vec::with_capacity(STATIC_LENGTH + 9));
    wrapped.extend_from_slice(&client);
    wrapped.push(TIMESTAMP);
    wrapped.extend_from_slice(&now.unix().to_be_bytes());
    let length = u16::try_from(32 + wrapped.len() + 2).expect("some three hundred").to_be_bytes();
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, authentication));
    context.update(&length);
    context.update(&wrapped);
    let tag = context.sign();
    let counter = tag.as_ref().first_chunk::<16>().expect("SHA-256 has 32 bytes");
    UnboundCipherKey::new(&AES_256, encryption)
        .and_then(EncryptingKey::ctr)
        .and_then(|key| {
            key.less_safe_encrypt(&mut wrapped, EncryptionContext::Iv128(FixedLength::from(counter)))
        })
        .expect("AES-256-CTR takes a key of 32 bytes and any length");
    let mut file = Zeroizing::new(Vec::with_capacity(2 * STATIC_LENGTH + 64));
    for part in [&client[..], tag.as_ref(), &wrapped[..], &length[..]] {
        file.extend_from_slice(part);
    }
    Ok(pem::encode_secret(CLIENT, &file))
}

#[cfg(test)]
mod tests {
    use rand_core::{OsRng, TryRngCore};

    use super::*;

    #[test]
    fn a_static_key_tells_its_use_and_is_read_back() {
        for purpose in [TlsUse::Auth, TlsUse::Crypt] {
            let file = static_key(purpose, &mut OsRng.unwrap_err());
            assert_eq!(TlsUse::of_file(&file), Some(purpose));
            let again = import_static_key(&file, purpose).expect("a key");
            assert_eq!(again.expose(), file.expose());
        }
    }

    #[test]
    fn what_is_no_static_key_is_refused() {
        let read = |text: &str| {
            import_static_key(&SecretBytes::new(text.as_bytes().to_vec()), TlsUse::Auth).expect_err("refused")
        };
        assert_eq!(read(""), TlsKeyError::NoStaticKey);
        assert_eq!(read("-----BEGIN OpenVPN Static key V1-----\nab"), TlsKeyError::NoStaticKey);
        let short = "-----BEGIN OpenVPN Static key V1-----\nab\n-----END OpenVPN Static key V1-----\n";
        assert_eq!(read(short), TlsKeyError::Length);
        let odd = format!(
            "-----BEGIN OpenVPN Static key V1-----\n{}\n-----END OpenVPN Static key V1-----\n",
            "zz".repeat(256)
        );
        assert_eq!(read(&odd), TlsKeyError::Length);
        let other = SecretBytes::new(short.as_bytes().to_vec());
        let refused = client_key(&other, Moment::from_unix(0).expect("a time"), &mut OsRng.unwrap_err());
        assert_eq!(refused.expect_err("refused"), TlsKeyError::NoServerKey);
    }
}
