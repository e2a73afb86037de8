// SPDX-License-Identifier: MIT OR Apache-2.0
//! Own files that were sealed before the others changed the key of their zone:
//! whoever was to be shut out by that could open them. What is given away in the end is
//! sealed with the present keys; the commits that lead there stay as they are.

use std::collections::BTreeSet;

use certkeep_pki::{change::Contents, secret::SecretBytes};

use super::{SyncError, Upstream};
use crate::{
    durable::Access,
    history::Message,
    prompt::Prompt,
    read::read_regular,
    repository::WorkTree,
    seal,
    vault::{Keys, Vault, VaultError, edit::Edit, trust::is_closed},
    zone::{Protection, ZoneName},
};

/// What was sealed anew.
#[derive(Debug, Default)]
pub struct Anew {
    /// How many files.
    pub files: usize,
    /// In which commit; `None` if there was none.
    pub commit: Option<String>,
    /// Files that would have been, but for a key.
    pub left: Vec<String>,
}

impl Vault {
    /// The zones in the keyring whose present key is not there: somebody else has begun an epoch.
    ///
    /// # Errors
    ///
    /// The keyring cannot be read.
    pub fn renewed_zones(&self) -> Result<Vec<ZoneName>, VaultError> {
        let Some(keyring) = self.keyring()? else { return Ok(Vec::new()) };
        let renewed = self.manifest.zones.iter().filter(|(name, zone)| {
            keyring.zone(name).is_some() && keyring.sealing(name, zone.key_id).is_none()
        });
        Ok(renewed.map(|(name, _)| name.clone()).collect())
    }

    /// Seals anew, in one commit, what only this clone has and an earlier key of a zone has
    /// sealed.
    ///
    /// # Errors
    ///
    /// Nothing was recorded.
    pub fn seal_own_anew(
        &mut self,
        upstream: &Upstream,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        message: &Message,
    ) -> Result<Anew, SyncError> {
        let own: BTreeSet<_> = self.to_push(upstream)?.into_iter().collect();
        let mut anew = Anew::default();
        let renewed = self.renewed_zones()?;
        let head = self.head_files()?;
        let mut edit = Edit { since: Some(self.repository.head()?), ..Edit::default() };
        for entry in self.repository.index_entries()? {
            let shown = String::from_utf8_lossy(&entry.path).into_owned();
            if !own.contains(&shown) || !entry.is_file() || head.get(&entry.path) != Some(&entry.oid) {
                continue;
            }
            let Protection::Zone(zone) = self.rules.protection(&entry.path) else { continue };
            let Some(described) = self.manifest.zones.get(zone) else { continue };
            let blob = self.repository.blob(entry.oid)?;
            let id = seal::key_id(&blob).ok().flatten();
            if id.is_none_or(|id| id == described.key_id) {
                continue;
            }
            let keys = match self.zone_keys(zone, keys, prompt) {
                Err(error) if is_closed(&error) => {
                    anew.left.push(shown);
                    continue;
                }
                keys => keys?,
            };
            let Ok(opened) = keys.open(&blob) else {
                anew.left.push(shown);
                continue;
            };
            let sealed = keys.sealing_now().seal(opened.expose(), described.padding);
            let work_tree = match self.follow(&entry.path, &blob, &sealed)? {
                // git could not seal it here until somebody has unlocked the new key.
                WorkTree::Leave if renewed.contains(zone) && self.has(&entry.path, opened.expose())? => {
                    WorkTree::Write(Contents::Public(sealed.clone()), Access::Owner)
                }
                as_it_is => as_it_is,
            };
            edit.seal(entry.path, work_tree, sealed);
            anew.files += 1;
        }
        if anew.files > 0 {
            anew.commit = edit.record(&self.repository, message)?;
        }
        Ok(anew)
    }

    /// Whether the file of the work tree is exactly this.
    fn has(&self, path: &[u8], plaintext: &[u8]) -> Result<bool, VaultError> {
        let bytes = read_regular(&self.repository.file_path(path))?.map(SecretBytes::new);
        Ok(bytes.is_some_and(|bytes| bytes.expose() == plaintext))
    }
}
