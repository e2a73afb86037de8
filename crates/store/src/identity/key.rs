// SPDX-License-Identifier: MIT OR Apache-2.0
//! A private key of this user, of any kind.

use certkeep_pki::secret::SecretBytes;
use thiserror::Error;

use super::Wrapped;
use crate::{
    prompt::Prompt,
    wrap::{AgeKeys, Kind, OpenPgpKey, SshKey, UnwrapError},
};

/// A private key that opens wraps.
pub struct Identity(Key);

enum Key {
    Age(AgeKeys),
    Ssh(SshKey),
    OpenPgp(Box<OpenPgpKey>),
}

/// Why a text is no identity.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// Nothing that could open a wrap.
    #[error("not an age identity, an SSH private key or an OpenPGP secret key")]
    Unknown,
    /// It looks like one of the kinds, but does not read as one.
    #[error("not a valid {0}")]
    Invalid(&'static str),
    /// A public key stands where a private key belongs.
    #[error("a public key, where a private key is needed")]
    Public,
    /// A private key in PEM, but neither OpenSSH's form nor `RSA PRIVATE KEY`.
    #[error("a private key in the form `{0}`, not in OpenSSH's")]
    Pem(String),
    /// An SSH key in the old PEM form under a passphrase.
    #[error("an SSH key in the old PEM form under a passphrase, which age does not read")]
    EncryptedPem,
    /// An SSH key under a passphrase with a cipher that age does not read.
    #[error("an SSH key encrypted with {0}, which age does not read")]
    SshCipher(String),
    /// An SSH key of a type that age does not decrypt with.
    #[error("{0} keys cannot decrypt, only ssh-ed25519 and ssh-rsa")]
    SshType(String),
    /// An SSH key that lives in a security key, which signs and never decrypts.
    #[error("{0} keys live in a security key, which signs only")]
    SecurityKey(String),
}

impl Identity {
    /// Reads an age identity file (under a passphrase or not), an SSH private
    /// key, or an exported OpenPGP secret key. Asks for no passphrase yet.
    ///
    /// # Errors
    ///
    /// What cannot open any wrap, by its kind.
    pub fn parse(bytes: &SecretBytes) -> Result<Self, ParseError> {
        let bytes = bytes.expose();
        if bytes.starts_with(b"age-encryption.org/") {
            return AgeKeys::sealed(bytes).map(Key::Age).map(Self);
        }
        // A binary OpenPGP packet begins with a byte above 127, so it is no UTF-8.
        let Ok(text) = str::from_utf8(bytes) else {
            return OpenPgpKey::parse(bytes).map(Box::new).map(Key::OpenPgp).map(Self);
        };
        match text.split_once("-----BEGIN ").and_then(|(_, rest)| rest.split_once("-----")) {
            Some(("AGE ENCRYPTED FILE", _)) => AgeKeys::sealed(bytes).map(Key::Age),
            Some(("PGP PRIVATE KEY BLOCK", _)) => OpenPgpKey::parse(bytes).map(Box::new).map(Key::OpenPgp),
            Some(("OPENSSH PRIVATE KEY" | "RSA PRIVATE KEY", _)) => {
                SshKey::parse(text.trim_start()).map(Key::Ssh)
            }
            Some((label, _)) if label.ends_with("PRIVATE KEY") => Err(ParseError::Pem(label.to_owned())),
            Some((label, _)) if label.contains("PUBLIC KEY") => Err(ParseError::Public),
            Some(_) => Err(ParseError::Unknown),
            None if text.starts_with("ssh-") || text.starts_with("age1") => Err(ParseError::Public),
            None => AgeKeys::parse(text).map(Key::Age),
        }
        .map(Self)
    }

    /// Whether the wrap may be for this key; asks nobody.
    pub(crate) fn fits(&self, wrap: &Wrapped<'_>) -> bool {
        match (&self.0, wrap.kind) {
            (Key::Age(keys), Kind::Age) => keys.fits(wrap.key),
            (Key::Ssh(key), Kind::Ssh) => key.fits(wrap.key),
            (Key::OpenPgp(key), Kind::OpenPgp) => key.fits(wrap.key),
            _ => false,
        }
    }

    pub(crate) fn open(
        &mut self,
        place: &str,
        wrap: &Wrapped<'_>,
        prompt: &mut dyn Prompt,
    ) -> Result<SecretBytes, UnwrapError> {
        match &mut self.0 {
            Key::Age(keys) => keys.open(place, wrap.key, wrap.bytes, prompt),
            Key::Ssh(key) => key.open(place, wrap.bytes, prompt),
            Key::OpenPgp(key) => key.open(place, wrap.bytes, prompt),
        }
    }
}
