// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that were sealed and would be in the clear at the same path, whatever
//! the rules say that are checked out: these may be an earlier state that
//! somebody has brought back, or forged, or gone.
//!
//! It passes where a member has taken the protection away, and the history
//! proves that: it has rules that protect the path, and the description of the
//! zone that stands now, under a MAC of the store, is later than every one of them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    Guard, GuardError,
    change::Change,
    look::{self, Content, Looks},
    policy::{Policies, Policy},
};
use crate::{
    git::{LARGEST, Oid, TreeEntry},
    zone::FOLDER,
};

/// Where a reference stood, and where it is to stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub(super) old: Oid,
    pub(super) new: Oid,
}

/// What one check has found out already.
#[derive(Debug, Default)]
struct Known {
    /// Whether a blob is sealed.
    sealed: HashMap<Oid, bool>,
    /// The rules that the history of these commits has had.
    past: HashMap<Vec<Oid>, Vec<Arc<Policy>>>,
    /// The rules that the references are to end with.
    ends: Vec<Arc<Policy>>,
}

impl Guard {
    /// Marks the entries of `changes` that were sealed in a parent, or before
    /// one of the `moves`, and are plaintext that nobody vouches for. `ends` are
    /// the rules of the references that they lead to.
    pub(super) fn mark_opened(
        &self,
        changes: &mut [Change],
        moves: &[Move],
        ends: &[Arc<Policy>],
        looked: &Looks,
        policies: &Policies<'_>,
    ) -> Result<(), GuardError> {
        let mut known = Known { ends: ends.to_vec(), ..Known::default() };
        for change in changes {
            let plain = |entry: &TreeEntry| {
                entry.is_file()
                    && change.zone(&entry.path).is_none()
                    && looked.find(entry.oid).is_some_and(|looked| looked.content == Content::Plaintext)
            };
            let entries = change.entries.iter().filter(|changed| !changed.kept).map(|changed| &changed.entry);
            let plain: HashMap<&[u8], Oid> = entries
                .filter(|entry| plain(entry))
                .map(|entry| (entry.path.as_slice(), entry.oid))
                .collect();
            let opened = self.opened(change, &plain, moves, looked, policies, &mut known)?;
            for changed in change.entries.iter_mut().filter(|changed| !changed.kept) {
                changed.opened = opened.contains(&changed.entry.path);
            }
        }
        Ok(())
    }

    /// Of new plaintext, by path, what was sealed before.
    fn opened(
        &self,
        change: &Change,
        plain: &HashMap<&[u8], Oid>,
        moves: &[Move],
        looked: &Looks,
        policies: &Policies<'_>,
        known: &mut Known,
    ) -> Result<BTreeSet<Vec<u8>>, GuardError> {
        let mut opened = BTreeSet::new();
        if plain.is_empty() {
            return Ok(opened);
        }
        let paths: BTreeSet<&[u8]> = plain.keys().copied().collect();
        let mut since = change.parents.clone();
        let mut before = Vec::new();
        for &parent in &change.parents {
            before.extend(self.objects.find_in(self.objects.tree_of(parent)?, &paths)?);
        }
        for &Move { old, new } in moves {
            // What goes and comes again on the way is news all the same, if it stays.
            let mut stays = self.objects.find_in(self.objects.tree_of(new)?, &paths)?;
            stays.retain(|(path, oid)| plain.get(path.as_slice()) == Some(oid));
            let stays: BTreeSet<&[u8]> = stays.iter().map(|(path, _)| path.as_slice()).collect();
            if !stays.is_empty() {
                before.extend(self.objects.find_in(self.objects.tree_of(old)?, &stays)?);
                since.push(old);
            }
        }
        for (path, oid) in before {
            if self.was_sealed(oid, looked, known)?
                && !self.may_open(change, &path, &since, policies, known)?
            {
                opened.insert(path);
            }
        }
        Ok(opened)
    }

    fn was_sealed(&self, oid: Oid, looked: &Looks, known: &mut Known) -> Result<bool, GuardError> {
        if let Some(&sealed) = known.sealed.get(&oid) {
            return Ok(sealed);
        }
        let content = match looked.find(oid) {
            Some(looked) => looked.content,
            // Of a partial clone nobody can tell, and nothing this large was ever sealed.
            None if !self.objects.holds(oid) || self.objects.header(oid)?.1 > LARGEST => Content::Plaintext,
            None => look::content(&self.objects.blob(oid)?, self.keyring.as_ref()),
        };
        let sealed = matches!(content, Content::Authentic | Content::Sealed(_) | Content::Altered);
        known.sealed.insert(oid, sealed);
        Ok(sealed)
    }

    /// Whether a member has taken the protection of a path away, later than
    /// anybody has given it in the history of `since`.
    fn may_open(
        &self,
        change: &Change,
        path: &[u8],
        since: &[Oid],
        policies: &Policies<'_>,
        known: &mut Known,
    ) -> Result<bool, GuardError> {
        let Some(now) = &change.now else { return Ok(false) };
        let past = match known.past.get(since) {
            Some(past) => past,
            None => {
                let past = self.past_rules(since, policies)?;
                known.past.entry(since.to_vec()).or_insert(past)
            }
        };
        let keyring = self.keyring.as_ref();
        let protecting = past.iter().filter_map(|before| Some((before, before.zone(path)?)));
        // What nobody with a key has written protects nothing, and cannot be outdone.
        let mut protecting = protecting.filter(|(before, zone)| !before.is_refuted(zone, keyring)).peekable();
        Ok(protecting.peek().is_some()
            && protecting.all(|(before, zone)| {
                now.is_newer(zone, before) && now.is_vouched_for(zone, keyring, &self.pins, &known.ends)
            }))
    }

    /// Every state of the rules in the history of commits, each once; those that
    /// cannot be read say nothing.
    fn past_rules(&self, since: &[Oid], policies: &Policies<'_>) -> Result<Vec<Arc<Policy>>, GuardError> {
        let names: Vec<String> = since.iter().map(Oid::to_string).collect();
        let mut arguments = vec!["log", "--full-history", "--format=%H", "--no-show-signature", "--no-color"];
        arguments.extend(names.iter().map(String::as_str));
        let store = format!(":(top,literal){FOLDER}/store.toml");
        let zones = format!(":(top,glob){FOLDER}/zones/*/zone.toml");
        arguments.extend(["--", &store, &zones]);
        let output = if since.is_empty() { Vec::new() } else { self.objects.git(&arguments, &[], &[])? };
        let output = String::from_utf8_lossy(&output);
        let mut past: Vec<Arc<Policy>> = Vec::new();
        for commit in output.lines().filter_map(|line| self.objects.oid(line)).chain(since.iter().copied()) {
            let policy = match policies.of_tree(self.objects.tree_of(commit)?, commit) {
                Err(GuardError::Rules { .. }) => None,
                policy => policy?,
            };
            past.extend(policy.filter(|new| !past.iter().any(|known| Arc::ptr_eq(known, new))));
        }
        Ok(past)
    }
}
