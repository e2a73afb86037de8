// SPDX-License-Identifier: MIT OR Apache-2.0
//! What this clone has seen of a store: which key id a zone had in which epoch.
//! Whoever can push but not open could exchange a key, or the whole store, or
//! bring an old one back; whoever has seen the right one notices. Survives `lock`; holds no secret.

use std::{collections::BTreeMap, path::Path};

use certkeep_pki::change::Contents;
use thiserror::Error;

use crate::{
    durable::FileError,
    keyring::replace,
    manifest::Manifest,
    read::{ReadError, read_file},
    seal::{KeyId, StoreId},
    zone::{Epoch, ZoneName},
    zone_keys::ZoneKeys,
};

const HEADER: &str = "certkeep pins 1";

/// Every key id that was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins(BTreeMap<(StoreId, ZoneName, Epoch), KeyId>);

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
            let mut words = line.split(' ');
            let mut pin = || {
                let store = StoreId::parse(words.next()?)?;
                let zone = ZoneName::parse(words.next()?).ok()?;
                let epoch = Epoch::new(words.next()?.parse().ok()?)?;
                let id = KeyId::parse(words.next()?)?;
                words.next().is_none().then_some(((store, zone, epoch), id))
            };
            let (place, id) = pin().ok_or(PinError::Line(number))?;
            pins.0.insert(place, id);
        }
        Ok(pins)
    }

    /// Compares the keys of a zone with what was seen: those of every epoch,
    /// for a later one that nobody has seen yet is certified by the earlier ones.
    ///
    /// # Errors
    ///
    /// What speaks against them.
    pub fn check(&self, keys: &ZoneKeys) -> Result<(), PinError> {
        let zone = keys.zone();
        for ((store, name, epoch), &seen) in &self.0 {
            let (store, epoch) = (*store, *epoch);
            if store != keys.store() {
                return Err(PinError::OtherStore { seen: store, found: keys.store() });
            }
            if name != zone {
                continue;
            }
            match keys.sealing(epoch).map(|key| key.id()) {
                Some(found) if found == seen => {}
                Some(found) => return Err(PinError::Substituted { zone: zone.clone(), epoch, seen, found }),
                None if epoch > keys.current() => {
                    return Err(PinError::RolledBack {
                        zone: zone.clone(),
                        seen: epoch,
                        found: keys.current(),
                    });
                }
                None => return Err(PinError::Dropped { zone: zone.clone(), epoch }),
            }
        }
        // No command of ours adds a zone to a store; whoever can push might, to
        // have new secrets sealed with a key of his own.
        if self.0.is_empty() || self.knows(zone) {
            Ok(())
        } else {
            Err(PinError::NewZone { zone: zone.clone() })
        }
    }

    /// Whether a zone was seen, open or not.
    #[must_use]
    pub fn knows(&self, zone: &ZoneName) -> bool {
        self.0.keys().any(|(_, name, _)| name == zone)
    }

    /// Remembers every zone of a store that is seen for the first time, also
    /// those that nobody opens yet.
    pub fn remember_first(&mut self, manifest: &Manifest) {
        if self.0.is_empty() {
            for (name, zone) in &manifest.zones {
                self.0.insert((manifest.store, name.clone(), zone.epoch), zone.key_id);
            }
        }
    }

    /// Remembers the keys of a zone, which were checked or made here, and no
    /// other store's.
    pub fn remember(&mut self, keys: &ZoneKeys) {
        self.0.retain(|(store, ..), _| *store == keys.store());
        for epoch in keys.epochs() {
            let id = keys.sealing(epoch).expect("it has a key").id();
            self.0.insert((keys.store(), keys.zone().clone(), epoch), id);
        }
    }

    /// Writes down what was seen, whole or not at all.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn write(&self, path: &Path) -> Result<(), PinError> {
        let mut text = format!("{HEADER}\n");
        for ((store, zone, epoch), id) in &self.0 {
            text.push_str(&format!("{store} {zone} {epoch} {id}\n"));
        }
        Ok(replace(path, &Contents::from(text))?)
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

        for text in ["", "certkeep pins 2\n", "certkeep pins 1\nx\n"] {
            fs::write(&path, text).expect("written");
            assert!(Pins::read(&path).is_err(), "{text}");
        }
    }
}
