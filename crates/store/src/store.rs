// SPDX-License-Identifier: MIT OR Apache-2.0
//! A PKI directory: open it, read it, become its one writer, record.
//!
//! Reading needs no lock and no right to write. A change that was committed
//! but interrupted is seen as done by every reader who may look for it, whether
//! or not its files are in their places yet.
//!
//! long: half of it is what callers need to know, on the one type that they use.

use std::{
    fs, io,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
};

use certkeep_pki::{
    change::ChangeSet,
    layout::{PkiDirectory, PkiPath},
    secret::SecretBytes,
};
use thiserror::Error;

use crate::{
    create::{self, PARTS, Remains},
    durable::FileError,
    git::{Head, Patience, Repository},
    history::{History, LeftAway, Message},
    journal::{Journal, Promise},
    lock::Lock,
    modes::Modes,
    read::{read_at_once, read_file, read_secret_file},
    survey::Survey,
    transaction::{self, RecoverError, Site},
};
pub use crate::{
    create::{CreateError, Existing},
    durable::replace_secret_file,
    lock::{LockError, Waiting},
    read::ReadError,
    transaction::{RecordError, Recorded},
};

/// A PKI directory, open for reading.
#[derive(Debug)]
pub struct Store {
    site: Site,
    history: Option<Arc<History>>,
    left_away: Option<LeftAway>,
}

/// Why a directory cannot be opened as a PKI.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It lacks `private` or `reqs`, or does not exist.
    #[error("{} is not a PKI directory: there is no `{missing}` in it", root.display())]
    NotAPki {
        /// The directory.
        root: PathBuf,
        /// What it lacks.
        missing: &'static str,
    },
    /// An interrupted replacement left the PKI aside, and what has come into its
    /// place since is none.
    #[error("{} is not a PKI directory, and the one that it was is in {}", root.display(), retired.display())]
    Displaced {
        /// The directory.
        root: PathBuf,
        /// Where the PKI is.
        retired: PathBuf,
    },
    /// The system refused to show it.
    #[error("{} could not be opened", root.display())]
    File {
        /// The directory.
        root: PathBuf,
        /// What failed.
        #[source]
        source: FileError,
    },
    /// What an interrupted command left there cannot be understood.
    #[error(transparent)]
    Recover(#[from] RecoverError),
}

impl Store {
    /// Makes a new PKI directory with the files of `changes`: complete, or not
    /// at all. See [`create::create`], which this is.
    ///
    /// # Errors
    ///
    /// One [`CreateError`] per refusal; see its variants.
    pub fn create(
        root: &Path,
        changes: &ChangeSet,
        existing: Existing,
        modes: Modes,
    ) -> Result<(), CreateError> {
        create::create(root, changes, existing, modes)
    }

    /// Opens the PKI directory at `root` for reading.
    ///
    /// What an interrupted command had committed is completed if that is
    /// possible at once; otherwise it is only seen as done.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotAPki`] without `private` and `reqs` in it;
    /// [`OpenError::Displaced`] if those that were there have been put aside.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        if let Err(error) = require_pki(root) {
            // Perhaps init-pki was interrupted between its two renames.
            match create::restore(root) {
                Remains::Restored => require_pki(root)?,
                Remains::Aside(retired) => {
                    return Err(OpenError::Displaced { root: root.to_owned(), retired });
                }
                Remains::Nothing => return Err(error),
            }
        }
        let site = Site::pki(root);
        let mut left_away = None;
        if transaction::visible(&site)?.is_some()
            && let Ok(Some(_lock)) = Lock::try_acquire(root)
        {
            // A failure leaves the journal, and every read looks into it.
            left_away = transaction::recover(&site, Patience::None).ok().flatten();
        }
        Ok(Self { site, history: None, left_away })
    }

    /// The same PKI, whose changes are committed to git from now on.
    #[must_use]
    pub fn with_history(self, history: History) -> Self {
        Self { history: Some(Arc::new(history)), ..self }
    }

    /// The commit of an interrupted change that was completed when this was opened
    /// or became a writer, if it had to be left away.
    #[must_use]
    pub fn left_away(&self) -> Option<&LeftAway> {
        self.left_away.as_ref()
    }

    /// The PKI directory, as it was given.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.site.root
    }

    /// Reads a file; `None` when there is none. Follows symbolic links, reads
    /// named pipes to their end, and at most [`SIZE_LIMIT`](crate::read::SIZE_LIMIT) bytes
    /// ([`PIPE_LIMIT`](crate::read::PIPE_LIMIT) from a pipe).
    ///
    /// # Errors
    ///
    /// [`ReadError`] when there is something that cannot be read.
    pub fn read(&self, path: &PkiPath) -> Result<Option<Vec<u8>>, ReadError> {
        self.find(path, read_file)
    }

    /// As [`Store::read`], for somebody who may not wait: what is no file is an error,
    /// and a named pipe is not waited for.
    ///
    /// # Errors
    ///
    /// As [`Store::read`], and [`ReadError::NoFile`].
    pub fn read_at_once(&self, path: &PkiPath) -> Result<Option<Vec<u8>>, ReadError> {
        self.find(path, read_at_once)
    }

    /// As [`Store::read`], into memory that is zeroised after use.
    ///
    /// # Errors
    ///
    /// As [`Store::read`].
    pub fn read_secret(&self, path: &PkiPath) -> Result<Option<SecretBytes>, ReadError> {
        self.find(path, read_secret_file)
    }

    /// Whether there is something at a path, be it a link that leads nowhere.
    ///
    /// # Errors
    ///
    /// [`ReadError::File`] when the system does not say.
    pub fn exists(&self, path: &PkiPath) -> Result<bool, ReadError> {
        let exists = |path: &Path| Ok(crate::durable::inspect(path)?.map(drop));
        self.find(path, exists).map(|found| found.is_some())
    }

    /// The names of the regular files in a directory, and of symbolic links to
    /// such, sorted; none if it does not exist. Left out is what whoever reads
    /// all of them would stumble over, such as a named pipe, which waits for a
    /// writer; and names that are not UTF-8: no [`PkiPath`] can have one.
    ///
    /// # Errors
    ///
    /// [`ReadError::File`] when the directory cannot be read.
    pub fn list(&self, directory: PkiDirectory) -> Result<Vec<String>, ReadError> {
        // Before the directory: a change that is completed meanwhile is in both.
        let pending = transaction::visible(&self.site)?;
        Ok(list(&self.site, directory, pending.iter().flat_map(Journal::promises))?)
    }

    /// Looks at many files in one go.
    ///
    /// # Errors
    ///
    /// [`ReadError::Recover`] when an interrupted change cannot be understood.
    pub fn survey(&self) -> Result<Survey, ReadError> {
        Ok(Survey::new(self.site.clone(), transaction::visible(&self.site)?.as_ref()))
    }

    /// Becomes the one writer, after waiting for others. `waiting` is called
    /// when a wait becomes noticeable, and every few seconds from then on.
    ///
    /// The writer sees what those others wrote: decide from what it reads, not
    /// from what was read before.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] after five minutes, [`LockError::HeldByEasyrsa`]
    /// after one; [`LockError::Recover`] when
    /// an interrupted change cannot be completed.
    pub fn writer(&self, modes: Modes, waiting: &mut dyn FnMut(&Waiting)) -> Result<Writer, LockError> {
        let root = self.root();
        let lock = Lock::acquire(root, modes.lock_file, waiting)?;
        let left_away = transaction::recover(&self.site, Patience::Wait)?;
        require_pki(root).map_err(|error| LockError::Open(Box::new(error)))?;
        create::sweep(root);
        let store = Self { site: self.site.clone(), history: self.history.clone(), left_away };
        let since = head(root);
        Ok(Writer { store, modes, since, _lock: lock })
    }

    /// Looks where the bytes of a path are: in its place, or still staged. Asks
    /// the disk each time, for others write while we read.
    fn find<T>(
        &self,
        path: &PkiPath,
        read: impl Fn(&Path) -> Result<Option<T>, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        let relative = path.relative();
        let pending = transaction::visible(&self.site)?;
        match pending.as_ref().and_then(|journal| journal.promise(&relative)) {
            Some(Promise::Removed) => return Ok(None),
            Some(Promise::Placed(staged)) => {
                // Whoever completes the change renames it: it is in one place or the other.
                let found = read(&self.site.stage.join(staged))?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            None => {}
        }
        read(&self.root().join(relative))
    }
}

/// The one writer of a PKI directory, until it is dropped.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    modes: Modes,
    /// Where HEAD was before anything was read to decide by.
    since: Option<Head>,
    _lock: Lock,
}

impl Writer {
    /// Commits to git what is recorded from now on.
    pub fn set_history(&mut self, history: History) {
        self.store.history = Some(Arc::new(history));
    }

    /// Records changes: when this returns `Ok`, all of them are on the disk, and
    /// in one git commit if there is a history; `message` is what it says.
    /// An error other than [`RecordError::Unfinished`] leaves everything as it
    /// was.
    ///
    /// # Errors
    ///
    /// One [`RecordError`] per refusal; see its variants.
    pub fn record(&mut self, changes: &ChangeSet, message: &Message) -> Result<Recorded, RecordError> {
        // What an earlier failure of this very writer left.
        let left = transaction::recover(&self.site, Patience::Wait).map_err(RecordError::Blocked)?;
        self.store.left_away = left.or_else(|| self.store.left_away.take());
        let history = self.history.as_deref().map(|history| (history, message));
        let since = self.since.clone();
        let recorded = transaction::record(&self.site, changes, self.modes.umask, history, since)?;
        self.since = head(self.root());
        Ok(recorded)
    }
}

impl Deref for Writer {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// What [`Store::list`] promises, with what an interrupted change will have placed or removed.
pub(crate) fn list<'a>(
    site: &Site,
    directory: PkiDirectory,
    promises: impl Iterator<Item = (&'a [u8], Promise<'a>)>,
) -> Result<Vec<String>, FileError> {
    let path = site.root.join(directory.relative());
    let mut names = Vec::new();
    match fs::read_dir(&path) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(FileError::new("list", &path))?;
                let kind = entry.file_type().map_err(FileError::new("inspect", &entry.path()))?;
                // Most are no links and need no second question.
                let regular = kind.is_file() || kind.is_symlink() && entry.path().is_file();
                names.extend(entry.file_name().into_string().ok().filter(|_| regular));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(FileError::new("list", &path)(error)),
    }
    for (relative, promise) in promises {
        let relative = std::str::from_utf8(relative).ok();
        let Some((parent, name)) = relative.and_then(|path| path.rsplit_once('/')) else { continue };
        if parent == directory.relative() {
            match promise {
                Promise::Placed(_) => names.push(name.to_owned()),
                Promise::Removed => names.retain(|listed| listed != name),
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Where the HEAD of a PKI's repository is, if it has one that can be read. Whoever
/// commits hears of one that cannot.
fn head(root: &Path) -> Option<Head> {
    Repository::discover(root).ok()??.head().ok()
}

/// Refuses a directory without `private` and `reqs`, unless it has a database:
/// git keeps no empty directory, so a clone may lack both.
fn require_pki(root: &Path) -> Result<(), OpenError> {
    if root.join("index.txt").is_file() {
        return Ok(());
    }
    for missing in PARTS {
        match fs::metadata(root.join(missing)) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(OpenError::NotAPki { root: root.to_owned(), missing }),
            Err(error) => {
                let source = FileError::new("inspect", &root.join(missing))(error);
                let root = root.to_owned();
                let absent = source.is_absence();
                return Err(if absent {
                    OpenError::NotAPki { root, missing }
                } else {
                    OpenError::File { root, source }
                });
            }
        }
    }
    Ok(())
}
