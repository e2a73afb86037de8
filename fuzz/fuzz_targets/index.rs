// SPDX-License-Identifier: MIT OR Apache-2.0
//! An index.txt is refused, or printed byte for byte as it was read (a last newline added).
#![no_main]

use certkeep_pki::{index::Index, moment::Moment};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    if let Ok(mut index) = Index::parse(file) {
        assert!(index.as_str().as_bytes().starts_with(file));
        index.rows().for_each(|row| drop((row.status(), row.expiry(), row.revocation(), row.serial())));
        index.expire(Moment::from_unix(1_800_000_000).expect("before the year 10000"));
        assert!(Index::parse(index.as_str().as_bytes()).is_ok());
    }
});
