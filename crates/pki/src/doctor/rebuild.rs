// SPDX-License-Identifier: MIT OR Apache-2.0
//! `index.txt` made of everything that bears witness: the rows that can be read,
//! the certificates that this CA has signed, its CRL, the folder of what was
//! revoked, the generations before, and what a damaged line still says.
//!
//! Whatever one of them calls revoked is revoked. Where that cannot be told,
//! nothing is written.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    case::{Case, Known, Standing},
    damage::{self, Said},
    told::{Told, field_of, number_of},
};
use crate::{
    index::{Damaged, Index, Reason, Revocation, Row, Status, Witness},
    inventory::{Folder, Remark},
    layout::SerialHex,
};

/// The database, and what has happened to it.
pub(super) struct Rebuilt {
    pub(super) index: Index,
    pub(super) steps: Vec<String>,
}

/// The subject of a certificate of which only the CRL knows.
const UNKNOWN: &str = "/CN=unknown";

/// How many doubts are told, and how much of a damaged line, in characters.
const TOLD: (usize, usize) = (3, 120);

/// Makes the database.
///
/// # Errors
///
/// Why it stays as it is, in a line.
pub(super) fn index(case: &Case<'_>) -> Result<Rebuilt, String> {
    let salvage = &case.salvage;
    let merged = salvage.merged.as_ref().map_err(ToString::to_string)?;
    let mut steps = Vec::new();
    if salvage.conflict {
        steps.push("join the rows of both sides of the merge".to_owned());
    }
    steps.extend(salvage.twice.iter().map(|serial| format!("make one row of those of {serial}")));
    let mut witnesses = Witnesses { all: BTreeMap::new(), doubts: Vec::new(), merged, case };
    witnesses.certificates();
    let apart = witnesses.damaged("index.txt", &salvage.damaged, true);
    for (name, earlier) in &case.earlier {
        witnesses.earlier(name, &earlier.rows);
        // Its lines say what was revoked; what has a row is in the rows.
        drop(witnesses.damaged(name, &earlier.damaged, false));
    }
    witnesses.crls();
    witnesses.folders();
    let all = witnesses.agreed()?;
    let (index, changed) = merged.rebuilt(&all);
    steps.extend(changed.iter().map(ToString::to_string));
    // A comment would stop easy-rsa's show-expire.
    steps.extend(apart.into_iter().map(|(line, explained, text)| match explained {
        true => format!("make what is left of line {line} a row: {text}"),
        false => format!("leave out line {line}, which nothing explains: {text}"),
    }));
    Ok(Rebuilt { index, steps })
}

/// Something that only a person can tell.
struct Doubt {
    /// The certificate, if it can be said which: no doubt once that is revoked anyway.
    serial: Option<SerialHex>,
    what: String,
}

struct Witnesses<'c, 'a> {
    all: BTreeMap<SerialHex, Told>,
    doubts: Vec<Doubt>,
    merged: &'c Index,
    case: &'c Case<'a>,
}

impl Witnesses<'_, '_> {
    fn told(&mut self, serial: &SerialHex) -> &mut Told {
        self.all.entry(serial.clone()).or_default()
    }

    fn doubt(&mut self, serial: Option<&SerialHex>, what: String) {
        self.doubts.push(Doubt { serial: serial.cloned(), what });
    }

    /// Certificates that this CA has signed. Of two with one number nobody can say
    /// whose the row is; the number is revoked if one of them is.
    fn certificates(&mut self) {
        let case = self.case;
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let ours = |known: &&Known<'_>| known.standing == Standing::Ours;
        for known in case.known.iter().filter(ours) {
            *seen.entry(&known.entry.serial).or_default() += 1;
        }
        for known in &case.known {
            let Some(certificate) = known.certificate else { continue };
            let serial = certificate.serial_number().to_hex();
            let folder = Folder::Revoked.relative();
            let lies_there = known.entry.files.iter().any(|file| file.starts_with(folder));
            match known.standing {
                Standing::Ours => {
                    let told = self.told(&serial);
                    told.revoked |= lies_there;
                    if seen.get(known.entry.serial.as_str()) == Some(&1) {
                        let subject = certificate.subject().one_line();
                        told.certificate = Some((certificate.not_after(), subject, true));
                    }
                }
                Standing::Unchecked if !case.can_check() => {
                    let remarks = &known.entry.remarks;
                    let row = self.merged.find(&serial);
                    let lacks = row.is_none() || remarks.contains(&Remark::NoRow);
                    let unsaid = lies_there && row.is_none_or(|row| row.status() != Status::Revoked);
                    if lacks || unsaid {
                        let what = format!("certkeep cannot check who has signed {serial}");
                        self.doubt(Some(&serial), what);
                    }
                }
                _ => {}
            }
        }
    }

    /// What lines that are no rows say. Each comes back, with whether it was explained.
    fn damaged(&mut self, file: &str, lines: &[Damaged], rows: bool) -> Vec<(usize, bool, String)> {
        let known: HashSet<SerialHex> = if lines.is_empty() { HashSet::new() } else { self.at_hand() };
        let mut apart = Vec::new();
        for Damaged { line, text, .. } in lines.iter().filter(|damaged| !damaged.text.trim().is_empty()) {
            let remains = damage::remains(text, &|serial| known.contains(serial));
            let shown: String = text.chars().take(TOLD.1).collect();
            if remains.doubtful && rows {
                let what = format!(
                    "line {line} of {file} may be the row of a revoked certificate, and of which cannot be read: {shown}"
                );
                self.doubt(None, what);
            }
            let alone = remains.traces.len() == 1;
            for trace in &remains.traces {
                let serial = &trace.serial;
                match trace.said {
                    Said::Valid => {}
                    Said::Revoked(field) => self.told(serial).revoke(field),
                    Said::Unclear if rows => {
                        let what = format!(
                            "line {line} of {file} does not say whether {serial} is revoked: {shown}"
                        );
                        self.doubt(Some(serial), what);
                    }
                    Said::Unclear => {}
                }
                if rows && self.merged.find(serial).is_none() {
                    let end = trace.end.or_else(|| self.case.issuer().map(|issuer| issuer.not_after()));
                    let subject = text.find("\t/").filter(|_| alone).and_then(|at| text.get(at + 1..));
                    let subject = subject.map_or(UNKNOWN, str::trim_end).to_owned();
                    let told = self.told(serial);
                    told.certificate = told.certificate.take().or(end.map(|end| (end, subject, false)));
                }
            }
            apart.push((*line, !remains.traces.is_empty(), text.clone()));
        }
        apart
    }

    /// Every number of which something else than a damaged line knows.
    fn at_hand(&self) -> HashSet<SerialHex> {
        let mut known: HashSet<SerialHex> = self.all.keys().cloned().collect();
        let earlier = self.case.earlier.iter().map(|(_, earlier)| &earlier.rows);
        known.extend(earlier.chain([self.merged]).flat_map(Index::rows).map(Row::serial));
        known.extend(
            self.case.own_crls().flat_map(|crl| crl.entries().filter_map(number_of).collect::<Vec<_>>()),
        );
        known
    }

    /// Rows of a generation before. Nothing removes rows; so of a database that shares
    /// none with this one, as of a CA that was here before, only what is at hand counts.
    fn earlier(&mut self, name: &str, rows: &Index) {
        let shares =
            self.merged.rows().len() == 0 || rows.rows().any(|row| self.merged.find(&row.serial()).is_some());
        for row in rows.rows() {
            let serial = row.serial();
            let now = self.merged.find(&serial).map(|row| (row.expiry(), row.subject().to_owned()));
            let own = self.all.get(&serial).and_then(|told| told.certificate.as_ref());
            let now = own.map(|(end, subject, _)| (*end, subject.clone())).or(now);
            if now.is_none() && !shares {
                continue;
            }
            let other =
                now.as_ref().is_some_and(|(end, subject)| *end != row.expiry() && subject != row.subject());
            if row.status() == Status::Revoked && other {
                let what =
                    format!("{name} has another certificate under the number {serial}, and that is revoked");
                self.doubt(Some(&serial), what);
                continue;
            }
            let told = self.told(&serial);
            if row.status() == Status::Revoked {
                told.revoke(Some(row.revocation_text()));
            }
            if now.is_none() {
                told.certificate = Some((row.expiry(), row.subject().to_owned(), false));
            }
        }
    }

    /// What the CRL lists.
    fn crls(&mut self) {
        let case = self.case;
        for entry in case.own_crls().flat_map(|crl| crl.entries().collect::<Vec<_>>()) {
            // A delta CRL takes back with it.
            if entry.reason != Some(Reason::RemoveFromCrl) {
                let field = field_of(&entry);
                let Some(serial) = number_of(entry) else { continue };
                self.told(&serial).revoke(Some(&field));
            }
        }
    }

    /// Files among the revoked ones that hold no certificate, or a key or a request:
    /// their name is its number.
    fn folders(&mut self) {
        let evidence = self.case.evidence;
        let revoked = |file: &&super::CertificateFile| file.folder == Folder::Revoked && file.read.is_err();
        let certificates = evidence.certificates.iter().filter(revoked);
        let certificates = certificates.filter_map(|file| file.file.rsplit_once('.')).map(|(name, _)| name);
        let secrets = evidence.keys.iter().chain(&evidence.requests);
        let secrets = secrets.filter(|file| file.by_serial && file.path.starts_with("revoked/"));
        for name in certificates.chain(secrets.map(|file| file.name.as_str())) {
            let Some(serial) = SerialHex::parse(name).map(SerialHex::canonical) else { continue };
            if self.all.contains_key(&serial) || self.merged.find(&serial).is_some() {
                self.told(&serial).revoked = true;
            }
        }
    }

    /// The witnesses, in the order in which the certificates were issued, as far as that
    /// is known: rows are in that order.
    fn agreed(self) -> Result<Vec<Witness>, String> {
        let Self { all, doubts, merged, case } = self;
        let revoked = |serial: &SerialHex| {
            all.get(serial).is_some_and(|told| told.revoked)
                || merged.find(serial).is_some_and(|row| row.status() == Status::Revoked)
        };
        let open: Vec<&str> = doubts
            .iter()
            .filter(|doubt| !doubt.serial.as_ref().is_some_and(revoked))
            .map(|doubt| doubt.what.as_str())
            .collect();
        if !open.is_empty() {
            let more = open.len().saturating_sub(TOLD.0);
            let told = open.into_iter().take(TOLD.0).collect::<Vec<_>>().join("; ");
            return Err(if more > 0 { format!("{told}; and {more} more") } else { told });
        }
        let mut begun: HashMap<&str, u64> = HashMap::new();
        for known in &case.known {
            if let Some(certificate) = known.certificate {
                begun.insert(&known.entry.serial, certificate.not_before().unix());
            }
        }
        // It cannot have been valid for longer than the CA.
        let end = case.issuer().map_or(case.evidence.now, |issuer| issuer.not_after());
        let now = Revocation { at: case.evidence.now, reason: None };
        let witnesses = all.into_iter().filter_map(|(serial, told)| {
            let row = merged.find(&serial).map(|row| (row.expiry(), row.subject().to_owned(), false));
            let revocation = told.revoked.then(|| told.revocation.unwrap_or_else(|| now.to_string()));
            let unknown = revocation.is_some().then(|| (end, UNKNOWN.to_owned(), false));
            let (expiry, subject, certain) = told.certificate.or(row).or(unknown)?;
            Some(Witness { serial, certificate: (expiry, subject), certain, revocation })
        });
        let mut witnesses: Vec<Witness> = witnesses.collect();
        witnesses.sort_by_key(|witness| begun.get(witness.serial.as_str()).copied().unwrap_or(0));
        Ok(witnesses)
    }
}
