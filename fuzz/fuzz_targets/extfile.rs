// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file in openssl's extension language is read or refused: its lines, and
//! those of a section, as a second file beside it would use it, and as settings of
//! openssl; the same text as a subject.
#![no_main]

use std::collections::BTreeMap;

use certkeep_pki::x509::{
    extfile::{Extensions, Source},
    ssl_config::SslConfig,
    subject,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let environment = BTreeMap::from([("EASYRSA_KDC_REALM".to_owned(), text.chars().take(9).collect())]);
    let sources = [
        Source { name: "type", text },
        Source { name: "COMMON", text: "subjectAltName = @names\n1.2.3 = ASN1:SEQUENCE:names\n" },
    ];
    if let Ok(extensions) = Extensions::read(&sources, &environment) {
        let _ = (extensions.of(0), extensions.of(1), extensions.of_section("names"));
    }
    let _ = (SslConfig::read(sources[0], &environment), subject::parse(text));
});
