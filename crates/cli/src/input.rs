// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that the user names on the command line: read whole, but never without
//! end, be it a device or the wrong file.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::report::Failure;

/// No request, certificate or vars file comes near this size.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Reads a file, or standard input for `-`.
///
/// # Errors
///
/// It is missing, unreadable or longer than 16 MiB.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    read_up_to(path, MAX_BYTES)
}

/// As [`read`], with another limit in bytes.
///
/// # Errors
///
/// It is missing, unreadable or longer.
pub fn read_up_to(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let stdin = path.as_os_str() == "-";
    let read = if stdin {
        up_to(limit, io::stdin().lock())
    } else {
        File::open(path).and_then(|file| up_to(limit, file))
    };
    let name = if stdin { "standard input".to_owned() } else { path.display().to_string() };
    read.map_err(|error| Failure::cannot_read(&name, &error))
}

/// Reads a file; what `-` means is for the caller to say.
///
/// # Errors
///
/// It is missing, unreadable or longer than 16 MiB.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    up_to(MAX_BYTES, File::open(path)?)
}

/// Reads a file that may be missing.
///
/// # Errors
///
/// As [`read`], but for a missing file.
pub fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match path.try_exists() {
        Ok(false) => Ok(None),
        _ => read(path).map(Some),
    }
}

fn up_to(limit: u64, source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = source.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > limit {
        let text = format!("it is longer than {} MiB", limit >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}
