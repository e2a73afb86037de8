// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keyring: the keys of the transparent zones of an unlocked repository, in
//! a file under `.git` that git's filter reads without asking anybody. A sealed
//! zone's keys are never in it.
//!
//! ```text
//! certkeep keyring 1
//!
//! padding 4096
//! certkeep zone keys 1
//! store …
//! zone keys
//! epoch 1 …
//! ```

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use certkeep_pki::{change::Contents, secret::SecretBytes};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    durable::{self, Access, FileError},
    read::{ReadError, read_secret_file},
    seal::{KeyId, Padding, SealError, SealingKey, key_id, sealed_size},
    zone::{Epoch, ZoneName},
    zone_keys::{ZoneKeys, ZoneKeysError},
};

const HEADER: &str = "certkeep keyring 1";

/// The keys of every unlocked zone.
#[derive(Debug, Default)]
pub struct Keyring {
    zones: BTreeMap<ZoneName, Unlocked>,
    /// What works, by key id; derived when the first sealed file is looked at.
    sealing: OnceLock<BTreeMap<KeyId, Derived>>,
}

#[derive(Debug)]
struct Unlocked {
    keys: ZoneKeys,
    padding: Padding,
}

#[derive(Debug)]
struct Derived {
    zone: ZoneName,
    epoch: Epoch,
    key: SealingKey,
}

/// A sealed file, opened.
#[derive(Debug)]
pub struct Opened<'a> {
    /// The zone whose key opened it.
    pub zone: &'a ZoneName,
    /// The epoch of that key; `None` for a key of git-crypt.
    pub epoch: Option<Epoch>,
    /// What was sealed.
    pub plaintext: SecretBytes,
}

/// A keyring that cannot be read or written; what is in it is not told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file or its folder cannot be written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// Another version of certkeep wrote it, or nobody.
    #[error("the keyring does not begin with `{HEADER}`")]
    Version,
    /// A zone in it cannot be understood.
    #[error("zone number {number} of the keyring cannot be understood")]
    Zone {
        /// Which, counted from 1.
        number: usize,
        /// Why, if it is about the keys.
        #[source]
        source: Option<ZoneKeysError>,
    },
}

impl Keyring {
    /// A keyring without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a zone, or exchanges its keys.
    pub fn insert(&mut self, keys: ZoneKeys, padding: Padding) {
        self.zones.insert(keys.zone().clone(), Unlocked { keys, padding });
        self.sealing = OnceLock::new();
    }

    /// The keys of every unlocked zone.
    pub fn zones(&self) -> impl Iterator<Item = &ZoneKeys> {
        self.zones.values().map(|unlocked| &unlocked.keys)
    }

    /// The keys of a zone, if it is unlocked.
    #[must_use]
    pub fn zone(&self, name: &ZoneName) -> Option<&ZoneKeys> {
        self.zones.get(name).map(|unlocked| &unlocked.keys)
    }

    /// How far the files of a zone are padded, if it is unlocked.
    pub(crate) fn padding(&self, name: &ZoneName) -> Option<Padding> {
        self.zones.get(name).map(|unlocked| unlocked.padding)
    }

    /// Forgets the keys of a zone.
    pub fn forget(&mut self, name: &ZoneName) {
        self.zones.remove(name);
        self.sealing = OnceLock::new();
    }

    /// Opens a sealed file, of any epoch or of git-crypt; `None`: it is not
    /// sealed, or no key in here made it.
    ///
    /// # Errors
    ///
    /// As [`SealingKey::open`]: a newer format, or a known key and bytes that it
    /// did not make.
    pub fn open(&self, sealed: &[u8]) -> Result<Option<Opened<'_>>, SealError> {
        let Some(id) = key_id(sealed)? else { return Ok(self.open_legacy(sealed)) };
        let Some(Derived { zone, epoch, key }) = self.derived().get(&id) else { return Ok(None) };
        Ok(Some(Opened { zone, epoch: Some(*epoch), plaintext: key.open(sealed)? }))
    }

    /// Seals a file with the key of a zone that has this id; `None` if it is not
    /// here. Which one is in use, `zone.toml` says: a rotation that was
    /// interrupted leaves a key here that nobody else has.
    #[must_use]
    pub fn seal(&self, zone: &ZoneName, key: KeyId, plaintext: &[u8]) -> Option<Vec<u8>> {
        let (key, padding) = self.sealing(zone, key)?;
        Some(key.seal(plaintext, padding))
    }

    /// What seals the files of a zone with the key that has this id.
    pub(crate) fn sealing(&self, zone: &ZoneName, key: KeyId) -> Option<(&SealingKey, Padding)> {
        let Unlocked { padding, .. } = self.zones.get(zone)?;
        let derived = self.derived().get(&key).filter(|derived| derived.zone == *zone)?;
        Some((&derived.key, *padding))
    }

    /// Every form that a file can have sealed, by any key of any epoch; those
    /// left out whose size in bytes `fits` refuses.
    pub(crate) fn sealed_forms(
        &self,
        plaintext: &[u8],
        fits: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = Vec<u8>> {
        self.derived().values().filter_map(move |Derived { zone, key, .. }| {
            let Unlocked { padding, .. } = self.zones.get(zone)?;
            fits(sealed_size(plaintext.len(), *padding)).then(|| key.seal(plaintext, *padding))
        })
    }

    /// As [`Keyring::open`], with the keys of one zone alone.
    ///
    /// # Errors
    ///
    /// As [`Keyring::open`].
    pub fn open_as(&self, zone: &ZoneName, sealed: &[u8]) -> Result<Option<SecretBytes>, SealError> {
        if key_id(sealed)?.is_none() {
            return Ok(self.zones.get(zone).and_then(|unlocked| unlocked.keys.open_legacy(sealed)));
        }
        let opened = self.open(sealed)?;
        Ok(opened.filter(|opened| opened.zone == zone).map(|opened| opened.plaintext))
    }

    /// As [`Keyring::open_as`], in the memory of the sealed file, which comes
    /// back as it was where no key of the zone sealed it.
    ///
    /// # Errors
    ///
    /// As [`Keyring::open`].
    pub(crate) fn open_in_place(
        &self,
        zone: &ZoneName,
        sealed: SecretBytes,
    ) -> Result<SecretBytes, SealError> {
        let Some(id) = key_id(sealed.expose())? else {
            return Ok(self.open_as(zone, sealed.expose())?.unwrap_or(sealed));
        };
        match self.derived().get(&id).filter(|derived| derived.zone == *zone) {
            Some(derived) => derived.key.open_in_place(sealed),
            None => Ok(sealed),
        }
    }

    fn open_legacy(&self, blob: &[u8]) -> Option<Opened<'_>> {
        self.zones.iter().find_map(|(zone, unlocked)| {
            let plaintext = unlocked.keys.open_legacy(blob)?;
            Some(Opened { zone, epoch: None, plaintext })
        })
    }

    fn derived(&self) -> &BTreeMap<KeyId, Derived> {
        self.sealing.get_or_init(|| {
            let epochs = self.zones().flat_map(|keys| keys.epochs().map(move |epoch| (keys, epoch)));
            let derived = epochs.filter_map(|(keys, epoch)| {
                let key = keys.sealing(epoch)?;
                Some((key.id(), Derived { zone: keys.zone().clone(), epoch, key }))
            });
            derived.collect()
        })
    }

    /// Reads a keyring; `None` if there is none: the repository is locked.
    ///
    /// # Errors
    ///
    /// An unreadable file, or one that this program did not write.
    pub fn read(path: &Path) -> Result<Option<Self>, KeyringError> {
        read_secret_file(path)?.map(|text| Self::parse(&text)).transpose()
    }

    fn parse(text: &SecretBytes) -> Result<Self, KeyringError> {
        let text = std::str::from_utf8(text.expose()).map_err(|_| KeyringError::Version)?;
        let mut parts = text.split("\n\n");
        if parts.next().map(str::trim_end) != Some(HEADER) {
            return Err(KeyringError::Version);
        }
        let mut keyring = Self::new();
        for (number, part) in (1..).zip(parts) {
            let wrong = |source| KeyringError::Zone { number, source };
            let (padding, keys) = part.split_once('\n').ok_or(wrong(None))?;
            let padding = padding.strip_prefix("padding ").and_then(|bucket| bucket.parse().ok());
            let padding = padding.ok_or(wrong(None))?;
            let keys = ZoneKeys::parse(&SecretBytes::new(keys.as_bytes().to_vec()))
                .map_err(|error| wrong(Some(error)))?;
            keyring.insert(keys, Padding::of_bucket(padding));
        }
        Ok(keyring)
    }

    /// Writes the keyring, whole or not at all; its folder is made if need be.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn write(&self, path: &Path) -> Result<(), KeyringError> {
        let payloads: Vec<_> =
            self.zones.values().map(|unlocked| (unlocked.padding, unlocked.keys.to_payload())).collect();
        let length = payloads.iter().map(|(_, payload)| payload.len() + 32).sum::<usize>() + 32;
        let mut text = Zeroizing::new(Vec::with_capacity(length));
        text.extend_from_slice(format!("{HEADER}\n").as_bytes());
        for (padding, payload) in &payloads {
            text.extend_from_slice(format!("\npadding {}\n", padding.bucket()).as_bytes());
            text.extend_from_slice(payload.expose());
        }
        Ok(replace(path, &Contents::Secret(SecretBytes::from(text)))?)
    }

    /// Removes a keyring; absence is fine.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn remove(path: &Path) -> Result<(), KeyringError> {
        durable::remove_if_present(&unfinished(path))?;
        durable::remove_if_present(path)?;
        match path.parent() {
            Some(folder) if folder.exists() => Ok(durable::sync_directory(folder)?),
            _ => Ok(()),
        }
    }
}

/// Where a file of the local state is written before it is renamed.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Writes a file of the local state, 0600, in a folder that is 0700: whole or not at all.
pub(crate) fn replace(path: &Path, contents: &Contents) -> Result<(), FileError> {
    let folder = path.parent().expect("a file is in a folder");
    durable::make_directories(folder)?;
    let new = unfinished(path);
    // Of a run that was killed.
    durable::remove_if_present(&new)?;
    durable::write_new(&new, contents, Access::Owner, None)?.sync()?;
    durable::rename_if_present(&new, path)?;
    durable::sync_directory(folder)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use rand_core::{OsRng, TryRngCore as _};

    use super::*;
    use crate::seal::StoreId;

    fn zone(name: &str) -> ZoneName {
        ZoneName::parse(name).expect("valid")
    }

    #[test]
    fn what_is_written_reads_back_and_opens_every_epoch() {
        let mut rng = OsRng.unwrap_err();
        let store = StoreId::generate(&mut rng);
        let old = ZoneKeys::generate(store, zone("keys"), &mut rng);
        let sealed = old.sealing_now().seal(b"old", Padding::None);
        let mut keyring = Keyring::new();
        let new = old.rotated(&mut rng).expect("another");
        let id = new.sealing_now().id();
        keyring.insert(new, Padding::Bucket(4096));
        keyring.insert(ZoneKeys::generate(store, zone("reqs"), &mut rng), Padding::None);

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("certkeep/keyring");
        assert!(Keyring::read(&path).expect("no error").is_none());
        keyring.write(&path).expect("written");
        keyring.write(&path).expect("written again");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));

        let read = Keyring::read(&path).expect("readable").expect("there");
        assert_eq!(read.zones().count(), 2);
        let opened = read.open(&sealed).expect("authentic").expect("a known key");
        assert_eq!((opened.zone, opened.epoch), (&zone("keys"), Some(Epoch::FIRST)));
        assert_eq!(opened.plaintext.expose(), b"old");
        let again = read.seal(&zone("keys"), id, b"new").expect("unlocked");
        assert_eq!(Some(again.clone()), keyring.seal(&zone("keys"), id, b"new"));
        assert_eq!(again.len(), 60 + 4096);
        assert_eq!(read.open(&again).expect("authentic").expect("known").epoch, Epoch::FIRST.next());
        assert!(read.seal(&zone("ca"), id, b"new").is_none());
        assert!(read.open(b"plain").expect("no error").is_none());

        Keyring::remove(&path).expect("removed");
        Keyring::remove(&path).expect("nothing to do");
        assert!(!path.exists());
    }

    #[test]
    fn the_unknown_is_refused() {
        let mut rng = OsRng.unwrap_err();
        let keys = ZoneKeys::generate(StoreId::generate(&mut rng), zone("keys"), &mut rng).to_payload();
        let keys = std::str::from_utf8(keys.expose()).expect("text").to_owned();
        let parse = |text: String| Keyring::parse(&SecretBytes::new(text.into_bytes()));
        assert!(parse(format!("{HEADER}\n\npadding 0\n{keys}")).is_ok());
        for text in [
            String::new(),
            "certkeep keyring 2\n".to_owned(),
            format!("{HEADER}\n\n"),
            format!("{HEADER}\n\n{keys}"),
            format!("{HEADER}\n\npadding x\n{keys}"),
            format!("{HEADER}\n\npadding 0\nmode sealed\n{keys}"),
        ] {
            assert!(parse(text.clone()).is_err(), "{text}");
        }
    }
}
