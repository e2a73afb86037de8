// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of `--san` is read or refused.
#![no_main]

use certkeep_pki::x509::general_name::SubjectAltNames;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = SubjectAltNames::parse(text);
});
