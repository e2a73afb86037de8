// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whatever is found stands within the file, and in order.
#![no_main]

use certkeep_guard::{detect, line_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let findings = detect(file);
    assert!(findings.is_sorted_by_key(|finding| finding.place.start));
    for finding in findings {
        assert!(!finding.place.is_empty() && finding.place.end <= file.len());
        let _ = line_of(file, finding.place.start);
    }
});
