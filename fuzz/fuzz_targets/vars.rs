// SPDX-License-Identifier: MIT OR Apache-2.0
//! A vars file is read or refused, and sets no passphrase.
#![no_main]

use std::collections::BTreeMap;

use certkeep_pki::vars::{self, Scope};
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Variables(BTreeMap<String, String>);

impl Scope for Variables {
    fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    fn set_if_unset(&mut self, name: &str, value: String) {
        self.0.entry(name.to_owned()).or_insert(value);
    }
}

fuzz_target!(|text: &str| {
    let mut variables = Variables::default();
    let _ = vars::apply(text, &mut variables);
    assert!(variables.value("EASYRSA_PASSIN").is_none());
});
