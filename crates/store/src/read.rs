// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads one file into memory: whole, with a limit, and a secret one without
//! leaving copies behind.
//!
//! Symbolic links and named pipes are followed and read as any program would:
//! a CA key may come from wherever its owner keeps it.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use certkeep_pki::secret::SecretBytes;
use rustix::fs::{CWD, Mode, OFlags, openat};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{durable::FileError, transaction::RecoverError};

/// The largest file that is read, in bytes: 1 GiB, some ten million
/// certificates in `index.txt`.
pub const SIZE_LIMIT: u64 = 1 << 30;

/// The most that is read from a pipe or a device, in bytes: 64 MiB, which no
/// request or key comes near. Something like `/dev/zero` ends here.
pub const PIPE_LIMIT: u64 = 64 << 20;

/// The first buffer for a pipe, in bytes, whose size nobody knows.
const PIPE_BUFFER: u64 = 16 * 1024;

/// Why a file could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// An interrupted change is in the way and cannot be understood.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// A directory stands in its place.
    #[error("{} is a directory", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// A pipe, a socket or a device stands in its place.
    #[error("{} is no file", path.display())]
    NoFile {
        /// What is there.
        path: PathBuf,
    },
    /// More than [`SIZE_LIMIT`] bytes, or more than [`PIPE_LIMIT`] from a pipe.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read of it, in bytes.
        limit: u64,
    },
}

/// Reads a file of a work tree: `None` when there is none, and for a link, a
/// folder or a pipe, which git does not keep as a file.
pub(crate) fn read_regular(path: &Path) -> Result<Option<Vec<u8>>, ReadError> {
    match crate::durable::inspect(path)? {
        Some(metadata) if metadata.is_file() => read_file(path),
        _ => Ok(None),
    }
}

/// Reads a file, be it behind a link, and waits for nothing else; `None` when there is none.
pub(crate) fn read_at_once(path: &Path) -> Result<Option<Vec<u8>>, ReadError> {
    // Opened without waiting, and looked at before a byte is read: it may change meanwhile.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat(CWD, path, flags, Mode::empty()).map(File::from).map_err(io::Error::from);
    let Some(opened) = known(path, opened)? else { return Ok(None) };
    match opened.file.metadata() {
        Ok(metadata) if !metadata.is_file() => Err(ReadError::NoFile { path: path.to_owned() }),
        _ => whole(path, opened),
    }
}

/// Reads a file; `None` when there is none.
pub(crate) fn read_file(path: &Path) -> Result<Option<Vec<u8>>, ReadError> {
    open(path)?.map_or(Ok(None), |opened| whole(path, opened))
}

fn whole(path: &Path, Opened { file, size, limit }: Opened) -> Result<Option<Vec<u8>>, ReadError> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(FileError::new("read", path))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        Ok(Some(bytes))
    } else {
        Err(ReadError::TooLarge { path: path.to_owned(), limit })
    }
}

/// Reads a file into memory that is zeroised after use; `None` when there is
/// none. The buffer has its size before it is filled, and is zeroised where
/// the file turns out to be larger.
pub(crate) fn read_secret_file(path: &Path) -> Result<Option<SecretBytes>, ReadError> {
    let Some(Opened { mut file, size, limit }) = open(path)? else { return Ok(None) };
    // One byte more, to see the end of the file without growing.
    let mut buffer = zeroed(path, size.max(1) + 1, limit)?;
    let mut filled = 0;
    loop {
        let rest = buffer.get_mut(filled..).unwrap_or_default();
        if rest.is_empty() {
            let mut larger =
                zeroed(path, u64::try_from(filled).unwrap_or(u64::MAX).saturating_mul(2), limit)?;
            if let Some(front) = larger.get_mut(..buffer.len()) {
                front.copy_from_slice(&buffer);
            }
            buffer = larger;
            continue;
        }
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FileError::new("read", path)(error).into()),
        }
    }
    buffer.truncate(filled);
    Ok(Some(SecretBytes::from(buffer)))
}

fn zeroed(path: &Path, size: u64, limit: u64) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    // Twice the limit, for the doubling of a buffer that is just below it.
    let size = usize::try_from(size).ok().filter(|_| size <= 2 * limit);
    let size = size.ok_or_else(|| ReadError::TooLarge { path: path.to_owned(), limit })?;
    Ok(Zeroizing::new(vec![0; size]))
}

/// A file about to be read, with the bytes to expect and the most to take.
struct Opened {
    file: File,
    size: u64,
    limit: u64,
}

fn open(path: &Path) -> Result<Option<Opened>, ReadError> {
    known(path, File::open(path))
}

/// What was opened, with its size.
fn known(path: &Path, opened: io::Result<File>) -> Result<Option<Opened>, ReadError> {
    let file = match opened {
        Ok(file) => file,
        Err(error) => {
            let error = FileError::new("open", path)(error);
            return if error.is_absence() { Ok(None) } else { Err(error.into()) };
        }
    };
    let metadata = file.metadata().map_err(FileError::new("inspect", path))?;
    if metadata.is_dir() {
        return Err(ReadError::Directory { path: path.to_owned() });
    }
    if metadata.len() > SIZE_LIMIT {
        return Err(ReadError::TooLarge { path: path.to_owned(), limit: SIZE_LIMIT });
    }
    let (size, limit) = match metadata.is_file() {
        true => (metadata.len(), SIZE_LIMIT),
        false => (PIPE_BUFFER, PIPE_LIMIT),
    };
    Ok(Some(Opened { file, size, limit }))
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use super::*;

    #[test]
    fn files_of_every_size_are_read_whole() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("file");
        assert!(read_file(&path).expect("readable").is_none());
        assert!(read_secret_file(&path.join("below")).expect("readable").is_none());
        for size in [0, 1, 2, 1704, 100_000] {
            let bytes = vec![7; size];
            fs::write(&path, &bytes).expect("written");
            assert_eq!(read_file(&path).expect("readable"), Some(bytes.clone()));
            let secret = read_secret_file(&path).expect("readable").expect("present");
            assert_eq!(secret.expose(), bytes, "{size}");
        }
        assert!(matches!(read_file(directory.path()), Err(ReadError::Directory { .. })));
    }

    #[test]
    fn a_named_pipe_is_read_to_its_end() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("pipe");
        let status = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(status.success());
        let bytes = vec![9; 50_000];
        let (to, sent) = (path.clone(), bytes.clone());
        let writer = thread::spawn(move || fs::write(to, sent));
        let secret = read_secret_file(&path).expect("readable").expect("present");
        writer.join().expect("joined").expect("written");
        assert_eq!(secret.expose(), bytes);
    }
}
