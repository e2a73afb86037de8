// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a push would take away from this clone.

use std::collections::{HashMap, HashSet};

use super::{
    Breach, Guard, GuardError, Hit, Place, Report, Shrunk, Update, Watch, commits::Tips, judge::Judge,
    opened::Move, policy::Policies,
};
use crate::{
    git::{Known, Oid},
    zone::FOLDER,
};

impl Guard {
    /// Checks every commit that `updates` would bring to `remote` and that is
    /// on none of its branches yet, as far as this clone knows; `remote` is the
    /// name, or the URL of one without a name. Where the server's branches are not
    /// those that this clone remembers, what they lead to is all that it has. A leak that a later commit of the
    /// same push removes is found as well.
    ///
    /// # Errors
    ///
    /// [`GuardError`]: it cannot be told whether anything is wrong.
    pub fn push(&self, updates: &[Update], remote: &str, watch: Watch<'_>) -> Result<Report, GuardError> {
        let mut tips = Tips::default();
        let mut hidden = self.tracked(updates, remote)?;
        let mut moves = Vec::new();
        for update in updates {
            let Some(new) = &update.new else { continue };
            self.add_tip(&mut tips, self.object(new)?)?;
            // What the server has and we have never seen hides nothing of ours.
            let old = update.old.as_deref().and_then(|old| self.objects.oid(old));
            let old = old.filter(|&old| self.objects.holds(old));
            hidden.extend(old);
            let old = old.map(|old| self.tree_of(old)).transpose()?.flatten();
            if let (Some((old, _)), Some((new, _))) = (old, self.tree_of(self.object(new)?)?) {
                moves.push(Move { old, new });
            }
        }
        let policies = Policies::new(&self.objects);
        let mut allowed = super::allow::AllowList::default();
        for &commit in &tips.commits {
            allowed.extend(policies.allowed_in_tree(self.objects.tree_of(commit)?, commit)?);
        }
        let mut judge = Judge::new(self, allowed);
        judge.may_shrink = self.may_unprotect()?;
        self.check_commits(&tips, &hidden, &moves, Known::Hidden, &mut judge, watch)?;
        for update in updates {
            self.check_keys(update, remote, &policies, &mut judge)?;
        }
        Ok(judge.report)
    }

    /// Whether a branch would get another key of an epoch than it had first, as
    /// far as this clone has seen: of two rotations that met, somebody has kept
    /// the one that came later, and everybody else would be shut out.
    fn check_keys(
        &self,
        update: &Update,
        remote: &str,
        policies: &Policies<'_>,
        judge: &mut Judge<'_>,
    ) -> Result<(), GuardError> {
        let (Some(new), Some(branch)) = (&update.new, update.name.strip_prefix(b"refs/heads/")) else {
            return Ok(());
        };
        let policy_of = |commit: Oid| -> Result<_, GuardError> {
            let tree = if self.objects.holds(commit) { self.tree_of(commit)? } else { None };
            let Some((_, tree)) = tree else { return Ok(None) };
            match policies.of_tree(tree, commit) {
                Err(GuardError::Rules { .. }) => Ok(None),
                policy => policy,
            }
        };
        let new = self.object(new)?;
        let Some(now) = policy_of(new)? else { return Ok(()) };
        let tracking = format!("refs/remotes/{remote}/{}", String::from_utf8_lossy(branch));
        let mut states = self.objects.reflog(&tracking).unwrap_or_default();
        states.reverse();
        states.extend(update.old.as_deref().and_then(|old| self.objects.oid(old)));
        let mut told = HashSet::new();
        for state in states {
            let Some(before) = policy_of(state)? else { continue };
            for (zone, epoch, key) in now.keys() {
                let Some((.., first)) =
                    before.keys().find(|(name, other, _)| (*name, *other) == (zone, epoch))
                else {
                    continue;
                };
                // One that was lost, on a branch of one's own, is nobody's any more.
                if self.pins.is_discarded(zone, first) {
                    continue;
                }
                if told.insert(zone) && first != key {
                    let commit = Some(new.to_string());
                    let place = Place { commit, path: FOLDER.into(), blob: String::new() };
                    let shrunk = Shrunk::Keys { zone: zone.clone(), epoch, first: state.to_string() };
                    judge.report.hits.push(Hit { place, breach: Breach::Shrunk(shrunk) });
                }
            }
        }
        Ok(())
    }

    /// What the server has by our tracking references; nothing if it is not the
    /// server that these tell of.
    fn tracked(&self, updates: &[Update], remote: &str) -> Result<Vec<Oid>, GuardError> {
        // What is fetched from one place and pushed to another says nothing of the other.
        let pushed_elsewhere = self.objects.config(&format!("remote.{remote}.pushurl"))?.is_some()
            || self.objects.config_values(&format!("remote.{remote}.url"))? > 1;
        if pushed_elsewhere {
            return Ok(Vec::new());
        }
        let prefix = format!("refs/remotes/{remote}/").into_bytes();
        let mut tracked = HashMap::new();
        for (name, oid) in self.objects.references()? {
            if let Some(branch) = name.strip_prefix(prefix.as_slice()) {
                tracked.insert(branch.to_vec(), oid);
            }
        }
        // It has another history than we remember: replaced, or moved on meanwhile.
        let differs = updates.iter().any(|update| {
            let branch = update.name.strip_prefix(b"refs/heads/");
            let known = branch.and_then(|branch| tracked.get(branch));
            known.is_some_and(|known| update.old.as_deref() != Some(known.to_string().as_str()))
        });
        Ok(if differs { Vec::new() } else { tracked.into_values().collect() })
    }

    pub(super) fn object(&self, hex: &str) -> Result<Oid, GuardError> {
        self.objects.oid(hex).ok_or_else(|| GuardError::Update { line: hex.to_owned() })
    }
}
