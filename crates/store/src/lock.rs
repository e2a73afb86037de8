// SPDX-License-Identifier: MIT OR Apache-2.0
//! One writer at a time, and the others wait.
//!
//! The lock is an advisory lock on the open PKI directory: it ends with the
//! process that holds it, however that ends. Whoever holds it also keeps
//! easy-rsa's `lock.file`, so that easy-rsa stays away, and stays away from a
//! PKI where easy-rsa runs. Nothing in here knows what is written.
//!
//! `lock.file` of easy-rsa 3.2: created with noclobber, holds the process ID
//! of the shell and nothing else. Ours has a second line, by which we know
//! that it means nothing while we hold the advisory lock.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, test_kill_process};
use thiserror::Error;

use crate::{
    durable::{FileError, remove_if_present, same_file},
    modes::LockFile,
    store::OpenError,
    transaction::RecoverError,
};

const LOCK_FILE: &str = "lock.file";
const SECOND_LINE: &str = "certkeep";

/// How often easy-rsa's lock file is looked at.
const POLL: Duration = Duration::from_millis(50);
/// How long a wait stays unsaid: most writers need a hundredth of this.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often a wait is said again.
const REMINDER: Duration = Duration::from_secs(5);
/// How long easy-rsa is waited for, in total.
const EASYRSA_LIMIT: Duration = Duration::from_secs(60);
/// How long a lock file may be without a process ID: easy-rsa creates it and
/// writes into it at once, so an old empty one is left from a power cut.
const EMPTY_LIMIT: Duration = Duration::from_millis(300);

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
    #[error("easy-rsa, process {pid}, holds {} since a minute or more", path.display())]
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

#[derive(Debug)]
struct OwnLockFile(PathBuf);

impl Drop for OwnLockFile {
    fn drop(&mut self) {
        // If it cannot be removed now, the next certkeep knows it for stale.
        drop(fs::remove_file(&self.0));
    }
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
                return Err(LockError::HeldByEasyrsa { pid, path: root.join(LOCK_FILE) });
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

    /// Leaves easy-rsa's file where it is: the directory it is in is about to
    /// be moved away, and another may come to stand at its path.
    pub(crate) fn abandon_lock_file(&mut self) -> Result<(), FileError> {
        match self.lock_file.take() {
            Some(own) => remove_if_present(&own.0),
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

/// What a lock file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Ours(Option<u32>),
    Easyrsa(u32),
    Empty,
}

impl Found {
    fn at(root: &Path) -> Self {
        let text = fs::read(root.join(LOCK_FILE)).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&text))
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let pid = lines.next().and_then(|line| line.trim().parse().ok()).filter(|&pid| pid != 0);
        match (pid, lines.next()) {
            (pid, Some(SECOND_LINE)) => Self::Ours(pid),
            (Some(pid), _) => Self::Easyrsa(pid),
            (None, _) => Self::Empty,
        }
    }

    fn holder(self) -> Holder {
        match self {
            Self::Ours(pid) => Holder::Certkeep(pid),
            Self::Easyrsa(pid) => Holder::Easyrsa(pid),
            Self::Empty => Holder::Unknown,
        }
    }
}

/// The attempts to own `lock.file`, made while the advisory lock is held.
#[derive(Default)]
struct Claim {
    empty_since: Option<Instant>,
}

impl Claim {
    /// Creates the file, after removing a stale one; or says who holds it.
    fn attempt(&mut self, root: &Path) -> Result<Result<OwnLockFile, Holder>, FileError> {
        let path = root.join(LOCK_FILE);
        loop {
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => {
                    let own = OwnLockFile(path.clone());
                    let text = format!("{}\n{SECOND_LINE}\n", process::id());
                    file.write_all(text.as_bytes()).map_err(FileError::new("write", &path))?;
                    return Ok(Ok(own));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(FileError::new("create", &path)(error)),
            }
            let found = Found::at(root);
            if !self.is_stale(found) {
                return Ok(Err(found.holder()));
            }
            remove_if_present(&path)?;
        }
    }

    fn is_stale(&mut self, found: Found) -> bool {
        match found {
            Found::Ours(_) => true,
            // Our own number in easy-rsa's file: left in a container that
            // counts from one again.
            Found::Easyrsa(pid) => pid == process::id() || !is_alive(pid),
            Found::Empty => self.empty_since.get_or_insert_with(Instant::now).elapsed() >= EMPTY_LIMIT,
        }
    }
}

/// Whether a process runs; one that is not ours to signal does.
fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}
