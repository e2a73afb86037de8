// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store status`: what git and the work tree hold of every protected file.

use std::{collections::HashSet, fs, io::Read as _, path::Path};

use certkeep_pki::secret::SecretBytes;

use super::{Vault, VaultError};
use crate::{
    attributes,
    durable::{FileError, inspect, permissions},
    git::IndexEntry,
    manifest::Manifest,
    other_tools::other_tool,
    pins::PinError,
    seal,
    seal::SealError,
    worktree,
    zone::{Pattern, Protection, ZoneName},
    zone_keys::ZoneKeys,
};

/// What some bytes of a protected file are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Sealed, and opened by a key of the keyring: so it is whole.
    Sealed,
    /// Sealed, and nobody looked into it: the zone's keys are not in the keyring.
    /// An older key is as good as the present one: a merge brings in such files.
    Locked,
    /// Sealed with a key that is none of the zone's, which are in the keyring.
    ForeignKey,
    /// Sealed, and altered or cut off since.
    Altered,
    /// Sealed by a newer certkeep.
    Newer,
    /// There are no bytes.
    Empty,
    /// In the clear.
    Plaintext,
    /// Ciphertext of another program.
    OtherTool(&'static str),
    /// There is no such file.
    Absent,
    /// A symbolic link, which no filter seals.
    Symlink,
}

/// A protected file.
#[derive(Clone, Debug)]
pub struct File {
    /// Relative to the top of the work tree.
    pub path: String,
    /// Who keeps it.
    pub zone: ZoneName,
    /// What git's index has.
    pub in_git: State,
    /// What the work tree has.
    pub in_work_tree: State,
    /// Whether that is in the clear, and others than its owner can read it: its
    /// mode lets them, and so do those of the folders up to the work tree's top.
    pub exposed: bool,
}

/// The whole store.
#[derive(Debug)]
pub struct Report {
    /// Every protected file that git or the PKI folder has, by path.
    pub files: Vec<File>,
    /// Files that no zone keeps and that git has sealed all the same: somebody has
    /// moved them, or committed them between a pulled `store unprotect` and his own word to it.
    pub misplaced: Vec<String>,
    /// Protected paths that git's attributes do not send through the filter, or
    /// whose bytes they convert.
    pub unfiltered: Vec<String>,
    /// Whether this clone has the filter configured.
    pub driver: bool,
    /// Zones that are described as they were before this clone saw them last.
    pub earlier: Vec<ZoneName>,
    /// Why it cannot be told whether the store is the one that this clone has seen.
    pub unremembered: Option<PinError>,
    /// The zones that are unlocked.
    pub unlocked: Vec<ZoneName>,
    /// The zones that are unlocked with keys of an epoch that has ended: the others
    /// have begun a new one.
    pub behind: Vec<ZoneName>,
}

/// See [`Vault::signs`].
#[derive(Default)]
pub(super) struct Signs {
    /// The patterns that some commit here has described, and no zone has any more.
    former: Vec<Pattern>,
    /// Files of the work tree that are shorter than git's.
    shorter: HashSet<Vec<u8>>,
}

/// As many bytes of a file as tell whether it is sealed.
const START: usize = 64;

impl Report {
    /// Whether everything that is to be ciphertext in git is.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let sound = |state: &State| {
            matches!(
                state,
                State::Sealed | State::Locked | State::Empty | State::Absent | State::OtherTool("git-crypt")
            )
        };
        self.unfiltered.is_empty() && self.files.iter().all(|file| sound(&file.in_git))
    }
}

impl Vault {
    /// Looks at every protected file; needs no key, and tells more with the keyring.
    ///
    /// # Errors
    ///
    /// git or the work tree cannot be read; as [`Vault::verify`].
    pub fn status(&self) -> Result<Report, VaultError> {
        let unremembered = match self.verify() {
            Err(VaultError::Pin(error @ (PinError::Line(_) | PinError::Read(_)))) => {
                self.verify_to_lock(&self.manifest)?;
                Some(error)
            }
            verified => {
                verified?;
                None
            }
        };
        let keyring = self.keyring()?;
        let keys_of = |zone: &ZoneName| keyring.as_ref().and_then(|keyring| keyring.zone(zone));
        let (mut files, mut paths, mut misplaced) = (Vec::new(), Vec::new(), Vec::new());
        let entries = self.repository.index_entries()?;
        let signs = self.signs(&entries)?;
        for entry in entries {
            let zone = match self.rules.protection(&entry.path) {
                Protection::Zone(zone) => zone,
                Protection::Public | Protection::Unnamed => {
                    if self.is_misplaced(&entry, &signs)? {
                        misplaced.push(shown(&entry.path));
                    }
                    // A link in the place of a folder of protected files.
                    match self.rules.zone_behind(&entry.path) {
                        Some(zone) if !entry.is_file() => zone,
                        _ => continue,
                    }
                }
            };
            files.push(self.state_of(&entry, zone, keys_of(zone))?);
            paths.push(entry.path);
        }
        let unfiltered = attributes::unfiltered(&self.repository, &paths)?;
        let zones = self.manifest.zones.keys();
        let (mut unlocked, mut behind) = (Vec::new(), Vec::new());
        for (zone, keys) in zones.filter_map(|zone| Some((zone, keys_of(zone)?))) {
            if self.is_behind(zone, keys) { &mut behind } else { &mut unlocked }.push(zone.clone());
        }
        let driver = crate::driver::is_installed(&self.repository)?;
        let earlier = if unremembered.is_some() { Vec::new() } else { self.earlier()? };
        Ok(Report { files, misplaced, unfiltered, driver, earlier, unremembered, unlocked, behind })
    }

    /// Whether the zone is described with a later epoch than these keys have.
    pub(super) fn is_behind(&self, zone: &ZoneName, keys: &ZoneKeys) -> bool {
        let described = self.manifest.zones.get(zone);
        described.is_some_and(|described| {
            keys.store() == self.manifest.store && keys.epochs().all(|epoch| epoch < described.epoch)
        })
    }

    /// What git's index and the work tree have of a protected file.
    pub(super) fn state_of(
        &self,
        entry: &IndexEntry,
        zone: &ZoneName,
        keys: Option<&ZoneKeys>,
    ) -> Result<File, VaultError> {
        // What the next `unlock` opens is closed here, not foreign.
        let awaited = self.manifest.zones.get(zone).map(|described| described.key_id);
        let awaited = awaited.filter(|_| keys.is_some_and(|keys| self.is_behind(zone, keys)));
        let state = |bytes: &[u8]| match state(bytes, keys) {
            State::ForeignKey if awaited.is_some() && seal::key_id(bytes).ok().flatten() == awaited => {
                State::Locked
            }
            state => state,
        };
        let in_git = if entry.is_file() { state(&self.repository.blob(entry.oid)?) } else { State::Symlink };
        let file = self.repository.file_path(&entry.path);
        let in_work_tree = match inspect(&file)? {
            None => State::Absent,
            Some(metadata) if metadata.is_symlink() => State::Symlink,
            Some(_) => match crate::read::read_regular(&file)? {
                Some(bytes) => state(SecretBytes::new(bytes).expose()),
                None => State::Absent,
            },
        };
        let clear = matches!(in_work_tree, State::Plaintext);
        let exposed = clear && is_open(&file, self.work_tree())?;
        Ok(File { path: shown(&entry.path), zone: zone.clone(), in_git, in_work_tree, exposed })
    }

    /// The patterns that some commit here has described, and no zone has any more.
    fn former_patterns(&self) -> Result<Vec<Pattern>, VaultError> {
        let mut former: Vec<Pattern> = Vec::new();
        for version in self.repository.versions_of(&[":(top,glob).certkeep/zones/*/zone.toml"])? {
            let Some(bytes) = self.repository.blob_if_here(version.blob)? else { continue };
            let Ok(zone) = Manifest::parse_zone(&bytes) else { continue };
            let known = |pattern: &Pattern| {
                former.contains(pattern) || self.rules.patterns().iter().any(|(known, _)| known == pattern)
            };
            let new: Vec<_> = zone.patterns.into_iter().filter(|pattern| !known(pattern)).collect();
            former.extend(new);
        }
        Ok(former)
    }

    /// What tells of a file that no zone keeps that it may be ciphertext in git.
    pub(super) fn signs(&self, entries: &[IndexEntry]) -> Result<Signs, VaultError> {
        let kept = |entry: &&IndexEntry| matches!(self.rules.protection(&entry.path), Protection::Zone(_));
        let others = entries.iter().filter(|entry| !kept(entry));
        let shorter = worktree::shorter(&self.repository, others)?;
        let shorter = shorter.into_iter().map(|entry| entry.path.clone()).collect();
        Ok(Signs { former: self.former_patterns()?, shorter })
    }

    /// Whether a file that no zone keeps is ciphertext in git. No filter touches
    /// such a file, so the first bytes of the one in the work tree tell, or that it is
    /// shorter; where it is not checked out, or a pattern kept it once, only git does.
    pub(super) fn is_misplaced(&self, entry: &IndexEntry, signs: &Signs) -> Result<bool, VaultError> {
        if !entry.is_file() {
            return Ok(false);
        }
        let file = self.repository.file_path(&entry.path);
        let checked_out = inspect(&file)?.is_some_and(|metadata| metadata.is_file());
        let signed = signs.shorter.contains(&entry.path)
            || signs.former.iter().any(|pattern| pattern.matches(&entry.path));
        if checked_out && !signed && !begins_sealed(&file)? {
            return Ok(false);
        }
        Ok(self.repository.blob_if_here(entry.oid)?.is_some_and(|blob| seal::is_sealed(&blob)))
    }
}

fn begins_sealed(file: &Path) -> Result<bool, FileError> {
    let mut start = Vec::with_capacity(START);
    let opened = fs::File::open(file).map_err(FileError::new("open", file))?;
    let limit = u64::try_from(START).unwrap_or_default();
    opened.take(limit).read_to_end(&mut start).map_err(FileError::new("read", file))?;
    Ok(seal::is_sealed(&start))
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Whether the group, or everybody, may read a file and enter the folders that
/// lead to it from `top` on.
fn is_open(file: &Path, top: &Path) -> Result<bool, FileError> {
    let Some(metadata) = inspect(file)? else { return Ok(false) };
    let mut open = permissions(&metadata) >> 2 & 0o011;
    for folder in file.ancestors().skip(1).take_while(|folder| folder.starts_with(top)) {
        let entered = inspect(folder)?.map_or(0, |metadata| permissions(&metadata));
        open &= entered;
    }
    Ok(open != 0)
}

fn state(bytes: &[u8], keys: Option<&ZoneKeys>) -> State {
    if bytes.is_empty() {
        return State::Empty;
    }
    match seal::key_id(bytes) {
        Ok(Some(_)) => match keys.map(|keys| keys.open(bytes)) {
            Some(Ok(_)) => State::Sealed,
            Some(Err(SealError::OtherKey { .. })) => State::ForeignKey,
            Some(Err(_)) => State::Altered,
            None => State::Locked,
        },
        Ok(None) => other_tool(bytes).map_or(State::Plaintext, State::OtherTool),
        Err(SealError::Unknown { .. }) => State::Newer,
        Err(_) => State::Altered,
    }
}
