// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images of conflicts that `git rerere` keeps in the clear. It cannot be told
//! to make none of certain files, and does not say which file an image is of.
//!
//! So by what is in them: an image goes if it has the first line of a private
//! key, or a line of [`TELLING`] bytes or more that is also in some version of a
//! protected file that the keyring opens. One image too many is one conflict to
//! be resolved again; the others stay.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use certkeep_pki::secret::SecretBytes;

use super::{WorkTreeError, lock::Covers, sweep};
use crate::{durable::FileError, git::Repository, keyring::Keyring, read::read_secret_file};

/// Shorter lines are in many a file: brackets, `else`.
const TELLING: usize = 6;

/// Removes the images of protected files.
pub(super) fn forget(
    repository: &Repository,
    covers: &Covers<'_>,
    keyring: &Keyring,
) -> Result<(), WorkTreeError> {
    let cache = repository.common_dir().join("rr-cache");
    let mut images = Vec::new();
    for folder in folders(&cache)? {
        let mut files = Vec::new();
        for path in listed(&folder)?.into_iter().filter(|path| path.is_file()) {
            files.extend(read_secret_file(&path)?);
        }
        images.push((folder, files));
    }
    let mut images: Vec<Image<'_>> = images
        .iter()
        .map(|(folder, files)| Image { folder, lines: files.iter().flat_map(lines).collect() })
        .collect();
    remove(&mut images, |image| image.lines.iter().any(|line| is_key(line)))?;
    if images.is_empty() {
        return Ok(());
    }
    let mut seen = HashSet::new();
    for version in repository.versions()? {
        if !covers(&version.path) || !seen.insert(version.blob) {
            continue;
        }
        // What a partial clone lacks was never a side of a conflict here.
        let Some(blob) = repository.blob_if_here(version.blob)? else { continue };
        // One that is damaged, or of a key that we do not have, never was either.
        let Ok(Some(opened)) = keyring.open(&blob) else { continue };
        let protected: HashSet<_> = lines(&opened.plaintext).collect();
        remove(&mut images, |image| !image.lines.is_disjoint(&protected))?;
    }
    Ok(())
}

struct Image<'a> {
    folder: &'a Path,
    lines: HashSet<&'a [u8]>,
}

fn remove(images: &mut Vec<Image<'_>>, goes: impl Fn(&Image<'_>) -> bool) -> Result<(), FileError> {
    for image in images.extract_if(.., |image| goes(image)) {
        sweep(image.folder)?;
    }
    Ok(())
}

fn lines(bytes: &SecretBytes) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.expose().split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| line.len() >= TELLING)
}

/// `-----BEGIN PRIVATE KEY-----` and its relatives.
fn is_key(line: &[u8]) -> bool {
    line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----")
}

fn folders(cache: &Path) -> Result<Vec<PathBuf>, FileError> {
    Ok(listed(cache)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// What is in a folder; nothing if there is none.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    match fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map_err(FileError::new("list", folder)),
    }
}
