// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a commit, or the index before it becomes one, changes: its entries that
//! no parent has, and those whose protection is another than in a parent.

use std::{collections::HashMap, sync::Arc};

use super::{GuardError, policy::Policy};
use crate::{
    git::{Objects, Oid, TreeEntry},
    zone::ZoneName,
};

/// A tree or an index with the trees that it comes from.
#[derive(Debug)]
pub(super) struct Change {
    /// The commit; `None` for the index.
    pub(super) commit: Option<Oid>,
    /// The rules that it brings.
    pub(super) now: Option<Arc<Policy>>,
    /// Those of each parent.
    pub(super) before: Vec<Option<Arc<Policy>>>,
    /// The commits that it comes from.
    pub(super) parents: Vec<Oid>,
    /// What is to be judged, by path.
    pub(super) entries: Vec<Changed>,
    /// Whether some `.gitattributes` is another one than in a parent.
    pub(super) attributes: bool,
}

/// One entry to be judged.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub(super) entry: TreeEntry,
    /// Whether a parent has the same blob there, under other rules.
    pub(super) kept: bool,
    /// Whether it was sealed at this path and is plaintext that nobody vouches for.
    pub(super) opened: bool,
}

impl Changed {
    /// Of a blob that no parent has there, as long as nothing more is known.
    pub(super) fn new(entry: TreeEntry) -> Self {
        Self { entry, kept: false, opened: false }
    }
}

impl Change {
    /// Whether the rules are not those of every parent.
    pub(super) fn has_other_rules(&self) -> bool {
        self.before.iter().any(|before| !same(before.as_deref(), self.now.as_deref()))
    }

    /// The zone that the new rules give a path to.
    pub(super) fn zone(&self, path: &[u8]) -> Option<&ZoneName> {
        self.now.as_ref().and_then(|policy| policy.zone(path))
    }

    /// The rules and the zone which protected a path in every parent.
    pub(super) fn protected_before(&self, path: &[u8]) -> Option<&ZoneName> {
        let mut zones = self.before.iter().map(|policy| policy.as_ref()?.zone(path));
        let first = zones.next()??;
        zones.all(|zone| zone.is_some()).then_some(first)
    }

    /// Adds of all entries those that no parent has, and those which the rules
    /// of a parent that has them treat in another way.
    pub(super) fn choose(&mut self, all: Vec<TreeEntry>, parents: &[HashMap<Vec<u8>, (Oid, u32)>]) {
        for entry in all {
            let mut having = parents
                .iter()
                .zip(&self.before)
                .filter(|(parent, _)| parent.get(&entry.path) == Some(&(entry.oid, entry.mode)));
            let protected = self.zone(&entry.path).is_some();
            let treated = |before: &Option<Arc<Policy>>| {
                before.as_ref().and_then(|before| before.zone(&entry.path)).is_some()
            };
            match having.next() {
                None => self.entries.push(Changed::new(entry)),
                Some((_, before)) => {
                    if treated(before) != protected || having.any(|(_, before)| treated(before) != protected)
                    {
                        self.entries.push(Changed { kept: true, ..Changed::new(entry) });
                    }
                }
            }
        }
    }
}

/// Whether two states of the rules protect the same.
pub(super) fn same(one: Option<&Policy>, other: Option<&Policy>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.is_like(other),
        _ => false,
    }
}

/// The entries of a tree by path.
pub(super) fn by_path(objects: &Objects, tree: Oid) -> Result<HashMap<Vec<u8>, (Oid, u32)>, GuardError> {
    let entries = objects.entries(tree)?.into_iter();
    Ok(entries.map(|entry| (entry.path, (entry.oid, entry.mode))).collect())
}

/// Whether a path is one of a file of attributes.
pub(super) fn is_attributes(path: &[u8]) -> bool {
    path == b".gitattributes" || path.ends_with(b"/.gitattributes")
}
