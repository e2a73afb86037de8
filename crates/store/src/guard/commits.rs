// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commits between two sets of references, each with what it brings itself,
//! and the objects that a reference names without any commit.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    Breach, Guard, GuardError, Hit, Place, Shrunk, Watch,
    change::{Change, Changed, by_path, is_attributes},
    judge::Judge,
    look::SealedBlobs,
    opened::Move,
    policy::{Policies, Policy},
};
use crate::{
    git::{Commit, Kind, Known, Oid, TreeEntry},
    seal::KeyId,
};

/// What references lead to.
#[derive(Debug, Default)]
pub(super) struct Tips {
    pub(super) commits: Vec<Oid>,
    pub(super) trees: Vec<Oid>,
    pub(super) blobs: Vec<Oid>,
    /// The tags on the way.
    pub(super) tags: Vec<Oid>,
}

impl Guard {
    /// Adds what an object is, or what a tag names at last.
    pub(super) fn add_tip(&self, tips: &mut Tips, oid: Oid) -> Result<(), GuardError> {
        let (mut oid, mut kind) = (oid, self.objects.header(oid)?.0);
        while kind == Kind::Tag {
            tips.tags.push(oid);
            oid = self.objects.tagged(oid)?;
            kind = self.objects.header(oid)?.0;
        }
        match kind {
            Kind::Commit => tips.commits.push(oid),
            Kind::Tree => tips.trees.push(oid),
            Kind::Blob | Kind::Tag => tips.blobs.push(oid),
        }
        Ok(())
    }

    /// The tree of a commit or of a tag of one; `None` if it is none.
    pub(super) fn tree_of(&self, oid: Oid) -> Result<Option<(Oid, Oid)>, GuardError> {
        let mut tips = Tips::default();
        self.add_tip(&mut tips, oid)?;
        let commit = tips.commits.first().map(|&commit| Ok((commit, self.objects.tree_of(commit)?)));
        commit.transpose()
    }

    /// Judges every commit from `tips` that `hidden` and what is `known` do not lead to, by its own
    /// changes, and the trees and blobs that are named without one. `moves` are references that
    /// stood somewhere before.
    pub(super) fn check_commits(
        &self,
        tips: &Tips,
        hidden: &[Oid],
        moves: &[Move],
        known: Known,
        judge: &mut Judge<'_>,
        watch: Watch<'_>,
    ) -> Result<(), GuardError> {
        let policies = Policies::new(&self.objects);
        let commits = self.objects.walk(&tips.commits, hidden, known)?;
        judge.report.commits += u64::try_from(commits.len()).unwrap_or(u64::MAX);
        let mut changes = Vec::with_capacity(commits.len());
        for commit in &commits {
            let mut change = self.change_of(commit, &policies)?;
            // What a reference ends with is what the next clone works with.
            change.attributes |= tips.commits.contains(&commit.oid);
            changes.push(change);
        }
        for &tip in &tips.commits {
            judge.ends.extend(readable(policies.of_tree(self.objects.tree_of(tip)?, tip))?);
        }
        for &tree in &tips.trees {
            changes.push(self.change_of_tree(tree, None, &policies)?);
        }
        let sealed = self.sealed_of(&commits, &changes, &policies, &mut judge.originals)?;
        let looked = self.look(&changes, &tips.blobs, &sealed, watch)?;
        judge.count(&looked);
        self.mark_opened(&mut changes, moves, &judge.ends, &looked, &policies)?;
        for change in &changes {
            judge.change(change, &looked)?;
            self.lost_in_merge(change, &policies, judge)?;
            self.check_attributes(change, judge)?;
        }
        for &tip in &tips.commits {
            self.check_links_of(tip, &policies, judge)?;
        }
        for blob in &tips.blobs {
            let place = Place { commit: None, path: Vec::new(), blob: blob.to_string() };
            judge.material(place, &looked.get(*blob)?.findings);
        }
        self.check_words(&commits, &tips.tags, judge)
    }

    /// What the commits or those before them have sealed, and may bring in the
    /// clear under another name.
    fn sealed_of(
        &self,
        commits: &[Commit],
        changes: &[Change],
        policies: &Policies<'_>,
        originals: &mut HashMap<Oid, Vec<u8>>,
    ) -> Result<SealedBlobs, GuardError> {
        let mut sealed = SealedBlobs::default();
        let mut entries =
            changes.iter().flat_map(|change| change.entries.iter().map(move |one| (change, one)));
        if self.keyring.is_none() || entries.all(|(change, one)| change.zone(&one.entry.path).is_some()) {
            return Ok(sealed);
        }
        let mut add = |policy: &Option<Arc<Policy>>, entry: &TreeEntry| -> Result<(), GuardError> {
            let protected = policy.as_ref().is_some_and(|policy| policy.zone(&entry.path).is_some());
            if protected
                && entry.is_file()
                && !originals.contains_key(&entry.oid)
                && self.objects.holds(entry.oid)
            {
                sealed.add(entry.oid, self.objects.header(entry.oid)?.1);
                originals.insert(entry.oid, entry.path.clone());
            }
            Ok(())
        };
        // What the walk begins with, and then what each commit adds, is all that any parent has.
        let walked: HashSet<_> = commits.iter().map(|commit| commit.oid).collect();
        let parents: BTreeSet<_> = commits.iter().flat_map(|commit| &commit.parents).collect();
        for &parent in parents.into_iter().filter(|parent| !walked.contains(parent)) {
            let tree = self.objects.tree_of(parent)?;
            let policy = readable(policies.of_tree(tree, parent))?;
            if policy.is_some() {
                self.objects.entries(tree)?.iter().try_for_each(|entry| add(&policy, entry))?;
            }
        }
        for change in changes {
            change.entries.iter().try_for_each(|changed| add(&change.now, &changed.entry))?;
        }
        Ok(sealed)
    }

    /// Rule B for what commits and tags say: their messages, names and headers.
    pub(super) fn check_words(
        &self,
        commits: &[Commit],
        tags: &[Oid],
        judge: &mut Judge<'_>,
    ) -> Result<(), GuardError> {
        let commits = commits.iter().map(|commit| (Kind::Commit, commit.oid));
        let tags = tags.iter().map(|&tag| (Kind::Tag, tag));
        for (kind, oid) in commits.chain(tags) {
            let commit = (kind == Kind::Commit).then(|| oid.to_string());
            let place = Place { commit, path: Vec::new(), blob: oid.to_string() };
            judge.material(place, &certkeep_guard::detect(&self.objects.read_as(kind, oid)?));
        }
        Ok(())
    }

    pub(super) fn change_of(&self, commit: &Commit, policies: &Policies<'_>) -> Result<Change, GuardError> {
        let &Commit { oid: commit, tree, ref parents, .. } = commit;
        let mut before = Vec::new();
        let mut trees = Vec::new();
        for &parent in parents {
            let tree = self.objects.tree_of(parent)?;
            before.push(readable(policies.of_tree(tree, parent))?);
            trees.push(tree);
        }
        let now = policies.of_tree(tree, commit)?;
        let mut change = Change {
            commit: Some(commit),
            now,
            before,
            parents: parents.clone(),
            entries: Vec::new(),
            attributes: false,
        };
        if change.has_other_rules() {
            let parents = trees.iter().map(|&tree| by_path(&self.objects, tree));
            let parents: Vec<_> = parents.collect::<Result<_, _>>()?;
            change.choose(self.objects.entries(tree)?, &parents);
        } else {
            let added = self.objects.added(tree, &trees)?;
            change.entries = added.into_iter().map(Changed::new).collect();
        }
        change.attributes =
            parents.is_empty() || change.entries.iter().any(|changed| is_attributes(&changed.entry.path));
        if !change.attributes && change.now.is_some() {
            // One that is gone protects nothing any more.
            for &parent in &trees {
                let gone = self.objects.added(parent, &[tree])?;
                change.attributes |= gone.iter().any(|entry| is_attributes(&entry.path));
            }
        }
        Ok(change)
    }

    /// A tree by itself, as if every file in it were new.
    pub(super) fn change_of_tree(
        &self,
        tree: Oid,
        commit: Option<Oid>,
        policies: &Policies<'_>,
    ) -> Result<Change, GuardError> {
        let now = policies.of_tree(tree, commit.unwrap_or(tree))?;
        let entries = self.objects.entries(tree)?.into_iter().map(Changed::new).collect();
        Ok(Change { commit, now, before: Vec::new(), parents: Vec::new(), entries, attributes: true })
    }

    /// Whether git sends what a commit protects through the filter, if the
    /// commit says something about that.
    pub(super) fn check_attributes(&self, change: &Change, judge: &mut Judge<'_>) -> Result<(), GuardError> {
        let Some(commit) = change.commit.filter(|_| change.attributes || change.has_other_rules()) else {
            return Ok(());
        };
        let tree = self.objects.tree_of(commit)?;
        let protects = |policy: &Option<Arc<Policy>>, entry: &TreeEntry| {
            policy.as_ref().is_some_and(|policy| policy.zone(&entry.path).is_some())
        };
        if change.now.is_none() && judge.standing.is_empty() {
            return Ok(());
        }
        let mut entries = self.objects.entries(tree)?;
        entries.retain(|entry| entry.is_file() && protects(&change.now, entry));
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.as_slice()).collect();
        for shrunk in self.attributes_of_commit(commit, &paths)? {
            let Shrunk::Attributes { path, .. } = &shrunk else { continue };
            let blob = entries.iter().find(|entry| entry.path == *path).map(|entry| entry.oid.to_string());
            let place = Place {
                commit: Some(commit.to_string()),
                path: path.clone(),
                blob: blob.unwrap_or_default(),
            };
            judge.report.hits.push(Hit { place, breach: Breach::Shrunk(shrunk) });
        }
        Ok(())
    }

    /// The ids of all keys that some `zone.toml` of the history has named.
    pub(super) fn older_keys(&self) -> Result<HashSet<KeyId>, GuardError> {
        let arguments = [
            "log",
            "--all",
            "-m",
            "--root",
            "--raw",
            "-z",
            "--no-renames",
            "--no-abbrev",
            "--no-relative",
            "--no-color",
            "-O/dev/null",
            "--format=",
            "--",
            ":(top,glob).certkeep/zones/*/zone.toml",
        ];
        let output = self.objects.git(&arguments, &[], &[])?;
        let mut keys = HashSet::new();
        let mut seen = HashSet::new();
        // `:MODE MODE OLD NEW STATUS`, and after it the path.
        for field in output.split(|&byte| byte == 0) {
            let text = String::from_utf8_lossy(field);
            let Some(raw) = text.trim_start().strip_prefix(':') else { continue };
            for hex in raw.split(' ').skip(2).take(2) {
                let Some(oid) = self.objects.oid(hex).filter(|&oid| seen.insert(oid)) else { continue };
                if self.objects.holds(oid) {
                    keys.extend(key_of(&self.objects.blob(oid)?));
                }
            }
        }
        Ok(keys)
    }
}

/// The rules of a parent: nobody can do anything about those that are broken.
fn readable(policy: Result<Option<Arc<Policy>>, GuardError>) -> Result<Option<Arc<Policy>>, GuardError> {
    match policy {
        Err(GuardError::Rules { .. }) => Ok(None),
        policy => policy,
    }
}

fn key_of(zone: &[u8]) -> Option<KeyId> {
    let zone: toml::Table = toml::from_str(std::str::from_utf8(zone).ok()?).ok()?;
    KeyId::parse(zone.get("key_id")?.as_str()?)
}
