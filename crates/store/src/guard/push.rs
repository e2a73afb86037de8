// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a push would take away from this clone.

use crate::git::{Known, Oid};

use super::{Guard, GuardError, Report, Update, Watch, commits::Tips, judge::Judge, policy::Policies};

impl Guard {
    /// Checks every commit that `updates` would bring to `remote` and that is
    /// on none of its branches yet, as far as this clone knows; `remote` is the
    /// name, or the URL of one without a name. A leak that a later commit of the
    /// same push removes is found as well.
    ///
    /// # Errors
    ///
    /// [`GuardError`]: it cannot be told whether anything is wrong.
    pub fn push(&self, updates: &[Update], remote: &str, watch: Watch<'_>) -> Result<Report, GuardError> {
        let mut tips = Tips::default();
        let prefix = format!("refs/remotes/{remote}/").into_bytes();
        let mut hidden = Vec::new();
        for (name, oid) in self.objects.references()? {
            if name.starts_with(&prefix) {
                hidden.push(oid);
            }
        }
        for update in updates {
            let Some(new) = &update.new else { continue };
            self.add_tip(&mut tips, self.object(new)?)?;
            // What the server has and we have never seen hides nothing of ours.
            let old = update.old.as_deref().and_then(|old| self.objects.oid(old));
            hidden.extend(old.filter(|&old| self.objects.holds(old)));
        }
        let policies = Policies::new(&self.objects);
        let mut allowed = super::allow::AllowList::default();
        for &commit in &tips.commits {
            allowed.extend(policies.allowed_in_tree(self.objects.tree_of(commit)?, commit)?);
        }
        let mut judge = Judge::new(self, allowed);
        self.check_commits(&tips, &hidden, Known::Hidden, &mut judge, watch)?;
        Ok(judge.report)
    }

    pub(super) fn object(&self, hex: &str) -> Result<Oid, GuardError> {
        self.objects.oid(hex).ok_or_else(|| GuardError::Update { line: hex.to_owned() })
    }
}
