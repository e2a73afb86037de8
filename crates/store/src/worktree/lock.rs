// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plaintext becomes ciphertext, where git has the same; if there is more of it
//! anywhere under a protected path, nothing happens.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File},
    io::Read as _,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use walkdir::{DirEntry, WalkDir};

use super::{Exchange, Progress, WorkTreeError, beside, moved, rerere, shown, sweep};
use crate::{
    attributes::Block,
    driver,
    durable::FileError,
    git::{IndexEntry, Repository, Stat},
    git_crypt,
    keyring::Keyring,
    read::read_secret_file,
    repository::RepositoryLock,
    seal,
    zone::{Protection, Rules},
};

/// Plaintext in git's objects, if some other configuration made git keep it.
const TEXTCONV_NOTES: &str = "refs/notes/textconv/certkeep";

/// Whether a path, relative to the top of the work tree, is protected.
pub(crate) type Covers<'a> = dyn Fn(&[u8]) -> bool + 'a;

/// Writes the ciphertext of every protected file that is plaintext, and of every other
/// one that git has sealed and that is the same in the clear, in this work
/// tree and all that are linked with it, and removes the keyring; gives the
/// number of files. The driver stays: it refuses plaintext from now on. `seen` are
/// rules that hold in all of them, `by_tree` those of each.
pub(crate) fn lock(
    repository: &Repository,
    seen: &Rules,
    by_tree: &mut dyn FnMut(&Repository) -> Rules,
    keyring: &Keyring,
    progress: &mut Progress<'_>,
) -> Result<usize, WorkTreeError> {
    let _lock = RepositoryLock::acquire(repository)?;
    // What was made plaintext by other rules, of which git was told, is to go as well.
    let told = Block::of(&driver::told_attributes(repository)?);
    let covers = |rules: &Rules, path: &[u8]| {
        matches!(rules.protection(path), Protection::Zone(_)) || told.protects(path)
    };
    let linked = linked(repository)?;
    let here_too = by_tree(repository);
    let mut plans = Vec::new();
    for (number, tree) in std::iter::once(repository).chain(&linked).enumerate() {
        let mut plan = Plan::new(tree, keyring, number)?;
        // What is checked out there may be older than the store.
        let own = by_tree(tree);
        plan.all(&|path| [&own, &here_too, seen].iter().any(|rules| covers(rules, path)), progress)?;
        plans.push(plan);
    }
    let here = repository.work_tree();
    let named = |tree: &Repository, path: String| {
        if tree.work_tree() == here { path } else { tree.work_tree().join(path).display().to_string() }
    };
    let mut changed = Vec::new();
    for plan in &mut plans {
        changed.extend(std::mem::take(&mut plan.changed).into_iter().map(|path| named(plan.tree, path)));
    }
    if !changed.is_empty() {
        return Err(WorkTreeError::Changed { paths: changed });
    }
    let mut files = 0;
    for Plan { tree, exchange, .. } in plans {
        let (done, left) = exchange.finish()?;
        files += done;
        changed.extend(left.into_iter().map(|path| named(tree, path)));
    }
    if !changed.is_empty() {
        return Err(WorkTreeError::Changed { paths: changed });
    }
    // A git that is interrupted leaves its own locks: none is run for nothing.
    if repository.has_reference(TEXTCONV_NOTES)? {
        repository.git(&["update-ref", "-d", TEXTCONV_NOTES], &[])?;
    }
    rerere::forget(repository, &|path| covers(seen, path) || covers(&here_too, path), keyring)?;
    sweep(&repository.state().join("unlock"))?;
    // Last: whatever was interrupted before can be done again.
    Keyring::remove(&repository.state().join("keyring"))?;
    Ok(files)
}

/// What is to happen in one work tree.
struct Plan<'a> {
    tree: &'a Repository,
    keyring: &'a Keyring,
    exchange: Exchange<'a>,
    /// What would be lost.
    changed: Vec<String>,
}

impl<'a> Plan<'a> {
    fn new(tree: &'a Repository, keyring: &'a Keyring, number: usize) -> Result<Self, WorkTreeError> {
        let exchange = Exchange::new(tree, &format!("lock-{number}"))?;
        Ok(Self { tree, keyring, exchange, changed: Vec::new() })
    }

    fn all(&mut self, covers: &Covers<'_>, progress: &mut Progress<'_>) -> Result<(), WorkTreeError> {
        // The sides of a conflict belong to one file.
        let mut tracked: BTreeMap<Vec<u8>, Vec<IndexEntry>> = BTreeMap::new();
        let entries = self.tree.index_entries()?;
        let others = entries.iter().filter(|entry| !covers(&entry.path));
        let moved = moved::opened(self.tree, others, self.keyring)?;
        for entry in entries {
            if covers(&entry.path) || moved.contains(&entry.path) {
                tracked.entry(entry.path.clone()).or_default().push(entry);
            }
        }
        let untracked = untracked(self.tree.work_tree(), covers, &tracked)?;
        self.changed = untracked.iter().map(|path| shown(path)).collect();
        let count = tracked.len();
        for (done, (path, entries)) in tracked.into_iter().enumerate() {
            progress(done, count);
            self.file(&path, entries)?;
        }
        progress(count, count);
        Ok(())
    }

    fn file(&mut self, path: &[u8], entries: Vec<IndexEntry>) -> Result<(), WorkTreeError> {
        // Otherwise a link or a submodule: nothing that was ever sealed.
        let Some(first) = entries.first().filter(|entry| entry.has_bytes()) else { return Ok(()) };
        let Some((target, metadata)) = self.exchange.target(first)? else { return Ok(()) };
        let Some(found) = read_secret_file(&target)? else { return Ok(()) };
        if is_ciphertext(found.expose()) {
            // After a run that was killed the index may not know it yet.
            for entry in entries {
                if self.tree.hash_blob(found.expose())? == entry.oid {
                    self.exchange.right.push((entry, Stat::of(&metadata)));
                }
            }
            return Ok(());
        }
        let mut staged = None;
        for entry in entries {
            let blob = self.tree.blob(entry.oid)?;
            if blob == found.expose() {
                // git has it in the clear; `status` says so.
                return Ok(());
            }
            if self.opens_to(&blob, found.expose()) {
                return self.exchange.stage(entry, target, &metadata, &blob);
            }
            staged = staged.or(is_ciphertext(&blob).then_some((entry, blob)));
        }
        // Something else is staged, but the last commit has this.
        let head = self.tree.head_blob(path)?.unwrap_or_default();
        match staged {
            Some((entry, blob)) if self.opens_to(&head, found.expose()) => {
                self.exchange.stage(entry, target, &metadata, &blob)
            }
            _ => {
                self.changed.push(shown(path));
                Ok(())
            }
        }
    }

    fn opens_to(&self, blob: &[u8], plaintext: &[u8]) -> bool {
        matches!(self.keyring.open(blob), Ok(Some(opened)) if opened.plaintext.expose() == plaintext)
    }
}

/// Plaintext under protected paths that git does not know, ignored or not, but
/// for what a killed run has left, which is swept.
/// Repositories inside of this one are not ours.
pub(crate) fn untracked(
    top: &Path,
    covers: &Covers<'_>,
    tracked: &BTreeMap<Vec<u8>, Vec<IndexEntry>>,
) -> Result<Vec<Vec<u8>>, WorkTreeError> {
    let mut found = Vec::new();
    let ours = |entry: &DirEntry| {
        let nested = entry.depth() > 0 && entry.file_type().is_dir() && entry.path().join(".git").exists();
        entry.file_name() != ".git" && entry.file_name() != beside::FOLDER && !nested
    };
    for entry in WalkDir::new(top).sort_by_file_name().into_iter().filter_entry(ours) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(top).to_owned();
            FileError::new("list", &path)(error.into())
        })?;
        let Ok(relative) = entry.path().strip_prefix(top) else { continue };
        let path = relative.as_os_str().as_bytes();
        if !entry.file_type().is_file() || !covers(path) || tracked.contains_key(path) {
            continue;
        }
        let mut beginning = Vec::new();
        let read = File::open(entry.path()).and_then(|file| file.take(16).read_to_end(&mut beginning));
        read.map_err(FileError::new("read", entry.path()))?;
        if !is_ciphertext(&beginning) {
            found.push(path.to_vec());
        }
    }
    Ok(found)
}

/// What may lie about: sealed by us, by git-crypt, or empty.
fn is_ciphertext(bytes: &[u8]) -> bool {
    bytes.is_empty() || seal::is_sealed(bytes) || bytes.starts_with(git_crypt::MAGIC)
}

/// The other work trees of the repository that can be reached.
pub(crate) fn linked(repository: &Repository) -> Result<Vec<Repository>, WorkTreeError> {
    let listed = repository.git(&["worktree", "list", "--porcelain"], &[])?;
    let mut linked = Vec::new();
    let here = fs::canonicalize(repository.work_tree()).ok();
    for line in listed.split(|&byte| byte == b'\n') {
        let Some(path) = line.strip_prefix(b"worktree ") else { continue };
        let Ok(path) = fs::canonicalize(PathBuf::from(OsStr::from_bytes(path))) else { continue };
        let tree = Repository::discover(&path)?;
        // A bare repository is in the list, too, and may lie inside another one.
        linked.extend(tree.filter(|tree| {
            let top = fs::canonicalize(tree.work_tree()).ok();
            top.as_ref() == Some(&path) && top != here
        }));
    }
    Ok(linked)
}
