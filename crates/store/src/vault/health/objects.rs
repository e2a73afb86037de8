// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git has: the commit that is checked out, the index, the tips of other
//! branches, and if it is asked for, all earlier commits. The guard looks; here is
//! said once what it finds at several places.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Examination, Fault, Kind, shown};
use crate::{
    git::IndexEntry,
    guard::{Breach, Guard, GuardError, Hit, Reach, Report, Shrunk, Unsealed},
    keyring::Keyring,
    seal::{self, KeyId, SealError},
    vault::status::State,
    zone::{Protection, ZoneName},
};

/// How many paths are named where a fault is one for many.
const NAMED: usize = 3;

/// What was told already, by path and object.
type Told = HashSet<(Vec<u8>, String)>;

impl Examination<'_> {
    /// Commits and the index.
    pub(super) fn objects(&mut self) {
        let mut told = Told::new();
        let keyring = Keyring::read(&self.repository.state().join("keyring")).ok().flatten();
        let guard = Guard::with(self.repository.work_tree(), keyring, self.pins.clone());
        if let Some(Some(guard)) = self.tried("git", guard) {
            self.commits(&guard, &mut told);
            let staged = guard.staged();
            self.report("the index", staged, &mut told);
            self.history(&guard, &mut told);
        }
        self.index(&mut told);
    }

    /// Where no store is: private keys in commits and in the index, told once for
    /// all of them.
    pub(super) fn plain_objects(&mut self) {
        let before = std::mem::take(&mut self.found.faults);
        self.objects();
        let found = std::mem::replace(&mut self.found.faults, before);
        let (keys, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|fault| fault.kind == Kind::KeyInGit);
        let paths: Vec<_> = keys.into_iter().map(|fault| fault.subject.into_bytes()).collect();
        if !paths.is_empty() {
            let what = format!("git has private keys in the clear: {}", some(&paths));
            self.tell(Fault::new(Kind::KeysInPlainGit, "the repository", what));
        }
        others.into_iter().for_each(|fault| self.tell(fault));
    }

    fn commits(&mut self, guard: &Guard, told: &mut Told) {
        let head = match self.repository.head() {
            Ok(head) => head,
            Err(error) => {
                self.tell(Fault::new(Kind::Unreadable, "HEAD", error));
                return;
            }
        };
        if head.commit.is_some() {
            let report = guard.tree("HEAD", self.asked.watch);
            self.report("HEAD", report, told);
        }
        let format = ["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/remotes"];
        let listed = self.repository.git(&format, &[]);
        let listed = self.tried("git", listed).unwrap_or_default();
        let mut seen: BTreeSet<String> = head.commit.iter().map(ToString::to_string).collect();
        for line in String::from_utf8_lossy(&listed).lines() {
            let Some((oid, name)) = line.split_once(' ') else { continue };
            if !name.ends_with("/HEAD") && seen.insert(oid.to_owned()) {
                let report = guard.tree(oid, self.asked.watch);
                let name =
                    name.strip_prefix("refs/heads/").or(name.strip_prefix("refs/remotes/")).unwrap_or(name);
                self.report(&format!("the branch {name}"), report, told);
            }
        }
    }

    fn history(&mut self, guard: &Guard, told: &mut Told) {
        if !self.asked.history {
            return;
        }
        let report = match guard.history(Reach::References, self.asked.watch) {
            Err(error @ GuardError::Shallow) => {
                self.found.skipped.push(format!("earlier commits: {error}"));
                return;
            }
            report => self.tried("earlier commits", report),
        };
        let mut past: BTreeMap<Vec<u8>, (usize, Option<String>)> = BTreeMap::new();
        for Hit { place, breach } in report.map(|report| report.hits).unwrap_or_default() {
            // Nothing that can only be told of the present.
            let is_secret = match &breach {
                Breach::Material(_) | Breach::Copied { .. } | Breach::Opened { .. } => true,
                Breach::Unsealed { what, .. } => {
                    matches!(what, Unsealed::Plaintext | Unsealed::CaseVariant)
                }
                Breach::Moved { .. } | Breach::Shrunk(_) => false,
            };
            if is_secret && !told.contains(&(place.path.clone(), place.blob.clone())) {
                let entry = past.entry(place.path).or_insert((0, place.commit));
                entry.0 += 1;
            }
        }
        for (path, (count, commit)) in past {
            let commit = commit.as_deref().and_then(|commit| commit.get(..10)).unwrap_or("a lost object");
            let more =
                if count > 1 { format!(", and {} more in other versions", count - 1) } else { String::new() };
            let what = format!("in the clear since {commit}{more}");
            let subject = if path.is_empty() { "a message".to_owned() } else { shown(&path) };
            self.tell(Fault::new(Kind::SecretInHistory, subject, what));
        }
    }

    /// Tells what the guard has found at one place.
    fn report(&mut self, place: &str, report: Result<Report, GuardError>, told: &mut Told) {
        let report = match report {
            // Nothing is staged in a repository without an index.
            Err(GuardError::Bare) => return,
            Err(error @ GuardError::Rules { .. }) => {
                self.tell(Fault::new(Kind::StoreDamaged, place, super::told(&error)));
                return;
            }
            report => self.tried(place, report),
        };
        let mut shrunk: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for Hit { place: at, breach } in report.map(|report| report.hits).unwrap_or_default() {
            if let Breach::Shrunk(what) = breach {
                match what {
                    Shrunk::Attributes { path, attribute } => shrunk.entry(attribute).or_default().push(path),
                    // Said of this clone elsewhere, with the reason.
                    Shrunk::Driver => {}
                    Shrunk::Rules { path } => {
                        let what =
                            format!("in {place} its zone protects it no longer, and no member said so");
                        self.tell(Fault::new(Kind::ZoneForged, shown(&path), what));
                    }
                    Shrunk::Keys { zone, epoch, .. } => {
                        let what = format!("epoch {epoch} was begun twice");
                        self.tell(Fault::new(Kind::StoreExchanged, &zone, what).about(&zone));
                    }
                }
                continue;
            }
            if !told.insert((at.path.clone(), at.blob.clone())) {
                continue;
            }
            let subject = if at.path.is_empty() { format!("a message in {place}") } else { shown(&at.path) };
            let (kind, what) = match self.is_newer(&breach, &at.blob) {
                true => (Kind::NewerFormat, format!("in {place} it is sealed in a newer format")),
                false => judged(&breach, place),
            };
            let fault = Fault::new(kind, subject, what);
            self.tell(match breach {
                Breach::Unsealed { zone, .. } => fault.about(zone),
                _ => fault,
            });
        }
        for (attribute, paths) in shrunk {
            let what = format!("by what {place} has, git gives {} `{attribute}`", some(&paths));
            self.tell(Fault::new(Kind::AttributesShrink, ".gitattributes", what));
        }
    }

    /// Whether what the guard takes for altered has the header of another version.
    fn is_newer(&self, breach: &Breach, blob: &str) -> bool {
        let altered = matches!(breach, Breach::Unsealed { what: Unsealed::Altered, .. });
        let blob = self.repository.oid(blob).filter(|_| altered);
        let bytes = blob.and_then(|blob| self.repository.blob_if_here(blob).ok().flatten());
        bytes.is_some_and(|bytes| matches!(seal::key_id(&bytes), Err(SealError::Unknown { .. })))
    }

    /// The index once more, by the rules that this clone remembers, and for what no
    /// guard minds: older keys, and ciphertext that nobody opens.
    fn index(&mut self, told: &mut Told) {
        let entries = self.repository.index_entries();
        let entries = self.tried("the index", entries).unwrap_or_default();
        let signs = self.vault.as_ref().map(|vault| vault.signs(&entries));
        let signs = signs.and_then(|signs| self.tried("what no zone keeps", signs)).unwrap_or_default();
        let mut old: BTreeMap<ZoneName, Vec<Vec<u8>>> = BTreeMap::new();
        for entry in entries {
            let Some(vault) = &self.vault else { return };
            let subject = shown(&entry.path);
            let Protection::Zone(zone) = vault.rules.protection(&entry.path) else {
                let misplaced = vault.is_misplaced(&entry, &signs);
                if self.tried(&subject, misplaced) == Some(true) {
                    self.tell(Fault::new(Kind::Misplaced, subject, "it is sealed, and no zone keeps it"));
                }
                continue;
            };
            let zone = zone.clone();
            if self.is_old(&zone, &entry) {
                old.entry(zone.clone()).or_default().push(entry.path.clone());
            }
            let Some(vault) = &self.vault else { return };
            let keys = self.keyring.as_ref().and_then(|keyring| keyring.zone(&zone));
            let state = vault.state_of(&entry, &zone, keys);
            let Some(file) = self.tried(&subject, state) else { continue };
            let new = told.insert((entry.path.clone(), entry.oid.to_string()));
            if let Some((kind, what)) = stated(&file.in_git).filter(|_| new) {
                self.tell(Fault::new(kind, &subject, format!("in the index it is {what}")).about(&zone));
            }
            if file.in_work_tree == State::Symlink && entry.is_file() {
                let what = "a symbolic link lies in its place";
                self.tell(Fault::new(Kind::Link, &subject, what).about(&zone));
            }
            if file.exposed {
                let what = "others on this machine can read it in the clear";
                self.tell(Fault::new(Kind::PlaintextExposed, &subject, what).about(&zone));
            }
        }
        for (zone, paths) in old {
            let what = format!("{} by a key of an epoch that has ended", sealed(&paths));
            self.tell(Fault::new(Kind::OldEpoch, &zone, what).about(&zone));
        }
    }

    /// Whether a file is sealed by a key of the zone that is not the present one.
    fn is_old(&self, zone: &ZoneName, entry: &IndexEntry) -> bool {
        let Some(described) = self.vault.as_ref().and_then(|vault| vault.manifest.zones.get(zone)) else {
            return false;
        };
        let blob = self.repository.blob_if_here(entry.oid).ok().flatten().filter(|_| entry.is_file());
        let Some(Some(id)) = blob.map(|blob| seal::key_id(&blob).ok().flatten()) else { return false };
        id != described.key_id && self.is_earlier_key(zone, id)
    }

    /// By the keyring where it is open, by what was seen where it is not.
    fn is_earlier_key(&self, zone: &ZoneName, id: KeyId) -> bool {
        let keys = self.keyring.as_ref().and_then(|keyring| keyring.zone(zone));
        let known = keys.is_some_and(|keys| {
            keys.epochs().filter_map(|epoch| keys.sealing(epoch)).any(|key| key.id() == id)
        });
        known || self.pins.has_seen(zone, id)
    }
}

fn judged(breach: &Breach, place: &str) -> (Kind, String) {
    match breach {
        Breach::Material(finding) => {
            (Kind::KeyInGit, format!("{} in {place}, where no zone keeps it", finding.format))
        }
        Breach::Copied { from, .. } => {
            (Kind::PlaintextInGit, format!("in {place} it is the plaintext of {}", shown(from)))
        }
        Breach::Moved { from } => (
            Kind::Misplaced,
            format!("in {place} it is the sealed file {}, moved to where no zone keeps it", shown(from)),
        ),
        Breach::Opened { .. } => {
            (Kind::PlaintextInGit, format!("in {place} it is the plaintext of what was sealed there before"))
        }
        Breach::Unsealed { what, .. } => match what {
            Unsealed::Plaintext => (Kind::PlaintextInGit, format!("in {place} it is in the clear")),
            Unsealed::CaseVariant => (
                Kind::PlaintextInGit,
                format!("in {place} it is in the clear, under another spelling of a protected path"),
            ),
            Unsealed::Altered => (Kind::Altered, format!("in {place} it is altered or cut off")),
            Unsealed::ForeignKey => {
                (Kind::UnknownKey, format!("in {place} it is sealed with a key that is none of its zone's"))
            }
            Unsealed::OtherTool => {
                (Kind::OtherTool, format!("in {place} it is the ciphertext of another program"))
            }
            Unsealed::Symlink => (Kind::Link, format!("in {place} it is a symbolic link")),
            Unsealed::Submodule => (Kind::Link, format!("in {place} it is a submodule")),
        },
        Breach::Shrunk(_) => (Kind::AttributesShrink, format!("in {place} less is protected")),
    }
}

fn stated(state: &State) -> Option<(Kind, String)> {
    Some(match state {
        State::Sealed | State::Locked | State::Empty | State::Absent | State::OtherTool("git-crypt") => {
            return None;
        }
        State::ForeignKey => (Kind::UnknownKey, "sealed with a key that is none of its zone's".to_owned()),
        State::Altered => (Kind::Altered, "altered or cut off".to_owned()),
        State::Newer => (Kind::NewerFormat, "sealed in a newer format".to_owned()),
        State::Plaintext => (Kind::PlaintextInGit, "in the clear".to_owned()),
        State::OtherTool(tool) => (Kind::OtherTool, format!("ciphertext of {tool}")),
        State::Symlink => (Kind::Link, "a symbolic link, or in a conflict".to_owned()),
    })
}

fn sealed(paths: &[Vec<u8>]) -> String {
    format!("{} {} sealed", some(paths), if paths.len() == 1 { "is" } else { "are" })
}

/// A few paths by name, and how many there are.
pub(super) fn some(paths: &[Vec<u8>]) -> String {
    let named: Vec<_> = paths.iter().take(NAMED).map(|path| shown(path)).collect();
    let more = paths.len().saturating_sub(NAMED);
    let named = named.join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}
