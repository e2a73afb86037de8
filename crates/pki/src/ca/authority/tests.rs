// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading the CA, and the serial number that comes next.

use rand_core::{OsRng, TryRngCore};

use super::*;
use crate::{ca::fixture::*, x509::profile::CertificateType};

fn next(serial_file: &str, rows: &str, mode: SerialMode) -> Result<NextSerial, NextSerialError> {
    let index = Index::parse(rows.as_bytes()).expect("rows");
    let database = Database::new(index, None, serial_file.as_bytes().to_vec());
    database.next_serial(mode, &mut OsRng.unwrap_err())
}

/// The contents of `serial` and `serial.old` after a certificate was issued.
fn written(serial: &NextSerial) -> Vec<String> {
    let mut changes = ChangeSet::new();
    database().issuing_changes(serial, &mut changes);
    let shown = |change: &crate::change::Change| match change {
        crate::change::Change::Replace(
            path @ (PkiPath::Serial | PkiPath::SerialOld),
            crate::change::Contents::Public(bytes),
        ) => Some(format!("{path} {}", String::from_utf8_lossy(bytes).trim_end())),
        crate::change::Change::Keep { from: PkiPath::Serial, .. } => Some(change.to_string()),
        _ => None,
    };
    changes.as_slice().iter().filter_map(shown).collect()
}

#[test]
fn the_certificates_after_the_first_are_the_chain() {
    let root = root();
    let request = request_of(&OTHER_KEY, "Sub");
    let sub = issue(&root, &CA_KEY, order(&request, strict(CertificateType::Ca)));
    let file = sub.to_pem() + &root.certificate().to_pem();
    let authority = Authority::read(file.as_bytes()).expect("a CA");
    assert_eq!(authority.certificate().as_der(), sub.as_der());
    let chain: Vec<_> = authority.chain().iter().map(|above| above.as_der()).collect();
    assert_eq!(chain, [root.certificate().as_der()]);
}

#[test]
fn what_is_no_certificate_is_no_ca() {
    let request = request("web1").to_pem();
    for file in [b"".as_slice(), b"hello", request.as_bytes()] {
        let error = Authority::read(file).expect_err("refused");
        assert_eq!(error.to_string(), "ca.crt cannot be read");
    }
}

#[test]
fn a_sequential_number_is_the_one_of_the_file() {
    let serial = next("0F\n", "", SerialMode::Sequential).expect("free");
    assert_eq!(serial.number().to_string(), "0F");
    assert_eq!(written(&serial), ["keep serial as serial.old", "serial 10"]);
}

#[test]
fn a_random_number_is_new_and_the_files_say_so() {
    let serial = next("", "", SerialMode::Random).expect("free");
    let other = next("", "", SerialMode::Random).expect("free");
    assert_ne!(serial.number(), other.number());
    let (number, after) = (serial.number().to_string(), serial.number().next());
    assert_eq!(number.len(), 32);
    assert_eq!(
        written(&serial),
        [format!("serial.old {}", number.to_ascii_lowercase()), format!("serial {after}")]
    );
}

#[test]
fn a_number_that_is_taken_or_cannot_be_read_is_refused() {
    let rows = "E\t250101000000Z\t\t0F\tunknown\t/CN=old\n";
    let error = next("0F\n", rows, SerialMode::Sequential).expect_err("refused");
    assert_eq!(error.to_string(), "the serial number 0F of the file serial is in index.txt already");
    for file in ["", "many\n"] {
        let error = next(file, "", SerialMode::Sequential).expect_err("refused");
        assert_eq!(error.to_string(), "the file serial cannot be read");
    }
}
