// SPDX-License-Identifier: MIT OR Apache-2.0
//! A certkeep repository: a git work tree with `.certkeep` at its top, whose
//! secret files git keeps as ciphertext.
//!
//! Here the parts meet: the manifest says who may open what, an identity opens
//! the wrapped keys, git keeps what was sealed. Each change of a store is
//! gathered and decided in a room below and recorded as one commit.
//!
//! long: how keys are found and trusted is one chain, read from top to bottom.

mod contents;
mod discard;
mod edit;
mod error;
mod files;
mod grants;
pub mod health;
pub mod import;
pub mod init;
pub mod lock;
pub mod members;
mod moved;
pub mod offered;
pub mod past;
mod place;
pub mod rotate;
mod sealer;
pub mod status;
pub mod sync;
pub mod trust;
pub mod unlock;
pub mod zones;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use certkeep_pki::{change::ChangeSet, secret::SecretBytes};

pub use self::error::VaultError;
use crate::{
    git::Repository,
    git_crypt,
    history::{History, LeftAway},
    identity::{Identities, Sources, Wrapped},
    keyring::Keyring,
    lock::{Lock, LockError, Waiting},
    manifest::Manifest,
    member::{Kind, MemberName},
    modes::LockFile,
    pins::Pins,
    prompt::Prompt,
    repository::recover_repository,
    seal,
    zone::{FOLDER, Mode, Protection, Rules, ZoneName},
    zone_keys::ZoneKeys,
};

/// A certkeep repository, open.
#[derive(Debug)]
pub struct Vault {
    repository: Repository,
    manifest: Manifest,
    rules: Rules,
    left_away: Option<LeftAway>,
}

/// The right to change a store, until it is dropped. Whoever also wants to be the
/// writer of its PKI takes this first.
#[derive(Debug)]
pub struct Alone {
    _lock: Lock,
}

/// The keys of this run: each zone's from the keyring, or unwrapped once with an
/// identity and kept in memory until the run ends.
pub struct Keys {
    identities: Identities,
    zones: BTreeMap<ZoneName, ZoneKeys>,
    openers: BTreeMap<ZoneName, MemberName>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keys({:?})", self.zones.keys())
    }
}

impl Keys {
    /// No key yet; `sources` are where identities are looked for.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        Self { identities: Identities::new(sources), zones: BTreeMap::new(), openers: BTreeMap::new() }
    }

    /// The member as whom a zone was opened in this run.
    #[must_use]
    pub fn opener(&self, zone: &ZoneName) -> Option<&MemberName> {
        self.openers.get(zone)
    }

    /// Keeps keys that were made in this run.
    pub fn insert(&mut self, keys: ZoneKeys) {
        self.zones.insert(keys.zone().clone(), keys);
    }
}

impl Vault {
    /// The store whose work tree `directory` is in, or would be in.
    ///
    /// # Errors
    ///
    /// The repository or `.certkeep` cannot be read.
    pub fn find(directory: &Path) -> Result<Option<Self>, VaultError> {
        place::repository_of(directory)?.map_or(Ok(None), Self::of)
    }

    fn of(repository: Repository) -> Result<Option<Self>, VaultError> {
        // First: what was interrupted may be the making of the store.
        let left_away = recover_repository(&repository)?;
        if !repository.work_tree().join(FOLDER).join("store.toml").is_file() {
            return Ok(None);
        }
        let manifest = Manifest::parse(&files::of_store(repository.work_tree())?)?;
        let state = repository.state();
        // Whoever obeys the rules verifies first, and is told then that these cannot be read.
        let keyring = Keyring::read(&state.join("keyring")).ok().flatten();
        let pins = Pins::read(&state.join("pins")).unwrap_or_default();
        let rules = pins.rules(&manifest);
        let vault = Self { repository, manifest, rules, left_away };
        if keyring.is_some() {
            // Who may not write here cannot close anything, and has made nothing either.
            drop(vault.close_folders());
        }
        Ok(Some(vault))
    }

    /// Makes this run the only one that changes the store, in whichever work tree,
    /// waiting for others to finish. They may have changed it: find it again.
    ///
    /// # Errors
    ///
    /// As [`Store::writer`](crate::store::Store::writer).
    pub fn alone(&self, waiting: &mut dyn FnMut(&Waiting)) -> Result<Alone, LockError> {
        // git's own directory: the one of our state is locked for each moment of writing.
        Ok(Alone { _lock: Lock::acquire(self.repository.common_dir(), LockFile::Ignore, waiting)? })
    }

    /// Whether the repository that `directory` is in has a store in commits that
    /// are not checked out now.
    #[must_use]
    pub fn is_elsewhere(directory: &Path) -> bool {
        let repository = place::repository_of(directory).ok().flatten();
        repository.is_some_and(|repository| was_here(&repository))
    }

    /// The commit of an interrupted change that was completed when this was found,
    /// if it had to be left away.
    #[must_use]
    pub fn left_away(&self) -> Option<&LeftAway> {
        self.left_away.as_ref()
    }

    /// The top of the work tree.
    #[must_use]
    pub fn work_tree(&self) -> &Path {
        self.repository.work_tree()
    }

    /// Members, zones, grants.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What decides about paths.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The PKI folder, absolute.
    #[must_use]
    pub fn pki(&self) -> Option<PathBuf> {
        self.manifest.pki.as_ref().map(|folder| self.work_tree().join(folder))
    }

    /// A file of the PKI as HEAD has it: of a secret one its ciphertext.
    ///
    /// # Errors
    ///
    /// git's objects cannot be read.
    pub fn committed(&self, path: &certkeep_pki::layout::PkiPath) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(folder) = &self.manifest.pki else { return Ok(None) };
        let place = Path::new(folder).join(path.relative());
        Ok(self.repository.head_blob(place.as_os_str().as_encoded_bytes())?)
    }

    /// What `unlock` left for the filter, if the store is unlocked.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn keyring(&self) -> Result<Option<Keyring>, VaultError> {
        Ok(Keyring::read(&self.repository.state().join("keyring"))?)
    }

    /// Whether a zone's files are plaintext in the work tree.
    ///
    /// # Errors
    ///
    /// As [`Vault::keyring`].
    pub fn is_unlocked(&self, zone: &ZoneName) -> Result<bool, VaultError> {
        let transparent = self.mode(zone)? == Some(Mode::Transparent);
        Ok(transparent && self.keyring()?.is_some_and(|keyring| keyring.zone(zone).is_some()))
    }

    /// The keys of a zone: from the keyring if they reach its present epoch,
    /// else unwrapped with an identity. They are trusted only if `zone.toml` was
    /// written with them, nothing that was seen before speaks against them, and
    /// they open what is already sealed.
    ///
    /// # Errors
    ///
    /// No identity fits; [`VaultError::Distrust`] and what else speaks against them.
    pub fn zone_keys<'k>(
        &self,
        zone: &ZoneName,
        keys: &'k mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<&'k ZoneKeys, VaultError> {
        // Keys of before another run rotated would seal for who is no member any more.
        let epoch = self.zone(zone)?.epoch;
        if keys.zones.get(zone).is_none_or(|found| found.current() != epoch) {
            let found = match self.keys_at_hand(zone)? {
                Some(found) => found,
                None => {
                    let (member, found) = self.unwrap(zone, keys, prompt)?;
                    keys.openers.insert(zone.clone(), member);
                    found
                }
            };
            self.trust(&found)?;
            let pinned = std::slice::from_ref(&found).to_vec();
            keys.insert(found);
            // Where nothing can be written, nothing can be put in its place either.
            drop(self.pin(&pinned, &self.verified(&self.manifest, Some(keys)), None));
        }
        Ok(keys.zones.get(zone).expect("inserted above"))
    }

    fn keys_at_hand(&self, zone: &ZoneName) -> Result<Option<ZoneKeys>, VaultError> {
        let &crate::manifest::Zone { epoch, key_id, .. } = self.zone(zone)?;
        let keyring = self.keyring()?;
        let found = keyring.as_ref().and_then(|keyring| keyring.zone(zone));
        // A rotation that failed leaves a key of an epoch that others began since.
        Ok(found.and_then(|keys| keys.at(epoch)).filter(|keys| keys.sealing_now().id() == key_id))
    }

    fn unwrap(
        &self,
        zone: &ZoneName,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<(MemberName, ZoneKeys), VaultError> {
        self.unwrap_for(zone, &|_| true, keys, prompt)
    }

    /// As one of the members that `who` chooses.
    fn unwrap_for(
        &self,
        zone: &ZoneName,
        who: &dyn Fn(&MemberName) -> bool,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<(MemberName, ZoneKeys), VaultError> {
        let described = self.zone(zone)?;
        let candidates: Vec<_> = described
            .wraps
            .iter()
            .filter(|((epoch, name), _)| *epoch == described.epoch && who(name))
            .filter_map(|((_, name), wrap)| Some((name, self.manifest.members.get(name)?, wrap)))
            .collect();
        if candidates.is_empty() {
            return Err(VaultError::NobodyCanOpen { zone: zone.clone() });
        }
        let wraps: Vec<_> = candidates
            .iter()
            .map(|(_, member, wrap)| Wrapped {
                kind: member.kind,
                key: if member.kind == Kind::OpenPgp { &member.fingerprint } else { &member.key },
                bytes: &wrap.bytes,
            })
            .collect();
        let opened = keys
            .identities
            .open(&wraps, prompt)
            .map_err(|source| VaultError::Identity { zone: zone.clone(), source })?;
        let found = ZoneKeys::parse(&opened.payload)
            .map_err(|source| VaultError::ZoneKeys { zone: zone.clone(), source })?;
        let (name, ..) = candidates.get(opened.index).expect("one of those that were offered");
        Ok(((*name).clone(), found))
    }

    /// Opens the bytes of a file of the work tree if they are sealed; plaintext
    /// stays as it is. The path is relative to the top and may be any bytes.
    ///
    /// # Errors
    ///
    /// No key, or the file was altered.
    pub fn open_file(
        &self,
        path: &[u8],
        bytes: SecretBytes,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<SecretBytes, VaultError> {
        if !seal::is_sealed(bytes.expose()) && !bytes.expose().starts_with(git_crypt::MAGIC) {
            return Ok(bytes);
        }
        let shown = || String::from_utf8_lossy(path).into_owned();
        let zone = match self.rules.protection(path) {
            Protection::Zone(zone) => zone,
            Protection::Public | Protection::Unnamed => {
                return Err(VaultError::OutOfPlace { path: shown() });
            }
        };
        let keys = self.zone_keys(zone, keys, prompt)?;
        keys.open(bytes.expose()).map_err(|source| VaultError::Open { path: shown(), source })
    }

    /// The path of a file relative to the top of the work tree, with `/`
    /// between its components; `None` outside of it.
    #[must_use]
    pub fn path_in_repository(&self, absolute: &Path) -> Option<String> {
        place::relative_to(self.work_tree(), absolute)
    }

    /// What the writer of the PKI needs to end in a commit: the keys of every
    /// zone that `changes` write to.
    ///
    /// # Errors
    ///
    /// A key is needed and not to be had.
    pub fn history(
        &self,
        changes: &ChangeSet,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<Option<History>, VaultError> {
        let folder = self.manifest.pki.as_deref().unwrap_or_default();
        let mut zones = BTreeSet::new();
        for path in sealer::secret_paths(changes) {
            let path = if folder.is_empty() { path } else { format!("{folder}/{path}") };
            if let Protection::Zone(zone) = self.rules.protection(path.as_bytes()) {
                zones.insert(zone.clone());
            }
        }
        let mut sealer = sealer::ZoneSealer::new(self.rules.clone());
        for zone in zones {
            let unlocked = self.is_unlocked(&zone)?;
            let padding = self.zone(&zone)?.padding;
            let keys = self.zone_keys(&zone, keys, prompt)?;
            sealer.add(zone, keys.clone(), padding, unlocked);
        }
        Ok(History::of(self.work_tree(), Box::new(sealer))?)
    }

    fn zone(&self, name: &ZoneName) -> Result<&crate::manifest::Zone, VaultError> {
        self.manifest.zones.get(name).ok_or_else(|| VaultError::NoZone { zone: name.clone() })
    }
}

/// Whether this clone has seen a store in the repository.
fn was_here(repository: &Repository) -> bool {
    repository.state().join("pins").exists()
}
