// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git's filter does with one file: the decisions, without git, keys on
//! disk or a protocol. Never asks anybody anything.
//!
//! In doubt, ciphertext goes into the work tree and nothing goes into git. A
//! file is opened only under a path that the rules give to the zone that sealed
//! it: whoever can push could otherwise put a copy of a key where it is served.
//!
//! That no conversion of line endings damages what is sealed is not looked at
//! here, where it would cost a look-up per file: `info/attributes`, which has
//! the last word, switches conversion off for everything that comes here.
//!
//! long: every refusal with its words, and the two tables of decisions.

mod packet;
pub mod process;
mod rules;
mod textconv;

use certkeep_pki::secret::SecretBytes;
use thiserror::Error;

pub(crate) use self::rules::{manifest, sealer};
pub use self::textconv::textconv;
use crate::{
    git_crypt,
    keyring::Keyring,
    manifest::{Distrust, Manifest, ManifestError},
    pins::Pins,
    seal::{KeyId, SealError, is_sealed, key_id},
    zone::{Epoch, Mode, Protection, Rules, ZoneName},
};

/// What git holds of a path: staged, else in HEAD.
pub trait Kept {
    /// Whether it is exactly these bytes.
    fn is(&self, path: &[u8], bytes: &[u8]) -> bool;
    /// The bytes, if there are any.
    fn read(&self, path: &[u8]) -> Option<Vec<u8>>;
    /// Whether the rules that this clone saw last protect the path.
    fn was_protected(&self, path: &[u8]) -> bool;
}

/// The filter of one repository.
pub struct Filter<'a> {
    store: Result<Option<(Manifest, Rules)>, ManifestError>,
    /// What speaks against the rules, where there are keys to tell.
    distrust: Option<(ZoneName, Distrust)>,
    keyring: Option<&'a Keyring>,
    pins: &'a Pins,
    kept: &'a dyn Kept,
}

/// Why a file was not let through.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterError {
    /// Plaintext, and the keys are not there.
    #[error("{path} is not sealed, and its zone `{zone}` is locked")]
    Locked {
        /// The file.
        path: String,
        /// The zone that the rules give it to.
        zone: ZoneName,
    },
    /// Plaintext where there is never to be any.
    #[error("{path} is not sealed: into the sealed zone `{zone}` only certkeep's own commands write")]
    SealedZone {
        /// The file.
        path: String,
        /// The zone that the rules give it to.
        zone: ZoneName,
    },
    /// Plaintext under a pattern that only this clone still knows of.
    #[error(
        "{path} is not sealed: this clone has seen a pattern of the zone `{zone}` for it, which the store does not have any more"
    )]
    Remembered {
        /// The file.
        path: String,
        /// The zone that had the pattern.
        zone: ZoneName,
    },
    /// Plaintext that the attributes protect and the rules do not know.
    #[error("{path} is to be sealed according to git's attributes, but no zone of the store keeps it")]
    Unnamed {
        /// The file.
        path: String,
    },
    /// Plaintext that the attributes protect where no store is.
    #[error("{path} is to be sealed according to git's attributes, but there is no .certkeep/store.toml")]
    NoStore {
        /// The file.
        path: String,
    },
    /// The unlocked keys are of another repository.
    #[error("{path} cannot be sealed: the keys that are unlocked belong to another store")]
    OtherStore {
        /// The file.
        path: String,
    },
    /// The zone was rotated since it was unlocked.
    #[error(
        "{path} cannot be sealed: zone `{zone}` has the key {needed} of epoch {epoch}, which is not unlocked yet"
    )]
    OtherEpoch {
        /// The file.
        path: String,
        /// The zone that the rules give it to.
        zone: ZoneName,
        /// The epoch that the zone is in.
        epoch: Epoch,
        /// The id of that epoch's key.
        needed: KeyId,
    },
    /// Bytes that begin like a sealed file and are none.
    #[error("{path} cannot be opened{}: {source}", key.map_or_else(String::new, |key| format!(" with the key {key}")))]
    Broken {
        /// The file.
        path: String,
        /// The key that it names.
        key: Option<KeyId>,
        /// What is wrong with it.
        source: SealError,
    },
    /// The zone is as it was before a rotation that this clone has seen: whoever
    /// left since knows the key.
    #[error("{path} cannot be sealed: zone `{zone}` is in epoch {found}; this clone has seen epoch {seen}")]
    OlderEpoch {
        /// The file.
        path: String,
        /// The zone that the rules give it to.
        zone: ZoneName,
        /// The epoch that the zone is in.
        found: Epoch,
        /// The latest epoch that was seen.
        seen: Epoch,
    },
    /// The rules were written by nobody who has the keys, or by keys that are
    /// not unlocked yet.
    #[error("{path} is not let through: the rules of the zone `{zone}` cannot be trusted: {source}")]
    Untrusted {
        /// The file.
        path: String,
        /// The zone whose description is wrong.
        zone: ZoneName,
        /// What is wrong with it.
        source: Distrust,
    },
    /// The rules cannot be read.
    #[error("{path} cannot be sealed: {source}")]
    Manifest {
        /// The file.
        path: String,
        /// The file of the store that is wrong, and how.
        source: ManifestError,
    },
}

impl<'a> Filter<'a> {
    /// A filter by the rules of `manifest` (`None`: there is no store) and the
    /// keys of `keyring` (`None`: everything is locked), in a clone that has seen
    /// the epochs of `pins`.
    #[must_use]
    pub fn new(
        manifest: Result<Option<Manifest>, ManifestError>,
        keyring: Option<&'a Keyring>,
        pins: &'a Pins,
        kept: &'a dyn Kept,
    ) -> Self {
        let distrust = match &manifest {
            Ok(Some(manifest)) => {
                let by_keys = || keyring.and_then(|keyring| distrust(manifest, keyring));
                by_keys().or_else(|| pins.distrust(manifest))
            }
            _ => None,
        };
        // What is described adds to what this clone has seen and takes nothing
        // away: which state is the later one, whoever unlocks finds out.
        let with_rules = |manifest: Manifest| {
            let rules = pins.rules(&manifest);
            (manifest, rules)
        };
        Self { store: manifest.map(|manifest| manifest.map(with_rules)), distrust, keyring, pins, kept }
    }

    /// Whether there are rules, readable or not.
    #[must_use]
    pub fn has_store(&self) -> bool {
        !matches!(self.store, Ok(None))
    }

    /// Whether a path is public by what the store says and by all that this clone has
    /// seen of it.
    #[must_use]
    pub fn is_public(&self, path: &[u8]) -> bool {
        let seen = self.pins.own_rules();
        let seen_public = match seen.protection(path) {
            Protection::Public => true,
            // A clone that has verified nothing yet knows of no folder.
            Protection::Unnamed => seen.pki().is_none(),
            Protection::Zone(_) => false,
        };
        seen_public && self.protection(path) == Ok(Protection::Public)
    }

    /// What git is to hold of a file of the work tree.
    ///
    /// # Errors
    ///
    /// [`FilterError`]: git must not take it.
    pub fn clean(&self, path: &[u8], contents: SecretBytes) -> Result<SecretBytes, FilterError> {
        let bytes = contents.expose();
        let protection = self.protection(path);
        if bytes.is_empty() {
            // Git-crypt encrypts what is empty.
            return Ok(self.kept_by_git_crypt(path, bytes).unwrap_or(contents));
        }
        if self.is_ciphertext(path, bytes)? || self.is_line(path, bytes) {
            return Ok(contents);
        }
        if let Some((zone, source)) = self.distrust.clone() {
            // Altered rules call public what is not. What git has already may stay.
            return self.unchanged(path, bytes).ok_or_else(|| self.untrusted(path, zone, source));
        }
        match protection {
            Ok(Protection::Public) => Ok(contents),
            // Taken out of its zone by another clone, or else long since known.
            Ok(Protection::Zone(_)) if !self.is_described(path) && self.kept.is(path, bytes) => Ok(contents),
            Ok(Protection::Zone(zone)) => self.seal(path, zone, contents),
            // Of a commit from before the store, say: refusing it protects nothing.
            _ if self.kept.is(path, bytes) => Ok(contents),
            Ok(_) if !self.has_store() => {
                self.kept_by_git_crypt(path, bytes).ok_or_else(|| FilterError::NoStore { path: name(path) })
            }
            Ok(_) => Err(FilterError::Unnamed { path: name(path) }),
            Err(source) => Err(FilterError::Manifest { path: name(path), source: source.clone() }),
        }
    }

    /// What the work tree is to hold of a file of git's.
    ///
    /// # Errors
    ///
    /// [`FilterError::Broken`] where a key is there and does not fit the bytes.
    pub fn smudge(&self, path: &[u8], contents: SecretBytes) -> Result<SecretBytes, FilterError> {
        let bytes = contents.expose();
        let Ok(Protection::Zone(zone)) = self.protection(path) else {
            return Ok(self.open_before_the_store(path, bytes).unwrap_or(contents));
        };
        let trusted = self.distrust.is_none() && self.mode(zone) == Mode::Transparent;
        let Some(keyring) = self.keyring.filter(|_| trusted) else { return Ok(contents) };
        let key = key_id(bytes).ok().flatten();
        let broken = |source| FilterError::Broken { path: name(path), key, source };
        let zone = sealer(keyring, &self.zones(path), bytes).unwrap_or(zone);
        keyring.open_in_place(zone, contents).map_err(broken)
    }

    /// A file of a commit from before a repository of git-crypt was taken over:
    /// there are no rules beside it, but it is to be read.
    fn open_before_the_store(&self, path: &[u8], bytes: &[u8]) -> Option<SecretBytes> {
        let before = !self.has_store() && bytes.starts_with(git_crypt::MAGIC);
        let opened = self.keyring.filter(|_| before)?.open(bytes).ok()??;
        self.kept.was_protected(path).then_some(opened.plaintext)
    }

    /// What git holds of such a file, if it is the same.
    fn kept_by_git_crypt(&self, path: &[u8], plaintext: &[u8]) -> Option<SecretBytes> {
        let kept = self.kept.read(path).filter(|kept| kept.starts_with(git_crypt::MAGIC))?;
        let opened = self.keyring?.open(&kept).ok()??;
        (opened.plaintext.expose() == plaintext).then(|| SecretBytes::new(kept))
    }

    /// What git holds of a file, if that is the same file, sealed or not.
    fn unchanged(&self, path: &[u8], bytes: &[u8]) -> Option<SecretBytes> {
        let same = || self.kept.read(path).filter(|kept| kept == bytes).map(SecretBytes::new);
        self.sealed_before(path, bytes).or_else(same)
    }

    /// What git holds of a file, if a key at hand opens it to the same.
    fn sealed_before(&self, path: &[u8], bytes: &[u8]) -> Option<SecretBytes> {
        let kept = self.kept.read(path)?;
        let opened = self.keyring?.open(&kept).ok()??;
        (opened.plaintext.expose() == bytes).then(|| SecretBytes::new(kept))
    }

    fn untrusted(&self, path: &[u8], zone: ZoneName, source: Distrust) -> FilterError {
        let path = name(path);
        let described = self.store.as_ref().ok().and_then(Option::as_ref);
        if source == Distrust::OtherStore {
            return FilterError::OtherStore { path };
        }
        match described.and_then(|(manifest, _)| manifest.zones.get(&zone)) {
            Some(described) if source == Distrust::OtherEpoch => {
                FilterError::OtherEpoch { path, zone, epoch: described.epoch, needed: described.key_id }
            }
            _ => FilterError::Untrusted { path, zone, source },
        }
    }

    /// Whether bytes are the line that `git diff` shows for what git holds.
    fn is_line(&self, path: &[u8], bytes: &[u8]) -> bool {
        let kept = bytes.starts_with(b"certkeep: ").then(|| self.kept.read(path)).flatten();
        kept.and_then(|kept| textconv::line(&kept)).is_some_and(|line| line.as_bytes() == bytes)
    }

    fn protection(&self, path: &[u8]) -> Result<Protection<'_>, &ManifestError> {
        match &self.store {
            Ok(Some((_, rules))) => Ok(rules.protection(path)),
            Ok(None) => Ok(Protection::Unnamed),
            Err(error) => Err(error),
        }
    }

    /// Whether the store itself still protects a path, and not only what this
    /// clone remembers of it.
    fn is_described(&self, path: &[u8]) -> bool {
        let described = self.store.as_ref().ok().and_then(Option::as_ref);
        described.is_some_and(|(manifest, rules)| {
            rules.patterns().len() == manifest.zones.values().map(|zone| zone.patterns.len()).sum::<usize>()
                || matches!(manifest.rules().protection(path), Protection::Zone(_))
        })
    }

    /// The zones that have a path: two, where two branches have given it to one each.
    fn zones(&self, path: &[u8]) -> Vec<&ZoneName> {
        self.store.iter().flatten().flat_map(|(_, rules)| rules.zones(path)).collect()
    }

    fn mode(&self, zone: &ZoneName) -> Mode {
        let described = self.store.as_ref().ok().and_then(Option::as_ref);
        let mode = described.and_then(|(manifest, _)| self.pins.mode(zone, manifest));
        mode.unwrap_or_else(|| zone.default_mode())
    }

    /// Whether bytes are sealed already: by a key that we have and that agrees,
    /// or by one that we do not have.
    fn is_ciphertext(&self, path: &[u8], bytes: &[u8]) -> Result<bool, FilterError> {
        if bytes.starts_with(git_crypt::MAGIC) {
            let opens = self.keyring.is_some_and(|keyring| matches!(keyring.open(bytes), Ok(Some(_))));
            return Ok(opens || self.kept.is(path, bytes));
        }
        let checked = match self.keyring {
            Some(keyring) => keyring.open(bytes).map(drop),
            None => match key_id(bytes) {
                // A locked clone passes on what only a newer certkeep can open.
                Err(SealError::Unknown { .. }) => Ok(()),
                checked => checked.map(drop),
            },
        };
        checked.map_err(|source| broken(path, bytes, source))?;
        Ok(is_sealed(bytes))
    }

    fn seal(&self, path: &[u8], zone: &ZoneName, plaintext: SecretBytes) -> Result<SecretBytes, FilterError> {
        let Ok(Some((manifest, _))) = &self.store else {
            return Err(FilterError::NoStore { path: name(path) });
        };
        let unlocked = self.keyring.and_then(|keyring| Some((keyring, keyring.zone(zone)?)));
        let Some((keyring, keys)) = unlocked else {
            // Sealed by a zone that kept it before: git looks at it again when it
            // goes back to those rules.
            if let Some(kept) = self.sealed_before(path, plaintext.expose()) {
                return Ok(kept);
            }
            if !self.is_described(path) {
                return Err(FilterError::Remembered { path: name(path), zone: zone.clone() });
            }
            let (path, zone) = (name(path), zone.clone());
            return Err(match self.mode(&zone) {
                Mode::Sealed => FilterError::SealedZone { path, zone },
                Mode::Transparent => FilterError::Locked { path, zone },
            });
        };
        if keys.store() != manifest.store {
            return Err(FilterError::OtherStore { path: name(path) });
        }
        let Some(described) = manifest.zones.get(zone) else {
            return Err(FilterError::Unnamed { path: name(path) });
        };
        // Of two zones that have it, either may have sealed it.
        if self.zones(path).len() > 1
            && let Some(kept) = self.sealed_before(path, plaintext.expose())
        {
            return Ok(kept);
        }
        let current = keyring.sealing(zone, described.key_id);
        // Where there never was another key, nothing else can have been kept.
        let only = keys.epochs().count() == 1 && keys.legacy.is_empty();
        let newer = self.pins.latest(zone).filter(|&seen| seen > described.epoch);
        if let Some((key, padding)) = current
            && only
            && newer.is_none()
        {
            return Ok(SecretBytes::new(key.seal_in_place(plaintext, padding)));
        }
        let sealed = current.map(|(key, padding)| key.seal(plaintext.expose(), padding));
        if let Some(sealed) = &sealed
            && self.kept.is(path, sealed)
        {
            return Ok(SecretBytes::new(sealed.clone()));
        }
        // Sealed by an older epoch or a padding of before, it is still the same file.
        if let Some(kept) = self.kept.read(path)
            && let Ok(Some(opened)) = keyring.open_as(zone, &kept)
            && opened.expose() == plaintext.expose()
        {
            return Ok(SecretBytes::new(kept));
        }
        // A key that was replaced seals nothing new: its owners may have left. Not
        // here, where an old state of the rules names it, either.
        if let Some(seen) = newer {
            let (path, zone) = (name(path), zone.clone());
            return Err(FilterError::OlderEpoch { path, zone, found: described.epoch, seen });
        }
        sealed.map(SecretBytes::new).ok_or_else(|| FilterError::OtherEpoch {
            path: name(path),
            zone: zone.clone(),
            epoch: described.epoch,
            needed: described.key_id,
        })
    }
}

/// The first of the unlocked zones whose description was not written with its
/// keys: whoever can push could give a file to a zone, or call it public.
fn distrust(manifest: &Manifest, keyring: &Keyring) -> Option<(ZoneName, Distrust)> {
    keyring.zones().find_map(|keys| {
        let name = keys.zone();
        let verified = match manifest.zones.get(name) {
            // Another store altogether, whose rules may call anything public.
            None if keys.store() != manifest.store => Err(Distrust::OtherStore),
            None => Err(Distrust::Missing),
            Some(zone) => match keys.at(zone.epoch) {
                Some(keys) => zone
                    .verify(name, manifest.store, manifest.pki.as_deref(), &keys)
                    // Another key of the same epoch is one of a rotation that failed.
                    .map_err(|distrust| match distrust {
                        Distrust::OtherKey => Distrust::OtherEpoch,
                        other => other,
                    }),
                None => Err(Distrust::OtherEpoch),
            },
        };
        verified.err().map(|distrust| (name.clone(), distrust))
    })
}

fn broken(path: &[u8], bytes: &[u8], source: SealError) -> FilterError {
    FilterError::Broken { path: name(path), key: key_id(bytes).ok().flatten(), source }
}

fn name(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

#[cfg(test)]
mod tests;
