// SPDX-License-Identifier: MIT OR Apache-2.0
//! The work tree: links where protected files or folders belong, and private keys
//! in files that no zone keeps.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use super::{Examination, Fault, Kind, shown};
use crate::{
    durable::inspect,
    git::Oid,
    guard::{Breach, Guard, Hit},
    keyring::Keyring,
    read::read_regular,
    vault::unlock::CLOSED,
    zone::{FOLDER, Protection},
};

/// The largest file of the work tree that is looked into, in bytes: what is larger
/// is no key, and the guard looks into it before it is committed.
const LARGEST: u64 = 16 << 20;

impl Examination<'_> {
    /// The work tree.
    pub(super) fn files(&mut self) {
        self.links();
        self.loose();
    }

    fn links(&mut self) {
        let Some(vault) = &self.vault else { return };
        let mut folders: BTreeSet<PathBuf> = BTreeSet::from([PathBuf::from(FOLDER)]);
        let patterns = vault.rules.patterns().iter().filter_map(|(pattern, _)| pattern.folder());
        folders.extend(patterns.chain(vault.manifest.pki.as_deref()).map(PathBuf::from));
        if let Some(pki) = &vault.manifest.pki {
            folders.extend(CLOSED.map(|name| PathBuf::from(pki).join(name)));
        }
        let entries = self.repository.index_entries().unwrap_or_default();
        for entry in &entries {
            if matches!(vault.rules.protection(&entry.path), Protection::Zone(_)) {
                let file = crate::git::as_path(&entry.path);
                folders.extend(file.parent().map(std::path::Path::to_owned));
            }
        }
        let places: BTreeSet<PathBuf> =
            folders.iter().flat_map(|folder| folder.ancestors()).map(std::path::Path::to_owned).collect();
        for place in places.into_iter().filter(|place| !place.as_os_str().is_empty()) {
            let found = inspect(&self.repository.work_tree().join(&place));
            if matches!(found, Ok(Some(metadata)) if metadata.is_symlink()) {
                let what = "a symbolic link in the place of a folder: what lies behind it no zone keeps";
                self.tell(Fault::new(Kind::Link, place.display(), what));
            }
        }
    }

    fn loose(&mut self) {
        let words = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = self.repository.git(&words, &[]);
        let Some(listed) = self.tried("the work tree", listed) else { return };
        let entries = self.repository.index_entries().unwrap_or_default();
        let tracked: HashMap<Vec<u8>, Oid> =
            entries.into_iter().map(|entry| (entry.path, entry.oid)).collect();
        let paths: BTreeSet<Vec<u8>> =
            listed.split(|&byte| byte == 0).filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect();
        let mut files = Vec::new();
        for path in paths {
            let kept = self.vault.as_ref().map(|vault| vault.rules.protection(&path));
            if matches!(kept, Some(Protection::Zone(_))) {
                continue;
            }
            let file = self.repository.file_path(&path);
            if !matches!(inspect(&file), Ok(Some(metadata)) if metadata.is_file() && metadata.len() <= LARGEST)
            {
                continue;
            }
            let bytes = read_regular(&file);
            let Some(Some(bytes)) = self.tried(&shown(&path), bytes) else { continue };
            // What git has as well was looked at there.
            let staged = tracked.get(&path).copied();
            if staged.is_none() || self.repository.hash_blob(&bytes).ok() != staged {
                files.push((path, bytes));
            }
        }
        let keyring = Keyring::read(&self.repository.state().join("keyring")).ok().flatten();
        let guard = Guard::with(self.repository.work_tree(), keyring, self.pins.clone());
        let Some(Some(guard)) = self.tried("git", guard) else { return };
        let report = guard.loose(files.into_iter());
        let report = self.tried("the work tree", report).unwrap_or_default();
        for Hit { place, breach } in report.hits {
            if let Breach::Material(finding) = breach {
                let what = format!("{}, which no zone keeps and git does not ignore", finding.format);
                self.tell(Fault::new(Kind::KeyInWorkTree, shown(&place.path), what));
            }
        }
    }
}
