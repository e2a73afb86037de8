// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes that must not outlive their use: zeroised on drop, never printed.
//!
//! Neither type is `Clone`, `Display` or `PartialEq`, and `Debug` shows a
//! length at most, so a secret cannot reach a log or an error by accident.
//! `expose` is the one way in; `cargo xtask tidy` keeps the list of files
//! that may call it.

use std::fmt;

use zeroize::Zeroizing;

/// The contents of a secret file, such as a private key in PEM.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes ownership of `bytes`; they are zeroised when the value is dropped.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Shows the bytes to code that has to work with them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Hands the bytes to code that seals them where they are.
    #[must_use]
    pub fn into_exposed(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// Length in bytes; not secret.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretBytes({} bytes)", self.len())
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

/// What protects a private key file, as the bytes its owner typed (openssl
/// does not care for an encoding, so neither do we).
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes ownership of `bytes`; they are zeroised when the value is dropped.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Shows the bytes to code that derives a key from them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes, for the four byte minimum that openssl and easy-rsa ask for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the second entry repeats the first.
    #[must_use]
    pub fn matches(&self, repeated: &Self) -> bool {
        self.0 == repeated.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", SecretBytes::new(b"hunter2".to_vec())), "SecretBytes(7 bytes)");
        assert_eq!(format!("{:?}", Passphrase::new(b"hunter2".to_vec())), "Passphrase(..)");
    }
}
