// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a clone remembers of the history that it has proved: `proven` in its own
//! folder in git's directory, where no push reaches. A line for each reference and
//! where it was then, one for each commit whose findings were accepted, and one for each
//! that is known to be gone from its upstream.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use crate::{durable::FileError, git::GitError, keyring::replace};

const NAME: &str = "proven";

/// What was proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// References by their full names, with the commits that they named.
    pub proven: BTreeMap<String, String>,
    /// Commits up to which somebody has accepted what was found.
    pub accepted: BTreeSet<String>,
    /// Commits at which an upstream was and which it left: somebody has accepted that.
    pub settled: BTreeSet<String>,
}

impl Memory {
    pub(super) fn read(folder: &Path) -> Result<Self, GitError> {
        let path = folder.join(NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(FileError::new("read", &path)(error).into()),
        };
        let mut memory = Self::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("accepted", commit)) => drop(memory.accepted.insert(commit.to_owned())),
                Some(("settled", commit)) => drop(memory.settled.insert(commit.to_owned())),
                Some((name, commit)) => drop(memory.proven.insert(name.to_owned(), commit.to_owned())),
                None => {}
            }
        }
        Ok(memory)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), GitError> {
        let mut text = String::new();
        for (name, commit) in &self.proven {
            text.push_str(&format!("{name} {commit}\n"));
        }
        for commit in &self.accepted {
            text.push_str(&format!("accepted {commit}\n"));
        }
        for commit in &self.settled {
            text.push_str(&format!("settled {commit}\n"));
        }
        Ok(replace(&folder.join(NAME), &text.into())?)
    }
}
