// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each commit of a store did: rows, certificates, revocations, CRLs and events
//! that none of its parents has, and what one of its parents has and it has not.
//!
//! A parent without a store is none: what a commit takes over from there comes in with
//! that commit.
//!
//! long: one walk, whose steps share what was gathered so far.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    rc::Rc,
};

use certkeep_pki::{
    index::Revocation,
    layout::{PkiPath, SerialHex},
    ledger::{self, Deed, Fingerprint},
    merge::check::{self, Flaw},
    x509::certificate::Certificate,
};
use certkeep_store::{
    chronicle::{self, Change, Chronicle, Commit},
    event::Event,
};

use super::finding::{Finding, Kind};
use crate::report::Failure;

/// How many commits are compared at once.
const WINDOW: usize = 2000;

/// The files and folders of a PKI that are compared.
const PATHS: [&str; 9] = [
    "index.txt",
    "ca.crt",
    "crl.pem",
    "crl.der",
    "certs_by_serial",
    "issued",
    "renewed",
    "revoked",
    "expired",
];

/// The folders among them in which certificates lie, also under names of no meaning.
const FOLDERS: [&str; 6] = [
    "certs_by_serial/",
    "issued/",
    "renewed/issued/",
    "renewed/certs_by_serial/",
    "revoked/certs_by_serial/",
    "expired/",
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
    /// Certificates of `ca.crt` that may have signed others.
    pub(super) authorities: Vec<Certificate>,
    /// Every certificate, with the commit in which it was met first; those of `ca.crt` apart.
    pub(super) met: HashMap<Fingerprint, usize>,
    pub(super) met_authorities: HashMap<Fingerprint, usize>,
    /// Every serial number that a row had.
    rows: HashSet<SerialHex>,
    /// The versions of the database that were read last: one is compared with the next.
    databases: Vec<(String, Rc<Vec<u8>>)>,
}

/// What one commit makes of one file, compared with each parent; `None` where that has
/// the same.
pub(super) struct Compared<'c> {
    pub(super) path: &'c str,
    changes: Vec<Option<&'c Change>>,
}

impl Compared<'_> {
    pub(super) fn after(&self) -> Option<&str> {
        self.changes.iter().flatten().find_map(|change| change.after.as_deref())
    }

    /// The blob, if no parent has the same there.
    pub(super) fn appeared(&self) -> Option<&str> {
        self.after().filter(|_| self.changes.iter().all(Option::is_some))
    }

    /// Whether a link or a submodule stands there, and in no parent.
    fn leads_elsewhere(&self) -> bool {
        let mut changes = self.changes.iter();
        changes.all(|change| change.is_some_and(|change| change.is_elsewhere))
    }

    /// What parents have there and this has not.
    pub(super) fn lost(&self) -> impl Iterator<Item = &str> {
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
            met: HashMap::new(),
            met_authorities: HashMap::new(),
            rows: HashSet::new(),
            databases: Vec::new(),
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

    pub(super) fn find(&mut self, kind: Kind, commit: &Commit, what: impl Into<String>) {
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
        for one in &compared {
            if one.leads_elsewhere() {
                let what =
                    format!("{} is a link or a submodule: what it leads to is in no history", one.path);
                self.find(Kind::NoFile, commit, what);
            }
            if one.path.starts_with(&events) {
                self.event(number, commit, one)?;
            } else if one.path == chronicle::mark() {
                self.store(commit, one)?;
            }
        }
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
            let relative = folder.as_deref().and_then(|folder| one.path.strip_prefix(folder));
            let among = |path: &str| FOLDERS.iter().any(|folder| path.starts_with(folder));
            if relative.is_some_and(among) && told(one.path).is_none() {
                self.file_of_no_meaning(number, commit, one)?;
            }
        }
        Ok(())
    }

    /// A version of the database.
    fn database(&mut self, blob: Option<&str>) -> Result<Rc<Vec<u8>>, Failure> {
        let Some(blob) = blob else { return Ok(Rc::default()) };
        if let Some((_, known)) = self.databases.iter().find(|(name, _)| name == blob) {
            return Ok(Rc::clone(known));
        }
        let bytes = Rc::new(self.chronicle.bytes(blob)?);
        self.databases.insert(0, (blob.to_owned(), Rc::clone(&bytes)));
        self.databases.truncate(2);
        Ok(bytes)
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
        let after = self.database(one.after())?;
        let mut added: Option<Vec<SerialHex>> = None;
        let mut revoked: Option<Vec<(SerialHex, Revocation)>> = None;
        let mut redated: Option<Vec<SerialHex>> = None;
        let mut weakened: BTreeMap<String, Kind> = BTreeMap::new();
        for change in &one.changes {
            let rows = match change {
                None => ledger::RowChange::default(),
                Some(change) => {
                    let before = self.database(change.before.as_deref())?;
                    match ledger::row_change(&before, &after) {
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
        for serial in added.unwrap_or_default() {
            // One that was met before may stand in the rest of the database.
            if !self.rows.insert(serial.clone()) && ledger::is_twice(&after, &serial) {
                self.find(Kind::RowReplaced, commit, Flaw::Twice(serial.clone()).to_string());
            }
            self.effects.push((number, Deed::Row(serial)));
        }
        let revoked = revoked.unwrap_or_default().into_iter();
        self.effects.extend(revoked.map(|(serial, at)| (number, Deed::Revocation(serial, at))));
        Ok(())
    }
}

/// What both have; all of the second if there is no first.
fn common<T: PartialEq>(so_far: Option<Vec<T>>, now: Vec<T>) -> Vec<T> {
    match so_far {
        None => now,
        Some(so_far) => so_far.into_iter().filter(|one| now.contains(one)).collect(),
    }
}
