// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the database does, row by row.

use proptest::prelude::*;

use super::*;

const THREE: &str = "V\t290224152847Z\t\t0A1B\tunknown\t/CN=web1\n\
                     R\t290224152847Z\t260101000000Z,superseded\tFF02\tunknown\t/C=US/CN=a\\/b\n\
                     E\t20500101000000Z\t\t03\tunknown\t/CN=old\n";

fn serial(text: &str) -> SerialHex {
    SerialHex::parse(text).expect("valid")
}

fn moment(text: &str) -> Moment {
    Moment::parse(text).expect("valid")
}

#[test]
fn rows_are_read_as_openssl_wrote_them() {
    let index = Index::parse(THREE.as_bytes()).expect("valid");
    let rows: Vec<_> = index.rows().map(|row| (row.status(), row.serial(), row.subject())).collect();
    assert_eq!(
        rows,
        [
            (Status::Valid, serial("0A1B"), "/CN=web1"),
            (Status::Revoked, serial("FF02"), "/C=US/CN=a\\/b"),
            (Status::Expired, serial("03"), "/CN=old"),
        ]
    );
    let revoked = index.find(&serial("ff02")).expect("there");
    assert_eq!(
        revoked.revocation(),
        Some(Revocation { at: moment("260101000000Z"), reason: Some(Reason::Superseded) })
    );
    assert_eq!(index.as_str(), THREE);
}

#[test]
fn revoking_changes_one_row_and_no_other_byte() {
    let mut index = Index::parse(THREE.as_bytes()).expect("valid");
    let revocation = Revocation { at: moment("270101000000Z"), reason: Some(Reason::KeyCompromise) };
    index.revoke(&serial("0A1B"), revocation).expect("valid");
    let expected =
        THREE.replacen("V\t290224152847Z\t\t0A1B", "R\t290224152847Z\t270101000000Z,keyCompromise\t0A1B", 1);
    assert_eq!(index.as_str(), expected);
    assert_eq!(Index::parse(expected.as_bytes()).expect("valid"), index);
    assert_eq!(index.revoke(&serial("0A1B"), revocation), Err(ChangeError::AlreadyRevoked(serial("0A1B"))));
    assert_eq!(index.revoke(&serial("AA"), revocation), Err(ChangeError::Missing(serial("AA"))));
}

#[test]
fn expiry_marks_what_is_past_its_date() {
    let mut index = Index::parse(THREE.as_bytes()).expect("valid");
    assert_eq!(index.expire(moment("290224152847Z")), []);
    assert_eq!(index.expire(moment("290224152848Z")), [serial("0A1B")]);
    assert_eq!(index.as_str(), THREE.replacen('V', "E", 1));
}

#[test]
fn a_serial_number_is_given_once() {
    let mut index = Index::parse(THREE.as_bytes()).expect("valid");
    assert_eq!(
        index.add(moment("290224152847Z"), &serial("03"), "/CN=x"),
        Err(ChangeError::Taken(serial("03")))
    );
    index.add(moment("20510101000000Z"), &serial("04"), "/CN=x").expect("free");
    assert_eq!(index.as_str(), format!("{THREE}V\t20510101000000Z\t\t04\tunknown\t/CN=x\n"));
}

#[test]
fn a_broken_line_is_named() {
    for (line, problem) in [
        ("", LineError::Fields(1)),
        ("V\t290224152847Z\t\t03\tunknown", LineError::Fields(5)),
        ("V\t290224152847Z\t\t03\tunknown\t/CN=x\t", LineError::Fields(7)),
        ("X\t290224152847Z\t\t03\tunknown\t/CN=x", LineError::Status),
        ("V\tsoon\t\t03\tunknown\t/CN=x", LineError::Expiry),
        ("V\t290224152847Z\t260101000000Z\t03\tunknown\t/CN=x", LineError::Revocation),
        ("R\t290224152847Z\t\t03\tunknown\t/CN=x", LineError::Revocation),
        ("R\t290224152847Z\t260101000000Z,why\t03\tunknown\t/CN=x", LineError::Revocation),
        ("V\t290224152847Z\t\t3\tunknown\t/CN=x", LineError::Serial),
        ("V\t290224152847Z\t\t03\tunknown\t/CN=x\r", LineError::Text),
    ] {
        let text = format!("{THREE}{line}\n");
        assert_eq!(Index::parse(text.as_bytes()), Err(ParseError { line: 4, problem }), "{line}");
    }
}

#[test]
fn reasons_are_known_by_word_prefix_and_letters() {
    assert_eq!(Reason::parse("kc"), Some(Reason::KeyCompromise));
    assert_eq!(Reason::parse("keyCompromise"), Some(Reason::KeyCompromise));
    assert_eq!(Reason::parse("ca"), Some(Reason::CaCompromise));
    assert_eq!(Reason::parse("cacomp"), Some(Reason::CaCompromise));
    assert_eq!(Reason::parse("uns"), Some(Reason::Unspecified));
    assert_eq!(Reason::parse("keyring"), None);
    assert_eq!(Reason::parse("c"), None);
    assert_eq!(Reason::parse(""), None);
}

#[test]
fn attributes_round_trip() {
    for attributes in [UniqueSubject::Yes, UniqueSubject::No] {
        assert_eq!(UniqueSubject::parse(&attributes.to_string()), attributes);
    }
    assert_eq!(UniqueSubject::parse(""), UniqueSubject::No);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Index::parse(&bytes);
    }

    #[test]
    fn what_was_read_prints_the_same(serials in proptest::collection::vec("[0-9A-F]{2}([0-9A-F]{2}){0,15}", 0..20)) {
        let mut index = Index::empty();
        for text in &serials {
            let _ = index.add(moment("290224152847Z"), &serial(text), "/CN=x\\xC3");
        }
        prop_assert_eq!(&Index::parse(index.as_str().as_bytes()).expect("valid"), &index);
    }
}

/// A file of many rows.
fn large() -> String {
    let rows = 20_000;
    (0..rows).map(|row| format!("V\t290224152847Z\t\t{row:08X}\tunknown\t/CN=client{row}\n")).collect()
}

#[test]
fn a_large_file_is_read_as_a_small_one() {
    let text = large();
    let index = Index::parse(text.as_bytes()).expect("valid");
    let serials: Vec<_> = index.rows().map(|row| row.serial_text()).collect();
    assert_eq!(serials.len(), 20_000);
    assert!(serials.is_sorted());
    assert_eq!(index.find(&serial("00004E1F")).map(|row| row.subject()), Some("/CN=client19999"));
}

#[test]
fn a_broken_line_of_a_large_file_has_its_number() {
    for line in [1, 2, 9_999, 10_000, 10_001, 20_000] {
        let text: String = large()
            .lines()
            .enumerate()
            .map(|(number, row)| if number + 1 == line { "broken\n".to_owned() } else { format!("{row}\n") })
            .collect();
        let error = Index::parse(text.as_bytes()).expect_err("broken");
        assert_eq!(error, ParseError { line, problem: LineError::Fields(1) });
    }
}

#[test]
fn the_common_name_is_read_out_of_the_one_line_form() {
    for (line, name) in [
        ("/CN=web1", Some("web1")),
        ("/C=US/O=a\\/b/CN=x y=z", Some("x y=z")),
        ("/CN=a\\/b\\+c", Some("a/b+c")),
        ("/CN=J\\xC3\\xB6rg", Some("J\u{f6}rg")),
        ("/CN=odd\\x", Some("odd\\x")),
        ("/serialNumber=1+CN=multi", Some("multi")),
        ("/O=nobody", None),
        ("", None),
    ] {
        let text = format!("V\t270101000000Z\t\t07\tunknown\t{line}\n");
        let index = Index::parse(text.as_bytes()).expect("a row");
        let row = index.rows().next().expect("a row");
        assert_eq!(row.common_name().as_deref(), name, "{line}");
    }
}
