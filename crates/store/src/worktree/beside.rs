// SPDX-License-Identifier: MIT OR Apache-2.0
//! A new file beside the one it is to replace, where git's directory lies on
//! another file system and no rename leads from there.
//!
//! It lies in a folder that git ignores as a whole, under its own name, which
//! the rules protect as they do in the folder above: plaintext that a killed run
//! leaves there enters no commit. The next run sweeps it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::sweep;
use crate::{
    durable::{Access, FileError, inspect, make_directory, permissions, sync_directory, write_unsynced},
    read::{ReadError, read_secret_file},
};

/// The folder, in the one that holds the file.
pub(crate) const FOLDER: &str = ".certkeep-stage";

/// Moves `staged` to `target` by way of a copy beside it, which has the same mode
/// and is as old as `modified` says.
pub(super) fn place(staged: &Path, target: &Path, modified: Option<SystemTime>) -> Result<(), ReadError> {
    let gone = || FileError::new("read", staged)(io::ErrorKind::NotFound.into());
    let bytes = read_secret_file(staged)?.ok_or_else(gone)?;
    let mode = permissions(&inspect(staged)?.ok_or_else(gone)?);
    let parent = target.parent().unwrap_or(target);
    let folder = parent.join(FOLDER);
    sweep(&folder)?;
    make_directory(&folder, Access::Owner)?;
    write_unsynced(&folder.join(".gitignore"), b"*\n", Access::Owner, None)?;
    let beside: PathBuf = folder.join(target.file_name().unwrap_or_default());
    write_unsynced(&beside, bytes.expose(), Access::Mode(mode), modified)?;
    let synced = fs::File::open(&beside).and_then(|file| file.sync_all());
    synced.map_err(FileError::new("sync", &beside))?;
    fs::rename(&beside, target).map_err(FileError::new("rename a new file to", target))?;
    sync_directory(parent)?;
    Ok(sweep(&folder)?)
}
