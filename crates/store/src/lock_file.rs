// SPDX-License-Identifier: MIT OR Apache-2.0
//! easy-rsa's `lock.file`: what it says, whether it is stale, and ours.
//!
//! easy-rsa 3.2: every command - creates it with noclobber, writes the process
//! ID of its shell and nothing else, and refuses to run while it is there. Ours
//! has a second line, by which we know that it means nothing while we hold the
//! advisory lock. Waiting is not done here.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process,
    time::{Duration, Instant},
};

use rustix::process::{Pid, test_kill_process};

use crate::{
    durable::{FileError, remove_if_present},
    lock::Holder,
};

const LOCK_FILE: &str = "lock.file";
const SECOND_LINE: &str = "certkeep";

/// How long a lock file may be without a process ID: easy-rsa creates it and
/// writes into it at once, so an old empty one is left from a power cut.
const EMPTY_LIMIT: Duration = Duration::from_millis(300);

/// Where it stands in the PKI directory `root`.
pub(crate) fn at(root: &Path) -> PathBuf {
    root.join(LOCK_FILE)
}

/// Whether the file of an easy-rsa is there that does not run any more.
pub(crate) fn is_left_behind(root: &Path) -> bool {
    matches!(Found::at(root), Found::Easyrsa(pid) if !is_alive(pid))
}

/// The file while it is ours; dropping it removes it.
#[derive(Debug)]
pub(crate) struct OwnLockFile(PathBuf);

impl OwnLockFile {
    /// Removes the file now, and says if that fails.
    pub(crate) fn remove(self) -> Result<(), FileError> {
        remove_if_present(&self.0)
    }
}

impl Drop for OwnLockFile {
    fn drop(&mut self) {
        // If it cannot be removed now, the next certkeep knows it for stale.
        drop(fs::remove_file(&self.0));
    }
}

/// Removes the file if this process wrote it.
pub(crate) fn release(root: &Path) {
    if Found::at(root) == Found::Ours(Some(process::id())) {
        drop(fs::remove_file(at(root)));
    }
}

/// What a lock file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A certkeep, and its process ID.
    Ours(Option<u32>),
    /// The process ID of a shell.
    Easyrsa(u32),
    /// Nothing, or nothing that means something.
    Empty,
}

impl Found {
    pub(crate) fn at(root: &Path) -> Self {
        let text = fs::read(at(root)).unwrap_or_default();
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

    pub(crate) fn holder(self) -> Holder {
        match self {
            Self::Ours(pid) => Holder::Certkeep(pid),
            Self::Easyrsa(pid) => Holder::Easyrsa(pid),
            Self::Empty => Holder::Unknown,
        }
    }
}

/// The attempts to own `lock.file`, made while the advisory lock is held.
#[derive(Debug, Default)]
pub(crate) struct Claim {
    empty_since: Option<Instant>,
}

impl Claim {
    /// Creates the file, after removing a stale one; or says who holds it.
    pub(crate) fn attempt(&mut self, root: &Path) -> Result<Result<OwnLockFile, Holder>, FileError> {
        let path = at(root);
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
