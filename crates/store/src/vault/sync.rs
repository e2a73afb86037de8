// SPDX-License-Identifier: MIT OR Apache-2.0
//! What two clones of a store do to have the same: fetch, put one's own commits on
//! top, push. Each step by itself: who calls them looks at what came of it before
//! the next one.

mod anew;
mod error;
mod join;
mod lost;
mod opening;

use std::collections::HashSet;

pub use self::{
    anew::Anew,
    error::SyncError,
    join::{Unseen, Way},
};
use super::{Vault, VaultError};
use crate::driver;
pub use crate::git::Unmerged;

/// The branch that is shared, here and where the others have it.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The branch that is checked out, such as `main`.
    pub branch: String,
    /// The remote, such as `origin`.
    pub remote: String,
    /// The branch there, such as `refs/heads/main`.
    pub theirs: String,
    /// What is known here of the branch there, such as `refs/remotes/origin/main`.
    tracking: String,
}

/// How far two branches are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apart {
    /// Commits that only this clone has.
    pub ahead: usize,
    /// Commits that only the others have.
    pub behind: usize,
}

/// What came of putting the own commits on top of the others'.
#[derive(Debug)]
pub struct Joined {
    /// The commit that the branch was at; empty if it had none.
    pub before: String,
    /// Files that are not what they were before, from the top of the work tree.
    pub changed: Vec<String>,
    /// What the merge driver had to say.
    pub warnings: Vec<String>,
}

/// A rebase, merge, cherry-pick or revert that waits for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Midway {
    /// git's word for it.
    pub what: &'static str,
    /// Whether `sync` has begun it.
    pub of_sync: bool,
}

/// What came of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The others can have it.
    Done,
    /// Somebody else was first: there is more to fetch.
    TooLate,
}

impl Vault {
    /// Tells git to call certkeep as this version wants it; whether it was told
    /// something new. `program` is how git is to call us.
    ///
    /// # Errors
    ///
    /// git's configuration cannot be written.
    pub fn install_driver(&self, program: &str) -> Result<bool, VaultError> {
        let complete = driver::is_complete(&self.repository, program)?;
        driver::install(&self.repository, &self.rules, program)?;
        Ok(!complete)
    }

    /// The branch that is shared, if nothing stands against sharing it now.
    ///
    /// # Errors
    ///
    /// What stands against it.
    pub fn upstream(&self) -> Result<Upstream, SyncError> {
        let repository = &self.repository;
        if let Some(what) = repository.unfinished() {
            return Err(match self.unseen()? {
                Some(Unseen { killed: true, .. }) => SyncError::Killed { what },
                _ => SyncError::Unfinished { what },
            });
        }
        let head = repository.head()?;
        let branch = head.name.strip_prefix("refs/heads/").ok_or(SyncError::Detached)?.to_owned();
        let of_branch = |name: &str| repository.config(&format!("branch.{branch}.{name}"));
        let (Some(remote), Some(theirs)) = (of_branch("remote")?, of_branch("merge")?) else {
            return Err(SyncError::NoUpstream { branch });
        };
        let format = "--format=%(upstream)";
        let told = repository.git(&["for-each-ref", format, &format!("refs/heads/{branch}")], &[])?;
        let tracking = String::from_utf8_lossy(&told).trim().to_owned();
        if tracking.is_empty() {
            return Err(SyncError::NoUpstream { branch });
        }
        self.refuse_dirty()?;
        Ok(Upstream { branch, remote, theirs, tracking })
    }

    /// What git is in the midst of in this work tree, where a commit of somebody else's would go
    /// with it when it is given up, or be taken for what it decides.
    #[must_use]
    pub fn midway(&self) -> Option<Midway> {
        let what = self.repository.unfinished().filter(|&what| what != "bisect")?;
        Some(Midway { what, of_sync: self.is_half_synced() })
    }

    /// Whether what is under way in this work tree was begun by `sync`.
    pub(super) fn is_half_synced(&self) -> bool {
        self.repository.unfinished().is_some() && matches!(self.named(join::BEFORE), Ok(Some(_)))
    }

    fn refuse_dirty(&self) -> Result<(), SyncError> {
        let told = self
            .repository
            .git(&["status", "--porcelain", "-z", "--untracked-files=no", "--no-renames"], &[])?;
        let paths: Vec<String> = told
            .split(|&byte| byte == 0)
            .filter_map(|line| line.get(3..))
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        if paths.is_empty() { Ok(()) } else { Err(SyncError::Dirty { paths }) }
    }

    /// Gets what the others have.
    ///
    /// # Errors
    ///
    /// [`SyncError::Fetch`].
    pub fn fetch(&self, upstream: &Upstream) -> Result<(), SyncError> {
        let Upstream { remote, .. } = upstream;
        let spoken = self.repository.speak(&["fetch", "--quiet", "--no-auto-gc", "--", remote])?;
        if spoken.done {
            return Ok(());
        }
        Err(SyncError::Fetch { remote: remote.clone(), message: spoken.message })
    }

    /// How far this clone and what was fetched last are apart.
    ///
    /// # Errors
    ///
    /// git cannot tell.
    pub fn apart(&self, upstream: &Upstream) -> Result<Apart, SyncError> {
        let count = |words: &[&str]| -> Result<Vec<usize>, SyncError> {
            let told = self.repository.git(&[&["rev-list", "--count"], words].concat(), &[])?;
            let told = String::from_utf8_lossy(&told).into_owned();
            Ok(told.split_whitespace().map(|count| count.parse().unwrap_or_default()).collect())
        };
        if self.repository.head_commit()?.is_none() {
            return Ok(Apart { ahead: 0, behind: 0 });
        }
        let counts = if self.repository.has_reference(&upstream.tracking)? {
            count(&["--left-right", &format!("HEAD...{}", upstream.tracking)])?
        } else {
            // The remote is empty yet.
            count(&["HEAD"])?
        };
        let of = |at: usize| counts.get(at).copied().unwrap_or_default();
        Ok(Apart { ahead: of(0), behind: of(1) })
    }

    /// The files, from the top of the work tree, that a push would change for the others.
    ///
    /// # Errors
    ///
    /// git cannot tell.
    pub fn to_push(&self, upstream: &Upstream) -> Result<Vec<String>, SyncError> {
        if !self.repository.has_reference(&upstream.tracking)? {
            return Ok(Vec::new());
        }
        self.changed_between(&upstream.tracking, "HEAD")
    }

    /// What is known here of the others' branch, if they have one: the name of a commit.
    #[must_use]
    pub fn theirs(&self, upstream: &Upstream) -> Option<String> {
        self.repository.commit_named(&upstream.tracking).map(|commit| commit.to_string())
    }

    /// What a commit holds at a path.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn bytes_at(&self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, SyncError> {
        let Some(commit) = self.repository.commit_named(commit) else { return Ok(None) };
        let entry = self.repository.entry(commit, path)?.filter(|entry| entry.is_file());
        Ok(entry.map(|entry| self.repository.blob(entry.oid)).transpose()?)
    }

    /// The files of a commit, from the top; none of what is no commit.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn files_at(&self, commit: &str) -> Result<HashSet<String>, SyncError> {
        let Some(commit) = self.repository.commit_named(commit) else { return Ok(HashSet::new()) };
        let entries = self.repository.entries(commit)?.into_iter();
        Ok(entries.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect())
    }

    fn changed_between(&self, one: &str, other: &str) -> Result<Vec<String>, SyncError> {
        let words = ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", one, other, "--"];
        Ok(join::names(&self.repository.git(&words, &[])?))
    }

    /// Gives the others what this clone has.
    ///
    /// # Errors
    ///
    /// [`SyncError::Rejected`].
    pub fn push(&self, upstream: &Upstream) -> Result<Pushed, SyncError> {
        let Some(head) = self.repository.head_commit()? else { return Ok(Pushed::Done) };
        // This commit and no later one, which another command may make meanwhile.
        let refspec = format!("{head}:{}", upstream.theirs);
        let offers = self.offers()?;
        let spoken = self.repository.speak(&["push", "--porcelain", "--", &upstream.remote, &refspec])?;
        if spoken.done {
            return Ok(Pushed::Done);
        }
        let told = String::from_utf8_lossy(&spoken.output).into_owned();
        let rejection = told.lines().find_map(|line| line.strip_prefix("!\t")?.split('\t').nth(1));
        if rejection.is_some() {
            self.take_back_offers(offers)?;
        }
        if rejection.is_some_and(is_race) || is_race(&spoken.message) {
            return Ok(Pushed::TooLate);
        }
        let message = if spoken.message.is_empty() { rejection.unwrap_or_default() } else { &spoken.message };
        Err(SyncError::Rejected { remote: upstream.remote.clone(), message: message.to_owned() })
    }
}

/// Whether a push was refused because somebody else has just pushed: git's own
/// words here, and those of a server whose reference moved under the push.
fn is_race(words: &str) -> bool {
    const WORDS: [&str; 7] = [
        "(fetch first)",
        "(non-fast-forward)",
        "(stale info)",
        "(failed to update ref)",
        "(cannot lock ref",
        "(incorrect old value provided)",
        "(reference already exists)",
    ];
    WORDS.iter().any(|word| words.contains(word))
}
