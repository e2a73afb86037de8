// SPDX-License-Identifier: MIT OR Apache-2.0
//! One writer at a time, and the others wait.
//!
//! The lock is an advisory lock on the open PKI directory: it ends with the
//! process that holds it, however that ends. Whoever holds it also keeps
//! easy-rsa's `lock.file`, so that easy-rsa stays away, and stays away from a
//! PKI where easy-rsa runs. Nothing in here knows what is written.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::{
    durable::{FileError, same_file},
    lock_file::{self, Claim, Found, OwnLockFile},
    modes::LockFile,
    store::OpenError,
    transaction::RecoverError,
};

/// How often easy-rsa's lock file is looked at.
const POLL: Duration = Duration::from_millis(50);
/// How long a wait stays unsaid: most writers need a hundredth of this.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often a wait is said again.
const REMINDER: Duration = Duration::from_secs(5);

/// How long each holder is waited for.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// For another certkeep, from the start of the wait.
    certkeep: Duration,
    /// For easy-rsa, from when its lock file was first seen.
    easyrsa: Duration,
}

impl Limits {
    /// Five minutes are enough for somebody to answer a question, which is
    /// asked under the lock, and end a job that nobody watches. easy-rsa asks
    /// under its lock too, but a minute has been its limit from the start.
    const STANDARD: Self = Self { certkeep: Duration::from_secs(300), easyrsa: Duration::from_secs(60) };
}

/// Who writes while we wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holder {
    /// Another certkeep, with its process ID if it told.
    Certkeep(Option<u32>),
    /// easy-rsa, with the process ID of its shell.
    Easyrsa(u32),
    /// A lock file that does not say.
    Unknown,
}

/// A wait that became long enough to speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// Whom we wait for.
    pub holder: Holder,
    /// For how long so far.
    pub elapsed: Duration,
}

/// Why the lock could not be taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another certkeep did not finish within five minutes.
    #[error(
        "another certkeep{} has been holding the lock of {} for {} seconds",
        .pid.map(|pid| format!(", process {pid},")).unwrap_or_default(), path.display(), waited.as_secs(),
    )]
    Held {
        /// Its process, if it told.
        pid: Option<u32>,
        /// The PKI directory.
        path: PathBuf,
        /// For how long it was waited for.
        waited: Duration,
    },
    /// easy-rsa did not finish within a minute.
    #[error("easy-rsa, process {pid}, has been holding {} for a minute", path.display())]
    HeldByEasyrsa {
        /// The process in the lock file; it is alive.
        pid: u32,
        /// The lock file.
        path: PathBuf,
    },
    /// The PKI directory is on a read-only file system.
    #[error("the PKI lies on a read-only file system")]
    ReadOnly(#[source] FileError),
    /// Any other failure of the system.
    #[error("the PKI could not be locked")]
    File(#[source] FileError),
    /// An interrupted change is in the way.
    #[error("an earlier change could not be completed")]
    Recover(#[from] RecoverError),
    /// The directory is not a PKI any more.
    #[error("the PKI could not be opened")]
    Open(#[source] Box<OpenError>),
}

impl From<FileError> for LockError {
    fn from(error: FileError) -> Self {
        match error.source.kind() {
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(error),
            _ => Self::File(error),
        }
    }
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    /// easy-rsa's file, while it is ours. Dropped, and removed, before the
    /// advisory lock is.
    lock_file: Option<OwnLockFile>,
    _directory: File,
}

/// Takes away the `lock.file` of this process in the PKI at `root`, if there is
/// one: for a process that a signal ends, where nothing is dropped.
pub fn release(root: &Path) {
    lock_file::release(root);
}

impl Lock {
    /// Waits for the lock of the PKI directory at `root`.
    pub(crate) fn acquire(
        root: &Path,
        lock_file: LockFile,
        waiting: &mut dyn FnMut(&Waiting),
    ) -> Result<Self, LockError> {
        Self::acquire_within(Limits::STANDARD, root, lock_file, waiting)
    }

    fn acquire_within(
        limits: Limits,
        root: &Path,
        lock_file: LockFile,
        waiting: &mut dyn FnMut(&Waiting),
    ) -> Result<Self, LockError> {
        let mut wait = Wait::new(waiting);
        let directory = loop {
            let directory = File::open(root).map_err(FileError::new("open", root))?;
            wait.for_advisory_lock(&directory, root, limits.certkeep)?;
            // init-pki may have put another directory in its place meanwhile.
            if is_at(&directory, root)? {
                break directory;
            }
        };
        if lock_file == LockFile::Ignore {
            return Ok(Self { lock_file: None, _directory: directory });
        }
        let mut claim = Claim::default();
        let mut easyrsa_since = None;
        loop {
            let holder = match claim.attempt(root)? {
                Ok(own) => return Ok(Self { lock_file: Some(own), _directory: directory }),
                Err(holder) => holder,
            };
            if let Holder::Easyrsa(pid) = holder
                && easyrsa_since.get_or_insert_with(Instant::now).elapsed() >= limits.easyrsa
            {
                return Err(LockError::HeldByEasyrsa { pid, path: lock_file::at(root) });
            }
            wait.say(holder);
            thread::sleep(POLL);
        }
    }

    /// Takes the lock if nobody holds it.
    pub(crate) fn try_acquire(root: &Path) -> Result<Option<Self>, LockError> {
        let directory = File::open(root).map_err(FileError::new("open", root))?;
        match directory.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(FileError::new("lock", root)(error).into()),
        }
        if !is_at(&directory, root)? {
            return Ok(None);
        }
        let own = Claim::default().attempt(root)?.ok();
        Ok(own.map(|own| Self { lock_file: Some(own), _directory: directory }))
    }

    /// Gives up easy-rsa's file: the directory is about to be moved away, and
    /// another's file may come to stand at the same path.
    pub(crate) fn give_up_lock_file(&mut self) -> Result<(), FileError> {
        match self.lock_file.take() {
            Some(own) => own.remove(),
            None => Ok(()),
        }
    }
}

fn is_at(directory: &File, root: &Path) -> Result<bool, FileError> {
    let held = directory.metadata().map_err(FileError::new("inspect", root))?;
    let found = fs::metadata(root).map_err(FileError::new("inspect", root))?;
    Ok(same_file(&held, &found))
}

/// A wait, and when to speak of it.
struct Wait<'a> {
    waiting: &'a mut dyn FnMut(&Waiting),
    began: Instant,
    next: Duration,
}

impl<'a> Wait<'a> {
    fn new(waiting: &'a mut dyn FnMut(&Waiting)) -> Self {
        Self { waiting, began: Instant::now(), next: PATIENCE }
    }

    fn say(&mut self, holder: Holder) {
        let elapsed = self.began.elapsed();
        if elapsed >= self.next {
            self.next = elapsed + REMINDER;
            (self.waiting)(&Waiting { holder, elapsed });
        }
    }

    /// Waits without polling: the system wakes us the moment the lock is free.
    fn for_advisory_lock(&mut self, directory: &File, root: &Path, limit: Duration) -> Result<(), LockError> {
        match directory.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(FileError::new("lock", root)(error).into()),
        }
        // A duplicated handle shares its lock, so a thread can do the waiting
        // while this one speaks.
        let handle = directory.try_clone().map_err(FileError::new("lock", root))?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let locked = loop {
                match handle.lock() {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result,
                }
            };
            // Nobody listens any more: then nobody wants the lock either, and
            // it ends with this handle.
            drop(sender.send(locked));
        });
        loop {
            let elapsed = self.began.elapsed();
            match receiver.recv_timeout(self.next.min(limit).saturating_sub(elapsed)) {
                Ok(locked) => return Ok(locked.map_err(FileError::new("lock", root))?),
                Err(mpsc::RecvTimeoutError::Timeout) if self.began.elapsed() >= limit => {
                    let pid = match Found::at(root) {
                        Found::Ours(pid) => pid,
                        Found::Easyrsa(_) | Found::Empty => None,
                    };
                    return Err(LockError::Held { pid, path: root.to_owned(), waited: limit });
                }
                Err(mpsc::RecvTimeoutError::Timeout) => self.say(Found::at(root).holder()),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(FileError::new("lock", root)(io::Error::other("the wait ended")).into());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    const LIMITS: Limits =
        Limits { certkeep: Duration::from_millis(200), easyrsa: Duration::from_millis(100) };

    fn acquire(root: &Path) -> Result<Lock, LockError> {
        Lock::acquire_within(LIMITS, root, LockFile::Honour, &mut |_| {})
    }

    #[test]
    fn another_certkeep_is_not_waited_for_without_end() {
        let pki = tempfile::tempdir().expect("a temporary directory");
        let held = acquire(pki.path()).expect("free");
        let error = acquire(pki.path()).expect_err("held");
        assert!(
            matches!(&error, LockError::Held { pid: Some(pid), path, .. } if *pid == process::id() && path == pki.path()),
            "{error:?}"
        );
        fs::remove_file(lock_file::at(pki.path())).expect("there");
        let error = acquire(pki.path()).expect_err("held");
        assert!(matches!(error, LockError::Held { pid: None, .. }), "{error:?}");
        // Those who gave up do not keep the lock from the next.
        drop(held);
        acquire(pki.path()).expect("free");
    }

    #[test]
    fn easyrsa_has_its_time_from_when_it_is_seen() {
        const EASYRSA: Duration = Duration::from_millis(300);
        let limits = Limits { certkeep: Duration::from_secs(60), easyrsa: EASYRSA };
        let pki = tempfile::tempdir().expect("a temporary directory");
        // A process that is alive as long as this one.
        fs::write(lock_file::at(pki.path()), "1\n").expect("written");
        let held = File::open(pki.path()).expect("open");
        held.lock().expect("locked");
        let root = pki.path().to_owned();
        let waiter = thread::spawn(move || {
            Lock::acquire_within(limits, &root, LockFile::Honour, &mut |_| {})
                .map_err(|error| (error, Instant::now()))
        });
        // Longer than easy-rsa is given.
        thread::sleep(2 * EASYRSA);
        let seen = Instant::now();
        held.unlock().expect("unlocked");
        let (error, given_up) = waiter.join().expect("joined").expect_err("held");
        assert!(matches!(error, LockError::HeldByEasyrsa { pid: 1, .. }), "{error:?}");
        assert!(given_up.duration_since(seen) >= EASYRSA);
    }
}
