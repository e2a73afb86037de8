// SPDX-License-Identifier: MIT OR Apache-2.0
//! The protected files of a work tree, exchanged all together: ciphertext for
//! plaintext (`unlock`) and back (`lock`).
//!
//! New files are written under git's directory first, so that plaintext never
//! lies under a name that git would take as it is, and renamed when all of them
//! are on the disk; where that is another file system, by way of `beside`. What is killed in between is finished by the next run: every
//! file is in one of its two forms, and the filter knows both.

pub(crate) mod beside;
mod lock;
mod moved;
mod rerere;
mod unlock;

use std::{
    collections::HashSet,
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use thiserror::Error;

pub(crate) use self::{
    lock::{linked, lock, untracked},
    moved::shorter,
    unlock::unlock,
};
use crate::{
    durable::{self, Access, FileError},
    git::{Entered, GitError, IndexChange, IndexEntry, IndexStat, Patience, Repository, Stat, WORK_TREE},
    keyring::KeyringError,
    manifest::ManifestError,
    read::ReadError,
    seal::{KeyId, SealError},
};

/// Called with the number of files that are done and of those there are.
pub(crate) type Progress<'a> = dyn FnMut(usize, usize) + 'a;

/// Why a work tree was not unlocked or locked. Nothing was changed then, unless
/// the system failed on the way, or somebody wrote to a file in that very moment;
/// the same command again finishes in that case.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkTreeError {
    /// git could not do or tell something.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The keyring cannot be written or removed.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The store of another work tree cannot be understood.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Protected files hold something that git does not have.
    #[error("{} protected {} what git does not have", paths.len(), if paths.len() == 1 { "file holds" } else { "files hold" })]
    Changed {
        /// The files, relative to the top of the work tree; those of another
        /// work tree with its own path in front.
        paths: Vec<String>,
    },
    /// A link or a folder where a protected file or its folder belongs.
    #[error("{path} is not what git has there: {what} is in its place")]
    InTheWay {
        /// Relative to the top of the work tree.
        path: String,
        /// What stands there.
        what: &'static str,
    },
    /// What git has of a file is not what was sealed.
    #[error("{path} cannot be opened{}: {source}", key.map_or_else(String::new, |key| format!(" with the key {key}")))]
    Broken {
        /// Relative to the top of the work tree.
        path: String,
        /// The key that it names.
        key: Option<KeyId>,
        /// What is wrong with it.
        source: SealError,
    },
}

/// What [`unlock`] did.
#[derive(Debug)]
pub(crate) struct Unlocked {
    /// How many files became plaintext.
    pub(crate) files: usize,
    /// Files of the zones in the keyring that none of their keys sealed, with
    /// the key that they name: put there by somebody who cannot open the zone.
    pub(crate) strange: Vec<(String, Option<KeyId>)>,
}

/// New forms of files on their way into one work tree.
struct Exchange<'a> {
    repository: &'a Repository,
    stage: PathBuf,
    ready: Vec<Ready>,
    /// Files that are right as they stand, and that the index may not know yet.
    right: Vec<(IndexEntry, Stat)>,
    /// Folders that were found to be folders, and no links.
    folders: HashSet<PathBuf>,
}

struct Ready {
    staged: PathBuf,
    target: PathBuf,
    entry: IndexEntry,
    /// The file at the target when it was read.
    replaced: Stat,
    /// What tells that nobody has written to it since.
    written: (u64, Option<SystemTime>),
}

impl<'a> Exchange<'a> {
    /// An empty stage; what a run that was killed left there is removed.
    fn new(repository: &'a Repository, name: &str) -> Result<Self, WorkTreeError> {
        let stage = repository.state().join(name);
        sweep(&stage)?;
        durable::make_directories(&stage)?;
        Ok(Self { repository, stage, ready: Vec::new(), right: Vec::new(), folders: HashSet::new() })
    }

    /// The protected file of an entry, which no link leads to; `None` if there is none.
    fn target(&mut self, entry: &IndexEntry) -> Result<Option<(PathBuf, Metadata)>, WorkTreeError> {
        let target = self.repository.file_path(&entry.path);
        let in_the_way = |what| WorkTreeError::InTheWay { path: shown(&entry.path), what };
        let top = self.repository.work_tree();
        let above: Vec<_> = target.ancestors().skip(1).take_while(|folder| *folder != top).collect();
        for folder in above.into_iter().chain([top]).rev() {
            if self.folders.contains(folder) {
                continue;
            }
            sweep(&folder.join(beside::FOLDER))?;
            if folder == top {
                self.folders.insert(folder.to_owned());
                continue;
            }
            match durable::inspect(folder)? {
                None => return Ok(None),
                Some(metadata) if metadata.is_symlink() => {
                    return Err(in_the_way("a symbolic link to a folder"));
                }
                Some(metadata) if !metadata.is_dir() => return Err(in_the_way("a file instead of a folder")),
                Some(_) => self.folders.insert(folder.to_owned()),
            };
        }
        match durable::inspect(&target)? {
            None => Ok(None),
            Some(metadata) if metadata.is_file() => Ok(Some((target, metadata))),
            Some(metadata) if metadata.is_symlink() => Err(in_the_way("a symbolic link")),
            Some(metadata) if metadata.is_dir() => Err(in_the_way("a folder")),
            Some(_) => Err(in_the_way("something else")),
        }
    }

    /// Puts a new form of a file on the stage: for the owner alone, and as old as
    /// the form it replaces, for it says the same.
    fn stage(
        &mut self,
        entry: IndexEntry,
        target: PathBuf,
        old: &Metadata,
        bytes: &[u8],
    ) -> Result<(), WorkTreeError> {
        let staged = self.stage.join(self.ready.len().to_string());
        let access = if is_executable(&entry) { Access::Mode(0o700) } else { Access::Owner };
        let modified = old.modified().ok();
        durable::write_unsynced(&staged, bytes, access, modified)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.ready.push(Ready {
            staged,
            target,
            entry,
            replaced: Stat::of(old),
            written: (length, modified),
        });
        Ok(())
    }

    /// Renames everything into place and tells the index; gives the number of
    /// files, and those that somebody has written to since they were read: they
    /// stay as they are.
    fn finish(mut self) -> Result<(usize, Vec<String>), WorkTreeError> {
        let ready = std::mem::take(&mut self.ready);
        let (mut count, mut changed) = (0, Vec::new());
        if !ready.is_empty() {
            durable::sync_file_system(&self.stage)?;
            // A file of another size than the index remembers is modified to git,
            // which does not ask the filter then. Forgotten, it is looked into: so
            // there is no moment in which an unchanged file seems to be changed.
            let forgotten = ready.iter().filter_map(|ready| entered(&ready.entry, IndexStat::Unknown));
            self.tell(&forgotten.collect::<Vec<_>>())?;
        }
        let mut changes = Vec::with_capacity(ready.len());
        for Ready { staged, target, entry, replaced, written } in ready {
            if durable::inspect(&target)?.map(|file| Stat::of(&file)) != Some(replaced) {
                changed.push(shown(&entry.path));
                continue;
            }
            count += 1;
            match fs::rename(&staged, &target) {
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                    beside::place(&staged, &target)?;
                }
                renamed => renamed.map_err(FileError::new("rename a new file to", &target))?,
            }
            // A stranger's change of this very moment is git's to find.
            let file = durable::inspect(&target)?;
            let file = file.filter(|file| (file.len(), file.modified().ok()) == written);
            changes.extend(file.and_then(|file| entered(&entry, IndexStat::Known(Stat::of(&file)))));
        }
        for (entry, stat) in std::mem::take(&mut self.right) {
            if entry.stat != Some(stat) {
                changes.extend(entered(&entry, IndexStat::Known(stat)));
            }
        }
        self.tell(&changes)?;
        Ok((count, changed))
    }

    fn tell(&self, changes: &[IndexChange]) -> Result<(), GitError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.repository.update_index(changes, WORK_TREE, Patience::Wait)
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        // What cannot be removed now is removed before the next exchange.
        drop(sweep(&self.stage));
    }
}

/// The same entry with another memory of its file. A side of a conflict git looks
/// into by itself.
fn entered(entry: &IndexEntry, stat: IndexStat) -> Option<IndexChange> {
    let entered = Some(Entered { oid: entry.oid, mode: entry.mode, stat });
    (entry.stage == 0).then(|| IndexChange { path: entry.path.clone(), entered })
}

fn is_executable(entry: &IndexEntry) -> bool {
    entry.mode & 0o100 != 0
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Removes a stage with all that is left on it.
fn sweep(stage: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(stage) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::new("remove", stage)(error)),
        _ => Ok(()),
    }
}
