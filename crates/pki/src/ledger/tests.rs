// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deeds: found by comparing, written down and read back.

use super::*;
use crate::{ca::fixture, index::Reason, moment::Moment};

fn serial(text: &str) -> SerialHex {
    SerialHex::parse(text).expect("valid")
}

fn index(rows: &[&str]) -> Vec<u8> {
    rows.iter().map(|row| format!("{}\n", row.replace(' ', "\t"))).collect::<String>().into_bytes()
}

const A: &str = "V 290101000000Z  0A unknown /CN=a";
const A_REVOKED: &str = "R 290101000000Z 261101000000Z,keyCompromise 0A unknown /CN=a";
const B: &str = "V 290101000000Z  0B unknown /CN=b";
const C: &str = "V 290101000000Z  0C unknown /CN=c";

fn change(before: &[&str], after: &[&str]) -> RowChange {
    row_change(&index(before), &index(after)).expect("readable")
}

#[test]
fn what_rows_differ_by_is_found_wherever_it_stands() {
    assert_eq!(change(&[A, B], &[A, B]), RowChange::default());
    assert_eq!(change(&[A, C], &[A, B, C]).added, [serial("0B")]);
    assert_eq!(change(&[], &[A]).added, [serial("0A")]);
    assert_eq!(change(&[A, B, C], &[A, C]).weakened, [Flaw::Gone(serial("0B"))]);
    assert_eq!(change(&[A, B], &[B, A]), RowChange::default());
    let revoked = change(&[A, B], &[A_REVOKED, B]);
    assert_eq!(revoked.revoked.len(), 1);
    assert_eq!((revoked.weakened.len(), revoked.redated.len()), (0, 0));
    assert_eq!(change(&[A_REVOKED, B], &[A, B]).weakened, [Flaw::TakenBack(serial("0A"))]);
    let later = A_REVOKED.replace("261101", "261102");
    let redated = change(&[A_REVOKED, B], &[&later, B]);
    assert_eq!((redated.redated, redated.revoked.len()), (vec![serial("0A")], 1));
    let sooner = change(&[&later, B], &[A_REVOKED, B]);
    assert_eq!((sooner.redated.len(), sooner.revoked.len()), (0, 1));
    let other = A_REVOKED.replace("keyCompromise", "superseded");
    assert_eq!(change(&[&later, B], &[&other, B]).redated, [serial("0A")]);
}

#[test]
fn a_second_row_of_one_number_is_found_wherever_it_stands() {
    let lower = A.replace("0A", "0a");
    for after in [[A, A_REVOKED, B, C], [A_REVOKED, B, C, A], [A_REVOKED, A, B, C], [&lower, A_REVOKED, B, C]]
    {
        assert!(is_twice(&index(&after), &serial("0A")), "{after:?}");
        let told = change(&[A_REVOKED, B, C], &after);
        let both = told.weakened == [Flaw::Twice(serial("0A"))];
        assert!(both || told.added == [serial("0A")], "{told:?}");
    }
    assert_eq!(change(&[B], &[B, A, A_REVOKED]).weakened, [Flaw::Twice(serial("0A"))]);
    // The digits in another field are no serial number.
    let named = "V 290101000000Z  0D 0A /CN=0A";
    assert!(!is_twice(&index(&[named, B, A]), &serial("0A")));
}

#[test]
fn long_databases_differ_where_they_differ() {
    let rows: Vec<String> =
        (0..500).map(|number| format!("V 290101000000Z  10{number:04X} unknown /CN=c{number}")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    for at in [0, 1, 250, 499] {
        let without = [&rows[..at], &rows[at + 1..]].concat();
        let number = serial(&format!("10{at:04X}"));
        assert_eq!(
            change(&without, &rows),
            RowChange { added: vec![number.clone()], ..RowChange::default() }
        );
        assert_eq!(change(&rows, &without).weakened, [Flaw::Gone(number)]);
    }
}

#[test]
fn a_row_without_a_file_is_a_deed_of_its_own() {
    let certificate = fixture::certificate();
    let at = PkiPath::CertificateBySerial(certificate.serial_number().to_hex());
    let row = "V 290101000000Z  07 unknown /CN=a";
    let files = [(at, certificate.to_pem().into_bytes())];
    let told = deeds(b"", &index(&[row, A_REVOKED]), &files).expect("readable");
    let lines: Vec<String> = told.iter().map(|deed| deed.to_line().0).collect();
    assert_eq!(lines, ["certificate", "row", "revocation"]);
}

#[test]
fn what_a_damaged_database_tells_is_no_deed_of_who_mends_it() {
    let (before, after) = (index(&[A, "nonsense", B]), index(&[A_REVOKED, B]));
    let told = deeds(&before, &after, &[]).expect("readable");
    assert!(matches!(told.as_slice(), [Deed::Revocation(of, _)] if *of == serial("0A")), "{told:?}");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let (ours, theirs) = (text(index(&[A_REVOKED])), text(index(&[A, B])));
    let before = format!("<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> other\n");
    assert!(deeds(before.as_bytes(), &after, &[]).expect("readable").is_empty());
    assert!(deeds(&after, &index(&["nonsense"]), &[]).is_err());
}

#[test]
fn deeds_are_read_as_they_were_written() {
    let named = Named { serial: serial("0A"), fingerprint: [7; 32], subject: "CN=a b, O=c".to_owned() };
    let at = Moment::from_unix(1_800_000_000).expect("a moment");
    for deed in [
        Deed::Authority(named.clone()),
        Deed::Certificate(named),
        Deed::Row(serial("0B")),
        Deed::Revocation(serial("0A"), Revocation { at, reason: Some(Reason::Superseded) }),
        Deed::Revocation(serial("0A"), Revocation { at, reason: None }),
        Deed::Crl(Some(serial("01")), [9; 32]),
        Deed::Crl(None, [9; 32]),
    ] {
        let (word, rest) = deed.to_line();
        assert_eq!(Deed::of_line(&word, &rest), Some(deed), "{word} {rest}");
    }
    for (word, rest) in [("certificate", "0A"), ("certificate", "xx sha256:00 a"), ("row", ""), ("id", "1")] {
        assert_eq!(Deed::of_line(word, rest), None, "{word} {rest}");
    }
}
