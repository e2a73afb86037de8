// SPDX-License-Identifier: MIT OR Apache-2.0
//! Diffie-Hellman groups for `dh.pem`: those of RFC 7919, which are at hand at
//! once and which nobody had to be trusted with, or a safe prime of one's own.

use std::num::NonZeroU32;

use crypto_bigint::BoxedUint;
use crypto_primes::{Flavor, hazmat::SmallFactorsSieve, is_prime};
use der::{Encode, Sequence, asn1::UintRef};
use rand_core::CryptoRng;
use thiserror::Error;

use crate::pem;

/// Bits, and the number X of RFC 7919 appendix A that makes the group's prime one.
const GROUPS: [(usize, u64); 5] =
    [(2048, 560_316), (3072, 2_625_351), (4096, 5_736_041), (6144, 15_705_020), (8192, 10_965_728)];

/// Bits of a prime that openssl calls long enough, and what can be waited for.
const FRESH_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// Why there is no group.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DhError {
    /// RFC 7919 has none of this size.
    #[error("RFC 7919 has no group of {0} bits, only of 2048, 3072, 4096, 6144 and 8192")]
    NoGroup(u32),
    /// The prime would be too short or too long.
    #[error("a prime of {0} bits is not possible, only 2048 to 8192")]
    Bits(u32),
    /// The group cannot be encoded.
    #[error("the group cannot be encoded")]
    Der(#[from] der::Error),
    /// The search was stopped.
    #[error("the prime was not found")]
    Search,
}

/// PKCS#3 §9.
#[derive(Sequence)]
struct DhParameter<'a> {
    prime: UintRef<'a>,
    base: UintRef<'a>,
}

/// The group of RFC 7919 with this many bits, as the PEM of `dh.pem`.
///
/// # Errors
///
/// [`DhError::NoGroup`].
pub fn well_known(bits: u32) -> Result<String, DhError> {
    let found = GROUPS.iter().find(|(size, _)| u32::try_from(*size) == Ok(bits));
    let &(bits, offset) = found.ok_or(DhError::NoGroup(bits))?;
    to_pem(&prime_of(bits, offset))
}

/// A group on a safe prime that nobody has seen before, as the PEM of `dh.pem`.
/// It takes seconds to minutes; `tried` hears of every candidate, by its number.
///
/// # Errors
///
/// [`DhError::Bits`] outside 2048..=8192.
pub fn fresh(bits: u32, rng: &mut dyn CryptoRng, tried: &mut dyn FnMut(usize)) -> Result<String, DhError> {
    if !FRESH_BITS.contains(&bits) {
        return Err(DhError::Bits(bits));
    }
    to_pem(&safe_prime(bits, rng, tried)?)
}

/// A prime of exactly this many bits, half of which is one too, big-endian.
fn safe_prime(
    bits: u32,
    rng: &mut dyn CryptoRng,
    tried: &mut dyn FnMut(usize),
) -> Result<Box<[u8]>, DhError> {
    let length = NonZeroU32::new(bits).ok_or(DhError::Bits(bits))?;
    let mut bytes = vec![0; usize::try_from(bits.div_ceil(8)).map_err(|_| DhError::Bits(bits))?];
    let mut count = 0;
    loop {
        rng.fill_bytes(&mut bytes);
        let spare = bytes.len() * 8 - usize::try_from(bits).map_err(|_| DhError::Bits(bits))?;
        if let Some(first) = bytes.first_mut() {
            // The two highest bits are set, so that the length is exact and stays so.
            *first = (*first & (0xff >> spare)) | (0xc0_u8 >> spare);
        }
        let start = BoxedUint::from_be_slice(&bytes, bits).map_err(|_| DhError::Search)?;
        let sieve = SmallFactorsSieve::new(start, length, true).map_err(|_| DhError::Search)?;
        // Not too far from where it began, or primes behind long gaps would be favoured.
        for candidate in sieve.take(10_000) {
            count += 1;
            tried(count);
            if is_prime(Flavor::Safe, &candidate) {
                return Ok(candidate.to_be_bytes());
            }
        }
    }
}

fn to_pem(prime: &[u8]) -> Result<String, DhError> {
    let parameters = DhParameter { prime: UintRef::new(prime)?, base: UintRef::new(&[2])? };
    Ok(pem::encode("DH PARAMETERS", &parameters.to_der()?))
}

/// `2^b - 2^(b-64) + (floor(2^(b-130) e) + X) 2^64 - 1` (RFC 7919 appendix A),
/// big-endian: all ones, then the digits of Euler's number, then all ones.
fn prime_of(bits: usize, offset: u64) -> Vec<u8> {
    let mut middle = euler(bits - 130);
    // One less: the last subtraction borrows from here, and leaves ones below.
    let mut carry = offset - 1;
    for word in middle.iter_mut().rev() {
        let sum = u64::from(*word) + carry;
        *word = low(sum);
        carry = sum >> 32;
    }
    let length = bits / 8 - 16;
    let digits: Vec<u8> = middle.iter().flat_map(|word| word.to_be_bytes()).collect();
    let digits = &digits[digits.len() - length..];
    [&[0xff; 8][..], digits, &[0xff; 8]].concat()
}

/// `floor(2^shift e)`, big-endian: the series 1/0! + 1/1! + 1/2! + ... in fixed
/// point, with 64 more bits for what the divisions drop.
fn euler(shift: usize) -> Vec<u32> {
    let fraction = shift + 64;
    let words = fraction / 32 + 2;
    let mut term = vec![0_u32; words];
    // The number one stands at bit `fraction`, counted from the end.
    term[words - 1 - fraction / 32] = 1 << (fraction % 32);
    let mut sum = term.clone();
    let mut divisor = 1_u64;
    while term.iter().any(|word| *word != 0) {
        let mut remainder = 0_u64;
        for word in &mut term {
            let value = (remainder << 32) | u64::from(*word);
            *word = low(value / divisor);
            remainder = value % divisor;
        }
        let mut carry = 0_u64;
        for (total, word) in sum.iter_mut().zip(&term).rev() {
            let value = u64::from(*total) + u64::from(*word) + carry;
            *total = low(value);
            carry = value >> 32;
        }
        divisor += 1;
    }
    // Drops the 64 bits again.
    sum.truncate(words - 2);
    sum
}

/// The lower half.
fn low(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).expect("masked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primes_are_those_of_the_rfc() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        let prime = hex(&prime_of(2048, 560_316));
        assert_eq!(&prime[..48], "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1");
        assert_eq!(prime.len(), 512);
        assert!(prime.ends_with("FFFFFFFFFFFFFFFF"));
    }

    #[test]
    fn a_prime_of_ones_own_is_what_openssl_calls_safe() {
        use rand_core::{OsRng, TryRngCore};
        for bits in [512, 523] {
            let mut count = 0;
            let prime = safe_prime(bits, &mut OsRng.unwrap_err(), &mut |number| count = number);
            let pem = to_pem(&prime.expect("found")).expect("short");
            let mut check = std::process::Command::new("openssl");
            check.args(["dhparam", "-check", "-text", "-noout"]).stdin(std::process::Stdio::piped());
            check.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            let mut child = check.spawn().expect("openssl");
            let input = child.stdin.take().expect("it is piped");
            std::io::Write::write_all(&mut { input }, pem.as_bytes()).expect("openssl reads");
            let output = child.wait_with_output().expect("openssl");
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            assert!(text.contains(&format!("({bits} bit)")) && text.contains("appear to be ok"), "{text}");
            assert!(count > 0);
        }
    }

    #[test]
    fn sizes_that_are_not_there_are_refused() {
        use rand_core::{OsRng, TryRngCore};
        assert!(matches!(well_known(1024), Err(DhError::NoGroup(1024))));
        let refused = fresh(512, &mut OsRng.unwrap_err(), &mut |_| {});
        assert!(matches!(refused, Err(DhError::Bits(512))));
    }
}
