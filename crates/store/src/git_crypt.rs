// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git-crypt wrote: its blobs and its key files, read only. A repository
//! that was taken over keeps its history, and old commits still check out.
//!
//! Blob: `00 GITCRYPT 00`, a nonce of 12 bytes, AES-256-CTR from the counter
//! block nonce ‖ 0. The nonce is the beginning of HMAC-SHA-1 of the plaintext.

use std::fmt;

use aws_lc_rs::{
    cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey},
    constant_time, hmac,
    iv::FixedLength,
};
use certkeep_pki::secret::SecretBytes;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::seal::{from_hex, hex};

/// What every blob of git-crypt begins with.
pub const MAGIC: &[u8; 10] = b"\0GITCRYPT\0";
const KEY_MAGIC: &[u8; 12] = b"\0GITCRYPTKEY";
const NONCE: usize = 12;
const AES: usize = 32;
const HMAC: usize = 64;

/// One key of git-crypt.
#[derive(Clone)]
pub struct LegacyKey {
    /// `default`, or what `git-crypt init -k` was given.
    pub name: String,
    aes: Zeroizing<[u8; AES]>,
    hmac: Zeroizing<[u8; HMAC]>,
}

/// A key file that is none, or not one that we know.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It does not begin as one.
    #[error("this is not a key file of git-crypt")]
    NotOne,
    /// Another version, or a field that must be understood and is not.
    #[error("the key file was written by an incompatible git-crypt")]
    Incompatible,
    /// It ends in the middle, or lacks a key.
    #[error("the key file is incomplete")]
    Incomplete,
}

impl LegacyKey {
    /// Reads a key file: of git-crypt 0.4 and later, or the 96 bytes of before.
    ///
    /// # Errors
    ///
    /// One [`KeyFileError`] per cause.
    pub fn parse(file: &SecretBytes) -> Result<Self, KeyFileError> {
        let bytes = file.expose();
        let Some(rest) = bytes.strip_prefix(KEY_MAGIC) else {
            return match bytes.split_at_checked(AES) {
                Some((aes, hmac)) if hmac.len() == HMAC => Self::new("default".to_owned(), aes, hmac),
                _ => Err(KeyFileError::NotOne),
            };
        };
        let mut fields = Fields(rest);
        if fields.number()? != 2 {
            return Err(KeyFileError::Incompatible);
        }
        let mut name = "default".to_owned();
        while let Some((id, value)) = fields.next()? {
            match id {
                1 => name = std::str::from_utf8(value).map_err(|_| KeyFileError::Incompatible)?.to_owned(),
                odd if odd % 2 == 1 => return Err(KeyFileError::Incompatible),
                _ => {}
            }
        }
        let (mut aes, mut hmac) = (None, None);
        while let Some((id, value)) = fields.next()? {
            match id {
                1 => {}
                3 => aes = Some(value),
                5 => hmac = Some(value),
                odd if odd % 2 == 1 => return Err(KeyFileError::Incompatible),
                _ => {}
            }
        }
        let (Some(aes), Some(hmac)) = (aes, hmac) else { return Err(KeyFileError::Incomplete) };
        Self::new(name, aes, hmac)
    }

    fn new(name: String, aes: &[u8], hmac: &[u8]) -> Result<Self, KeyFileError> {
        let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        if name.is_empty() || name.len() > 128 || !name.chars().all(plain) {
            return Err(KeyFileError::Incompatible);
        }
        let mut key = Self { name, aes: Zeroizing::new([0; AES]), hmac: Zeroizing::new([0; HMAC]) };
        if aes.len() != AES || hmac.len() != HMAC {
            return Err(KeyFileError::Incomplete);
        }
        key.aes.copy_from_slice(aes);
        key.hmac.copy_from_slice(hmac);
        Ok(key)
    }

    /// `NAME AES HMAC`, the keys in hexadecimal digits.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let (aes, hmac) = (Zeroizing::new(hex(&*self.aes)), Zeroizing::new(hex(&*self.hmac)));
        Zeroizing::new([&self.name, " ", &aes, " ", &hmac].concat())
    }

    /// Reads what [`LegacyKey::to_text`] wrote.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (name, aes, hmac) = (words.next()?, words.next()?, words.next()?);
        let aes = Zeroizing::new(from_hex::<AES>(aes)?);
        let hmac = Zeroizing::new(from_hex::<HMAC>(hmac)?);
        Self::new(name.to_owned(), &*aes, &*hmac).ok().filter(|_| words.next().is_none())
    }

    /// Opens a blob; `None` if it is not one of this key's.
    #[must_use]
    pub fn open(&self, blob: &[u8]) -> Option<SecretBytes> {
        let (nonce, ciphertext) = blob.strip_prefix(MAGIC)?.split_at_checked(NONCE)?;
        let mut counter = [0; 16];
        counter.get_mut(..NONCE)?.copy_from_slice(nonce);
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        let key = UnboundCipherKey::new(&AES_256, &*self.aes).and_then(DecryptingKey::ctr).ok()?;
        key.decrypt(&mut plaintext, DecryptionContext::Iv128(FixedLength::from(counter))).ok()?;
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &*self.hmac), &plaintext);
        constant_time::verify_slices_are_equal(mac.as_ref().get(..NONCE)?, nonce).ok()?;
        Some(plaintext.into())
    }
}

impl fmt::Debug for LegacyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LegacyKey({})", self.name)
    }
}

/// Fields of a key file: identifier, length, bytes; identifier 0 ends a list.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Result<u32, KeyFileError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(KeyFileError::Incomplete)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*number))
    }

    fn next(&mut self) -> Result<Option<(u32, &'a [u8])>, KeyFileError> {
        let id = self.number()?;
        if id == 0 {
            return Ok(None);
        }
        let length = usize::try_from(self.number()?).map_err(|_| KeyFileError::Incomplete)?;
        let (value, rest) = self.0.split_at_checked(length).ok_or(KeyFileError::Incomplete)?;
        self.0 = rest;
        Ok(Some((id, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by git-crypt 0.7.0: AES key 00..1f, HMAC key 40..7f.
    const BLOB: &str = "00474954435259505400fd695ba731deae2e32b874d48d088134e0eab661dba2f95a0b2816ec";

    fn key_file() -> Vec<u8> {
        let mut file = KEY_MAGIC.to_vec();
        for number in [2_u32, 0, 1, 4, 0, 3, 32] {
            file.extend(number.to_be_bytes());
        }
        file.extend(0_u8..32);
        for number in [5_u32, 64] {
            file.extend(number.to_be_bytes());
        }
        file.extend(0x40_u8..0x80);
        file.extend(0_u32.to_be_bytes());
        file
    }

    #[test]
    fn what_git_crypt_wrote_is_read() {
        assert_eq!(key_file().len(), 148);
        let key = LegacyKey::parse(&SecretBytes::new(key_file())).expect("a key file");
        let blob = from_hex::<38>(BLOB).expect("digits");
        assert_eq!(key.open(&blob).expect("opens").expose(), b"hello git-crypt\n");
        let again = LegacyKey::from_text(&key.to_text()).expect("reads back");
        assert!(again.open(&blob).is_some());
        for position in 0..blob.len() * 8 {
            let mut altered = blob;
            *altered.get_mut(position / 8).expect("inside") ^= 1 << (position % 8);
            assert!(key.open(&altered).is_none(), "bit {position}");
        }
    }

    #[test]
    fn broken_key_files_are_refused() {
        let file = key_file();
        for length in 0..file.len() {
            let cut = SecretBytes::new(file.get(..length).expect("shorter").to_vec());
            assert!(length == AES + HMAC || LegacyKey::parse(&cut).is_err(), "{length}");
        }
        let mut newer = file.clone();
        *newer.get_mut(15).expect("inside") = 3;
        assert_eq!(LegacyKey::parse(&SecretBytes::new(newer)).map(drop), Err(KeyFileError::Incompatible));
    }
}
