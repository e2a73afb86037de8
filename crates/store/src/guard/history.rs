// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that a repository holds: every blob is looked at once, in the order in
//! which it lies on the disk; then the commits tell where those stand in which
//! something is wrong.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Guard, GuardError, Place, Progress, Report, Watch,
    change::{Change, Changed},
    commits::Tips,
    judge::{self, Judge},
    look::{Looks, look_at},
    policy::Policies,
};
use crate::git::Commit;

/// How far back and aside a check of the history goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everything that a reference leads to: branches, tags, notes, the stash
    /// with all its entries.
    References,
    /// Every object, also those that nothing leads to any more.
    AllObjects,
}

impl Guard {
    /// Checks every version of every file. Each blob is told once for each path,
    /// with the first commit that brought it there. What rules and attributes
    /// once were is not complained about: it cannot be changed.
    ///
    /// # Errors
    ///
    /// [`GuardError::Shallow`], a missing or damaged object, or anything else
    /// for which it cannot be told whether something is wrong.
    pub fn history(&self, reach: Reach, watch: Watch<'_>) -> Result<Report, GuardError> {
        if self.objects.is_shallow() {
            return Err(GuardError::Shallow);
        }
        let mut tips = Tips::default();
        for (_, oid) in self.objects.references()? {
            self.add_tip(&mut tips, oid)?;
        }
        let stashed = self.objects.reflog("refs/stash")?;
        let commits = self.objects.history(&stashed)?;
        let (looks, mut report) = self.look_at_all(watch)?;

        let policies = Policies::new(&self.objects);
        let mut allowed = Default::default();
        let mut present = None;
        if let Some(head) = self.objects.head()? {
            let tree = self.objects.tree_of(head)?;
            allowed = policies.allowed_in_tree(tree, head)?;
            present = policies.of_tree(tree, head)?;
        }
        let mut judge = Judge::new(self, allowed);
        judge.may_shrink = true;
        judge.git_crypt_passes = true;
        report.commits = u64::try_from(commits.len()).unwrap_or(u64::MAX);
        let mut reached = HashSet::new();
        let has_store = commits.iter().any(Commit::touches_store);
        for commit in &commits {
            let change = self.past_change(commit, has_store, &policies)?;
            // Where the rules cannot be read, those of today are the best guess.
            let change = change.unwrap_or_else(|| Change { now: present.clone(), ..plain_change(commit) });
            let mut told = false;
            for entry in change.entries.iter().map(|changed| &changed.entry) {
                if judge::has_blob(entry) {
                    let looked = looks.get(entry.oid)?;
                    told |= !looked.findings.is_empty();
                    reached.insert(entry.oid);
                }
            }
            judge.allowed_here = match told {
                true => policies.allowed_in_tree(commit.tree, commit.oid).unwrap_or_default(),
                false => Default::default(),
            };
            judge.change(&change, &looks)?;
        }
        judge.allowed_here = Default::default();
        for &tree in &tips.trees {
            let change = self.change_of_tree(tree, None, &policies)?;
            reached.extend(change.entries.iter().map(|changed| changed.entry.oid));
            for changed in change.entries.iter().filter(|changed| judge::has_blob(&changed.entry)) {
                looks.get(changed.entry.oid)?;
            }
            judge.change(&change, &looks)?;
        }
        let mut alone: Vec<_> = tips.blobs.iter().copied().filter(|oid| !reached.contains(oid)).collect();
        if reach == Reach::AllObjects {
            alone.extend(looks.remarkable().filter(|oid| !reached.contains(oid)));
        }
        alone.sort_unstable();
        alone.dedup();
        for blob in alone {
            let place = Place { commit: None, path: Vec::new(), blob: blob.to_string() };
            judge.material(place, &looks.get(blob)?.findings);
        }
        tips.tags.sort_unstable();
        tips.tags.dedup();
        self.check_words(&commits, &tips.tags, &mut judge)?;
        report.add(judge.report);
        only_first(&mut report);
        Ok(report)
    }

    /// What a commit changed, under the rules of its time; `None` if those
    /// cannot be read.
    fn past_change(
        &self,
        commit: &Commit,
        has_store: bool,
        policies: &Policies<'_>,
    ) -> Result<Option<Change>, GuardError> {
        if !has_store {
            return Ok(Some(plain_change(commit)));
        }
        let folder = policies.folder(commit.tree)?;
        let mut same = true;
        for &parent in &commit.parents {
            same &= policies.folder(self.objects.tree_of(parent)?)? == folder;
        }
        let change = if same && !commit.parents.is_empty() {
            policies.of_tree(commit.tree, commit.oid).map(|now| {
                let before = commit.parents.iter().map(|_| now.clone()).collect();
                Change { now, before, ..plain_change(commit) }
            })
        } else {
            self.change_of(commit, policies)
        };
        match change {
            Err(GuardError::Rules { .. }) => Ok(None),
            change => change.map(Some),
        }
    }

    /// Looks at every blob that is there.
    fn look_at_all(&self, watch: Watch<'_>) -> Result<(Looks, Report), GuardError> {
        let (done, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        let found: Mutex<Looks> = Mutex::default();
        // A thread that panicked has ended the whole check.
        let found = || found.lock().unwrap_or_else(PoisonError::into_inner);
        let keyring = self.keyring.as_ref();
        self.objects.each_object(&|total, object| {
            let new = object.filter(|&(oid, _)| found().find(oid).is_none());
            let mut size = 0;
            if let Some((oid, blob)) = new {
                let looked = look_at(blob, keyring);
                size = looked.size;
                found().add(oid, looked);
            }
            let bytes = bytes.fetch_add(size, Ordering::Relaxed) + size;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            watch(Progress { done, total: Some(total), bytes });
        })?;
        let looks = std::mem::take(&mut *found());
        let report = Report { blobs: looks.count, bytes: looks.bytes, ..Report::default() };
        Ok((looks, report))
    }
}

fn plain_change(commit: &Commit) -> Change {
    let entries = commit.entries.iter().cloned().map(Changed::new).collect();
    let (now, before, parents) = (None, Vec::new(), commit.parents.clone());
    Change { commit: Some(commit.oid), now, before, parents, entries, attributes: false }
}

/// Keeps of one blob at one path what the first commit tells.
fn only_first(report: &mut Report) {
    let mut commits = HashMap::new();
    let mut first = |place: &Place| {
        let key = (place.blob.clone(), place.path.clone());
        *commits.entry(key).or_insert_with(|| place.commit.clone()) == place.commit
    };
    report.hits.retain(|hit| first(&hit.place));
    report.allowed.retain(|(hit, _)| first(&hit.place));
}
