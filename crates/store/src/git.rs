// SPDX-License-Identifier: MIT OR Apache-2.0
//! A git repository, by bytes: objects, the index, HEAD and the configuration.
//!
//! libgit2 runs no filter: a path of a secret file that it is given to read
//! would be stored in the clear. So nothing here takes a file to read, only
//! bytes that have been sealed before. What libgit2 cannot do (sign, read a
//! split index, fetch what a partial clone lacks) is done by the git program.

mod build;
mod config;
mod entry;
mod error;
mod every;
mod head;
mod index;
mod lines;
mod loose;
mod objects;
mod packs;
mod past;
mod program;
mod remote;
#[cfg(test)]
mod tests;
mod trees;

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

pub(crate) use git2::Oid;
use git2::{ErrorCode, ObjectType, RepositoryOpenFlags};

pub(crate) use self::{
    build::{Identity, TreeChange},
    entry::{FILE_MODE, FOLDER_MODE, IndexEntry, Stat, TreeEntry},
    head::{Head, Patience},
    index::{Entered, IndexChange, IndexStat, WORK_TREE},
    lines::merge_lines,
    objects::{Kind, Objects},
    past::{Commit, Known},
    program::ask,
    remote::Spoken,
};
pub use self::{error::GitError, lines::Lines, remote::Unmerged};

/// A repository with a work tree.
pub(crate) struct Repository {
    inner: git2::Repository,
    work_tree: PathBuf,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Repository").field(&self.work_tree).finish()
    }
}

impl Repository {
    /// The repository that `directory` lies in; `None` if there is none, or
    /// only one without a work tree.
    pub(crate) fn discover(directory: &Path) -> Result<Option<Self>, GitError> {
        // From the directory, not from where its `.git` leads to: git's directory may
        // lie elsewhere and not know of its work tree.
        let none: [&OsStr; 0] = [];
        let inner = match git2::Repository::open_ext(directory, RepositoryOpenFlags::CROSS_FS, none) {
            Ok(inner) => inner,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) if error.code() == ErrorCode::Owner => {
                return Err(GitError::Foreign { path: directory.to_owned() });
            }
            Err(error) => return Err(GitError::opening(directory, &error)),
        };
        // A path with a slash at its end is another one to some comparisons.
        let work_tree = inner.workdir().map(|path| path.components().collect());
        Ok(work_tree.map(|work_tree| Self { inner, work_tree }))
    }

    /// A second handle on the same repository.
    pub(crate) fn reopen(&self) -> Result<Self, GitError> {
        let inner =
            git2::Repository::open(self.git_dir()).map_err(GitError::library("open the git repository"))?;
        Ok(Self { inner, work_tree: self.work_tree.clone() })
    }

    /// The repository that a git that calls us works in: the environment says
    /// so, or the current directory. `None` for one without a work tree.
    pub(crate) fn from_environment() -> Result<Option<Self>, GitError> {
        let here = Path::new(".");
        let inner = match git2::Repository::open_from_env() {
            Ok(inner) => inner,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(GitError::opening(here, &error)),
        };
        let work_tree = inner.workdir().map(|path| path.components().collect());
        Ok(work_tree.map(|work_tree| Self { inner, work_tree }))
    }

    /// Makes a repository in a directory, as the user's git does it.
    pub(crate) fn init(directory: &Path) -> Result<Self, GitError> {
        program::init(directory)?;
        Self::discover(directory)?.ok_or_else(|| GitError::Missing { oid: "HEAD".to_owned() })
    }

    /// The directory of what certkeep keeps for this clone alone, if it keeps
    /// anything yet: the keyring, the pins, files on their way.
    pub(crate) fn state(&self) -> PathBuf {
        self.common_dir().join("certkeep")
    }

    /// A file of the work tree by its path from the top, which may be any bytes.
    pub(crate) fn file_path(&self, path: &[u8]) -> PathBuf {
        self.work_tree.join(as_path(path))
    }

    /// The top of the work tree.
    pub(crate) fn work_tree(&self) -> &Path {
        &self.work_tree
    }

    /// The directory of this work tree's own HEAD and index.
    pub(crate) fn git_dir(&self) -> &Path {
        self.inner.path()
    }

    /// The directory of what all linked work trees share.
    pub(crate) fn common_dir(&self) -> &Path {
        self.inner.commondir()
    }

    /// Where a file of the work tree stands in the repository: its path from
    /// the top, with slashes.
    pub(crate) fn relative(&self, path: &Path) -> Result<String, GitError> {
        let outside = || GitError::Outside { path: path.to_owned(), work_tree: self.work_tree.clone() };
        let real = |path: &Path| path.canonicalize().map_err(|_| outside());
        let below = real(path)?;
        let below = below.strip_prefix(real(&self.work_tree)?).map_err(|_| outside())?;
        below.to_str().map(str::to_owned).ok_or_else(outside)
    }

    /// The commit that HEAD names; `None` before the first one.
    pub(crate) fn head_commit(&self) -> Result<Option<Oid>, GitError> {
        absent_is_none(self.inner.refname_to_id("HEAD")).map_err(GitError::library("read HEAD"))
    }

    /// What HEAD's tree holds at a path, if that is no directory.
    pub(crate) fn head_entry(&self, path: impl AsRef<[u8]>) -> Result<Option<TreeEntry>, GitError> {
        match self.head_commit()? {
            Some(commit) => self.entry(commit, path),
            None => Ok(None),
        }
    }

    /// The bytes of a file in HEAD.
    pub(crate) fn head_blob(&self, path: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, GitError> {
        self.head_entry(path)?.filter(TreeEntry::is_file).map(|entry| self.blob(entry.oid)).transpose()
    }

    /// The commit that a name or the beginning of its digits means, if it means one.
    pub(crate) fn commit_named(&self, name: &str) -> Option<Oid> {
        let found = self.inner.revparse_single(name).ok()?;
        found.peel_to_commit().ok().map(|commit| commit.id())
    }

    /// What the tree of a commit holds at a path, if that is no directory.
    pub(crate) fn entry(&self, commit: Oid, path: impl AsRef<[u8]>) -> Result<Option<TreeEntry>, GitError> {
        let path = path.as_ref();
        let mut tree = self.tree(commit)?;
        let mut names = path.split(|&byte| byte == b'/').peekable();
        while let Some(name) = names.next() {
            let Some(entry) = tree.iter().find(|entry| entry.name_bytes() == name) else { return Ok(None) };
            let below = match (names.peek().is_some(), entry.kind() == Some(ObjectType::Tree)) {
                (true, true) => entry.id(),
                (false, false) => {
                    return Ok(Some(TreeEntry::new(path.to_vec(), entry.id(), entry.filemode())));
                }
                _ => return Ok(None),
            };
            drop(entry);
            tree = self.folder(below)?;
        }
        Ok(None)
    }

    /// All files of a commit, links and submodules among them.
    pub(crate) fn entries(&self, commit: Oid) -> Result<Vec<TreeEntry>, GitError> {
        let mut entries = Vec::new();
        let mut trees = vec![(Vec::new(), self.tree(commit)?)];
        while let Some((directory, tree)) = trees.pop() {
            for entry in &tree {
                let path = [directory.as_slice(), entry.name_bytes()].concat();
                if entry.kind() == Some(ObjectType::Tree) {
                    trees.push(([path.as_slice(), b"/"].concat(), self.folder(entry.id())?));
                } else {
                    entries.push(TreeEntry::new(path, entry.id(), entry.filemode()));
                }
            }
        }
        Ok(entries)
    }

    fn tree(&self, commit: Oid) -> Result<git2::Tree<'_>, GitError> {
        self.whole(commit)?;
        let found = self.inner.find_commit(commit).map_err(GitError::library("read a commit"))?;
        self.folder(found.tree_id())
    }

    fn folder(&self, tree: Oid) -> Result<git2::Tree<'_>, GitError> {
        self.whole(tree)?;
        self.inner.find_tree(tree).map_err(GitError::library("read a tree"))
    }

    /// Refuses an object that was cut off: libgit2 never returns from one.
    fn whole(&self, oid: Oid) -> Result<(), GitError> {
        let folders = loose::folders(&self.inner.commondir().join("objects"));
        loose::read(&folders, oid).map(drop)
    }

    /// The bytes of a blob. A partial clone fetches one that it lacks.
    pub(crate) fn blob(&self, oid: Oid) -> Result<Vec<u8>, GitError> {
        // libgit2 never returns from an object file that was cut off.
        let folders = loose::folders(&self.inner.commondir().join("objects"));
        if let Some((Kind::Blob, bytes)) = loose::read(&folders, oid)? {
            return Ok(bytes);
        }
        match self.inner.find_blob(oid) {
            Ok(blob) => Ok(blob.content().to_vec()),
            Err(error) if error.code() == ErrorCode::NotFound => {
                let oid = oid.to_string();
                let fetched = self.git(&["cat-file", "blob", &oid], &[]);
                fetched.map_err(|_| GitError::Missing { oid })
            }
            Err(error) => Err(GitError::library("read a blob")(error)),
        }
    }

    /// As [`Repository::blob`], but nobody else is asked for what a partial clone lacks.
    pub(crate) fn blob_if_here(&self, oid: Oid) -> Result<Option<Vec<u8>>, GitError> {
        if self.holds(oid) { self.blob(oid).map(Some) } else { Ok(None) }
    }

    /// Whether an object is there. Asks nobody else for it.
    pub(crate) fn holds(&self, oid: Oid) -> bool {
        self.inner.odb().is_ok_and(|database| database.exists(oid))
    }

    /// Stores bytes as a blob.
    pub(crate) fn write_blob(&self, bytes: &[u8]) -> Result<Oid, GitError> {
        self.inner.blob(bytes).map_err(GitError::library("write a blob"))
    }

    /// The name that bytes have as a blob, whether they are stored or not.
    pub(crate) fn hash_blob(&self, bytes: &[u8]) -> Result<Oid, GitError> {
        Oid::hash_object_ext(ObjectType::Blob, bytes, self.inner.object_format())
            .map_err(GitError::library("hash a blob"))
    }

    /// Reads the name of an object of this repository.
    pub(crate) fn oid(&self, hex: &str) -> Option<Oid> {
        Oid::from_str_ext(hex, self.inner.object_format()).ok().filter(|oid| oid.to_string() == hex)
    }
}

/// The largest object that is read, in bytes.
pub(crate) const LARGEST: u64 = 1 << 30;

/// A path of git's, which may be any bytes, as the system takes it.
pub(crate) fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}

fn absent_is_none<T>(result: Result<T, git2::Error>) -> Result<Option<T>, git2::Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
