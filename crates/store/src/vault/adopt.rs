// SPDX-License-Identifier: MIT OR Apache-2.0
//! A PKI that was made in its place in the store: git takes what is there now.

use super::{Vault, VaultError, edit::Edit, files};
use crate::{
    history::Message,
    read::read_regular,
    repository::{BlobChange, RepositoryChange, WorkTree, record_repository},
    zone::Protection,
};

impl Vault {
    /// Commits a PKI that holds nothing secret yet, in place of whatever git has
    /// of the one before it; gives the commit.
    ///
    /// # Errors
    ///
    /// A file that has to be sealed is there already.
    pub fn adopt_pki(&self, message: &Message) -> Result<Option<String>, VaultError> {
        let (Some(folder), Some(root)) = (self.rules.pki(), self.pki()) else { return Ok(None) };
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut edit = Edit::default();
        let present = files::below(&root)?;
        for file in present.iter().filter(|file| !file.starts_with(".")) {
            let path = format!("{prefix}{file}");
            if self.rules.protection(path.as_bytes()) != Protection::Public {
                return Err(VaultError::OutOfPlace { path });
            }
            edit.keep(path, read_regular(&root.join(file))?.unwrap_or_default());
        }
        for path in self.head_files()?.into_keys().filter_map(|path| String::from_utf8(path).ok()) {
            let file = path.strip_prefix(&prefix).filter(|_| !prefix.is_empty());
            if file.is_some_and(|file| !present.iter().any(|there| there == file)) {
                edit.changes.push(RepositoryChange {
                    path,
                    work_tree: WorkTree::Leave,
                    blob: BlobChange::Remove,
                });
            }
        }
        Ok(record_repository(&self.repository, &edit.changes, message)?.map(|oid| oid.to_string()))
    }
}
