// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commits that changes end in: what a caller says of them.

pub(crate) mod draft;
pub(crate) mod land;

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
};

use certkeep_pki::change::Contents;
use thiserror::Error;

pub use crate::git::GitError;
use crate::{event::Event, git::Repository};

/// Decides what git is to keep of a file, and what the work tree is to hold.
pub trait Sealer: Send + Sync {
    /// The two forms of a file that is about to be written, moved or copied to
    /// `path`, which is relative to the top of the work tree. `contents` is
    /// what was decided, or what stands in the work tree; `previous` is what
    /// git keeps of that file so far. Equal input gives equal output, or git
    /// would see changes where there are none.
    ///
    /// # Errors
    ///
    /// [`SealRefusal`] when the file must be sealed and cannot be.
    fn stored(&self, path: &str, contents: &Contents, previous: Option<&[u8]>)
    -> Result<Stored, SealRefusal>;
}

/// The two forms of a file.
#[derive(Debug)]
pub struct Stored {
    /// For the work tree.
    pub work_tree: Contents,
    /// For git: anybody may read it.
    pub blob: Vec<u8>,
}

/// Why a file is not given to git.
#[derive(Debug, Error)]
#[error("{path} cannot be sealed for git")]
pub struct SealRefusal {
    /// The file, relative to the top of the work tree.
    pub path: String,
    /// What is missing.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

/// The message of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its first line.
    pub subject: String,
    /// Its last lines, such as `Certkeep-Serial: 0A`: names and values.
    pub trailers: Vec<(String, String)>,
    /// What the operation did, for the journal of the store; whoever commits is its actor.
    pub event: Option<Event>,
}

impl Message {
    /// A message without trailers.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), trailers: Vec::new(), event: None }
    }

    /// The same with an event.
    #[must_use]
    pub fn with_event(self, event: Event) -> Self {
        Self { event: Some(event), ..self }
    }

    /// The file of the event, if there is one: by whom is for git to say.
    pub(crate) fn event_file(&self, repository: &Repository) -> Option<(String, Vec<u8>)> {
        let actor = || repository.identity().map_or_else(|_| "unknown".to_owned(), |who| who.author());
        self.event.as_ref().map(|event| Event { actor: actor(), ..event.clone() }.to_file())
    }

    /// Adds a trailer.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.trailers.push((name.into(), value.into()));
        self
    }
}

/// The message as git keeps it. Values may be foreign text: a line break in
/// one does not become a trailer of its own.
impl fmt::Display for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |text: &str| text.replace(char::is_control, " ");
        writeln!(formatter, "{}", line(&self.subject).trim())?;
        for (number, (name, value)) in self.trailers.iter().enumerate() {
            let separator = if number == 0 { "\n" } else { "" };
            writeln!(formatter, "{separator}{}: {}", line(name), line(value).trim())?;
        }
        Ok(())
    }
}

/// A commit that was made and did not become part of HEAD: it would have undone
/// what somebody else had committed meanwhile. Its files are in the work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAway {
    /// The commit, in hexadecimal digits.
    pub commit: String,
    /// What somebody else has committed, relative to the top of the work tree.
    pub paths: Vec<String>,
}

/// Where the changes of a PKI are committed.
pub struct History {
    /// Opened anew for each change: a handle of libgit2's is for one thread.
    work_tree: PathBuf,
    pub(crate) sealer: Box<dyn Sealer>,
    /// Whether a change ends in a commit.
    pub(crate) commits: bool,
}

impl fmt::Debug for History {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("History").field(&self.work_tree).finish()
    }
}

impl History {
    /// The history of the repository that `directory` lies in; `None` if there
    /// is none, or only one without a work tree.
    ///
    /// # Errors
    ///
    /// [`GitError::Foreign`] and [`GitError::Unsupported`] for repositories
    /// that must not or cannot be read.
    pub fn of(directory: &Path, sealer: Box<dyn Sealer>) -> Result<Option<Self>, GitError> {
        let found = Repository::discover(directory)?;
        Ok(found.map(|repository| Self {
            work_tree: repository.work_tree().to_owned(),
            sealer,
            commits: true,
        }))
    }

    /// The same without commits: files are sealed as ever, and whoever uses git
    /// commits them.
    #[must_use]
    pub fn without_commits(self) -> Self {
        Self { commits: false, ..self }
    }

    pub(crate) fn repository(&self) -> Result<Repository, GitError> {
        Repository::discover(&self.work_tree)?.ok_or_else(|| GitError::Outside {
            path: self.work_tree.clone(),
            work_tree: self.work_tree.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
