// SPDX-License-Identifier: MIT OR Apache-2.0
//! The CRL: whether verifiers take it, for how long, and whether it says what the
//! index says (RFC 5280 §5).

use std::collections::HashSet;

use super::{Check, Finding, authority::is_weak_digest, case::Case};
use crate::{
    index::{Status, has_conflict},
    layout::SerialHex,
    moment::{Days, Moment},
    x509::{crl::Crl, oid, serial},
};

/// How long before it is due the next CRL is asked for, at most.
const SOON: Days = Days(30);

/// How many serial numbers a finding names.
const NAMED: usize = 5;

pub(super) fn look(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if case.issuer().is_none() {
        return;
    }
    let mut find = |check, what: String| {
        findings.push(Finding { check, subject: "crl.pem".to_owned(), name: None, what });
    };
    let revoked: Vec<SerialHex> =
        case.index().rows().filter(|row| row.status() == Status::Revoked).map(|row| row.serial()).collect();
    match &case.crl {
        None => {
            find(Check::CrlMissing, "there is no crl.pem".to_owned());
            if !revoked.is_empty() {
                find(Check::CrlIncomplete, format!("no CRL lists {}", some(&revoked)));
            }
        }
        Some(Err(error)) => {
            let conflict = case.evidence.books.crl.as_deref().is_some_and(has_conflict);
            let why = if conflict { "a merge was not finished".to_owned() } else { error.to_string() };
            find(Check::CrlUnreadable, why);
        }
        Some(Ok(crl)) => {
            own(crl, case.evidence.now, &mut find);
            match case.crl_at_hand() {
                None => find(
                    Check::CrlForeign,
                    format!("signed by another key than the CA's, as {}", crl.issuer()),
                ),
                Some(crl) => compare(crl, &revoked, &mut find),
            }
            let der = case.evidence.books.crl_der.as_deref();
            if der.is_some_and(|der| Crl::read(der).map_or(true, |other| other.as_der() != crl.as_der())) {
                let what = "it holds another CRL than crl.pem, or none".to_owned();
                findings.push(Finding {
                    check: Check::CrlFormsDiffer,
                    subject: "crl.der".to_owned(),
                    name: None,
                    what,
                });
            }
        }
    }
    number(case, findings);
}

/// What a CRL says by itself.
fn own(crl: &Crl, now: Moment, find: &mut dyn FnMut(Check, String)) {
    match crl.next_update() {
        None => find(Check::CrlWithoutEnd, "there is no nextUpdate".to_owned()),
        Some(due) if now > due => find(Check::CrlExpired, format!("the next one was due on {due}")),
        Some(due) => {
            let life = due.unix().saturating_sub(crl.this_update().unix());
            if due.minus((life / 5).min(SOON.seconds())) <= now {
                find(Check::CrlExpiresSoon, format!("the next one is due on {due}"));
            }
        }
    }
    if crl.number().is_none() {
        find(Check::CrlWithoutNumber, "there is no cRLNumber".to_owned());
    }
    if !crl.extensions().iter().any(|extension| extension.extn_id == oid::AUTHORITY_KEY_IDENTIFIER) {
        find(Check::CrlWithoutKeyId, "there is no authorityKeyIdentifier".to_owned());
    }
    if is_weak_digest(crl.signature_algorithm()) {
        let name = oid::short_name(oid::SIGNATURES, crl.signature_algorithm());
        find(Check::WeakDigest, format!("signed with {name}"));
    }
}

/// Whether the CRL and the index say the same.
fn compare(crl: &Crl, revoked: &[SerialHex], find: &mut dyn FnMut(Check, String)) {
    let listed: Vec<SerialHex> =
        crl.entries().filter_map(|entry| Some(entry.serial_number?.to_hex())).collect();
    let lacking = difference(revoked, &listed);
    if !lacking.is_empty() {
        find(Check::CrlIncomplete, format!("it does not list {}", some(&lacking)));
    }
    let ahead = difference(&listed, revoked);
    if !ahead.is_empty() {
        find(Check::CrlAhead, format!("it lists {}, which index.txt does not have as revoked", some(&ahead)));
    }
}

fn difference(all: &[SerialHex], without: &[SerialHex]) -> Vec<SerialHex> {
    let without: HashSet<&SerialHex> = without.iter().collect();
    all.iter().filter(|serial| !without.contains(serial)).cloned().collect()
}

/// The first few of many serial numbers, for people.
pub(super) fn some(serials: &[SerialHex]) -> String {
    let named: Vec<&str> = serials.iter().take(NAMED).map(SerialHex::as_str).collect();
    match serials.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn number(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let mut find = |check, what: String| {
        findings.push(Finding { check, subject: "crlnumber".to_owned(), name: None, what });
    };
    let present = case.crl_at_hand().and_then(Crl::number);
    match (case.evidence.books.crl_number.as_deref(), present) {
        (Some(file), _) if has_conflict(file) => {
            find(Check::IndexConflict, "a merge was not finished".to_owned());
        }
        (None, Some(number)) => {
            find(Check::CrlNumberFile, format!("it is missing, and the CRL has the number {number}"));
        }
        (None, None) => {}
        (Some(file), present) => match (serial::parse_file(file), present) {
            (Err(error), _) => find(Check::CrlNumberFile, error.to_string()),
            (Ok(next), Some(number)) if next <= number => {
                find(Check::CrlNumberBehind, format!("the next number is {next}, and the CRL has {number}"));
            }
            (Ok(_), _) => {}
        },
    }
}
