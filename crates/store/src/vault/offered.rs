// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was offered to a remote: a rotation that others may have is none that was lost,
//! whatever the references that follow the remote's branches say later. Whoever
//! may push can have them pruned, and a push to a URL leaves none.

use std::collections::BTreeSet;

use super::{Vault, VaultError};
use crate::{
    git::Repository,
    guard::Update,
    manifest::Manifest,
    pins::Pins,
    repository::RepositoryLock,
    seal::KeyId,
    zone::{FOLDER, ZoneName},
};

/// Remembers which epochs that this clone began a push brings to which branch of a
/// server, in the repository that git's environment names. Not those of a push that git
/// refuses, for the server has there what this clone does not know.
///
/// # Errors
///
/// The repository or what this clone knows cannot be read or written.
pub fn remember_offered(updates: &[Update]) -> Result<(), VaultError> {
    let Some(repository) = Repository::from_environment()? else { return Ok(()) };
    let path = repository.state().join("pins");
    let known = |old: &str| repository.oid(old).is_some_and(|old| repository.holds(old));
    let updated = || {
        let before = Pins::read(&path)?;
        let mut after = before.clone();
        for update in updates.iter().filter(|update| update.old.as_deref().is_none_or(known)) {
            let name = String::from_utf8_lossy(&update.name);
            for (zone, key) in own_keys(&repository, update, &before)? {
                after.remember_offered(&zone, key, &name);
            }
        }
        Ok::<_, VaultError>((after != before).then_some(after))
    };
    if updated()?.is_none() {
        return Ok(());
    }
    let _lock = RepositoryLock::acquire(&repository)?;
    Ok(updated()?.map(|pins| pins.write(&path)).transpose().map(drop)?)
}

/// The keys of epochs begun here that a push brings, those on which others follow as well.
fn own_keys(
    repository: &Repository,
    update: &Update,
    pins: &Pins,
) -> Result<Vec<(ZoneName, KeyId)>, VaultError> {
    let commit = update.new.as_deref().and_then(|new| repository.commit_named(new));
    let Some(commit) = commit.filter(|_| pins.begun().next().is_some()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (zone, epoch, _) in pins.begun() {
        let Some(entry) = repository.entry(commit, format!("{FOLDER}/zones/{zone}/zone.toml").as_str())?
        else {
            continue;
        };
        let Some(blob) = repository.blob_if_here(entry.oid)? else { continue };
        let Ok(described) = Manifest::parse_zone(&blob) else { continue };
        if pins.ids_from(zone, epoch).any(|id| id == described.key_id) {
            let own = pins.key_begun(zone, epoch);
            found.extend(own.map(|own| (zone.clone(), own)));
        }
    }
    Ok(found)
}

impl Vault {
    /// What to go back to with [`Vault::take_back_offers`] if a push is refused.
    pub(super) fn offers(&self) -> Result<BTreeSet<(ZoneName, KeyId, String)>, VaultError> {
        Ok(self.pins()?.offers().clone())
    }

    /// The server has refused what was offered since.
    pub(super) fn take_back_offers(
        &self,
        before: BTreeSet<(ZoneName, KeyId, String)>,
    ) -> Result<(), VaultError> {
        if self.offers()? == before {
            return Ok(());
        }
        let _lock = RepositoryLock::acquire(&self.repository)?;
        let mut pins = self.pins()?;
        pins.set_offers(before);
        Ok(pins.write(&self.repository.state().join("pins"))?)
    }

    /// The branches, such as `refs/heads/main`, that others take for shared ones: those which
    /// a branch here follows, and what the remotes name first; else the one that is checked out.
    pub(super) fn shared_branches(&self) -> Result<BTreeSet<String>, VaultError> {
        let lines = |arguments: &[&str]| {
            // It fails where there is nothing to list.
            let listed = self.repository.git(arguments, &[]).unwrap_or_default();
            let listed = String::from_utf8_lossy(&listed).into_owned();
            listed.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let followed = lines(&["config", "--get-regexp", r"^branch\..*\.merge$"]);
        let followed = followed.iter().filter_map(|line| line.rsplit(' ').next()).map(str::to_owned);
        let format = "--format=%(if)%(symref)%(then)%(symref:lstrip=3)%(end)";
        let named = lines(&["for-each-ref", format, "refs/remotes"]);
        let named = named.into_iter().map(|name| format!("refs/heads/{name}"));
        let shared: BTreeSet<_> = followed.chain(named).collect();
        Ok(if shared.is_empty() { BTreeSet::from([self.repository.head()?.name]) } else { shared })
    }
}
