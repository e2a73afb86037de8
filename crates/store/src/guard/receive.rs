// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server is asked to take. It has no keys and trusts nothing that is
//! pushed to say what may pass: the rules and the allow-list are those from
//! before the push, and what is pushed can only add rules.

use std::collections::BTreeMap;

use super::{Guard, GuardError, Report, Update, Watch, commits::Tips, judge::Judge, policy::Policies};
use crate::git::{Known, Oid};

/// Lets a push through that protects less than before: the administrator says
/// so, where no key can tell a member's word from anybody's.
const ALLOW_UNPROTECT: &str = "certkeep.allowUnprotect";

/// References to which the same rules apply.
#[derive(Debug, Default)]
struct Group {
    /// The commit that the rules are taken from, and its tree.
    base: Option<(Oid, Oid)>,
    tips: Tips,
    /// Old and new commit of every reference that moves.
    moves: Vec<(Oid, Oid)>,
}

impl Guard {
    /// Checks every object that `updates` would bring and that no reference of
    /// this repository leads to, inside of git's quarantine: commit by commit, so
    /// that a leak which a later commit of the same push removes is found, too.
    ///
    /// # Errors
    ///
    /// [`GuardError`]: it cannot be told whether anything is wrong.
    pub fn receive(&self, updates: &[Update], watch: Watch<'_>) -> Result<Report, GuardError> {
        let may_shrink = self.objects.config_flag(ALLOW_UNPROTECT)? == Some(true);
        let mut report = Report::default();
        for group in self.groups(updates)?.into_values() {
            let policies = Policies::new(&self.objects);
            let (mut allowed, mut standing) = Default::default();
            if let Some((commit, tree)) = group.base {
                allowed = policies.allowed_in_tree(tree, commit)?;
                standing = policies.of_tree(tree, commit)?;
            }
            let mut judge = Judge::new(self, allowed);
            judge.may_shrink = may_shrink;
            judge.standing = standing;
            self.check_commits(&group.tips, &[], Known::AllReferences, &mut judge, watch)?;
            for (old, new) in group.moves {
                self.check_move(old, new, &policies, &mut judge)?;
            }
            report.add(judge.report);
        }
        Ok(report)
    }

    fn groups(&self, updates: &[Update]) -> Result<BTreeMap<Option<Oid>, Group>, GuardError> {
        let policies = Policies::new(&self.objects);
        let mut groups: BTreeMap<Option<Oid>, Group> = BTreeMap::new();
        for update in updates {
            let Some(new) = &update.new else { continue };
            let new = self.object(new)?;
            let old = update.old.as_ref().map(|old| self.object(old)).transpose()?;
            let from = match old {
                Some(old) => Some(old),
                None => self.objects.head()?,
            };
            let base = from.map(|oid| self.tree_of(oid)).transpose()?.flatten();
            let folder = base.map(|(_, tree)| policies.folder(tree)).transpose()?.flatten();
            let group = groups.entry(folder).or_default();
            group.base = base;
            self.add_tip(&mut group.tips, new)?;
            if let (Some(_), Some((old, _)), Some((new, _))) = (old, base, self.tree_of(new)?) {
                group.moves.push((old, new));
            }
        }
        Ok(groups)
    }

    /// Whether a reference leads to fewer rules than before, whatever way it took.
    fn check_move(
        &self,
        old: Oid,
        new: Oid,
        policies: &Policies<'_>,
        judge: &mut Judge<'_>,
    ) -> Result<(), GuardError> {
        let told = judge.report.hits.iter().any(super::report::is_about_rules);
        let before = policies.of_tree(self.objects.tree_of(old)?, old)?;
        let now = policies.of_tree(self.objects.tree_of(new)?, new)?;
        if let Some(before) = before.filter(|_| !told) {
            judge.rules(Some(new), &before, now.as_deref());
        }
        Ok(())
    }
}
