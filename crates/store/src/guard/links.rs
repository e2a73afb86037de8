// SPDX-License-Identifier: MIT OR Apache-2.0
//! Links and submodules in the place of a folder whose files are protected, whoever
//! has brought them: what is written through one lies elsewhere, in the clear.

use super::{
    Breach, Guard, GuardError, Hit,
    judge::{Judge, irregular, place},
    policy::{Policies, Policy},
};
use crate::git::{Oid, TreeEntry};

impl Guard {
    /// Looks through all of a commit that somebody will check out.
    pub(super) fn check_links_of(
        &self,
        commit: Oid,
        policies: &Policies<'_>,
        judge: &mut Judge<'_>,
    ) -> Result<(), GuardError> {
        let tree = self.objects.tree_of(commit)?;
        if let Some(policy) = policies.of_tree(tree, commit)? {
            judge.links(Some(commit), &self.objects.entries(tree)?, &policy);
        }
        Ok(())
    }
}

impl Judge<'_> {
    /// Tells the links among the entries of a tree or an index.
    pub(super) fn links(&mut self, commit: Option<Oid>, entries: &[TreeEntry], policy: &Policy) {
        for entry in entries {
            let Some(what) = irregular(entry.mode) else { continue };
            let zone = policy.zone(&entry.path).or_else(|| policy.zone_behind(&entry.path));
            let Some(zone) = zone else { continue };
            let hit = Hit {
                place: place(commit, entry),
                breach: Breach::Unsealed { zone: zone.clone(), what, findings: Vec::new() },
            };
            // The commit that brings it has been judged for that already.
            let told = |known: &Hit| {
                known.place.path == hit.place.path && matches!(known.breach, Breach::Unsealed { .. })
            };
            // No list lets one through: everything that is written through it would
            // go with it, whatever its target is by then.
            if !self.report.hits.iter().any(told) {
                self.report.hits.push(hit);
            }
        }
    }
}
