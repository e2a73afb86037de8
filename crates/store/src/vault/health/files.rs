// SPDX-License-Identifier: MIT OR Apache-2.0
//! The work tree: links where protected files or folders belong, and private keys
//! in files that no zone keeps.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use super::{Examination, Fault, Kind, objects::some, shown};
use crate::{
    durable::inspect,
    git::{IndexEntry, Stat},
    guard::{Breach, Guard, GuardError, Hit},
    keyring::Keyring,
    read::{ReadError, read_regular},
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
        for Hit { place, breach } in self.keys_in_work_tree() {
            if let Breach::Material(finding) = breach {
                let what = format!("{}, which no zone keeps and git does not ignore", finding.format);
                self.tell(Fault::new(Kind::KeyInWorkTree, shown(&place.path), what));
            }
        }
    }

    /// Where no store is: keys that a `git add` would take.
    pub(super) fn beside_git(&mut self) {
        let hits = self.keys_in_work_tree();
        let paths: Vec<_> = hits.into_iter().map(|hit| hit.place.path).collect();
        if !paths.is_empty() {
            let what = format!("private keys that git does not have yet: {}", some(&paths));
            self.tell(Fault::new(Kind::KeysBesideGit, "the work tree", what));
        }
    }

    /// Private keys in files that no zone keeps, and that git has not, or otherwise.
    fn keys_in_work_tree(&mut self) -> Vec<Hit> {
        let words = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = self.repository.git(&words, &[]);
        let Some(listed) = self.tried("the work tree", listed) else { return Vec::new() };
        let keyring = Keyring::read(&self.repository.state().join("keyring")).ok().flatten();
        let guard = Guard::with(self.repository.work_tree(), keyring, self.pins.clone());
        let Some(Some(guard)) = self.tried("git", guard) else { return Vec::new() };
        let entries = self.repository.index_entries().unwrap_or_default();
        let tracked: HashMap<Vec<u8>, IndexEntry> =
            entries.into_iter().map(|entry| (entry.path.clone(), entry)).collect();
        let paths: BTreeSet<Vec<u8>> =
            listed.split(|&byte| byte == 0).filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect();
        let unread = RefCell::new(Vec::new());
        // One at a time: a work tree may be larger than memory.
        let report = guard.loose(paths.into_iter().filter_map(|path| {
            let bytes = self.untold(&path, tracked.get(&path)).unwrap_or_else(|error| {
                unread.borrow_mut().push(Fault::new(Kind::Unreadable, shown(&path), super::told(&error)));
                None
            })?;
            Some((path, bytes))
        }));
        for fault in unread.into_inner() {
            self.tell(fault);
        }
        let report = match report {
            // An index whose rules cannot be read is told of already.
            Err(GuardError::Rules { .. }) => None,
            report => self.tried("the work tree", report),
        };
        report.unwrap_or_default().hits
    }

    /// The bytes of a file that no zone keeps, unless git has the same: those were
    /// looked at there.
    fn untold(&self, path: &[u8], tracked: Option<&IndexEntry>) -> Result<Option<Vec<u8>>, ReadError> {
        let kept = self.vault.as_ref().map(|vault| vault.rules.protection(path));
        let file = self.repository.file_path(path);
        let Some(metadata) = inspect(&file)?.filter(|_| !matches!(kept, Some(Protection::Zone(_)))) else {
            return Ok(None);
        };
        let same = tracked.is_some_and(|entry| entry.stat == Some(Stat::of(&metadata)));
        if same || !metadata.is_file() || metadata.len() > LARGEST {
            return Ok(None);
        }
        let bytes = read_regular(&file)?;
        let staged = tracked.map(|entry| entry.oid);
        Ok(bytes.filter(|bytes| staged.is_none() || self.repository.hash_blob(bytes).ok() != staged))
    }
}
