// SPDX-License-Identifier: MIT OR Apache-2.0
//! Folders of the work tree, read without following a link.

use std::{collections::BTreeMap, fs, io, os::unix::ffi::OsStrExt as _, path::Path};

use walkdir::WalkDir;

use super::VaultError;
use crate::{durable::FileError, event, worktree::beside, zone::FOLDER};

/// The most that a file of `.certkeep` may hold, in bytes.
const LIMIT: u64 = 1 << 20;

/// The regular files below a folder, relative to it, sorted; none without the
/// folder. Names may be any bytes.
pub(super) fn below(folder: &Path) -> Result<Vec<Vec<u8>>, VaultError> {
    let mut files = Vec::new();
    for entry in walk(folder) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let relative = entry.path().strip_prefix(folder).ok();
            files.extend(relative.map(|path| path.as_os_str().as_bytes().to_vec()));
        }
    }
    Ok(files)
}

/// The files of `.certkeep`, by path relative to it, but for the journal: it has a
/// file for every operation, and decides nothing. A link in there could show
/// us another member's key, so it is refused.
pub(super) fn of_store(work_tree: &Path) -> Result<BTreeMap<String, Vec<u8>>, VaultError> {
    let folder = work_tree.join(FOLDER);
    let mut files = BTreeMap::new();
    for entry in walk(&folder) {
        let entry = entry?;
        let Some(name) = relative(&folder, entry.path()) else { continue };
        let shown = || format!("{FOLDER}/{name}");
        if entry.file_type().is_symlink() {
            return Err(VaultError::Symlink { path: shown() });
        }
        if !entry.file_type().is_file() {
            continue;
        }
        let inspect = |error| FileError::new("inspect", entry.path())(io::Error::from(error));
        if entry.metadata().map_err(inspect)?.len() > LIMIT {
            return Err(VaultError::TooLarge { path: shown() });
        }
        let bytes = fs::read(entry.path()).map_err(FileError::new("read", entry.path()))?;
        files.insert(name, bytes);
    }
    Ok(files)
}

fn walk(folder: &Path) -> impl Iterator<Item = Result<walkdir::DirEntry, FileError>> {
    let present = fs::symlink_metadata(folder).is_ok();
    // What a killed run has left there is nobody's file.
    let events = folder.join(event::FOLDER);
    let store = folder.ends_with(FOLDER);
    let files = move |entry: &walkdir::DirEntry| {
        entry.file_name() != beside::FOLDER && !(store && entry.path() == events)
    };
    let entries = present.then(|| WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(files));
    entries.into_iter().flatten().map(|entry| {
        entry.map_err(|error| {
            let path = error.path().unwrap_or(folder).to_owned();
            FileError::new("list", &path)(error.into())
        })
    })
}

/// Names that are not UTF-8 are none of a store's.
fn relative(folder: &Path, path: &Path) -> Option<String> {
    path.strip_prefix(folder).ok()?.to_str().map(str::to_owned)
}

/// The files of a folder, by path relative to it, and whether each is a link;
/// folders that cannot be listed are passed over.
pub(super) fn below_with_links(folder: &Path) -> Vec<(String, bool)> {
    let entries = walk(folder).flatten().filter(|entry| !entry.file_type().is_dir());
    let entries =
        entries.filter_map(|entry| Some((relative(folder, entry.path())?, entry.file_type().is_symlink())));
    entries.collect()
}
