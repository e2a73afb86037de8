// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of the last commit that only a key opens which is to be forgotten:
//! what a merge or a rebase has kept of the side that lost.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::super::{Keys, Vault, VaultError, trust::is_closed};
use crate::{
    git::{IndexEntry, Oid},
    identity::Wrapped,
    manifest,
    member::Kind,
    pins::Pins,
    prompt::Prompt,
    seal::{self, KeyId},
    zone::{FOLDER, Protection, ZoneName},
    zone_keys::ZoneKeys,
};

/// A file as git has it, and sealed with the present key of its zone.
pub(super) struct Resealed {
    pub(super) path: Vec<u8>,
    pub(super) before: Vec<u8>,
    pub(super) sealed: Vec<u8>,
}

impl Vault {
    /// Every file of the last commit that names one of the keys that go, as it
    /// is, and sealed with the present key of its zone.
    pub(super) fn reseal_what_needs(
        &self,
        ids: &BTreeMap<ZoneName, BTreeSet<KeyId>>,
        pins: &Pins,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<Vec<Resealed>, VaultError> {
        let needing = self.needing(ids)?;
        let mut found: BTreeMap<(ZoneName, KeyId), ZoneKeys> = BTreeMap::new();
        let mut resealed = Vec::new();
        for (entry, zone, blob) in &needing {
            let id = seal::key_id(blob).ok().flatten().expect("it was found by its key");
            let still = || VaultError::StillNeeded {
                zone: zone.clone(),
                paths: needing.iter().map(|(entry, ..)| shown(&entry.path)).collect(),
            };
            let old = match found.entry((zone.clone(), id)) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(place) => {
                    place.insert(self.lost_keys(zone, id, keys, prompt)?.ok_or_else(still)?)
                }
            };
            let present = match self.present_keys(zone, pins, keys, prompt) {
                Err(error) if is_closed(&error) => return Err(still()),
                present => present?,
            };
            let opened = old.open(blob);
            let path = || shown(&entry.path);
            let plaintext = opened.map_err(|source| VaultError::Open { path: path(), source })?;
            let padding = self.zone(zone)?.padding;
            let sealed = present.sealing_now().seal(plaintext.expose(), padding);
            resealed.push(Resealed { path: entry.path.clone(), before: blob.clone(), sealed });
        }
        Ok(resealed)
    }

    /// The files of the last commit that one of these keys sealed. What is staged
    /// over one of them is not ours to commit.
    fn needing(
        &self,
        ids: &BTreeMap<ZoneName, BTreeSet<KeyId>>,
    ) -> Result<Vec<(IndexEntry, ZoneName, Vec<u8>)>, VaultError> {
        let zone_of = |path: &[u8], oid: Oid| -> Result<_, VaultError> {
            let Protection::Zone(zone) = self.rules.protection(path) else { return Ok(None) };
            let Some(going) = ids.get(zone) else { return Ok(None) };
            let Some(blob) = self.repository.blob_if_here(oid)? else { return Ok(None) };
            let named = seal::key_id(&blob).ok().flatten().is_some_and(|id| going.contains(&id));
            Ok(named.then(|| (zone.clone(), blob)))
        };
        let mut head = self.head_files()?;
        let (mut needing, mut staged) = (Vec::new(), BTreeSet::new());
        for entry in self.repository.index_entries()? {
            let committed = head.remove(&entry.path);
            let Some((zone, blob)) = zone_of(&entry.path, entry.oid)? else {
                if let Some(oid) = committed.filter(|oid| *oid != entry.oid) {
                    head.insert(entry.path, oid);
                }
                continue;
            };
            if entry.is_file() && committed == Some(entry.oid) {
                needing.push((entry, zone, blob));
            } else {
                staged.insert(shown(&entry.path));
            }
        }
        for (path, oid) in head {
            if zone_of(&path, oid)?.is_some() {
                staged.insert(shown(&path));
            }
        }
        if staged.is_empty() {
            Ok(needing)
        } else {
            Err(VaultError::Staged { paths: staged.into_iter().collect() })
        }
    }

    /// The keys of a zone among which is one that the store has no more: from the
    /// keyring, else from what some commit has wrapped for a key of the user's.
    fn lost_keys(
        &self,
        zone: &ZoneName,
        id: KeyId,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<Option<ZoneKeys>, VaultError> {
        let has = |found: &ZoneKeys| {
            let mut epochs = found.epochs();
            epochs.any(|epoch| found.sealing(epoch).is_some_and(|key| key.id() == id))
        };
        if let Some(found) = self.keyring()?.and_then(|keyring| keyring.zone(zone).cloned()).filter(has) {
            return Ok(Some(found));
        }
        for version in self.repository.versions()? {
            let path = std::str::from_utf8(&version.path).ok();
            let path = path.and_then(|path| path.strip_prefix(FOLDER)?.strip_prefix('/'));
            let Some((_, _, name)) = path.and_then(manifest::wrap_of).filter(|(wrapped, ..)| wrapped == zone)
            else {
                continue;
            };
            let Some(member) = self.manifest.members.get(&name) else { continue };
            let Some(bytes) = self.repository.blob_if_here(version.blob)? else { continue };
            let key = if member.kind == Kind::OpenPgp { &member.fingerprint } else { &member.key };
            let Ok(opened) =
                keys.identities.open(&[Wrapped { kind: member.kind, key, bytes: &bytes }], prompt)
            else {
                continue;
            };
            if let Some(found) = ZoneKeys::parse(&opened.payload).ok().filter(has) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The keys that the store has now, by what this clone has seen apart from
    /// what is to be forgotten.
    fn present_keys(
        &self,
        zone: &ZoneName,
        pins: &Pins,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<ZoneKeys, VaultError> {
        if let Some(found) = keys.zones.get(zone) {
            return Ok(found.clone());
        }
        let (member, found) = self.unwrap(zone, keys, prompt)?;
        self.trust_by(&found, pins)?;
        keys.openers.insert(zone.clone(), member);
        keys.insert(found.clone());
        Ok(found)
    }
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
