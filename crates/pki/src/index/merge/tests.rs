// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two databases become one, and nothing is lost.

use proptest::prelude::*;

use super::*;

const BASE: &str = "V\t290224152847Z\t\t0A\tunknown\t/CN=a\nV\t300224152847Z\t\t0B\tunknown\t/CN=b\n";

fn index(text: &str) -> Index {
    Index::parse(text.as_bytes()).expect("valid")
}

fn merged(base: &str, ours: &str, theirs: &str) -> String {
    let one = merge(&index(base), &index(ours), &index(theirs)).expect("it merges");
    let other = merge(&index(base), &index(theirs), &index(ours)).expect("it merges the other way");
    assert_eq!(one, other, "whoever merges");
    one.index.into_string()
}

fn row(status: &str, revocation: &str, serial: &str) -> String {
    format!("{status}\t290224152847Z\t{revocation}\t{serial}\tunknown\t/CN=a\n")
}

#[test]
fn both_sides_rows_are_there_by_expiry() {
    let ours = format!("{BASE}V\t330101000000Z\t\t0C\tunknown\t/CN=c\n");
    let theirs =
        format!("{BASE}V\t310101000000Z\t\t0D\tunknown\t/CN=d\nV\t340101000000Z\t\t0E\tunknown\t/CN=e\n");
    let serials: Vec<String> =
        index(&merged(BASE, &ours, &theirs)).rows().map(|row| row.serial_text().to_owned()).collect();
    assert_eq!(serials, ["0A", "0B", "0D", "0C", "0E"]);
}

#[test]
fn the_stronger_word_on_a_certificate_wins() {
    let base = row("V", "", "0A");
    for (ours, theirs, outcome) in [
        (row("V", "", "0A"), row("R", "260101000000Z", "0A"), row("R", "260101000000Z", "0A")),
        (row("E", "", "0A"), row("V", "", "0A"), row("E", "", "0A")),
        (row("E", "", "0A"), row("R", "260101000000Z", "0A"), row("R", "260101000000Z", "0A")),
        (
            row("R", "260102000000Z,keyCompromise", "0A"),
            row("R", "260101000000Z,superseded", "0A"),
            row("R", "260101000000Z,superseded", "0A"),
        ),
        (
            row("R", "260102000000Z,keyCompromise", "0A"),
            row("R", "260101000000Z,certificateHold", "0A"),
            row("R", "260102000000Z,keyCompromise", "0A"),
        ),
        (
            row("R", "260101000000Z", "0A"),
            row("R", "260101000000Z,keyCompromise", "0A"),
            row("R", "260101000000Z,keyCompromise", "0A"),
        ),
        // Openssl's own further field stays.
        (
            row("R", "260101000000Z,keyTime,20251231000000Z", "0A"),
            row("V", "", "0A"),
            row("R", "260101000000Z,keyTime,20251231000000Z", "0A"),
        ),
    ] {
        assert_eq!(merged(&base, &ours, &theirs), outcome);
    }
    // Nobody takes a revocation back by a merge.
    let revoked = row("R", "260101000000Z,certificateHold", "0A");
    assert_eq!(merged(&revoked, &base, &revoked), revoked);
}

#[test]
fn two_certificates_of_one_number_are_told() {
    let ours = format!("{BASE}V\t330101000000Z\t\t0C\tunknown\t/CN=c\n");
    let theirs = format!("{BASE}V\t310101000000Z\t\t0c\tunknown\t/CN=d\n");
    let error = merge(&index(BASE), &index(&ours), &index(&theirs)).expect_err("one number");
    let MergeError::TwoCertificates(clash) = &error else { panic!("{error}") };
    assert_eq!((clash.ours.0.as_str(), clash.theirs.0.as_str()), ("/CN=c", "/CN=d"));
    assert_eq!(error.to_string(), "both sides have issued a certificate with the serial number 0C");
    let twice = format!("{BASE}{BASE}");
    let error = merge(&index(BASE), &index(&twice), &index(BASE)).expect_err("two rows");
    assert_eq!(error.to_string(), "our side has two rows with the serial number 0A");
}

#[test]
fn a_row_that_one_side_lost_stays() {
    let (first, second) = BASE.split_at(BASE.find('\n').expect("two rows") + 1);
    let theirs = format!("{BASE}V\t310101000000Z\t\t0D\tunknown\t/CN=d\n");
    let outcome = merge(&index(BASE), &index(second), &index(&theirs)).expect("it merges");
    assert_eq!(outcome.index.as_str(), theirs);
    assert_eq!(outcome.kept, [SerialHex::parse("0A").expect("valid")]);
    // What both have removed is gone.
    assert_eq!(merged(BASE, first, first), first);
    // A database that was begun anew is another CA's.
    let error = merge(&index(BASE), &index(""), &index(&theirs)).expect_err("begun anew");
    assert_eq!(error, MergeError::Emptied { side: Side::Ours });
}

#[test]
fn who_sorts_the_file_is_obeyed_and_comments_stay() {
    let (first, second) = BASE.split_at(BASE.find('\n').expect("two rows") + 1);
    let sorted = format!("{second}{first}");
    let added = "V\t310101000000Z\t\t0D\tunknown\t/CN=d\n";
    assert_eq!(merged(BASE, &sorted, &format!("{BASE}{added}")), format!("{second}{added}{first}"));
    let commented = format!("# ours\n{BASE}# the end\n");
    assert_eq!(
        merged(BASE, &commented, &format!("{BASE}{added}")),
        format!("# ours\n{BASE}{added}# the end\n")
    );
}

/// What somebody does to a database: issues, revokes, marks as expired.
fn change(index: &mut Index, (what, number, second): (u8, u8, u8)) {
    let serial = SerialHex::parse(&format!("{number:02X}")).expect("valid");
    let at = |second: u8| Moment::from_unix(1_800_000_000 + u64::from(second)).expect("a moment");
    match what {
        // By number, so that whoever issues it issues the same.
        0 => drop(index.add(at(number), &serial, &format!("/CN={number}"))),
        1 => drop(index.revoke(&serial, super::super::Revocation { at: at(second), reason: None })),
        _ => drop(index.expire(at(second))),
    }
}

fn edited(base: &Index, changes: &[(u8, u8, u8)]) -> Index {
    let mut index = base.clone();
    changes.iter().for_each(|step| change(&mut index, *step));
    index
}

proptest! {
    #[test]
    fn the_order_of_merges_does_not_matter(
        begun in proptest::collection::vec((0..3_u8, 0..40_u8, 0..60_u8), 0..12),
        one in proptest::collection::vec((0..3_u8, 0..40_u8, 0..60_u8), 0..8),
        two in proptest::collection::vec((0..3_u8, 0..40_u8, 0..60_u8), 0..8),
        three in proptest::collection::vec((0..3_u8, 0..40_u8, 0..60_u8), 0..8),
    ) {
        let base = edited(&Index::empty(), &begun);
        let sides = [one, two, three].map(|changes| edited(&base, &changes));
        let join = |one: &Index, other: &Index| merge(&base, one, other).expect("it merges").index;
        let rows = |index: &Index| {
            let mut rows: Vec<String> = index.as_str().lines().map(str::to_owned).collect();
            rows.sort();
            rows
        };
        let [one, two, three] = &sides;
        let wanted = join(&join(one, two), three);
        for other in [join(&join(two, one), three), join(&join(three, two), one), join(one, &join(three, two))] {
            prop_assert_eq!(rows(&wanted), rows(&other));
        }
        prop_assert_eq!(join(one, two), join(two, one));
        prop_assert_eq!(&join(one, one), one);
        for side in &sides {
            for row in side.rows() {
                let kept = wanted.find(&row.serial());
                prop_assert!(kept.is_some_and(|kept| rank(kept) <= rank(row)), "{row:?} in {}", wanted.as_str());
            }
        }
        let serials: std::collections::HashSet<_> = wanted.rows().map(|row| row.serial()).collect();
        prop_assert_eq!(serials.len(), wanted.rows().len());
    }
}
