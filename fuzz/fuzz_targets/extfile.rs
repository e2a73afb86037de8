// SPDX-License-Identifier: MIT OR Apache-2.0
//! An x509-types file is read or refused.
#![no_main]

use certkeep_pki::x509::extfile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = extfile::read(text, &|name| Some(name.to_owned()), &mut Vec::new());
});
