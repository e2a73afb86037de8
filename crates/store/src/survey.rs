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
    io::Read as _,
    path::{Path, PathBuf},
};

use certkeep_pki::{inventory::Kept, layout::PkiDirectory, secret::SecretBytes};
use zeroize::Zeroizing;

use crate::{
    durable::FileError,
    journal::{Journal, Promise},
    read::{ReadError, read_file, read_secret_file},
    seal,
    transaction::Site,
    vault::status::other_tool,
};

/// As much of a secret file as tells how it is kept, in bytes: the longest first
/// lines of an encrypted private key.
const HEAD: usize = 64;

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

    /// Reads a file of a directory of public ones; `None` if it is gone.
    ///
    /// # Errors
    ///
    /// As [`Store::read`](crate::store::Store::read).
    pub fn read(&self, directory: PkiDirectory, file: &str) -> Result<Option<Vec<u8>>, ReadError> {
        for path in self.places(directory, file) {
            if let Some(bytes) = read_file(&path)? {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// As [`Survey::read`], of a directory of secret files, into memory that is
    /// zeroised after use. What is sealed comes as it is.
    ///
    /// # Errors
    ///
    /// As [`Store::read`](crate::store::Store::read).
    pub fn read_secret(&self, directory: PkiDirectory, file: &str) -> Result<Option<SecretBytes>, ReadError> {
        for path in self.places(directory, file) {
            if let Some(bytes) = read_secret_file(&path)? {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// The PKI directory, as it was given.
    pub(crate) fn root(&self) -> &Path {
        &self.site.root
    }

    /// How a secret file lies there; `None` if it is gone. Looks at its beginning
    /// only, and needs no key.
    #[must_use]
    pub fn kept(&self, directory: PkiDirectory, file: &str) -> Option<Kept> {
        self.places(directory, file).find_map(|path| match head(&path) {
            Ok(head) => head.map(|head| kind(&head)),
            Err(_) => Some(Kept::Unreadable),
        })
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

/// The first bytes of a file; `None` if there is none.
fn head(path: &std::path::Path) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            let error = FileError::new("open", path)(error);
            return if error.is_absence() { Ok(None) } else { Err(error) };
        }
    };
    let limit = u64::try_from(HEAD).unwrap_or(u64::MAX);
    let mut head = Zeroizing::new(Vec::with_capacity(HEAD));
    file.take(limit).read_to_end(&mut head).map_err(FileError::new("read", path))?;
    Ok(Some(head))
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
