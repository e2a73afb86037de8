// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys, certificates and CRLs are read or refused.
#![no_main]

use certkeep_pki::x509::{certificate::Certificate, crl::Crl};
use certkeep_pki::{key::PrivateKey, secret};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let word = secret::Passphrase::new(b"word".to_vec());
    let _ = PrivateKey::load(&secret::SecretBytes::new(file.to_vec()), Some(&word));
    Certificate::read_all(file).into_iter().flatten().for_each(|read| drop(read.subject_alt_names()));
    Crl::read(file).into_iter().for_each(|read| read.entries().for_each(drop));
});
