// SPDX-License-Identifier: MIT OR Apache-2.0
//! A merge that took one side of a description: what the other side protected is
//! protected no longer, and no commit of that side has said so.

use super::{
    Breach, Guard, GuardError, Hit, Place, Shrunk,
    change::Change,
    judge::Judge,
    policy::{Policies, Policy},
};
use crate::git::Oid;

impl Guard {
    /// Tells what a merge lacks of the patterns of a parent, unless they were
    /// taken away on the way to another parent, or what is given away in the end has them.
    pub(super) fn lost_in_merge(
        &self,
        change: &Change,
        policies: &Policies<'_>,
        judge: &mut Judge<'_>,
    ) -> Result<(), GuardError> {
        let (Some(commit), Some(now)) = (change.commit, change.now.as_deref()) else { return Ok(()) };
        if change.parents.len() < 2 || judge.may_shrink || !change.has_other_rules() {
            return Ok(());
        }
        let parents: Vec<_> = change.parents.iter().copied().zip(&change.before).collect();
        for (parent, before) in &parents {
            let Some(before) = before.as_deref() else { continue };
            for (path, zones) in before.missing_in(Some(now)) {
                let known = |policy: &Policy| policy.has(&path);
                let refuted = zones.iter().any(|zone| before.is_refuted(zone, self.keyring.as_ref()));
                let decided = zones.iter().all(|zone| {
                    let taken = parents.iter().filter_map(|(_, policy)| policy.as_deref());
                    let as_it_is = taken.into_iter().any(|side| now.is_same(zone, side));
                    !as_it_is && judge.may_lose(&[before], Some(now), zone)
                });
                if refuted || decided || judge.ends.iter().any(|end| known(end)) {
                    continue;
                }
                let without =
                    parents.iter().filter(|(_, other)| other.as_deref().is_some_and(|other| !known(other)));
                let mut taken_away = false;
                for (other, _) in without {
                    taken_away |= self.both_had(*parent, *other, &known, policies)?;
                }
                let told = judge.report.hits.iter().any(|hit| {
                    hit.place.commit.as_ref() == Some(&commit.to_string())
                        && matches!(&hit.breach, Breach::Shrunk(Shrunk::Rules { path: other }) if *other == path)
                });
                if !taken_away && !told {
                    let commit = Some(commit.to_string());
                    let place = Place { commit, path: b".certkeep/store.toml".to_vec(), blob: String::new() };
                    judge.report.hits.push(Hit { place, breach: Breach::Shrunk(Shrunk::Rules { path }) });
                }
            }
        }
        Ok(())
    }

    /// Whether a commit that both come from has a pattern.
    fn both_had(
        &self,
        one: Oid,
        other: Oid,
        known: &dyn Fn(&Policy) -> bool,
        policies: &Policies<'_>,
    ) -> Result<bool, GuardError> {
        let (one, other) = (one.to_string(), other.to_string());
        // It fails where they have nothing in common, or history is cut off.
        let bases = self.objects.git(&["merge-base", "--all", &one, &other], &[], &[]).unwrap_or_default();
        for base in String::from_utf8_lossy(&bases).lines().filter_map(|line| self.objects.oid(line)) {
            match policies.of_tree(self.objects.tree_of(base)?, base) {
                Ok(Some(policy)) if known(&policy) => return Ok(true),
                Ok(_) | Err(GuardError::Rules { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}
