// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules that stand in a tree or in the index, and the allow-list beside
//! them, read once for each state of `.certkeep`.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{GuardError, allow::AllowList};
use crate::{
    event,
    git::{FOLDER_MODE, Kind, Objects, Oid, TreeEntry},
    keyring::Keyring,
    manifest::{Manifest, ManifestError},
    pins::{Pins, Standing},
    seal::KeyId,
    zone::{Epoch, FOLDER, Pattern, Protection, Rules, ZoneName},
};

/// The most that a file of the rules may hold, in bytes.
const LIMIT: u64 = 1 << 20;

/// What one state of the repository says of its paths.
#[derive(Debug)]
pub(super) struct Policy {
    manifest: Manifest,
    rules: Rules,
    /// The same rules in small letters, for a file system that ignores case.
    folded: Rules,
}

impl Policy {
    /// `None`: there is no store.
    fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Option<Self>, ManifestError> {
        if !files.contains_key("store.toml") {
            return Ok(None);
        }
        let manifest = Manifest::parse(files)?;
        let rules = manifest.rules();
        let folded = rules.patterns().iter().filter_map(|(pattern, zone)| {
            Some((Pattern::parse(&pattern.as_str().to_lowercase()).ok()?, zone.clone()))
        });
        let folded = Rules::new(rules.pki().map(str::to_lowercase).as_deref(), folded.collect());
        Ok(Some(Self { manifest, rules, folded }))
    }

    /// The zone that protects a path.
    pub(super) fn zone(&self, path: &[u8]) -> Option<&ZoneName> {
        zone_of(&self.rules, path)
    }

    /// The zone that would protect a path if case did not matter.
    pub(super) fn zone_by_case(&self, path: &[u8]) -> Option<&ZoneName> {
        let lower = String::from_utf8_lossy(path).to_lowercase();
        zone_of(&self.folded, lower.as_bytes())
    }

    /// The zone that would keep files which a link or a submodule at this path leads elsewhere.
    pub(super) fn zone_behind(&self, path: &[u8]) -> Option<&ZoneName> {
        self.rules.zone_behind(path)
    }

    /// Whether both protect the same paths by the same zones.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.rules.pki() == other.rules.pki() && self.rules.patterns() == other.rules.patterns()
    }

    /// The ids of the zones' present keys.
    pub(super) fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.manifest.zones.values().map(|zone| zone.key_id)
    }

    /// The epoch and the key of each zone.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&ZoneName, Epoch, KeyId)> {
        self.manifest.zones.iter().map(|(name, zone)| (name, zone.epoch, zone.key_id))
    }

    /// Whether a member wrote this zone's description, as far as the keys at
    /// hand can tell; for a sealed zone, whose keys are never at hand, whether
    /// this clone has verified the same. An earlier one than it has verified is
    /// good only on the way to one of the `ends` that is none.
    pub(super) fn is_vouched_for(
        &self,
        zone: &ZoneName,
        keyring: Option<&Keyring>,
        pins: &Pins,
        ends: &[Arc<Self>],
    ) -> bool {
        if pins.agree(zone, &self.manifest) {
            return true;
        }
        if pins.standing(zone, &self.manifest) == Standing::Earlier
            && !ends.iter().any(|end| end.is_vouched_for(zone, keyring, pins, &[]))
        {
            return false;
        }
        let keys = keyring.and_then(|keyring| keyring.zone(zone));
        let (Some(keys), Some(described)) = (keys, self.manifest.zones.get(zone)) else { return false };
        let keys = keys.at(described.epoch);
        let (store, pki) = (self.manifest.store, self.manifest.pki.as_deref());
        keys.is_some_and(|keys| described.verify(zone, store, pki, &keys).is_ok())
    }

    /// Whether the keys at hand tell that no member wrote this zone's description.
    pub(super) fn is_refuted(&self, zone: &ZoneName, keyring: Option<&Keyring>) -> bool {
        let Some(described) = self.manifest.zones.get(zone) else { return true };
        let keys = keyring.and_then(|keyring| keyring.zone(zone)?.at(described.epoch));
        let (store, pki) = (self.manifest.store, self.manifest.pki.as_deref());
        keys.is_some_and(|keys| described.verify(zone, store, pki, &keys).is_err())
    }

    /// Whether this describes a zone, and later than `before` does.
    pub(super) fn is_newer(&self, zone: &ZoneName, before: &Self) -> bool {
        let when = |policy: &Self| policy.manifest.zones.get(zone).map(|zone| (zone.epoch, zone.revision));
        when(self) > when(before)
    }

    /// Whether this describes a zone as `other` does.
    pub(super) fn is_same(&self, zone: &ZoneName, other: &Self) -> bool {
        let digest = |policy: &Self| {
            let described = policy.manifest.zones.get(zone)?;
            Some(described.digest(zone, policy.manifest.store, policy.manifest.pki.as_deref()))
        };
        digest(self) == digest(other)
    }

    /// Whether this describes a zone later than `before` does. A MAC does not
    /// tell: whoever can push brings back an earlier description with its own.
    pub(super) fn is_later(&self, zone: &ZoneName, before: &Self) -> bool {
        let when = |policy: &Self| policy.manifest.zones.get(zone).map(|zone| (zone.epoch, zone.revision));
        match (when(before), when(self)) {
            (Some((epoch, 0)), Some((now, 0))) => now >= epoch,
            (before, now) => now > before,
        }
    }

    /// Whether this protects a pattern, or a PKI folder, by its name.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.rules.patterns().iter().any(|(known, _)| known.as_str().as_bytes() == name)
            || self.rules.pki().is_some_and(|pki| pki.as_bytes() == name)
    }

    /// What this protects and `now` does not: patterns, or the PKI folder with
    /// its zones.
    pub(super) fn missing_in(&self, now: Option<&Self>) -> Vec<(Vec<u8>, Vec<ZoneName>)> {
        let mut missing = Vec::new();
        if let Some(pki) = self.rules.pki()
            && now.is_none_or(|now| now.rules.pki() != Some(pki))
        {
            missing.push((pki.as_bytes().to_vec(), self.manifest.zones.keys().cloned().collect()));
        }
        for (pattern, zone) in self.rules.patterns() {
            let kept = now.is_some_and(|now| now.rules.patterns().iter().any(|(known, _)| known == pattern));
            if !kept {
                missing.push((pattern.as_str().as_bytes().to_vec(), vec![zone.clone()]));
            }
        }
        missing
    }
}

fn zone_of<'r>(rules: &'r Rules, path: &[u8]) -> Option<&'r ZoneName> {
    match rules.protection(path) {
        Protection::Zone(zone) => Some(zone),
        Protection::Public | Protection::Unnamed => None,
    }
}

/// What stands in `.certkeep`, but for the journal of events, which grows with every
/// commit and decides nothing: names, objects and modes.
pub(super) type Folder = Vec<(Vec<u8>, Oid, u32)>;

/// What has been read, by what stands in `.certkeep`.
#[derive(Debug)]
pub(super) struct Policies<'a> {
    objects: &'a Objects,
    known: RefCell<HashMap<Folder, Option<Arc<Policy>>>>,
}

impl<'a> Policies<'a> {
    pub(super) fn new(objects: &'a Objects) -> Self {
        Self { objects, known: RefCell::default() }
    }

    /// What stands in a tree's `.certkeep`; `None` where that is no folder.
    pub(super) fn folder(&self, tree: Oid) -> Result<Option<Folder>, GuardError> {
        let Some((folder, Kind::Tree)) = self.objects.entry(tree, &[FOLDER])? else { return Ok(None) };
        let entries = self.objects.folder(folder)?.into_iter();
        let deciding = entries.filter(|entry| entry.path != event::FOLDER.as_bytes());
        Ok(Some(deciding.map(|entry| (entry.path, entry.oid, entry.mode)).collect()))
    }

    /// Whether a tree has a store, with rules that can be read or not.
    pub(super) fn has_store(&self, tree: Oid) -> Result<bool, GuardError> {
        Ok(self.objects.entry(tree, &[FOLDER, "store.toml"])?.is_some())
    }

    /// The rules of a tree; `whose` says which it is if they cannot be read.
    pub(super) fn of_tree(&self, tree: Oid, whose: Oid) -> Result<Option<Arc<Policy>>, GuardError> {
        let Some(folder) = self.folder(tree)? else { return Ok(None) };
        if let Some(known) = self.known.borrow().get(&folder) {
            return Ok(known.clone());
        }
        let mut files = BTreeMap::new();
        for (name, oid, mode) in &folder {
            let entry = TreeEntry { path: name.clone(), oid: *oid, mode: *mode };
            if *mode == FOLDER_MODE {
                for below in self.objects.entries(*oid)? {
                    self.add(&mut files, &[name.as_slice(), b"/", &below.path].concat(), &below)?;
                }
            } else {
                self.add(&mut files, name, &entry)?;
            }
        }
        let policy = parse(&files, &format!("commit {whose}"))?;
        self.known.borrow_mut().insert(folder, policy.clone());
        Ok(policy)
    }

    /// The rules among the entries of an index.
    pub(super) fn of_entries(&self, entries: &[TreeEntry]) -> Result<Option<Arc<Policy>>, GuardError> {
        let mut files = BTreeMap::new();
        for entry in entries {
            let name = entry.path.strip_prefix(FOLDER.as_bytes()).and_then(|name| name.strip_prefix(b"/"));
            if let Some(name) = name {
                self.add(&mut files, name, entry)?;
            }
        }
        parse(&files, "the index")
    }

    fn add(
        &self,
        files: &mut BTreeMap<String, Vec<u8>>,
        name: &[u8],
        entry: &TreeEntry,
    ) -> Result<(), GuardError> {
        let Some(name) = std::str::from_utf8(name).ok().filter(|name| is_rule(name)) else { return Ok(()) };
        if entry.is_file() {
            files.insert(name.to_owned(), self.small(entry.oid)?);
        }
        Ok(())
    }

    /// The allow-list of a tree.
    pub(super) fn allowed_in_tree(&self, tree: Oid, whose: Oid) -> Result<AllowList, GuardError> {
        match self.objects.entry(tree, &[FOLDER, "guard.toml"])? {
            Some((oid, Kind::Blob)) => AllowList::parse(&self.small(oid)?, &format!("commit {whose}")),
            _ => Ok(AllowList::default()),
        }
    }

    /// The allow-list among the entries of an index.
    pub(super) fn allowed_in_entries(&self, entries: &[TreeEntry]) -> Result<AllowList, GuardError> {
        let entry = entries.iter().find(|entry| entry.path == b".certkeep/guard.toml" && entry.is_file());
        match entry {
            Some(entry) => AllowList::parse(&self.small(entry.oid)?, "the index"),
            None => Ok(AllowList::default()),
        }
    }

    fn small(&self, oid: Oid) -> Result<Vec<u8>, GuardError> {
        let (_, size) = self.objects.header(oid)?;
        if size > LIMIT {
            let message = format!("it has more than {LIMIT} bytes, which no file of a store has");
            return Err(crate::git::GitError::Object { oid: oid.to_string(), message }.into());
        }
        Ok(self.objects.blob(oid)?)
    }
}

fn parse(files: &BTreeMap<String, Vec<u8>>, whose: &str) -> Result<Option<Arc<Policy>>, GuardError> {
    let policy = Policy::parse(files);
    let policy = policy.map_err(|source| GuardError::Rules { whose: whose.to_owned(), source })?;
    Ok(policy.map(Arc::new))
}

/// Whether a file of `.certkeep` decides about paths.
fn is_rule(name: &str) -> bool {
    let zone = name.strip_prefix("zones/").and_then(|name| name.strip_suffix("/zone.toml"));
    name == "store.toml" || zone.is_some_and(|zone| !zone.contains('/'))
}
