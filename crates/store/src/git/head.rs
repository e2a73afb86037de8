// SPDX-License-Identifier: MIT OR Apache-2.0
//! HEAD, moved from one commit to the next if it is still where it was.
//!
//! By git's own protocol, but not by libgit2: a process that dies may leave a
//! lock file behind, and libgit2's says nothing of whose it is. Ours appears
//! with its text in it, the new commit, so that whoever completes that commit
//! can tell that it is left over.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{GitError, Oid, Repository};
use crate::durable::{Access, FileError, inspect, make_directory, remove_if_present, sync_directory};

/// How long another git is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
pub(super) const POLL: Duration = Duration::from_millis(20);

/// Whether to wait for another git that holds a lock file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Ten seconds.
    Wait,
    /// Not at all.
    None,
}

/// Where HEAD leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The branch, such as `refs/heads/main`; `HEAD` itself when it is detached.
    pub(crate) name: String,
    /// The commit; `None` before the first one.
    pub(crate) commit: Option<Oid>,
}

impl Repository {
    /// Where HEAD leads now.
    pub(crate) fn head(&self) -> Result<Head, GitError> {
        let reading = || GitError::library("read HEAD");
        let mut name = "HEAD".to_owned();
        // As many steps as git takes.
        for _ in 0..5 {
            let Some(reference) =
                super::absent_is_none(self.inner.find_reference(&name)).map_err(reading())?
            else {
                break;
            };
            match reference.symbolic_target().map_err(reading())? {
                Some(target) => name = target.to_owned(),
                None => return Ok(Head { name, commit: reference.target() }),
            }
        }
        Ok(Head { name, commit: None })
    }

    /// Whether there is a reference of this name.
    pub(crate) fn has_reference(&self, name: &str) -> Result<bool, GitError> {
        let found = super::absent_is_none(self.inner.find_reference(name));
        found.map(|found| found.is_some()).map_err(GitError::library("read a reference"))
    }

    /// Moves what `head` names from its commit to `commit`, with a line in the
    /// reflogs. False when somebody else has moved it meanwhile. `token` is
    /// nobody else's; so is the commit.
    pub(crate) fn move_head(
        &self,
        head: &Head,
        commit: Oid,
        token: &str,
        patience: Patience,
    ) -> Result<bool, GitError> {
        let scratch = Scratch::new(self, token)?;
        let path = self.private_or_common(&head.name).join(&head.name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(FileError::new("create", parent))?;
        }
        let lock = LockFile::acquire(&scratch, &path, &format!("{commit}\n"), patience)?;
        if self.head()? != *head {
            return Ok(false);
        }
        self.log_move(head, commit)?;
        // Deleted branches of longer names may have left an empty directory.
        drop(fs::remove_dir(&path));
        lock.become_the_file()?;
        Ok(true)
    }

    /// References of one work tree, and those that all share.
    fn private_or_common(&self, name: &str) -> &Path {
        let private = ["refs/bisect/", "refs/worktree/", "refs/rewritten/"];
        if !name.starts_with("refs/") || private.iter().any(|prefix| name.starts_with(prefix)) {
            self.git_dir()
        } else {
            self.common_dir()
        }
    }

    /// Before the move, as git does it. What is interrupted in between is moved
    /// again and logged twice.
    fn log_move(&self, head: &Head, commit: Oid) -> Result<(), GitError> {
        let (who, subject) = self.committer_and_subject(commit)?;
        let zeros = "0".repeat(commit.to_string().len());
        let old = head.commit.map_or(zeros, |commit| commit.to_string());
        let initial = if head.commit.is_none() { " (initial)" } else { "" };
        let line = format!("{old} {commit} {who}\tcommit{initial}: {subject}\n");
        let wanted = match self.config("core.logAllRefUpdates")?.as_deref() {
            None | Some("always") => true,
            Some(_) => self.config_flag("core.logAllRefUpdates")?.unwrap_or(true),
        };
        let mut names = vec!["HEAD"];
        names.extend((head.name != "HEAD").then_some(head.name.as_str()));
        for name in names {
            let path = self.private_or_common(name).join("logs").join(name);
            if let Some(parent) = path.parent().filter(|_| wanted) {
                fs::create_dir_all(parent).map_err(FileError::new("create", parent))?;
            }
            let log = OpenOptions::new().append(true).create(wanted).open(&path);
            match log.and_then(|mut log| log.write_all(line.as_bytes())) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && !wanted => {}
                result => result.map_err(FileError::new("write", &path))?,
            }
        }
        Ok(())
    }

    /// Our own directory in the repository, which nobody else may read.
    pub(crate) fn own_dir(&self) -> Result<PathBuf, GitError> {
        let path = self.state();
        if make_directory(&path, Access::Owner)? {
            sync_directory(self.common_dir())?;
        }
        Ok(path)
    }
}

/// A directory of our own for the files of a moment, removed when it is dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// An empty one. `token` is nobody else's: what was left under this name is
    /// left over.
    pub(super) fn new(repository: &Repository, token: &str) -> Result<Self, GitError> {
        let path = Self::place(&repository.own_dir()?, token);
        if inspect(&path)?.is_some() {
            fs::remove_dir_all(&path).map_err(FileError::new("remove", &path))?;
        }
        make_directory(&path, Access::Owner)?;
        Ok(Self(path))
    }

    pub(super) fn place(own: &Path, token: &str) -> PathBuf {
        own.join(format!("scratch-{token}"))
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// `FILE.lock`, which keeps every other git from writing `FILE`, until this is dropped.
#[derive(Debug)]
pub(super) struct LockFile {
    file: PathBuf,
    lock: PathBuf,
    held: bool,
}

impl LockFile {
    /// Takes the lock of `file`. A lock file with this very text is one that we
    /// left behind: nobody else writes it.
    pub(super) fn acquire(
        scratch: &Scratch,
        file: &Path,
        text: &str,
        patience: Patience,
    ) -> Result<Self, GitError> {
        let since = Instant::now();
        let mut lock = file.as_os_str().to_owned();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let new = scratch.join("lock");
        write_synced(&new, text)?;
        loop {
            match fs::hard_link(&new, &lock) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                // Without links there is a moment in which it is empty.
                Err(_) => match write_synced(&lock, text) {
                    Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(error.into()),
                    Ok(()) => break,
                },
            }
            if fs::read(&lock).is_ok_and(|found| found == text.as_bytes()) {
                remove_if_present(&lock)?;
            } else if patience == Patience::None || since.elapsed() >= PATIENCE {
                return Err(GitError::Busy { path: lock });
            } else {
                thread::sleep(POLL);
            }
        }
        // The link is the lock file itself: written to, it would change too.
        remove_if_present(&new)?;
        Ok(Self { file: file.to_owned(), lock, held: true })
    }

    /// Renames the lock file to the file: that changes it, and ends the lock.
    fn become_the_file(mut self) -> Result<(), FileError> {
        fs::rename(&self.lock, &self.file).map_err(FileError::new("rename a lock file to", &self.file))?;
        self.held = false;
        self.file.parent().map_or(Ok(()), sync_directory)
    }

    /// Puts another file in the place of the file, and ends the lock.
    pub(super) fn replace_with(self, new: &Path) -> Result<(), FileError> {
        fs::rename(new, &self.file).map_err(FileError::new("rename a new file to", &self.file))?;
        self.file.parent().map_or(Ok(()), sync_directory)
    }
}

/// The text of a lock file that does not become the file.
pub(super) fn lock_text(token: &str) -> String {
    format!("certkeep {token}\n")
}

impl Drop for LockFile {
    fn drop(&mut self) {
        if self.held {
            drop(fs::remove_file(&self.lock));
        }
    }
}

fn write_synced(path: &Path, text: &str) -> Result<(), FileError> {
    // Not private: it becomes a file of git's, which are as open as the umask says.
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(FileError::new("create", path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(FileError::new("write", path))
}
