// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys of one zone, of every epoch: what is wrapped for a member and what
//! the keyring holds. The text is one that a person with `gpg` or `age` and a
//! shell can use:
//!
//! ```text
//! certkeep zone keys 1
//! store 404142434445464748494a4b4c4d4e4f
//! zone keys
//! epoch 1 000102…1f
//! epoch 2 …
//! git-crypt default AES-KEY HMAC-KEY
//! ```

use std::collections::BTreeMap;

use certkeep_pki::secret::SecretBytes;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    git_crypt::LegacyKey,
    seal::{SealError, SealingKey, StoreId, ZoneKey, key_id},
    zone::{Epoch, ZoneName},
};

const HEADER: &str = "certkeep zone keys 1";

/// The keys of a zone. Never empty.
#[derive(Clone, Debug)]
pub struct ZoneKeys {
    store: StoreId,
    zone: ZoneName,
    epochs: BTreeMap<Epoch, ZoneKey>,
    current: Epoch,
    /// Keys of a git-crypt repository that this zone took over: they open, and never seal.
    pub legacy: Vec<LegacyKey>,
}

/// Zone keys that cannot be understood; what they are is not told.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZoneKeysError {
    /// Another version of certkeep wrote them.
    #[error("the wrapped keys do not begin with `{HEADER}`")]
    Version,
    /// A line that means nothing, or one too few.
    #[error("line {0} of the wrapped keys cannot be understood")]
    Line(usize),
}

impl ZoneKeys {
    /// A new zone with its first key.
    pub fn generate(store: StoreId, zone: ZoneName, rng: &mut dyn CryptoRng) -> Self {
        let current = Epoch::FIRST;
        Self {
            store,
            zone,
            epochs: BTreeMap::from([(current, ZoneKey::generate(rng))]),
            current,
            legacy: Vec::new(),
        }
    }

    /// The same with a new key in the next epoch; `None` after four thousand million of them.
    #[must_use]
    pub fn rotated(&self, rng: &mut dyn CryptoRng) -> Option<Self> {
        let mut next = self.clone();
        next.current = self.current.next()?;
        next.epochs.insert(next.current, ZoneKey::generate(rng));
        Some(next)
    }

    /// The keys as they were in an epoch, without those of later ones; `None`
    /// without a key of that epoch.
    #[must_use]
    pub fn at(&self, epoch: Epoch) -> Option<Self> {
        let mut keys = self.clone();
        keys.epochs.retain(|&other, _| other <= epoch);
        keys.current = epoch;
        keys.epochs.contains_key(&epoch).then_some(keys)
    }

    /// The store that the keys belong to.
    #[must_use]
    pub fn store(&self) -> StoreId {
        self.store
    }

    /// The zone.
    #[must_use]
    pub fn zone(&self) -> &ZoneName {
        &self.zone
    }

    /// The epoch that seals.
    #[must_use]
    pub fn current(&self) -> Epoch {
        self.current
    }

    /// Every epoch, the oldest first.
    pub fn epochs(&self) -> impl Iterator<Item = Epoch> {
        self.epochs.keys().copied()
    }

    /// What works with the key of an epoch.
    #[must_use]
    pub fn sealing(&self, epoch: Epoch) -> Option<SealingKey> {
        self.epochs.get(&epoch).map(|key| SealingKey::derive(key, &self.store, &self.zone, epoch))
    }

    /// What seals now.
    #[must_use]
    pub fn sealing_now(&self) -> SealingKey {
        self.sealing(self.current).expect("the current epoch has a key")
    }

    /// Opens a file of this zone, of any epoch or of git-crypt.
    ///
    /// # Errors
    ///
    /// As [`SealingKey::open`]; [`SealError::OtherKey`] if none of the keys made it.
    pub fn open(&self, sealed: &[u8]) -> Result<SecretBytes, SealError> {
        if let Some(found) = self.open_legacy(sealed) {
            return Ok(found);
        }
        let found = key_id(sealed)?;
        let fitting =
            self.epochs().filter_map(|epoch| self.sealing(epoch)).find(|key| Some(key.id()) == found);
        fitting.unwrap_or_else(|| self.sealing_now()).open(sealed)
    }

    /// Opens a file of git-crypt.
    pub(crate) fn open_legacy(&self, blob: &[u8]) -> Option<SecretBytes> {
        self.legacy.iter().find_map(|key| key.open(blob))
    }

    /// The text to be wrapped.
    #[must_use]
    pub fn to_payload(&self) -> SecretBytes {
        let mut text = Zeroizing::new(String::with_capacity(4096));
        text.push_str(&format!("{HEADER}\nstore {}\nzone {}\n", self.store, self.zone));
        for (epoch, key) in &self.epochs {
            text.push_str(&format!("epoch {epoch} "));
            text.push_str(&key.to_hex());
            text.push('\n');
        }
        for key in &self.legacy {
            text.push_str("git-crypt ");
            text.push_str(&key.to_text());
            text.push('\n');
        }
        SecretBytes::new(text.as_bytes().to_vec())
    }

    /// Reads what [`ZoneKeys::to_payload`] wrote. The last epoch is the current one.
    ///
    /// # Errors
    ///
    /// [`ZoneKeysError`] for anything else.
    pub fn parse(payload: &SecretBytes) -> Result<Self, ZoneKeysError> {
        let text = std::str::from_utf8(payload.expose()).map_err(|_| ZoneKeysError::Version)?;
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(ZoneKeysError::Version);
        }
        let store = lines.next().and_then(|line| StoreId::parse(line.strip_prefix("store ")?));
        let store = store.ok_or(ZoneKeysError::Line(2))?;
        let zone = lines.next().and_then(|line| ZoneName::parse(line.strip_prefix("zone ")?).ok());
        let zone = zone.ok_or(ZoneKeysError::Line(3))?;
        let (mut epochs, mut legacy) = (BTreeMap::new(), Vec::new());
        for (number, line) in (4_usize..).zip(lines) {
            let understood = match line.split_once(' ') {
                Some(("epoch", rest)) => rest.split_once(' ').and_then(|(epoch, key)| {
                    let epoch = Epoch::new(epoch.parse().ok()?)?;
                    epochs.insert(epoch, ZoneKey::parse(key)?).is_none().then_some(())
                }),
                Some(("git-crypt", rest)) => LegacyKey::from_text(rest).map(|key| legacy.push(key)),
                _ => None,
            };
            understood.ok_or(ZoneKeysError::Line(number))?;
        }
        let current = epochs.keys().next_back().copied().ok_or(ZoneKeysError::Line(4))?;
        Ok(Self { store, zone, epochs, current, legacy })
    }
}

#[cfg(test)]
mod tests {
    use rand_core::{OsRng, TryRngCore as _};

    use super::*;

    fn zone() -> ZoneName {
        ZoneName::parse("keys").expect("valid")
    }

    #[test]
    fn wrapped_keys_read_back() {
        let mut rng = OsRng.unwrap_err();
        let first = ZoneKeys::generate(StoreId::generate(&mut rng), zone(), &mut rng);
        let sealed = first.sealing_now().seal(b"old", crate::seal::Padding::None);
        let second = first.rotated(&mut rng).expect("another epoch");
        let read = ZoneKeys::parse(&second.to_payload()).expect("readable");
        assert_eq!(read.current(), second.current());
        assert_eq!(read.sealing_now().id(), second.sealing_now().id());
        assert_ne!(read.sealing_now().id(), first.sealing_now().id());
        assert_eq!(read.open(&sealed).expect("opens").expose(), b"old");
        let other = ZoneKeys::generate(first.store(), zone(), &mut rng);
        assert!(matches!(other.open(&sealed), Err(SealError::OtherKey { .. })));
    }

    #[test]
    fn every_shorter_text_is_refused_or_has_fewer_epochs() {
        let mut rng = OsRng.unwrap_err();
        let payload = ZoneKeys::generate(StoreId::generate(&mut rng), zone(), &mut rng).to_payload();
        let text = payload.expose();
        for length in 0..text.len() - 1 {
            let cut = SecretBytes::new(text.get(..length).expect("shorter").to_vec());
            assert!(ZoneKeys::parse(&cut).is_err(), "{length}");
        }
    }
}
