// SPDX-License-Identifier: MIT OR Apache-2.0
//! What this clone has seen of a store: which key id a zone had in which epoch,
//! where the PKI is, which patterns a zone had when it was verified last.
//! Whoever can push but not open could exchange a key, or the whole store, or
//! bring an old one back; whoever has seen the right one notices, without any
//! key. Survives `lock`; holds no secret.
//!
//! long: what is written down, what is read back and what speaks against a
//! store stand beside each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use certkeep_pki::change::Contents;
use thiserror::Error;

use crate::{
    durable::FileError,
    keyring::replace,
    manifest::{Distrust, Manifest},
    read::{ReadError, read_file},
    seal::{KeyId, StoreId},
    zone::{Epoch, Pattern, Rules, ZoneName},
    zone_keys::ZoneKeys,
};

const HEADER: &str = "certkeep pins 1";

/// Every key id that was seen, and the rules that were in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pins {
    keys: BTreeMap<(StoreId, ZoneName, Epoch), KeyId>,
    /// The PKI folder, which no command changes; `None` before any was seen.
    pki: Option<Option<String>>,
    patterns: BTreeMap<ZoneName, Vec<Pattern>>,
    /// The commits in which this clone began an epoch itself.
    begun: BTreeMap<(ZoneName, Epoch), String>,
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
    /// Reads what was seen; nothing, where there is no file.
    ///
    /// # Errors
    ///
    /// An unreadable file, or one that this program did not write.
    pub fn read(path: &Path) -> Result<Self, PinError> {
        let mut pins = Self::default();
        let Some(bytes) = read_file(path)? else { return Ok(pins) };
        let text = String::from_utf8(bytes).map_err(|_| PinError::Line(1))?;
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(PinError::Line(1));
        }
        for (number, line) in (2..).zip(lines) {
            if let Some(rule) = line.strip_prefix("rule ") {
                pins.read_rule(rule).ok_or(PinError::Line(number))?;
                continue;
            }
            let mut words = line.split(' ');
            let mut pin = || {
                let store = StoreId::parse(words.next()?)?;
                let zone = ZoneName::parse(words.next()?).ok()?;
                let epoch = Epoch::new(words.next()?.parse().ok()?)?;
                let id = KeyId::parse(words.next()?)?;
                words.next().is_none().then_some(((store, zone, epoch), id))
            };
            let (place, id) = pin().ok_or(PinError::Line(number))?;
            pins.keys.insert(place, id);
        }
        Ok(pins)
    }

    /// A line about a rule, without its first word.
    fn read_rule(&mut self, rule: &str) -> Option<()> {
        match rule.split_once(' ')? {
            ("pki", "-") => self.pki = Some(None),
            ("pki", folder) => self.pki = Some(Some(folder.strip_prefix('=')?.to_owned())),
            ("pattern", rest) => {
                let (zone, pattern) = rest.split_once(' ')?;
                let patterns = self.patterns.entry(ZoneName::parse(zone).ok()?).or_default();
                patterns.push(Pattern::parse(pattern).ok()?);
            }
            ("begun", rest) => {
                let mut words = rest.split(' ');
                let zone = ZoneName::parse(words.next()?).ok()?;
                let epoch = Epoch::new(words.next()?.parse().ok()?)?;
                let commit = words.next().filter(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
                self.begun.insert((zone, epoch), commit.to_owned());
            }
            _ => return None,
        }
        Some(())
    }

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
                let begun = self.begun_in(zone, epoch);
                return Err(PinError::Substituted { zone: zone.clone(), epoch, seen, found, begun });
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

    /// The rules of a store. Where a zone's description is nobody's word, it can
    /// add patterns and take none away: what was sealed stays protected.
    #[must_use]
    pub fn rules(&self, manifest: &Manifest, verified: &BTreeSet<ZoneName>) -> Rules {
        let patterns = manifest.zones.iter().flat_map(|(name, zone)| {
            let lost = self.lost(name, manifest).filter(|_| !verified.contains(name));
            zone.patterns.iter().chain(lost).map(|pattern| (pattern.clone(), name.clone()))
        });
        Rules::new(manifest.pki.as_deref(), patterns.collect())
    }

    /// The patterns that a zone had and has not any more.
    pub fn lost<'a>(&'a self, zone: &ZoneName, manifest: &'a Manifest) -> impl Iterator<Item = &'a Pattern> {
        let present = manifest.zones.get(zone).map_or(&[][..], |zone| zone.patterns.as_slice());
        let seen = self.patterns.get(zone).into_iter().flatten();
        seen.filter(|pattern| !present.contains(pattern))
    }

    /// Whether a zone is described as this clone knows it: with a key that it has
    /// seen, and with the patterns that it took from nobody's word but a member's.
    #[must_use]
    pub fn agree(&self, zone: &ZoneName, manifest: &Manifest) -> bool {
        let Some(described) = manifest.zones.get(zone) else { return false };
        let key = self.keys.get(&(manifest.store, zone.clone(), described.epoch));
        let known = self.patterns.get(zone).map_or(&[][..], Vec::as_slice);
        key == Some(&described.key_id)
            && self.pki.as_ref() == Some(&manifest.pki)
            && self.lost(zone, manifest).next().is_none()
            && described.patterns.iter().all(|pattern| known.contains(pattern))
    }

    /// Remembers the rules of a store: exactly those of zones that were verified,
    /// and of the others no fewer than before.
    pub fn remember_rules(&mut self, manifest: &Manifest, verified: &BTreeSet<ZoneName>) {
        let rules = self.rules(manifest, verified);
        self.patterns.clear();
        for (pattern, zone) in rules.patterns() {
            self.patterns.entry(zone.clone()).or_default().push(pattern.clone());
        }
        self.pki = Some(manifest.pki.clone());
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
                    let begun = self.begun_in(zone, epoch);
                    return Err(PinError::Substituted { zone: zone.clone(), epoch, seen, found, begun });
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

    /// Remembers every zone of a store that is seen for the first time, also
    /// those that nobody opens yet.
    pub fn remember_first(&mut self, manifest: &Manifest) {
        if self.keys.is_empty() {
            for (name, zone) in &manifest.zones {
                self.keys.insert((manifest.store, name.clone(), zone.epoch), zone.key_id);
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
        }
    }

    /// Remembers that this clone began the present epoch of these keys.
    pub fn remember_begun(&mut self, keys: &ZoneKeys, commit: &str) {
        self.begun.insert((keys.zone().clone(), keys.current()), commit.to_owned());
    }

    /// The epochs that this clone began, each with its commit.
    pub fn begun(&self) -> impl Iterator<Item = (&ZoneName, Epoch, &str)> {
        self.begun.iter().map(|((zone, epoch), commit)| (zone, *epoch, commit.as_str()))
    }

    /// Forgets an epoch of a zone and every later one.
    pub fn forget_from(&mut self, zone: &ZoneName, epoch: Epoch) {
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
        self.keys.iter().filter(move |((_, name, other), _)| name == zone && *other >= epoch).map(|(_, &id)| id)
    }

    /// The commit in which this clone began an epoch, if it did.
    #[must_use]
    pub fn begun_in(&self, zone: &ZoneName, epoch: Epoch) -> Option<String> {
        self.begun.get(&(zone.clone(), epoch)).cloned()
    }

    /// Writes down what was seen, whole or not at all.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn write(&self, path: &Path) -> Result<(), PinError> {
        let mut text = format!("{HEADER}\n");
        for ((store, zone, epoch), id) in &self.keys {
            text.push_str(&format!("{store} {zone} {epoch} {id}\n"));
        }
        match &self.pki {
            Some(Some(folder)) => text.push_str(&format!("rule pki ={folder}\n")),
            Some(None) => text.push_str("rule pki -\n"),
            None => {}
        }
        for (zone, patterns) in &self.patterns {
            for pattern in patterns {
                text.push_str(&format!("rule pattern {zone} {}\n", pattern.as_str()));
            }
        }
        for ((zone, epoch), commit) in &self.begun {
            text.push_str(&format!("rule begun {zone} {epoch} {commit}\n"));
        }
        Ok(replace(path, &Contents::from(text))?)
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

#[cfg(test)]
mod tests {
    use std::fs;

    use certkeep_pki::secret::SecretBytes;
    use rand_core::{OsRng, TryRngCore as _};

    use super::*;

    #[test]
    fn other_keys_and_earlier_epochs_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("certkeep/pins");
        let mut rng = OsRng.unwrap_err();
        let store = StoreId::generate(&mut rng);
        let mut fresh =
            |store, zone| ZoneKeys::generate(store, ZoneName::parse(zone).expect("valid"), &mut rng);
        let (first, forged, reqs) = (fresh(store, "keys"), fresh(store, "keys"), fresh(store, "reqs"));
        let (other, again) = (StoreId::parse(&"02".repeat(16)).expect("digits"), fresh(store, "keys"));
        let elsewhere = fresh(other, "reqs");
        let mut rotated = |keys: &ZoneKeys| keys.rotated(&mut rng).expect("another");
        let second = rotated(&first);
        let third = rotated(&second);

        let mut pins = Pins::read(&path).expect("nothing there");
        pins.remember(&second);
        pins.write(&path).expect("written");

        let pins = Pins::read(&path).expect("readable");
        for fine in [&second, &third] {
            assert!(pins.check(fine).is_ok(), "{fine:?}");
        }
        assert!(matches!(pins.check(&reqs), Err(PinError::NewZone { .. })));
        assert!(matches!(pins.check(&first), Err(PinError::RolledBack { .. })));
        // A key that certifies itself: the epochs before are its own as well.
        let forged = rotated(&forged);
        let forged = rotated(&forged);
        assert!(matches!(pins.check(&forged), Err(PinError::Substituted { epoch: Epoch::FIRST, .. })));
        assert!(matches!(pins.check(&rotated(&first)), Err(PinError::Substituted { .. })));
        assert!(matches!(pins.check(&elsewhere), Err(PinError::OtherStore { .. })));
        // The same without the first epoch.
        let payload = String::from_utf8(rotated(&again).to_payload().expose().to_vec()).expect("text");
        let without: Vec<_> = payload.lines().filter(|line| !line.starts_with("epoch 1 ")).collect();
        let mut seen_first = Pins::default();
        seen_first.remember(&first);
        let without = SecretBytes::new(without.join("\n").into_bytes());
        let without = ZoneKeys::parse(&without).expect("keys");
        assert!(matches!(seen_first.check(&without), Err(PinError::Dropped { .. })));

        for text in [
            "",
            "certkeep pins 2\n",
            "certkeep pins 1\nx\n",
            "certkeep pins 1\nrule pki x\n",
            "certkeep pins 1\nrule pattern keys **\n",
            "certkeep pins 1\nrule other -\n",
        ] {
            fs::write(&path, text).expect("written");
            assert!(Pins::read(&path).is_err(), "{text}");
        }
    }
}
