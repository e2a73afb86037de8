// SPDX-License-Identifier: MIT OR Apache-2.0
//! The few system calls that the store makes, each wrapped once with the path
//! it was about.
//!
//! What these functions return from is on the disk, or will be once the named
//! directory is synced; they know nothing of transactions.

use std::{
    fs::{self, DirBuilder, File, FileTimes, Metadata, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
    time::SystemTime,
};

use certkeep_pki::{change::Contents, secret::SecretBytes};
use thiserror::Error;

use crate::read::{ReadError, read_secret_file};

/// A system call that failed, and the path it was about.
#[derive(Debug, Error)]
#[error("cannot {action} {}", path.display())]
pub struct FileError {
    /// What was asked of the system: `write`, `rename`, ...
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// What the system answered.
    #[source]
    pub source: io::Error,
}

impl FileError {
    pub(crate) fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, path: path.to_owned(), source }
    }

    /// Whether there was no file.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    }
}

/// Who may use a file that is about to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Mode 0600, from the moment of its creation.
    Owner,
    /// This mode, set on the open file: the umask of the process has no say.
    Mode(u32),
}

/// The owner and group of a file that is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { user: metadata.uid(), group: metadata.gid() }
    }
}

/// The permission bits of a file: no set-user-ID and the like.
pub(crate) fn permissions(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o777
}

/// A new file whose bytes are on their way to the disk.
#[must_use = "bytes that are not synced may be lost"]
pub(crate) struct Written {
    path: PathBuf,
    file: File,
}

impl Written {
    /// Waits until the bytes are on the disk.
    pub(crate) fn sync(self) -> Result<(), FileError> {
        self.file.sync_all().map_err(FileError::new("sync", &self.path))
    }
}

/// Writes a file that must not exist and starts it on its way to the disk.
/// Neither its bytes nor its name are there before they are synced: several
/// files that are written first and synced afterwards share one turn of the
/// file system's journal.
pub(crate) fn write_new(
    path: &Path,
    contents: &Contents,
    access: Access,
    owner: Option<Owner>,
) -> Result<Written, FileError> {
    write_bytes(path, bytes_of(contents), access, owner)
}

/// What is written, whether it is secret or not.
pub(crate) fn bytes_of(contents: &Contents) -> &[u8] {
    match contents {
        Contents::Public(bytes) => bytes,
        Contents::Secret(bytes) => bytes.expose(),
    }
}

/// As [`write_new`], with the bytes of another file, which may be secret;
/// `None` when there is no such file.
pub(crate) fn copy_new(
    from: &Path,
    path: &Path,
    access: Access,
    owner: Option<Owner>,
) -> Result<Option<Written>, ReadError> {
    let Some(bytes) = read_secret_file(from)? else { return Ok(None) };
    Ok(Some(write_bytes(path, bytes.expose(), access, owner)?))
}

fn write_bytes(
    path: &Path,
    bytes: &[u8],
    access: Access,
    owner: Option<Owner>,
) -> Result<Written, FileError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(FileError::new("create", path))?;
    file.write_all(bytes).map_err(FileError::new("write", path))?;
    let metadata = file.metadata().map_err(FileError::new("inspect", path))?;
    if let Some(owner) = owner.filter(|&owner| owner != Owner::of(&metadata)) {
        // Only root can give a file away. Whoever cannot keeps it, as with any
        // program that replaces a file by renaming.
        drop(fchown(&file, Some(owner.user), Some(owner.group)));
    }
    if let Access::Mode(mode) = access
        && permissions(&metadata) != mode
    {
        file.set_permissions(fs::Permissions::from_mode(mode))
            .map_err(FileError::new("set the mode of", path))?;
    }
    // Advice: where it is not taken, the sync does all the work.
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    Ok(Written { path: path.to_owned(), file })
}

/// Writes a file that must not exist, last modified at `modified` for all that
/// anybody can tell. It is on the disk after [`sync_file_system`], which is one
/// wait for many files.
pub(crate) fn write_unsynced(
    path: &Path,
    bytes: &[u8],
    access: Access,
    modified: Option<SystemTime>,
) -> Result<(), FileError> {
    let mode = match access {
        Access::Owner => 0o600,
        Access::Mode(mode) => mode,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(FileError::new("create", path))?;
    file.write_all(bytes).map_err(FileError::new("write", path))?;
    let times = modified.map_or(FileTimes::new(), |time| FileTimes::new().set_modified(time));
    file.set_times(times).map_err(FileError::new("set the time of", path))
}

/// Waits until everything on the file system of a directory is on the disk.
pub(crate) fn sync_file_system(path: &Path) -> Result<(), FileError> {
    #[cfg(target_os = "linux")]
    {
        let directory = File::open(path).map_err(FileError::new("open", path))?;
        rustix::fs::syncfs(directory).map_err(|error| FileError::new("sync", path)(error.into()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        rustix::fs::sync();
        sync_directory(path)
    }
}

/// Waits until the names in a directory are on the disk.
pub(crate) fn sync_directory(path: &Path) -> Result<(), FileError> {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    match synced {
        // Some network file systems have no such call for a directory, and
        // write names through anyway.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result.map_err(FileError::new("sync", path)),
    }
}

/// Makes a directory; says whether it had to.
pub(crate) fn make_directory(path: &Path, access: Access) -> Result<bool, FileError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(FileError::new("create", path)(error)),
    }
    if let Access::Mode(mode) = access
        && mode != 0o700
    {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .map_err(FileError::new("set the mode of", path))?;
    }
    Ok(true)
}

/// Makes sure that a directory and those above it exist; new ones are 0700.
pub(crate) fn make_directories(path: &Path) -> Result<(), FileError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(FileError::new("create", path))
}

/// Replaces a secret file that is no part of a PKI by one that is written beside
/// it, mode 0600: a crash leaves the old one or the new one. Where `path` is a
/// link, what it leads to is replaced.
///
/// # Errors
///
/// What the system answered; a file with `.new` behind its name is in the way.
pub fn replace_secret_file(path: &Path, contents: SecretBytes) -> Result<(), FileError> {
    let path = path.canonicalize().map_err(FileError::new("find", path))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let owner = inspect(&path)?.as_ref().map(Owner::of);
    let written = write_new(&beside, &Contents::Secret(contents), Access::Owner, owner)?;
    let placed = written.sync().and_then(|()| rename_if_present(&beside, &path));
    if placed.is_err() {
        drop(remove_if_present(&beside));
    }
    placed?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Renames over whatever file stands at `to`; false when `from` is gone.
pub(crate) fn rename_if_present(from: &Path, to: &Path) -> Result<bool, FileError> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        // Also what a missing directory of `to` gives, so look before believing it.
        Err(error) if error.kind() == io::ErrorKind::NotFound && inspect(from)?.is_none() => Ok(false),
        Err(error) => Err(FileError::new("rename a new file to", to)(error)),
    }
}

/// Removes a file; absence is fine.
pub(crate) fn remove_if_present(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::new("remove", path)(error)),
        _ => Ok(()),
    }
}

/// What stands at `path`, a symbolic link being itself.
pub(crate) fn inspect(path: &Path) -> Result<Option<Metadata>, FileError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(FileError::new("inspect", path)(error)),
    }
}

/// Whether two handles or paths are one directory.
pub(crate) fn same_file(one: &Metadata, other: &Metadata) -> bool {
    one.dev() == other.dev() && one.ino() == other.ino()
}
