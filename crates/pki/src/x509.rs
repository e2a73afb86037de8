// SPDX-License-Identifier: MIT OR Apache-2.0
//! The things of X.509, one room each: names, serial numbers, extensions,
//! certificates, requests, CRLs. Values and their encodings; the verbs that
//! decide over them live in [`crate::ca`].

pub mod certificate;
pub mod crl;
pub mod describe;
pub mod extension;
pub mod extfile;
pub mod general_name;
pub mod name;
pub mod oid;
pub mod profile;
pub mod request;
pub mod serial;
pub(crate) mod signed;
pub mod ssl_config;
pub mod subject;

/// Lower-case hexadecimal without separators.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// Upper-case hexadecimal with a colon between bytes, as openssl shows fingerprints.
pub(crate) fn colon_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}
