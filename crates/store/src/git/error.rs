// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong with a repository, as facts.

use std::{
    io,
    path::{Path, PathBuf},
};

use git2::{Error, ErrorClass};
use thiserror::Error;

use crate::durable::FileError;

/// Why a repository did not do what was asked of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GitError {
    /// It belongs to somebody else, and git's `safe.directory` does not name it.
    #[error("the git repository of {} belongs to another user", path.display())]
    Foreign {
        /// A directory in it.
        path: PathBuf,
    },
    /// It is of a kind that libgit2 does not read, such as one with reftables.
    #[error("the git repository of {} cannot be read: {reason}", path.display())]
    Unsupported {
        /// A directory in it.
        path: PathBuf,
        /// The extension or the version that is not known.
        reason: String,
    },
    /// A path that is not below the top of the work tree, or not UTF-8.
    #[error("{} is not in the work tree {}", path.display(), work_tree.display())]
    Outside {
        /// The path.
        path: PathBuf,
        /// The top of the work tree.
        work_tree: PathBuf,
    },
    /// Neither the configuration nor the environment names the author.
    #[error("git knows no author for a commit: user.name or user.email is not set")]
    NoIdentity,
    /// An object that is not in the repository.
    #[error("the repository lacks the object {oid}")]
    Missing {
        /// Its name, in hexadecimal digits.
        oid: String,
    },
    /// An object that is there and cannot be read, or is of another kind than expected.
    #[error("the object {oid} cannot be read: {message}")]
    Object {
        /// Its name, in hexadecimal digits.
        oid: String,
        /// What is wrong with it.
        message: String,
    },
    /// Another git holds a lock file.
    #[error("another git program holds {}", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// Somebody has committed meanwhile what a new commit would take back.
    #[error("HEAD has moved meanwhile: another commit has changed {}", paths.join(", "))]
    Moved {
        /// The files that both change, from the top of the work tree.
        paths: Vec<String>,
    },
    /// The git program could not be started.
    #[error("the program git could not be started")]
    Start(#[source] io::Error),
    /// The git program refused.
    #[error("`git {command}` failed: {message}")]
    Program {
        /// Its subcommand.
        command: String,
        /// What it wrote to its standard error.
        message: String,
    },
    /// libgit2 refused.
    #[error("cannot {action}: {message}")]
    Library {
        /// What was asked of it.
        action: &'static str,
        /// Its answer.
        message: String,
    },
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

impl GitError {
    pub(super) fn library(action: &'static str) -> impl FnOnce(Error) -> Self {
        move |error| Self::Library { action, message: error.message().to_owned() }
    }

    /// What an attempt to open the repository of `path` met.
    pub(super) fn opening(path: &Path, error: &Error) -> Self {
        let reason = error.message().to_owned();
        // libgit2 has no code for it, and one class for everything about repositories.
        if error.class() == ErrorClass::Repository && reason.contains("unsupported") {
            Self::Unsupported { path: path.to_owned(), reason }
        } else {
            Self::Library { action: "open the git repository", message: reason }
        }
    }
}
