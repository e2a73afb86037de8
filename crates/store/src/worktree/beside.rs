// SPDX-License-Identifier: MIT OR Apache-2.0
//! A new file beside the one it is to replace, where git's directory lies on
//! another file system and no rename leads from there.
//!
//! It lies in a folder that git ignores as a whole, under its own name, which
//! the rules protect as they do in the folder above: plaintext that a killed run
//! leaves there enters no commit. The next run sweeps it.

use std::{
    fs::{self, FileTimes},
    io,
    path::{Path, PathBuf},
};

use super::sweep;
use crate::{
    durable::{
        Access, FileError, Owner, copy_new, inspect, make_directory, permissions, sync_directory,
        write_unsynced,
    },
    read::ReadError,
};

/// The folder, in the one that holds the file.
pub(crate) const FOLDER: &str = ".certkeep-stage";

/// Moves `staged` to `target` by way of a copy beside it, of the same mode and age.
pub(crate) fn place(staged: &Path, target: &Path) -> Result<(), ReadError> {
    let gone = || FileError::new("read", staged)(io::ErrorKind::NotFound.into());
    let metadata = inspect(staged)?.ok_or_else(gone)?;
    let parent = target.parent().unwrap_or(target);
    let folder = parent.join(FOLDER);
    sweep(&folder)?;
    make_directory(&folder, Access::Owner)?;
    let beside: PathBuf = folder.join(target.file_name().unwrap_or_default());
    let ignore = folder.join(".gitignore");
    // A file of that name itself is public.
    if ignore != beside {
        write_unsynced(&ignore, b"*\n", Access::Owner, None)?;
    }
    let access = Access::Mode(permissions(&metadata));
    let written = copy_new(staged, &beside, access, Some(Owner::of(&metadata)))?.ok_or_else(gone)?;
    let times =
        FileTimes::new().set_modified(metadata.modified().map_err(FileError::new("inspect", staged))?);
    let dated = fs::File::open(&beside).and_then(|file| file.set_times(times));
    dated.map_err(FileError::new("set the time of", &beside))?;
    written.sync()?;
    fs::rename(&beside, target).map_err(FileError::new("rename a new file to", target))?;
    sync_directory(parent)?;
    Ok(sweep(&folder)?)
}
