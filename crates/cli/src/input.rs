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
    if path.as_os_str() == "-" {
        return limited(io::stdin().lock(), "standard input");
    }
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::cannot_read(&name, &error))?;
    limited(file, &name)
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

fn limited(source: impl Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = source.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    let length = read.map_err(|error| Failure::cannot_read(name, &error))?;
    if u64::try_from(length).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(Failure::refused(format!("{name} is longer than 16 MiB")));
    }
    Ok(bytes)
}
