// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of all that can be wrong is made right without a key, without a question,
//! and without anything being less protected than before.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

use crate::{
    durable::{FileError, permissions},
    history::Message,
    vault::{Vault, VaultError, edit::Edit},
    zone::Protection,
};

impl Vault {
    /// Shuts others out of what they could read: protected files in the clear,
    /// folders of secrets, what this clone keeps, and these identity files. Gives
    /// how many modes were set.
    ///
    /// # Errors
    ///
    /// What the system answered; what was closed before stays closed.
    pub fn close_to_others(&self, identities: &[PathBuf]) -> Result<usize, VaultError> {
        self.close_folders()?;
        let mut count = 0;
        for entry in WalkDir::new(self.repository.state()).into_iter().flatten() {
            if !entry.file_type().is_symlink() {
                count += usize::from(close(entry.path())?);
            }
        }
        let keyring = self.keyring()?;
        for entry in self.repository.index_entries()? {
            let Protection::Zone(zone) = self.rules.protection(&entry.path) else { continue };
            let keys = keyring.as_ref().and_then(|keyring| keyring.zone(zone));
            if self.state_of(&entry, zone, keys)?.exposed {
                count += usize::from(close(&self.repository.file_path(&entry.path))?);
            }
        }
        for file in identities.iter().filter(|file| file.is_file()) {
            count += usize::from(close(file)?);
        }
        Ok(count)
    }

    /// Writes certkeep's block into `.gitattributes` and `.gitignore` again, as the
    /// rules of the store have it: in one commit, if git has it otherwise.
    ///
    /// # Errors
    ///
    /// As [`Vault::verify`]; nothing was recorded.
    pub fn restore_blocks(&mut self, message: &Message) -> Result<Option<String>, VaultError> {
        self.verify()?;
        let mut edit = Edit::default();
        edit.attributes(&self.repository, &self.manifest.rules())?;
        edit.record(&self.repository, message)
    }
}

/// Takes every right of others away from what stands at `path`; whether there was any.
fn close(path: &Path) -> Result<bool, FileError> {
    let metadata = fs::metadata(path).map_err(FileError::new("inspect", path))?;
    let mode = permissions(&metadata);
    if mode & 0o077 == 0 {
        return Ok(false);
    }
    fs::set_permissions(path, Permissions::from_mode(mode & 0o700))
        .map_err(FileError::new("set the mode of", path))?;
    Ok(true)
}
