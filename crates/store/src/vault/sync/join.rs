// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commits of this clone and those of the others become one branch, or the
//! branch is where it was.
//!
//! While git is at it two references say where the branch was and what it is put
//! on, so that whoever comes after an interrupted run knows. Neither is pushed.

use std::collections::{BTreeSet, HashSet};

use super::{Apart, Joined, SyncError, Upstream, opening::Opening};
use crate::{
    git::Spoken,
    vault::{Vault, VaultError},
};

/// Where the branch was; until somebody has looked at what came of the join.
pub(super) const BEFORE: &str = "refs/worktree/certkeep/before";
/// What it is put on; only while git is at work.
const ONTO: &str = "refs/worktree/certkeep/onto";

/// How often it is begun when git takes a file for changed that it has just written.
const TRIES: usize = 3;

/// How two branches become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// git's `rebase`: the own commits one by one on top of the others'.
    Rebase,
    /// git's `merge`, where the own commits are merges already: a rebase would leave
    /// out what was decided in them.
    Merge,
}

/// A join that an earlier run has begun, and whose outcome nobody has looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The commit that the branch was at.
    pub before: String,
    /// Whether git was killed at it.
    pub killed: bool,
}

impl Vault {
    /// Puts the commits of this clone on top of what was fetched. What is written
    /// for it nobody else can read before it is known to be public.
    ///
    /// # Errors
    ///
    /// [`SyncError::Conflict`], with the rebase or merge under way; anything else
    /// leaves the branch where it was.
    pub fn join(&self, upstream: &Upstream, apart: Apart) -> Result<Joined, SyncError> {
        self.refuse_dirty()?;
        self.join_within(upstream, apart, TRIES)
    }

    /// Nothing was changed here before it began. Yet git, which has just checked a file out,
    /// may take it for changed while the rules of another epoch are in the work tree: it has the
    /// file sealed again to compare whatever is as young as its index. Then it is begun again.
    fn join_within(&self, upstream: &Upstream, apart: Apart, tries: usize) -> Result<Joined, SyncError> {
        let before = self.repository.head_commit()?.map(|commit| commit.to_string()).unwrap_or_default();
        let onto = self.named(&upstream.tracking)?.unwrap_or_default();
        let way =
            if self.count(&["--merges", &format!("{onto}..HEAD")])? > 0 { Way::Merge } else { Way::Rebase };
        let quiet = ["-c", "advice.mergeConflict=false"];
        let words: &[&str] = match way {
            _ if apart.ahead == 0 => &["merge", "--quiet", "--ff-only", &onto],
            Way::Merge => &["merge", "--quiet", "--no-edit", "--no-autostash", &onto],
            Way::Rebase => &["rebase", "--quiet", "--no-autostash", "--no-autosquash", &onto],
        };
        if !before.is_empty() {
            // git would stop there in the midst of it, and nobody could tell whose they are.
            let written = self.written_for(&before, &onto)?;
            let paths: Vec<_> = self.untracked()?.into_iter().filter(|path| written.contains(path)).collect();
            if !paths.is_empty() {
                return Err(SyncError::InTheWay { paths });
            }
            let both = format!("update {BEFORE} {before}\nupdate {ONTO} {onto}\n");
            self.repository.git(&["update-ref", "--stdin"], both.as_bytes())?;
        }
        let (spoken, changed) = self.closed(&before, &onto, &[&quiet[..], words].concat())?;
        if !spoken.done {
            let paths = self.repository.unmerged()?;
            if paths.is_empty() || spoken.killed || self.repository.unfinished().is_none() {
                self.put_back(&upstream.branch, &before)?;
                if tries > 1 && !spoken.killed && spoken.message.contains("would be overwritten by") {
                    return self.join_within(upstream, apart, tries - 1);
                }
                return Err(SyncError::Rebase { message: spoken.message });
            }
            self.forget(ONTO)?;
            return Err(SyncError::Conflict { way, paths, message: spoken.message });
        }
        self.forget(ONTO)?;
        let lost = self.left_out(&before, &onto)?;
        if !lost.is_empty() {
            self.put_back(&upstream.branch, &before)?;
            return Err(SyncError::Lost { paths: lost });
        }
        let warnings = spoken.message.lines().filter_map(|line| line.strip_prefix("warning: "));
        let mut warnings: Vec<String> = warnings.map(str::to_owned).collect();
        warnings.dedup();
        Ok(Joined { before, changed, warnings })
    }

    /// What an earlier run has begun and somebody, or git, has ended since without
    /// anybody looking at it. What was taken back is forgotten.
    ///
    /// # Errors
    ///
    /// git cannot tell; [`SyncError::Lost`], if files of this clone have gone on the way.
    pub fn unseen(&self) -> Result<Option<Unseen>, SyncError> {
        let Some(before) = self.named(BEFORE)? else { return Ok(None) };
        let onto = self.named(ONTO)?;
        if self.repository.unfinished().is_some() {
            return Ok(Some(Unseen { before, killed: onto.is_some() }));
        }
        let is_in = self.repository.speak(&["merge-base", "--is-ancestor", &before, "HEAD"])?.done;
        if !is_in && !self.was_rebased(&before)? {
            self.settled()?;
            return Ok(None);
        }
        if let Some(onto) = onto {
            let paths = self.left_out(&before, &onto)?;
            if !paths.is_empty() {
                return Err(SyncError::LostBefore { before, paths });
            }
        }
        Ok(Some(Unseen { before, killed: false }))
    }

    /// Whether the branch was rebased from this commit, by its own log.
    fn was_rebased(&self, before: &str) -> Result<bool, SyncError> {
        let Some(head) = self.repository.head()?.name.strip_prefix("refs/heads/").map(str::to_owned) else {
            return Ok(false);
        };
        let words = ["reflog", "show", "--format=%H %gs", &head, "--"];
        let told = self.repository.speak(&words)?;
        let told = String::from_utf8_lossy(&told.output).into_owned();
        let lines: Vec<&str> = told.lines().collect();
        Ok(lines.windows(2).any(|pair| {
            let [after, earlier] = pair else { return false };
            let done = after
                .split_once(' ')
                .is_some_and(|(_, said)| said.starts_with("rebase") && said.contains("finish"));
            done && earlier.starts_with(before)
        }))
    }

    /// Somebody has looked at what came of a join, and it is well.
    ///
    /// # Errors
    ///
    /// The references cannot be removed.
    pub fn settled(&self) -> Result<(), SyncError> {
        let both = format!("delete {ONTO}\ndelete {BEFORE}\n");
        self.repository.git(&["update-ref", "--stdin"], both.as_bytes())?;
        Ok(())
    }

    /// Gives up what an earlier run has begun: the branch and the work tree are what
    /// they were before it. Whether there was anything to give up.
    ///
    /// # Errors
    ///
    /// git cannot put it back.
    pub fn give_up(&self) -> Result<bool, SyncError> {
        let Some(before) = self.named(BEFORE)? else { return Ok(false) };
        let Some(branch) = self.branch_under_way()? else { return Ok(false) };
        self.put_back(&branch, &before)?;
        Ok(true)
    }

    /// The branch that a rebase is about, or that is checked out in a merge.
    fn branch_under_way(&self) -> Result<Option<String>, SyncError> {
        if self.repository.unfinished().is_none() {
            return Ok(None);
        }
        let rebased = self.repository.rebased_branch();
        let name = rebased.map_or_else(|| self.repository.head().map(|head| head.name), Ok)?;
        Ok(name.strip_prefix("refs/heads/").map(str::to_owned))
    }

    /// Brings the branch back to where it was, whatever git was in the midst of.
    ///
    /// # Errors
    ///
    /// git cannot.
    pub fn put_back(&self, branch: &str, before: &str) -> Result<(), SyncError> {
        let onto = self.named(ONTO)?.unwrap_or_else(|| "HEAD".to_owned());
        let onto = self.named(&onto)?.unwrap_or_default();
        let midway = self.repository.unfinished();
        let reset = if midway.is_some() { "--hard" } else { "--keep" };
        if midway == Some("rebase") {
            self.must(&["rebase", "--quit"])?;
            self.must(&[
                "symbolic-ref",
                "-m",
                "certkeep sync: put back",
                "HEAD",
                &format!("refs/heads/{branch}"),
            ])?;
        }
        drop(self.repository.speak(&["update-index", "-q", "--refresh"])?);
        let (spoken, _) = self.closed(before, &onto, &["reset", "--quiet", reset, before])?;
        if !spoken.done {
            return Err(SyncError::Stuck { before: before.to_owned(), message: spoken.message });
        }
        if midway.is_some() {
            self.sweep(before, &onto)?;
        }
        self.settled()
    }

    /// Removes what a git that was killed left lying: files of commits that are not
    /// checked out. Nothing was begun, had anybody else's file stood there.
    fn sweep(&self, before: &str, onto: &str) -> Result<(), SyncError> {
        let theirs = self.written_for(before, onto)?;
        for path in self.untracked()? {
            if theirs.contains(&path) || path.starts_with(".merge_file_") {
                let path = self.repository.file_path(path.as_bytes());
                crate::durable::remove_if_present(&path).map_err(VaultError::from)?;
            }
        }
        Ok(())
    }

    /// The paths that git may write to while it puts one commit on another.
    fn written_for(&self, before: &str, onto: &str) -> Result<HashSet<String>, SyncError> {
        let mut paths = self.files_at(onto)?;
        let range = format!("{onto}..{before}");
        let words = ["log", "--format=", "--name-only", "-z", "--no-renames", "-m", &range, "--"];
        paths.extend(names(&self.repository.git(&words, &[])?));
        Ok(paths)
    }

    /// Files of the work tree that the index does not have.
    fn untracked(&self) -> Result<Vec<String>, SyncError> {
        Ok(names(&self.repository.git(&["ls-files", "--others", "-z", "--full-name", ":/"], &[])?))
    }

    /// Runs git so that what it writes is closed to others until it is known to be
    /// public. With what git said, the files that `HEAD` has otherwise than `before`.
    fn closed(&self, before: &str, onto: &str, words: &[&str]) -> Result<(Spoken, Vec<String>), SyncError> {
        let mut touched = BTreeSet::new();
        if !before.is_empty() && !onto.is_empty() {
            touched.extend(self.changed_between(before, onto)?);
        }
        let opening = Opening::prepare(self, touched)?;
        // Who signs may have to ask at the terminal, which only its own group can.
        let asks = self.repository.config_flag("commit.gpgSign")? == Some(true);
        let spoken = opening.umask(|| self.repository.speak_apart(words, !asks));
        let spoken = spoken?;
        let changed = if before.is_empty() { Vec::new() } else { self.changed_between(before, "HEAD")? };
        opening.finish(self, &changed)?;
        // A file whose mode was set is a changed one to git until it has looked again,
        // and `reset --keep` does not look.
        drop(self.repository.speak(&["update-index", "-q", "--refresh"])?);
        Ok((spoken, changed))
    }

    fn must(&self, words: &[&str]) -> Result<(), SyncError> {
        self.repository.git(words, &[]).map(drop).map_err(SyncError::from)
    }

    fn forget(&self, reference: &str) -> Result<(), SyncError> {
        self.must(&["update-ref", "-d", reference])
    }

    /// The commit that a name means, as git itself knows names.
    pub(super) fn named(&self, name: &str) -> Result<Option<String>, SyncError> {
        let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")];
        let spoken = self.repository.speak(&words)?;
        Ok(spoken.done.then(|| String::from_utf8_lossy(&spoken.output).trim().to_owned()))
    }

    fn count(&self, words: &[&str]) -> Result<usize, SyncError> {
        let told = self.repository.git(&[&["rev-list", "--count"], words].concat(), &[])?;
        Ok(String::from_utf8_lossy(&told).trim().parse().unwrap_or_default())
    }
}

pub(super) fn names(told: &[u8]) -> Vec<String> {
    let paths = told.split(|&byte| byte == 0).map(|path| path.strip_prefix(b"\n").unwrap_or(path));
    paths.filter(|path| !path.is_empty()).map(|path| String::from_utf8_lossy(path).into_owned()).collect()
}
