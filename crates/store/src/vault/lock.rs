// SPDX-License-Identifier: MIT OR Apache-2.0
//! `lock`: the plaintext goes, and the keys with it. Whatever is wrong with the store
//! does not stand in the way: what this clone has seen and was told is enough, and
//! what nobody vouches for is left out, for it could only add files that are nobody's
//! secret.

use std::path::Path;

use super::{Alone, Vault, VaultError, place, was_here};
use crate::{
    filter,
    git::Repository,
    keyring::Keyring,
    lock::{Lock, LockError, Waiting},
    manifest::Manifest,
    modes::LockFile,
    pins::Pins,
    repository::recover_repository,
    worktree,
};

/// What `lock` did.
#[derive(Debug)]
pub struct Locked {
    /// How many files became ciphertext.
    pub files: usize,
    /// What is wrong with the store all the same.
    pub doubt: Option<VaultError>,
}

/// A repository whose store cannot be opened, to be locked.
#[derive(Debug)]
pub struct Damaged {
    repository: Repository,
}

impl Vault {
    /// Makes every plaintext of a protected file ciphertext again and forgets
    /// the keys. What this clone was told to protect counts as well as what the store says now,
    /// if that is genuine.
    ///
    /// # Errors
    ///
    /// A file has changes that git does not have: they would be lost.
    pub fn lock(&self, progress: &mut dyn FnMut(usize, usize)) -> Result<Locked, VaultError> {
        let doubt = self.verify_to_lock(&self.manifest).err();
        let mut of_others = None;
        let believed = |manifest: &Manifest| {
            let checked = self.verify_to_lock(manifest);
            let genuine = checked.is_ok();
            of_others = of_others.take().or(checked.err());
            genuine
        };
        let files = lock(&self.repository, believed, progress)?;
        let linked = || self.no_link_to_a_folder().err();
        let unreadable = || self.remembers().err();
        Ok(Locked { files, doubt: doubt.or(of_others).or_else(linked).or_else(unreadable) })
    }
}

impl Damaged {
    /// The repository that `directory` is in, if a store was ever opened in it.
    ///
    /// # Errors
    ///
    /// git cannot be read.
    pub fn find(directory: &Path) -> Result<Option<Self>, VaultError> {
        Ok(place::repository_of(directory)?.filter(was_here).map(|repository| Self { repository }))
    }

    /// As [`Vault::alone`].
    ///
    /// # Errors
    ///
    /// As [`Vault::alone`].
    pub fn alone(&self, waiting: &mut dyn FnMut(&Waiting)) -> Result<Alone, LockError> {
        Ok(Alone { _lock: Lock::acquire(self.repository.common_dir(), LockFile::Ignore, waiting)? })
    }

    /// As [`Vault::lock`], by what this clone has seen and was told alone; gives the
    /// number of files.
    ///
    /// # Errors
    ///
    /// A file has changes that git does not have: they would be lost.
    pub fn lock(&self, progress: &mut dyn FnMut(usize, usize)) -> Result<usize, VaultError> {
        // What was interrupted may be what is damaged.
        drop(recover_repository(&self.repository));
        lock(&self.repository, |_| false, progress)
    }
}

/// Locks all work trees; a description of the store counts where it is `believed`.
fn lock(
    repository: &Repository,
    mut believed: impl FnMut(&Manifest) -> bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<usize, VaultError> {
    let state = repository.state();
    let keyring = Keyring::read(&state.join("keyring"))?.unwrap_or_else(Keyring::new);
    let pins = Pins::read(&state.join("pins")).unwrap_or_default();
    let seen = pins.own_rules();
    let mut by_tree = |tree: &Repository| {
        let described = filter::manifest(tree).ok().flatten().filter(|manifest| believed(manifest));
        described.map_or_else(|| seen.clone(), |manifest| pins.rules(&manifest))
    };
    Ok(worktree::lock(repository, &seen, &mut by_tree, &keyring, progress)?)
}
