// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guard: no private key and no protected file leaves in the clear.
//!
//! Two rules. A: what stands under a protected path is sealed. B: nowhere else
//! stands private key material; `certkeep-guard` finds it. This room decides
//! which blobs are looked at (the index, the commits of a push, the whole
//! history) and judges rule A; it reads git's objects, never the work tree, and
//! writes nothing.

mod allow;
mod attributes;
mod change;
mod commits;
mod history;
mod judge;
mod links;
mod look;
mod loose;
mod merged;
mod opened;
mod policy;
mod push;
mod reading;
mod receive;
mod report;
mod staged;
mod tree;
mod update;

use std::path::Path;

use thiserror::Error;

pub use self::{
    history::Reach,
    report::{Breach, Hit, Place, Progress, Report, Shrunk, Unsealed},
    update::Update,
};
use crate::{
    durable::FileError,
    git::{GitError, Objects},
    keyring::{Keyring, KeyringError},
    manifest::ManifestError,
    pins::{PinError, Pins},
};

/// A repository under guard, with a work tree or bare, with a store or without.
#[derive(Debug)]
pub struct Guard {
    objects: Objects,
    keyring: Option<Keyring>,
    pins: Pins,
}

/// What is told how far a check has come; called from several threads.
pub type Watch<'a> = &'a (dyn Fn(Progress) + Sync);

/// Why something could not be checked. Whoever asked has to take it for a breach.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GuardError {
    /// An object is missing or damaged, or git could not do something.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The keyring cannot be read.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// What this clone remembers of the store cannot be read.
    #[error(transparent)]
    Pins(#[from] PinError),
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The rules cannot be understood.
    #[error("the rules of {whose} cannot be understood: {source}")]
    Rules {
        /// The index or the commit that they stand in.
        whose: String,
        /// Which file, and why.
        source: ManifestError,
    },
    /// The allow-list cannot be understood.
    #[error(".certkeep/guard.toml of {whose}, line {line}: {what}")]
    AllowList {
        /// The index or the commit that it stands in.
        whose: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// A line that git does not say to a hook.
    #[error("`{line}` is no update of a reference")]
    Update {
        /// The line, or the arguments.
        line: String,
    },
    /// The history ends where the clone was cut off.
    #[error("this clone is shallow: it lacks the older part of the history")]
    Shallow,
    /// It would not fit into memory, or take longer than anybody waits.
    #[error(
        "{} has {bytes} bytes, and more than {} are not looked at (object {blob})",
        String::from_utf8_lossy(path),
        crate::git::LARGEST
    )]
    TooLarge {
        /// A path at which it stands, as git's bytes; empty if nothing names it.
        path: Vec<u8>,
        /// Its object id, as hex.
        blob: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// There is no index to commit from.
    #[error("a bare repository has no index")]
    Bare,
}

impl Guard {
    /// The repository that `directory` lies in; `None` if there is none.
    ///
    /// # Errors
    ///
    /// It or its keyring cannot be read.
    pub fn discover(directory: &Path) -> Result<Option<Self>, GuardError> {
        Objects::discover(directory)?.map(Self::of).transpose()
    }

    /// The repository that the environment names as git sets it for a hook, with
    /// that index and with the objects of a push that wait for our answer; else
    /// the one of the current directory.
    ///
    /// # Errors
    ///
    /// As [`Guard::discover`].
    pub fn from_environment() -> Result<Option<Self>, GuardError> {
        Objects::from_environment()?.map(Self::of).transpose()
    }

    /// As [`Guard::discover`], with what is at hand of keys and memories: whoever
    /// asks has told already why the rest cannot be read.
    pub(crate) fn with(
        directory: &Path,
        keyring: Option<Keyring>,
        pins: Pins,
    ) -> Result<Option<Self>, GuardError> {
        Ok(Objects::discover(directory)?.map(|objects| Self { objects, keyring, pins }))
    }

    fn of(objects: Objects) -> Result<Self, GuardError> {
        let keyring = Keyring::read(&objects.state().join("keyring"))?;
        let pins = Pins::read(&objects.state().join("pins"))?;
        Ok(Self { objects, keyring, pins })
    }

    /// Whether it has no work tree.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.objects.is_bare()
    }
}
