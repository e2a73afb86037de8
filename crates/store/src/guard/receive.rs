// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server is asked to take. It has no keys and trusts nothing that is
//! pushed to say what may pass: the rules and the allow-list are those from
//! before the push, and what is pushed can only add rules.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use super::{
    Guard, GuardError, Hit, Report, Update, Watch,
    allow::AllowList,
    commits::Tips,
    judge::Judge,
    opened::Move,
    policy::{Folder, Policies},
};
use crate::git::{Known, Oid};

/// Lets through what protects less than before: whoever looks after the server
/// or the clone says so, where no key can tell a member's word from anybody's.
const ALLOW_UNPROTECT: &str = "certkeep.allowUnprotect";

/// Has markers in pushed files count: without it, nothing that is pushed lets
/// itself through.
const ALLOW_MARKERS: &str = "certkeep.allowMarkers";

/// References to which the same rules apply.
#[derive(Debug, Default)]
struct Group {
    /// The commit that the rules are taken from, and its tree.
    base: Option<(Oid, Oid)>,
    tips: Tips,
    /// Every reference that moves.
    moves: Vec<Move>,
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
        let markers_count = self.objects.config_flag(ALLOW_MARKERS)? == Some(true);
        let mut report = Report::default();
        for group in self.groups(updates)?.into_values() {
            let policies = Policies::new(&self.objects);
            let mut judge = Judge::new(self, AllowList::default());
            judge.may_shrink = may_shrink;
            judge.markers_count = markers_count;
            let bases = group.base.map_or_else(|| self.all_tips(), |base| Ok(vec![base]))?;
            for (commit, tree) in bases {
                judge.allowed.extend(policies.allowed_in_tree(tree, commit)?);
                let policy = policies.of_tree(tree, commit)?;
                let new = policy.filter(|new| !judge.standing.iter().any(|known| Arc::ptr_eq(known, new)));
                judge.standing.extend(new);
            }
            self.check_commits(&group.tips, &[], &group.moves, Known::AllReferences, &mut judge, watch)?;
            for Move { old, new } in group.moves {
                self.check_move(old, new, &policies, &mut judge)?;
            }
            report.add(judge.report);
        }
        if !may_shrink {
            report.hits.extend(self.last_of_the_store(updates)?);
        }
        Ok(report)
    }

    /// Whether the user of this clone says that less may be protected, in its
    /// configuration or for one command: `git -c certkeep.allowUnprotect=true push`.
    pub(super) fn may_unprotect(&self) -> Result<bool, GuardError> {
        let said =
            self.objects.git(&["config", "--type=bool", "--default=false", ALLOW_UNPROTECT], &[], &[])?;
        Ok(said.trim_ascii() == b"true")
    }

    /// Every commit that a reference leads to, with its tree: what a new reference
    /// is measured by where HEAD names a branch that is not there.
    fn all_tips(&self) -> Result<Vec<(Oid, Oid)>, GuardError> {
        let mut trees = HashSet::new();
        let mut tips = Vec::new();
        for (_, oid) in self.objects.references()? {
            tips.extend(self.tree_of(oid)?.filter(|&(_, tree)| trees.insert(tree)));
        }
        Ok(tips)
    }

    /// Whether the references that go are the last that have a store: after
    /// that, no rules would stand against anything.
    fn last_of_the_store(&self, updates: &[Update]) -> Result<Vec<Hit>, GuardError> {
        let mut hits = Vec::new();
        let policies = Policies::new(&self.objects);
        let mut judge = Judge::new(self, AllowList::default());
        for update in updates.iter().filter(|update| update.new.is_none()) {
            let old = update.old.as_ref().map(|old| self.object(old)).transpose()?;
            // A reference to what is missing can be taken away.
            let Some(old) = old.filter(|&old| self.objects.holds(old)) else { continue };
            if let Some((commit, tree)) = self.tree_of(old)?
                && let Some(policy) = policies.of_tree(tree, commit)?
            {
                judge.rules(Some(commit), &policy, None);
            }
        }
        hits.append(&mut judge.report.hits);
        if hits.is_empty() {
            return Ok(hits);
        }
        let moved: HashSet<_> = updates.iter().map(|update| update.name.as_slice()).collect();
        let references = self.objects.references()?;
        let stay = references.iter().filter(|(name, _)| !moved.contains(name.as_slice()));
        let mut stay: Vec<_> = stay.map(|&(_, oid)| oid).collect();
        for new in updates.iter().filter_map(|update| update.new.as_ref()) {
            stay.push(self.object(new)?);
        }
        for oid in stay {
            if let Some((_, tree)) = self.tree_of(oid)?
                && policies.has_store(tree)?
            {
                return Ok(Vec::new());
            }
        }
        Ok(hits)
    }

    fn groups(&self, updates: &[Update]) -> Result<BTreeMap<Option<Folder>, Group>, GuardError> {
        let policies = Policies::new(&self.objects);
        let mut groups: BTreeMap<Option<Folder>, Group> = BTreeMap::new();
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
                group.moves.push(Move { old, new });
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
