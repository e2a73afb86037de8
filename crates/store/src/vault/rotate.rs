// SPDX-License-Identifier: MIT OR Apache-2.0
//! New keys for a zone, and how a member goes: one commit, and an honest list
//! of what he could read.
//!
//! long: rotating and removing are one operation, and its report is told here.

use std::collections::{BTreeMap, BTreeSet};

use certkeep_pki::moment::Moment;
use rand_core::CryptoRng;

use super::{
    Keys, Vault, VaultError,
    edit::Edit,
    members::{Skipped, wrap_for_all},
    past,
    trust::{Taken, is_closed},
};
use crate::{
    history::Message,
    keyring::Keyring,
    manifest::{GrantState, Manifest},
    member::MemberName,
    prompt::Prompt,
    zone::{Protection, ZoneName},
    zone_keys::ZoneKeys,
};

/// What was rotated.
#[derive(Debug)]
pub struct Report {
    /// The commit.
    pub commit: Option<String>,
    /// The zones that have a new key.
    pub zones: Vec<ZoneName>,
    /// How many files were sealed anew.
    pub files: usize,
    /// Members for whom the new keys were not wrapped.
    pub skipped: Skipped,
}

/// What it means that a member was removed.
#[derive(Debug)]
pub struct Removal {
    /// What was rotated because of it.
    pub rotated: Report,
    /// Every file that he could read, present and past: path and zone.
    pub readable: BTreeMap<String, ZoneName>,
    /// Those of them that the repository still has.
    pub present: BTreeSet<String>,
}

impl Vault {
    /// Begins a new epoch in each of the zones: new keys, wrapped for every
    /// member with a valid grant and a usable key, and every file sealed anew;
    /// `progress` is told how many are written, of how many.
    ///
    /// # Errors
    ///
    /// A zone cannot be opened, a grant is unconfirmed, no member has a usable key.
    #[expect(clippy::too_many_arguments, reason = "what, with which keys, when, and how it is told")]
    pub fn rotate(
        &mut self,
        zones: &[ZoneName],
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        now: Moment,
        message: &Message,
        rng: &mut dyn CryptoRng,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Report, VaultError> {
        let after = self.manifest.clone();
        self.begin_epochs(after, zones, &[], keys, prompt, now, message, rng, progress)
    }

    /// Removes members and rotates every zone that one of them could open.
    ///
    /// # Errors
    ///
    /// As [`Vault::rotate`] and [`Vault::zones_of`]; [`VaultError::LastMember`].
    #[expect(clippy::too_many_arguments, reason = "who, with which keys, when, and how it is told")]
    pub fn remove_members(
        &mut self,
        names: &[MemberName],
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        now: Moment,
        message: &Message,
        rng: &mut dyn CryptoRng,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Removal, VaultError> {
        let zones = self.zones_of(names)?;
        let mut after = self.manifest.clone();
        after.members.retain(|name, _| !names.contains(name));
        for (zone, described) in &mut after.zones {
            described.grants.retain(|name, _| !names.contains(name));
            described.wraps.retain(|(_, name), _| !names.contains(name));
            if described.grants.is_empty() && zones.contains(zone) {
                return Err(VaultError::LastMember { members: names.to_vec(), zone: zone.clone() });
            }
        }
        self.uncontested(&zones, keys, prompt)?;
        let (readable, present) = self.readable(&zones)?;
        let rotated = self.begin_epochs(after, &zones, names, keys, prompt, now, message, rng, progress)?;
        Ok(Removal { rotated, readable, present })
    }

    /// The zones that need new keys when these members go: where one of them has
    /// a grant or wrapped keys, and where some commit has the present keys wrapped
    /// for him. Whether a grant is genuine does not matter, nor whether it is still
    /// there: he may have altered his files himself.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoMember`] for one of whom no file speaks.
    pub fn zones_of(&self, names: &[MemberName]) -> Result<Vec<ZoneName>, VaultError> {
        let past = past::wraps(&self.repository, &self.manifest)?;
        let known = self.manifest.names();
        let mut zones = BTreeSet::new();
        for name in names {
            let before = past.iter().filter(|(_, member)| member == name).map(|(zone, _)| zone);
            let his = self.manifest.zones.iter().filter(|(_, zone)| zone.speaks_of(name));
            let his: BTreeSet<_> = his.map(|(zone, _)| zone).chain(before).cloned().collect();
            if his.is_empty() && !known.contains(name) {
                return Err(VaultError::NoMember { member: name.clone() });
            }
            zones.extend(his);
        }
        Ok(zones.into_iter().collect())
    }

    /// Everybody with a grant that no member gave, as far as keys at hand can tell.
    fn forged(&self, keys: &Keys) -> Result<BTreeSet<MemberName>, VaultError> {
        let (mut forged, past) = (BTreeSet::new(), self.past_grants()?);
        for (zone, keys) in self.open_zones(keys)? {
            let described = self.zone(&zone)?;
            // Where the zone itself is not to be trusted, nothing is known of its grants.
            if described.verify(&zone, self.manifest.store, self.manifest.pki.as_deref(), &keys).is_err() {
                continue;
            }
            let is_forged =
                |name: &&MemberName| self.granted(&past, &zone, name, &keys) == GrantState::Forged;
            forged.extend(described.grants.keys().filter(is_forged).cloned());
        }
        Ok(forged)
    }

    #[expect(clippy::too_many_arguments, reason = "what, with which keys, when, and how it is told")]
    fn begin_epochs(
        &mut self,
        mut after: Manifest,
        zones: &[ZoneName],
        leaving: &[MemberName],
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        now: Moment,
        message: &Message,
        rng: &mut dyn CryptoRng,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Report, VaultError> {
        self.verify()?;
        self.uncontested(zones, keys, prompt)?;
        self.certain(&after, zones, leaving, keys, prompt)?;
        let mut edit = Edit { progress: Some(progress), ..Edit::default() };
        let (mut files, mut skipped) = (0, Skipped::new());
        let mut begun: Vec<ZoneKeys> = Vec::new();
        for zone in zones {
            let old = self.zone_keys(zone, keys, prompt)?;
            let new = old.rotated(rng).ok_or_else(|| VaultError::LastEpoch { zone: zone.clone() })?;
            let described = self.zone(zone)?;
            let names: Vec<_> =
                after.zones.get(zone).into_iter().flat_map(|zone| zone.grants.keys().cloned()).collect();
            files += edit.reseal(self, zone, old, &new, described.padding)?;
            self.certify(&mut after, zone, &new, Taken::Nothing)?;
            for name in &names {
                after.grant(zone, name, &new)?;
            }
            skipped.extend(wrap_for_all(&mut after, zone, &new, now)?);
            begun.push(new);
        }
        // Before the commit: whoever has only the old keys would see every file
        // as changed. The filter seals with the epoch that zone.toml names, so
        // keys that nobody gets to see seal nothing.
        self.remember(&begun)?;
        self.pin_begun(&begun)?;
        let commit = self.record(after, edit, keys, &begun, message)?;
        for new in begun {
            keys.insert(new);
        }
        Ok(Report { commit, zones: zones.to_vec(), files, skipped })
    }

    /// Refuses if a key at hand opens what is wrapped for one of those who go, and
    /// none what is wrapped for those who stay: new keys would be for others
    /// alone, and stay in the keyring of who is no member any more.
    ///
    /// # Errors
    ///
    /// [`VaultError::LeavesHimself`].
    pub fn may_take_out(
        &self,
        names: &[MemberName],
        zones: &[ZoneName],
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<(), VaultError> {
        for zone in zones {
            let goes = |name: &MemberName| names.contains(name);
            let stays = |name: &MemberName| !goes(name);
            if !self.zone(zone)?.wraps.keys().any(|(_, name)| stays(name)) {
                continue;
            }
            if self.unwrap_for(zone, &goes, keys, prompt).is_ok()
                && self.unwrap_for(zone, &stays, keys, prompt).is_err_and(|error| is_closed(&error))
            {
                return Err(VaultError::LeavesHimself);
            }
        }
        Ok(())
    }

    /// Opens every zone that takes files from those that are to have new keys, for
    /// only its members are to do that; the rules are exact then.
    fn uncontested(
        &mut self,
        zones: &[ZoneName],
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<(), VaultError> {
        for zone in self.contested(zones)? {
            self.zone_keys(&zone, keys, prompt)?;
        }
        self.rules = self.pins()?.rules(&self.manifest);
        Ok(())
    }

    /// Refuses if anybody who is to stay has a grant that is not certain, and names
    /// all of them at once.
    fn certain(
        &self,
        after: &Manifest,
        zones: &[ZoneName],
        leaving: &[MemberName],
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<(), VaultError> {
        let (mut doubtful, mut forged, past) = (BTreeSet::new(), false, self.past_grants()?);
        for zone in zones {
            let keys = self.zone_keys(zone, keys, prompt)?;
            for name in after.zones.get(zone).into_iter().flat_map(|zone| zone.grants.keys()) {
                match self.granted(&past, zone, name, keys) {
                    GrantState::Valid => {}
                    GrantState::Outdated => drop(doubtful.insert(name.clone())),
                    GrantState::Forged => forged = true,
                }
            }
        }
        if forged {
            let mut members = self.forged(keys)?;
            members.retain(|name| !leaving.contains(name));
            return Err(VaultError::Forged {
                members: members.into_iter().collect(),
                leaving: leaving.to_vec(),
            });
        }
        if !doubtful.is_empty() {
            return Err(VaultError::Unconfirmed { members: doubtful.into_iter().collect() });
        }
        Ok(())
    }

    /// Adds keys to the keyring, for zones that are in it.
    pub(super) fn remember(&self, begun: &[ZoneKeys]) -> Result<(), VaultError> {
        let Some(mut keyring) = self.keyring()? else { return Ok(()) };
        for new in begun.iter().filter(|new| keyring.zone(new.zone()).is_some()).collect::<Vec<_>>() {
            let zone = self.zone(new.zone())?;
            keyring.insert(new.clone(), zone.padding);
        }
        Ok(Keyring::write(&keyring, &self.repository.state().join("keyring"))?)
    }

    /// Every path of these zones that the repository has or had.
    fn readable(
        &self,
        zones: &[ZoneName],
    ) -> Result<(BTreeMap<String, ZoneName>, BTreeSet<String>), VaultError> {
        let mut readable = BTreeMap::new();
        let mut present = BTreeSet::new();
        let mut add = |path: &[u8]| match self.rules.protection(path) {
            Protection::Zone(zone) if zones.contains(zone) => {
                let path = String::from_utf8_lossy(path).into_owned();
                readable.insert(path.clone(), zone.clone());
                Some(path)
            }
            _ => None,
        };
        for entry in self.repository.index_entries()? {
            present.extend(add(&entry.path));
        }
        for path in past::paths(&self.repository)? {
            add(&path);
        }
        Ok((readable, present))
    }
}
