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
    let read = if path.as_os_str() == "-" { limited(io::stdin().lock()) } else { read_file(path) };
    let name = if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() };
    read.map_err(|error| Failure::cannot_read(&name, &error))
}

/// Reads a file; what `-` means is for the caller to say.
///
/// # Errors
///
/// It is missing, unreadable or longer than 16 MiB.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    limited(File::open(path)?)
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

fn limited(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 16 MiB"));
    }
    Ok(bytes)
}
