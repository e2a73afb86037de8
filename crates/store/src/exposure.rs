// SPDX-License-Identifier: MIT OR Apache-2.0
//! Private keys that others on this machine may read, and what other programs
//! leave in a PKI directory when they are interrupted. Looks at names and modes
//! alone; closes what is open.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use certkeep_pki::{inventory::Kept, layout::PkiDirectory};

use crate::{
    durable::{FileError, inspect, permissions},
    lock_file,
    read::ReadError,
    store::Writer,
    survey::Survey,
};

/// The folders of private keys.
const FOLDERS: [PkiDirectory; 3] =
    [PkiDirectory::Private, PkiDirectory::RevokedKeys, PkiDirectory::RenewedKeys];

/// The bits of group and others.
const OTHERS: u32 = 0o077;

impl Survey {
    /// The folders of private keys, and the files in them that are in the clear or
    /// under a passphrase, which group or others may read, write or list; relative to
    /// the PKI directory. What is sealed anybody may see.
    ///
    /// # Errors
    ///
    /// [`ReadError::File`] when a folder cannot be read.
    pub fn exposed(&self) -> Result<Vec<String>, ReadError> {
        let mut exposed = Vec::new();
        for folder in FOLDERS {
            if self.is_open(folder.relative())? {
                exposed.push(folder.relative().to_owned());
            }
            let opened = self.open(folder)?;
            for file in self.list(folder)? {
                let relative = format!("{}/{file}", folder.relative());
                let clear = !matches!(
                    opened.kept(&file),
                    None | Some(Kept::Sealed | Kept::OtherTool(_) | Kept::Empty)
                );
                if clear && self.is_open(&relative)? {
                    exposed.push(relative);
                }
            }
        }
        Ok(exposed)
    }

    fn is_open(&self, relative: &str) -> Result<bool, ReadError> {
        let metadata = inspect(&self.root().join(relative))?;
        Ok(metadata.is_some_and(|metadata| !metadata.is_symlink() && permissions(&metadata) & OTHERS != 0))
    }

    /// Whether the `lock.file` of an easy-rsa is there that does not run any more.
    #[must_use]
    pub fn has_stale_lock(&self) -> bool {
        lock_file::is_left_behind(self.root())
    }

    /// The folders of temporary files of an easy-rsa, which it removes unless it is
    /// interrupted; relative to the PKI directory.
    ///
    /// # Errors
    ///
    /// [`ReadError::File`] when the directory cannot be read.
    pub fn leftovers(&self) -> Result<Vec<String>, ReadError> {
        let root = self.root();
        let entries = fs::read_dir(root).map_err(FileError::new("list", root))?;
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(FileError::new("list", root))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_session(&name) && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                found.push(name);
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// Whether easy-rsa calls the folder of a session like that: `easy-rsa-PID.RANDOM`
/// up to 3.1, eight hexadecimal digits since.
fn is_session(name: &str) -> bool {
    let digits = name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits || name.strip_prefix("easy-rsa-").is_some_and(|rest| rest.contains('.'))
}

impl Writer {
    /// Takes the rights of group and others away from files and folders, given
    /// relative to the PKI directory. What is a symbolic link or gone stays as it is.
    ///
    /// # Errors
    ///
    /// [`FileError`] for the first whose mode cannot be changed.
    pub fn close(&self, relative: &[String]) -> Result<(), FileError> {
        relative.iter().try_for_each(|relative| close(&self.root().join(relative)))
    }
}

fn close(path: &Path) -> Result<(), FileError> {
    let Some(metadata) = inspect(path)?.filter(|metadata| !metadata.is_symlink()) else { return Ok(()) };
    let closed = fs::Permissions::from_mode(permissions(&metadata) & !OTHERS);
    fs::set_permissions(path, closed).map_err(FileError::new("change the mode of", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_sessions_are_told_by_their_names() {
        for (name, session) in [
            ("easy-rsa-4711.Xy2bQ0", true),
            ("0a1b2c3d", true),
            ("private", false),
            ("easy-rsa", false),
            ("deadbeef0", false),
            ("reqs", false),
        ] {
            assert_eq!(is_session(name), session, "{name}");
        }
    }
}
