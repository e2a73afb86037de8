// SPDX-License-Identifier: MIT OR Apache-2.0
//! How git is told to call us.

use crate::{
    git::{GitError, Repository},
    zone::Rules,
};

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// git.
    #[error(transparent)]
    Git(#[from] GitError),
}

pub(crate) fn install(_: &Repository, _: &Rules, _: &str) -> Result<(), DriverError> {
    Ok(())
}

pub(crate) fn is_installed(_: &Repository) -> Result<bool, DriverError> {
    Ok(true)
}
