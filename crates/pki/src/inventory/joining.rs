// SPDX-License-Identifier: MIT OR Apache-2.0
//! Puts rows, certificates and files together.
//!
//! A certificate is known by its fingerprint, however many files it is in. A row
//! belongs to a certificate of its serial number that this CA has issued; or,
//! where the issuer says nothing, to one with its common name and its end too: the
//! serial number of a CA higher up may well be that of a row.

use std::collections::{HashMap, HashSet};

use super::{
    Entry, Facts, Folder, Found, Inventory, Kept, Remark, Role, Status,
    distinct::{Item, distinct, number_of, path, stem_of},
};
use crate::{
    index::{self, Index, Row},
    moment::Moment,
};

/// Joins what was found. `kept` tells of a path relative to the PKI directory how
/// the key or the request there lies; it is asked once for each entry and kind.
///
/// Without an index (a PKI of self-signed certificates has none) no row is missed.
#[must_use]
pub fn join(index: Option<&Index>, found: Vec<Found>, now: Moment, kept: &dyn Fn(&str) -> Kept) -> Inventory {
    let mut items = distinct(found);
    let rows: Vec<Row<'_>> = index.map(|index| index.rows().collect()).unwrap_or_default();
    let authority = items.iter().find(|item| item.position == Some(0));
    let authority = authority.and_then(|item| item.facts.as_ref()).map(|facts| facts.subject_der.clone());
    let ours = |facts: &Facts| authority.as_ref().is_none_or(|subject| *subject == facts.issuer_der);
    let alone = pair(&mut items, &rows, &ours);
    let places = items.iter().flat_map(|item| &item.places);
    let issued: HashSet<String> = places
        .filter(|(folder, _)| *folder == Folder::Issued)
        .map(|(_, file)| stem_of(file).to_owned())
        .collect();
    let mut entries: Vec<Entry> = items
        .into_iter()
        .map(|item| {
            let foreign = item.facts.as_ref().is_some_and(|facts| !ours(facts));
            let missed = index.is_some() && item.row.is_none();
            let row = item.row.map(|row| rows[row]);
            let mut entry = of_item(item, row, now);
            if entry.role == Role::Issued && entry.facts.is_some() {
                entry.remarks.extend(missed.then_some(Remark::NoRow));
                entry.remarks.extend(foreign.then_some(Remark::OtherIssuer));
            }
            entry
        })
        .collect();
    entries.extend(alone.into_iter().map(|row| of_row(rows[row], now)));
    for entry in &mut entries {
        find_secrets(entry, &issued, kept);
    }
    mark_same_serials(&mut entries);
    entries.sort_by_key(|entry| entry.role);
    Inventory { entries, now }
}

/// Why a row belongs to a certificate of its serial number, the best reason first.
#[derive(Clone, Copy)]
enum Claim {
    /// This CA has issued it, and the row names its end and its common name.
    IssuedAndAlike,
    /// This CA has issued it.
    Issued,
    /// The row names its end and its common name.
    Alike,
}

impl Claim {
    fn holds(self, issued: bool, facts: &Facts, row: Row<'_>) -> bool {
        match self {
            Self::IssuedAndAlike => issued && is_alike(facts, row),
            Self::Issued => issued,
            Self::Alike => is_alike(facts, row),
        }
    }
}

/// Gives rows to items; returns the rows that are left.
fn pair(items: &mut [Item], rows: &[Row<'_>], ours: &dyn Fn(&Facts) -> bool) -> Vec<usize> {
    let mut by_serial: HashMap<String, Vec<usize>> = HashMap::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        by_serial.entry(row.serial().as_str().to_owned()).or_default().push(number);
    }
    for claim in [Claim::IssuedAndAlike, Claim::Issued, Claim::Alike] {
        for item in items.iter_mut().filter(|item| item.row.is_none()) {
            let Some(facts) = &item.facts else { continue };
            let Some(candidates) = by_serial.get_mut(&facts.serial) else { continue };
            let issued = item.position.is_none() && ours(facts);
            if let Some(at) = candidates.iter().position(|&row| claim.holds(issued, facts, rows[row])) {
                item.row = Some(candidates.remove(at));
            }
        }
    }
    // A broken file is named after its number in these folders.
    for item in items.iter_mut().filter(|item| item.facts.is_none()) {
        let Some((folder, file)) = item.places.first() else { continue };
        if let Some(serial) = number_of(*folder, file)
            && let Some(candidates) = by_serial.get_mut(&serial)
            && !candidates.is_empty()
        {
            item.row = Some(candidates.remove(0));
        }
    }
    let mut alone: Vec<usize> = by_serial.into_values().flatten().collect();
    alone.sort_unstable();
    alone
}

/// Whether a row names the end and the common name of a certificate.
fn is_alike(facts: &Facts, row: Row<'_>) -> bool {
    row.expiry() == facts.not_after && row.common_name().filter(|name| !name.is_empty()) == facts.common_name
}

fn of_item(item: Item, row: Option<Row<'_>>, now: Moment) -> Entry {
    let Item { facts, places, position, unreadable: mut remarks, .. } = item;
    let (folder, file) = places.first().cloned().unwrap_or((Folder::Archive, String::new()));
    let role = match position {
        Some(0) => Role::Authority,
        Some(_) => Role::Chain,
        None => Role::Issued,
    };
    let files = places.iter().map(|(folder, file)| path(*folder, file)).collect();
    let Some(facts) = facts else {
        // What a row knows is shown, and the file beside it.
        let mut entry = row.map_or_else(|| nameless(stem_of(&file)), |row| of_row(row, now));
        if row.is_none() {
            entry.serial = number_of(folder, &file).unwrap_or_default();
        }
        return Entry { remarks, files, folder: Some(folder), ..entry };
    };
    let revoked = row.is_some_and(|row| row.status() == index::Status::Revoked);
    let in_revoked = places.iter().any(|(folder, _)| *folder == Folder::Revoked);
    if role == Role::Issued {
        if let Some(row) = row.filter(|row| row.expiry() != facts.not_after) {
            remarks.push(Remark::EndsDiffer { index: row.expiry() });
        }
        if in_revoked && !revoked {
            remarks.push(Remark::NotRevoked);
        }
        if revoked && folder == Folder::Issued {
            remarks.push(Remark::StillIssued);
        }
    }
    let over = now > facts.not_after || row.is_some_and(|row| row.status() == index::Status::Expired);
    let status = match folder {
        _ if revoked || in_revoked => Status::Revoked,
        _ if over => Status::Expired,
        Folder::Renewed | Folder::RenewedBySerial => Status::Renewed,
        Folder::PutAside => Status::PutAside,
        _ if now < facts.not_before => Status::NotYetValid,
        _ => Status::Valid,
    };
    let by_name = folder.files_by_name().then(|| stem_of(&file).to_owned());
    let name = match role {
        Role::Authority => "ca".to_owned(),
        _ => by_name.or_else(|| facts.common_name.clone()).unwrap_or_else(|| facts.serial.clone()),
    };
    Entry {
        name,
        role,
        status,
        revocation: row.filter(|_| revoked).and_then(Row::revocation),
        serial: facts.serial.clone(),
        subject: facts.subject.clone(),
        common_name: facts.common_name.clone(),
        not_after: Some(facts.not_after),
        files,
        facts: Some(facts),
        folder: Some(folder),
        key: Kept::Absent,
        request: Kept::Absent,
        remarks,
    }
}

fn of_row(row: Row<'_>, now: Moment) -> Entry {
    let status = match row.status() {
        index::Status::Revoked => Status::Revoked,
        index::Status::Expired => Status::Expired,
        index::Status::Valid if now > row.expiry() => Status::Expired,
        index::Status::Valid => Status::Valid,
    };
    let common_name = row.common_name().filter(|name| !name.is_empty());
    let serial = row.serial().as_str().to_owned();
    Entry {
        name: common_name.clone().unwrap_or_else(|| serial.clone()),
        status,
        revocation: row.revocation().filter(|_| status == Status::Revoked),
        subject: row.subject().to_owned(),
        common_name,
        not_after: Some(row.expiry()),
        serial,
        remarks: vec![Remark::NoFile],
        ..nameless("")
    }
}

/// The entry of a file that tells nothing but its name.
fn nameless(name: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        role: Role::Issued,
        status: Status::Unreadable,
        revocation: None,
        serial: String::new(),
        subject: String::new(),
        common_name: None,
        not_after: None,
        facts: None,
        files: Vec::new(),
        folder: None,
        key: Kept::Absent,
        request: Kept::Absent,
        remarks: Vec::new(),
    }
}

/// Looks for the key and the request of an entry. Of a name, they are those of the
/// certificate that is filed under it, unless nobody else is.
fn find_secrets(entry: &mut Entry, issued: &HashSet<String>, kept: &dyn Fn(&str) -> Kept) {
    let (keys, requests, stem) = match (entry.role, entry.folder) {
        (Role::Authority, _) => ("private", "reqs", "ca"),
        (Role::Chain, _) => return,
        (Role::Issued, Some(Folder::Revoked)) => {
            ("revoked/private_by_serial", "revoked/reqs_by_serial", entry.serial.as_str())
        }
        (Role::Issued, Some(Folder::RenewedBySerial)) => {
            ("renewed/private_by_serial", "renewed/reqs_by_serial", entry.serial.as_str())
        }
        (Role::Issued, Some(folder)) if folder.files_by_name() => ("private", "reqs", entry.name.as_str()),
        (Role::Issued, _) if issued.contains(&entry.name) => return,
        (Role::Issued, _) => ("private", "reqs", entry.name.as_str()),
    };
    entry.key = kept(&format!("{keys}/{stem}.key"));
    entry.request = kept(&format!("{requests}/{stem}.req"));
}

fn mark_same_serials(entries: &mut [Entry]) {
    let mut counts: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
    let own = |entry: &&Entry| entry.role == Role::Issued && !entry.serial.is_empty();
    for entry in entries.iter().filter(own) {
        *counts.entry(&entry.serial).or_default() += 1;
    }
    let several: Vec<usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| own(entry) && counts.get(entry.serial.as_str()).is_some_and(|&count| count > 1))
        .map(|(number, _)| number)
        .collect();
    for number in several {
        entries[number].remarks.push(Remark::SameSerial);
    }
}
