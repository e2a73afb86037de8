// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inventory for calendars (RFC 5545): an event at the end of each certificate
//! that is valid, with alarms 30, 7 and 1 days before, as far as it lives that long.
//!
//! The same certificate makes the same event, byte for byte and under the same
//! UID, so a calendar that is written anew each night only changes where a
//! certificate did. That is why DTSTAMP is the beginning of the certificate: without
//! a METHOD it says when the information was last revised (§3.8.7.2).

use certkeep_pki::{
    inventory::{Entry, Facts, Role, Status},
    moment::{Days, Moment},
};

use super::Listing;
use crate::terminal::Safe;

/// Octets of a line without its CRLF (§3.1).
const LINE: usize = 75;

/// Days before the end that an alarm goes off.
const ALARMS: [u32; 3] = [30, 7, 1];

/// The calendar.
pub(super) fn calendar(listing: &Listing) -> String {
    let mut calendar = Calendar(String::new());
    calendar.line("BEGIN:VCALENDAR");
    calendar.line("VERSION:2.0");
    calendar.line(concat!("PRODID:-//certkeep//certkeep ", env!("CARGO_PKG_VERSION"), "//EN"));
    calendar.line("CALSCALE:GREGORIAN");
    let title = format!("Certificates of {}", Safe(listing.authority()));
    // RFC 7986 §5.1, and what programs understand that are older.
    calendar.text("NAME", &title);
    calendar.text("X-WR-CALNAME", &title);
    for entry in &listing.inventory.entries {
        if let (Status::Valid | Status::NotYetValid, Some(facts)) = (entry.status, &entry.facts) {
            calendar.event(entry, facts);
        }
    }
    calendar.line("END:VCALENDAR");
    calendar.0
}

struct Calendar(String);

impl Calendar {
    fn event(&mut self, entry: &Entry, facts: &Facts) {
        let what = match entry.role {
            Role::Authority => "CA certificate".to_owned(),
            Role::Chain => "certificate of the CA above".to_owned(),
            Role::Issued if facts.kind.is_empty() => "certificate".to_owned(),
            Role::Issued => format!("{} certificate", facts.kind),
        };
        let name = entry.common_name.as_deref().filter(|_| entry.role != Role::Issued).unwrap_or(&entry.name);
        let summary = format!("{} ends ({what})", Safe(name));
        let mut description = format!(
            "Subject: {}\nSerial number: {}\nSHA-256: {}\n",
            Safe(&facts.subject),
            facts.serial,
            facts.fingerprint(),
        );
        if !facts.alternative_names.is_empty() {
            description += &format!("Names: {}\n", Safe(facts.alternative_names.join(", ")));
        }
        description += &format!("Last second: {}", facts.not_after);
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{}@certkeep", facts.fingerprint()));
        self.line(&format!("DTSTAMP:{}", date_time(facts.not_before)));
        self.line(&format!("DTSTART:{}", date_time(facts.not_after)));
        self.text("SUMMARY", &summary);
        self.text("DESCRIPTION", &description);
        self.line("CATEGORIES:certkeep");
        // Nobody is busy while a certificate ends.
        self.line("TRANSP:TRANSPARENT");
        let life = facts.not_after.unix().saturating_sub(facts.not_before.unix());
        for days in ALARMS.into_iter().filter(|&days| Days(days).seconds() < life) {
            self.line("BEGIN:VALARM");
            self.line("ACTION:DISPLAY");
            self.line(&format!("TRIGGER:-P{days}D"));
            self.text("DESCRIPTION", &format!("{summary} in {}", Days(days)));
            self.line("END:VALARM");
        }
        self.line("END:VEVENT");
    }

    /// A property whose value is text (§3.3.11), in which foreign text is shown safely already.
    fn text(&mut self, property: &str, value: &str) {
        let mut line = format!("{property}:");
        let mut rest = value;
        while let Some(at) = rest.find(['\\', ';', ',', '\n']) {
            line.push_str(&rest[..at]);
            line.push_str(match &rest[at..=at] {
                "\n" => "\\n",
                ";" => "\\;",
                "," => "\\,",
                _ => "\\\\",
            });
            rest = &rest[at + 1..];
        }
        line.push_str(rest);
        self.line(&line);
    }

    /// A line, folded (§3.1) between characters.
    fn line(&mut self, line: &str) {
        let (mut rest, mut room) = (line, LINE);
        while rest.len() > room {
            let end = (0..=room).rev().find(|&at| rest.is_char_boundary(at)).unwrap_or(room);
            self.0.push_str(&rest[..end]);
            self.0.push_str("\r\n ");
            (rest, room) = (&rest[end..], LINE - 1);
        }
        self.0.push_str(rest);
        self.0.push_str("\r\n");
    }
}

/// A date and time in UTC (§3.3.5): `20261121T075000Z`.
fn date_time(moment: Moment) -> String {
    // 2026-11-21 07:50:00Z, without what separates.
    moment
        .to_string()
        .chars()
        .filter(|character| !matches!(character, '-' | ':'))
        .map(|character| if character == ' ' { 'T' } else { character })
        .collect()
}
