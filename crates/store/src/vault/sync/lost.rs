// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of this clone that are nowhere after its commits were put on the others'.

use std::collections::HashSet;

use super::{SyncError, join::names};
use crate::vault::Vault;

impl Vault {
    /// Files that only this clone had added, and that are nowhere afterwards: git
    /// itself never leaves one out, but a rebase that was killed and gone on with does.
    pub(super) fn left_out(&self, before: &str, onto: &str) -> Result<Vec<String>, SyncError> {
        let since_their_base = format!("{onto}...{before}");
        let words = [
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--diff-filter=A",
            &since_their_base,
            "--",
        ];
        let told = self.repository.speak(&words)?;
        let added = if told.done {
            names(&told.output)
        } else if self.repository.speak(&["merge-base", before, onto])?.done {
            // Then it is something else that was in the way, and an error.
            names(&self.repository.git(&words, &[])?)
        } else {
            Vec::new()
        };
        if added.is_empty() {
            return Ok(Vec::new());
        }
        let after = self.files_at("HEAD")?;
        let lost: Vec<String> = added.into_iter().filter(|path| !after.contains(path)).collect();
        if lost.is_empty() {
            return Ok(lost);
        }
        let taken = self.taken_over(before, onto)?;
        Ok(lost.into_iter().filter(|path| !taken.contains(path)).collect())
    }

    /// Files that own commits have added which the others have too, as other commits
    /// with the same change: what became of them there is the others' business.
    fn taken_over(&self, before: &str, onto: &str) -> Result<HashSet<String>, SyncError> {
        let told = self.repository.git(&["cherry", onto, before], &[])?;
        let told = String::from_utf8_lossy(&told).into_owned();
        let equal: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("- ")).collect();
        if equal.is_empty() {
            return Ok(HashSet::new());
        }
        let words =
            ["show", "--format=", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--diff-filter=A"];
        Ok(names(&self.repository.git(&[&words[..], &equal, &["--"]].concat(), &[])?).into_iter().collect())
    }
}
