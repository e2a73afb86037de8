// SPDX-License-Identifier: MIT OR Apache-2.0
//! Single objects, for whoever tells people of a hit: the bytes that it is in,
//! and the public files of a commit that say whose key it is.

use super::{Guard, GuardError};
use crate::git::GitError;

/// The longest file that [`Guard::files`] gives, in bytes.
const LIMIT: u64 = 16 << 20;

impl Guard {
    /// The bytes of a blob, by its object id as hex.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn blob(&self, oid: &str) -> Result<Vec<u8>, GuardError> {
        let missing = || GitError::Missing { oid: oid.to_owned() };
        Ok(self.objects.blob(self.objects.oid(oid).ok_or_else(missing)?)?)
    }

    /// The files of a commit whose paths are `wanted`, with their paths; longer
    /// ones than 16 MiB and paths that are not UTF-8 are left out.
    ///
    /// # Errors
    ///
    /// There is no such commit, or an object of it is missing.
    pub fn files(
        &self,
        revision: &str,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<(String, Vec<u8>)>, GuardError> {
        let tree = self.objects.tree_of(self.objects.revision(revision)?)?;
        let mut files = Vec::new();
        for entry in self.objects.entries(tree)?.into_iter().filter(|entry| entry.is_file()) {
            let Ok(path) = String::from_utf8(entry.path) else { continue };
            if wanted(&path) && self.objects.header(entry.oid)?.1 <= LIMIT {
                files.push((path, self.objects.blob(entry.oid)?));
            }
        }
        Ok(files)
    }
}
