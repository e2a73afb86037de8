// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a decision wants recorded: the writes, copies, moves and removals that
//! happen together or not at all.
//!
//! A [`ChangeSet`] is plain data. The store turns it into a transaction; a
//! test reads it to see what a command would do; `--dry-run` prints it.

use std::fmt;

use crate::{
    layout::{PkiDirectory, PkiPath},
    secret::SecretBytes,
};

/// The bytes of a file to be written.
#[derive(Debug)]
pub enum Contents {
    /// Anybody may read them.
    Public(Vec<u8>),
    /// Key material: the store refuses to write it to a public path.
    Secret(SecretBytes),
}

impl From<Vec<u8>> for Contents {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Public(bytes)
    }
}

impl From<String> for Contents {
    fn from(text: String) -> Self {
        Self::Public(text.into_bytes())
    }
}

impl From<SecretBytes> for Contents {
    fn from(bytes: SecretBytes) -> Self {
        Self::Secret(bytes)
    }
}

/// One change to one file.
#[derive(Debug)]
pub enum Change {
    /// Write a file that must not exist yet.
    Create(PkiPath, Contents),
    /// Write a file, whether it exists or not.
    Replace(PkiPath, Contents),
    /// Keep the present generation of `from` as `to`; nothing happens when there is none.
    Keep {
        /// The file that a later change replaces.
        from: PkiPath,
        /// The `.old` file.
        to: PkiPath,
    },
    /// Move a file; `to` must not exist. Nothing happens when `from` is absent.
    Move {
        /// Where the file is.
        from: PkiPath,
        /// Where it shall be.
        to: PkiPath,
    },
    /// Remove a file; nothing happens when it is absent.
    Remove(PkiPath),
    /// Make sure that a directory exists.
    Directory(PkiDirectory),
}

/// The change as a verb phrase, for `--dry-run`: `create issued/web1.crt`.
impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(path, _) => write!(formatter, "create {path}"),
            Self::Replace(path, _) => write!(formatter, "write {path}"),
            Self::Keep { from, to } => write!(formatter, "keep {from} as {to}"),
            Self::Move { from, to } => write!(formatter, "move {from} to {to}"),
            Self::Remove(path) => write!(formatter, "remove {path}"),
            Self::Directory(directory) => write!(formatter, "make the directory {}", directory.relative()),
        }
    }
}

/// Changes that are recorded together or not at all, in this order.
#[derive(Debug)]
#[must_use = "a decision that is not recorded did not happen"]
pub struct ChangeSet {
    changes: Vec<Change>,
}

impl ChangeSet {
    /// No change yet.
    #[expect(clippy::new_without_default, reason = "an empty set is a beginning, not a default")]
    pub fn new() -> Self {
        Self { changes: Vec::new() }
    }

    /// Writes a file that must not exist yet.
    pub fn create(&mut self, path: PkiPath, contents: impl Into<Contents>) {
        self.changes.push(Change::Create(path, contents.into()));
    }

    /// Writes a file, whether it exists or not.
    pub fn replace(&mut self, path: PkiPath, contents: impl Into<Contents>) {
        self.changes.push(Change::Replace(path, contents.into()));
    }

    /// Keeps the present generation of `from` as `to`.
    pub fn keep(&mut self, from: PkiPath, to: PkiPath) {
        self.changes.push(Change::Keep { from, to });
    }

    /// Moves a file if it exists.
    pub fn relocate(&mut self, from: PkiPath, to: PkiPath) {
        self.changes.push(Change::Move { from, to });
    }

    /// Removes a file if it exists.
    pub fn remove(&mut self, path: PkiPath) {
        self.changes.push(Change::Remove(path));
    }

    /// Makes sure that a directory exists.
    pub fn directory(&mut self, directory: PkiDirectory) {
        self.changes.push(Change::Directory(directory));
    }

    /// Adds the changes of `later` after these.
    pub fn extend(&mut self, later: Self) {
        self.changes.extend(later.changes);
    }

    /// Puts `text` in front of every public file that is to hold `contents`. Whoever
    /// reads PEM passes over it (RFC 7468 §5.2).
    pub fn put_in_front(&mut self, contents: &[u8], text: &[u8]) {
        for change in &mut self.changes {
            match change {
                Change::Create(_, Contents::Public(bytes)) | Change::Replace(_, Contents::Public(bytes))
                    if bytes == contents =>
                {
                    bytes.splice(..0, text.iter().copied());
                }
                _ => {}
            }
        }
    }

    /// The changes, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Change] {
        &self.changes
    }
}
