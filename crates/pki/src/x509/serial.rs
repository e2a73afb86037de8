// SPDX-License-Identifier: MIT OR Apache-2.0
//! Serial numbers of certificates and CRLs: non-negative integers of any length
//! up to what RFC 5280 §4.1.2.2 allows, and the `serial` and `crlnumber` files.

use std::fmt;

use der::asn1::Int;
use rand_core::CryptoRng;
use thiserror::Error;

use crate::layout::SerialHex;

/// At most 20 octets of content, so with a sign octet in front of a set high bit.
const MAX_BYTES: usize = 20;

/// A serial number: a positive integer (or zero, which only a foreign
/// certificate has), big-endian, without leading zero bytes. Ordered as a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SerialNumber(Vec<u8>);

impl Ord for SerialNumber {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for SerialNumber {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Why a text is not a serial number.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SerialError {
    /// Something other than hexadecimal digits.
    #[error("`{}` is not a hexadecimal number", .0.escape_debug())]
    Hexadecimal(String),
    /// RFC 5280 §4.1.2.2 allows 20 octets.
    #[error("the number `{0}` is longer than 20 bytes")]
    Length(String),
    /// A negative INTEGER.
    #[error("the serial number is negative")]
    Negative,
}

impl SerialNumber {
    /// Draws 128 random bits whose first byte is not zero (easy-rsa 3.2: sign-req).
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        loop {
            let mut bytes = [0; 16];
            rng.fill_bytes(&mut bytes);
            if bytes[0] != 0 {
                return Self(bytes.to_vec());
            }
        }
    }

    /// The number `value`.
    #[must_use]
    pub fn from_integer(value: u64) -> Self {
        Self::from_bytes(&value.to_be_bytes())
    }

    /// Reads hexadecimal digits, with or without colons between bytes.
    ///
    /// # Errors
    ///
    /// [`SerialError::Hexadecimal`] and [`SerialError::Length`].
    pub fn parse(text: &str) -> Result<Self, SerialError> {
        let mut bytes = parse_hex(text).ok_or_else(|| SerialError::Hexadecimal(text.to_owned()))?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        bytes.drain(..zeros);
        let number = Self(bytes);
        if number.0.len() > MAX_BYTES { Err(SerialError::Length(text.to_owned())) } else { Ok(number) }
    }

    /// Takes a DER INTEGER.
    ///
    /// # Errors
    ///
    /// [`SerialError::Negative`].
    pub fn from_der_integer(integer: &Int) -> Result<Self, SerialError> {
        match integer.as_bytes() {
            [first, ..] if first & 0x80 != 0 => Err(SerialError::Negative),
            bytes => Ok(Self::from_bytes(bytes)),
        }
    }

    pub(crate) fn to_der_integer(&self) -> Result<Int, der::Error> {
        let sign = usize::from(self.0.first().is_none_or(|first| first & 0x80 != 0));
        let mut bytes = vec![0; sign];
        bytes.extend_from_slice(&self.0);
        Int::new(&bytes)
    }

    /// Appends the DER INTEGER; a number of at most 20 bytes has a length of one byte.
    pub(crate) fn encode_to(&self, encoded: &mut Vec<u8>) -> Result<(), der::Error> {
        let sign = self.0.first().is_none_or(|first| first & 0x80 != 0);
        let length = u8::try_from(self.0.len() + usize::from(sign)).map_err(|_| der::ErrorKind::Overflow)?;
        encoded.extend_from_slice(&[2, length]);
        if sign {
            encoded.push(0);
        }
        encoded.extend_from_slice(&self.0);
        Ok(())
    }

    /// This number plus one.
    #[must_use]
    pub fn next(&self) -> Self {
        let mut bytes = self.0.clone();
        for byte in bytes.iter_mut().rev() {
            let (sum, overflow) = byte.overflowing_add(1);
            *byte = sum;
            if !overflow {
                return Self(bytes);
            }
        }
        bytes.insert(0, 1);
        Self(bytes)
    }

    /// Upper-case hexadecimal with an even number of digits, `00` for zero.
    #[must_use]
    pub fn to_hex(&self) -> SerialHex {
        SerialHex::parse(&self.to_string()).expect("printed in pairs of digits")
    }

    /// The number in decimal.
    #[must_use]
    pub fn to_decimal(&self) -> String {
        let mut digits = vec![0_u8];
        for byte in &self.0 {
            let mut carry = u32::from(*byte);
            for digit in &mut digits {
                carry += u32::from(*digit) * 256;
                *digit = u8::try_from(carry % 10).unwrap_or(0);
                carry /= 10;
            }
            while carry > 0 {
                digits.push(u8::try_from(carry % 10).unwrap_or(0));
                carry /= 10;
            }
        }
        digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        Self(bytes[zeros..].to_vec())
    }
}

/// Upper-case hexadecimal with an even number of digits, as in `serial` and `index.txt`.
impl fmt::Display for SerialNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("00");
        }
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02X}"))
    }
}

/// Bytes from hexadecimal digits, colons between them or not; an odd first digit
/// stands alone. `None` for anything else and for nothing.
pub(crate) fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let count = text.bytes().filter(|&byte| byte != b':').count();
    let mut bytes = Vec::with_capacity(count.div_ceil(2));
    // Whether the next digit is the first of its byte.
    let mut first = count.is_multiple_of(2);
    let mut high = 0;
    for byte in text.bytes().filter(|&byte| byte != b':') {
        let digit = u8::try_from(char::from(byte).to_digit(16)?).ok()?;
        if first {
            high = digit << 4;
        } else {
            bytes.push(high | digit);
            high = 0;
        }
        first = !first;
    }
    (!bytes.is_empty()).then_some(bytes)
}

/// Reads a `serial` or `crlnumber` file: one hexadecimal number and a newline.
///
/// # Errors
///
/// As [`SerialNumber::parse`].
pub fn parse_file(bytes: &[u8]) -> Result<SerialNumber, SerialError> {
    SerialNumber::parse(String::from_utf8_lossy(bytes).trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> SerialNumber {
        SerialNumber::parse(text).expect("valid")
    }

    #[test]
    fn numbers_count_on_in_hexadecimal() {
        assert_eq!(parse("0F").next().to_string(), "10");
        assert_eq!(parse("FF").next().to_string(), "0100");
        assert_eq!(parse("00").next().to_string(), "01");
        assert_eq!(parse("0abc").to_string(), "0ABC");
        assert_eq!(parse("abc").to_string(), "0ABC");
        assert_eq!(parse("AA:bb").to_string(), "AABB");
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["", "zz", "0x10", "-1", "1 2"] {
            assert_eq!(SerialNumber::parse(text), Err(SerialError::Hexadecimal(text.to_owned())), "{text}");
        }
        assert!(matches!(SerialNumber::parse(&"11".repeat(21)), Err(SerialError::Length(_))));
    }

    proptest! {
        #[test]
        fn der_round_trips(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let number = SerialNumber::from_bytes(&bytes);
            let integer = number.to_der_integer().expect("short");
            prop_assert_eq!(SerialNumber::from_der_integer(&integer), Ok(number.clone()));
            prop_assert_eq!(SerialNumber::parse(&number.to_string()), Ok(number));
        }
    }
}
