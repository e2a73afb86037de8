// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every form, with names that somebody chose to do harm.

use certkeep_pki::{
    index::Index,
    inventory::{self, Contents, Facts, Folder, Found, Kept},
};
use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::terminal::Colour;

const WIDE: Page = Page { width: None, colour: Colour::Never };

const FORMS: [Form; 6] = [Form::Table, Form::Json, Form::Csv, Form::Calendar, Form::Prometheus, Form::Html];

fn moment(text: &str) -> Moment {
    Moment::parse(text).expect("a moment")
}

fn found(folder: Folder, number: u8, name: &str, end: &str) -> Found {
    let facts = Facts {
        serial: format!("{number:02X}"),
        subject: format!("CN={name}"),
        common_name: Some(name.to_owned()),
        issuer_der: b"ca".to_vec(),
        subject_der: if folder == Folder::Authority { b"ca".to_vec() } else { name.into() },
        kind: if folder == Folder::Authority { "ca" } else { "server" }.to_owned(),
        is_authority: folder == Folder::Authority,
        alternative_names: vec![format!("DNS:{name}"), "IP:192.0.2.1".to_owned()],
        not_before: moment("260101000000Z"),
        not_after: moment(end),
        key_algorithm: "P-256".to_owned(),
        sha256: [number; 32],
    };
    let file = if folder == Folder::Revoked { format!("{number:02X}.crt") } else { format!("{number}.crt") };
    Found { folder, file, contents: Contents::Certificate(Box::new(facts)) }
}

/// A CA whose certificates have these common names, and what else there can be.
fn listing_of(names: &[&str], now: &str) -> Listing {
    let mut index = String::from(
        "R\t271231235959Z\t261101120000Z,keyCompromise\t80\tunknown\t/CN=gone\n\
         V\t271231235959Z\t\t81\tunknown\t/CN=lost\\x1B[2J\n\
         E\t261001000000Z\t\t82\tunknown\t/CN=over\n",
    );
    let mut files = vec![found(Folder::Authority, 1, "Example CA", "351231235959Z")];
    for (number, name) in (2..).zip(names) {
        files.push(found(Folder::Issued, number, name, "261201120000Z"));
        index.push_str(&format!("V\t261201120000Z\t\t{number:02X}\tunknown\t/CN=x\n"));
    }
    files.push(found(Folder::Revoked, 0x80, "gone", "271231235959Z"));
    files.push(found(Folder::Issued, 0x82, "over", "261001000000Z"));
    let index = Index::parse(index.as_bytes()).expect("an index");
    let now = moment(now);
    let kept = |path: &str| if path.ends_with(".key") { Kept::Sealed } else { Kept::Absent };
    Listing {
        inventory: inventory::join(Some(&index), files, now, &kept),
        crl: Some(CrlDates { this_update: now.minus(100), next_update: Some(now.plus(100)) }),
        pki: "/srv/pki".to_owned(),
    }
}

const HOSTILE: [&str; 10] = [
    "www.example.net",
    "<script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "=HYPERLINK(\"http://x.example\")",
    " @SUM(A1)",
    "a,b;c\\d\nEND:VEVENT",
    "gpj.\u{202e}exe\u{1b}]0;x\u{7}",
    "'; DROP TABLE -- \u{2028}\u{85}",
    "שלום.example",
    "東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京🔑",
];

fn hostile() -> Listing {
    listing_of(&HOSTILE, "261121120000Z")
}

#[test]
fn no_form_holds_what_a_terminal_would_act_on() {
    for form in FORMS {
        let text = form.render(&hostile(), WIDE);
        let acts = text.chars().find(|&character| {
            certkeep_pki::layout::is_invisible(character) && !matches!(character, '\n' | '\r')
        });
        assert_eq!(acts, None, "{form:?}");
    }
}

#[test]
fn an_empty_list_has_every_form() {
    let mut listing = hostile();
    listing.inventory.entries.clear();
    for form in FORMS {
        assert!(!form.render(&listing, WIDE).is_empty(), "{form:?}");
    }
    assert_eq!(listing.summary(), "no certificate fits");
}

#[test]
fn a_table_fits_its_terminal() {
    for width in 20..300 {
        let page = Page { width: Some(width), colour: Colour::Never };
        let table = Form::Table.render(&hostile(), page);
        assert_eq!(table.lines().count(), 15, "{table}");
        for line in table.lines() {
            assert!(line.width() <= width, "{width}: {line}");
        }
        assert!(width < 60 || table.starts_with("NAME") && table.contains("STATUS"), "{table}");
    }
    let all = Form::Table.render(&hostile(), WIDE);
    assert!(all.contains(&"80".repeat(32)) && !all.contains('…'), "{all}");
    let painted = Form::Table.render(&hostile(), Page { width: Some(100), colour: Colour::Always });
    assert!(painted.contains("\u{1b}[1;31mexpired\u{1b}[0m"), "{painted}");
    assert!(painted.contains("\u{1b}[2mrevoked"), "{painted}");
}

#[test]
fn json_is_exact() {
    let text = Form::Json.render(&hostile(), WIDE);
    let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let certificates = read["certificates"].as_array().expect("a list");
    for name in HOSTILE {
        assert!(certificates.iter().any(|one| one["common_name"] == name), "{name}");
    }
    for certificate in certificates {
        let names: Vec<&str> =
            certificate.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(names, record::NAMES);
    }
    let over = certificates.iter().find(|one| one["common_name"] == "over").expect("listed");
    assert_eq!((&over["days_left"], &over["status"]), (&(-52).into(), &"expired".into()));
    let gone = certificates.iter().find(|one| one["name"] == "gone").expect("listed");
    assert_eq!(gone["revocation_reason"], "keyCompromise");
    assert_eq!(read["counts"]["valid"], 12);
    assert_eq!(read["crl_next_update"], "2026-11-21 12:01:40Z");
}

#[test]
fn csv_has_a_record_for_each_and_no_formula() {
    let text = Form::Csv.render(&hostile(), WIDE);
    assert!(text.lines().count() == text.matches("\r\n").count(), "{text}");
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().expect("a header"), record::NAMES.as_slice());
    let records: Vec<_> = reader.records().map(|record| record.expect("a record")).collect();
    assert_eq!(records.len(), 14);
    for record in &records {
        assert_eq!(record.len(), record::FIELDS);
        for (name, cell) in record::NAMES.iter().zip(record) {
            let formula = cell.trim_start().starts_with(['=', '+', '-', '@']);
            assert!(!formula || *name == "days_left", "{name}: {cell}");
        }
    }
    assert!(text.contains("'=HYPERLINK(\"\"http"), "{text}");
    assert!(text.contains("'  @SUM") || text.contains("' @SUM"), "{text}");
}

/// The lines of a calendar, unfolded.
fn unfolded(calendar: &str) -> Vec<String> {
    for line in calendar.split_terminator("\r\n") {
        assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line}");
    }
    calendar.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_calendar_has_an_event_for_each_valid_certificate() {
    let calendar = Form::Calendar.render(&hostile(), WIDE);
    let lines = unfolded(&calendar);
    let count = |wanted: &str| lines.iter().filter(|line| *line == wanted).count();
    // A row alone is nothing to tell from another one by.
    assert_eq!((count("BEGIN:VEVENT"), count("END:VEVENT")), (11, 11), "{calendar}");
    assert_eq!((count("BEGIN:VALARM"), count("TRIGGER:-P7D")), (33, 11));
    assert_eq!(count("DTSTART:20261201T120000Z"), 10);
    assert!(lines.contains(&format!("UID:{}@certkeep", "02".repeat(32))));
    // The file names the event, as everywhere.
    assert!(lines.iter().any(|line| line == "SUMMARY:7 ends (server certificate)"), "{calendar}");
    assert!(calendar.contains("a\\,b\\;c\\\\d\\\\nEND:VEVENT"), "{calendar}");
    assert_eq!(lines.last().map(String::as_str), Some("END:VCALENDAR"));
}

#[test]
fn a_calendar_changes_with_its_certificates_alone() {
    let write = |now| Form::Calendar.render(&listing_of(&["www"], now), WIDE);
    assert_eq!(write("261121120000Z"), write("261122130000Z"));
}

#[test]
fn metrics_are_of_what_somebody_is_to_see_to() {
    let text = Form::Prometheus.render(&hostile(), WIDE);
    let series = |name: &str| text.lines().filter(|line| line.starts_with(name)).count();
    // The CA, ten certificates, the row without a file, and the expired one in issued.
    assert_eq!(series("certkeep_certificate_not_after_timestamp_seconds{"), 13, "{text}");
    assert!(text.contains("certkeep_certificates{status=\"revoked\"} 1\n"), "{text}");
    assert!(text.contains("certkeep_crl_next_update_timestamp_seconds 1795262500\n"), "{text}");
    assert!(!text.contains("name=\"gone\""), "{text}");
    for line in text.lines() {
        let comment = line.starts_with("# HELP ") || line.starts_with("# TYPE ");
        assert!(
            comment || line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<u64>().is_ok()),
            "{line}"
        );
    }
    assert!(text.ends_with('\n'));
}

#[test]
fn a_page_runs_and_fetches_nothing_but_its_own() {
    let page = Form::Html.render(&hostile(), WIDE);
    assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (1, 1));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("onmouseover=\""));
    for outside in ["http://", "https://", " src=", "url(", "@import", "style=\""] {
        let found = page.replace("http://x.example", "");
        assert!(!found.contains(outside), "{outside}");
    }
    // What the policy allows is what is there.
    for (start, end, directive) in
        [("<style>", "</style>", "style-src"), ("<script>", "</script>", "script-src")]
    {
        let inside = page.split_once(start).and_then(|(_, rest)| rest.split_once(end)).expect("an element").0;
        use base64::Engine as _;
        use sha2::Digest as _;
        let hash = base64::prelude::BASE64_STANDARD.encode(sha2::Sha256::digest(inside));
        assert!(page.contains(&format!("{directive} 'sha256-{hash}'")), "{directive}");
    }
    assert!(page.contains("default-src 'none'"));
    assert_eq!(page.matches("<tr class=").count(), 14);
    for element in ["table", "tbody", "tr", "td", "th", "ul", "ol", "li", "section", "small", "bdi", "time"] {
        let opened =
            page.matches(&format!("<{element}>")).count() + page.matches(&format!("<{element} ")).count();
        assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
    }
}

#[test]
fn forms_of_other_commands_are_refused() {
    for format in [Format::Pem, Format::Sarif, Format::Github] {
        assert!(Form::of(format).is_err());
    }
}
