// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why two clones could not be brought together.

use thiserror::Error;

use super::{super::VaultError, Unmerged, Way};
use crate::git::GitError;

/// Why clones do not come together.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The store, or git, refused.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// git could not be asked.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Something was begun before and waits for an end.
    #[error("a {what} is under way in this work tree")]
    Unfinished {
        /// git's word for it.
        what: &'static str,
    },
    /// A `sync` was killed while git was at work for it.
    #[error("a sync was interrupted in the midst of git's {what}")]
    Killed {
        /// git's word for it.
        what: &'static str,
    },
    /// There is no branch to be shared.
    #[error("HEAD is detached: no branch is checked out")]
    Detached,
    /// Nobody knows where the others have it.
    #[error("the branch {branch} has no upstream")]
    NoUpstream {
        /// The branch.
        branch: String,
    },
    /// Work that no commit has.
    #[error("the work tree has changes that are not committed")]
    Dirty {
        /// The files, from the top of the work tree.
        paths: Vec<String>,
    },
    /// Files that no commit of this clone has, where the others, or a commit that is
    /// put on top of theirs, have one.
    #[error("files that are not committed stand where git has to write others")]
    InTheWay {
        /// The files, from the top of the work tree.
        paths: Vec<String>,
    },
    /// The remote cannot be reached, or does not let in.
    #[error("cannot fetch from {remote}: {message}")]
    Fetch {
        /// The remote.
        remote: String,
        /// git's words.
        message: String,
    },
    /// Both sides have changed what nobody can put together but a person. git
    /// waits for him.
    #[error("{} to be decided by somebody", if paths.len() == 1 { "a file has" } else { "files have" })]
    Conflict {
        /// What is under way.
        way: Way,
        /// The files.
        paths: Vec<Unmerged>,
        /// The words of git and of the merge driver.
        message: String,
    },
    /// git did not put the commits on top of the others'.
    #[error("the commits of this clone could not be put on top of the others': {message}")]
    Rebase {
        /// git's words.
        message: String,
    },
    /// Files that this clone had committed are in no commit after the join. The
    /// branch was put back.
    #[error("git left out files that this clone has committed; the branch is where it was")]
    Lost {
        /// The files, from the top of the work tree.
        paths: Vec<String>,
    },
    /// As [`SyncError::Lost`], when somebody has ended what an earlier run had begun.
    #[error("since an interrupted sync the branch lacks files that this clone had committed")]
    LostBefore {
        /// The commit that the branch was at.
        before: String,
        /// The files, from the top of the work tree.
        paths: Vec<String>,
    },
    /// The branch could not be put back.
    #[error("git cannot put the branch back to {before}: {message}")]
    Stuck {
        /// The commit that it was at.
        before: String,
        /// git's words.
        message: String,
    },
    /// The remote does not take it, and would not the next time either.
    #[error("{remote} does not take the commits: {message}")]
    Rejected {
        /// The remote.
        remote: String,
        /// git's words.
        message: String,
    },
}
