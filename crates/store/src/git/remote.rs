// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is exchanged with others: fetched, put on top of each other, pushed. All of
//! it by the git program, with the transports, keys and hooks that the user has
//! set up for it.

use std::{ffi::OsStr, path::Path};

use super::{
    GitError, Repository,
    program::{Environment, start},
};

/// What a git program that has ended said.
#[derive(Debug)]
pub(crate) struct Spoken {
    /// Whether it did what it was asked for.
    pub(crate) done: bool,
    /// Its standard output.
    pub(crate) output: Vec<u8>,
    /// What it told people, without blanks around it.
    pub(crate) message: String,
}

/// Something that git was told to do and that waits for somebody.
const UNFINISHED: [(&str, &str); 6] = [
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
];

/// A file that both sides of a merge have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmerged {
    /// From the top of the work tree.
    pub path: String,
    /// Whether the side that is checked out has it.
    pub ours: bool,
    /// Whether the side that comes in has it.
    pub theirs: bool,
}

impl Repository {
    /// Runs git in the work tree and hears it out. It speaks English, opens no
    /// editor, and asks at the terminal alone.
    pub(crate) fn speak(&self, arguments: &[&str]) -> Result<Spoken, GitError> {
        let set = |value: &'static str| OsStr::new(value);
        let environment =
            [("LC_ALL", set("C")), ("GIT_EDITOR", set("true")), ("GIT_SEQUENCE_EDITOR", set("true"))];
        let child = start(Some(self.work_tree()), Environment::Own, arguments, &environment)?;
        let output = child.wait_with_output().map_err(GitError::Start)?;
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok(Spoken { done: output.status.success(), output: output.stdout, message })
    }

    /// What is under way in this work tree, if anything is.
    pub(crate) fn unfinished(&self) -> Option<&'static str> {
        let is_there = |file: &str| Path::new(self.git_dir()).join(file).exists();
        UNFINISHED.iter().find(|(file, _)| is_there(file)).map(|&(_, what)| what)
    }

    /// The files of a conflict.
    pub(crate) fn unmerged(&self) -> Result<Vec<Unmerged>, GitError> {
        let mut files: Vec<Unmerged> = Vec::new();
        for entry in self.index_entries()?.into_iter().filter(|entry| entry.stage > 0) {
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            if files.last().is_none_or(|last| last.path != path) {
                files.push(Unmerged { path, ours: false, theirs: false });
            }
            if let Some(last) = files.last_mut() {
                last.ours |= entry.stage == 2;
                last.theirs |= entry.stage == 3;
            }
        }
        Ok(files)
    }
}
