// SPDX-License-Identifier: MIT OR Apache-2.0
//! The format of a sealed file, suite 1: a deterministic authenticated cipher.
//! Pure: bytes in, bytes out. `docs/store-format.md` describes the same for
//! somebody who has to open a file without this program.
//!
//! ```text
//!  0   8  magic     00 43 4B 53 45 41 4C 00
//!  8   1  format version 1
//!  9   1  suite 1
//! 10   1  flags: bit 0 = padded
//! 11   1  zero
//! 12  16  key id
//! 28  32  siv        = HMAC-SHA-256(K_mac, bytes 0..28 ‖ payload)
//! 60   n  ciphertext = AES-256-CTR(K_enc, initial counter block = siv[0..16], payload)
//! payload = u64 little-endian true length ‖ plaintext ‖ zeros up to the bucket
//! ```
//!
//! Equal plaintext gives equal ciphertext under one key, so git sees a file as
//! unchanged without any state of ours. The MAC covers the header and the whole
//! payload and commits to the key. The path is not bound: `git mv` keeps a blob.
//!
//! long: one format, its keys and its errors belong beside each other.

use std::fmt;

use aws_lc_rs::{
    cipher::{AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey},
    constant_time, hkdf, hmac,
    iv::FixedLength,
};
use certkeep_pki::secret::SecretBytes;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::zone::{Epoch, ZoneName};

/// What every sealed file begins with. The NUL in front makes git see a binary
/// file, which keeps its line ending conversion off.
pub const MAGIC: &[u8; 8] = b"\0CKSEAL\0";

const FORMAT_VERSION: u8 = 1;
const SUITE: u8 = 1;
const PADDED: u8 = 1;
/// Bytes of the header that the MAC covers as they are.
const BOUND: usize = 28;
/// Bytes in front of the ciphertext.
const HEADER: usize = 60;
/// Bytes of the true length in front of the plaintext.
const LENGTH: usize = 8;

/// Which store a sealed file belongs to: 16 random bytes, the salt of every
/// derived key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId([u8; 16]);

/// Which key opens a sealed file: 16 bytes derived from that key, so not secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 16]);

/// The secret of one zone in one epoch: 32 random bytes. Wrapped for the
/// members; what seals files is derived from it.
pub struct ZoneKey(Zeroizing<[u8; 32]>);

/// How far a payload is filled up, so that a length tells less about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Not at all.
    None,
    /// To a multiple of this many bytes, at least one.
    Bucket(u32),
}

/// What seals and opens the files of one zone in one epoch.
pub struct SealingKey {
    id: KeyId,
    encryption: Zeroizing<[u8; 32]>,
    mac: hmac::Key,
    manifest: hmac::Key,
}

/// Why bytes that begin like a sealed file could not be opened.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// Sealed by a newer certkeep: format version, suite or a flag is unknown.
    #[error("sealed by a newer certkeep (format version {version}, suite {suite}, flags {flags:#04x})")]
    Unknown {
        /// The format version that it needs.
        version: u8,
        /// The cipher suite.
        suite: u8,
        /// The flags.
        flags: u8,
    },
    /// Shorter than a header and a length.
    #[error("cut off: {0} bytes are no whole sealed file")]
    Truncated(usize),
    /// Another key sealed it.
    #[error("sealed with the key {found}, not with {expected}")]
    OtherKey {
        /// The key id in the file.
        found: KeyId,
        /// The key id that was tried.
        expected: KeyId,
    },
    /// The MAC does not fit, or the payload is not what suite 1 makes.
    #[error("altered since it was sealed")]
    Altered,
    /// As [`SealError::Altered`], and the bytes have been through a conversion of line endings.
    #[error("altered: line endings were converted by git or an editor")]
    LineEndings,
}

impl Padding {
    /// Its bucket in bytes, 0 for none.
    #[must_use]
    pub fn bucket(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Bucket(size) => size,
        }
    }

    /// The padding with this bucket in bytes, 0 for none.
    #[must_use]
    pub fn of_bucket(size: u32) -> Self {
        if size == 0 { Self::None } else { Self::Bucket(size) }
    }
}

impl StoreId {
    /// A new store.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// Reads 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }
}

impl KeyId {
    /// No key's.
    pub(crate) const ZERO: Self = Self([0; 16]);

    /// Reads 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }
}

impl ZoneKey {
    /// A new key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *bytes);
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        from_hex(text).map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// 64 hexadecimal digits, for a wrap and the keyring.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(&*self.0))
    }
}

impl Clone for ZoneKey {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl fmt::Debug for ZoneKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ZoneKey(..)")
    }
}

impl SealingKey {
    /// Derives what works from the secret of a zone and an epoch: HKDF-SHA-256
    /// (RFC 5869) with the store id as salt and `certkeep PURPOSE v1/ZONE/EPOCH`
    /// as info, PURPOSE being `key-id`, `enc`, `mac` and `manifest`.
    #[must_use]
    pub fn derive(key: &ZoneKey, store: &StoreId, zone: &ZoneName, epoch: Epoch) -> Self {
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, &store.0).extract(&*key.0);
        let mut id = [0; 16];
        let mut encryption = Zeroizing::new([0; 32]);
        let mut mac = Zeroizing::new([0; 32]);
        let mut manifest = Zeroizing::new([0; 32]);
        for (purpose, out) in [
            ("key-id", &mut id[..]),
            ("enc", &mut encryption[..]),
            ("mac", &mut mac[..]),
            ("manifest", &mut manifest[..]),
        ] {
            let info = format!("certkeep {purpose} v1/{zone}/{epoch}");
            secret
                .expand(&[info.as_bytes()], Length(out.len()))
                .and_then(|expanded| expanded.fill(out))
                .expect("HKDF-SHA-256 gives up to 8160 bytes");
        }
        Self {
            id: KeyId(id),
            encryption,
            mac: hmac::Key::new(hmac::HMAC_SHA256, &*mac),
            manifest: hmac::Key::new(hmac::HMAC_SHA256, &*manifest),
        }
    }

    /// The id of this key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Seals a file. Empty stays empty: git takes an empty file that is not an
    /// empty blob for modified, for ever.
    #[must_use]
    pub fn seal(&self, plaintext: &[u8], padding: Padding) -> Vec<u8> {
        if plaintext.is_empty() {
            return Vec::new();
        }
        let payload = sealed_size(plaintext.len(), padding) - HEADER;
        let flags = if padding == Padding::None { 0 } else { PADDED };
        let mut sealed = Vec::with_capacity(HEADER + payload);
        sealed.extend_from_slice(MAGIC);
        sealed.extend_from_slice(&[FORMAT_VERSION, SUITE, flags, 0]);
        sealed.extend_from_slice(&self.id.0);
        sealed.extend_from_slice(&[0; HEADER - BOUND]);
        let length = u64::try_from(plaintext.len()).expect("a length fits into 64 bits");
        sealed.extend_from_slice(&length.to_le_bytes());
        sealed.extend_from_slice(plaintext);
        sealed.resize(HEADER + payload, 0);
        let (header, payload) = sealed.split_at_mut(HEADER);
        let (bound, siv) = header.split_at_mut(BOUND);
        siv.copy_from_slice(self.siv(bound, payload).as_ref());
        let counter = counter_block(siv);
        let key = UnboundCipherKey::new(&AES_256, &*self.encryption).and_then(EncryptingKey::ctr);
        key.and_then(|key| key.less_safe_encrypt(payload, EncryptionContext::Iv128(counter)))
            .expect("AES-256-CTR takes a key of 32 bytes and any length");
        sealed
    }

    /// Opens a sealed file: nothing is released before the MAC has been compared.
    ///
    /// # Errors
    ///
    /// One [`SealError`] per cause.
    pub fn open(&self, sealed: &[u8]) -> Result<SecretBytes, SealError> {
        if sealed.is_empty() {
            return Ok(SecretBytes::new(Vec::new()));
        }
        let found = key_id(sealed)?.ok_or(SealError::Altered)?;
        if found != self.id {
            return Err(SealError::OtherKey { found, expected: self.id });
        }
        let (header, ciphertext) =
            sealed.split_at_checked(HEADER).ok_or(SealError::Truncated(sealed.len()))?;
        let (bound, siv) = header.split_at(BOUND);
        let mut payload = Zeroizing::new(ciphertext.to_vec());
        let key = UnboundCipherKey::new(&AES_256, &*self.encryption).and_then(DecryptingKey::ctr);
        key.and_then(|key| key.decrypt(&mut payload, DecryptionContext::Iv128(counter_block(siv))).map(drop))
            .expect("AES-256-CTR takes a key of 32 bytes and any length");
        let expected = self.siv(bound, &payload);
        if constant_time::verify_slices_are_equal(expected.as_ref(), siv).is_err() {
            return Err(if looks_converted(sealed) { SealError::LineEndings } else { SealError::Altered });
        }
        // What a holder of the key made and suite 1 does not make is refused too:
        // one plaintext has one sealed form per padding.
        let (length, filled) = payload.split_first_chunk::<LENGTH>().ok_or(SealError::Altered)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| SealError::Altered)?;
        let (_, fill) = filled.split_at_checked(length).ok_or(SealError::Altered)?;
        let padded = bound.get(10).is_some_and(|flags| flags & PADDED != 0);
        if length == 0 || fill.iter().any(|&byte| byte != 0) || !padded && !fill.is_empty() {
            return Err(SealError::Altered);
        }
        payload.copy_within(LENGTH..LENGTH + length, 0);
        if let Some(rest) = payload.get_mut(length..) {
            rest.zeroize();
        }
        payload.truncate(length);
        Ok(payload.into())
    }

    /// HMAC-SHA-256 over `message` under the key that is there for `.certkeep`.
    pub(crate) fn manifest_mac(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = [0; 32];
        mac.copy_from_slice(hmac::sign(&self.manifest, message).as_ref());
        mac
    }

    /// Whether `mac` is that of `message`, in constant time.
    pub(crate) fn is_manifest_mac(&self, message: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.manifest, message, mac).is_ok()
    }

    fn siv(&self, bound: &[u8], payload: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.mac);
        context.update(bound);
        context.update(payload);
        context.sign()
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SealingKey({})", self.id)
    }
}

/// Whether bytes are sealed, by their beginning; and with which key. `None`:
/// they are not. Needs no key, so a locked clone and a server can ask.
///
/// # Errors
///
/// [`SealError::Unknown`] and [`SealError::Truncated`].
pub fn key_id(bytes: &[u8]) -> Result<Option<KeyId>, SealError> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else { return Ok(None) };
    let truncated = || SealError::Truncated(bytes.len());
    let (&[version, suite, flags, zero], rest) = rest.split_first_chunk().ok_or_else(truncated)?;
    if (version, suite, flags & !PADDED, zero) != (FORMAT_VERSION, SUITE, 0, 0) {
        return Err(SealError::Unknown { version, suite, flags });
    }
    let (id, _) = rest.split_first_chunk().ok_or_else(truncated)?;
    // A length and at least one byte.
    if bytes.len() <= HEADER + LENGTH {
        return Err(truncated());
    }
    Ok(Some(KeyId(*id)))
}

/// The size in bytes of a file of `length` bytes, not empty, once it is sealed.
pub(crate) fn sealed_size(length: usize, padding: Padding) -> usize {
    let filled = LENGTH + length;
    HEADER
        + match padding {
            Padding::None => filled,
            Padding::Bucket(size) => filled.next_multiple_of(usize::try_from(size.max(1)).unwrap_or(1)),
        }
}

/// Whether bytes begin as every sealed file does, of this format or a later one.
#[must_use]
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Whether every line feed has a carriage return in front: text conversion has
/// been at work, or a chance of one in 256 per line feed.
fn looks_converted(sealed: &[u8]) -> bool {
    let feeds = sealed.iter().filter(|&&byte| byte == b'\n').count();
    let pairs = sealed.windows(2).filter(|pair| pair == b"\r\n").count();
    feeds > 1 && feeds == pairs
}

fn counter_block(siv: &[u8]) -> FixedLength<16> {
    let mut block = [0; 16];
    block.copy_from_slice(siv.get(..16).expect("a siv has 32 bytes"));
    FixedLength::from(block)
}

/// How many bytes HKDF is asked for.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

macro_rules! shown_as_hex {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self)
            }
        }
    )*};
}

shown_as_hex!(StoreId, KeyId);

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(nibble.into(), 16).expect("a nibble is a digit"));
        }
        text
    })
}

/// Exactly `N` bytes in lower-case hexadecimal digits.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let digits = text.as_bytes();
    if digits.len() != 2 * N || digits.iter().any(|digit| !matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
