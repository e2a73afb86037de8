// SPDX-License-Identifier: MIT OR Apache-2.0
//! gzip (RFC 1952).

use flate2::bufread::MultiGzDecoder;
use zeroize::Zeroizing;

use super::Budget;

/// Whether `file` begins as a gzip file of the one method there is.
pub(super) fn is_gzip(file: &[u8]) -> bool {
    file.starts_with(&[0x1f, 0x8b, 8])
}

/// What comes out, of all members one after the other, up to the first error.
pub(super) fn inflate(file: &[u8], budget: &mut Budget) -> Zeroizing<Vec<u8>> {
    budget.read(MultiGzDecoder::new(file))
}
