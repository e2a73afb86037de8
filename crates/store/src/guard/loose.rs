// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of a work tree that no object has yet: rule B alone, for bytes that
//! somebody else has read.

use super::{
    Guard, GuardError, Place, Report,
    judge::Judge,
    look::{Content, look_at},
    policy::Policies,
};
use crate::git::TreeEntry;

impl Guard {
    /// Looks for private keys in bytes under their paths from the top of the work
    /// tree. What the allow-list of the index lets through is let through.
    ///
    /// # Errors
    ///
    /// The index or its allow-list cannot be read.
    pub(crate) fn loose(
        &self,
        files: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Report, GuardError> {
        let entries = self.objects.index_entries()?.into_iter().filter(|entry| entry.stage == 0);
        let entries: Vec<_> =
            entries.map(|entry| TreeEntry { path: entry.path, oid: entry.oid, mode: entry.mode }).collect();
        let allowed = Policies::new(&self.objects).allowed_in_entries(&entries)?;
        let mut judge = Judge::new(self, allowed);
        for (path, bytes) in files {
            let looked = look_at(&bytes, self.keyring.as_ref());
            if looked.content == Content::Plaintext {
                let blob = self.objects.hash_blob(&bytes)?.to_string();
                judge.material(Place { commit: None, path, blob }, &looked.findings);
            }
        }
        Ok(judge.report)
    }
}
