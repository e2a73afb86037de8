// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inventory for spreadsheets: RFC 4180, a header, one record a certificate.
//!
//! A spreadsheet takes a cell that begins with one of `=+-@` for a formula, which
//! may send the others away. Whoever asks for a certificate chooses its names, so
//! foreign text that begins so gets an apostrophe in front, which spreadsheets read
//! as "this is text".

use csv::{Terminator, WriterBuilder};

use super::{
    Listing,
    record::{self, Field},
};
use crate::terminal::Safe;

/// Header and records, each ended by CRLF. Lists are separated by a semicolon and a space.
pub(super) fn csv(listing: &Listing) -> String {
    let inventory = &listing.inventory;
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let written = "memory takes every record";
    writer.write_record(record::NAMES).expect(written);
    for entry in &inventory.entries {
        let cells = record::fields(entry, inventory.now).map(|field| match field {
            Field::Own(text) => text,
            Field::Foreign(foreign) => harmless(foreign),
            Field::Number(number) => number.to_string(),
            Field::List(texts) => harmless(&texts.join("; ")),
            Field::Remarks(remarks) => {
                let words: Vec<&str> = remarks.iter().map(|remark| remark.word()).collect();
                words.join("; ")
            }
            Field::Absent => String::new(),
        });
        writer.write_record(&cells).expect(written);
    }
    let bytes = writer.into_inner().expect(written);
    String::from_utf8(bytes).expect("records of text")
}

/// Foreign text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    let shown = Safe(text).to_string();
    // What comes before a formula may be white space of any kind, full-width signs count too.
    let first = shown.trim_start().chars().next();
    match first {
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '|' | '%') => format!("'{shown}"),
        _ => shown,
    }
}
