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
/// How long easy-rsa is waited for, in total.
const EASYRSA_LIMIT: Duration = Duration::from_secs(60);
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
        let mut wait = Wait::new(waiting);
        let directory = loop {
            let directory = File::open(root).map_err(FileError::new("open", root))?;
            wait.for_advisory_lock(&directory, root)?;
            // init-pki may have put another directory in its place meanwhile.
            if is_at(&directory, root)? {
                break directory;
            }
        };
        if lock_file == LockFile::Ignore {
            return Ok(Self { lock_file: None, _directory: directory });
        }
        let mut claim = Claim::default();
        loop {
            let holder = match claim.attempt(root)? {
                Ok(own) => return Ok(Self { lock_file: Some(own), _directory: directory }),
                Err(holder) => holder,
            };
            if let Holder::Easyrsa(pid) = holder
                && wait.began.elapsed() >= EASYRSA_LIMIT
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
    fn for_advisory_lock(&mut self, directory: &File, root: &Path) -> Result<(), FileError> {
        match directory.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(FileError::new("lock", root)(error)),
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
            // Nobody listens any more: then nobody wants the lock either.
            drop(sender.send(locked));
        });
        loop {
            match receiver.recv_timeout(self.next.saturating_sub(self.began.elapsed())) {
                Ok(locked) => return locked.map_err(FileError::new("lock", root)),
                Err(mpsc::RecvTimeoutError::Timeout) => self.say(Found::at(root).holder()),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(FileError::new("lock", root)(io::Error::other("the wait ended")));
                }
            }
        }
    }
}
