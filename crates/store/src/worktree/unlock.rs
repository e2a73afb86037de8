// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ciphertext becomes plaintext, where a key is in the keyring.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{Exchange, Progress, Unlocked, WorkTreeError, is_executable, shown};
use crate::{
    durable::{FileError, permissions},
    filter::sealer,
    git::{Repository, Stat},
    git_crypt::MAGIC,
    keyring::Keyring,
    read::read_secret_file,
    repository::RepositoryLock,
    seal::{SealError, is_sealed, key_id},
    zone::{Protection, Rules},
};

/// Writes the keyring, and the plaintext of every file that it opens. Files that
/// are not there stay away, other files are not looked at. A file that was
/// changed while its zone was locked is refused; one that was changed in an
/// unlocked zone stays as it is.
///
/// The keyring comes before the files: plaintext that the filter cannot seal
/// would stop git, ciphertext that it could open does not.
pub(crate) fn unlock(
    repository: &Repository,
    rules: &Rules,
    keyring: &Keyring,
    progress: &mut Progress<'_>,
) -> Result<Unlocked, WorkTreeError> {
    let _lock = RepositoryLock::acquire(repository)?;
    let path = repository.state().join("keyring");
    // One that cannot be read is replaced.
    let before = Keyring::read(&path).ok().flatten().unwrap_or_default();
    let mut exchange = Exchange::new(repository, "unlock")?;
    let mut entries = repository.index_entries()?;
    entries.retain(|entry| {
        let kept = rules.protection(&entry.path);
        entry.is_file() && matches!(kept, Protection::Zone(zone) if keyring.zone(zone).is_some())
    });
    let count = entries.len();
    let (mut changed, mut strange) = (Vec::new(), Vec::new());
    for (done, entry) in entries.into_iter().enumerate() {
        progress(done, count);
        let Protection::Zone(zone) = rules.protection(&entry.path) else { continue };
        let Some((target, metadata)) = exchange.target(&entry)? else { continue };
        let blob = repository.blob(entry.oid)?;
        let zone = sealer(keyring, &rules.zones(&entry.path), &blob).unwrap_or(zone);
        let opened = keyring.open_as(zone, &blob).map_err(|source| broken(&entry.path, &blob, source))?;
        // Otherwise in the clear in git, or of a key that nobody gave us.
        let Some(plaintext) = opened else {
            if is_sealed(&blob) || blob.starts_with(MAGIC) {
                strange.push((shown(&entry.path), key_id(&blob).ok().flatten()));
            }
            continue;
        };
        let Some(found) = read_secret_file(&target)? else { continue };
        if found.expose() == blob {
            exchange.stage(entry, target, &metadata, plaintext.expose())?;
        } else if found.expose() == plaintext.expose() {
            if permissions(&metadata) & 0o077 == 0 {
                exchange.right.push((entry, Stat::of(&metadata)));
            } else {
                let mode = if is_executable(&entry) { 0o700 } else { 0o600 };
                fs::set_permissions(&target, fs::Permissions::from_mode(mode))
                    .map_err(FileError::new("set the mode of", &target))?;
            }
        } else if before.zone(zone).is_none() {
            changed.push(shown(&entry.path));
        }
    }
    if !changed.is_empty() {
        return Err(WorkTreeError::Changed { paths: changed });
    }
    keyring.write(&path)?;
    let (files, changed) = exchange.finish()?;
    if !changed.is_empty() {
        return Err(WorkTreeError::Changed { paths: changed });
    }
    progress(count, count);
    Ok(Unlocked { files, strange })
}

fn broken(path: &[u8], blob: &[u8], source: SealError) -> WorkTreeError {
    WorkTreeError::Broken { path: shown(path), key: key_id(blob).ok().flatten(), source }
}
