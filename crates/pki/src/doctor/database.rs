// SPDX-License-Identifier: MIT OR Apache-2.0
//! The database of `openssl ca`: whether it can be read, and whether it and the
//! certificates say the same.

use super::{
    Check, Finding,
    case::{Case, Known},
    mend::subjects_twice,
};
use crate::{
    ca::authority::SerialMode,
    index::{Index, Row, Status, UniqueSubject, has_conflict},
    inventory::{Folder, Remark, Status as State},
    x509::serial::{self, SerialNumber},
};

/// Numbers of so few bytes are counted, not drawn.
const COUNTED_BYTES: usize = 8;

pub(super) fn look(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if case.issuer().is_none() {
        rows(case, findings);
        return;
    }
    if case.evidence.books.index.is_none() {
        findings.push(found(Check::IndexMissing, "index.txt", "there is no index.txt"));
    } else {
        rows(case, findings);
        for known in &case.known {
            certificate(case, known, findings);
        }
        attributes(case, findings);
    }
    number(case, findings);
}

fn found(check: Check, subject: &str, what: impl Into<String>) -> Finding {
    Finding { check, subject: subject.to_owned(), name: None, what: what.into() }
}

/// What is wrong with index.txt by itself.
fn rows(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if case.salvage.conflict {
        findings.push(found(Check::IndexConflict, "index.txt", "a merge was not finished"));
    }
    for damaged in &case.salvage.damaged {
        let what = format!("line {}: {}", damaged.line, damaged.problem);
        findings.push(found(Check::RowDamaged, "index.txt", what));
    }
    let clash = case.salvage.merged.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default();
    for (name, earlier) in &case.earlier {
        let revoked = earlier.rows.rows().filter(|row| row.status() == Status::Revoked);
        let unsaid = |row: &Row<'_>| {
            case.index().find(&row.serial()).is_some_and(|now| now.status() != Status::Revoked)
        };
        for row in revoked.filter(unsaid) {
            let serial = row.serial();
            let what = format!("{name} has {serial} as revoked, and index.txt has not");
            let finding = found(Check::RevocationLost, "index.txt", what);
            findings.push(Finding { name: Some(serial.as_str().to_owned()), ..finding });
        }
    }
    for serial in &case.salvage.twice {
        let what = format!("{serial} has several rows{clash}");
        let finding = found(Check::RowTwice, "index.txt", what);
        findings.push(Finding { name: Some(serial.as_str().to_owned()), ..finding });
    }
}

/// Whether a certificate and its row fit together.
fn certificate(case: &Case<'_>, known: &Known<'_>, findings: &mut Vec<Finding>) {
    let serial = &known.entry.serial;
    let renewed = format!("{}/", Folder::Renewed.relative());
    if known.entry.status == State::Revoked && !known.entry.remarks.contains(&Remark::NotRevoked) {
        for file in known.entry.files.iter().filter(|file| file.starts_with(&renewed)) {
            let name = file.strip_prefix(&renewed).and_then(|file| file.strip_suffix(".crt"));
            let finding = found(Check::RevokedStillRenewed, file, format!("{serial} is revoked"));
            findings.push(Finding { name: name.map(str::to_owned), ..finding });
        }
    }
    let mut find = |check, what: String| findings.push(known.finding(check, what));
    for remark in &known.entry.remarks {
        match remark {
            // What has expired may be tidied away.
            Remark::NoFile if known.entry.status != State::Expired => {
                find(Check::RowWithoutCertificate, format!("{serial} {}", known.entry.subject));
            }
            Remark::NoRow if known.is_ours() => {
                find(Check::CertificateWithoutRow, format!("index.txt has no row for {serial}"));
            }
            Remark::NotRevoked if known.is_ours() && !known.entry.remarks.contains(&Remark::NoRow) => {
                find(Check::RevokedUnmarked, format!("the row of {serial} does not say so"));
            }
            Remark::StillIssued => {
                let finding = known.finding(Check::RevokedStillIssued, format!("{serial} is revoked"));
                findings.push(Finding { name: Some(serial.clone()), ..finding });
                return;
            }
            _ => {}
        }
    }
    if known.entry.remarks.contains(&Remark::NoRow) {
        return;
    }
    let row = crate::layout::SerialHex::parse(serial).and_then(|serial| case.index().find(&serial));
    let Some(row) = row else { return };
    if let (Some(certificate), true) = (known.certificate, known.is_ours()) {
        let (end, subject) = (certificate.not_after(), certificate.subject().one_line());
        if row.expiry() != end {
            find(Check::RowDiffers, format!("its row ends on {}, it on {end}", row.expiry()));
        } else if row.subject() != subject {
            find(Check::RowDiffers, format!("its row has the subject {}, it has {subject}", row.subject()));
        }
    }
    if row.status() == Status::Valid && row.expiry() < case.evidence.now {
        find(Check::ExpiredUnmarked, format!("{serial} ended on {}", row.expiry()));
    }
}

fn attributes(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let mut find = |check, what: String| findings.push(found(check, "index.txt.attr", what));
    let Some(file) = case.evidence.books.attributes.as_deref() else {
        find(Check::AttributesMissing, "there is no index.txt.attr".to_owned());
        return;
    };
    let text = String::from_utf8_lossy(file);
    if has_conflict(file) {
        find(Check::IndexConflict, "a merge was not finished".to_owned());
        return;
    }
    if !UniqueSubject::is_said(&text) {
        find(Check::AttributesDamaged, "there is no line `unique_subject = yes` or `no`".to_owned());
    }
    if UniqueSubject::parse(&text) == UniqueSubject::Yes {
        for subject in subjects_twice(case.index()) {
            find(Check::SubjectTwice, format!("{subject} has several valid rows"));
        }
    }
}

fn number(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let mut find = |check, what: String| findings.push(found(check, "serial", what));
    let Some(file) = case.evidence.books.serial.as_deref() else {
        find(Check::SerialFile, "there is no file serial".to_owned());
        return;
    };
    if has_conflict(file) {
        find(Check::IndexConflict, "a merge was not finished".to_owned());
        return;
    }
    let next = match serial::parse_file(file) {
        Ok(next) => next,
        Err(error) => {
            find(Check::SerialFile, error.to_string());
            return;
        }
    };
    let given = || case.index().rows().filter_map(|row| SerialNumber::parse(row.serial_text()).ok());
    let counted = counts(case, case.index());
    if case.index().find(&next.to_hex()).is_some() {
        find(Check::SerialTaken, format!("the next number is {next}, which is given already"));
    } else if let Some(highest) = given().max().filter(|highest| counted && *highest > next) {
        find(Check::SerialTaken, format!("the next number is {next}, and {highest} is given already"));
    }
}

/// Whether numbers are counted here, and have been from the start.
pub(super) fn counts(case: &Case<'_>, index: &Index) -> bool {
    case.evidence.numbering == SerialMode::Sequential
        && index.rows().all(|row| row.serial_text().len() <= 2 * COUNTED_BYTES)
}
