// SPDX-License-Identifier: MIT OR Apache-2.0
//! A repository for reading alone, with or without a work tree: its objects, its
//! references and its index.
//!
//! Nothing that is missing is fetched: whoever asks is told that it is missing.
//! Replacement objects (`refs/replace`) are not followed, so that nobody who can
//! push shows another commit than the one that he pushed.
//!
//! long: one handle, whose questions all end in libgit2.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::Child,
};

use git2::{ErrorCode, Index, ObjectType};

use super::{
    GitError, IndexEntry, Oid, absent_is_none, as_path,
    index::{entry_of, listed},
    loose,
    program::{self, Environment},
};
use crate::durable::FileError;

/// The repository of a directory, or of the git that runs us.
pub(crate) struct Objects {
    inner: git2::Repository,
    /// Where objects of one file each may lie.
    folders: Vec<PathBuf>,
    environment: Environment,
}

/// A partial clone asks nobody for what it lacks, and our pathspecs mean the
/// same whatever `git --literal-pathspecs commit` has said to its hooks.
fn settled() -> [(&'static str, &'static OsStr); 5] {
    [
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_LITERAL_PATHSPECS", "0"),
        ("GIT_GLOB_PATHSPECS", "0"),
        ("GIT_NOGLOB_PATHSPECS", "0"),
        ("GIT_ICASE_PATHSPECS", "0"),
    ]
    .map(|(name, value)| (name, OsStr::new(value)))
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Blob,
    Tree,
    Commit,
    Tag,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Objects").field(&self.inner.path()).finish()
    }
}

impl Objects {
    /// The repository that `directory` lies in.
    pub(crate) fn discover(directory: &Path) -> Result<Option<Self>, GitError> {
        Self::opened(git2::Repository::discover(directory), directory, Environment::Own)
    }

    /// The repository, the index and the objects that the environment names, or
    /// else the repository of the current directory.
    pub(crate) fn from_environment() -> Result<Option<Self>, GitError> {
        Self::opened(git2::Repository::open_from_env(), Path::new("."), Environment::Inherited)
    }

    fn opened(
        inner: Result<git2::Repository, git2::Error>,
        path: &Path,
        environment: Environment,
    ) -> Result<Option<Self>, GitError> {
        match inner {
            Ok(inner) => {
                let folders = loose::folders(&inner.commondir().join("objects"));
                Ok(Some(Self { inner, folders, environment }))
            }
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) if error.code() == ErrorCode::Owner => {
                Err(GitError::Foreign { path: path.to_owned() })
            }
            Err(error) => Err(GitError::opening(path, &error)),
        }
    }

    /// A second handle, for another thread.
    pub(crate) fn reopen(&self) -> Result<Self, GitError> {
        let path = self.inner.path();
        let inner = match self.environment {
            Environment::Own => git2::Repository::open(path),
            Environment::Inherited => git2::Repository::open_from_env(),
        };
        let inner = inner.map_err(|error| GitError::opening(path, &error))?;
        Ok(Self { inner, folders: self.folders.clone(), environment: self.environment })
    }

    /// The directory of what certkeep keeps for this clone alone.
    pub(crate) fn state(&self) -> PathBuf {
        self.inner.commondir().join("certkeep")
    }

    /// The directories in which objects lie, this repository's own first; those
    /// that another one lends (`info/alternates`) are found from there.
    pub(crate) fn object_directory(&self) -> PathBuf {
        self.inner.commondir().join("objects")
    }

    /// The folders in which objects lie, those that others lend among them.
    pub(super) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Whether it has no work tree.
    pub(crate) fn is_bare(&self) -> bool {
        self.inner.is_bare()
    }

    /// Whether some of its commits have lost their parents to `--depth`.
    pub(crate) fn is_shallow(&self) -> bool {
        self.inner.is_shallow()
    }

    /// Whether object names are SHA-1.
    pub(crate) fn is_sha1(&self) -> bool {
        self.inner.object_format() == git2::ObjectFormat::Sha1
    }

    /// A value of the configuration; `None` when nothing sets it.
    pub(crate) fn config(&self, name: &str) -> Result<Option<String>, GitError> {
        let value = self.inner.config().and_then(|mut config| config.snapshot()?.get_string(name));
        absent_is_none(value).map_err(GitError::library("read the configuration"))
    }

    /// How many values the configuration has for a name.
    pub(crate) fn config_values(&self, name: &str) -> Result<usize, GitError> {
        let reading = || GitError::library("read the configuration");
        let config = self.inner.config().map_err(reading())?;
        let Some(mut values) = absent_is_none(config.multivar(name, None)).map_err(reading())? else {
            return Ok(0);
        };
        let mut count = 0;
        while values.next().transpose().map_err(reading())?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// A truth value of the configuration; `None` when nothing sets it.
    pub(crate) fn config_flag(&self, name: &str) -> Result<Option<bool>, GitError> {
        let value = self.inner.config().and_then(|mut config| config.snapshot()?.get_bool(name));
        absent_is_none(value).map_err(GitError::library("read the configuration"))
    }

    /// The commit of HEAD; `None` before the first one.
    pub(crate) fn head(&self) -> Result<Option<Oid>, GitError> {
        absent_is_none(self.inner.refname_to_id("HEAD")).map_err(GitError::library("read HEAD"))
    }

    /// The commits that a merge in progress brings in.
    pub(crate) fn merge_heads(&self) -> Result<Vec<Oid>, GitError> {
        let path = self.inner.path().join("MERGE_HEAD");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().filter_map(|line| self.oid(line.trim())).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(FileError::new("read", &path)(error).into()),
        }
    }

    /// Reads the name of an object of this repository.
    pub(crate) fn oid(&self, hex: &str) -> Option<Oid> {
        Oid::from_str_ext(hex, self.inner.object_format()).ok().filter(|oid| oid.to_string() == hex)
    }

    /// The object that a revision such as `main~2` or `v1` names.
    pub(crate) fn revision(&self, revision: &str) -> Result<Oid, GitError> {
        let found = self.inner.revparse_single(revision).map_err(GitError::library("find the revision"))?;
        Ok(found.id())
    }

    /// The name that bytes have as a blob.
    pub(crate) fn hash_blob(&self, bytes: &[u8]) -> Result<Oid, GitError> {
        Oid::hash_object_ext(ObjectType::Blob, bytes, self.inner.object_format())
            .map_err(GitError::library("hash a blob"))
    }

    /// Whether an object is there.
    pub(crate) fn holds(&self, oid: Oid) -> bool {
        self.inner.odb().is_ok_and(|database| database.exists(oid))
    }

    /// Every reference that leads to an object, by its full name.
    pub(crate) fn references(&self) -> Result<Vec<(Vec<u8>, Oid)>, GitError> {
        let reading = || GitError::library("read the references");
        let mut found = Vec::new();
        for reference in self.inner.references().map_err(reading())? {
            let reference = reference.map_err(reading())?;
            // One that leads to another is told with that other.
            found.extend(reference.target().map(|oid| (reference.name_bytes().to_vec(), oid)));
        }
        Ok(found)
    }

    /// Where a reference has been.
    pub(crate) fn reflog(&self, name: &str) -> Result<Vec<Oid>, GitError> {
        let log = absent_is_none(self.inner.reflog(name)).map_err(GitError::library("read a reflog"))?;
        Ok(log.iter().flat_map(|log| log.iter().map(|entry| entry.id_new()).collect::<Vec<_>>()).collect())
    }

    /// What an object is, and its size in bytes.
    pub(crate) fn header(&self, oid: Oid) -> Result<(Kind, u64), GitError> {
        if let Some(found) = loose::header(&self.folders, oid)? {
            return Ok(found);
        }
        // git2 takes for granted that what a damaged pack says of a kind is one.
        let (kind, bytes) = self.read(oid)?;
        Ok((kind, u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
    }

    /// What an object is, and its bytes.
    pub(super) fn read(&self, oid: Oid) -> Result<(Kind, Vec<u8>), GitError> {
        if let Some(found) = loose::read(&self.folders, oid)? {
            return Ok(found);
        }
        let database = self.inner.odb().map_err(GitError::library("open the objects"))?;
        let object = database.read(oid).map_err(|error| unreadable(oid, &error))?;
        Ok((kind_of(oid, object.kind())?, object.data().to_vec()))
    }

    /// The bytes of an object of the kind that is wanted.
    pub(crate) fn read_as(&self, wanted: Kind, oid: Oid) -> Result<Vec<u8>, GitError> {
        match self.read(oid)? {
            (kind, bytes) if kind == wanted => Ok(bytes),
            (kind, _) => Err(damaged(oid, &format!("it is a {kind:?} and not a {wanted:?}").to_lowercase())),
        }
    }

    /// The bytes of a blob.
    pub(crate) fn blob(&self, oid: Oid) -> Result<Vec<u8>, GitError> {
        self.read_as(Kind::Blob, oid)
    }

    /// The entries of the index that git works with.
    pub(crate) fn index_entries(&self) -> Result<Vec<IndexEntry>, GitError> {
        let path = self.index_path()?;
        match Index::open_ext(&path, self.inner.object_format()) {
            Ok(index) => Ok(index.iter().map(entry_of).collect()),
            // A split or sparse index, which libgit2 does not read.
            Err(_) => {
                let output = self.git(&["ls-files", "-z", "--stage", "--full-name", ":/"], &[], &[])?;
                Ok(listed(&output, |hex| self.oid(hex)))
            }
        }
    }

    /// The file of that index.
    pub(crate) fn index_path(&self) -> Result<PathBuf, GitError> {
        if self.environment == Environment::Own {
            return Ok(self.inner.path().join("index"));
        }
        if let Ok(index) = self.inner.index() {
            return Ok(index.path().map_or_else(|| self.inner.path().join("index"), Path::to_owned));
        }
        // One that libgit2 does not open, not even to say where it is.
        let output = self.git(&["rev-parse", "--git-path", "index"], &[], &[])?;
        Ok(as_path(output.strip_suffix(b"\n").unwrap_or(&output)).to_owned())
    }

    /// The directory of this work tree's own HEAD and index.
    pub(crate) fn git_dir(&self) -> &Path {
        self.inner.path()
    }

    /// Runs git in this repository; gives its output.
    pub(crate) fn git(
        &self,
        arguments: &[&str],
        environment: &[(&str, &OsStr)],
        input: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        let (directory, arguments) = self.place(arguments);
        let environment = [&settled(), environment].concat();
        program::run(directory, self.environment, &arguments, &environment, input)
    }

    /// Starts git in this repository, with pipes to all its streams.
    pub(super) fn start(
        &self,
        arguments: &[&str],
        environment: &[(&str, &OsStr)],
    ) -> Result<Child, GitError> {
        let (directory, arguments) = self.place(arguments);
        let environment = [&settled(), environment].concat();
        program::start(directory, self.environment, &arguments, &environment)
    }

    fn place<'a>(&self, arguments: &[&'a str]) -> (Option<&Path>, Vec<&'a str>) {
        let directory = match self.environment {
            Environment::Own => Some(self.inner.workdir().unwrap_or(self.inner.path())),
            Environment::Inherited => None,
        };
        (directory, [&["--no-replace-objects"], arguments].concat())
    }
}

fn kind_of(oid: Oid, kind: ObjectType) -> Result<Kind, GitError> {
    match kind {
        ObjectType::Blob => Ok(Kind::Blob),
        ObjectType::Tree => Ok(Kind::Tree),
        ObjectType::Commit => Ok(Kind::Commit),
        ObjectType::Tag => Ok(Kind::Tag),
        _ => Err(unusual(oid)),
    }
}

fn unusual(oid: Oid) -> GitError {
    damaged(oid, "it is of no kind that git has")
}

/// An object that is not what it should be.
pub(super) fn damaged(oid: Oid, message: &str) -> GitError {
    GitError::Object { oid: oid.to_string(), message: message.to_owned() }
}

fn unreadable(oid: Oid, error: &git2::Error) -> GitError {
    match error.code() {
        ErrorCode::NotFound => GitError::Missing { oid: oid.to_string() },
        _ => damaged(oid, error.message()),
    }
}
