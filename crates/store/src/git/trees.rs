// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trees, and a tree against those that it comes from; commits and tags as far
//! as they lead to one.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Bound,
};

use super::{FOLDER_MODE as FOLDER, GitError, Kind, Objects, Oid, TreeEntry, objects::damaged};

const SUBMODULE: u32 = 0o160_000;

/// The longest path of a folder in a tree that is followed, in bytes.
const LONGEST: usize = 1 << 16;

/// The most files and folders of one tree.
const MOST: usize = 2_000_000;

impl Objects {
    /// The object that a tag names.
    pub(crate) fn tagged(&self, oid: Oid) -> Result<Oid, GitError> {
        let bytes = self.read_as(Kind::Tag, oid)?;
        self.named(&bytes, b"object ").ok_or_else(|| damaged(oid, "it names no object"))
    }

    /// The tree of a commit.
    pub(crate) fn tree_of(&self, commit: Oid) -> Result<Oid, GitError> {
        let bytes = self.read_as(Kind::Commit, commit)?;
        self.named(&bytes, b"tree ").ok_or_else(|| damaged(commit, "it names no tree"))
    }

    /// The object that the first line of another one names.
    fn named(&self, bytes: &[u8], word: &[u8]) -> Option<Oid> {
        let line = bytes.split(|&byte| byte == b'\n').next()?;
        self.oid(std::str::from_utf8(line.strip_prefix(word)?).ok()?)
    }

    /// The entry of a tree at a path.
    pub(crate) fn entry(&self, tree: Oid, path: &[&str]) -> Result<Option<(Oid, Kind)>, GitError> {
        let mut found = (tree, Kind::Tree);
        for name in path {
            if found.1 != Kind::Tree {
                return Ok(None);
            }
            let entries = self.folder(found.0)?;
            let Some(entry) = entries.into_iter().find(|entry| entry.path == name.as_bytes()) else {
                return Ok(None);
            };
            let kind = match entry.mode {
                FOLDER => Kind::Tree,
                SUBMODULE => Kind::Commit,
                _ => Kind::Blob,
            };
            found = (entry.oid, kind);
        }
        Ok(Some(found))
    }

    /// What a tree has at some paths, whatever it is but folders.
    pub(crate) fn find_in(
        &self,
        tree: Oid,
        paths: &BTreeSet<&[u8]>,
    ) -> Result<Vec<(Vec<u8>, Oid)>, GitError> {
        let mut found = Vec::new();
        let mut folders = vec![(Vec::new(), tree)];
        while let Some((folder, tree)) = folders.pop() {
            for TreeEntry { path: name, oid, mode } in self.folder(tree)? {
                let mut path = [folder.as_slice(), &name].concat();
                if mode == FOLDER {
                    path.push(b'/');
                    let first = paths.range::<[u8], _>((Bound::Included(path.as_slice()), Bound::Unbounded));
                    if first.take(1).any(|wanted| wanted.starts_with(&path)) {
                        folders.push((path, oid));
                    }
                } else if paths.contains(path.as_slice()) {
                    found.push((path, oid));
                }
            }
        }
        Ok(found)
    }

    /// All files of a tree, links and submodules among them, by path.
    pub(crate) fn entries(&self, tree: Oid) -> Result<Vec<TreeEntry>, GitError> {
        self.added(tree, &[])
    }

    /// The entries of `tree` that stand in none of the trees of `before` at the
    /// same path with the same mode: of a merge what neither side had.
    pub(crate) fn added(&self, tree: Oid, before: &[Oid]) -> Result<Vec<TreeEntry>, GitError> {
        let mut added = Vec::new();
        let mut folders = vec![(Vec::new(), tree, before.to_vec())];
        while let Some((folder, tree, before)) = folders.pop() {
            if before.contains(&tree) {
                continue;
            }
            // Trees that name one another many times over unfold without end.
            if folder.len() > LONGEST || added.len() + folders.len() > MOST {
                return Err(damaged(tree, "it unfolds to too many folders"));
            }
            let mut others = Vec::new();
            for other in before {
                let entries = self.folder(other)?.into_iter();
                others.push(entries.map(|entry| (entry.path, (entry.oid, entry.mode))).collect());
            }
            let others: Vec<HashMap<Vec<u8>, (Oid, u32)>> = others;
            for TreeEntry { path: name, oid, mode } in self.folder(tree)? {
                let before = || others.iter().filter_map(|entries| entries.get(&name));
                if before().any(|&other| other == (oid, mode)) {
                    continue;
                }
                let mut path = [folder.as_slice(), &name].concat();
                if mode == FOLDER {
                    path.push(b'/');
                    let before = before().filter(|(_, mode)| *mode == FOLDER).map(|&(oid, _)| oid);
                    folders.push((path, oid, before.collect()));
                } else {
                    added.push(TreeEntry { path, oid, mode });
                }
            }
        }
        added.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(added)
    }

    /// The entries of one folder: mode, blank, name, NUL, the object's name in bytes.
    pub(crate) fn folder(&self, tree: Oid) -> Result<Vec<TreeEntry>, GitError> {
        let bytes = self.read_as(Kind::Tree, tree)?;
        let length = tree.as_bytes().len();
        let mut entries = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let entry = split(rest, length);
            let (entry, after) = entry.ok_or_else(|| damaged(tree, "it is cut off or no tree"))?;
            entries.push(entry);
            rest = after;
        }
        Ok(entries)
    }
}

fn split(bytes: &[u8], length: usize) -> Option<(TreeEntry, &[u8])> {
    let blank = bytes.iter().position(|&byte| byte == b' ')?;
    let (mode, rest) = (bytes.get(..blank)?, bytes.get(blank + 1..)?);
    let mode = u32::from_str_radix(std::str::from_utf8(mode).ok()?, 8).ok()?;
    let end = rest.iter().position(|&byte| byte == 0).filter(|&end| end > 0)?;
    let (name, rest) = (rest.get(..end)?, rest.get(end + 1..)?);
    let (object, rest) = rest.split_at_checked(length)?;
    let oid = Oid::from_bytes(object).ok()?;
    // Files that are not 0644 or 0755 are of old gits.
    let mode = match mode & 0o170_000 {
        0o100_000 if mode & 0o100 != 0 => 0o100_755,
        0o100_000 => 0o100_644,
        kind => kind,
    };
    Some((TreeEntry { path: name.to_vec(), oid, mode }, rest))
}
