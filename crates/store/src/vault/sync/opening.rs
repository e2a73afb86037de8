// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may read what git writes. git gives every file and folder the modes of the
//! umask, private keys among them. So it runs with one that shuts others out, and
//! what is public gets its modes afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustix::{fs::Mode, process};

use super::SyncError;
use crate::{
    durable::{FileError, inspect, permissions},
    vault::{Vault, VaultError, unlock::is_of_secrets},
    zone::Protection,
};

/// The modes before git has written anything.
pub(super) struct Opening {
    paths: BTreeSet<String>,
    folders: BTreeMap<PathBuf, u32>,
    umask: u32,
}

impl Opening {
    /// Looks at what git is about to write.
    pub(super) fn prepare(vault: &Vault, paths: BTreeSet<String>) -> Result<Self, SyncError> {
        let mut folders = BTreeMap::new();
        for folder in folders_of(vault, &paths) {
            if let Some(metadata) = inspect(&folder).map_err(VaultError::from)? {
                folders.insert(folder, permissions(&metadata));
            }
        }
        let umask = process::umask(Mode::from_raw_mode(0o077));
        process::umask(umask);
        // Not of one size on every system.
        let umask = u32::try_from(u64::from(umask.bits())).unwrap_or(0o077) & 0o777;
        Ok(Self { paths, folders, umask })
    }

    /// Runs something whose new files are for their owner alone.
    pub(super) fn umask<T>(&self, run: impl FnOnce() -> T) -> T {
        let before = process::umask(Mode::from_raw_mode(0o077));
        let outcome = run();
        process::umask(before);
        outcome
    }

    /// Gives what is public the modes that git would have given it, and closes the
    /// folders of secrets.
    pub(super) fn finish(mut self, vault: &Vault, more: &[String]) -> Result<(), SyncError> {
        self.paths.extend(more.iter().cloned());
        let public = |path: &&String| vault.rules().protection(path.as_bytes()) == Protection::Public;
        let paths: BTreeSet<String> = self.paths.iter().filter(public).cloned().collect();
        for folder in folders_of(vault, &paths) {
            if !is_of_secrets(vault, &folder) {
                let wanted = self.folders.get(&folder).copied().unwrap_or(0o777 & !self.umask);
                set(&folder, wanted, fs::Metadata::is_dir)?;
            }
        }
        for path in &paths {
            let file = vault.repository.file_path(path.as_bytes());
            let Some(metadata) = inspect(&file).map_err(VaultError::from)? else { continue };
            let all = if permissions(&metadata) & 0o100 == 0 { 0o666 } else { 0o777 };
            // What somebody else has opened or closed by hand git has not written.
            if permissions(&metadata) & 0o077 == 0 {
                set(&file, all & !self.umask, fs::Metadata::is_file)?;
            }
        }
        Ok(vault.close_folders()?)
    }
}

/// The folders that these files lie in, below the top of the work tree.
fn folders_of(vault: &Vault, paths: &BTreeSet<String>) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for path in paths {
        let parents = Path::new(path).ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
        folders.extend(parents.map(|parent| vault.work_tree().join(parent)));
    }
    folders
}

fn set(path: &Path, mode: u32, fits: fn(&fs::Metadata) -> bool) -> Result<(), SyncError> {
    let found = inspect(path).map_err(VaultError::from)?;
    if found.is_some_and(|metadata| fits(&metadata) && permissions(&metadata) != mode) {
        fs::set_permissions(path, Permissions::from_mode(mode))
            .map_err(FileError::new("set the mode of", path))
            .map_err(VaultError::from)?;
    }
    Ok(())
}
