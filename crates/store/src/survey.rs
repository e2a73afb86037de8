// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looks at many files of a PKI in one go, from several threads if wanted.
//!
//! [`Store::read`](crate::store::Store::read) asks for an interrupted change before
//! each file, for its callers read a file or two. Here that is asked once: what is
//! being written meanwhile is seen in part, as by whoever lists a directory and
//! then reads it.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use certkeep_pki::{inventory::Kept, layout::PkiDirectory, secret::SecretBytes};
use rustix::fs::{CWD, Mode, OFlags, openat};
use zeroize::Zeroizing;

use crate::{
    durable::FileError,
    journal::{Journal, Promise},
    other_tools::other_tool,
    read::{PIPE_LIMIT, ReadError, SIZE_LIMIT, read_file, read_secret_file},
    seal,
    transaction::Site,
};

/// As much of a secret file as tells how it is kept, in bytes: the longest first
/// lines of an encrypted private key.
const HEAD: usize = 64;

/// The first buffer for a file, in bytes: as good as every certificate fits in.
const BUFFER: usize = 16 * 1024;

/// A PKI as it is now, for whoever reads most of it.
#[derive(Debug)]
pub struct Survey {
    site: Site,
    /// What an interrupted change will have done, by path.
    pending: HashMap<Vec<u8>, Pending>,
}

#[derive(Debug)]
enum Pending {
    Placed(PathBuf),
    Removed,
}

impl Survey {
    pub(crate) fn new(site: Site, journal: Option<&Journal>) -> Self {
        let pending = journal.into_iter().flat_map(Journal::promises).map(|(path, promise)| {
            let pending = match promise {
                Promise::Placed(staged) => Pending::Placed(site.stage.join(staged)),
                Promise::Removed => Pending::Removed,
            };
            (path.to_vec(), pending)
        });
        let pending = pending.collect();
        Self { site, pending }
    }

    /// As [`Store::list`](crate::store::Store::list).
    ///
    /// # Errors
    ///
    /// [`ReadError::File`] when the directory cannot be read.
    pub fn list(&self, directory: PkiDirectory) -> Result<Vec<String>, ReadError> {
        let promises = self.pending.iter().map(|(path, pending)| {
            let promise = match pending {
                Pending::Placed(_) => Promise::Placed(""),
                Pending::Removed => Promise::Removed,
            };
            (path.as_slice(), promise)
        });
        Ok(crate::store::list(&self.site, directory, promises)?)
    }

    /// Opens a directory, to look at many of its files.
    ///
    /// # Errors
    ///
    /// [`ReadError::File`] when the system refuses; a directory that is not there has no files.
    pub fn open(&self, directory: PkiDirectory) -> Result<Folder<'_>, ReadError> {
        let path = self.site.root.join(directory.relative());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = match openat(CWD, &path, flags, Mode::empty()) {
            Ok(handle) => Some(handle),
            Err(error) => {
                let error = FileError::new("open", &path)(error.into());
                if !error.is_absence() {
                    return Err(error.into());
                }
                None
            }
        };
        Ok(Folder { survey: self, directory, path, handle })
    }

    /// The PKI directory, as it was given.
    pub(crate) fn root(&self) -> &Path {
        &self.site.root
    }

    /// Where the bytes of a path may be, in the order to look.
    fn places(&self, directory: PkiDirectory, file: &str) -> impl Iterator<Item = PathBuf> {
        let relative = format!("{}/{file}", directory.relative());
        let place = self.site.root.join(&relative);
        let (first, second) = match self.pending.get(relative.as_bytes()) {
            Some(Pending::Removed) => (None, None),
            // Whoever completes the change renames it: it is in one place or the other.
            Some(Pending::Placed(staged)) => (Some(staged.clone()), Some(place)),
            None => (None, Some(place)),
        };
        first.into_iter().chain(second)
    }
}

/// A directory that was opened once, and whose files are reached from there.
#[derive(Debug)]
pub struct Folder<'a> {
    survey: &'a Survey,
    directory: PkiDirectory,
    path: PathBuf,
    /// None if there is no such directory.
    handle: Option<OwnedFd>,
}

/// Where files are read to, one after the other.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    /// What was read last.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

impl Folder<'_> {
    /// Reads a file of a directory of public ones; whether it is there.
    ///
    /// # Errors
    ///
    /// As [`Store::read`](crate::store::Store::read).
    pub fn read(&self, file: &str, buffer: &mut Buffer) -> Result<bool, ReadError> {
        buffer.filled = 0;
        if !self.survey.pending.is_empty() {
            return self.read_pending(file, buffer);
        }
        let Some(mut opened) = self.file(file)? else { return Ok(false) };
        let mut limit = None;
        loop {
            if buffer.filled == buffer.bytes.len() {
                // Only what is larger than a certificate is asked for its size.
                let limit = match limit {
                    _ if buffer.bytes.len() < BUFFER => u64::MAX,
                    Some(limit) => limit,
                    None => *limit.insert(self.limit(file, &opened)?),
                };
                if u64::try_from(buffer.filled).unwrap_or(u64::MAX) >= limit {
                    return Err(ReadError::TooLarge { path: self.path.join(file), limit });
                }
                buffer.bytes.resize((2 * buffer.filled).max(BUFFER), 0);
            }
            match opened.read(buffer.bytes.get_mut(buffer.filled..).unwrap_or_default()) {
                Ok(0) => return Ok(true),
                Ok(count) => buffer.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                    return Err(ReadError::Directory { path: self.path.join(file) });
                }
                Err(error) => return Err(FileError::new("read", &self.path.join(file))(error).into()),
            }
        }
    }

    fn read_pending(&self, file: &str, buffer: &mut Buffer) -> Result<bool, ReadError> {
        for path in self.survey.places(self.directory, file) {
            if let Some(bytes) = read_file(&path)? {
                *buffer = Buffer { filled: bytes.len(), bytes };
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// As [`Folder::read`], of a directory of secret files, into memory that is
    /// zeroised after use. What is sealed comes as it is.
    ///
    /// # Errors
    ///
    /// As [`Store::read`](crate::store::Store::read).
    pub fn read_secret(&self, file: &str) -> Result<Option<SecretBytes>, ReadError> {
        for path in self.survey.places(self.directory, file) {
            if let Some(bytes) = read_secret_file(&path)? {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// The most that is read of a file, in bytes.
    fn limit(&self, file: &str, opened: &File) -> Result<u64, ReadError> {
        let metadata =
            opened.metadata().map_err(|error| FileError::new("inspect", &self.path.join(file))(error))?;
        Ok(if metadata.is_file() { SIZE_LIMIT } else { PIPE_LIMIT })
    }

    /// How a secret file lies there; `None` if it is gone. Looks at its beginning
    /// only, and needs no key.
    #[must_use]
    pub fn kept(&self, file: &str) -> Option<Kept> {
        let told = |head: Result<Option<Kept>, FileError>| head.unwrap_or(Some(Kept::Unreadable));
        if self.survey.pending.is_empty() {
            return told(
                self.file(file).and_then(|opened| opened.map(|opened| self.head(file, opened)).transpose()),
            );
        }
        self.survey.places(self.directory, file).find_map(|path| {
            let opened = openat(CWD, &path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
            told(
                found(opened, || path)
                    .and_then(|opened| opened.map(|opened| self.head(file, opened)).transpose()),
            )
        })
    }

    /// Opens a file of this directory; `None` if there is none.
    fn file(&self, file: &str) -> Result<Option<File>, FileError> {
        let Some(handle) = &self.handle else { return Ok(None) };
        let opened = openat(handle, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        found(opened, || self.path.join(file))
    }

    /// What the first bytes of a file tell.
    fn head(&self, file: &str, mut opened: File) -> Result<Kept, FileError> {
        let mut head = Zeroizing::new([0; HEAD]);
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match opened.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::new("read", &self.path.join(file))(error)),
            }
        }
        Ok(kind(head.get(..filled).unwrap_or_default()))
    }
}

/// A file that was opened; `None` if there is none.
fn found(
    opened: rustix::io::Result<OwnedFd>,
    path: impl FnOnce() -> PathBuf,
) -> Result<Option<File>, FileError> {
    match opened {
        Ok(handle) => Ok(Some(File::from(handle))),
        Err(error) => {
            let error = FileError::new("open", &path())(error.into());
            if error.is_absence() { Ok(None) } else { Err(error) }
        }
    }
}

fn kind(head: &[u8]) -> Kept {
    let says = |words: &[u8]| head.windows(words.len()).any(|window| window == words);
    if head.is_empty() {
        Kept::Empty
    } else if seal::is_sealed(head) {
        Kept::Sealed
    } else if let Some(tool) = other_tool(head) {
        Kept::OtherTool(tool)
    } else if says(b"-----BEGIN ENCRYPTED ") || says(b"Proc-Type: 4,ENCRYPTED") {
        Kept::Passphrase
    } else {
        Kept::Plaintext
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_tells_how_a_file_is_kept() {
        for (head, kept) in [
            (&b""[..], Kept::Empty),
            (b"\0CKSEAL\0\x01\x01", Kept::Sealed),
            (b"\0GITCRYPT\0", Kept::OtherTool("git-crypt")),
            (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", Kept::Passphrase),
            (b"-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n", Kept::Passphrase),
            (b"-----BEGIN PRIVATE KEY-----\n", Kept::Plaintext),
            (b"\x30\x03", Kept::Plaintext),
        ] {
            assert_eq!(kind(head), kept, "{}", head.escape_ascii());
        }
    }
}
