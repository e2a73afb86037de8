// SPDX-License-Identifier: MIT OR Apache-2.0
//! A rotation that lost the race: somebody else's came first, the push was
//! rejected, and the user went back to what the others have, or merged and took
//! their side. What this clone has seen of its own epoch speaks against theirs
//! from then on, rightly: it cannot tell by itself whether a former member has
//! put it there. So somebody has to say so, and it counts only where no branch
//! of a remote is known to have had this clone's key before the other one.
//!
//! Which of the two is in force is decided by the ids of the keys: the commit of
//! a rotation is also an ancestor of a merge that took the other side. What such
//! a merge has kept sealed with a key that goes is sealed anew before that.

mod anew;

use std::collections::{BTreeMap, BTreeSet};

use self::anew::Resealed;
use super::{Keys, Vault, VaultError, edit::Edit};
use crate::{
    git::{Head, Oid},
    history::Message,
    keyring::Keyring,
    manifest::{self, Manifest},
    pins::{PinError, Pins},
    prompt::Prompt,
    repository::RepositoryLock,
    seal::{self, KeyId},
    zone::{Epoch, FOLDER, ZoneName},
};

/// What is to be forgotten, and what has to be written for that.
pub struct Lost {
    /// From which epoch on a zone's keys go, and the commits that began them.
    zones: BTreeMap<ZoneName, (Epoch, Vec<String>)>,
    pins: Pins,
    /// Files that only a key opens that goes, sealed with the present ones.
    resealed: Vec<Resealed>,
    since: Head,
}

/// The key of an epoch that a branch of a remote had first.
struct First {
    reference: String,
    commit: String,
    key: KeyId,
}

/// What was forgotten.
#[derive(Debug)]
pub struct Discarded {
    /// The commits that began the epochs, with their subjects as far as they
    /// are still there.
    pub rotations: Vec<(String, Option<String>)>,
    /// How many files were sealed anew, and in which commit.
    pub files: usize,
    /// See `files`; `None` if there was none.
    pub commit: Option<String>,
}

impl std::fmt::Debug for Lost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Lost({:?})", self.zones)
    }
}

impl Vault {
    /// The epochs that this clone began and in whose place the store has others,
    /// with everything that is needed to forget them.
    ///
    /// # Errors
    ///
    /// [`VaultError::NothingToDiscard`], [`VaultError::OthersFirst`],
    /// [`VaultError::Pushed`], [`VaultError::Offered`], [`PinError::RolledBack`] where the present epoch is an earlier one;
    /// [`VaultError::StillNeeded`] where files need a key that would go and a key
    /// is missing to seal them anew.
    pub fn lost_rotations(&self, keys: &mut Keys, prompt: &mut dyn Prompt) -> Result<Lost, VaultError> {
        self.no_link_to_a_folder()?;
        let mut pins = self.pins()?;
        let (mut zones, mut ids) = (BTreeMap::new(), BTreeMap::new());
        let mut behind = None;
        for (zone, epochs) in begun_by_zone(&pins) {
            let Some(described) = self.manifest.zones.get(&zone) else { continue };
            let mut first = None;
            for &(epoch, _) in &epochs {
                if epoch > described.epoch {
                    behind = behind.or(Some((zone.clone(), epoch, described.epoch)));
                } else if self.has_other(&pins, &zone, epoch, keys, prompt)? {
                    first = Some(epoch);
                    break;
                }
            }
            let Some(first) = first else { continue };
            let going: BTreeSet<KeyId> = pins.ids_from(&zone, first).collect();
            let commits = epochs.into_iter().filter(|(epoch, _)| *epoch >= first);
            let commits: Vec<_> = commits.filter_map(|(_, commit)| commit).collect();
            let firsts = self.first_on_remotes(&zone, first, &going)?;
            if let Some(First { reference, .. }) = firsts.into_iter().find(|first| going.contains(&first.key))
            {
                let commit = commits.first().cloned().unwrap_or_default();
                let shared = self.shared_branches()?.iter().any(|branch| {
                    branch
                        .strip_prefix("refs/heads/")
                        .is_some_and(|name| reference.ends_with(&format!("/{name}")))
                });
                return Err(VaultError::Pushed { commit, reference, shared });
            }
            let shared = self.shared_branches()?;
            let offer = pins.offers().iter().find(|(other, key, branch)| {
                *other == zone && going.contains(key) && shared.contains(branch)
            });
            if let Some((zone, key, branch)) = offer.cloned() {
                let commit = commits.first().cloned().unwrap_or_default();
                return Err(VaultError::Offered { zone, key, branch, commit });
            }
            pins.forget_from(&zone, first);
            zones.insert(zone.clone(), (first, commits));
            ids.insert(zone, going);
        }
        for (zone, id) in pins.discarded() {
            ids.entry(zone.clone()).or_insert_with(BTreeSet::new).insert(id);
        }
        pins.check_store(&self.manifest)?;
        let since = self.repository.head()?;
        let resealed = self.reseal_what_needs(&ids, &pins, keys, prompt)?;
        if zones.is_empty() && resealed.is_empty() {
            return Err(match behind {
                // Who was rotated against may have put the old state back: whoever
                // came first has left an epoch that is no earlier.
                Some((zone, seen, found)) => {
                    let begun = pins.begun_in(&zone, seen);
                    PinError::RolledBack { zone, seen, found, begun }.into()
                }
                None => self.kept_the_wrong_side(&pins)?.unwrap_or(VaultError::NothingToDiscard),
            });
        }
        Ok(Lost { zones, pins, resealed, since })
    }

    /// Seals anew what needs a key that goes, as a commit, and forgets the epochs.
    ///
    /// # Errors
    ///
    /// Nothing was recorded, or what this clone knows cannot be written; the same
    /// again finishes then.
    pub fn discard_rotations(&mut self, lost: Lost, message: &Message) -> Result<Discarded, VaultError> {
        let Lost { zones, pins, resealed, since } = lost;
        let files = resealed.len();
        let ids: BTreeSet<_> = resealed.iter().filter_map(|file| seal::key_id(&file.before).ok()?).collect();
        let also = if files == 0 { Vec::new() } else { self.not_reached(ids)? };
        let mut edit = Edit { since: Some(since), also, ..Edit::default() };
        for Resealed { path, before, sealed } in resealed {
            let work_tree = self.follow(&path, &before, &sealed)?;
            edit.seal(path, work_tree, sealed);
        }
        // First: until the keys go, the same can be done again.
        let commit = if files == 0 { None } else { edit.record(&self.repository, message)? };
        let _lock = RepositoryLock::acquire(&self.repository)?;
        if let Some(mut keyring) = self.keyring()? {
            for (zone, (first, _)) in &zones {
                let before = first.previous().and_then(|epoch| keyring.zone(zone)?.at(epoch));
                if let (Some(before), Some(padding)) = (before, keyring.padding(zone)) {
                    keyring.insert(before, padding);
                }
            }
            // What opens less first: a run that is killed here leaves what it found refused.
            Keyring::write(&keyring, &self.repository.state().join("keyring"))?;
        }
        pins.write(&self.repository.state().join("pins"))?;
        let mut commits: Vec<_> = zones.into_values().flat_map(|(_, commits)| commits).collect();
        commits.sort();
        commits.dedup();
        let rotations = commits.into_iter().map(|commit| {
            let subject = self.repository.git(&["log", "-1", "--format=%s", &commit, "--"], &[]).ok();
            let subject = subject.map(|text| String::from_utf8_lossy(&text).trim().to_owned());
            (commit, subject)
        });
        Ok(Discarded { rotations: rotations.collect(), files, commit })
    }

    /// Commits that describe a zone with one of these keys, where `HEAD` leads to
    /// none: after a rebase they alone tell which keys its commits name, and hold
    /// these keys for the members.
    fn not_reached(&self, mut ids: BTreeSet<KeyId>) -> Result<Vec<Oid>, VaultError> {
        let mut found = BTreeMap::new();
        for version in self.repository.versions()? {
            let is_zone =
                version.path.starts_with(b".certkeep/zones/") && version.path.ends_with(b"/zone.toml");
            let blob = if is_zone { self.repository.blob_if_here(version.blob)? } else { None };
            let key = blob.and_then(|blob| Some(Manifest::parse_zone(&blob).ok()?.key_id));
            let Some(key) = key.filter(|key| ids.contains(key)) else { continue };
            let range = format!("HEAD..{}", version.commit);
            if self.repository.git(&["rev-list", "-1", &range, "--"], &[])?.is_empty() {
                ids.remove(&key);
                found.remove(&key);
            } else if let Some(commit) = self.repository.oid(&version.commit) {
                found.insert(key, commit);
            }
        }
        let found: BTreeSet<_> = found.into_values().collect();
        Ok(found.into_iter().collect())
    }

    /// Whether the store has another key in an epoch than this clone saw there.
    /// Where the zone has gone on since, only its keys tell.
    fn has_other(
        &self,
        pins: &Pins,
        zone: &ZoneName,
        epoch: Epoch,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<bool, VaultError> {
        let (described, seen) = (self.zone(zone)?, pins.id(self.manifest.store, zone, epoch));
        let found = if described.epoch == epoch {
            Some(described.key_id)
        } else {
            match self.unwrap(zone, keys, prompt) {
                Ok((_, found)) => found.sealing(epoch).map(|key| key.id()),
                Err(error) if super::trust::is_closed(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        };
        Ok(seen.is_some() && found != seen)
    }

    /// Which key of an epoch each branch of a remote had first, as far as this
    /// clone has seen: the branch, the commit that had it there, and the key. Of
    /// `own` keys, those of later epochs count as well.
    fn first_on_remotes(
        &self,
        zone: &ZoneName,
        epoch: Epoch,
        own: &BTreeSet<KeyId>,
    ) -> Result<Vec<First>, VaultError> {
        let lines =
            |output: Vec<u8>| String::from_utf8_lossy(&output).lines().map(str::to_owned).collect::<Vec<_>>();
        let mut found = Vec::new();
        // `origin/HEAD` is another name of a branch.
        let format = "--format=%(if)%(symref)%(then)%(else)%(objectname) %(refname)%(end)";
        let listed = ["for-each-ref", format, "refs/remotes"];
        for line in lines(self.repository.git(&listed, &[])?) {
            let Some((tip, name)) = line.split_once(' ') else { continue };
            // The oldest first; the tip again, for a clone may keep no reflog.
            let mut states = lines(self.repository.git(&["log", "-g", "--format=%H", name, "--"], &[])?);
            states.reverse();
            states.push(tip.to_owned());
            for commit in states {
                let Some(described) = self.zone_at(&commit, zone)? else { continue };
                if described.epoch == epoch || own.contains(&described.key_id) {
                    found.push(First { reference: name.to_owned(), commit, key: described.key_id });
                    break;
                }
            }
        }
        Ok(found)
    }

    /// What to say where nothing is lost: a key of this clone's is in force here,
    /// and a remote had another one before it. A merge took the wrong side.
    fn kept_the_wrong_side(&self, pins: &Pins) -> Result<Option<VaultError>, VaultError> {
        for (zone, epoch, _) in pins.begun() {
            let present = self.manifest.zones.get(zone).filter(|described| described.epoch == epoch);
            let Some(own) = present.map(|described| BTreeSet::from([described.key_id])) else { continue };
            let firsts = self.first_on_remotes(zone, epoch, &own)?;
            if firsts.iter().any(|first| own.contains(&first.key)) {
                continue;
            }
            if let Some(First { reference, commit, .. }) = firsts.into_iter().next() {
                return Ok(Some(VaultError::OthersFirst { zone: zone.clone(), epoch, reference, commit }));
            }
        }
        Ok(None)
    }

    /// A zone as some commit describes it, if that is here and can be understood.
    fn zone_at(&self, commit: &str, zone: &ZoneName) -> Result<Option<manifest::Zone>, VaultError> {
        let path = format!("{FOLDER}/zones/{zone}/zone.toml");
        let found = self.repository.oid(commit).filter(|&commit| self.repository.holds(commit));
        let entry = found.map(|commit| self.repository.entry(commit, &path)).transpose()?.flatten();
        let Some(blob) = entry.map(|entry| self.repository.blob_if_here(entry.oid)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        Ok(Manifest::parse_zone(&blob).ok())
    }
}

/// The epochs that this clone began, by zone, the oldest first, with their commits.
fn begun_by_zone(pins: &Pins) -> BTreeMap<ZoneName, Vec<(Epoch, Option<String>)>> {
    let mut zones: BTreeMap<ZoneName, Vec<(Epoch, Option<String>)>> = BTreeMap::new();
    for (zone, epoch, commit) in pins.begun() {
        zones.entry(zone.clone()).or_default().push((epoch, commit.map(str::to_owned)));
    }
    zones
}
