// SPDX-License-Identifier: MIT OR Apache-2.0
//! A vars file is read or refused, and sets no passphrase.
#![no_main]

use certkeep::settings::{Variables, vars};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut variables = Variables::from_environment([]);
    let _ = vars::apply(text, &mut variables);
    assert!(variables.value("EASYRSA_PASSIN").is_none());
});
