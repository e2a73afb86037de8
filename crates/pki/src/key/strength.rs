// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which public keys nobody should rely on any more.

use super::{
    KeyAlgorithm,
    public::{EC, PublicKey},
};

/// DSA, which openssl 3 and browsers take from nobody.
const DSA: &str = "1.2.840.10040.4.1";

/// The fewest bits of an RSA modulus (NIST SP 800-57, 112 bits of security).
const RSA_BITS: u32 = 2048;

/// The bytes of a coordinate of a curve with 224 bits, likewise.
const COORDINATE: usize = 28;

impl PublicKey {
    /// Whether the key gives less than 112 bits of security: RSA below 2048 bits, a
    /// curve below 224 bits, or DSA of any size.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        match self.algorithm() {
            Some(KeyAlgorithm::Rsa { bits }) => bits < RSA_BITS,
            Some(_) => false,
            None if self.identifier().oid == EC => {
                // SEC 1 §2.3.3: 04, x, y; or 02 or 03, x.
                let coordinates = if self.bits().first() == Some(&4) { 2 } else { 1 };
                self.bits().len().saturating_sub(1) / coordinates < COORDINATE
            }
            None => self.identifier().oid.to_string() == DSA,
        }
    }
}
