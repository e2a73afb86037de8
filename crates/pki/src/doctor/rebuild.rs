// SPDX-License-Identifier: MIT OR Apache-2.0
//! `index.txt` made of everything that bears witness: the rows that can be read,
//! the certificates that this CA has signed, its CRL, the folder of what was
//! revoked, and what a damaged line still says.

use std::collections::{BTreeMap, HashMap};

use super::case::{Case, Standing};
use crate::{
    index::{Index, MergeError, Revocation, Salvage, Witness},
    inventory::Folder,
    layout::SerialHex,
};

/// The database, and what has happened to it.
pub(super) struct Rebuilt {
    pub(super) index: Index,
    pub(super) steps: Vec<String>,
}

/// The subject of a certificate of which only the CRL knows.
const UNKNOWN: &str = "/CN=unknown";

/// Makes the database.
pub(super) fn index(case: &Case<'_>) -> Result<Rebuilt, MergeError> {
    let salvage = &case.salvage;
    let merged = salvage.merged.as_ref().map_err(Clone::clone)?;
    let mut steps = Vec::new();
    if salvage.conflict {
        steps.push("join the rows of both sides of the merge".to_owned());
    }
    steps.extend(salvage.twice.iter().map(|serial| format!("make one row of those of {serial}")));
    let mut witnesses = Witnesses { all: BTreeMap::new(), case };
    witnesses.certificates();
    let lost = witnesses.damaged();
    if case.evidence.books.index.is_none() || !salvage.is_sound() {
        witnesses.previous(merged);
    }
    witnesses.crl(merged);
    let all: Vec<Witness> = witnesses.in_order();
    let (index, changed) = merged.rebuilt(&all);
    steps.extend(changed.iter().map(ToString::to_string));
    // A comment would stop easy-rsa's show-expire.
    steps.extend(
        lost.into_iter().map(|(line, text)| format!("leave out line {line}, which nothing explains: {text}")),
    );
    Ok(Rebuilt { index, steps })
}

struct Witnesses<'c, 'a> {
    all: BTreeMap<SerialHex, Witness>,
    case: &'c Case<'a>,
}

impl Witnesses<'_, '_> {
    /// Certificates that this CA has signed. Of two with one number nobody can say
    /// whose the row is.
    fn certificates(&mut self) {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for known in self.case.known.iter().filter(|known| known.certificate.is_some() && known.is_ours()) {
            *seen.entry(&known.entry.serial).or_default() += 1;
        }
        for known in self.case.known.iter().filter(|known| known.standing == Standing::Ours) {
            let Some(certificate) = known.certificate else { continue };
            if seen.get(known.entry.serial.as_str()) != Some(&1) {
                continue;
            }
            let revoked = Folder::Revoked.relative();
            let lies_there = known.entry.files.iter().any(|file| file.starts_with(revoked));
            let now = Revocation { at: self.case.evidence.now, reason: None };
            let listed = self.case.own_crl().and_then(|crl| crl.find(certificate.serial_number()));
            let listed = listed.map(|entry| Revocation { at: entry.revoked_at, reason: entry.reason });
            let serial = certificate.serial_number().to_hex();
            let witness = Witness {
                serial: serial.clone(),
                certificate: (certificate.not_after(), certificate.subject().one_line()),
                certain: true,
                revocation: listed.or_else(|| lies_there.then_some(now)),
            };
            self.all.insert(serial, witness);
        }
    }

    /// Damaged lines that name a certificate at hand say whether it was revoked; the
    /// others are given back.
    fn damaged(&mut self) -> Vec<(usize, String)> {
        let mut lost = Vec::new();
        let now = Revocation { at: self.case.evidence.now, reason: None };
        for damaged in &self.case.salvage.damaged {
            if damaged.text.trim().is_empty() {
                continue;
            }
            let fields = || damaged.text.split(|character: char| character.is_whitespace());
            let serial = fields().filter_map(SerialHex::parse).find(|serial| self.all.contains_key(serial));
            match serial.and_then(|serial| self.all.get_mut(&serial)) {
                None => lost.push((damaged.line, damaged.text.clone())),
                Some(witness) if damaged.text.starts_with('R') => {
                    // The first date is that of the end.
                    let said = fields().skip(2).find_map(Revocation::parse);
                    witness.revocation = witness.revocation.or(said).or(Some(now));
                }
                Some(_) => {}
            }
        }
        lost
    }

    /// Rows of the generation before, for what has gone.
    fn previous(&mut self, merged: &Index) {
        let old = self.case.evidence.books.index_old.as_deref().unwrap_or_default();
        let Ok(old) = Salvage::of(old).merged else { return };
        for row in old.rows() {
            let serial = row.serial();
            if merged.find(&serial).is_some() {
                continue;
            }
            let witness = self.all.entry(serial.clone()).or_insert_with(|| Witness {
                serial,
                certificate: (row.expiry(), row.subject().to_owned()),
                certain: false,
                revocation: None,
            });
            witness.revocation = witness.revocation.or(row.revocation());
        }
    }

    /// What the CRL lists and nobody has a certificate of.
    fn crl(&mut self, merged: &Index) {
        let (Some(crl), Some(issuer)) = (self.case.own_crl(), self.case.issuer()) else { return };
        for entry in crl.entries() {
            let Some(number) = &entry.serial_number else { continue };
            let serial = number.to_hex();
            let revocation = Revocation { at: entry.revoked_at, reason: entry.reason };
            let row = merged.find(&serial);
            let known = row.map(|row| (row.expiry(), row.subject().to_owned()));
            let witness = self.all.entry(serial.clone()).or_insert_with(|| Witness {
                serial,
                // It cannot have been valid for longer than that.
                certificate: known.unwrap_or_else(|| (issuer.not_after(), UNKNOWN.to_owned())),
                certain: false,
                revocation: None,
            });
            witness.revocation = witness.revocation.or(Some(revocation));
        }
    }

    /// As they were issued, as far as that is known: rows are in that order.
    fn in_order(self) -> Vec<Witness> {
        let mut begun: HashMap<&str, u64> = HashMap::new();
        for known in &self.case.known {
            if let Some(certificate) = known.certificate {
                begun.insert(&known.entry.serial, certificate.not_before().unix());
            }
        }
        let mut all: Vec<Witness> = self.all.into_values().collect();
        all.sort_by_key(|witness| begun.get(witness.serial.as_str()).copied().unwrap_or(0));
        all
    }
}
