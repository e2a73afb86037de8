// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder for plaintext that only this user sees, in memory, and that goes when
//! the run ends, however it ends: by itself, by a signal, or swept by a later run.
//!
//! The folder is locked while its run lives; one that nobody holds was left behind.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use certkeep_pki::secret::SecretBytes;
use rand_core::RngCore as _;
use rustix::{fs::statfs, process::geteuid};

use crate::{interrupt, session::Session, settings::Machine};

/// Linux: tmpfs and ramfs, see statfs(2).
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// A private folder, removed when dropped.
#[derive(Debug)]
pub struct PrivateFolder {
    path: PathBuf,
    /// Held while the run lives.
    _lock: File,
}

/// A folder in memory in which private folders may be made.
#[must_use]
pub fn memory(machine: &Machine) -> Option<PathBuf> {
    let candidates = machine.runtime.clone().into_iter().chain([PathBuf::from("/dev/shm")]);
    candidates.into_iter().find(|folder| folder.is_dir() && is_in_memory(folder))
}

fn is_in_memory(folder: &Path) -> bool {
    statfs(folder)
        .is_ok_and(|system| u64::try_from(system.f_type).is_ok_and(|kind| IN_MEMORY.contains(&kind)))
}

impl PrivateFolder {
    /// Makes one in `parent`, and removes what runs before have left there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn make(parent: &Path) -> io::Result<Self> {
        let prefix = format!("certkeep-{}-", geteuid().as_raw());
        sweep(parent, &prefix);
        loop {
            let path = parent.join(format!("{prefix}{:016x}", Session::rng().next_u64()));
            DirBuilder::new().mode(0o700).create(&path)?;
            interrupt::holds_plaintext(Some(path.clone()));
            // A sweeper may have come between: it holds the lock, or the folder is gone.
            let Ok(lock) = File::open(&path) else { continue };
            if lock.try_lock().is_ok() && is_same(&lock, &path) {
                return Ok(Self { path, _lock: lock });
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, and the folders it is in.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn write(&self, relative: &Path, contents: &SecretBytes) -> io::Result<()> {
        let path = self.path.join(relative);
        DirBuilder::new().recursive(true).mode(0o700).create(path.parent().unwrap_or(&self.path))?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(contents.expose())
    }

    /// Makes a folder in it.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn folder(&self, relative: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(self.path.join(relative))
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // What cannot be removed now, the next run sweeps.
        let _ = fs::remove_dir_all(&self.path);
        interrupt::holds_plaintext(None);
    }
}

fn is_same(lock: &File, path: &Path) -> bool {
    match (lock.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Removes this user's folders that no run holds any more.
fn sweep(parent: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix))
            && fs::symlink_metadata(&path)
                .is_ok_and(|found| found.is_dir() && found.uid() == geteuid().as_raw());
        if ours && File::open(&path).is_ok_and(|folder| folder.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_run_and_one_that_was_left_is_swept() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let held = PrivateFolder::make(parent.path()).expect("made");
        held.write(Path::new("a/b.key"), &SecretBytes::new(b"secret".to_vec())).expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
        assert_eq!(mode(held.path()), 0o700);
        assert_eq!(mode(&held.path().join("a/b.key")), 0o600);
        let left = parent.path().join(format!("certkeep-{}-0", geteuid().as_raw()));
        fs::create_dir(&left).expect("left behind");
        let foreign = parent.path().join("certkeep-x");
        fs::create_dir(&foreign).expect("somebody else's");
        let second = PrivateFolder::make(parent.path()).expect("made");
        assert!(!left.exists());
        assert!(foreign.exists());
        assert!(held.path().join("a/b.key").exists(), "its run lives");
        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists());
        assert!(second.path().exists());
    }
}
