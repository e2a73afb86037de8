// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entries of trees and of the index, and what the index remembers of a
//! file of the work tree.

use std::{fs::Metadata, os::unix::fs::MetadataExt as _};

use git2::{IndexTime, Oid};

/// The mode of a file that is not executable.
pub(crate) const FILE_MODE: u32 = 0o100_644;
/// The mode of a folder.
pub(crate) const FOLDER_MODE: u32 = 0o040_000;
const EXECUTABLE_MODE: u32 = 0o100_755;
const LINK_MODE: u32 = 0o120_000;

/// A file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    /// From the top of the work tree, with slashes; not always UTF-8.
    pub(crate) path: Vec<u8>,
    /// Its blob, or the commit of a submodule.
    pub(crate) oid: Oid,
    /// 0100644, 0100755, 0120000 (a link) or 0160000 (a submodule).
    pub(crate) mode: u32,
}

impl TreeEntry {
    pub(super) fn new(path: Vec<u8>, oid: Oid, mode: i32) -> Self {
        Self { path, oid, mode: u32::try_from(mode).unwrap_or_default() }
    }

    /// Whether it is a file with bytes of its own: no link, no submodule.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.mode, FILE_MODE | EXECUTABLE_MODE)
    }
}

/// An entry of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    /// From the top of the work tree, with slashes; not always UTF-8.
    pub(crate) path: Vec<u8>,
    /// Its blob, or the commit of a submodule.
    pub(crate) oid: Oid,
    /// As in a tree.
    pub(crate) mode: u32,
    /// 0, or 1 to 3 for the sides of a conflict.
    pub(crate) stage: u16,
    /// The file that was found to hold these bytes; `None` if that is not known.
    pub(crate) stat: Option<Stat>,
}

impl IndexEntry {
    /// Whether it is a file with bytes of its own, and in no conflict.
    pub(crate) fn is_file(&self) -> bool {
        self.stage == 0 && self.has_bytes()
    }

    /// Whether it is a symbolic link.
    pub(crate) fn is_link(&self) -> bool {
        self.mode == LINK_MODE
    }

    /// Whether it is a file with bytes of its own, or one side of a conflict about one.
    pub(crate) fn has_bytes(&self) -> bool {
        matches!(self.mode, FILE_MODE | EXECUTABLE_MODE)
    }
}

/// What the index remembers of a file, to tell whether it was touched. All of
/// it is cut to 32 bits, as in git.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(super) ctime: (i32, u32),
    pub(super) mtime: (i32, u32),
    pub(super) dev: u32,
    pub(super) ino: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u32,
}

impl Stat {
    /// What git would remember of this file.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            ctime: (seconds(metadata.ctime()), nanoseconds(metadata.ctime_nsec())),
            mtime: (seconds(metadata.mtime()), nanoseconds(metadata.mtime_nsec())),
            dev: low(metadata.dev()),
            ino: low(metadata.ino()),
            uid: metadata.uid(),
            gid: metadata.gid(),
            size: low(metadata.size()),
        }
    }

    pub(super) fn of_entry(entry: &git2::IndexEntry) -> Self {
        Self {
            ctime: (entry.ctime.seconds(), entry.ctime.nanoseconds()),
            mtime: (entry.mtime.seconds(), entry.mtime.nanoseconds()),
            dev: entry.dev,
            ino: entry.ino,
            uid: entry.uid,
            gid: entry.gid,
            size: entry.file_size,
        }
    }

    /// An entry of stage 0 without any of git's flags.
    pub(super) fn entry(self, path: &[u8], oid: Oid, mode: u32) -> git2::IndexEntry {
        git2::IndexEntry {
            ctime: IndexTime::new(self.ctime.0, self.ctime.1),
            mtime: IndexTime::new(self.mtime.0, self.mtime.1),
            dev: self.dev,
            ino: self.ino,
            mode,
            uid: self.uid,
            gid: self.gid,
            file_size: self.size,
            id: oid,
            flags: 0,
            flags_extended: 0,
            path: path.to_vec(),
        }
    }
}

/// A time that does not fit matches no file, so git looks into it.
fn seconds(seconds: i64) -> i32 {
    i32::try_from(seconds).unwrap_or_default()
}

fn nanoseconds(nanoseconds: i64) -> u32 {
    u32::try_from(nanoseconds).unwrap_or_default()
}

fn low(value: u64) -> u32 {
    u32::try_from(value & u64::from(u32::MAX)).unwrap_or_default()
}
