// SPDX-License-Identifier: MIT OR Apache-2.0
//! The index: read, and changed for some paths with all others left as they are.
//!
//! It is opened as a file that belongs to no repository: otherwise libgit2
//! would look into the work tree before it writes, without any filter.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use git2::Index;

use super::{
    GitError, Oid, Repository, as_path,
    entry::{IndexEntry, Stat},
    head::{LockFile, PATIENCE, POLL, Patience, Scratch, lock_text},
};
use crate::durable::{FileError, inspect};

/// The token of whoever exchanges the files of a work tree, which is done under
/// the lock of the repository alone.
pub(crate) const WORK_TREE: &str = "work-tree";

/// What an entry says of the file of the work tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IndexStat {
    /// This file holds these bytes, or what a filter makes of it does.
    Known(Stat),
    /// What was true of the file before is still true.
    Kept,
    /// Nothing: git will look into the file.
    Unknown,
}

/// A new entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entered {
    pub(crate) oid: Oid,
    pub(crate) mode: u32,
    pub(crate) stat: IndexStat,
}

/// A change of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexChange {
    /// From the top of the work tree, with slashes; not always UTF-8.
    pub(crate) path: Vec<u8>,
    /// What stands there from now on; `None` is nothing.
    pub(crate) entered: Option<Entered>,
}

impl Repository {
    /// All entries of the index, those of conflicts among them.
    pub(crate) fn index_entries(&self) -> Result<Vec<IndexEntry>, GitError> {
        self.index_entries_at(None)
    }

    /// As [`Repository::index_entries`], of the index that a git works with for
    /// the moment.
    pub(crate) fn index_entries_at(&self, path: Option<&Path>) -> Result<Vec<IndexEntry>, GitError> {
        match self.open_index(path.unwrap_or(&self.index_path())) {
            Ok(index) => Ok(index.iter().map(entry_of).collect()),
            // A split or sparse index, which libgit2 does not read.
            Err(_) => self.listed_entries(&["ls-files", "-z", "--stage"]),
        }
    }

    /// The entry of a path, if it is in no conflict.
    pub(crate) fn index_entry(&self, path: impl AsRef<[u8]>) -> Result<Option<IndexEntry>, GitError> {
        let path = path.as_ref();
        match self.open_index(&self.index_path()) {
            Ok(index) => Ok(index.get_path(as_path(path), 0).map(entry_of)),
            Err(_) => {
                let entries = self.listed_entries(&["ls-files", "-z", "--stage"])?;
                Ok(entries.into_iter().find(|entry| entry.path == path && entry.stage == 0))
            }
        }
    }

    pub(crate) fn index_path(&self) -> PathBuf {
        self.git_dir().join("index")
    }

    fn open_index(&self, path: &Path) -> Result<Index, git2::Error> {
        Index::open_ext(path, self.inner.object_format())
    }

    fn listed_entries(&self, arguments: &[&str]) -> Result<Vec<IndexEntry>, GitError> {
        let output = self.git(arguments, &[])?;
        Ok(listed(&output, |hex| self.oid(hex)))
    }

    /// Changes the index for some paths. `token` is what nobody else would
    /// write into `index.lock`: a lock file with that text is our own of
    /// earlier.
    pub(crate) fn update_index(
        &self,
        changes: &[IndexChange],
        token: &str,
        patience: Patience,
    ) -> Result<(), GitError> {
        let path = self.index_path();
        let scratch = Scratch::new(self, token)?;
        let lock = LockFile::acquire(&scratch, &path, &lock_text(token), patience)?;
        match self.write_index(&path, &scratch, changes) {
            Ok(true) => Ok(lock.replace_with(&scratch.join("index"))?),
            Ok(false) => {
                drop(lock);
                self.update_index_by_git(changes, patience)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the new index into `scratch`; false if libgit2 cannot read the
    /// old one.
    fn write_index(&self, path: &Path, scratch: &Scratch, changes: &[IndexChange]) -> Result<bool, GitError> {
        let new = scratch.join("index");
        let old = inspect(path)?;
        if old.is_some() {
            let bytes = fs::read(path).map_err(FileError::new("read", path))?;
            fs::write(&new, bytes).map_err(FileError::new("write", &new))?;
        }
        let Ok(mut index) = self.open_index(&new) else { return Ok(false) };
        let writing = || GitError::library("write the index");
        if let Some(old) = old {
            forget_racy(&mut index, old.mtime()).map_err(writing())?;
        }
        for change in changes {
            let path = as_path(&change.path);
            let kept = index.get_path(path, 0).map(|entry| Stat::of_entry(&entry));
            for stage in 0..=3 {
                super::absent_is_none(index.remove(path, stage)).map_err(writing())?;
            }
            if let Some(Entered { oid, mode, stat }) = change.entered {
                let stat = match stat {
                    IndexStat::Known(stat) => Some(stat),
                    IndexStat::Kept => kept,
                    IndexStat::Unknown => None,
                };
                let entry = stat.unwrap_or_default().entry(&change.path, oid, mode);
                index.add(&entry).map_err(writing())?;
            }
        }
        index.write().map_err(writing())?;
        let synced = fs::File::open(&new).and_then(|file| file.sync_all());
        synced.map_err(FileError::new("sync", &new))?;
        Ok(true)
    }

    fn update_index_by_git(&self, changes: &[IndexChange], patience: Patience) -> Result<(), GitError> {
        let mut input = Vec::new();
        for IndexChange { path, entered } in changes {
            // Away with the sides of a conflict first.
            let zeros = "0".repeat(self.hash_blob(b"")?.to_string().len());
            let mut line = |what: String| {
                input.extend_from_slice(what.as_bytes());
                input.extend_from_slice(path);
                input.push(0);
            };
            line(format!("0 {zeros}\t"));
            if let Some(Entered { oid, mode, .. }) = entered {
                line(format!("{mode:o} {oid}\t"));
            }
        }
        let lock = self.git_dir().join("index.lock");
        let since = Instant::now();
        loop {
            match self.git(&["update-index", "-z", "--index-info"], &input) {
                Err(GitError::Program { .. }) if inspect(&lock)?.is_some() => {
                    if patience == Patience::None || since.elapsed() >= PATIENCE {
                        return Err(GitError::Busy { path: lock });
                    }
                    thread::sleep(POLL);
                }
                result => return result.map(drop),
            }
        }
    }
}

/// The entries in the output of `git ls-files -z --stage`.
pub(super) fn listed(output: &[u8], oid: impl Fn(&str) -> Option<Oid>) -> Vec<IndexEntry> {
    let entries = output.split(|&byte| byte == 0).filter_map(|line| {
        let tab = line.iter().position(|&byte| byte == b'\t')?;
        let (fields, path) = (line.get(..tab)?, line.get(tab + 1..)?);
        let mut fields = std::str::from_utf8(fields).ok()?.split(' ');
        Some(IndexEntry {
            mode: u32::from_str_radix(fields.next()?, 8).ok()?,
            oid: oid(fields.next()?)?,
            stage: fields.next()?.parse().ok()?,
            path: path.to_vec(),
            stat: None,
        })
    });
    entries.collect()
}

/// Forgets of a file that was as young as the index what the index says of it:
/// it may have been touched within the same second. git sees that by comparing
/// the two times, and would not any more when the index becomes younger.
fn forget_racy(index: &mut Index, written: i64) -> Result<(), git2::Error> {
    let racy: Vec<_> = index
        .iter()
        .filter(|entry| i64::from(entry.mtime.seconds()) >= written && entry.file_size != 0)
        .filter(|entry| stage_of(entry) == 0 && entry.mode & 0o170_000 == 0o100_000)
        .collect();
    for entry in racy {
        index.add(&git2::IndexEntry { file_size: 0, ..entry })?;
    }
    Ok(())
}

pub(super) fn entry_of(entry: git2::IndexEntry) -> IndexEntry {
    let stat = Stat::of_entry(&entry);
    IndexEntry {
        stage: stage_of(&entry),
        stat: (stat != Stat::default()).then_some(stat),
        oid: entry.id,
        mode: entry.mode,
        path: entry.path,
    }
}

fn stage_of(entry: &git2::IndexEntry) -> u16 {
    entry.flags >> 12 & 3
}
