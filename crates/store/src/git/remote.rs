// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is exchanged with others: fetched, put on top of each other, pushed. All of
//! it by the git program, with the transports, keys and hooks that the user has
//! set up for it.

use std::{ffi::OsStr, fs, os::unix::process::ExitStatusExt as _, path::Path};

use super::{
    GitError, Repository,
    program::{Environment, Group, start_in},
};

/// What a git program that has ended said.
#[derive(Debug)]
pub(crate) struct Spoken {
    /// Whether it did what it was asked for.
    pub(crate) done: bool,
    /// Whether it could not end by itself.
    pub(crate) killed: bool,
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
        self.speak_apart(arguments, false)
    }

    /// As [`Repository::speak`]; `apart` in a process group of its own, which what is
    /// typed at the terminal does not interrupt, and which cannot ask there either.
    pub(crate) fn speak_apart(&self, arguments: &[&str], apart: bool) -> Result<Spoken, GitError> {
        let set = |value: &'static str| OsStr::new(value);
        let environment =
            [("LC_ALL", set("C")), ("GIT_EDITOR", set("true")), ("GIT_SEQUENCE_EDITOR", set("true"))];
        let group = if apart { Group::Own } else { Group::Ours };
        let child = start_in(group, Some(self.work_tree()), Environment::Own, arguments, &environment)?;
        let output = child.wait_with_output().map_err(GitError::Start)?;
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let killed = output.status.signal().is_some();
        Ok(Spoken { done: output.status.success(), killed, output: output.stdout, message })
    }

    /// What is under way in this work tree, if anything is.
    pub(crate) fn unfinished(&self) -> Option<&'static str> {
        let is_there = |file: &str| Path::new(self.git_dir()).join(file).exists();
        UNFINISHED.iter().find(|(file, _)| is_there(file)).map(|&(_, what)| what)
    }

    /// The branch that a rebase under way is about, such as `refs/heads/main`.
    pub(crate) fn rebased_branch(&self) -> Option<String> {
        let read = |folder: &str| fs::read_to_string(self.git_dir().join(folder).join("head-name")).ok();
        ["rebase-merge", "rebase-apply"].into_iter().find_map(read).map(|name| name.trim().to_owned())
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
