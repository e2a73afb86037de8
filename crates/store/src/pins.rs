// SPDX-License-Identifier: MIT OR Apache-2.0
//! What this clone has seen of a store: which key id a zone had in which epoch.
//! Whoever can push but not open could exchange a key or bring an old one back;
//! whoever has seen the right one notices. Survives `lock`; holds no secret.

use std::{collections::BTreeMap, path::Path};

use certkeep_pki::change::Contents;
use thiserror::Error;

use crate::{
    durable::FileError,
    keyring::replace,
    read::{ReadError, read_file},
    seal::{KeyId, StoreId},
    zone::{Epoch, ZoneName},
};

const HEADER: &str = "certkeep pins 1";

/// Every key id that was seen.
#[derive(Debug, Default)]
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

    /// Compares the present key of a zone with what was seen.
    ///
    /// # Errors
    ///
    /// [`PinError::Substituted`] and [`PinError::RolledBack`].
    pub fn check(&self, store: StoreId, zone: &ZoneName, epoch: Epoch, id: KeyId) -> Result<(), PinError> {
        if let Some(&seen) = self.0.get(&(store, zone.clone(), epoch))
            && seen != id
        {
            return Err(PinError::Substituted { zone: zone.clone(), epoch, seen, found: id });
        }
        let epochs = self.0.keys().filter(|(of, name, _)| *of == store && name == zone);
        match epochs.map(|&(.., seen)| seen).max() {
            Some(seen) if seen > epoch => {
                Err(PinError::RolledBack { zone: zone.clone(), seen, found: epoch })
            }
            _ => Ok(()),
        }
    }

    /// Remembers a key that was checked; says whether it is new.
    pub fn remember(&mut self, store: StoreId, zone: &ZoneName, epoch: Epoch, id: KeyId) -> bool {
        self.0.insert((store, zone.clone(), epoch), id) != Some(id)
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

    use super::*;

    #[test]
    fn another_key_and_an_earlier_epoch_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("certkeep/pins");
        let store = StoreId::parse(&"01".repeat(16)).expect("digits");
        let other = StoreId::parse(&"02".repeat(16)).expect("digits");
        let id = |digit: &str| KeyId::parse(&digit.repeat(32)).expect("digits");
        let zone = |name| ZoneName::parse(name).expect("valid");
        let second = Epoch::FIRST.next().expect("two");

        let mut pins = Pins::read(&path).expect("nothing there");
        assert!(pins.remember(store, &zone("keys"), Epoch::FIRST, id("a")));
        assert!(pins.remember(store, &zone("keys"), second, id("b")));
        assert!(!pins.remember(store, &zone("keys"), second, id("b")));
        pins.write(&path).expect("written");

        let pins = Pins::read(&path).expect("readable");
        let check = |store, name, epoch, digit| pins.check(store, &zone(name), epoch, id(digit));
        assert!(check(store, "keys", second, "b").is_ok());
        assert!(check(store, "keys", second.next().expect("three"), "c").is_ok());
        assert!(matches!(check(store, "keys", second, "c"), Err(PinError::Substituted { .. })));
        assert!(matches!(check(store, "keys", Epoch::FIRST, "c"), Err(PinError::Substituted { .. })));
        assert!(matches!(check(store, "keys", Epoch::FIRST, "a"), Err(PinError::RolledBack { .. })));
        assert!(check(store, "reqs", Epoch::FIRST, "c").is_ok());
        assert!(check(other, "keys", Epoch::FIRST, "c").is_ok());

        for text in ["", "certkeep pins 2\n", "certkeep pins 1\nx\n"] {
            fs::write(&path, text).expect("written");
            assert!(Pins::read(&path).is_err(), "{text}");
        }
    }
}
