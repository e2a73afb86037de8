// SPDX-License-Identifier: MIT OR Apache-2.0
//! All files of a [`ChangeSet`], or none.
//!
//! ```text
//! stage    .transaction/ID.N        every new file, synced, under a name never used before
//! objects  .git/objects             the same as a git commit, synced, nothing refers to it
//! journal  .transaction/journal.new what to do with them, synced
//! commit   rename to .transaction/journal, sync .transaction
//! steps    rename and remove, sync every directory that was touched
//! land     HEAD and the index follow to the git commit, synced
//! done     remove the journal and .transaction; the next transaction syncs that
//! ```
//!
//! The git commit is made where there is a history, and only there.
//!
//! Whoever finds a journal does the steps from the start; whoever finds
//! `.transaction` without one removes it. Both only under the lock, which this
//! file knows nothing of.
//!
//! long: what is written, completed, undone and seen by readers is one protocol,
//! whose halves have to be read beside each other.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use certkeep_pki::{change::ChangeSet, layout::PkiPath};
use thiserror::Error;

pub use crate::{durable::FileError, journal::JournalError};
use crate::{
    durable::{
        Access, Owner, Written, copy_new, inspect, make_directories, make_directory, permissions,
        remove_if_present, rename_if_present, sync_directory,
    },
    git::{GitError, Head, Patience, Stat},
    history::{
        History, LeftAway, Message, SealRefusal,
        draft::PkiDraft,
        land::{Landed, Placed, check, land},
    },
    journal::{Journal, Step},
    modes::Umask,
    plan::Plan,
    read::ReadError,
    stage::prepare,
};

const JOURNAL: &str = "journal";
pub(crate) const JOURNAL_NEW: &str = "journal.new";

/// Where a transaction takes place.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// What the paths of a journal are relative to.
    pub(crate) root: PathBuf,
    /// The directory of staged files and the journal.
    pub(crate) stage: PathBuf,
}

impl Site {
    /// The PKI directory at `root`.
    pub(crate) fn pki(root: &Path) -> Self {
        Self { root: root.to_owned(), stage: root.join(".transaction") }
    }
}

/// What a transaction did, for the notice to the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// Files that were created or replaced.
    pub written: Vec<PkiPath>,
    /// Files that were moved, from and to.
    pub moved: Vec<(PkiPath, PkiPath)>,
    /// Files that were removed.
    pub removed: Vec<PkiPath>,
    /// The git commit that holds all of this, in hexadecimal digits; `None`
    /// without a history, and when git kept the same files already.
    pub commit: Option<String>,
}

/// Why changes were not recorded. Unless it is [`RecordError::Unfinished`] or
/// [`RecordError::LeftAway`], everything is as it was before.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Key material for a path that the layout lists as public, written or moved.
    #[error("{} is a public file, key material cannot be kept in it", path.display())]
    SecretInPublicFile {
        /// The public path.
        path: PathBuf,
    },
    /// A file stands where a new one was to be created or moved to.
    #[error("{} already exists", path.display())]
    AlreadyExists {
        /// That file.
        path: PathBuf,
    },
    /// A file or a directory on the way to it is a symbolic link; nothing is
    /// written through one, or replaces one.
    #[error("{} is a symbolic link", path.display())]
    SymbolicLink {
        /// The link.
        path: PathBuf,
    },
    /// A directory, pipe or device where a file belongs.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// What stands there.
        path: PathBuf,
    },
    /// A file where a directory belongs.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// What stands there.
        path: PathBuf,
    },
    /// The file system cannot be written to.
    #[error("the PKI lies on a read-only file system")]
    ReadOnly(#[source] FileError),
    /// The disk or the quota is exhausted.
    #[error("there is no space left for the change")]
    NoSpace(#[source] FileError),
    /// Any other failure of the system.
    #[error("the change could not be written")]
    File(#[source] FileError),
    /// A file to be moved or kept could not be read.
    #[error("the change could not be prepared")]
    Read(#[from] ReadError),
    /// A file cannot be sealed for git.
    #[error("the change was not given to git")]
    Sealed(#[from] SealRefusal),
    /// The git commit cannot be written.
    #[error("the change could not be prepared for git")]
    Git(#[from] GitError),
    /// An interrupted change is in the way and cannot be completed.
    #[error("an earlier change could not be completed")]
    Blocked(#[source] RecoverError),
    /// The change is committed: it will be completed by whoever opens the PKI
    /// for writing next, and readers see it already.
    #[error("the change is committed, but could not be completed yet")]
    Unfinished(#[source] RecoverError),
    /// The files are changed, and git does not have it: while they were, somebody
    /// committed other changes of them.
    #[error(
        "the files are changed, but the change is not committed: somebody has committed other changes of them meanwhile"
    )]
    LeftAway(LeftAway),
}

impl From<FileError> for RecordError {
    fn from(error: FileError) -> Self {
        match error.source.kind() {
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(error),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace(error),
            _ => Self::File(error),
        }
    }
}

/// Why what an interrupted command left behind could not be dealt with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// The system refused a step.
    #[error("a committed change could not be completed")]
    File(#[from] FileError),
    /// The repository refused the git commit.
    #[error("a committed change could not be completed in git")]
    Git(#[from] GitError),
    /// The journal is not one of ours.
    #[error("the journal {} cannot be followed", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: JournalError,
    },
}

/// Records `changes` in a PKI directory, and as one commit of its history if
/// it has one: `since` is where HEAD was when they were decided, if that is
/// known. The lock is held, and nothing is left of earlier transactions.
pub(crate) fn record(
    site: &Site,
    changes: &ChangeSet,
    umask: Umask,
    history: Option<(&History, &Message)>,
    since: Option<Head>,
) -> Result<Recorded, RecordError> {
    let plan = Plan::of(&site.root, changes)?;
    let draft = history.map(|(history, message)| PkiDraft::new(&site.root, history, message)).transpose()?;
    let draft = draft.map(|draft| draft.since(since));
    let commit = carry_out(site, |made| prepare(site, &plan, umask, draft, made))?;
    Ok(Recorded { commit, ..plan.recorded })
}

/// Prepares a transaction, commits it and does it; gives the git commit.
/// Nothing remains if the first of these fails.
pub(crate) fn carry_out(
    site: &Site,
    prepare: impl FnOnce(&mut Vec<PathBuf>) -> Result<Option<Journal>, RecordError>,
) -> Result<Option<String>, RecordError> {
    let mut made = Vec::new();
    let committed = prepare(&mut made).and_then(|journal| match journal {
        Some(journal) => {
            check(site, &journal)?;
            commit(site)?;
            Ok(Some(journal))
        }
        None => Ok(None),
    });
    match committed {
        Ok(None) => Ok(None),
        Ok(Some(journal)) => match finish(site, &journal, Found::Fresh) {
            Ok(Landed::Commit(commit)) => Ok(commit),
            Ok(Landed::LeftAway(left)) => Err(RecordError::LeftAway(left)),
            Err(error) => Err(RecordError::Unfinished(error)),
        },
        Err(error) => {
            undo(site, &made);
            Err(error)
        }
    }
}

pub(crate) fn commit(site: &Site) -> Result<(), FileError> {
    let journal = site.stage.join(JOURNAL);
    match fs::rename(site.stage.join(JOURNAL_NEW), &journal) {
        Ok(()) => Ok(()),
        Err(error) => Err(FileError::new("create", &journal)(error)),
    }
}

/// How whoever finishes a transaction comes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It has just been committed.
    Fresh,
    /// Somebody left it, who knows how long ago.
    Left(Patience),
}

/// Does the steps of a journal, from the start, and removes it; tells what became
/// of the git commit.
///
/// The first sync is the commit: before it the steps must not begin, also
/// when the journal was found, for its writer may have died before its sync.
fn finish(site: &Site, journal: &Journal, found: Found) -> Result<Landed, RecoverError> {
    sync_directory(&site.stage)?;
    let mut touched = BTreeSet::new();
    for step in &journal.steps {
        touched.extend(step.apply(site)?);
    }
    let placed = match found {
        Found::Fresh if journal.commit.is_some() => placed(site, journal)?,
        _ => Placed::new(),
    };
    for directory in &touched {
        if inspect(directory)?.is_some() {
            sync_directory(directory)?;
        }
    }
    let patience = match found {
        Found::Fresh => Patience::Wait,
        Found::Left(patience) => patience,
    };
    let landed = land(site, journal, &placed, patience)?;
    // No sync behind this: a journal that a power cut brings back is done
    // already, and the next transaction makes its absence last with its own.
    remove_if_present(&site.stage.join(JOURNAL))?;
    remove_stage(&site.stage)?;
    Ok(landed)
}

/// What git will want to know of the new files, before anybody edits them.
fn placed(site: &Site, journal: &Journal) -> Result<Placed, FileError> {
    let mut placed = Placed::new();
    for step in &journal.steps {
        if let Step::Place { path, .. } = step
            && let Some(metadata) = inspect(&site.root.join(path))?
        {
            placed.insert(path.clone(), Stat::of(&metadata));
        }
    }
    Ok(placed)
}

impl Step {
    /// Does this step, or finds it done; gives the directory it changed.
    fn apply(&self, site: &Site) -> Result<Option<PathBuf>, FileError> {
        let path = match self {
            Self::Directory(path) => {
                let path = site.root.join(path);
                make_directory(&path, Access::Owner)?;
                path
            }
            Self::Place { staged, path } => {
                let path = site.root.join(path);
                if let Some(parent) = path.parent() {
                    // It was there at the commit; somebody may have tidied up since.
                    make_directories(parent)?;
                }
                place(&site.stage.join(staged), &path)?;
                path
            }
            Self::Remove(path) => {
                let path = site.root.join(path);
                remove_if_present(&path)?;
                path
            }
        };
        Ok(path.parent().map(Path::to_owned))
    }
}

fn place(staged: &Path, path: &Path) -> Result<(), FileError> {
    match rename_if_present(staged, path) {
        Err(error) if error.source.kind() == io::ErrorKind::CrossesDevices => place_across(staged, path),
        result => result.map(drop),
    }
}

/// Places a file in a directory that is mounted from elsewhere: a copy beside
/// its place, under a name that belongs to this transaction alone.
fn place_across(staged: &Path, path: &Path) -> Result<(), FileError> {
    let Some(metadata) = inspect(staged)? else { return Ok(()) };
    let name = staged.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = path.with_file_name(format!(".{name}"));
    remove_if_present(&beside)?;
    let mode = permissions(&metadata);
    let access = if mode & 0o077 == 0 { Access::Owner } else { Access::Mode(mode) };
    let copied = copy_new(staged, &beside, access, Some(Owner::of(&metadata)))
        .map_err(|error| FileError::new("copy a new file to", &beside)(io::Error::other(error)))?;
    copied.map_or(Ok(()), Written::sync)?;
    rename_if_present(&beside, path)?;
    if let Some(parent) = path.parent() {
        sync_directory(parent)?;
    }
    remove_if_present(staged)
}

/// Reads the journal of a committed transaction, if there is one.
pub(crate) fn pending(site: &Site) -> Result<Option<Journal>, RecoverError> {
    let path = site.stage.join(JOURNAL);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(FileError::new("read", &path)(error).into()),
    };
    match Journal::parse(&bytes) {
        Ok(journal) => Ok(Some(journal)),
        Err(source) => Err(RecoverError::Journal { path, source }),
    }
}

/// What a reader sees of a committed transaction. Who may not look for the
/// journal reads the files as they are: the stage is its owner's alone, and
/// there during every write.
pub(crate) fn visible(site: &Site) -> Result<Option<Journal>, RecoverError> {
    match pending(site) {
        Err(RecoverError::File(error)) if error.source.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        result => result,
    }
}

/// Completes what is committed and sweeps what is not; gives the git commit that
/// had to be left away, if there is one. The lock is held.
pub(crate) fn recover(site: &Site, patience: Patience) -> Result<Option<LeftAway>, RecoverError> {
    let Some(journal) = pending(site)? else {
        remove_stage(&site.stage)?;
        return Ok(None);
    };
    match finish(site, &journal, Found::Left(patience))? {
        Landed::Commit(_) => Ok(None),
        Landed::LeftAway(left) => Ok(Some(left)),
    }
}

/// Leaves no trace of what was not committed. What cannot be removed now is
/// swept by the next writer.
fn undo(site: &Site, made: &[PathBuf]) {
    let stage = &site.stage;
    // A journal that stands although its rename failed: its files stay until
    // its absence is on the disk, or it would promise what is not there.
    let withdrawn = match inspect(&stage.join(JOURNAL)) {
        Ok(None) => Ok(()),
        _ => remove_if_present(&stage.join(JOURNAL)).and_then(|()| sync_directory(stage)),
    };
    if withdrawn.is_ok() {
        drop(remove_stage(stage));
    }
    for directory in made.iter().rev() {
        drop(fs::remove_dir(directory));
    }
}

/// Removes the stage directory and what is left in it.
pub(crate) fn remove_stage(stage: &Path) -> Result<(), FileError> {
    match inspect(stage)? {
        None => Ok(()),
        Some(metadata) if metadata.is_dir() && fs::remove_dir(stage).is_ok() => Ok(()),
        Some(metadata) if metadata.is_dir() => {
            fs::remove_dir_all(stage).map_err(FileError::new("remove", stage))
        }
        Some(_) => remove_if_present(stage),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use certkeep_pki::{
        layout::{EntryName, PkiDirectory, SerialHex},
        secret::SecretBytes,
    };

    use super::*;
    use crate::{
        modes::{LockFile, Modes},
        store::Store,
    };

    const UMASK: Umask = Umask::PRIVATE;

    fn pki() -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for name in ["private", "reqs", "issued"] {
            fs::create_dir(directory.path().join(name)).expect("made");
        }
        for (path, text) in [
            ("index.txt", "row 1\n"),
            ("issued/web1.crt", "certificate 1"),
            ("private/web1.key", "key 1"),
            ("reqs/web1.req", "request 1"),
            ("crl.pem", "crl 1"),
        ] {
            fs::write(directory.path().join(path), text).expect("written");
        }
        directory
    }

    fn web1() -> EntryName {
        EntryName::parse("web1").expect("a name")
    }

    /// A revocation and a new certificate of the same name at once: files are
    /// moved away from paths that are written again.
    fn changes() -> ChangeSet {
        let serial = SerialHex::parse("0A").expect("a serial");
        let mut changes = ChangeSet::new();
        changes.keep(PkiPath::Index, PkiPath::IndexOld);
        changes.replace(PkiPath::Index, "row 1\nrow 2\n".to_owned());
        changes.relocate(PkiPath::Issued(web1()), PkiPath::RevokedCertificate(serial.clone()));
        changes.relocate(PkiPath::PrivateKey(web1()), PkiPath::RevokedKey(serial));
        changes.create(PkiPath::PrivateKey(web1()), SecretBytes::new(b"key 2".to_vec()));
        changes.create(PkiPath::Issued(web1()), "certificate 2".to_owned());
        changes.remove(PkiPath::Request(web1()));
        changes.directory(PkiDirectory::RevokedRequests);
        changes
    }

    fn before() -> Vec<(String, String)> {
        state(pki().path())
    }

    fn after() -> Vec<(String, String)> {
        [
            ("crl.pem", "crl 1"),
            ("index.txt", "row 1\nrow 2\n"),
            ("index.txt.old", "row 1\n"),
            ("issued/web1.crt", "certificate 2"),
            ("private/web1.key", "key 2"),
            ("revoked/certs_by_serial/0A.crt", "certificate 1"),
            ("revoked/private_by_serial/0A.key", "key 1"),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .to_vec()
    }

    fn state(root: &Path) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut directories = vec![root.to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let relative = path.strip_prefix(root).expect("below").to_str().expect("UTF-8");
                    found.push((relative.to_owned(), fs::read_to_string(&path).expect("text")));
                }
            }
        }
        found.sort();
        found
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("present").permissions().mode() & 0o7777
    }

    /// Everything up to the commit, and nothing of what follows.
    fn committed(root: &Path, changes: &ChangeSet) -> Journal {
        let (plan, site) = (Plan::of(root, changes).expect("possible"), Site::pki(root));
        let journal = prepare(&site, &plan, UMASK, None, &mut Vec::new()).expect("prepared");
        commit(&site).expect("committed");
        journal.expect("not empty")
    }

    #[test]
    fn a_transaction_does_what_its_changes_say() {
        let pki = pki();
        let recorded = record(&Site::pki(pki.path()), &changes(), UMASK, None, None).expect("recorded");
        assert_eq!(state(pki.path()), after());
        assert!(pki.path().join("revoked/reqs_by_serial").is_dir());
        assert!(!pki.path().join(".transaction").exists());
        assert_eq!(recorded.written.len(), 4);
        assert_eq!(recorded.moved.len(), 2);
        assert_eq!(recorded.removed, [PkiPath::Request(web1())]);
    }

    #[test]
    fn a_transaction_that_stops_after_any_step_is_completed_and_seen_as_done() {
        let steps = committed(pki().path(), &changes()).steps.len();
        assert!(steps > 8);
        for done in 0..=steps {
            let pki = pki();
            let journal = committed(pki.path(), &changes());
            for step in journal.steps.iter().take(done) {
                step.apply(&Site::pki(pki.path())).expect("applied");
            }
            // A reader that cannot lock, as the writer still does.
            let lock = fs::File::open(pki.path()).expect("open");
            lock.lock().expect("locked");
            let store = Store::open(pki.path()).expect("a PKI");
            let read = |path: PkiPath| store.read(&path).expect("readable");
            assert_eq!(read(PkiPath::Index), Some(b"row 1\nrow 2\n".to_vec()), "{done}");
            assert_eq!(read(PkiPath::IndexOld), Some(b"row 1\n".to_vec()));
            assert_eq!(read(PkiPath::PrivateKey(web1())), Some(b"key 2".to_vec()));
            assert_eq!(read(PkiPath::Request(web1())), None);
            assert!(!store.exists(&PkiPath::Request(web1())).expect("known"));
            assert_eq!(store.list(PkiDirectory::Issued).expect("listed"), ["web1.crt"]);
            assert_eq!(store.list(PkiDirectory::RevokedKeys).expect("listed"), ["0A.key"]);
            assert!(store.list(PkiDirectory::Requests).expect("listed").is_empty());
            lock.unlock().expect("unlocked");
            // Anybody who can lock completes it by opening.
            Store::open(pki.path()).expect("a PKI");
            assert_eq!(state(pki.path()), after(), "{done}");
            assert!(!pki.path().join(".transaction").exists());
        }
    }

    #[test]
    fn steps_may_be_repeated_and_reversed() {
        let pki = pki();
        let journal = committed(pki.path(), &changes());
        for step in journal.steps.iter().rev().chain(&journal.steps).chain(&journal.steps) {
            step.apply(&Site::pki(pki.path())).expect("applied");
        }
        recover(&Site::pki(pki.path()), Patience::Wait).expect("recovered");
        assert_eq!(state(pki.path()), after());
    }

    #[test]
    fn what_is_not_committed_is_swept_by_the_next_writer() {
        let pki = pki();
        let (changes, modes) = (changes(), Modes { umask: UMASK, lock_file: LockFile::Honour });
        let plan = Plan::of(pki.path(), &changes).expect("possible");
        prepare(&Site::pki(pki.path()), &plan, UMASK, None, &mut Vec::new()).expect("prepared");
        let store = Store::open(pki.path()).expect("a PKI");
        assert_eq!(store.read(&PkiPath::IndexOld).expect("readable"), None);
        drop(store.writer(modes, &mut |_| {}).expect("the lock"));
        assert_eq!(state(pki.path()), before());
    }

    #[test]
    fn a_failure_before_the_commit_leaves_no_trace() {
        let pki = pki();
        // A key to be moved that vanishes between the plan and its staging.
        let changes = changes();
        let plan = Plan::of(pki.path(), &changes).expect("possible");
        fs::remove_file(pki.path().join("private/web1.key")).expect("removed");
        let mut made = Vec::new();
        let error = prepare(&Site::pki(pki.path()), &plan, UMASK, None, &mut made).expect_err("refused");
        assert!(matches!(&error, RecordError::File(error) if error.is_absence()), "{error:?}");
        undo(&Site::pki(pki.path()), &made);
        assert!(!pki.path().join("revoked").exists());
        let expected: Vec<_> = before().into_iter().filter(|(path, _)| path != "private/web1.key").collect();
        assert_eq!(state(pki.path()), expected);
    }

    #[test]
    fn modes_follow_sensitivity() {
        let pki = pki();
        let set = |path: &str, mode| {
            fs::set_permissions(pki.path().join(path), fs::Permissions::from_mode(mode)).expect("set");
        };
        set("private/web1.key", 0o644);
        set("crl.pem", 0o640);
        let mut changes = changes();
        changes.replace(PkiPath::CrlPem, "crl 2".to_owned());
        changes.create(PkiPath::Request(EntryName::parse("web2").expect("a name")), "request 2".to_owned());
        record(&Site::pki(pki.path()), &changes, Umask::parse("022").expect("a umask"), None, None)
            .expect("recorded");
        for (path, expected) in [
            ("crl.pem", 0o640),
            ("index.txt", 0o644),
            ("private/web1.key", 0o600),
            ("reqs/web2.req", 0o600),
            ("revoked", 0o755),
            ("revoked/certs_by_serial", 0o755),
            ("revoked/private_by_serial", 0o700),
            ("revoked/private_by_serial/0A.key", 0o600),
            ("revoked/reqs_by_serial", 0o700),
        ] {
            assert_eq!(mode(&pki.path().join(path)), expected, "{path}");
        }
        changes = ChangeSet::new();
        changes.create(PkiPath::CrlDer, "der".to_owned());
        record(&Site::pki(pki.path()), &changes, Umask::PRIVATE, None, None).expect("recorded");
        assert_eq!(mode(&pki.path().join("crl.der")), 0o600);
    }

    #[test]
    fn what_must_not_be_is_refused_and_changes_nothing() {
        let pki = pki();
        let root = pki.path();
        let name = |text| EntryName::parse(text).expect("a name");
        std::os::unix::fs::symlink(root.join("crl.pem"), root.join("crl.der")).expect("linked");
        std::os::unix::fs::symlink(root.join("issued"), root.join("certs_by_serial")).expect("linked");
        fs::create_dir(root.join("serial")).expect("made");
        fs::write(root.join("x509-types"), "a file").expect("written");
        let expected = state(root);
        let refused = |change: &dyn Fn(&mut ChangeSet)| {
            let mut changes = ChangeSet::new();
            changes.replace(PkiPath::Index, "row 9".to_owned());
            change(&mut changes);
            let error = record(&Site::pki(root), &changes, UMASK, None, None).expect_err("refused");
            assert_eq!(state(root), expected, "{error}");
            assert!(!root.join(".transaction").exists());
            error
        };
        let secret = || SecretBytes::new(b"key".to_vec());
        let error = refused(&|changes| changes.replace(PkiPath::CaCertificate, secret()));
        assert!(matches!(error, RecordError::SecretInPublicFile { .. }), "{error:?}");
        let error =
            refused(&|changes| changes.relocate(PkiPath::PrivateKey(web1()), PkiPath::IssuedP7b(web1())));
        assert!(matches!(error, RecordError::SecretInPublicFile { .. }), "{error:?}");
        let error = refused(&|changes| changes.keep(PkiPath::PrivateKey(web1()), PkiPath::IndexOld));
        assert!(matches!(error, RecordError::SecretInPublicFile { .. }), "{error:?}");
        let error = refused(&|changes| changes.create(PkiPath::PrivateKey(web1()), secret()));
        assert!(matches!(error, RecordError::AlreadyExists { .. }), "{error:?}");
        let error = refused(&|changes| {
            changes.create(PkiPath::PrivateKey(name("a")), secret());
            changes.create(PkiPath::PrivateKey(name("a")), secret());
        });
        assert!(matches!(error, RecordError::AlreadyExists { .. }), "{error:?}");
        let error = refused(&|changes| changes.relocate(PkiPath::CrlPem, PkiPath::Issued(web1())));
        assert!(matches!(error, RecordError::AlreadyExists { .. }), "{error:?}");
        let error = refused(&|changes| changes.replace(PkiPath::CrlDer, "x".to_owned()));
        assert!(matches!(error, RecordError::SymbolicLink { .. }), "{error:?}");
        let serial = SerialHex::parse("0A").expect("a serial");
        let error = refused(&|changes| {
            changes.create(PkiPath::CertificateBySerial(serial.clone()), "x".to_owned());
        });
        assert!(matches!(error, RecordError::SymbolicLink { .. }), "{error:?}");
        let error = refused(&|changes| changes.replace(PkiPath::Serial, "01".to_owned()));
        assert!(matches!(error, RecordError::NotAFile { .. }), "{error:?}");
        let error = refused(&|changes| changes.create(PkiPath::X509Type(name("x")), "x".to_owned()));
        assert!(matches!(error, RecordError::NotADirectory { .. }), "{error:?}");
    }

    #[test]
    fn what_is_moved_or_kept_in_place_stays_as_it_is() {
        let pki = pki();
        let mut changes = ChangeSet::new();
        changes.relocate(PkiPath::CrlPem, PkiPath::CrlDer);
        changes.relocate(PkiPath::CrlDer, PkiPath::CrlPem);
        changes.keep(PkiPath::Index, PkiPath::IndexOld);
        changes.relocate(PkiPath::Serial, PkiPath::SerialOld);
        changes.remove(PkiPath::CrlNumber);
        record(&Site::pki(pki.path()), &changes, UMASK, None, None).expect("recorded");
        let mut expected = before();
        expected.insert(2, ("index.txt.old".to_owned(), "row 1\n".to_owned()));
        assert_eq!(state(pki.path()), expected);
        // Two files, not two names of one: easy-rsa writes into some in place.
        fs::write(pki.path().join("index.txt.old"), "changed").expect("written");
        assert_eq!(fs::read_to_string(pki.path().join("index.txt")).expect("text"), "row 1\n");
    }
}
