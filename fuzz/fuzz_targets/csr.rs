// SPDX-License-Identifier: MIT OR Apache-2.0
//! A request is refused, or its PEM form is read again as the same request.
#![no_main]

use certkeep_pki::x509::request::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    if let Ok(request) = Request::read(file) {
        let again = Request::read(request.to_pem().as_bytes()).expect("what was read can be read again");
        assert_eq!(again.as_der(), request.as_der());
    }
});
