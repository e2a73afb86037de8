// SPDX-License-Identifier: MIT OR Apache-2.0
//! A repository for reading alone, with or without a work tree: objects, trees
//! against their parents, the commits between two sets of references.
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
};

use git2::{ErrorCode, Index, ObjectType};

use super::{
    GitError, IndexEntry, Oid, TreeEntry, absent_is_none,
    index::{entry_of, listed},
    program::{self, Environment},
};
use crate::durable::FileError;

/// The repository of a directory, or of the git that runs us.
pub(crate) struct Objects {
    inner: git2::Repository,
    environment: Environment,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Blob,
    Tree,
    Commit,
    Tag,
}

/// The longest path of a folder in a tree that is followed, in bytes.
const LONGEST: usize = 1 << 16;

/// The most files and folders of one tree.
const MOST: usize = 10_000_000;

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
            Ok(inner) => Ok(Some(Self { inner, environment })),
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
        Ok(Self { inner, environment: self.environment })
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
    pub(crate) fn header(&self, oid: Oid) -> Result<(Kind, usize), GitError> {
        let database = self.inner.odb().map_err(GitError::library("open the objects"))?;
        let (size, kind) = database.read_header(oid).map_err(|error| unreadable(oid, &error))?;
        Ok((kind_of(oid, kind)?, size))
    }

    /// The bytes of a blob.
    pub(crate) fn blob(&self, oid: Oid) -> Result<Vec<u8>, GitError> {
        let blob = self.inner.find_blob(oid).map_err(|error| unreadable(oid, &error))?;
        Ok(blob.content().to_vec())
    }

    /// What a tag names, and what that is.
    pub(crate) fn tagged(&self, oid: Oid) -> Result<(Oid, Kind), GitError> {
        let tag = self.inner.find_tag(oid).map_err(|error| unreadable(oid, &error))?;
        let kind = tag.target_type().ok_or_else(|| unusual(oid))?;
        Ok((tag.target_id(), kind_of(oid, kind)?))
    }

    /// A commit's tree and its parents; of a shallow clone's oldest commits no parents.
    pub(crate) fn commit(&self, oid: Oid) -> Result<(Oid, Vec<Oid>), GitError> {
        let commit = self.inner.find_commit(oid).map_err(|error| unreadable(oid, &error))?;
        Ok((commit.tree_id(), commit.parent_ids().collect()))
    }

    /// All commits from `tips` that none of `hidden` leads to, parents first.
    pub(crate) fn walk(&self, tips: &[Oid], hidden: &[Oid]) -> Result<Vec<Oid>, GitError> {
        let walking = || GitError::library("walk the commits");
        let mut walk = self.inner.revwalk().map_err(walking())?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE).map_err(walking())?;
        for &tip in tips {
            walk.push(tip).map_err(|error| unreadable(tip, &error))?;
        }
        for &hidden in hidden {
            walk.hide(hidden).map_err(|error| unreadable(hidden, &error))?;
        }
        walk.collect::<Result<_, _>>().map_err(walking())
    }

    /// The entry of a tree at a path.
    pub(crate) fn entry(&self, tree: Oid, path: &[&str]) -> Result<Option<(Oid, Kind)>, GitError> {
        let mut found = (tree, Kind::Tree);
        for name in path {
            if found.1 != Kind::Tree {
                return Ok(None);
            }
            let tree = self.tree(found.0)?;
            let Some(entry) = tree.get_name(name) else { return Ok(None) };
            let kind = entry.kind().ok_or_else(|| unusual(entry.id()))?;
            found = (entry.id(), kind_of(entry.id(), kind)?);
        }
        Ok(Some(found))
    }

    /// All files of a tree, links and submodules among them, by path.
    pub(crate) fn entries(&self, tree: Oid) -> Result<Vec<TreeEntry>, GitError> {
        self.added(tree, &[])
    }

    /// The entries of `tree` that stand in none of the trees of `before` at the
    /// same path with the same mode: of a merge what neither side had.
    pub(crate) fn added(&self, tree: Oid, before: &[Oid]) -> Result<Vec<TreeEntry>, GitError> {
        let mut added = Vec::new();
        let mut folders = vec![(Vec::new(), tree, before.to_vec())];
        while let Some((folder, tree, before)) = folders.pop() {
            if before.contains(&tree) {
                continue;
            }
            // Trees that name one another many times over unfold without end.
            if folder.len() > LONGEST || added.len() + folders.len() > MOST {
                let message = "it unfolds to too many folders".to_owned();
                return Err(GitError::Object { oid: tree.to_string(), message });
            }
            let tree = self.tree(tree)?;
            let before: Vec<_> = before.iter().map(|&tree| self.tree(tree)).collect::<Result<_, _>>()?;
            for entry in &tree {
                let others = before.iter().filter_map(|tree| tree.get_name_bytes(entry.name_bytes()));
                let others: Vec<_> = others.collect();
                let same = |other: &git2::TreeEntry<'_>| {
                    other.id() == entry.id() && other.filemode() == entry.filemode()
                };
                if others.iter().any(same) {
                    continue;
                }
                let path = [folder.as_slice(), entry.name_bytes()].concat();
                if entry.kind() == Some(ObjectType::Tree) {
                    let others = others.iter().filter(|other| other.kind() == Some(ObjectType::Tree));
                    let others = others.map(git2::TreeEntry::id).collect();
                    folders.push(([path.as_slice(), b"/"].concat(), entry.id(), others));
                } else {
                    added.push(TreeEntry::new(path, entry.id(), entry.filemode()));
                }
            }
        }
        added.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(added)
    }

    fn tree(&self, oid: Oid) -> Result<git2::Tree<'_>, GitError> {
        self.inner.find_tree(oid).map_err(|error| unreadable(oid, &error))
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
        let index = self.inner.index().map_err(GitError::library("read the index"))?;
        Ok(index.path().map_or_else(|| self.inner.path().join("index"), Path::to_owned))
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
        let directory = match self.environment {
            Environment::Own => Some(self.inner.workdir().unwrap_or(self.inner.path())),
            Environment::Inherited => None,
        };
        let arguments = [&["--no-replace-objects"], arguments].concat();
        program::run(directory, self.environment, &arguments, environment, input)
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
    GitError::Object { oid: oid.to_string(), message: "it is of no kind that git has".to_owned() }
}

fn unreadable(oid: Oid, error: &git2::Error) -> GitError {
    let oid = oid.to_string();
    match error.code() {
        ErrorCode::NotFound => GitError::Missing { oid },
        _ => GitError::Object { oid, message: error.message().to_owned() },
    }
}
