// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nothing is lost, nothing is doubled, and what does not fit is said.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    select::{Authorities, Glob, Order, Selection, Span},
    *,
};
use crate::index::Index;

const NOW: &str = "261121120000Z";

fn moment(text: &str) -> Moment {
    Moment::parse(text).expect("a moment")
}

/// A certificate of the CA `ours` with a number, a name and an end.
fn facts(serial: &str, name: &str, end: &str, mark: u8) -> Facts {
    Facts {
        serial: serial.to_owned(),
        subject: format!("CN={name}"),
        common_name: Some(name.to_owned()),
        issuer_der: b"ours".to_vec(),
        subject_der: name.as_bytes().to_vec(),
        kind: "server".to_owned(),
        is_authority: false,
        alternative_names: vec![format!("DNS:{name}")],
        not_before: moment("250101000000Z"),
        not_after: moment(end),
        key_algorithm: "P-256".to_owned(),
        sha256: [mark; 32],
    }
}

fn found(folder: Folder, file: &str, facts: &Facts) -> Found {
    let contents = Contents::Certificate(Box::new(facts.clone()));
    Found { folder, file: file.to_owned(), contents }
}

fn authority() -> Found {
    let mut authority = facts("01", "ours", "351231235959Z", 0);
    authority.kind = "ca".to_owned();
    found(Folder::Authority, "ca.crt", &authority)
}

fn joined(index: &str, files: Vec<Found>) -> Inventory {
    let index = Index::parse(index.as_bytes()).expect("an index");
    join(Some(&index), files, moment(NOW), &|_| Kept::Absent)
}

fn words(entry: &Entry) -> Vec<&'static str> {
    entry.remarks.iter().map(Remark::word).collect()
}

fn named<'a>(inventory: &'a Inventory, name: &str) -> &'a Entry {
    let mut found = inventory.entries.iter().filter(|entry| entry.name == name);
    let entry = found.next().unwrap_or_else(|| panic!("no {name} in {inventory:?}"));
    assert!(found.next().is_none(), "{name} twice");
    entry
}

#[test]
fn folders_rows_and_dates_make_the_state() {
    let index = "V\t271231235959Z\t\t0A\tunknown\t/CN=web\n\
                 V\t271231235959Z\t\t0B\tunknown\t/CN=old\n\
                 V\t271231235959Z\t\t0C\tunknown\t/CN=aside\n\
                 R\t271231235959Z\t260101000000Z,keyCompromise\t0D\tunknown\t/CN=gone\n\
                 E\t251231235959Z\t\t0E\tunknown\t/CN=over\n\
                 V\t251231235959Z\t\t0F\tunknown\t/CN=unmarked\n";
    let end = "271231235959Z";
    let inventory = joined(
        index,
        vec![
            authority(),
            found(Folder::Issued, "www.crt", &facts("0A", "web", end, 1)),
            found(Folder::Renewed, "old.crt", &facts("0B", "old", end, 2)),
            found(Folder::PutAside, "aside.crt", &facts("0C", "aside", end, 3)),
            found(Folder::Revoked, "0D.crt", &facts("0D", "gone", end, 4)),
            found(Folder::Issued, "over.crt", &facts("0E", "over", "251231235959Z", 5)),
            Found { folder: Folder::Archive, file: "0A.pem".to_owned(), contents: Contents::CopyOf([1; 32]) },
            found(Folder::Archive, "0D.pem", &facts("0D", "gone", end, 4)),
        ],
    );
    for (name, status) in [
        ("ca", Status::Valid),
        ("www", Status::Valid),
        ("old", Status::Renewed),
        ("aside", Status::PutAside),
        ("gone", Status::Revoked),
        ("over", Status::Expired),
        ("unmarked", Status::Expired),
    ] {
        assert_eq!(named(&inventory, name).status, status, "{name}");
    }
    assert_eq!(inventory.entries.len(), 7);
    assert_eq!(inventory.entries[0].role, Role::Authority);
    assert_eq!(named(&inventory, "www").files, ["issued/www.crt", "certs_by_serial/0A.pem"]);
    let gone = named(&inventory, "gone");
    assert_eq!(gone.revocation.and_then(|revocation| revocation.reason).map(|reason| reason.code()), Some(1));
    assert_eq!(words(named(&inventory, "unmarked")), ["no-file"]);
    assert!(inventory.entries.iter().filter(|entry| entry.name != "unmarked").all(|e| e.remarks.is_empty()));
    let current: Vec<&str> = inventory
        .entries
        .iter()
        .filter(|entry| entry.is_current())
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(current, ["ca", "www", "over"]);
}

#[test]
fn what_does_not_fit_is_said() {
    let end = "271231235959Z";
    let index = "V\t271231000000Z\t\t0A\tunknown\t/CN=web\n\
                 R\t271231235959Z\t260101000000Z\t0B\tunknown\t/CN=left\n\
                 V\t271231235959Z\t\t0C\tunknown\t/CN=moved\n\
                 V\t271231235959Z\t\t0D\tunknown\t/CN=twin\n\
                 V\t271231235959Z\t\t0E\tunknown\t/CN=broken\n";
    let mut foreign = facts("0A", "foreign", end, 9);
    foreign.issuer_der = b"theirs".to_vec();
    let broken = |folder, file: &str| Found {
        folder,
        file: file.to_owned(),
        contents: Contents::Unreadable("there is no certificate in it".to_owned()),
    };
    let inventory = joined(
        index,
        vec![
            authority(),
            found(Folder::Issued, "foreign.crt", &foreign),
            found(Folder::Issued, "web.crt", &facts("0A", "web", end, 1)),
            found(Folder::Issued, "left.crt", &facts("0B", "left", end, 2)),
            found(Folder::Revoked, "0C.crt", &facts("0C", "moved", end, 3)),
            found(Folder::Issued, "twin.crt", &facts("0D", "twin", end, 4)),
            found(Folder::Archive, "0D.pem", &facts("0D", "twin", end, 5)),
            found(Folder::Issued, "stray.crt", &facts("77", "stray", end, 6)),
            broken(Folder::Archive, "0e.pem"),
            broken(Folder::Archive, "0A.pem"),
            broken(Folder::Issued, "garbage.crt"),
        ],
    );
    for (name, expected) in [
        ("foreign", &["no-row", "other-issuer", "same-serial"][..]),
        ("web", &["unreadable", "ends-differ", "same-serial"]),
        ("left", &["still-issued"]),
        ("moved", &["not-revoked"]),
        ("stray", &["no-row"]),
        ("broken", &["unreadable"]),
        ("garbage", &["unreadable"]),
    ] {
        assert_eq!(words(named(&inventory, name)), expected, "{name}");
    }
    assert_eq!(named(&inventory, "broken").status, Status::Valid);
    assert_eq!(named(&inventory, "garbage").status, Status::Unreadable);
    let twins: Vec<_> = inventory.entries.iter().filter(|entry| entry.name == "twin").map(words).collect();
    assert_eq!(twins, [vec!["same-serial"], vec!["no-row", "same-serial"]]);
}

#[test]
fn a_number_of_the_chain_takes_nobodys_row() {
    let mut above = facts("0A", "above", "351231235959Z", 8);
    above.issuer_der = b"above".to_vec();
    let index = "V\t271231235959Z\t\t0A\tunknown\t/CN=web\nV\t271231235959Z\t\t01\tunknown\t/CN=one\n";
    let inventory = joined(index, vec![authority(), found(Folder::Authority, "ca.crt", &above)]);
    assert_eq!(inventory.entries.len(), 4);
    assert_eq!(named(&inventory, "above").role, Role::Chain);
    assert_eq!(words(named(&inventory, "web")), ["no-file"]);
    assert_eq!(words(named(&inventory, "one")), ["no-file"]);
}

#[test]
fn keys_and_requests_are_looked_for_where_they_are_filed() {
    let end = "271231235959Z";
    let index = "V\t271231235959Z\t\t0A\tunknown\t/CN=web\nR\t271231235959Z\t260101000000Z\t0B\tunknown\t/CN=web\n\
                 V\t271231235959Z\t\t0C\tunknown\t/CN=web\nV\t271231235959Z\t\t0D\tunknown\t/CN=lone\n";
    let index = Index::parse(index.as_bytes()).expect("an index");
    let files = vec![
        authority(),
        found(Folder::Issued, "web.crt", &facts("0A", "web", end, 1)),
        found(Folder::Revoked, "0B.crt", &facts("0B", "web", end, 2)),
    ];
    let inventory = join(Some(&index), files, moment(NOW), &|path| match path {
        "private/ca.key" => Kept::Passphrase,
        "private/web.key" | "revoked/reqs_by_serial/0B.req" => Kept::Sealed,
        "private/lone.key" => Kept::Plaintext,
        _ => Kept::Absent,
    });
    let kept: Vec<_> = inventory
        .entries
        .iter()
        .map(|entry| (entry.serial.as_str(), entry.key.word(), entry.request.word()))
        .collect();
    assert_eq!(
        kept,
        [
            ("01", "passphrase", "absent"),
            ("0A", "sealed", "absent"),
            ("0B", "absent", "sealed"),
            ("0C", "absent", "absent"),
            ("0D", "plaintext", "absent"),
        ]
    );
}

#[test]
fn days_and_urgency_go_by_the_second() {
    let now = moment(NOW);
    let inventory = joined("", vec![found(Folder::Issued, "a.crt", &facts("0A", "a", "261121120000Z", 1))]);
    let entry = &inventory.entries[0];
    // The last second belongs to the period.
    assert_eq!(
        (entry.status, entry.days_left(now), entry.urgency(now)),
        (Status::Valid, Some(0), Urgency::Soon)
    );
    assert_eq!(entry.days_left(now.plus(1)), Some(-1));
    assert_eq!(entry.days_left(now.minus(86_400)), Some(1));
    assert_eq!(entry.urgency(now.minus(31 * 86_400)), Urgency::Fine);
    let short = Facts { not_before: moment("261120120000Z"), ..facts("0A", "a", "261127120000Z", 1) };
    let inventory = joined("", vec![found(Folder::Issued, "a.crt", &short)]);
    // A week's certificate is not due on its second day.
    assert_eq!(inventory.entries[0].urgency(now), Urgency::Fine);
    assert_eq!(inventory.entries[0].urgency(moment("261126150000Z")), Urgency::Soon);
}

#[test]
fn spans_are_read_as_people_write_them() {
    for (text, days) in [("30d", 30), ("30", 30), ("6w", 42), ("3m", 90), ("1y", 365), ("2Y", 730), ("0d", 0)]
    {
        assert_eq!(Span::parse(text).map(Span::seconds), Ok(days * 86_400), "{text}");
    }
    for text in ["", "d", "-3d", "3h", "+3d", "1.5y", "10001y", "99999999999d", "3 d", "３d"] {
        assert_eq!(Span::parse(text), Err(select::SpanError), "{text}");
    }
}

#[test]
fn globs_match_the_whole_name() {
    for (pattern, text, expected) in [
        ("*", "", true),
        ("*.example.net", "www.example.net", true),
        ("*.example.net", "www.example.net.evil", false),
        ("w?b*", "web1", true),
        ("w?b", "web1", false),
        ("a*b*c", "aXbXbXc", true),
        ("", "x", false),
        ("Web", "web", false),
    ] {
        assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
    }
}

#[test]
fn a_selection_leaves_what_everything_fits() {
    let all = Selection {
        ending_within: None,
        statuses: Vec::new(),
        kinds: Vec::new(),
        name: None,
        authorities: Authorities::Listed,
    };
    let index = "R\t261201000000Z\t260101000000Z\t0B\tunknown\t/CN=gone\n";
    let files = || {
        vec![
            authority(),
            found(Folder::Issued, "web.crt", &facts("0A", "web", "261201000000Z", 1)),
            found(Folder::Issued, "late.crt", &facts("0C", "late", "271201000000Z", 3)),
            found(Folder::Issued, "over.crt", &facts("0100", "over", "261101000000Z", 4)),
            found(Folder::Revoked, "0B.crt", &facts("0B", "gone", "261201000000Z", 2)),
        ]
    };
    let names = |selection: Selection, order: Order| {
        let mut inventory = joined(index, files());
        inventory.arrange(&selection, order);
        inventory.entries.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>().join(" ")
    };
    let soon = Span::parse("30d").ok();
    for (selection, order, expected) in [
        (all.clone(), Order::Name, "ca gone late over web"),
        (all.clone(), Order::Expiry, "over gone web late ca"),
        (all.clone(), Order::Serial, "ca web gone late over"),
        (all.clone(), Order::Kind, "ca gone late over web"),
        (Selection { ending_within: soon, ..all.clone() }, Order::Name, "web"),
        (
            Selection {
                ending_within: soon,
                statuses: vec![Status::Expired, Status::Revoked],
                ..all.clone()
            },
            Order::Name,
            "gone over",
        ),
        (Selection { kinds: vec!["ca".to_owned()], ..all.clone() }, Order::Name, "ca"),
        (Selection { name: Some(Glob::new("*e*")), ..all.clone() }, Order::Name, "gone late over web"),
        (Selection { authorities: Authorities::LeftOut, ..all }, Order::Status, "late web over gone"),
    ] {
        assert_eq!(names(selection, order), expected, "{order:?}");
    }
}

/// A certificate, the folders that its file is in, and whether that file is a mere copy.
fn places() -> impl Strategy<Value = Vec<(u8, Vec<(Folder, bool)>)>> {
    let folder = prop::sample::select(vec![
        Folder::Issued,
        Folder::Renewed,
        Folder::PutAside,
        Folder::Revoked,
        Folder::RenewedBySerial,
        Folder::Archive,
    ]);
    let lies = prop::collection::vec((folder, any::<bool>()), 1..4);
    prop::collection::vec((0..6_u8, lies), 0..12)
}

proptest! {
    /// However rows and files overlap, by numbers that are taken twice or more: each
    /// distinct certificate is in one entry, each row in one, and none is made up.
    #[test]
    fn no_certificate_is_lost_or_doubled(
        certificates in places(),
        rows in prop::collection::vec((0..8_u8, prop::sample::select(vec!["V", "R", "E"])), 0..12),
        foreign in any::<bool>(),
        unreadable in prop::collection::vec((prop::sample::select(vec![Folder::Issued, Folder::Archive]), 0..8_u8), 0..4),
    ) {
        let mut index = String::new();
        for (number, status) in &rows {
            let revoked = if *status == "R" { "260101000000Z" } else { "" };
            index.push_str(&format!("{status}\t271231235959Z\t{revoked}\t0{number}\tunknown\t/CN=n{number}\n"));
        }
        let mut files = vec![authority()];
        for (mark, (number, folders)) in certificates.iter().enumerate() {
            let mark = u8::try_from(mark).expect("few") + 1;
            let mut facts = facts(&format!("0{number}"), &format!("n{number}"), "271231235959Z", mark);
            if foreign && mark % 2 == 0 {
                facts.issuer_der = b"theirs".to_vec();
            }
            for (at, (folder, copy)) in folders.iter().enumerate() {
                let file = format!("0{number}.crt");
                if *copy && at > 0 {
                    let contents = Contents::CopyOf(facts.sha256);
                    files.push(Found { folder: *folder, file, contents });
                } else {
                    files.push(found(*folder, &file, &facts));
                }
            }
        }
        for (folder, number) in &unreadable {
            let contents = Contents::Unreadable("broken".to_owned());
            files.push(Found { folder: *folder, file: format!("0{number}.pem"), contents });
        }
        let inventory = joined(&index, files.clone());

        let mut fingerprints: Vec<u8> = inventory
            .entries
            .iter()
            .filter_map(|entry| entry.facts.as_ref().map(|facts| facts.sha256[0]))
            .collect();
        fingerprints.sort_unstable();
        let marks: Vec<u8> = (0..=u8::try_from(certificates.len()).expect("few")).collect();
        prop_assert_eq!(fingerprints, marks);

        // Every file is somewhere, and once.
        let shown: usize = inventory.entries.iter().map(|entry| entry.files.len()).sum();
        let beside: usize = inventory
            .entries
            .iter()
            .map(|entry| {
                let of = |remark: &&Remark| matches!(remark, Remark::Unreadable { file, .. } if !entry.files.contains(file));
                entry.remarks.iter().filter(of).count()
            })
            .sum();
        prop_assert_eq!(shown + beside, files.len());

        // An entry without the remark has a row or is beyond the index; so rows add up.
        let without_row = |entry: &&Entry| {
            entry.role == Role::Authority
                || entry.remarks.contains(&Remark::NoRow)
                || (entry.facts.is_none() && entry.status == Status::Unreadable)
        };
        let with_row: Vec<&Entry> = inventory.entries.iter().filter(|entry| !without_row(entry)).collect();
        prop_assert_eq!(with_row.len(), rows.len());
        let count = |numbers: Vec<String>| {
            let mut counts = BTreeMap::new();
            numbers.into_iter().for_each(|number| *counts.entry(number).or_insert(0) += 1);
            counts
        };
        prop_assert_eq!(
            count(with_row.iter().map(|entry| entry.serial.clone()).collect()),
            count(rows.iter().map(|(number, _)| format!("0{number}")).collect())
        );
    }

    #[test]
    fn any_text_is_a_span_or_none(text in ".{0,8}") {
        let _ = Span::parse(&text);
    }
}
