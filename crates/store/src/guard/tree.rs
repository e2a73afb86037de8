// SPDX-License-Identifier: MIT OR Apache-2.0
//! One commit, all of it.

use super::{
    Guard, GuardError, Report, Watch, commits::Tips, judge::Judge, look::SealedBlobs, policy::Policies,
};
use crate::git::GitError;

impl Guard {
    /// Checks every file of a revision, such as `HEAD` or `v1.2`.
    ///
    /// # Errors
    ///
    /// [`GuardError`]: it cannot be told whether anything is wrong.
    pub fn tree(&self, revision: &str, watch: Watch<'_>) -> Result<Report, GuardError> {
        let oid = self.objects.revision(revision)?;
        let mut tips = Tips::default();
        self.add_tip(&mut tips, oid)?;
        let commit = tips.commits.first().copied();
        let tree = match (commit, tips.trees.first()) {
            (Some(commit), _) => self.objects.tree_of(commit)?,
            (None, Some(&tree)) => tree,
            (None, None) => {
                let message = "it is no commit and no tree".to_owned();
                return Err(GitError::Object { oid: oid.to_string(), message }.into());
            }
        };
        let policies = Policies::new(&self.objects);
        let mut allowed = policies.allowed_in_tree(tree, commit.unwrap_or(tree))?;
        if let Some(head) = self.objects.head()? {
            allowed.extend(policies.allowed_in_tree(self.objects.tree_of(head)?, head)?);
        }
        let change = self.change_of_tree(tree, commit, &policies)?;
        let looked = self.look(std::slice::from_ref(&change), &[], &SealedBlobs::default(), watch)?;
        let mut judge = Judge::new(self, allowed);
        judge.git_crypt_passes = true;
        judge.report.commits = u64::from(commit.is_some());
        judge.count(&looked);
        judge.change(&change, &looked)?;
        self.check_attributes(&change, &mut judge)?;
        Ok(judge.report)
    }
}
