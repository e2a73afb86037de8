// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes of a repository that are no change of a PKI, such as a new member
//! or a rotated key: all of their files or none, and one commit.
//!
//! The same transaction as a PKI's, with its stage in git's directory.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, TryLockError},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use certkeep_pki::change::Contents;

use crate::{
    durable::{Access, FileError, Owner, inspect, make_directory, sync_directory, write_new},
    git::{GitError, Head, Oid, Patience, Repository},
    history::{LeftAway, Message, draft::Draft},
    journal::{Journal, Step, is_path},
    plan::check_directory,
    stage::{make_stage, promise, staged_names},
    transaction::{self, RecordError, RecoverError, Site, carry_out, remove_stage},
};

const POLL: Duration = Duration::from_millis(50);
/// How long another certkeep is waited for. Nothing is asked under this lock
/// but what git asks before it signs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A change of one file.
#[derive(Debug)]
pub(crate) struct RepositoryChange {
    /// From the top of the work tree, with slashes; not always UTF-8.
    pub(crate) path: Vec<u8>,
    pub(crate) work_tree: WorkTree,
    pub(crate) blob: BlobChange,
}

/// What becomes of a file in the work tree.
#[derive(Debug)]
pub(crate) enum WorkTree {
    /// It is written, whether it exists or not.
    Write(Contents, Access),
    /// It is removed, if it exists.
    Remove,
    /// Nothing: it is left alone.
    Leave,
}

/// What becomes of a file in git.
#[derive(Debug)]
pub(crate) enum BlobChange {
    /// Git keeps these bytes, which anybody may read.
    Set(Vec<u8>),
    /// Git keeps it no longer.
    Remove,
    /// Nothing.
    Leave,
}

impl Site {
    /// The work tree of a repository.
    pub(crate) fn repository(repository: &Repository) -> Result<Self, GitError> {
        // Linked work trees have a directory of their own in `worktrees`.
        let linked = repository.git_dir() != repository.common_dir();
        let name = repository.git_dir().file_name().filter(|_| linked).unwrap_or_default();
        let mut stage = std::ffi::OsString::from(if linked { "stage-" } else { "stage" });
        stage.push(name);
        Ok(Self { root: repository.work_tree().to_owned(), stage: repository.state().join(stage) })
    }
}

/// The right to change what belongs to the whole repository, until it is dropped.
#[derive(Debug)]
pub(crate) struct RepositoryLock {
    _directory: File,
}

impl RepositoryLock {
    /// Waits for the lock. Whoever holds it and asks for it again waits in vain.
    pub(crate) fn acquire(repository: &Repository) -> Result<Self, GitError> {
        let since = Instant::now();
        loop {
            if let Some(lock) = Self::try_acquire(repository)? {
                return Ok(lock);
            }
            if since.elapsed() >= PATIENCE {
                return Err(GitError::Busy { path: repository.own_dir()? });
            }
            thread::sleep(POLL);
        }
    }

    /// Takes the lock if nobody holds it.
    pub(crate) fn try_acquire(repository: &Repository) -> Result<Option<Self>, GitError> {
        let path = repository.own_dir()?;
        let directory = File::open(&path).map_err(FileError::new("open", &path))?;
        match directory.try_lock() {
            Ok(()) => Ok(Some(Self { _directory: directory })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(FileError::new("lock", &path)(error).into()),
        }
    }
}

/// Records changes as one commit, under the lock of `repository`; `None` when
/// git keeps the same files already. `since` is where HEAD was when they were
/// decided, `also` are parents beside it. If they touch a PKI, its lock is held too. `progress` is told how many
/// changes are written, of how many.
pub(crate) fn record_repository(
    repository: &Repository,
    since: Head,
    also: &[Oid],
    changes: &[RepositoryChange],
    message: &Message,
    progress: Option<&mut dyn FnMut(usize, usize)>,
) -> Result<Option<Oid>, RecordError> {
    let draft = Draft::new(repository, true)?.since(Some(since)).also(also);
    let _lock = RepositoryLock::acquire(repository)?;
    let site = Site::repository(repository)?;
    transaction::recover(&site, Patience::Wait).map_err(RecordError::Blocked)?;
    let directories = check(repository, changes)?;
    let mut ignored = |_, _| {};
    let progress = progress.unwrap_or(&mut ignored);
    let commit =
        carry_out(&site, |made| prepare(&site, changes, &directories, draft, message, progress, made))?;
    Ok(commit.and_then(|commit| repository.oid(&commit)))
}

/// Completes what an interrupted command had committed and removes what it left
/// locked, unless another certkeep is at it; gives the commit that had to be left
/// away, if there is one. Asks nothing and waits for nobody.
pub(crate) fn recover_repository(repository: &Repository) -> Result<Option<LeftAway>, RecoverError> {
    let site = Site::repository(repository)?;
    if (inspect(&site.stage)?.is_some() || !repository.left_behind().is_empty())
        && let Some(_lock) = RepositoryLock::try_acquire(repository)?
    {
        for left in repository.left_behind() {
            remove_stage(&left)?;
        }
        return transaction::recover(&site, Patience::None);
    }
    Ok(None)
}

/// Refuses what cannot or must not be written; gives the directories that are
/// missing, parents before children.
fn check(
    repository: &Repository,
    changes: &[RepositoryChange],
) -> Result<BTreeMap<Vec<u8>, Access>, RecordError> {
    let top = repository.work_tree();
    let mut missing = BTreeMap::new();
    for RepositoryChange { path, work_tree, .. } in changes {
        let absolute = repository.file_path(path);
        let mut names = path.split(|&byte| byte == b'/');
        if !is_path(path) || names.any(|name| name.eq_ignore_ascii_case(b".git")) {
            return Err(GitError::Outside { path: absolute, work_tree: top.to_owned() }.into());
        }
        if matches!(work_tree, WorkTree::Leave) {
            continue;
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        for end in [0].into_iter().chain(slashes) {
            let ancestor = path.get(..end).unwrap_or_default();
            let directory = repository.file_path(ancestor);
            match (inspect(&directory)?, work_tree) {
                (Some(metadata), _) => check_directory(&directory, &metadata)?,
                (None, WorkTree::Write(_, access)) => {
                    let openness = missing.entry(ancestor.to_owned()).or_insert(Access::Owner);
                    *openness = opener(*openness, directory_access(*access));
                }
                (None, _) => break,
            }
        }
        match inspect(&absolute)? {
            Some(metadata) if metadata.is_symlink() => {
                return Err(RecordError::SymbolicLink { path: absolute });
            }
            Some(metadata) if !metadata.is_file() => return Err(RecordError::NotAFile { path: absolute }),
            _ => {}
        }
    }
    Ok(missing)
}

/// The mode of a new directory for files of a mode: who may read them may
/// also reach them.
fn directory_access(file: Access) -> Access {
    match file {
        Access::Owner => Access::Owner,
        Access::Mode(mode) => Access::Mode(0o700 | mode | (mode & 0o444) >> 2),
    }
}

fn opener(one: Access, other: Access) -> Access {
    match (one, other) {
        (Access::Mode(one), Access::Mode(other)) => Access::Mode(one | other),
        (Access::Owner, open) | (open, Access::Owner) => open,
    }
}

fn prepare(
    site: &Site,
    changes: &[RepositoryChange],
    directories: &BTreeMap<Vec<u8>, Access>,
    mut draft: Draft,
    message: &Message,
    progress: &mut dyn FnMut(usize, usize),
    made: &mut Vec<PathBuf>,
) -> Result<Option<Journal>, RecordError> {
    make_stage(&site.stage)?;
    draft.begin(&site.stage)?;
    let mut steps = Vec::new();
    for (relative, &access) in directories {
        let path = site.path(relative);
        if make_directory(&path, access)? {
            made.push(path);
        }
        steps.push(Step::Directory(relative.clone()));
    }
    for parent in made.iter().filter_map(|path| path.parent()).collect::<BTreeSet<_>>() {
        sync_directory(parent)?;
    }
    let mut written = Vec::new();
    let names = staged_names();
    for (done, (RepositoryChange { path, work_tree, blob }, staged)) in changes.iter().zip(names).enumerate()
    {
        progress(done, changes.len());
        match work_tree {
            WorkTree::Write(contents, access) => {
                let owner = inspect(&site.path(path))?.as_ref().map(Owner::of);
                written.push(write_new(&site.stage.join(&staged), contents, *access, owner)?);
                steps.push(Step::Place { staged, path: path.clone() });
            }
            WorkTree::Remove => steps.push(Step::Remove(path.clone())),
            WorkTree::Leave => {}
        }
        match blob {
            BlobChange::Set(bytes) => draft.set(path.clone(), bytes)?,
            BlobChange::Remove => draft.remove(path.clone()),
            BlobChange::Leave => {}
        }
    }
    let commit = draft.finish(message)?;
    if steps.is_empty() && commit.is_none() {
        remove_stage(&site.stage)?;
        return Ok(None);
    }
    let journal = Journal { steps, commit };
    promise(&site.stage, &journal, written)?;
    Ok(Some(journal))
}

#[cfg(test)]
mod tests;
