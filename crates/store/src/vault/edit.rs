// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a change of the store does to the repository's files, gathered before
//! anything is written.

use std::collections::BTreeMap;

use certkeep_pki::change::Contents;

use super::{Vault, VaultError};
use crate::{
    attributes,
    durable::Access,
    git::{Head, IndexEntry, Oid, Repository},
    history::Message,
    manifest::Manifest,
    read::read_regular,
    repository::{BlobChange, RepositoryChange, WorkTree, record_repository},
    seal::{self, Padding},
    zone::{FOLDER, Protection, Rules, ZoneName},
    zone_keys::ZoneKeys,
};

/// The changes of one commit.
#[derive(Default)]
pub(super) struct Edit<'a> {
    pub(super) changes: Vec<RepositoryChange>,
    /// Where HEAD was when the first file was read that is to be changed; `None`
    /// if that takes no time.
    pub(super) since: Option<Head>,
    /// Parents of the commit beside HEAD.
    pub(super) also: Vec<Oid>,
    /// Who is told how many of the changes are written, of how many.
    pub(super) progress: Option<&'a mut dyn FnMut(usize, usize)>,
}

impl Edit<'_> {
    /// A public file, the same for git and in the work tree.
    pub(super) fn write(&mut self, path: impl Into<Vec<u8>>, bytes: Vec<u8>) {
        self.changes.push(RepositoryChange {
            path: path.into(),
            work_tree: WorkTree::Write(Contents::Public(bytes.clone()), Access::Mode(0o644)),
            blob: BlobChange::Set(bytes),
        });
    }

    /// A file that is in the work tree already, for git.
    pub(super) fn keep(&mut self, path: impl Into<Vec<u8>>, bytes: Vec<u8>) {
        self.changes.push(RepositoryChange {
            path: path.into(),
            work_tree: WorkTree::Leave,
            blob: BlobChange::Set(bytes),
        });
    }

    /// Whether it says what becomes of a file.
    pub(super) fn has(&self, path: &[u8]) -> bool {
        self.changes.iter().any(|change| change.path == path)
    }

    /// Removes a file.
    pub(super) fn remove(&mut self, path: impl Into<Vec<u8>>) {
        let path = path.into();
        self.changes.push(RepositoryChange { path, work_tree: WorkTree::Remove, blob: BlobChange::Remove });
    }

    /// A protected file: git keeps `blob`, and `work_tree` says what becomes of the file.
    pub(super) fn seal(&mut self, path: impl Into<Vec<u8>>, work_tree: WorkTree, blob: Vec<u8>) {
        let path = path.into();
        self.changes.push(RepositoryChange { path, work_tree, blob: BlobChange::Set(blob) });
    }

    /// The files of `.certkeep` that differ.
    pub(super) fn manifest(&mut self, before: Option<&Manifest>, after: &Manifest) {
        let before = before.map(Manifest::to_files).unwrap_or_default();
        let after = after.to_files();
        for path in before.keys().filter(|path| !after.contains_key(*path)) {
            self.remove(format!("{FOLDER}/{path}"));
        }
        for (path, bytes) in after {
            if before.get(&path) != Some(&bytes) {
                self.write(format!("{FOLDER}/{path}"), bytes);
            }
        }
    }

    /// The block that tells git which files go through the filter, and the one
    /// that keeps certkeep's own leftovers out of commits. What else the user has
    /// changed in these files stays his to commit.
    pub(super) fn attributes(&mut self, repository: &Repository, rules: &Rules) -> Result<(), VaultError> {
        let mut apply = |name: &str, change: &dyn Fn(&[u8]) -> Vec<u8>| {
            let pending = self.changes.iter().position(|pending| pending.path == name.as_bytes());
            if let Some(BlobChange::Set(bytes)) = pending.map(|position| self.changes.remove(position).blob) {
                self.write(name, change(&bytes));
                return Ok(());
            }
            let committed = repository.head_blob(name)?.unwrap_or_default();
            let file = read_regular(&repository.work_tree().join(name))?.unwrap_or_default();
            let (blob, contents) = (change(&committed), change(&file));
            if blob != committed || contents != file {
                let work_tree = WorkTree::Write(Contents::Public(contents), Access::Mode(0o644));
                let blob = BlobChange::Set(blob);
                self.changes.push(RepositoryChange { path: name.into(), work_tree, blob });
            }
            Ok::<_, VaultError>(())
        };
        apply(".gitattributes", &|before| attributes::apply_block(before, &attributes::block(rules)))?;
        apply(".gitignore", &|before| attributes::apply_block(before, &attributes::ignored(rules)))?;
        Ok(())
    }

    /// Records everything as one commit; `None`: git has it already.
    pub(super) fn record(
        mut self,
        repository: &Repository,
        message: &Message,
    ) -> Result<Option<String>, VaultError> {
        if let Some((path, text)) = message.event_file(repository) {
            self.write(path, text);
        }
        let since = self.since.map_or_else(|| repository.head(), Ok)?;
        let commit = record_repository(repository, since, &self.also, &self.changes, message, self.progress)?;
        Ok(commit.map(|commit| commit.to_string()))
    }

    /// Every file of a zone, opened with `old` and sealed with `new`.
    pub(super) fn reseal(
        &mut self,
        vault: &Vault,
        zone: &ZoneName,
        old: &ZoneKeys,
        new: &ZoneKeys,
        padding: Padding,
    ) -> Result<usize, VaultError> {
        if self.since.is_none() {
            self.since = Some(vault.repository.head()?);
        }
        let key = new.sealing_now();
        let mut count = 0;
        for entry in vault.entries_of(zone)? {
            let blob = vault.repository.blob(entry.oid)?;
            if blob.is_empty() {
                continue;
            }
            let shown = || String::from_utf8_lossy(&entry.path).into_owned();
            let plaintext = if seal::is_sealed(&blob) || blob.starts_with(crate::git_crypt::MAGIC) {
                old.open(&blob).map_err(|source| VaultError::Open { path: shown(), source })?
            } else {
                certkeep_pki::secret::SecretBytes::new(blob.clone())
            };
            let sealed = key.seal(plaintext.expose(), padding);
            let work_tree = vault.follow(&entry.path, &blob, &sealed)?;
            self.seal(entry.path, work_tree, sealed);
            count += 1;
        }
        Ok(count)
    }
}

impl Vault {
    /// The blobs of HEAD, by path.
    pub(super) fn head_files(&self) -> Result<BTreeMap<Vec<u8>, Oid>, VaultError> {
        let Some(commit) = self.repository.head_commit()? else { return Ok(BTreeMap::new()) };
        let entries = self.repository.entries(commit)?;
        Ok(entries.into_iter().map(|entry| (entry.path, entry.oid)).collect())
    }

    /// The index's regular files of a zone. A staged change of one is not ours to commit.
    pub(super) fn entries_of(&self, zone: &ZoneName) -> Result<Vec<IndexEntry>, VaultError> {
        let head = self.head_files()?;
        let (mut entries, mut staged) = (Vec::new(), Vec::new());
        for entry in self.repository.index_entries()? {
            if self.rules.protection(&entry.path) != Protection::Zone(zone) || !entry.is_file() {
                continue;
            }
            if head.get(&entry.path) != Some(&entry.oid) {
                staged.push(String::from_utf8_lossy(&entry.path).into_owned());
            }
            entries.push(entry);
        }
        if staged.is_empty() { Ok(entries) } else { Err(VaultError::Staged { paths: staged }) }
    }

    /// A work-tree file that is the ciphertext `before` becomes `after`; one
    /// that is plaintext, or absent, stays.
    pub(super) fn follow(&self, path: &[u8], before: &[u8], after: &[u8]) -> Result<WorkTree, VaultError> {
        let file = self.repository.file_path(path);
        match read_regular(&file)? {
            Some(bytes) if bytes == before && seal::is_sealed(&bytes) => {
                Ok(WorkTree::Write(Contents::Public(after.to_vec()), Access::Owner))
            }
            _ => Ok(WorkTree::Leave),
        }
    }
}
