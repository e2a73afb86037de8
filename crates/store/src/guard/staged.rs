// SPDX-License-Identifier: MIT OR Apache-2.0
//! The index, before it becomes a commit.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    Breach, Guard, GuardError, Hit, Place, Report, Shrunk,
    change::{Change, Changed, by_path, is_attributes},
    judge::{self, Judge},
    look::{Content, Looks, SealedBlobs},
    policy::Policies,
};
use crate::git::{Oid, TreeEntry};

impl Guard {
    /// Checks what the index has and HEAD has not, or in a merge none of the
    /// commits that it joins: what the next commit would bring. The index is the
    /// one that git works with, such as that of `git commit PATH`.
    ///
    /// # Errors
    ///
    /// [`GuardError`]: it cannot be told whether anything is wrong.
    pub fn staged(&self) -> Result<Report, GuardError> {
        if self.is_bare() {
            return Err(GuardError::Bare);
        }
        let entries = self.objects.index_entries()?.into_iter();
        // Of a conflict nothing can be committed.
        let entries = entries.filter(|entry| entry.stage == 0);
        let entries: Vec<_> =
            entries.map(|entry| TreeEntry { path: entry.path, oid: entry.oid, mode: entry.mode }).collect();
        let head = self.objects.head()?;
        let mut parents = Vec::new();
        for commit in head.into_iter().chain(self.objects.merge_heads()?) {
            parents.push((commit, self.objects.tree_of(commit)?));
        }
        let policies = Policies::new(&self.objects);
        let now = policies.of_entries(&entries)?;
        let mut before = Vec::new();
        for &(commit, tree) in &parents {
            match policies.of_tree(tree, commit) {
                // Or else nothing could ever repair it.
                Err(GuardError::Rules { .. }) => before.push(None),
                policy => before.push(policy?),
            }
        }
        let trees = parents.iter().map(|&(_, tree)| by_path(&self.objects, tree));
        let trees: Vec<_> = trees.collect::<Result<_, _>>()?;
        let attributes = attributes_of(entries.iter().map(|entry| (entry.path.as_slice(), entry.oid)));
        let attributes = trees.iter().any(|tree| {
            attributes_of(tree.iter().map(|(path, (oid, _))| (path.as_slice(), *oid))) != attributes
        });
        let commits = parents.iter().map(|&(commit, _)| commit).collect();
        let mut change =
            Change { commit: None, now, before, parents: commits, entries: Vec::new(), attributes };
        let mut judge = Judge::new(self, policies.allowed_in_entries(&entries)?);
        judge.may_shrink = self.may_unprotect()?;
        let protected: Vec<_> = if change.attributes || change.has_other_rules() {
            let files = entries.iter().filter(|entry| entry.is_file());
            files.filter(|entry| change.zone(&entry.path).is_some()).map(|entry| entry.path.clone()).collect()
        } else {
            Vec::new()
        };
        let links: Vec<_> = entries.iter().filter(|entry| !entry.is_file()).cloned().collect();
        let gone = trees.first().map(|head| gone(&change, head, &entries)).unwrap_or_default();
        change.choose(entries, &trees);

        let sealed = match trees.first() {
            Some(tree) => self.sealed_blobs(&change, tree, &mut judge.originals)?,
            None => SealedBlobs::default(),
        };
        let looked = self.look(std::slice::from_ref(&change), &[], &sealed, &|_| {})?;
        judge.count(&looked);
        self.mark_opened(std::slice::from_mut(&mut change), &[], &[], &looked, &policies)?;
        judge.change(&change, &looked)?;
        moved(&change, &gone, &looked, &mut judge);
        if let Some(policy) = &change.now {
            judge.links(None, &links, policy);
        }
        self.check_git(&change, &protected, &mut judge)?;
        Ok(judge.report)
    }

    /// What HEAD has sealed, and may be staged in the clear under another name.
    fn sealed_blobs(
        &self,
        change: &Change,
        head: &HashMap<Vec<u8>, (Oid, u32)>,
        originals: &mut HashMap<Oid, Vec<u8>>,
    ) -> Result<SealedBlobs, GuardError> {
        let mut sealed = SealedBlobs::default();
        let Some(policy) = change.before.first().and_then(Option::as_ref) else { return Ok(sealed) };
        let anything = change.entries.iter().any(|changed| change.zone(&changed.entry.path).is_none());
        if self.keyring.is_none() || !anything {
            return Ok(sealed);
        }
        for (path, &(oid, _)) in head {
            if policy.zone(path).is_some() && self.objects.holds(oid) {
                sealed.add(oid, self.objects.header(oid)?.1);
                originals.insert(oid, path.clone());
            }
        }
        Ok(sealed)
    }

    /// Whether git would send what is protected through the filter, here and in
    /// every other clone.
    fn check_git(
        &self,
        change: &Change,
        protected: &[Vec<u8>],
        judge: &mut Judge<'_>,
    ) -> Result<(), GuardError> {
        let staged = change.entries.iter().map(|changed| &changed.entry);
        let staged: Vec<_> =
            staged.filter(|entry| entry.is_file() && change.zone(&entry.path).is_some()).collect();
        let mut paths: BTreeSet<_> = protected.iter().map(Vec::as_slice).collect();
        paths.extend(staged.iter().map(|entry| entry.path.as_slice()));
        let paths: Vec<_> = paths.into_iter().collect();
        for shrunk in self.attributes_of_index(&paths)? {
            let path = match &shrunk {
                Shrunk::Attributes { path, .. } => path.clone(),
                Shrunk::Rules { .. } | Shrunk::Keys { .. } | Shrunk::Driver => Vec::new(),
            };
            let place = Place { commit: None, path, blob: String::new() };
            judge.report.hits.push(Hit { place, breach: Breach::Shrunk(shrunk) });
        }
        let called =
            self.objects.config("filter.certkeep.process")?.is_some_and(|program| !program.is_empty());
        let required = self.objects.config_flag("filter.certkeep.required")? == Some(true);
        if let Some(first) = staged.first().filter(|_| !(called && required)) {
            let breach = Breach::Shrunk(Shrunk::Driver);
            judge.report.hits.push(Hit { place: judge::place(None, first), breach });
        }
        Ok(())
    }
}

/// The files that HEAD protects and the index has not as they were: each blob with its
/// first path.
fn gone(
    change: &Change,
    head: &HashMap<Vec<u8>, (Oid, u32)>,
    entries: &[TreeEntry],
) -> HashMap<Oid, Vec<u8>> {
    let mut gone: HashMap<Oid, Vec<u8>> = HashMap::new();
    let Some(policy) = change.before.first().and_then(Option::as_ref) else { return gone };
    let stays: HashSet<_> = entries.iter().map(|entry| (entry.path.as_slice(), entry.oid)).collect();
    for (path, &(oid, _)) in head.iter().filter(|(path, _)| policy.zone(path).is_some()) {
        if !stays.contains(&(path.as_slice(), oid)) {
            let first = gone.entry(oid).or_insert_with(|| path.clone());
            *first = path.min(first).clone();
        }
    }
    gone
}

/// Tells of sealed files that are gone and stand under other paths now, which no zone keeps.
fn moved(change: &Change, gone: &HashMap<Oid, Vec<u8>>, looked: &Looks, judge: &mut Judge<'_>) {
    if judge.may_shrink {
        return;
    }
    for Changed { entry, .. } in change.entries.iter().filter(|changed| !changed.kept) {
        let Some(from) = gone.get(&entry.oid).filter(|from| **from != entry.path) else { continue };
        let content = looked.find(entry.oid).map(|looked| looked.content);
        let is_sealed = matches!(content, Some(Content::Authentic | Content::Sealed(_)));
        if change.zone(&entry.path).is_some() || !is_sealed {
            continue;
        }
        let hit = Hit { place: judge::place(None, entry), breach: Breach::Moved { from: from.clone() } };
        match judge.listed(&hit.place) {
            Some(reason) => judge.report.allowed.push((hit, reason)),
            None => judge.report.hits.push(hit),
        }
    }
}

fn attributes_of<'a>(entries: impl Iterator<Item = (&'a [u8], Oid)>) -> BTreeSet<(&'a [u8], Oid)> {
    entries.filter(|(path, _)| is_attributes(path)).collect()
}
