// SPDX-License-Identifier: MIT OR Apache-2.0
//! All files of a [`ChangeSet`], or none.
//!
//! ```text
//! stage    .transaction/ID.N        every new file, synced, under a name never used before
//! objects  .git/objects             the same as a git commit, synced, nothing refers to it
//! journal  .transaction/journal.new what to do with them, synced
//! commit   rename to .transaction/journal, sync .transaction
//! steps    rename and remove, sync every directory that was touched
//! land     HEAD and the index follow to the git commit, synced
//! done     remove the journal and .transaction; the next transaction syncs that
//! ```
//!
//! The git commit is made where there is a history, and only there.
//!
//! Whoever finds a journal does the steps from the start; whoever finds
//! `.transaction` without one removes it. Both only under the lock, which this
//! file knows nothing of.
//!
//! long: what is written, completed, undone and seen by readers is one protocol,
//! whose halves have to be read beside each other.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use certkeep_pki::{change::ChangeSet, layout::PkiPath};
use thiserror::Error;

pub use crate::{durable::FileError, journal::JournalError};
use crate::{
    durable::{
        Access, inspect, make_directories, make_directory, remove_if_present, rename_if_present,
        sync_directory,
    },
    git::{GitError, Head, Patience, Repository, Stat, as_path},
    history::{
        History, LeftAway, Message, SealRefusal,
        draft::PkiDraft,
        land::{Landed, Placed, check, land},
    },
    journal::{Journal, Step},
    modes::Umask,
    plan::Plan,
    read::ReadError,
    stage::prepare,
    worktree::beside,
};

const JOURNAL: &str = "journal";
pub(crate) const JOURNAL_NEW: &str = "journal.new";

/// Where a transaction takes place.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// What the paths of a journal are relative to.
    pub(crate) root: PathBuf,
    /// The directory of staged files and the journal.
    pub(crate) stage: PathBuf,
}

impl Site {
    /// The PKI directory at `root`.
    pub(crate) fn pki(root: &Path) -> Self {
        Self { root: root.to_owned(), stage: root.join(".transaction") }
    }

    /// Where a path of a journal leads.
    pub(crate) fn path(&self, relative: &[u8]) -> PathBuf {
        self.root.join(as_path(relative))
    }
}

/// What a transaction did, for the notice to the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// Files that were created or replaced.
    pub written: Vec<PkiPath>,
    /// Files that were moved, from and to.
    pub moved: Vec<(PkiPath, PkiPath)>,
    /// Files that were removed.
    pub removed: Vec<PkiPath>,
    /// The git commit that holds all of this, in hexadecimal digits; `None`
    /// without a history, and when git kept the same files already.
    pub commit: Option<String>,
}

/// Why changes were not recorded. Unless it is [`RecordError::Unfinished`] or
/// [`RecordError::LeftAway`], everything is as it was before.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Key material for a path that the layout lists as public, written or moved.
    #[error("{} is a public file, key material cannot be kept in it", path.display())]
    SecretInPublicFile {
        /// The public path.
        path: PathBuf,
    },
    /// A file stands where a new one was to be created or moved to.
    #[error("{} already exists", path.display())]
    AlreadyExists {
        /// That file.
        path: PathBuf,
    },
    /// A file or a directory on the way to it is a symbolic link; nothing is
    /// written through one, or replaces one.
    #[error("{} is a symbolic link", path.display())]
    SymbolicLink {
        /// The link.
        path: PathBuf,
    },
    /// A directory, pipe or device where a file belongs.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// What stands there.
        path: PathBuf,
    },
    /// A file where a directory belongs.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// What stands there.
        path: PathBuf,
    },
    /// The file system cannot be written to.
    #[error("the PKI lies on a read-only file system")]
    ReadOnly(#[source] FileError),
    /// The disk or the quota is exhausted.
    #[error("there is no space left for the change")]
    NoSpace(#[source] FileError),
    /// Any other failure of the system.
    #[error("the change could not be written")]
    File(#[source] FileError),
    /// A file to be moved or kept could not be read.
    #[error("the change could not be prepared")]
    Read(#[from] ReadError),
    /// A file cannot be sealed for git.
    #[error("the change was not given to git")]
    Sealed(#[from] SealRefusal),
    /// The git commit cannot be written.
    #[error("the change could not be prepared for git")]
    Git(#[from] GitError),
    /// An interrupted change is in the way and cannot be completed.
    #[error("an earlier change could not be completed")]
    Blocked(#[source] RecoverError),
    /// The change is committed: it will be completed by whoever opens the PKI
    /// for writing next, and readers see it already.
    #[error("the change is committed, but could not be completed yet")]
    Unfinished(#[source] RecoverError),
    /// The files are changed, and git does not have it: while they were, somebody
    /// committed other changes of them.
    #[error(
        "the files are changed, but the change is not committed: somebody has committed other changes of them meanwhile"
    )]
    LeftAway(LeftAway),
}

impl From<FileError> for RecordError {
    fn from(error: FileError) -> Self {
        match error.source.kind() {
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(error),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace(error),
            _ => Self::File(error),
        }
    }
}

/// Why what an interrupted command left behind could not be dealt with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// The system refused a step.
    #[error("a committed change could not be completed")]
    File(#[from] FileError),
    /// The repository refused the git commit.
    #[error("a committed change could not be completed in git")]
    Git(#[from] GitError),
    /// The journal is not one of ours.
    #[error("the journal {} cannot be followed", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: JournalError,
    },
}

/// Records `changes` in a PKI directory, and as one commit of its history if
/// it has one: `since` is where HEAD was when they were decided, if that is
/// known. The lock is held, and nothing is left of earlier transactions.
pub(crate) fn record(
    site: &Site,
    changes: &ChangeSet,
    umask: Umask,
    history: Option<(&History, &Message)>,
    since: Option<Head>,
) -> Result<Recorded, RecordError> {
    let plan = Plan::of(&site.root, changes)?;
    let draft = history.map(|(history, message)| PkiDraft::new(&site.root, history, message)).transpose()?;
    let draft = draft.map(|draft| draft.since(since));
    let commit = carry_out(site, |made| prepare(site, &plan, umask, draft, made))?;
    Ok(Recorded { commit, ..plan.recorded })
}

/// Prepares a transaction, commits it and does it; gives the git commit.
/// Nothing remains if the first of these fails.
pub(crate) fn carry_out(
    site: &Site,
    prepare: impl FnOnce(&mut Vec<PathBuf>) -> Result<Option<Journal>, RecordError>,
) -> Result<Option<String>, RecordError> {
    let mut made = Vec::new();
    let committed = prepare(&mut made).and_then(|journal| match journal {
        Some(journal) => {
            check(site, &journal)?;
            commit(site)?;
            Ok(Some(journal))
        }
        None => Ok(None),
    });
    match committed {
        Ok(None) => Ok(None),
        Ok(Some(journal)) => match finish(site, &journal, Found::Fresh) {
            Ok(Landed::Commit(commit)) => Ok(commit),
            Ok(Landed::LeftAway(left)) => Err(RecordError::LeftAway(left)),
            Err(error) => Err(RecordError::Unfinished(error)),
        },
        Err(error) => {
            undo(site, &made);
            Err(error)
        }
    }
}

pub(crate) fn commit(site: &Site) -> Result<(), FileError> {
    let journal = site.stage.join(JOURNAL);
    match fs::rename(site.stage.join(JOURNAL_NEW), &journal) {
        Ok(()) => Ok(()),
        Err(error) => Err(FileError::new("create", &journal)(error)),
    }
}

/// How whoever finishes a transaction comes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It has just been committed.
    Fresh,
    /// Somebody left it, who knows how long ago.
    Left(Patience),
}

/// Does the steps of a journal, from the start, and removes it; tells what became
/// of the git commit.
///
/// The first sync is the commit: before it the steps must not begin, also
/// when the journal was found, for its writer may have died before its sync.
fn finish(site: &Site, journal: &Journal, found: Found) -> Result<Landed, RecoverError> {
    sync_directory(&site.stage)?;
    let mut touched = BTreeSet::new();
    for step in &journal.steps {
        touched.extend(step.apply(site)?);
    }
    let placed = match found {
        Found::Fresh if journal.commit.is_some() => placed(site, journal)?,
        _ => Placed::new(),
    };
    for directory in &touched {
        if inspect(directory)?.is_some() {
            sync_directory(directory)?;
        }
    }
    let patience = match found {
        Found::Fresh => Patience::Wait,
        Found::Left(patience) => patience,
    };
    let landed = land(site, journal, &placed, patience)?;
    // No sync behind this: a journal that a power cut brings back is done
    // already, and the next transaction makes its absence last with its own.
    remove_if_present(&site.stage.join(JOURNAL))?;
    remove_stage(&site.stage)?;
    Ok(landed)
}

/// What git will want to know of the new files, before anybody edits them.
fn placed(site: &Site, journal: &Journal) -> Result<Placed, FileError> {
    let mut placed = Placed::new();
    for step in &journal.steps {
        if let Step::Place { path, .. } = step
            && let Some(metadata) = inspect(&site.path(path))?
        {
            placed.insert(path.clone(), Stat::of(&metadata));
        }
    }
    Ok(placed)
}

impl Step {
    /// Does this step, or finds it done; gives the directory it changed.
    fn apply(&self, site: &Site) -> Result<Option<PathBuf>, FileError> {
        let path = match self {
            Self::Directory(path) => {
                let path = site.path(path);
                make_directory(&path, Access::Owner)?;
                path
            }
            Self::Place { staged, path } => {
                let path = site.path(path);
                if let Some(parent) = path.parent() {
                    // It was there at the commit; somebody may have tidied up since.
                    make_directories(parent)?;
                }
                place(&site.stage.join(staged), &path)?;
                path
            }
            Self::Event { staged, path } => {
                let staged = site.stage.join(staged);
                let Ok(Some(repository)) = Repository::discover(&site.root) else {
                    // Files that were copied away from their repository have no journal.
                    remove_if_present(&staged)?;
                    return Ok(None);
                };
                let path = repository.file_path(path);
                if let Some(parent) = path.parent() {
                    make_directories(parent)?;
                }
                place(&staged, &path)?;
                path
            }
            Self::Remove(path) => {
                let path = site.path(path);
                remove_if_present(&path)?;
                path
            }
        };
        Ok(path.parent().map(Path::to_owned))
    }
}

fn place(staged: &Path, path: &Path) -> Result<(), FileError> {
    match rename_if_present(staged, path) {
        Err(error) if error.source.kind() == io::ErrorKind::CrossesDevices => place_across(staged, path),
        result => result.map(drop),
    }
}

/// Places a file in a directory that is mounted from elsewhere. What is killed in
/// between leaves nothing that git would take.
fn place_across(staged: &Path, path: &Path) -> Result<(), FileError> {
    if inspect(staged)?.is_none() {
        return Ok(());
    }
    beside::place(staged, path)
        .map_err(|error| FileError::new("copy a new file to", path)(io::Error::other(error)))?;
    remove_if_present(staged)
}

/// Reads the journal of a committed transaction, if there is one.
pub(crate) fn pending(site: &Site) -> Result<Option<Journal>, RecoverError> {
    let path = site.stage.join(JOURNAL);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(FileError::new("read", &path)(error).into()),
    };
    match Journal::parse(&bytes) {
        Ok(journal) => Ok(Some(journal)),
        Err(source) => Err(RecoverError::Journal { path, source }),
    }
}

/// What a reader sees of a committed transaction. Who may not look for the
/// journal reads the files as they are: the stage is its owner's alone, and
/// there during every write.
pub(crate) fn visible(site: &Site) -> Result<Option<Journal>, RecoverError> {
    match pending(site) {
        Err(RecoverError::File(error)) if error.source.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        result => result,
    }
}

/// Completes what is committed and sweeps what is not; gives the git commit that
/// had to be left away, if there is one. The lock is held.
pub(crate) fn recover(site: &Site, patience: Patience) -> Result<Option<LeftAway>, RecoverError> {
    let Some(journal) = pending(site)? else {
        remove_stage(&site.stage)?;
        return Ok(None);
    };
    match finish(site, &journal, Found::Left(patience))? {
        Landed::Commit(_) => Ok(None),
        Landed::LeftAway(left) => Ok(Some(left)),
    }
}

/// Leaves no trace of what was not committed. What cannot be removed now is
/// swept by the next writer.
fn undo(site: &Site, made: &[PathBuf]) {
    let stage = &site.stage;
    // A journal that stands although its rename failed: its files stay until
    // its absence is on the disk, or it would promise what is not there.
    let withdrawn = match inspect(&stage.join(JOURNAL)) {
        Ok(None) => Ok(()),
        _ => remove_if_present(&stage.join(JOURNAL)).and_then(|()| sync_directory(stage)),
    };
    if withdrawn.is_ok() {
        drop(remove_stage(stage));
    }
    for directory in made.iter().rev() {
        drop(fs::remove_dir(directory));
    }
}

/// Removes the stage directory and what is left in it.
pub(crate) fn remove_stage(stage: &Path) -> Result<(), FileError> {
    match inspect(stage)? {
        None => Ok(()),
        Some(metadata) if metadata.is_dir() && fs::remove_dir(stage).is_ok() => Ok(()),
        Some(metadata) if metadata.is_dir() => {
            fs::remove_dir_all(stage).map_err(FileError::new("remove", stage))
        }
        Some(_) => remove_if_present(stage),
    }
}

#[cfg(test)]
mod tests;
