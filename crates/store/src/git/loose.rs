// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loose objects, one file each. libgit2 waits without end for the rest of one
//! that was cut off, by a full disk for instance; so those are read here.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use flate2::read::ZlibDecoder;

use super::{GitError, Kind, LARGEST, Oid};
use crate::durable::FileError;

/// How many repositories may lend objects to each other in a row, as in git.
const BORROWED: usize = 5;

/// The longest header, `commit 18446744073709551615` and a NUL, in bytes.
const HEADER: usize = 28;

/// The folders that a repository has objects in: its own, and those that it
/// borrows from (gitrepository-layout(5), `info/alternates`).
pub(super) fn folders(own: &Path) -> Vec<PathBuf> {
    let mut folders = vec![own.to_owned()];
    let mut next = 0;
    for _ in 0..BORROWED {
        for folder in folders.get(next..).unwrap_or_default().to_vec() {
            next += 1;
            let list = fs::read(folder.join("info/alternates")).unwrap_or_default();
            for line in list.split(|&byte| byte == b'\n') {
                if !line.is_empty() && !line.starts_with(b"#") {
                    let path =
                        folder.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(line));
                    if !folders.contains(&path) {
                        folders.push(path);
                    }
                }
            }
        }
    }
    folders
}

/// What an object is, and its bytes; `None` if it is not loose.
pub(super) fn read(folders: &[PathBuf], oid: Oid) -> Result<Option<(Kind, Vec<u8>)>, GitError> {
    let Some((mut stream, kind, size)) = open(folders, oid)? else { return Ok(None) };
    if size > LARGEST {
        return Err(damaged(oid, &format!("it has {size} bytes, and more than {LARGEST} are not read")));
    }
    let mut bytes = Vec::new();
    let length = usize::try_from(size).map_err(|_| damaged(oid, "it is too large"))?;
    // A size that is not true must not take all memory.
    bytes.try_reserve_exact(length.min(1 << 26)).map_err(|_| damaged(oid, "it is too large"))?;
    let read = (&mut stream).take(size.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| damaged(oid, &error.to_string()))?;
    if bytes.len() != length {
        return Err(damaged(oid, "its size is not what its header says"));
    }
    Ok(Some((kind, bytes)))
}

/// What an object is, and its size in bytes; `None` if it is not loose.
pub(super) fn header(folders: &[PathBuf], oid: Oid) -> Result<Option<(Kind, u64)>, GitError> {
    Ok(open(folders, oid)?.map(|(_, kind, size)| (kind, size)))
}

/// The names of all loose objects.
pub(super) fn all(folders: &[PathBuf], parse: impl Fn(&str) -> Option<Oid>) -> Result<Vec<Oid>, GitError> {
    let mut found = Vec::new();
    for objects in folders {
        for first in 0..=u8::MAX {
            let first = format!("{first:02x}");
            let folder = objects.join(&first);
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(FileError::new("list", &folder))?,
            };
            for entry in entries {
                let name = entry.map_err(FileError::new("list", &folder))?.file_name();
                // Files on their way have other names.
                found.extend(name.to_str().and_then(|rest| parse(&format!("{first}{rest}"))));
            }
        }
    }
    Ok(found)
}

type Stream = ZlibDecoder<File>;

fn open(folders: &[PathBuf], oid: Oid) -> Result<Option<(Stream, Kind, u64)>, GitError> {
    let name = oid.to_string();
    let (folder, file) = name.split_at(2);
    for objects in folders {
        let path = objects.join(folder).join(file);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(damaged(oid, &error.to_string())),
        };
        let mut stream = ZlibDecoder::new(file);
        let (kind, size) = read_header(&mut stream).ok_or_else(|| damaged(oid, "it has no header"))?;
        return Ok(Some((stream, kind, size)));
    }
    Ok(None)
}

/// `KIND SIZE` and a NUL.
fn read_header(stream: &mut Stream) -> Option<(Kind, u64)> {
    let mut header = Vec::with_capacity(HEADER);
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        if byte == [0] {
            break;
        }
        header.extend_from_slice(&byte);
        if header.len() > HEADER {
            return None;
        }
    }
    let (kind, size) = std::str::from_utf8(&header).ok()?.split_once(' ')?;
    let kind = match kind {
        "blob" => Kind::Blob,
        "tree" => Kind::Tree,
        "commit" => Kind::Commit,
        "tag" => Kind::Tag,
        _ => return None,
    };
    Some((kind, size.parse().ok()?))
}

fn damaged(oid: Oid, message: &str) -> GitError {
    GitError::Object { oid: oid.to_string(), message: message.to_owned() }
}
