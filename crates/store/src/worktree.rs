// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plaintext comes and goes.

use crate::{
    git::{GitError, Repository},
    keyring::Keyring,
    zone::Rules,
};

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum WorkTreeError {
    /// git.
    #[error(transparent)]
    Git(#[from] GitError),
}

pub(crate) fn unlock(
    _: &Repository,
    _: &Rules,
    _: &Keyring,
    _: &mut dyn FnMut(usize, usize),
) -> Result<usize, WorkTreeError> {
    Ok(0)
}

pub(crate) fn lock(
    _: &Repository,
    _: &Rules,
    _: &Keyring,
    _: &mut dyn FnMut(usize, usize),
) -> Result<usize, WorkTreeError> {
    Ok(0)
}
