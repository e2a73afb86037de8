// SPDX-License-Identifier: MIT OR Apache-2.0
//! A date of index.txt or of `--startdate` is refused, or printed and read again as the same.
#![no_main]

use certkeep_pki::moment::Moment;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(moment) = Moment::parse(text) {
        assert_eq!(Moment::parse(&moment.to_index()), Ok(moment));
    }
});
