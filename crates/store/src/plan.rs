// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a [`ChangeSet`] comes to: for every path it names, which bytes stand
//! there in the end, and whether that may be.
//!
//! Everything that can be refused is refused here, before a byte is written.
//! A plan has no order: a file that is moved away and written anew is two
//! entries, and the transaction may do them in any order.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::Metadata,
    path::{Path, PathBuf},
};

use certkeep_pki::{
    change::{Change, ChangeSet, Contents},
    layout::{PkiPath, Sensitivity},
};
use rustix::fs::{Access as Right, AtFlags, CWD, accessat};

use crate::{
    durable::{Access, FileError, inspect, permissions},
    modes::Umask,
    transaction::{RecordError, Recorded},
};

/// Where the bytes of a file come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// From the decision.
    Contents(&'a Contents),
    /// From the file that stands at this path before the transaction.
    Existing(&'a PkiPath),
}

/// What a set of changes comes to.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    root: &'a Path,
    /// Relative path to what stands there in the end; `None` is no file.
    files: BTreeMap<String, Option<Source<'a>>>,
    /// Directories to be made, parents before children.
    pub(crate) directories: BTreeSet<String>,
    /// What to tell the user.
    pub(crate) recorded: Recorded,
}

/// A file to be written.
#[derive(Debug)]
pub(crate) struct Placement<'a> {
    /// Where, relative to the PKI directory.
    pub(crate) relative: &'a str,
    /// Which bytes.
    pub(crate) source: Source<'a>,
    /// Whether a hard link to the file of [`Source::Existing`] will do instead
    /// of a copy: that file goes away, and nobody else gets a link to it.
    pub(crate) by_link: bool,
}

impl<'a> Plan<'a> {
    /// Plans `changes` for the PKI directory at `root`, refusing what cannot
    /// or must not be done.
    pub(crate) fn of(root: &'a Path, changes: &'a ChangeSet) -> Result<Self, RecordError> {
        let mut plan = Self {
            root,
            files: BTreeMap::new(),
            directories: BTreeSet::new(),
            recorded: Recorded::default(),
        };
        for change in changes.as_slice() {
            plan.apply(change)?;
        }
        plan.check_parents()?;
        Ok(plan)
    }

    /// The files to be written.
    pub(crate) fn placements(&self) -> Vec<Placement<'_>> {
        let mut uses = BTreeMap::<String, usize>::new();
        for source in self.files.values().flatten() {
            if let Source::Existing(from) = source {
                *uses.entry(from.relative()).or_default() += 1;
            }
        }
        let moved = |from: &PkiPath| self.files.contains_key(&from.relative());
        let mut placements = Vec::new();
        for (relative, source) in &self.files {
            let Some(source) = *source else { continue };
            let by_link = match source {
                Source::Contents(_) => false,
                Source::Existing(from) if from.relative() == *relative => continue,
                Source::Existing(from) => moved(from) && uses.get(&from.relative()) == Some(&1),
            };
            placements.push(Placement { relative, source, by_link });
        }
        placements
    }

    /// The files to be removed.
    pub(crate) fn removals(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter(|(_, source)| source.is_none()).map(|(relative, _)| relative.as_str())
    }

    fn apply(&mut self, change: &'a Change) -> Result<(), RecordError> {
        match change {
            Change::Create(path, contents) => {
                self.require_absence(path)?;
                self.set(path, Source::Contents(contents))?;
                self.recorded.written.push(path.clone());
            }
            Change::Replace(path, contents) => {
                self.present(path)?;
                self.set(path, Source::Contents(contents))?;
                self.recorded.written.push(path.clone());
            }
            Change::Keep { from, to } => {
                self.present(to)?;
                if let Some(source) = self.present(from)? {
                    self.set(to, source)?;
                    self.recorded.written.push(to.clone());
                }
            }
            Change::Move { from, to } => {
                if let Some(source) = self.present(from)? {
                    self.require_absence(to)?;
                    self.set(to, source)?;
                    self.files.insert(from.relative(), None);
                    self.recorded.moved.push((from.clone(), to.clone()));
                }
            }
            Change::Remove(path) => {
                if self.present(path)?.is_some() {
                    self.files.insert(path.relative(), None);
                    self.recorded.removed.push(path.clone());
                }
            }
            Change::Directory(directory) => self.need_directory(directory.relative())?,
        }
        Ok(())
    }

    /// What stands at `path` after the changes so far.
    fn present(&self, path: &'a PkiPath) -> Result<Option<Source<'a>>, RecordError> {
        let relative = path.relative();
        if let Some(&source) = self.files.get(&relative) {
            return Ok(source);
        }
        let absolute = self.root.join(&relative);
        match inspect(&absolute)? {
            None => Ok(None),
            Some(metadata) if metadata.is_symlink() => Err(RecordError::SymbolicLink { path: absolute }),
            Some(metadata) if !metadata.is_file() => Err(RecordError::NotAFile { path: absolute }),
            Some(_) => Ok(Some(Source::Existing(path))),
        }
    }

    fn require_absence(&self, path: &'a PkiPath) -> Result<(), RecordError> {
        match self.present(path)? {
            None => Ok(()),
            Some(_) => Err(RecordError::AlreadyExists { path: self.root.join(path.relative()) }),
        }
    }

    fn set(&mut self, path: &'a PkiPath, source: Source<'a>) -> Result<(), RecordError> {
        let secret = match source {
            Source::Contents(contents) => matches!(contents, Contents::Secret(_)),
            Source::Existing(from) => from.sensitivity() == Sensitivity::Secret,
        };
        if secret && path.sensitivity() == Sensitivity::Public {
            return Err(RecordError::SecretInPublicFile { path: self.root.join(path.relative()) });
        }
        let relative = path.relative();
        if let Some((directory, _)) = relative.rsplit_once('/') {
            self.need_directory(directory)?;
        }
        self.files.insert(relative, Some(source));
        Ok(())
    }

    fn need_directory(&mut self, relative: &str) -> Result<(), RecordError> {
        for (end, _) in relative.match_indices('/').chain([(relative.len(), "")]) {
            let Some(ancestor) = relative.get(..end) else { continue };
            if inspect(&self.root.join(ancestor))?.is_none() {
                self.directories.insert(ancestor.to_owned());
            }
        }
        Ok(())
    }

    /// Every directory that is touched: really one, below the root, and ours
    /// to change. A rename that fails after the commit helps nobody.
    fn check_parents(&self) -> Result<(), RecordError> {
        let mut seen = BTreeSet::new();
        let named = self.files.keys().filter_map(|path| path.rsplit_once('/')).map(|(parent, _)| parent);
        for directory in named.chain(self.directories.iter().map(String::as_str)) {
            let mut absolute = self.root.to_owned();
            for component in directory.split('/') {
                absolute.push(component);
                if !seen.insert(absolute.clone()) {
                    continue;
                }
                match inspect(&absolute)? {
                    None => break,
                    Some(metadata) => check_directory(&absolute, &metadata)?,
                }
            }
        }
        check_writable(self.root)
    }
}

pub(crate) fn check_directory(path: &Path, metadata: &Metadata) -> Result<(), RecordError> {
    if metadata.is_symlink() {
        return Err(RecordError::SymbolicLink { path: path.to_owned() });
    }
    if !metadata.is_dir() {
        return Err(RecordError::NotADirectory { path: path.to_owned() });
    }
    check_writable(path)
}

fn check_writable(directory: &Path) -> Result<(), RecordError> {
    accessat(CWD, directory, Right::WRITE_OK | Right::EXEC_OK, AtFlags::EACCESS)
        .map_err(|error| FileError::new("write to", directory)(error.into()).into())
}

/// The mode of the file to be written at a relative path, `replaced` being
/// what stands there now: a `crl.pem` that was opened for a service stays open.
pub(crate) fn file_access(relative: &str, replaced: Option<&Metadata>, umask: Umask) -> Access {
    match (Sensitivity::of(relative), replaced) {
        (Sensitivity::Secret, _) => Access::Owner,
        (Sensitivity::Public, Some(metadata)) => Access::Mode(permissions(metadata)),
        (Sensitivity::Public, None) => Access::Mode(umask.file_mode()),
    }
}

/// The mode of a new directory. One that holds nothing but directories, such
/// as `revoked`, is as open as public files are, or nobody could reach them.
pub(crate) fn directory_access(relative: &str, directories: &BTreeSet<String>, umask: Umask) -> Access {
    let between = directories.iter().any(|other| PathBuf::from(other).parent() == Some(Path::new(relative)));
    match Sensitivity::of_directory(relative) {
        Sensitivity::Secret if !between => Access::Owner,
        _ => Access::Mode(umask.directory_mode()),
    }
}
