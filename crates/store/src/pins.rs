// SPDX-License-Identifier: MIT OR Apache-2.0
//! What this clone has seen of a store: which key id a zone had in which epoch,
//! where the PKI is, which patterns a zone had when it was verified last.
//! Whoever can push but not open could exchange a key, or the whole store, or
//! bring an old one back; whoever has seen the right one notices, without any
//! key. Survives `lock`; holds no secret.
//!
//! long: everything that may speak against a store, with its words.

mod file;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

pub use self::rules::Standing;
use self::rules::Verified;
use crate::{
    durable::FileError,
    manifest::{Distrust, GrantState, Manifest},
    member::MemberName,
    read::ReadError,
    seal::{KeyId, StoreId},
    zone::{Epoch, Mode, Pattern, ZoneName},
    zone_keys::ZoneKeys,
};

/// Every key id that was seen, and the rules that were in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pins {
    keys: BTreeMap<(StoreId, ZoneName, Epoch), KeyId>,
    /// The PKI folder, which no command changes; `None` before any was seen.
    pki: Option<Option<String>>,
    patterns: BTreeMap<ZoneName, Vec<Pattern>>,
    /// The zones that were seen sealed.
    sealed: BTreeSet<ZoneName>,
    /// Whose key each name had, by fingerprint, when a member of the present epoch
    /// last vouched for it in a zone.
    members: BTreeMap<(ZoneName, MemberName), String>,
    /// How each zone was described when it was verified last.
    verified: BTreeMap<ZoneName, Verified>,
    /// The epochs that this clone began itself.
    begun: BTreeMap<(ZoneName, Epoch), Begun>,
    /// Keys of epochs that this clone has forgotten on demand.
    discarded: BTreeSet<(ZoneName, KeyId)>,
    /// Keys of epochs begun here that a push has brought, or was to bring, to a branch of a server.
    offered: BTreeSet<(ZoneName, KeyId, String)>,
}

/// An epoch that this clone began.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Begun {
    key: KeyId,
    /// `None`: it was about to be recorded, and perhaps never was.
    commit: Option<String>,
}

/// Why pins cannot be read or written, or what speaks against a key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PinError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// Another version of certkeep wrote them, or nobody.
    #[error("line {0} of the pins cannot be understood")]
    Line(usize),
    /// The store was exchanged for another one.
    #[error("this is the store {found}; it was {seen} when this clone saw it first")]
    OtherStore {
        /// The store that was here.
        seen: StoreId,
        /// The store that is here now.
        found: StoreId,
    },
    /// The keys hold none of an epoch that was seen.
    #[error("zone {zone} has no key of epoch {epoch} any more, which this clone has seen")]
    Dropped {
        /// The zone.
        zone: ZoneName,
        /// The epoch.
        epoch: Epoch,
    },
    /// The store has a zone that was not there when this clone saw it first.
    #[error("zone {zone} was not there when this clone saw the store first")]
    NewZone {
        /// The zone.
        zone: ZoneName,
    },
    /// The store has lost a zone: whose keys seal, nobody could tell any more.
    #[error("zone {zone} is not described any more, which this clone has seen")]
    Gone {
        /// The zone.
        zone: ZoneName,
    },
    /// The store keeps another PKI folder.
    #[error(
        "the store keeps the PKI {}; it was {} when this clone saw it first",
        folder(found),
        folder(seen)
    )]
    OtherPki {
        /// The folder that it kept.
        seen: Option<String>,
        /// The folder that it keeps now.
        found: Option<String>,
    },
    /// The epoch had another key when it was seen before.
    #[error("zone {zone} has the key {found} in epoch {epoch}; it was {seen} when this clone saw it first")]
    Substituted {
        /// The zone.
        zone: ZoneName,
        /// The epoch.
        epoch: Epoch,
        /// The id of the key that the epoch had.
        seen: KeyId,
        /// The id of the key that it has now.
        found: KeyId,
        /// The commit in which this clone began that epoch, if it did.
        begun: Option<String>,
        /// Whether it is a key that this clone has forgotten on demand.
        forgotten: bool,
    },
    /// The zone has been in a later epoch before.
    #[error("zone {zone} is in epoch {found}; this clone has seen epoch {seen}")]
    RolledBack {
        /// The zone.
        zone: ZoneName,
        /// The latest epoch that was seen.
        seen: Epoch,
        /// The epoch that it is in now.
        found: Epoch,
        /// The commit in which this clone began the latest epoch, if it did.
        begun: Option<String>,
    },
}

impl Pins {
    /// Compares what a store says of itself with what was seen, for which no key
    /// is needed: the store, its PKI, its zones, and the keys of known epochs.
    ///
    /// # Errors
    ///
    /// What speaks against it.
    pub fn check_store(&self, manifest: &Manifest) -> Result<(), PinError> {
        for ((store, zone, epoch), &seen) in &self.keys {
            if *store != manifest.store {
                return Err(PinError::OtherStore { seen: *store, found: manifest.store });
            }
            let Some(described) = manifest.zones.get(zone) else {
                return Err(PinError::Gone { zone: zone.clone() });
            };
            let (epoch, found) = (*epoch, described.key_id);
            if described.epoch == epoch && found != seen {
                return Err(self.substituted(zone, epoch, seen, found));
            }
        }
        if let Some(zone) = manifest.zones.keys().find(|zone| !self.keys.is_empty() && !self.knows(zone)) {
            return Err(PinError::NewZone { zone: zone.clone() });
        }
        match &self.pki {
            Some(seen) if *seen != manifest.pki => {
                Err(PinError::OtherPki { seen: seen.clone(), found: manifest.pki.clone() })
            }
            _ => Ok(()),
        }
    }

    fn substituted(&self, zone: &ZoneName, epoch: Epoch, seen: KeyId, found: KeyId) -> PinError {
        let begun = self.begun_in(zone, epoch);
        let forgotten = self.discarded.contains(&(zone.clone(), found));
        PinError::Substituted { zone: zone.clone(), epoch, seen, found, begun, forgotten }
    }

    /// What in a store's description speaks against the rules in it, as far as a
    /// clone without keys can tell: another store, a zone less, another PKI.
    #[must_use]
    pub fn distrust(&self, manifest: &Manifest) -> Option<(ZoneName, Distrust)> {
        match self.check_store(manifest).err()? {
            PinError::Gone { zone } => Some((zone, Distrust::Missing)),
            PinError::OtherStore { .. } | PinError::OtherPki { .. } => {
                let zone = self.keys.keys().next().map(|(_, zone, _)| zone.clone())?;
                Some((zone, Distrust::OtherStore))
            }
            _ => None,
        }
    }

    /// Compares the epochs of a store's zones with the latest that were seen: an
    /// earlier one is what a former member knows.
    ///
    /// # Errors
    ///
    /// [`PinError::RolledBack`].
    pub fn check_epochs(&self, manifest: &Manifest) -> Result<(), PinError> {
        for (name, zone) in &manifest.zones {
            if let Some(seen) = self.latest(name).filter(|&seen| seen > zone.epoch) {
                let begun = self.begun_in(name, seen);
                return Err(PinError::RolledBack { zone: name.clone(), seen, found: zone.epoch, begun });
            }
        }
        Ok(())
    }

    /// The latest epoch of a zone that was seen.
    #[must_use]
    pub fn latest(&self, zone: &ZoneName) -> Option<Epoch> {
        self.keys.keys().filter(|(_, name, _)| name == zone).map(|&(.., epoch)| epoch).max()
    }

    /// Compares the keys of a zone with what was seen: those of every epoch,
    /// for a later one that nobody has seen yet is certified by the earlier ones.
    ///
    /// # Errors
    ///
    /// What speaks against them.
    pub fn check(&self, keys: &ZoneKeys) -> Result<(), PinError> {
        let zone = keys.zone();
        for ((store, name, epoch), &seen) in &self.keys {
            let (store, epoch) = (*store, *epoch);
            if store != keys.store() {
                return Err(PinError::OtherStore { seen: store, found: keys.store() });
            }
            if name != zone {
                continue;
            }
            match keys.sealing(epoch).map(|key| key.id()) {
                Some(found) if found == seen => {}
                Some(found) => {
                    return Err(self.substituted(zone, epoch, seen, found));
                }
                None if epoch > keys.current() => {
                    return Err(PinError::RolledBack {
                        zone: zone.clone(),
                        seen: epoch,
                        found: keys.current(),
                        begun: self.begun_in(zone, epoch),
                    });
                }
                None => return Err(PinError::Dropped { zone: zone.clone(), epoch }),
            }
        }
        // No command of ours adds a zone to a store; whoever can push might, to
        // have new secrets sealed with a key of his own.
        if self.keys.is_empty() || self.knows(zone) {
            Ok(())
        } else {
            Err(PinError::NewZone { zone: zone.clone() })
        }
    }

    /// Whether a zone was seen, open or not.
    #[must_use]
    pub fn knows(&self, zone: &ZoneName) -> bool {
        self.keys.keys().any(|(_, name, _)| name == zone)
    }

    /// Whether a zone had a key with this id in some epoch that was seen.
    #[must_use]
    pub(crate) fn has_seen(&self, zone: &ZoneName, key: KeyId) -> bool {
        self.keys.iter().any(|((_, name, _), &seen)| name == zone && seen == key)
    }

    /// Remembers every zone of a store that is seen for the first time, also
    /// those that nobody opens yet.
    pub fn remember_first(&mut self, manifest: &Manifest) {
        if self.keys.is_empty() {
            for (name, zone) in &manifest.zones {
                self.keys.insert((manifest.store, name.clone(), zone.epoch), zone.key_id);
                self.verified.insert(name.clone(), Verified::of(name, zone, manifest, false));
                if zone.mode == Mode::Sealed {
                    self.sealed.insert(name.clone());
                }
            }
        }
    }

    /// Remembers the keys of a zone, which were checked or made here, and no
    /// other store's.
    pub fn remember(&mut self, keys: &ZoneKeys) {
        self.keys.retain(|(store, ..), _| *store == keys.store());
        for epoch in keys.epochs() {
            let id = keys.sealing(epoch).expect("it has a key").id();
            self.keys.insert((keys.store(), keys.zone().clone(), epoch), id);
            let place = (keys.zone().clone(), epoch);
            if self.begun.get(&place).is_some_and(|begun| begun.key != id) {
                // One that was never recorded.
                self.begun.remove(&place);
            }
        }
    }

    /// Remembers whose keys the names have that a member of the present epoch let in.
    pub fn remember_members(&mut self, keys: &ZoneKeys, manifest: &Manifest) {
        let zone = keys.zone();
        let granted = manifest.zones.get(zone).into_iter().flat_map(|zone| zone.grants.keys());
        for name in granted.filter(|name| manifest.granted(zone, name, keys) == GrantState::Valid) {
            if let Some(member) = manifest.members.get(name) {
                self.know_member(zone, name, &member.fingerprint);
            }
        }
    }

    /// Remembers whose key a name has.
    pub fn know_member(&mut self, zone: &ZoneName, name: &MemberName, fingerprint: &str) {
        self.members.insert((zone.clone(), name.clone()), fingerprint.to_owned());
    }

    /// The fingerprint of the key that a name was last seen with in a zone.
    #[must_use]
    pub fn member(&self, zone: &ZoneName, name: &MemberName) -> Option<&str> {
        self.members.get(&(zone.clone(), name.clone())).map(String::as_str)
    }

    /// Whether a name was seen with another key: in this zone, or else in all others
    /// where it was seen.
    #[must_use]
    pub fn knows_another(&self, zone: &ZoneName, name: &MemberName, fingerprint: &str) -> bool {
        let mut seen = self.members.iter().filter(|((_, known), _)| known == name).map(|(_, seen)| seen);
        match self.member(zone, name) {
            Some(seen) => seen != fingerprint,
            None => {
                self.members.keys().any(|(_, known)| known == name) && seen.all(|seen| seen != fingerprint)
            }
        }
    }

    /// Remembers that this clone begins the present epoch of these keys, in a
    /// commit once there is one.
    pub fn remember_begun(&mut self, keys: &ZoneKeys, commit: Option<&str>) {
        let begun = Begun { key: keys.sealing_now().id(), commit: commit.map(str::to_owned) };
        self.begun.insert((keys.zone().clone(), keys.current()), begun);
    }

    /// The epochs that this clone began and has seen since, each with its commit
    /// as far as that is known.
    pub fn begun(&self) -> impl Iterator<Item = (&ZoneName, Epoch, Option<&str>)> {
        let seen = self.begun.iter().filter(|((zone, epoch), begun)| {
            self.keys.iter().any(|((_, name, other), id)| (name, other, id) == (zone, epoch, &begun.key))
        });
        seen.map(|((zone, epoch), begun)| (zone, *epoch, begun.commit.as_deref()))
    }

    /// The key of an epoch that this clone began.
    #[must_use]
    pub fn key_begun(&self, zone: &ZoneName, epoch: Epoch) -> Option<KeyId> {
        self.begun.get(&(zone.clone(), epoch)).map(|begun| begun.key)
    }

    /// Remembers that a branch of a server may have a key of this clone's.
    pub fn remember_offered(&mut self, zone: &ZoneName, key: KeyId, branch: &str) {
        if !branch.contains(char::is_control) {
            self.offered.insert((zone.clone(), key, branch.to_owned()));
        }
    }

    /// Keys that branches of servers may have: the zone, the key, the branch there.
    #[must_use]
    pub fn offers(&self) -> &BTreeSet<(ZoneName, KeyId, String)> {
        &self.offered
    }

    /// Puts back what [`Pins::offers`] was.
    pub fn set_offers(&mut self, offers: BTreeSet<(ZoneName, KeyId, String)>) {
        self.offered = offers;
    }

    /// Whether a key was forgotten on demand.
    #[must_use]
    pub fn is_discarded(&self, zone: &ZoneName, key: KeyId) -> bool {
        self.discarded.contains(&(zone.clone(), key))
    }

    /// The keys that were forgotten, each with its zone.
    pub fn discarded(&self) -> impl Iterator<Item = (&ZoneName, KeyId)> {
        self.discarded.iter().map(|(zone, id)| (zone, *id))
    }

    /// Forgets an epoch of a zone and every later one.
    pub fn forget_from(&mut self, zone: &ZoneName, epoch: Epoch) {
        let going: Vec<_> = self.ids_from(zone, epoch).collect();
        self.discarded.extend(going.into_iter().map(|id| (zone.clone(), id)));
        // It may be of that epoch, and what is described now is not older.
        self.verified.remove(zone);
        self.keys.retain(|(_, name, other), _| name != zone || *other < epoch);
        self.begun.retain(|(name, other), _| name != zone || *other < epoch);
    }

    /// The id of the key that an epoch had when it was seen.
    #[must_use]
    pub fn id(&self, store: StoreId, zone: &ZoneName, epoch: Epoch) -> Option<KeyId> {
        self.keys.get(&(store, zone.clone(), epoch)).copied()
    }

    /// The ids of the keys of an epoch and of every later one.
    pub fn ids_from(&self, zone: &ZoneName, epoch: Epoch) -> impl Iterator<Item = KeyId> {
        self.keys
            .iter()
            .filter(move |((_, name, other), _)| name == zone && *other >= epoch)
            .map(|(_, &id)| id)
    }

    /// The commit in which this clone began an epoch, if it did; empty if it was
    /// killed before it could write that down.
    #[must_use]
    pub fn begun_in(&self, zone: &ZoneName, epoch: Epoch) -> Option<String> {
        let begun = self.begun.get(&(zone.clone(), epoch))?;
        let seen =
            self.keys.iter().any(|((_, name, other), id)| (name, *other, id) == (zone, epoch, &begun.key));
        seen.then(|| begun.commit.clone().unwrap_or_default())
    }
}

/// A PKI folder in a sentence.
fn folder(pki: &Option<String>) -> String {
    match pki.as_deref() {
        None => "of nobody".to_owned(),
        Some("") => "at the top of the work tree".to_owned(),
        Some(folder) => format!("in `{}`", folder.escape_debug()),
    }
}
