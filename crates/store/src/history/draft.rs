// SPDX-License-Identifier: MIT OR Apache-2.0
//! A commit that is being put together. Its objects are written before the
//! transaction is committed, and nothing refers to them until it is.

use std::path::{Path, PathBuf};

use certkeep_pki::change::Contents;

use super::{GitError, History, Message, Stored};
use crate::{
    git::{FILE_MODE, Head, Identity, Oid, Repository, TreeChange},
    transaction::RecordError,
};

/// A commit on top of HEAD.
pub(crate) struct Draft {
    repository: Repository,
    /// Not asked for where nothing is committed.
    who: Option<Identity>,
    changes: Vec<TreeChange>,
    /// Where HEAD was when the changes were decided; `None` is now.
    since: Option<Head>,
    /// Parents beside HEAD.
    also: Vec<Oid>,
}

impl Draft {
    /// Nothing is written yet. Whoever has no name finds out here, unless
    /// nothing is to be committed.
    pub(crate) fn new(repository: &Repository, commits: bool) -> Result<Self, GitError> {
        let who = commits.then(|| repository.identity()).transpose()?;
        Ok(Self { repository: repository.reopen()?, who, changes: Vec::new(), since: None, also: Vec::new() })
    }

    /// The same for changes that were decided when HEAD was there.
    pub(crate) fn since(self, head: Option<Head>) -> Self {
        Self { since: head, ..self }
    }

    /// The same as a merge that takes no file from these commits.
    pub(crate) fn also(self, also: &[Oid]) -> Self {
        Self { also: also.to_vec(), ..self }
    }

    /// Makes what is written from now on durable; `scratch` is a directory for
    /// a moment's file.
    pub(crate) fn begin(&mut self, scratch: &Path) -> Result<(), GitError> {
        self.repository = self.repository.durable(scratch)?;
        Ok(())
    }

    /// What git keeps of a path so far: in HEAD, or at least in the index.
    pub(crate) fn previous(&self, path: &[u8]) -> Result<Option<Vec<u8>>, GitError> {
        match self.repository.head_entry(path)? {
            Some(entry) => Some(entry.oid),
            None => self.repository.index_entry(path)?.map(|entry| entry.oid),
        }
        .map(|oid| self.repository.blob(oid))
        .transpose()
    }

    /// The file `path` becomes this blob.
    pub(crate) fn set(&mut self, path: Vec<u8>, blob: &[u8]) -> Result<(), GitError> {
        let mode = match self.repository.head_entry(&path)? {
            Some(entry) => entry.is_file().then_some(entry.mode),
            None => self.repository.index_entry(&path)?.map(|entry| entry.mode),
        };
        let oid = self.repository.write_blob(blob)?;
        self.changes.push(TreeChange { path, entry: Some((oid, mode.unwrap_or(FILE_MODE))) });
        Ok(())
    }

    /// Whether anything is different from HEAD so far.
    fn differs(&self) -> Result<bool, GitError> {
        for TreeChange { path, entry } in &self.changes {
            let before = self.repository.head_entry(path)?.map(|before| (before.oid, before.mode));
            if before != *entry {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The file `path` goes away.
    pub(crate) fn remove(&mut self, path: Vec<u8>) {
        self.changes.push(TreeChange { path, entry: None });
    }

    /// Writes the commit; `None` when nothing is different from HEAD, and where
    /// nothing is committed. Refused if a commit of somebody else would be undone.
    pub(crate) fn finish(self, message: &Message) -> Result<Option<String>, GitError> {
        let Some(who) = &self.who else { return Ok(None) };
        let head = self.repository.head_commit()?;
        if let Some(since) = &self.since {
            let paths = self.repository.moved(since.commit, head, &self.changes)?;
            if !paths.is_empty() {
                return Err(GitError::Moved { paths });
            }
        }
        let commit =
            self.repository.write_commit(head, &self.also, &self.changes, who, &message.to_string())?;
        Ok(commit.map(|commit| commit.to_string()))
    }
}

/// The part of a commit that the files of a PKI make.
pub(crate) struct PkiDraft<'a> {
    draft: Draft,
    history: &'a History,
    message: &'a Message,
    /// The PKI directory in the repository, with a slash behind it.
    prefix: String,
}

impl<'a> PkiDraft<'a> {
    pub(crate) fn new(root: &Path, history: &'a History, message: &'a Message) -> Result<Self, GitError> {
        let repository = history.repository()?;
        let mut prefix = repository.relative(root)?;
        if !prefix.is_empty() {
            prefix.push('/');
        }
        Ok(Self { draft: Draft::new(&repository, history.commits)?, history, message, prefix })
    }

    /// As [`Draft::since`].
    pub(crate) fn since(self, head: Option<Head>) -> Self {
        Self { draft: self.draft.since(head), ..self }
    }

    pub(crate) fn begin(&mut self, scratch: &Path) -> Result<(), GitError> {
        self.draft.begin(scratch)
    }

    /// The file at `relative`, with what the work tree is to hold. `from` is
    /// where it comes from: what git keeps of it is found under that name.
    pub(crate) fn stored(
        &mut self,
        from: &str,
        relative: &str,
        contents: &Contents,
    ) -> Result<Contents, RecordError> {
        let path = format!("{}{relative}", self.prefix);
        let previous = self.draft.previous(format!("{}{from}", self.prefix).as_bytes())?;
        let Stored { work_tree, blob } = self.history.sealer.stored(&path, contents, previous.as_deref())?;
        self.draft.set(path.into_bytes(), &blob)?;
        Ok(work_tree)
    }

    pub(crate) fn remove(&mut self, relative: &str) {
        self.draft.remove(format!("{}{relative}", self.prefix).into_bytes());
    }

    /// The file of the event, from the top of the work tree, and that top; `None`
    /// where there is no event, or nothing has changed. The commit has it then.
    pub(crate) fn event(&mut self) -> Result<Option<(PathBuf, String, Vec<u8>)>, GitError> {
        if !self.draft.differs()? {
            return Ok(None);
        }
        let repository = self.history.repository()?;
        let Some((path, text)) = self.message.event_file(&repository) else { return Ok(None) };
        self.draft.set(path.clone().into_bytes(), &text)?;
        Ok(Some((repository.work_tree().to_owned(), path, text)))
    }

    pub(crate) fn finish(self) -> Result<Option<String>, GitError> {
        self.draft.finish(self.message)
    }
}
