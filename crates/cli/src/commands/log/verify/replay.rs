// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each commit of a store did: rows, certificates, revocations, CRLs and events
//! that none of its parents has, and what one of its parents has and it has not.
//!
//! A parent without a store is none: what a commit takes over from there comes in with
//! that commit.
//!
//! long: one walk, whose steps share what was gathered so far.

use std::collections::{BTreeMap, HashMap, HashSet};

use certkeep_pki::{
    index::Revocation,
    layout::{PkiPath, SerialHex},
    ledger::{self, Deed, Fingerprint},
    merge::check::{self, Flaw},
    x509::{certificate::Certificate, crl::Crl},
};
use certkeep_store::{
    chronicle::{self, Change, Chronicle, Commit},
    event::Event,
};

use super::finding::{Finding, Kind};
use crate::report::Failure;

/// How many commits are compared at once.
const WINDOW: usize = 2000;

/// The folders of a PKI that are compared.
const PATHS: [&str; 8] = [
    "index.txt",
    "ca.crt",
    "crl.pem",
    "crl.der",
    "certs_by_serial",
    "issued",
    "renewed",
    "revoked/certs_by_serial",
];

/// A replay, and what it has gathered.
pub(super) struct Replay<'a> {
    pub(super) chronicle: &'a Chronicle,
    /// The PKI folder with a slash behind it; `None` for a store without a PKI.
    pub(super) folder: Option<String>,
    pub(super) findings: Vec<Finding>,
    /// What came in, with the commit: its place among the commits, parents first.
    pub(super) effects: Vec<(usize, Deed)>,
    /// Every event.
    pub(super) events: Vec<(usize, String, Event)>,
    /// The commits in which a store begins, or the history is cut off.
    pub(super) beginnings: Vec<usize>,
    /// Commits that have a store.
    pub(super) stores: HashSet<usize>,
    authorities: Vec<Certificate>,
    checked: HashSet<Fingerprint>,
}

/// What one commit makes of one file, compared with each parent; `None` where that has
/// the same.
struct Compared<'c> {
    path: &'c str,
    changes: Vec<Option<&'c Change>>,
}

impl Compared<'_> {
    fn after(&self) -> Option<&str> {
        self.changes.iter().flatten().find_map(|change| change.after.as_deref())
    }

    /// The blob, if no parent has the same there.
    fn appeared(&self) -> Option<&str> {
        self.after().filter(|_| self.changes.iter().all(Option::is_some))
    }

    /// What parents have there and this has not.
    fn lost(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().flatten().filter_map(|change| change.before.as_deref())
    }
}

impl<'a> Replay<'a> {
    pub(super) fn new(chronicle: &'a Chronicle, pki: Option<&str>) -> Self {
        let folder = pki.map(|pki| if pki.is_empty() { String::new() } else { format!("{pki}/") });
        Self {
            chronicle,
            folder,
            findings: Vec::new(),
            effects: Vec::new(),
            events: Vec::new(),
            beginnings: Vec::new(),
            stores: HashSet::new(),
            authorities: Vec::new(),
            checked: HashSet::new(),
        }
    }

    /// Replays commits that are given children first.
    pub(super) fn run(
        &mut self,
        commits: &[Commit],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), Failure> {
        let ordered: Vec<&Commit> = commits.iter().rev().collect();
        let numbers: HashMap<&str, usize> =
            ordered.iter().enumerate().map(|(number, commit)| (commit.id.as_str(), number)).collect();
        let mark = chronicle::mark();
        for (number, commit) in ordered.iter().enumerate() {
            if self.chronicle.blob_at(&commit.tree, &mark)?.is_some() {
                self.stores.insert(number);
            }
        }
        let paths = self.paths();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        for begin in (0..ordered.len()).step_by(WINDOW) {
            progress(begin, ordered.len());
            let window = ordered.get(begin..ordered.len().min(begin + WINDOW)).unwrap_or_default();
            let (mut pairs, mut counts) = (Vec::new(), Vec::new());
            for (place, commit) in window.iter().enumerate() {
                let number = begin + place;
                let parents: Vec<usize> = commit
                    .parents
                    .iter()
                    .filter_map(|parent| numbers.get(parent.as_str()).copied())
                    .collect();
                if !self.stores.contains(&number) {
                    if parents.iter().any(|parent| self.stores.contains(parent)) {
                        self.find(Kind::Vanished, commit, "the store itself is gone");
                    }
                    counts.push(0);
                    continue;
                }
                let parents: Vec<usize> =
                    parents.into_iter().filter(|parent| self.stores.contains(parent)).collect();
                if parents.is_empty() {
                    self.beginnings.push(number);
                    pairs.push((None, commit.tree.as_str()));
                }
                counts.push(parents.len().max(1));
                let trees = parents.iter().filter_map(|&parent| ordered.get(parent));
                pairs.extend(trees.map(|parent| (Some(parent.tree.as_str()), commit.tree.as_str())));
            }
            let changes = self.chronicle.changes(&pairs, &paths)?;
            let mut changes = changes.as_slice();
            for (place, (commit, count)) in window.iter().zip(counts).enumerate() {
                let (own, rest) = changes.split_at_checked(count).unwrap_or((changes, &[]));
                changes = rest;
                self.commit(begin + place, commit, own)?;
            }
        }
        Ok(())
    }

    fn paths(&self) -> Vec<String> {
        let mut paths = vec![chronicle::events(), chronicle::mark()];
        if let Some(folder) = &self.folder {
            paths.extend(PATHS.iter().map(|path| format!("{folder}{path}")));
        }
        paths
    }

    fn find(&mut self, kind: Kind, commit: &Commit, what: impl Into<String>) {
        self.findings.push(Finding::of(kind, commit, what));
    }

    fn commit(&mut self, number: usize, commit: &Commit, changes: &[Vec<Change>]) -> Result<(), Failure> {
        let mut by_path: BTreeMap<&str, Compared<'_>> = BTreeMap::new();
        for (parent, changes) in changes.iter().enumerate() {
            for change in changes {
                let none = || Compared { path: &change.path, changes: Vec::new() };
                let compared = by_path.entry(change.path.as_str()).or_insert_with(none);
                compared.changes.resize(parent, None);
                compared.changes.push(Some(change));
            }
        }
        let parents = changes.len();
        let compared: Vec<Compared<'_>> = by_path
            .into_values()
            .map(|mut compared| {
                compared.changes.resize(parents, None);
                compared
            })
            .collect();
        let folder = self.folder.clone();
        let events = format!("{}/", chronicle::events());
        let told = |path: &str| {
            let relative = path.strip_prefix(folder.as_deref()?)?;
            match relative {
                "ca.crt" => Some(PkiPath::CaCertificate),
                "crl.pem" => Some(PkiPath::CrlPem),
                "crl.der" => Some(PkiPath::CrlDer),
                "index.txt" => Some(PkiPath::Index),
                _ => check::certificate_at(relative),
            }
        };
        // The CA first: it signs the others.
        let files: Vec<(PkiPath, &Compared<'_>)> =
            compared.iter().filter_map(|one| Some((told(one.path)?, one))).collect();
        for (path, one) in files.iter().filter(|(path, _)| *path == PkiPath::CaCertificate) {
            self.file(number, commit, path, one, &files)?;
        }
        for (path, one) in &files {
            match path {
                PkiPath::CaCertificate => {}
                PkiPath::Index => self.index(number, commit, one)?,
                path => self.file(number, commit, path, one, &files)?,
            }
        }
        for one in &compared {
            if one.path.starts_with(&events) {
                self.event(number, commit, one)?;
            } else if one.path == chronicle::mark() {
                self.store(commit, one)?;
            }
        }
        Ok(())
    }

    fn event(&mut self, number: usize, commit: &Commit, one: &Compared<'_>) -> Result<(), Failure> {
        if one.lost().next().is_some() {
            let what = if one.after().is_some() { "is another one now" } else { "is gone" };
            self.find(Kind::EventAltered, commit, format!("{} {what}", one.path));
        } else if let Some(blob) = one.appeared() {
            match Event::parse(one.path, &self.chronicle.bytes(blob)?) {
                Ok(event) => self.events.push((number, one.path.to_owned(), event)),
                Err(error) => self.find(Kind::EventAltered, commit, format!("{}: {error}", one.path)),
            }
        }
        Ok(())
    }

    /// The store must keep the same PKI: of another folder nothing is looked at.
    fn store(&mut self, commit: &Commit, one: &Compared<'_>) -> Result<(), Failure> {
        let Some(after) = one.after() else { return Ok(()) };
        let kept = |blob: &str| -> Result<Option<String>, Failure> {
            let text = String::from_utf8_lossy(&self.chronicle.bytes(blob)?).into_owned();
            let line =
                text.lines().find(|line| line.split('=').next().is_some_and(|name| name.trim() == "pki"));
            Ok(line.map(str::to_owned))
        };
        let now = kept(after)?;
        for before in one.lost() {
            if kept(before)?.is_some_and(|before| now.as_ref() != Some(&before)) {
                self.find(Kind::StoreReplaced, commit, "the store keeps another PKI folder from then on");
                break;
            }
        }
        Ok(())
    }

    fn index(&mut self, number: usize, commit: &Commit, one: &Compared<'_>) -> Result<(), Failure> {
        let after = one.after().map(|blob| self.chronicle.bytes(blob)).transpose()?.unwrap_or_default();
        let mut added: Option<Vec<SerialHex>> = None;
        let mut revoked: Option<Vec<(SerialHex, Revocation)>> = None;
        let mut redated: Option<Vec<SerialHex>> = None;
        let mut weakened: BTreeMap<String, Kind> = BTreeMap::new();
        for change in &one.changes {
            let rows = match change {
                None => ledger::RowChange::default(),
                Some(change) => {
                    let before =
                        change.before.as_deref().map(|blob| self.chronicle.bytes(blob)).transpose()?;
                    match ledger::row_change(&before.unwrap_or_default(), &after) {
                        Ok(rows) => rows,
                        Err(error) => {
                            self.find(Kind::Unreadable, commit, format!("index.txt: {error}"));
                            return Ok(());
                        }
                    }
                }
            };
            let kind = |flaw: &Flaw| match flaw {
                Flaw::Gone(_) => Kind::Vanished,
                Flaw::TakenBack(_) => Kind::RevocationUndone,
                _ => Kind::RowReplaced,
            };
            weakened.extend(rows.weakened.iter().map(|flaw| (flaw.to_string(), kind(flaw))));
            added = Some(common(added, rows.added));
            revoked = Some(common(revoked, rows.revoked));
            redated = Some(common(redated, rows.redated));
        }
        for (what, kind) in weakened {
            self.find(kind, commit, what);
        }
        for serial in redated.unwrap_or_default() {
            let what = format!("the revocation of {serial} has another date or reason");
            self.find(Kind::RevocationUndone, commit, what);
        }
        self.effects.extend(added.unwrap_or_default().into_iter().map(|serial| (number, Deed::Row(serial))));
        let revoked = revoked.unwrap_or_default().into_iter();
        self.effects.extend(revoked.map(|(serial, at)| (number, Deed::Revocation(serial, at))));
        Ok(())
    }

    fn file(
        &mut self,
        number: usize,
        commit: &Commit,
        path: &PkiPath,
        one: &Compared<'_>,
        all: &[(PkiPath, &Compared<'_>)],
    ) -> Result<(), Failure> {
        if let Some(blob) = one.appeared() {
            let bytes = self.chronicle.bytes(blob)?;
            let deeds = ledger::deeds_of_file(path, &bytes);
            if deeds.is_empty() {
                self.find(Kind::Unreadable, commit, format!("{path} holds neither certificate nor CRL"));
            }
            self.check_signatures(commit, path, &bytes);
            self.effects.extend(deeds.into_iter().map(|deed| (number, deed)));
        }
        match path {
            PkiPath::CrlPem | PkiPath::CrlDer => self.older_crl(commit, path, one)?,
            PkiPath::CaCertificate => {
                if one.after().is_none() {
                    self.find(Kind::Vanished, commit, "ca.crt is gone");
                }
            }
            _ => self.vanished(commit, path, one, all)?,
        }
        Ok(())
    }

    /// A certificate that is nowhere in the commit any more.
    fn vanished(
        &mut self,
        commit: &Commit,
        path: &PkiPath,
        one: &Compared<'_>,
        all: &[(PkiPath, &Compared<'_>)],
    ) -> Result<(), Failure> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        for blob in one.lost() {
            if all.iter().any(|(_, other)| other.after() == Some(blob)) {
                continue;
            }
            let Ok(certificate) = Certificate::read(&self.chronicle.bytes(blob)?) else { continue };
            let serial = certificate.serial_number().to_hex();
            let copies =
                [PkiPath::CertificateBySerial(serial.clone()), PkiPath::RevokedCertificate(serial.clone())];
            let mut kept = false;
            for copy in copies {
                let Some(copy) = self.chronicle.blob_at(&commit.tree, &format!("{folder}{copy}"))? else {
                    continue;
                };
                let copy = Certificate::read(&self.chronicle.bytes(&copy)?);
                kept |= copy.is_ok_and(|copy| copy.as_der() == certificate.as_der());
            }
            if !kept {
                let what =
                    format!("the certificate {serial}, {}, is gone with {path}", certificate.subject());
                self.find(Kind::Vanished, commit, what);
            }
        }
        Ok(())
    }

    fn older_crl(&mut self, commit: &Commit, path: &PkiPath, one: &Compared<'_>) -> Result<(), Failure> {
        let number = |blob: &str| -> Result<Option<String>, Failure> {
            let crl = Crl::read(&self.chronicle.bytes(blob)?).ok();
            let number = crl.and_then(|crl| crl.number()).map(|number| number.to_hex().to_string());
            Ok(number.map(|number| number.trim_start_matches('0').to_owned()))
        };
        let Some(after) = one.after() else {
            self.find(Kind::Vanished, commit, format!("{path} is gone"));
            return Ok(());
        };
        let now = number(after)?.unwrap_or_default();
        for before in one.lost() {
            let before = number(before)?.unwrap_or_default();
            if (before.len(), &before) > (now.len(), &now) {
                let what = format!("{path} has the number {now}, and had {before}");
                self.find(Kind::CrlWentBack, commit, what);
                break;
            }
        }
        Ok(())
    }

    fn check_signatures(&mut self, commit: &Commit, path: &PkiPath, bytes: &[u8]) {
        match path {
            PkiPath::CaCertificate => {
                for certificate in Certificate::read_all(bytes).unwrap_or_default() {
                    if !self.authorities.iter().any(|known| known.as_der() == certificate.as_der()) {
                        self.authorities.push(certificate);
                    }
                }
            }
            PkiPath::CrlPem | PkiPath::CrlDer => {
                let Ok(crl) = Crl::read(bytes) else { return };
                let signed = |issuer: &Certificate| crl.verify_signature(issuer.public_key()).is_ok();
                if !self.authorities.is_empty() && !self.authorities.iter().any(signed) {
                    self.find(Kind::NotSigned, commit, format!("{path} is not signed by this CA"));
                }
            }
            _ => {
                let Ok(certificate) = Certificate::read(bytes) else { return };
                if !self.checked.insert(certificate.fingerprint_sha256()) || certificate.is_self_issued() {
                    return;
                }
                let signed = |issuer: &Certificate| certificate.verify_signature(issuer.public_key()).is_ok();
                if !self.authorities.is_empty() && !self.authorities.iter().any(signed) {
                    let what = format!(
                        "{path}: the certificate {}, {}, is not signed by this CA",
                        certificate.serial_number().to_hex(),
                        certificate.subject()
                    );
                    self.find(Kind::NotSigned, commit, what);
                }
            }
        }
    }
}

/// What both have; all of the second if there is no first.
fn common<T: PartialEq>(so_far: Option<Vec<T>>, now: Vec<T>) -> Vec<T> {
    match so_far {
        None => now,
        Some(so_far) => so_far.into_iter().filter(|one| now.contains(one)).collect(),
    }
}
