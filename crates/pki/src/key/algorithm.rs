// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a key is and what it signs with, by the names that openssl knows.

use std::{fmt, ops::RangeInclusive};

use der::asn1::ObjectIdentifier;

/// A curve of an EC key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// secp256r1, prime256v1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
    /// secp256k1, which signs with SHA-256 alone here.
    K256,
}

impl Curve {
    /// Reads a curve by openssl's, SEC's or NIST's name, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "prime256v1" | "secp256r1" | "p-256" => Some(Self::P256),
            "secp384r1" | "p-384" => Some(Self::P384),
            "secp521r1" | "p-521" => Some(Self::P521),
            "secp256k1" => Some(Self::K256),
            _ => None,
        }
    }
}

/// The name that openssl knows the curve by.
impl fmt::Display for Curve {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::P256 => "prime256v1",
            Self::P384 => "secp384r1",
            Self::P521 => "secp521r1",
            Self::K256 => "secp256k1",
        })
    }
}

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// RSA with the length of its modulus.
    Rsa {
        /// In bits.
        bits: u32,
    },
    /// ECDSA.
    Ec(Curve),
    /// EdDSA on edwards25519 (RFC 8410).
    Ed25519,
}

impl KeyAlgorithm {
    /// Whether a signature of this algorithm can be one of a key of this kind, be it
    /// with a digest that cannot be checked here.
    pub(crate) fn can_make(self, signature: ObjectIdentifier) -> bool {
        let signature = signature.to_string();
        // The SHA-3 ones stand apart (NIST, computer security objects register: 3.9 to 3.16).
        let sha3 = |numbers: RangeInclusive<u32>| {
            let number =
                signature.strip_prefix("2.16.840.1.101.3.4.3.").and_then(|number| number.parse().ok());
            number.is_some_and(|number: u32| numbers.contains(&number))
        };
        match self {
            Self::Rsa { .. } => signature.starts_with("1.2.840.113549.1.1.") || sha3(13..=16),
            Self::Ec(_) => signature.starts_with("1.2.840.10045.4.") || sha3(9..=12),
            Self::Ed25519 => signature == "1.3.101.112",
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(formatter, "RSA {bits}"),
            Self::Ec(curve) => write!(formatter, "EC {curve}"),
            Self::Ed25519 => formatter.write_str("Ed25519"),
        }
    }
}

/// The digest of a signature; Ed25519 has its own and ignores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// Reads a digest by openssl's name, with or without the dash, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "sha256" | "sha-256" | "sha2-256" => Some(Self::Sha256),
            "sha384" | "sha-384" | "sha2-384" => Some(Self::Sha384),
            "sha512" | "sha-512" | "sha2-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The digest as strong as the key: SHA-384 for P-384, SHA-512 for P-521, SHA-256 for the rest.
    #[must_use]
    pub fn matching(key: KeyAlgorithm) -> Self {
        match key {
            KeyAlgorithm::Ec(Curve::P384) => Self::Sha384,
            KeyAlgorithm::Ec(Curve::P521) => Self::Sha512,
            KeyAlgorithm::Rsa { .. }
            | KeyAlgorithm::Ec(Curve::P256 | Curve::K256)
            | KeyAlgorithm::Ed25519 => Self::Sha256,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        })
    }
}
