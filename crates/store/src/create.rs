// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes a PKI directory, also in the place of an old one.
//!
//! long: the order of its renames, and what each
//! of them undoes or finishes, has to be read together.
//!
//! The new directory is built beside its place and put there by a rename, so
//! there is never half a PKI. Between the two renames of a replacement there
//! is none: whoever opens the PKI then finishes the second one.
//!
//! ```text
//! build    .NAME.certkeep-new, synced
//! retire   NAME to .NAME.certkeep-old, synced
//! place    .NAME.certkeep-new to NAME, synced
//! delete   .NAME.certkeep-old
//! ```
//!
//! Opening renames and never deletes. A retired PKI is deleted only by those
//! who write, and only while a complete one stands in its place: what stands
//! there otherwise may be a mount point without its mount.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use certkeep_pki::change::ChangeSet;
use thiserror::Error;

use crate::{
    durable::{
        Access, FileError, inspect, make_directories, make_directory, rename_if_present, sync_directory,
        write_new,
    },
    lock::{Lock, LockError},
    modes::{Modes, Umask},
    plan::{Plan, Source, directory_access, file_access},
    transaction::RecordError,
};

/// How long another creation in the same place is waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// The directories without which a directory is no PKI.
pub(crate) const PARTS: [&str; 2] = ["private", "reqs"];

/// What becomes of a PKI that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is made.
    Refuse,
    /// It is deleted as a whole, keys included.
    Replace,
}

/// Why no PKI was made. Whatever was there is there still, except with
/// [`CreateError::Leftover`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CreateError {
    /// A path that easy-rsa refuses too: the file system root, the current or
    /// the parent directory, a drive, nothing.
    #[error("`{}` cannot be a PKI directory", path.display())]
    Forbidden {
        /// The path.
        path: PathBuf,
    },
    /// Something is there and shall stay.
    #[error("{} already exists", path.display())]
    AlreadyExists {
        /// The path.
        path: PathBuf,
    },
    /// A file, pipe or device, or a link that leads nowhere.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// It holds files and is not a PKI: replacing it would delete the files of
    /// somebody who mistyped.
    #[error("{} is not empty and not a PKI", path.display())]
    NotAPki {
        /// The directory.
        path: PathBuf,
    },
    /// It holds a `.git`: replacing it would delete a repository with its history.
    #[error("{} is a git repository", path.display())]
    Repository {
        /// The directory.
        path: PathBuf,
    },
    /// An interrupted replacement left the old PKI aside, and what has come
    /// into its place since is none.
    #[error("{} is not a PKI, and the one that it was is in {}", path.display(), retired.display())]
    Displaced {
        /// Where the PKI belongs.
        path: PathBuf,
        /// Where it is.
        retired: PathBuf,
    },
    /// Another process makes a PKI in the same place.
    #[error("{} is being made by another process", path.display())]
    Busy {
        /// The path.
        path: PathBuf,
    },
    /// The old PKI is in use.
    #[error("the old PKI could not be locked")]
    Lock(#[from] LockError),
    /// A file of the new PKI was refused.
    #[error("the new PKI could not be written")]
    Record(#[from] RecordError),
    /// The system refused.
    #[error("the PKI could not be made")]
    File(#[from] FileError),
    /// The new PKI is in place, and the old one could not be deleted.
    #[error("the new PKI is in place, but the old one could not be deleted from {}", path.display())]
    Leftover {
        /// Where the old PKI is.
        path: PathBuf,
        /// What failed.
        #[source]
        source: FileError,
    },
}

/// Makes a PKI directory at `root` with the files of `changes`.
///
/// A symbolic link at `root` stays one: the directory that it leads to is
/// replaced. Directories above `root` are made as needed. Waits for another
/// writer of the old PKI.
///
/// # Errors
///
/// One [`CreateError`] per refusal; see its variants.
pub fn create(root: &Path, changes: &ChangeSet, existing: Existing, modes: Modes) -> Result<(), CreateError> {
    let site = Site::of(root)?;
    make_directories(&site.parent)?;
    let _turn = site.wait_for_turn()?;
    site.restore()?;
    let old = site.old(existing)?;
    let made = build(&site.new, changes, modes.umask).and_then(|()| site.place(old, modes));
    if made.is_err() && inspect(&site.new)?.is_some() {
        // Keys that nobody asked to keep; if they stay, the next creation sweeps them.
        drop(fs::remove_dir_all(&site.new));
    }
    made
}

/// What an interrupted replacement left where a PKI was expected.
pub(crate) enum Remains {
    /// Nothing, or nothing that could be dealt with.
    Nothing,
    /// A PKI, which is in its place now.
    Restored,
    /// A PKI that lies here, while something else is in its place.
    Aside(PathBuf),
}

/// Puts a PKI into the empty place at `root` if an interrupted replacement left
/// it empty. Deletes nothing: whoever opens a PKI may only want to read.
pub(crate) fn restore(root: &Path) -> Remains {
    let Ok(site) = Site::of(root) else { return Remains::Nothing };
    if !matches!(inspect(&site.retired), Ok(Some(_))) {
        return Remains::Nothing;
    }
    match site.wait_for_turn().and_then(|_turn| Ok(site.fill()?)) {
        Ok(()) if is_complete(&site.root) => Remains::Restored,
        Ok(()) if matches!(inspect(&site.retired), Ok(Some(_))) => Remains::Aside(site.retired),
        _ => Remains::Nothing,
    }
}

/// Deletes the PKI that an interrupted replacement retired, if the new one is
/// in its place. For a writer: what cannot be deleted now is left to the next.
pub(crate) fn sweep(root: &Path) {
    let Ok(site) = Site::of(root) else { return };
    if matches!(inspect(&site.retired), Ok(Some(_)))
        // No waiting: a creation may be waiting for the lock of this writer.
        && let Ok(parent) = File::open(&site.parent)
        && parent.try_lock().is_ok()
    {
        drop(site.delete_retired());
    }
}

/// What is at the place of the new PKI.
enum Old {
    Nothing,
    /// An empty directory, which a rename replaces.
    Empty,
    Pki,
}

/// The place of a PKI and what lies beside it meanwhile.
struct Site {
    root: PathBuf,
    parent: PathBuf,
    new: PathBuf,
    retired: PathBuf,
}

impl Site {
    fn of(root: &Path) -> Result<Self, CreateError> {
        let forbidden = || CreateError::Forbidden { path: root.to_owned() };
        if is_forbidden(root) {
            return Err(forbidden());
        }
        // Through a link, to the directory that it leads to.
        let root = match fs::canonicalize(root) {
            Ok(root) => root,
            Err(_) if matches!(inspect(root), Ok(Some(_))) => {
                return Err(CreateError::NotADirectory { path: root.to_owned() });
            }
            Err(_) => std::path::absolute(root).map_err(FileError::new("resolve", root))?,
        };
        let (Some(parent), Some(name)) = (root.parent(), root.file_name()) else { return Err(forbidden()) };
        let beside = |suffix: &str| {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(suffix);
            parent.join(hidden)
        };
        Ok(Self {
            new: beside(".certkeep-new"),
            retired: beside(".certkeep-old"),
            parent: parent.to_owned(),
            root,
        })
    }

    /// One creation at a time below a parent directory. Nothing stale is left
    /// by a process that dies.
    fn wait_for_turn(&self) -> Result<File, CreateError> {
        let began = Instant::now();
        let parent = File::open(&self.parent).map_err(FileError::new("open", &self.parent))?;
        while let Err(error) = parent.try_lock() {
            match error {
                fs::TryLockError::WouldBlock if began.elapsed() < LIMIT => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                fs::TryLockError::WouldBlock => return Err(CreateError::Busy { path: self.root.clone() }),
                fs::TryLockError::Error(error) => {
                    return Err(FileError::new("lock", &self.parent)(error).into());
                }
            }
        }
        Ok(parent)
    }

    /// Brings what an interrupted creation left to its end.
    fn restore(&self) -> Result<(), FileError> {
        self.fill()?;
        self.delete_retired()?;
        remove_tree(&self.new)
    }

    /// Puts a PKI in its place if an interrupted replacement left none there.
    fn fill(&self) -> Result<(), FileError> {
        if inspect(&self.retired)?.is_some() && inspect(&self.root)?.is_none() {
            // The new one was complete before the old one went.
            if !rename_if_present(&self.new, &self.root)? {
                rename_if_present(&self.retired, &self.root)?;
            }
            sync_directory(&self.parent)?;
        }
        Ok(())
    }

    /// Deletes what was retired if a complete PKI is in its place.
    fn delete_retired(&self) -> Result<(), FileError> {
        if is_complete(&self.root) { remove_tree(&self.retired) } else { Ok(()) }
    }

    fn old(&self, existing: Existing) -> Result<Old, CreateError> {
        let path = self.root.clone();
        let Some(metadata) = inspect(&path)? else { return Ok(Old::Nothing) };
        if !metadata.is_dir() {
            return Err(CreateError::NotADirectory { path });
        }
        let mut entries = fs::read_dir(&path).map_err(FileError::new("list", &path))?;
        if entries.next().is_none() {
            // A new PKI here would have the retired one deleted.
            return match inspect(&self.retired)? {
                Some(_) => Err(CreateError::Displaced { path, retired: self.retired.clone() }),
                None => Ok(Old::Empty),
            };
        }
        if existing == Existing::Refuse {
            return Err(CreateError::AlreadyExists { path });
        }
        if inspect(&path.join(".git"))?.is_some() {
            return Err(CreateError::Repository { path });
        }
        for part in PARTS {
            if inspect(&path.join(part))?.is_none() {
                return Err(CreateError::NotAPki { path });
            }
        }
        Ok(Old::Pki)
    }

    /// Puts the new directory in its place.
    fn place(&self, old: Old, modes: Modes) -> Result<(), CreateError> {
        sync_directory(&self.parent)?;
        let mut lock = None;
        if let Old::Pki = old {
            let held = lock.insert(Lock::acquire(&self.root, modes.lock_file, &mut |_| {})?);
            held.give_up_lock_file()?;
            fs::rename(&self.root, &self.retired).map_err(FileError::new("rename", &self.root))?;
            sync_directory(&self.parent)?;
        }
        if let Err(error) = fs::rename(&self.new, &self.root) {
            if let Old::Pki = old {
                rename_if_present(&self.retired, &self.root)?;
            }
            return Err(FileError::new("rename the new directory to", &self.root)(error).into());
        }
        sync_directory(&self.parent)?;
        let path = self.retired.clone();
        remove_tree(&path).map_err(|source| CreateError::Leftover { path, source })
    }
}

/// Whether the directory of a PKI is there with all that makes it one.
fn is_complete(root: &Path) -> bool {
    PARTS.iter().all(|part| root.join(part).is_dir())
}

/// easy-rsa 3.2: init-pki – refuses these texts as a PKI directory.
fn is_forbidden(root: &Path) -> bool {
    let Some(text) = root.to_str() else { return root.file_name().is_none() };
    let drive = text.len() == 2 && text.ends_with(':');
    let doubled = ["//", ".//", "..//"].iter().any(|start| text.starts_with(start));
    root.file_name().is_none() || text == "\\" || drive || doubled
}

/// Writes the files of `changes` into a new directory, and syncs them all.
fn build(new: &Path, changes: &ChangeSet, umask: Umask) -> Result<(), CreateError> {
    make_directory(new, Access::Mode(umask.directory_mode()))?;
    let plan = Plan::of(new, changes)?;
    for relative in &plan.directories {
        make_directory(&new.join(relative), directory_access(relative, &plan.directories, umask))?;
    }
    for placement in plan.placements() {
        let access = file_access(placement.relative, None, umask);
        let path = new.join(placement.relative);
        match placement.source {
            Source::Contents(contents) => write_new(&path, contents, access, None)?.sync()?,
            // Nothing stands in a directory that was made just now.
            Source::Existing(from) => {
                let absent = io::Error::from(io::ErrorKind::NotFound);
                return Err(FileError::new("read", &new.join(from.relative()))(absent).into());
            }
        }
    }
    for relative in &plan.directories {
        sync_directory(&new.join(relative))?;
    }
    Ok(sync_directory(new)?)
}

fn remove_tree(path: &Path) -> Result<(), FileError> {
    match inspect(path)? {
        None => Ok(()),
        Some(_) => fs::remove_dir_all(path).map_err(FileError::new("remove", path)),
    }
}
