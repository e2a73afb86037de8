// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git calls us for, in the repository that it works in: the filter, the
//! text of a difference, the merge of a file. Asks nobody, writes nothing but
//! what git reads.

mod merging;

use std::{
    cell::RefCell,
    collections::HashMap,
    fs::{self, File},
    io::{Read, Write},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use certkeep_pki::secret::SecretBytes;
use thiserror::Error;

use crate::{
    attributes::Block,
    driver,
    durable::FileError,
    filter::{
        self, Filter, FilterError, Kept,
        process::{self, Direction, ProcessError},
    },
    git::{GitError, Oid, Repository},
    keyring::{Keyring, KeyringError},
    pins::{PinError, Pins},
    read::{ReadError, SIZE_LIMIT, read_secret_file},
};

/// The folder of the zones, and the file in each that describes it.
const ZONES: &str = ".certkeep/zones";
const ZONE_FILE: &str = "zone.toml";

/// Where a work tree with a store has its first file, from the top.
const STORE_FILE: &str = ".certkeep/store.toml";

/// Why git's call could not be answered at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlumbingError {
    /// The repository cannot be opened.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The keyring cannot be read.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// What this clone has seen of the store cannot be read.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The conversation with git ended early.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The file is not to go where git wants it.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A file that git names cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The outcome of a merge cannot be written.
    #[error(transparent)]
    Write(#[from] FileError),
}

/// The repository that git works in, and its keys.
#[derive(Debug)]
pub struct Plumbing {
    /// `None` for a bare one: there, nothing is opened or sealed.
    repository: Option<Repository>,
    keyring: Option<Keyring>,
    pins: Pins,
    index: Option<PathBuf>,
    /// The files of the index, as of a stamp of it.
    staged: RefCell<(Stamp, HashMap<Vec<u8>, Oid>)>,
}

impl Plumbing {
    /// The repository that the environment names as git sets it, or else the one
    /// that the current directory is in. `index` is what `GIT_INDEX_FILE` says,
    /// `keyring` another keyring than that of the repository.
    ///
    /// # Errors
    ///
    /// The repository, the keyring or the pins cannot be read.
    pub fn open(index: Option<PathBuf>, keyring: Option<&Path>) -> Result<Self, PlumbingError> {
        let repository = Repository::from_environment()?;
        let own = repository.as_ref().map(|repository| repository.state().join("keyring"));
        let keyring = match keyring.or(own.as_deref()) {
            Some(path) => Keyring::read(path)?,
            None => None,
        };
        let pins = match &repository {
            Some(repository) => Pins::read(&repository.state().join("pins"))?,
            None => Pins::default(),
        };
        Ok(Self { repository, keyring, pins, index, staged: RefCell::default() })
    }

    /// Answers git until it has no more files. `refused` is told of every file
    /// that was not let through.
    ///
    /// # Errors
    ///
    /// [`PlumbingError::Process`].
    pub fn process(
        &self,
        input: impl Read,
        output: impl Write,
        refused: &mut dyn FnMut(FilterError),
    ) -> Result<(), PlumbingError> {
        let (mut rules, mut filter) = (self.stamp_of_rules(), self.filter());
        let mut answer = |direction, path: &[u8], contents| {
            // One process serves all of a rebase, which checks out commits with other rules.
            let now = self.stamp_of_rules();
            if rules != now {
                (rules, filter) = (now, self.filter());
            }
            let filtered = apply(&filter, direction, path, contents);
            filtered.map_err(&mut *refused).ok()
        };
        Ok(process::run(input, output, &mut answer)?)
    }

    /// Filters one file, named relative to the top of the work tree.
    ///
    /// # Errors
    ///
    /// [`PlumbingError::Filter`], or the pipe broke.
    pub fn filter_one(
        &self,
        direction: Direction,
        path: &[u8],
        input: File,
    ) -> Result<SecretBytes, PlumbingError> {
        // A pipe says 0, and whatever is said is only an expectation.
        let size = input.metadata().map_or(0, |metadata| metadata.len().min(SIZE_LIMIT));
        let contents = process::read_to_end(input, usize::try_from(size).unwrap_or_default())?;
        Ok(apply(&self.filter(), direction, path, contents)?)
    }

    /// What `git diff` shows of a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn textconv(&self, file: &Path) -> Result<SecretBytes, PlumbingError> {
        Ok(filter::textconv(self.keyring.as_ref(), read(file)?))
    }

    /// What a commit, by any name that git has for it, holds at a path.
    #[must_use]
    pub fn in_commit(&self, name: &str, path: &str) -> Option<Vec<u8>> {
        let repository = self.repository.as_ref()?;
        let entry = repository.entry(repository.commit_named(name)?, path).ok()??;
        entry.is_file().then(|| repository.blob_if_here(entry.oid).ok()?)?
    }

    /// A path of the repository within the PKI that the store keeps; `None` outside of it.
    #[must_use]
    pub fn within_pki(&self, path: &str) -> Option<String> {
        let manifest = filter::manifest(self.repository.as_ref()?).ok()??;
        let folder = manifest.pki?;
        let below =
            if folder.is_empty() { Some(path) } else { path.strip_prefix(&folder)?.strip_prefix('/') };
        below.map(str::to_owned)
    }

    fn filter(&self) -> Filter<'_> {
        let manifest = self.repository.as_ref().map_or(Ok(None), filter::manifest);
        Filter::new(manifest, self.keyring.as_ref(), &self.pins, self)
    }

    /// What changes when the work tree gets other rules.
    fn stamp_of_rules(&self) -> Vec<Stamp> {
        let Some(repository) = &self.repository else { return Vec::new() };
        let zones = repository.work_tree().join(ZONES);
        let names =
            fs::read_dir(zones).into_iter().flatten().flatten().map(|zone| zone.path().join(ZONE_FILE));
        let mut stamps: Vec<Stamp> = names.map(|file| stamp(&file)).collect();
        stamps.sort_unstable();
        stamps.push(stamp(&repository.work_tree().join(STORE_FILE)));
        stamps
    }

    fn blob_of(&self, path: &[u8]) -> Option<Oid> {
        let repository = self.repository.as_ref()?;
        let file = self.index.clone().unwrap_or_else(|| repository.index_path());
        let now = stamp(&file);
        let mut staged = self.staged.borrow_mut();
        if staged.0 != now {
            let entries = repository.index_entries_at(self.index.as_deref()).unwrap_or_default();
            let files = entries.into_iter().filter(|entry| entry.is_file());
            *staged = (now, files.map(|entry| (entry.path, entry.oid)).collect());
        }
        let in_head = || repository.head_entry(path).ok().flatten().map(|entry| entry.oid);
        staged.1.get(path).copied().or_else(in_head)
    }
}

/// Inode, size, and the moment of the last change in nanoseconds; none for a file that is not there.
type Stamp = Option<(u64, u64, i64, i64)>;

fn stamp(file: &Path) -> Stamp {
    let metadata = fs::symlink_metadata(file).ok()?;
    Some((metadata.ino(), metadata.size(), metadata.ctime(), metadata.ctime_nsec()))
}

/// What cannot be found out counts as not kept: the file is sealed anew, or refused.
impl Kept for Plumbing {
    fn is(&self, path: &[u8], bytes: &[u8]) -> bool {
        // Nothing is hashed for a file that is new.
        let (Some(kept), Some(repository)) = (self.blob_of(path), &self.repository) else { return false };
        repository.hash_blob(bytes).is_ok_and(|hash| hash == kept)
    }

    fn read(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.repository.as_ref()?.blob_if_here(self.blob_of(path)?).ok().flatten()
    }

    fn was_protected(&self, path: &[u8]) -> bool {
        let Some(repository) = &self.repository else { return false };
        driver::told_attributes(repository).is_ok_and(|told| Block::of(&told).protects(path))
    }
}

fn apply(
    filter: &Filter<'_>,
    direction: Direction,
    path: &[u8],
    contents: SecretBytes,
) -> Result<SecretBytes, FilterError> {
    match direction {
        Direction::Clean => filter.clean(path, contents),
        Direction::Smudge => filter.smudge(path, contents),
    }
}

/// A file of git's; one that is gone is empty.
fn read(file: &Path) -> Result<SecretBytes, ReadError> {
    Ok(read_secret_file(file)?.unwrap_or_else(|| SecretBytes::new(Vec::new())))
}
