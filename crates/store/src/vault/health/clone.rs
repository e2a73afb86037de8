// SPDX-License-Identifier: MIT OR Apache-2.0
//! What this clone knows and has left: the store as it can be read, keys, pins,
//! changes and merges that are not finished.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

use super::{Asked, Examination, Examined, Fault, Kind, told};
use crate::{
    durable::{inspect, permissions},
    git::Repository,
    keyring::Keyring,
    manifest::{Manifest, ManifestError},
    pins::Pins,
    transaction::Site,
    vault::{Vault, files, unlock::is_of_secrets},
    zone::FOLDER,
};

/// The most that a file of `.certkeep` may hold, in bytes.
const LIMIT: u64 = 1 << 20;

/// From which age on, in seconds, a lock file of git's is taken for left over: no
/// git holds one so long without a person in front of it.
const OLD: u64 = 600;

/// The lock files that stop everything.
const LOCKS: [&str; 4] = ["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock"];

/// What the store and the clone said of themselves when they were read.
pub(super) struct Remembered {
    faults: Vec<Fault>,
}

impl<'a> Examination<'a> {
    pub(super) fn begin(repository: Repository, asked: &'a Asked<'a>) -> (Self, Remembered) {
        let mut faults = Vec::new();
        let state = repository.state();
        let keyring = Keyring::read(&state.join("keyring")).unwrap_or_else(|error| {
            faults.push(Fault::new(Kind::KeyringDamaged, "keyring", told(&error)));
            None
        });
        let seen = state.join("pins").exists();
        let pins = Pins::read(&state.join("pins")).unwrap_or_else(|error| {
            faults.push(Fault::new(Kind::PinsDamaged, "pins", told(&error)));
            Pins::default()
        });
        if keyring.is_some() && !seen {
            let what = "this clone is unlocked, and does not know what it has seen of the store";
            faults.push(Fault::new(Kind::PinsMissing, "pins", what));
        }
        let stands = repository.work_tree().join(FOLDER).is_dir();
        let manifest = if stands { read(repository.work_tree(), &mut faults) } else { None };
        let vault = manifest.and_then(|manifest| {
            let rules = pins.rules(&manifest);
            let repository = repository.reopen().ok()?;
            Some(Vault { repository, manifest, rules, left_away: None })
        });
        let found = Examined::default();
        (Self { repository, vault, keyring, pins, asked, found }, Remembered { faults })
    }

    /// What reading has found already.
    pub(super) fn store(&mut self, remembered: Remembered) {
        for fault in remembered.faults {
            self.tell(fault);
        }
    }

    /// What is under git's directory, and who else can read it.
    pub(super) fn clone_state(&mut self) {
        self.state_modes();
        self.identity_modes();
        self.folder_modes();
        self.left_over();
    }

    fn state_modes(&mut self) {
        let state = self.repository.state();
        if !state.is_dir() {
            return;
        }
        let common = self.repository.common_dir().to_owned();
        for entry in WalkDir::new(&state).max_depth(2).sort_by_file_name().into_iter().flatten() {
            let Some(metadata) = entry.metadata().ok().filter(|metadata| !metadata.is_symlink()) else {
                continue;
            };
            // Below a folder that is closed nobody reads anything.
            let mode = permissions(&metadata);
            if mode & 0o077 != 0 {
                let path = entry.path().strip_prefix(&common).unwrap_or(entry.path());
                self.tell(Fault::new(
                    Kind::StateExposed,
                    format!(".git/{}", path.display()),
                    format!("its mode is {mode:04o}"),
                ));
            }
        }
    }

    fn identity_modes(&mut self) {
        for path in self.asked.identities {
            // What a link leads to is what is read.
            let Ok(metadata) = fs::metadata(path) else { continue };
            let mode = permissions(&metadata);
            if metadata.is_file() && mode & 0o077 != 0 {
                let what = format!("its mode is {mode:04o}");
                self.tell(Fault::new(Kind::IdentityExposed, path.display(), what));
            }
        }
    }

    fn folder_modes(&mut self) {
        let Some(vault) = self.vault.as_ref().filter(|_| self.keyring.is_some()) else { return };
        let Some(pki) = vault.pki() else { return };
        let top = vault.work_tree().to_owned();
        let folders = WalkDir::new(&pki).max_depth(2).sort_by_file_name().into_iter().flatten();
        let folders: Vec<PathBuf> = folders
            .filter(|entry| entry.file_type().is_dir() && is_of_secrets(vault, entry.path()))
            .map(walkdir::DirEntry::into_path)
            .collect();
        for folder in folders {
            let Ok(Some(metadata)) = inspect(&folder) else { continue };
            let mode = permissions(&metadata);
            if mode & 0o077 != 0 {
                let path = folder.strip_prefix(&top).unwrap_or(&folder).display();
                self.tell(Fault::new(Kind::FolderExposed, path, format!("its mode is {mode:04o}")));
            }
        }
    }

    fn left_over(&mut self) {
        let common = self.repository.common_dir().to_owned();
        let named = |path: &Path| {
            let path = path.strip_prefix(&common).unwrap_or(path);
            format!(".git/{}", path.display())
        };
        let mut left = self.repository.left_behind();
        let site = Site::repository(&self.repository);
        left.extend(site.ok().map(|site| site.stage).filter(|stage| stage.exists()));
        for path in left {
            let what = "a change that was interrupted is not completed yet, or has left this";
            self.tell(Fault::new(Kind::ChangeUnfinished, named(&path), what));
        }
        let known = self.repository.left_behind();
        let folders = [self.repository.git_dir().to_owned(), common.clone()];
        for lock in folders.iter().flat_map(|folder| LOCKS.map(|name| folder.join(name))) {
            let Ok(metadata) = fs::symlink_metadata(&lock) else { continue };
            let modified = u64::try_from(metadata.mtime()).unwrap_or_default();
            let age = self.asked.now.unix().saturating_sub(modified);
            if age >= OLD && !known.contains(&lock) {
                let what =
                    format!("it is there since {} minutes, and git waits for whoever holds it", age / 60);
                self.tell(Fault::new(Kind::GitLocked, named(&lock), what));
            }
        }
        if let Some(what) = self.repository.unfinished() {
            let by_sync = self.vault.as_ref().is_some_and(Vault::is_half_synced);
            let kind = if by_sync { Kind::SyncHalfway } else { Kind::GitUnfinished };
            self.tell(Fault::new(kind, "HEAD", format!("a {what} is under way")));
        }
    }
}

/// The store of a work tree, as far as it can be understood.
fn read(work_tree: &Path, faults: &mut Vec<Fault>) -> Option<Manifest> {
    let mut files = read_files(work_tree, faults);
    loop {
        match Manifest::parse(&files) {
            Ok(manifest) => return Some(manifest),
            Err(ManifestError { path, what }) => {
                faults.push(Fault::new(Kind::StoreDamaged, format!("{FOLDER}/{path}"), what));
                if path == "store.toml" || files.remove(&path).is_none() {
                    return None;
                }
                // What belongs to a zone is nothing without it.
                if let Some(zone) = path.strip_suffix("zone.toml") {
                    files.retain(|file, _| !file.starts_with(zone));
                }
            }
        }
    }
}

fn read_files(work_tree: &Path, faults: &mut Vec<Fault>) -> BTreeMap<String, Vec<u8>> {
    let folder = work_tree.join(FOLDER);
    let mut found = BTreeMap::new();
    let names = files::below_with_links(&folder);
    for (name, is_link) in names {
        let subject = format!("{FOLDER}/{name}");
        let path = folder.join(&name);
        if is_link {
            faults.push(Fault::new(Kind::Link, subject, "it is a symbolic link"));
            continue;
        }
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.len() <= LIMIT => {}
            Ok(_) => {
                faults.push(Fault::new(Kind::StoreDamaged, subject, "is too large for a file of a store"));
                continue;
            }
            Err(error) => {
                faults.push(Fault::new(Kind::Unreadable, subject, error));
                continue;
            }
        }
        match fs::read(&path) {
            Ok(bytes) => drop(found.insert(name, bytes)),
            Err(error) => faults.push(Fault::new(Kind::Unreadable, subject, error)),
        }
    }
    found
}
