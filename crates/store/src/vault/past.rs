// SPDX-License-Identifier: MIT OR Apache-2.0
//! What earlier commits hold: nothing takes it back.

use std::collections::{BTreeMap, BTreeSet};

use super::{VaultError, contents::holds_key};
use crate::{
    git::Repository,
    git_crypt,
    manifest::{self, Manifest},
    member::MemberName,
    seal,
    zone::{FOLDER, Protection, Rules, ZoneName},
};

/// A secret that an earlier commit holds in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Relative to the top of the work tree.
    pub path: String,
    /// A commit that has it, in hexadecimal digits.
    pub commit: String,
}

/// Every protected path that some commit of some reference holds in the clear,
/// and every public file of the PKI with a private key in it.
pub(super) fn in_the_clear(repository: &Repository, rules: &Rules) -> Result<Vec<Past>, VaultError> {
    let mut found = BTreeMap::new();
    let mut seen = BTreeMap::new();
    for version in repository.versions()? {
        let protected = match rules.protection(&version.path) {
            Protection::Zone(_) => true,
            Protection::Public => false,
            Protection::Unnamed => continue,
        };
        let clear = match seen.get(&(version.blob, protected)) {
            Some(&clear) => clear,
            None => {
                let clear = repository.blob_if_here(version.blob)?.is_some_and(|blob| {
                    let sealed =
                        blob.is_empty() || seal::is_sealed(&blob) || blob.starts_with(git_crypt::MAGIC);
                    !sealed && (protected || holds_key(&blob))
                });
                seen.insert((version.blob, protected), clear);
                clear
            }
        };
        if clear {
            let path = String::from_utf8_lossy(&version.path).into_owned();
            found.entry(path).or_insert(version.commit);
        }
    }
    Ok(found.into_iter().map(|(path, commit)| Past { path, commit }).collect())
}

/// How many blobs hold a private key that no reference leads to: of a commit that
/// was amended, say, or of what was staged and never committed. 0 where git
/// cannot tell.
pub(super) fn unreachable_keys(repository: &Repository) -> usize {
    let arguments = ["fsck", "--unreachable", "--no-reflogs", "--connectivity-only", "--no-progress"];
    let listed = repository.git(&arguments, &[]).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed);
    let blobs = listed.lines().filter_map(|line| repository.oid(line.strip_prefix("unreachable blob ")?));
    blobs
        .filter(|&oid| repository.blob_if_here(oid).ok().flatten().is_some_and(|blob| holds_key(&blob)))
        .count()
}

/// Every path that some commit of some reference has.
pub(super) fn paths(repository: &Repository) -> Result<BTreeSet<Vec<u8>>, VaultError> {
    Ok(repository.versions()?.into_iter().map(|version| version.path).collect())
}

/// For whom some commit of some reference has the present keys of which zone
/// wrapped, whatever the files say now.
pub(super) fn wraps(
    repository: &Repository,
    manifest: &Manifest,
) -> Result<BTreeSet<(ZoneName, MemberName)>, VaultError> {
    let mut wraps = BTreeSet::new();
    for path in paths(repository)? {
        let path = std::str::from_utf8(&path).ok();
        let path = path.and_then(|path| path.strip_prefix(FOLDER)?.strip_prefix('/'));
        let Some((zone, epoch, member)) = path.and_then(manifest::wrap_of) else { continue };
        if manifest.zones.get(&zone).is_some_and(|zone| zone.epoch == epoch) {
            wraps.insert((zone, member));
        }
    }
    Ok(wraps)
}
