// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that come into a zone, go into another, or leave theirs, because the
//! patterns of a store change.

use std::collections::BTreeMap;

use certkeep_pki::{change::Contents, secret::SecretBytes};

use super::{Keys, Vault, VaultError, edit::Edit};
use crate::{
    durable::Access,
    git::IndexEntry,
    git_crypt,
    prompt::Prompt,
    read::{read_regular, read_secret_file},
    repository::WorkTree,
    seal::{self, Padding},
    worktree::{self, WorkTreeError},
    zone::{Pattern, Protection, Rules, ZoneName},
    zone_keys::ZoneKeys,
};

impl Vault {
    /// Every file of the index that `rules` keep otherwise than those of this store: it is
    /// opened with the keys of the zone that it leaves and sealed with those of
    /// the zone that it comes into. Gives the paths. Nothing that git does not
    /// have is written over.
    pub(super) fn move_files(
        &self,
        rules: &Rules,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        edit: &mut Edit,
    ) -> Result<Vec<String>, VaultError> {
        let (mut files, mut changed) = (Vec::new(), Vec::new());
        for entry in self.moved(rules)? {
            let shown = || String::from_utf8_lossy(&entry.path).into_owned();
            let blob = self.repository.blob(entry.oid)?;
            let from = self.rules.zones(&entry.path);
            let plaintext = match from.as_slice() {
                _ if !is_ciphertext(&blob) => SecretBytes::new(blob.clone()),
                // Sealed before anything said by whom.
                [] => continue,
                from => self.open_by_any(from, &entry.path, &blob, keys, prompt)?,
            };
            let to = zone_of(rules, &entry.path);
            let after = match to {
                Some(zone) if !plaintext.is_empty() => {
                    let padding = self.zone(zone)?.padding;
                    self.zone_keys(zone, keys, prompt)?.sealing_now().seal(plaintext.expose(), padding)
                }
                _ => plaintext.expose().to_vec(),
            };
            let plain = to.map_or(Ok(true), |zone| self.is_unlocked(zone))?;
            match self.exchanged(&entry.path, &blob, &plaintext, &after, plain)? {
                Some(work_tree) => edit.seal(entry.path.clone(), work_tree, after),
                None => changed.push(shown()),
            }
            files.push(shown());
        }
        if !changed.is_empty() {
            return Err(WorkTreeError::Changed { paths: changed }.into());
        }
        Ok(files)
    }

    /// Opens what one of these zones has sealed.
    fn open_by_any(
        &self,
        zones: &[&ZoneName],
        path: &[u8],
        blob: &[u8],
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<SecretBytes, VaultError> {
        let mut refused = None;
        for zone in zones {
            match self.zone_keys(zone, keys, prompt)?.open(blob) {
                Ok(plaintext) => return Ok(plaintext),
                Err(source) => refused = refused.or(Some(source)),
            }
        }
        let path = || String::from_utf8_lossy(path).into_owned();
        Err(refused.map_or_else(
            || VaultError::OutOfPlace { path: path() },
            |source| VaultError::Open { path: path(), source },
        ))
    }

    /// Plaintext that git does not know, under `patterns` that give it to the
    /// zone of `keys`: sealed for git and in the work tree. The PKI's own files
    /// are left to its commands. Gives the paths.
    pub(super) fn take_in(
        &self,
        patterns: &[Pattern],
        rules: &Rules,
        keys: &ZoneKeys,
        padding: Padding,
        edit: &mut Edit,
    ) -> Result<Vec<String>, VaultError> {
        let pki = Rules::new(rules.pki(), Vec::new());
        let mut paths =
            worktree::untracked(self.work_tree(), &|path| zone_of(rules, path).is_some(), &self.tracked()?)?;
        paths.retain(|path| {
            let named = patterns.iter().any(|pattern| pattern.matches(path));
            named && zone_of(rules, path) == Some(keys.zone()) && zone_of(&pki, path).is_none()
        });
        for path in &paths {
            // Otherwise it has gone since.
            let Some(found) = read_secret_file(&self.repository.file_path(path))? else { continue };
            let sealed = keys.sealing_now().seal(found.expose(), padding);
            let work_tree = WorkTree::Write(Contents::Public(sealed.clone()), Access::Owner);
            edit.seal(path.clone(), work_tree, sealed);
        }
        Ok(paths.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// What becomes of a file of the work tree whose blob, `before`, becomes
    /// `after`: plaintext if `plain`, else ciphertext. Plaintext that was changed
    /// may stay plaintext; `None`: anything else that git does not have.
    fn exchanged(
        &self,
        path: &[u8],
        before: &[u8],
        plaintext: &SecretBytes,
        after: &[u8],
        plain: bool,
    ) -> Result<Option<WorkTree>, VaultError> {
        let found = read_regular(&self.repository.file_path(path))?.map(SecretBytes::new);
        let Some(found) = found.as_ref().map(SecretBytes::expose) else { return Ok(Some(WorkTree::Leave)) };
        let wanted = if plain { plaintext.expose() } else { after };
        if found == wanted || plain && !is_ciphertext(found) {
            return Ok(Some(WorkTree::Leave));
        }
        if found != before && found != plaintext.expose() {
            return Ok(None);
        }
        let contents = if plain {
            Contents::Secret(SecretBytes::new(wanted.to_vec()))
        } else {
            Contents::Public(wanted.to_vec())
        };
        Ok(Some(WorkTree::Write(contents, Access::Owner)))
    }

    /// The regular files of the index by path, those in a conflict aside.
    pub(super) fn tracked(&self) -> Result<BTreeMap<Vec<u8>, Vec<IndexEntry>>, VaultError> {
        let entries = self.repository.index_entries()?.into_iter().filter(IndexEntry::is_file);
        Ok(entries.map(|entry| (entry.path.clone(), vec![entry])).collect())
    }

    /// The index's regular files that `rules` judge otherwise than those of
    /// this store. Staged changes of them are not ours to commit.
    fn moved(&self, rules: &Rules) -> Result<Vec<IndexEntry>, VaultError> {
        let head = self.head_files()?;
        let (mut moved, mut staged) = (Vec::new(), Vec::new());
        for entry in self.repository.index_entries()? {
            let same = rules.protection(&entry.path) == self.rules.protection(&entry.path);
            // Of two zones that have it, the one that goes may have sealed it.
            let between = || rules.zones(&entry.path).len() < self.rules.zones(&entry.path).len();
            if !entry.is_file() || same && !between() {
                continue;
            }
            if head.get(&entry.path) != Some(&entry.oid) {
                staged.push(String::from_utf8_lossy(&entry.path).into_owned());
            }
            moved.push(entry);
        }
        if staged.is_empty() { Ok(moved) } else { Err(VaultError::Staged { paths: staged }) }
    }
}

fn zone_of<'a>(rules: &'a Rules, path: &[u8]) -> Option<&'a ZoneName> {
    match rules.protection(path) {
        Protection::Zone(zone) => Some(zone),
        Protection::Public | Protection::Unnamed => None,
    }
}

fn is_ciphertext(bytes: &[u8]) -> bool {
    seal::is_sealed(bytes) || bytes.starts_with(git_crypt::MAGIC)
}
