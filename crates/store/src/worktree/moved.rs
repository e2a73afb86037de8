// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that git has sealed under paths that no rule names: somebody has moved them
//! there, by `git mv` for instance, and no filter touches them any more.

use std::{
    collections::{HashMap, HashSet},
    fs::Metadata,
};

use crate::{
    durable::inspect,
    git::{GitError, IndexEntry, Objects, Oid, Repository},
    keyring::Keyring,
    read::read_secret_file,
};

/// The entries whose file is there and shorter than what git has, as plaintext is than
/// its ciphertext: so that not every blob has to be read.
pub(crate) fn shorter<'e>(
    tree: &Repository,
    entries: impl Iterator<Item = &'e IndexEntry>,
) -> Result<Vec<&'e IndexEntry>, GitError> {
    let present = entries.filter(|entry| entry.has_bytes()).filter_map(|entry| {
        let file = inspect(&tree.file_path(&entry.path)).ok()??;
        Some((entry, Some(file).filter(Metadata::is_file)?.len()))
    });
    let present: Vec<_> = present.collect();
    let blobs: Vec<Oid> = present.iter().map(|(entry, _)| entry.oid).collect();
    let sizes = match Objects::discover(tree.work_tree())? {
        Some(objects) => objects.sizes(&blobs)?,
        None => HashMap::new(),
    };
    let is_shorter = |(entry, length): &(&IndexEntry, u64)| sizes.get(&entry.oid) > Some(length);
    Ok(present.into_iter().filter(is_shorter).map(|(entry, _)| entry).collect())
}

/// The paths among `entries` at which git has what a key of the keyring has sealed,
/// and the work tree the same in the clear.
pub(super) fn opened<'e>(
    tree: &Repository,
    entries: impl Iterator<Item = &'e IndexEntry>,
    keyring: &Keyring,
) -> Result<HashSet<Vec<u8>>, GitError> {
    let is_opened = |entry: &IndexEntry| {
        // What cannot be read is nothing that stands in the way: no rule names it.
        let blob = tree.blob_if_here(entry.oid).ok()??;
        let opened = keyring.open(&blob).ok()??;
        let found = read_secret_file(&tree.file_path(&entry.path)).ok()??;
        Some(found.expose() == opened.plaintext.expose())
    };
    let mut found = shorter(tree, entries)?;
    found.retain(|entry| is_opened(entry) == Some(true));
    Ok(found.into_iter().map(|entry| entry.path.clone()).collect())
}
