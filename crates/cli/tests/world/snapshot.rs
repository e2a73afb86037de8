// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every file of a folder holds at one moment, to be compared with another.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

/// Names, kinds, modes and contents.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<String, (u32, Vec<u8>)>);

impl Snapshot {
    /// Everything below `folder`.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut entries = BTreeMap::new();
        gather(folder, folder, &mut entries);
        Self(entries)
    }

    /// Nothing was written, removed or opened up.
    #[track_caller]
    pub(crate) fn assert_same(&self, later: &Self) {
        let changed = self.changed(later);
        assert!(changed.is_empty(), "these files were to stay as they are: {changed:?}");
    }

    /// The names of the files below a folder, relative to it.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let files = self.0.iter().filter(|(_, (mode, _))| mode & 0o170_000 == 0o100_000);
        files.filter_map(|(name, _)| name.strip_prefix(folder)).map(str::to_owned).collect()
    }

    /// The names of what differs, in alphabetical order.
    pub(crate) fn changed(&self, later: &Self) -> Vec<String> {
        let names = self.0.keys().chain(later.0.keys());
        let mut changed: Vec<String> =
            names.filter(|name| self.0.get(*name) != later.0.get(*name)).cloned().collect();
        changed.sort();
        changed.dedup();
        changed
    }
}

fn gather(root: &Path, folder: &Path, entries: &mut BTreeMap<String, (u32, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("a folder to look into") {
        let path = entry.expect("an entry of the folder").path();
        let metadata = fs::symlink_metadata(&path).expect("the entry is there");
        let name = path.strip_prefix(root).expect("it is below").display().to_string();
        let contents = if metadata.is_file() { fs::read(&path).expect("a file to read") } else { Vec::new() };
        // The mode tells files, folders and links apart too.
        entries.insert(name, (metadata.permissions().mode(), contents));
        if metadata.is_dir() {
            gather(root, &path, entries);
        }
    }
}
