// SPDX-License-Identifier: MIT OR Apache-2.0
//! New trees and commits. Nothing refers to them yet: that is for whoever
//! moves HEAD.

use std::{fs, path::Path};

use git2::{ConfigLevel, Delta, ErrorCode, FileMode, ObjectType, Signature, Time, build::TreeUpdateBuilder};

use super::{FILE_MODE, GitError, Oid, Repository, as_path};
use crate::durable::{FileError, remove_if_present, sync_directory};

/// Who a commit is by, and when.
pub(crate) struct Identity {
    author: Signature<'static>,
    committer: Signature<'static>,
}

impl Identity {
    /// `Name <address>` of the author.
    pub(crate) fn author(&self) -> String {
        let text = String::from_utf8_lossy;
        format!("{} <{}>", text(self.author.name_bytes()), text(self.author.email_bytes()))
    }
}

/// What a commit makes of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeChange {
    /// From the top of the work tree, with slashes; not always UTF-8.
    pub(crate) path: Vec<u8>,
    /// Its blob and mode; `None` is no file.
    pub(crate) entry: Option<(Oid, u32)>,
}

impl Repository {
    /// Who commits, from the configuration and git's variables in the environment.
    pub(crate) fn identity(&self) -> Result<Identity, GitError> {
        let unknown = |error: git2::Error| match error.code() {
            ErrorCode::NotFound => GitError::NoIdentity,
            _ => GitError::library("tell who commits")(error),
        };
        // libgit2 knows of `user.*` alone.
        let author = match self.named("author")? {
            Some(author) => author,
            None => self.inner.author_from_env().map_err(unknown)?,
        };
        let committer = match self.named("committer")? {
            Some(committer) => committer,
            None => self.inner.committer_from_env().map_err(unknown)?,
        };
        if [&author, &committer].iter().any(|who| who.name_bytes().is_empty()) {
            return Err(GitError::NoIdentity);
        }
        Ok(Identity { author, committer })
    }

    /// Who a commit is by in the role of `author` or `committer`, as git itself
    /// says, if the configuration has a name or an address for that role alone.
    fn named(&self, role: &str) -> Result<Option<Signature<'static>>, GitError> {
        if self.config(&format!("{role}.name"))?.is_none() && self.config(&format!("{role}.email"))?.is_none()
        {
            return Ok(None);
        }
        let said = self.git(&["var", &format!("GIT_{}_IDENT", role.to_uppercase())], &[]);
        let said = said.map_err(|error| match error {
            GitError::Program { .. } => GitError::NoIdentity,
            other => other,
        })?;
        signature(&String::from_utf8_lossy(&said)).map(Some).ok_or(GitError::NoIdentity)
    }

    /// The same repository, whose new objects are on the disk when the call
    /// that writes them returns. `scratch` is a directory for a moment's file:
    /// libgit2 takes this setting from a configuration only, and only before
    /// the first object is touched.
    pub(crate) fn durable(&self, scratch: &Path) -> Result<Self, GitError> {
        let path = scratch.join("git-config");
        fs::write(&path, "[core]\n\tfsyncObjectFiles = true\n").map_err(FileError::new("write", &path))?;
        let repository = self.reopen()?;
        let set = repository.inner.config().and_then(|mut config| {
            config.add_file(&path, ConfigLevel::App, false)?;
            repository.inner.odb()
        });
        remove_if_present(&path)?;
        set.map_err(GitError::library("open the object database"))?;
        Ok(repository)
    }

    /// Writes a commit of the tree of `parent` with some changes; `None` when
    /// they change nothing. Signed by git if the user wants that of every commit.
    pub(crate) fn write_commit(
        &self,
        parent: Option<Oid>,
        also: &[Oid],
        changes: &[TreeChange],
        who: &Identity,
        message: &str,
    ) -> Result<Option<Oid>, GitError> {
        let writing = || GitError::library("write a commit");
        let parent = parent.map(|parent| self.inner.find_commit(parent)).transpose().map_err(writing())?;
        let before = match &parent {
            Some(parent) => parent.tree(),
            None => self.inner.treebuilder(None).and_then(|empty| self.inner.find_tree(empty.write()?)),
        };
        let before = before.map_err(writing())?;
        let mut update = TreeUpdateBuilder::new();
        for TreeChange { path, entry } in changes {
            let there = super::absent_is_none(before.get_path(as_path(path))).map_err(writing())?;
            match entry {
                Some((oid, mode)) => {
                    let mode = if *mode == FILE_MODE { FileMode::Blob } else { FileMode::BlobExecutable };
                    update.upsert(path.as_slice(), *oid, mode);
                }
                None if there.is_some() => {
                    update.remove(path.as_slice());
                }
                None => {}
            }
        }
        let tree = update.create_updated(&self.inner, &before).map_err(writing())?;
        if tree == before.id() {
            return Ok(None);
        }
        let commit = if self.config_flag("commit.gpgSign")? == Some(true) {
            let parents: Vec<_> = parent.iter().map(git2::Commit::id).chain(also.iter().copied()).collect();
            self.signed_commit(tree, &parents, who, message)?
        } else {
            let tree = self.inner.find_tree(tree).map_err(writing())?;
            let also: Result<Vec<_>, _> = also.iter().map(|&oid| self.inner.find_commit(oid)).collect();
            let also = also.map_err(writing())?;
            let parents: Vec<_> = parent.iter().chain(&also).collect();
            let commit = self.inner.commit(None, &who.author, &who.committer, message, &tree, &parents);
            commit.map_err(writing())?
        };
        // libgit2 has synced the files and their names, git the files only; and
        // neither the names of new directories.
        let objects = self.common_dir().join("objects");
        let directory = objects.join(commit.to_string().get(..2).unwrap_or_default());
        if directory.is_dir() {
            sync_directory(&directory)?;
        }
        sync_directory(&objects)?;
        Ok(Some(commit))
    }

    fn signed_commit(
        &self,
        tree: Oid,
        parents: &[Oid],
        who: &Identity,
        message: &str,
    ) -> Result<Oid, GitError> {
        let (tree, parents) = (tree.to_string(), parents.iter().map(ToString::to_string).collect::<Vec<_>>());
        let mut arguments = vec!["-c", "core.fsync=loose-object", "commit-tree", "-S", "-F", "-"];
        arguments.extend(parents.iter().flat_map(|parent| ["-p", parent.as_str()]));
        arguments.push(&tree);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let when = |who: &Signature<'_>| format!("@{}", time(who));
        let (author, committer) = (&who.author, &who.committer);
        let environment = [
            ("GIT_AUTHOR_NAME", text(author.name_bytes())),
            ("GIT_AUTHOR_EMAIL", text(author.email_bytes())),
            ("GIT_AUTHOR_DATE", when(author)),
            ("GIT_COMMITTER_NAME", text(committer.name_bytes())),
            ("GIT_COMMITTER_EMAIL", text(committer.email_bytes())),
            ("GIT_COMMITTER_DATE", when(committer)),
        ];
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = self.run_git(&arguments, &environment, message.as_bytes())?;
        let unreadable = || GitError::Program {
            command: "commit-tree".to_owned(),
            message: "its output is not the name of a commit".to_owned(),
        };
        let hex = String::from_utf8(output).map_err(|_| unreadable())?;
        self.oid(hex.trim_end()).ok_or_else(unreadable)
    }

    /// What a commit changed, compared with its parent.
    pub(crate) fn changes_of(&self, commit: Oid) -> Result<Vec<TreeChange>, GitError> {
        let reading = || GitError::library("compare two commits");
        let commit = self.inner.find_commit(commit).map_err(reading())?;
        let parent = commit.parents().next().map(|parent| parent.tree()).transpose().map_err(reading())?;
        let tree = commit.tree().map_err(reading())?;
        let diff = self.inner.diff_tree_to_tree(parent.as_ref(), Some(&tree), None).map_err(reading())?;
        let changes = diff.deltas().filter_map(|delta| {
            let (file, gone) = match delta.status() {
                Delta::Deleted => (delta.old_file(), true),
                _ => (delta.new_file(), false),
            };
            let path = file.path_bytes()?.to_vec();
            let entry = (!gone).then(|| (file.id(), u32::from(file.mode())));
            Some(TreeChange { path, entry })
        });
        Ok(changes.collect())
    }

    /// The paths of `changes` that are no longer in `now` what they were in
    /// `before`, and not what the changes make of them either.
    pub(crate) fn moved(
        &self,
        before: Option<Oid>,
        now: Option<Oid>,
        changes: &[TreeChange],
    ) -> Result<Vec<String>, GitError> {
        let mut moved = Vec::new();
        if before == now {
            return Ok(moved);
        }
        let at = |commit: Option<Oid>, path: &[u8]| {
            let entry = commit.map(|commit| self.entry(commit, path)).transpose()?.flatten();
            Ok::<_, GitError>(entry.map(|entry| (entry.oid, entry.mode)))
        };
        for TreeChange { path, entry } in changes {
            let there = at(now, path)?;
            if there != *entry && there != at(before, path)? {
                moved.push(String::from_utf8_lossy(path).into_owned());
            }
        }
        Ok(moved)
    }

    /// Writes a commit that does to `parent` what `commit` did to its own
    /// parent, by the same author; `None` when that changes nothing.
    pub(crate) fn repeat_commit(&self, commit: Oid, parent: Option<Oid>) -> Result<Option<Oid>, GitError> {
        let changes = self.changes_of(commit)?;
        let commit = self.inner.find_commit(commit).map_err(GitError::library("read a commit"))?;
        let who = Identity { author: commit.author().to_owned(), committer: commit.committer().to_owned() };
        let message = String::from_utf8_lossy(commit.message_raw_bytes()).into_owned();
        let also: Vec<_> = commit.parent_ids().skip(1).collect();
        self.write_commit(parent, &also, &changes, &who, &message)
    }

    /// The first parent of a commit.
    pub(crate) fn parent_of(&self, commit: Oid) -> Result<Option<Oid>, GitError> {
        let commit = self.inner.find_commit(commit).map_err(GitError::library("read a commit"))?;
        Ok(commit.parent_ids().next())
    }

    /// Whether `commit` is `ancestor`, or came after it.
    pub(crate) fn contains(&self, commit: Oid, ancestor: Oid) -> Result<bool, GitError> {
        if commit == ancestor {
            return Ok(true);
        }
        self.inner.graph_descendant_of(commit, ancestor).map_err(GitError::library("compare two commits"))
    }

    /// What the reflog says of a commit: `Name <address> seconds +hhmm`, and its subject.
    pub(super) fn committer_and_subject(&self, commit: Oid) -> Result<(String, String), GitError> {
        let commit = self.inner.find_commit(commit).map_err(GitError::library("read a commit"))?;
        let who = commit.committer();
        let text = String::from_utf8_lossy;
        let line = format!("{} <{}> {}", text(who.name_bytes()), text(who.email_bytes()), time(&who));
        let subject = text(commit.summary_bytes().unwrap_or_default()).into_owned();
        Ok((line, subject))
    }

    /// Whether the bytes of an object are those of a commit that is here.
    pub(crate) fn holds_commit(&self, oid: Oid) -> bool {
        let header = self.inner.odb().and_then(|database| database.read_header(oid));
        header.is_ok_and(|(_, kind)| kind == ObjectType::Commit)
    }
}

/// Reads `Name <address> SECONDS +HHMM`.
fn signature(text: &str) -> Option<Signature<'static>> {
    let (name, rest) = text.trim_end().split_once(" <")?;
    let (email, when) = rest.split_once("> ")?;
    let (seconds, offset) = when.split_once(' ')?;
    let (hours, minutes) = offset.trim_start_matches(['+', '-']).split_at_checked(2)?;
    let minutes = hours.parse::<i32>().ok()? * 60 + minutes.parse::<i32>().ok()?;
    let minutes = if offset.starts_with('-') { -minutes } else { minutes };
    Signature::new(name, email, &Time::new(seconds.parse().ok()?, minutes)).ok()
}

/// Seconds and the offset from UTC, as git writes them.
fn time(who: &Signature<'_>) -> String {
    let when = who.when();
    let minutes = when.offset_minutes().unsigned_abs();
    format!("{} {}{:02}{:02}", when.seconds(), when.sign(), minutes / 60, minutes % 60)
}
