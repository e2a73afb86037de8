// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way from a file's bytes to its findings: one pass for the marks of all
//! formats, one for base64, one for UTF-16; what these unwrap is looked at in
//! the same way, a few levels deep. Each format has a room of its own.
//!
//! A finding is accepted by an inline marker, see [`marker`].

mod age_identity;
mod base64;
mod jwk;
mod marker;
mod minisign;
mod pem;
mod putty;
mod reader;
pub(crate) mod utf16;
mod vars;
mod wireguard;

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};

use self::base64::{Mark, PEM_IN_BASE64};
use crate::{
    archive,
    body::{self, zone_keys},
    finding::{Certainty, Finding, Format, Protection, Wrapping},
};

/// What a file begins with that certkeep sealed.
const SEALED: &[u8] = b"\0CKSEAL\0";

/// How many wrappings are taken off: a Kubernetes secret (base64) of a JSON file
/// in base64, written by PowerShell (UTF-16), has three.
const DEEPEST: u8 = 3;

/// The bytes by which a format is noticed, and the room that reads it from there.
static MARKS: LazyLock<(AhoCorasick, Vec<Room>)> = LazyLock::new(|| {
    let (mut marks, mut rooms) = (Vec::new(), Vec::new());
    let mut add = |mark: &'static str, room| {
        marks.push(mark);
        rooms.push(room);
    };
    for label in [
        "PRIVATE KEY",
        "OpenVPN Static key V1",
        "OpenVPN tls-crypt-v2 client key",
        "OpenVPN tls-crypt-v2 server key",
    ] {
        add(label, Room::Read(pem::block));
    }
    add(putty::MARK, Room::Read(putty::key));
    add(age_identity::SECRET, Room::Read(age_identity::identity));
    add(age_identity::PLUGIN, Room::Read(age_identity::identity));
    add(vars::MARK, Room::Read(vars::passphrase));
    add(zone_keys::MARK, Room::ZoneKeys);
    add(jwk::MARK, Room::Json);
    add(jwk::MARK_ESCAPED, Room::JsonInStrings);
    for (alignment, mark) in PEM_IN_BASE64.into_iter().enumerate() {
        add(mark, Room::Base64(alignment));
    }
    let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(marks);
    (automaton.expect("a handful of short marks"), rooms)
});

/// Who reads on behind a mark.
enum Room {
    /// Reads one key where the mark stands.
    Read(fn(&[u8], &Range<usize>) -> Option<Finding>),
    /// The file holds keys exported by certkeep.
    ZoneKeys,
    /// The file holds JSON Web Keys.
    Json,
    /// The file holds JSON Web Keys in strings.
    JsonInStrings,
    /// PEM in base64, with this alignment.
    Base64(usize),
}

/// Finds the private key material in `file`, in the order of its places.
///
/// No key is told twice. The time is linear in the length, for hostile input too.
#[must_use]
pub fn detect(file: &[u8]) -> Vec<Finding> {
    let mut findings = scan(file, 0);
    archive::add_members(file, &mut findings, |member| scan_within(member, 0));
    findings
}

/// A finding with nothing known of it but this.
fn found(format: Format, certainty: Certainty, place: Range<usize>) -> Finding {
    Finding {
        format,
        certainty,
        protection: Protection::None,
        place,
        wrappings: Vec::new(),
        public_key: None,
        allowed: None,
    }
}

/// Looks at what was taken out of `depth` wrappings and one more.
fn scan_within(bytes: &[u8], depth: u8) -> Vec<Finding> {
    scan(bytes, depth + 1)
}

/// Looks at bytes that were taken out of `depth` wrappings.
fn scan(bytes: &[u8], depth: u8) -> Vec<Finding> {
    if bytes.starts_with(SEALED) {
        return Vec::new();
    }
    if let Some(body) = body::parse(bytes).or_else(|| minisign::parse(bytes)) {
        let mut finding = found(body.format, Certainty::Parsed, 0..bytes.len());
        finding.protection = body.protection;
        finding.public_key = body.public_key;
        return vec![finding];
    }
    if let Some(text) = utf16::whole(bytes).filter(|_| depth < DEEPEST) {
        return in_utf16(&text, depth);
    }
    let (findings, marks) = at_marks(bytes);
    let mut findings = once_each(findings);
    if depth < DEEPEST {
        let parsed = |finding: &&Finding| finding.certainty == Certainty::Parsed;
        let settled: Vec<_> = findings.iter().filter(parsed).map(|finding| finding.place.clone()).collect();
        findings.extend(base64::keys(bytes, &marks, &settled, depth));
        for text in utf16::texts(bytes) {
            findings.extend(in_utf16(&text, depth));
        }
        findings = once_each(findings);
    }
    if depth == 0 {
        marker::allow(bytes, &mut findings);
    }
    findings
}

fn in_utf16(text: &utf16::Text, depth: u8) -> Vec<Finding> {
    let mut findings = scan_within(&text.units, depth);
    if depth == 0 {
        marker::allow(&text.units, &mut findings);
    }
    for finding in &mut findings {
        finding.place = text.place(&finding.place);
        finding.wrappings.insert(0, Wrapping::Utf16);
    }
    findings
}

/// What the rooms of the formats read, and where base64 is worth a second look.
fn at_marks(bytes: &[u8]) -> (Vec<Finding>, Vec<Mark>) {
    let (automaton, rooms) = &*MARKS;
    let (mut findings, mut marks) = (Vec::new(), Vec::new());
    let (mut json, mut json_in_strings, mut exported) = (false, false, false);
    for hit in automaton.find_iter(bytes) {
        match rooms[hit.pattern().as_usize()] {
            Room::Read(read) => findings.extend(read(bytes, &hit.range())),
            Room::ZoneKeys => exported = true,
            Room::Json => json = true,
            Room::JsonInStrings => json_in_strings = true,
            Room::Base64(alignment) => marks.push(Mark { at: hit.start(), alignment }),
        }
    }
    if exported {
        let found = |place| found(Format::CertkeepKeys, Certainty::Parsed, place);
        findings.extend(zone_keys::places(bytes).map(found));
    }
    if json {
        findings.extend(jwk::keys(bytes));
    }
    if json_in_strings {
        findings.extend(jwk::keys_in_strings(bytes));
    }
    findings.extend(wireguard::keys(bytes));
    (findings, marks)
}

/// In order, and of those that overlap the surest; of equals the first.
fn once_each(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| (finding.place.start, finding.place.end));
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        let overlaps = |last: &Finding| last.place.end > finding.place.start;
        while kept.last().is_some_and(|last| overlaps(last) && last.certainty < finding.certainty) {
            kept.pop();
        }
        if !kept.last().is_some_and(overlaps) {
            kept.push(finding);
        }
    }
    kept
}
