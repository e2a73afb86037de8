// SPDX-License-Identifier: MIT OR Apache-2.0
//! A written commit becomes HEAD, and its files enter the index. Done by
//! whoever finds it in a journal, as often as it takes; no key is needed.

use std::collections::{BTreeMap, BTreeSet};

use super::{GitError, LeftAway};
use crate::{
    git::{Entered, IndexChange, IndexStat, Oid, Patience, Repository, Stat},
    journal::{Journal, Step},
    transaction::Site,
};

/// What is known of the files that a transaction has placed, by their path
/// in the site; none when it was somebody else who placed them: they may have
/// been edited since.
pub(crate) type Placed = BTreeMap<Vec<u8>, Stat>;

/// Refuses a commit that would undo what somebody else has committed since it
/// was written, which may have taken as long as its author took to sign it. The
/// last look before the journal promises it.
pub(crate) fn check(site: &Site, journal: &Journal) -> Result<(), GitError> {
    let Some((repository, commit)) = written(site, journal)? else { return Ok(()) };
    let paths = moved(&repository, commit, repository.head_commit()?)?;
    if paths.is_empty() { Ok(()) } else { Err(GitError::Moved { paths }) }
}

/// Files that hold lines of the user's beside ours, perhaps some that he has not
/// committed: git has to look into them.
const SHARED: [&[u8]; 2] = [b".gitattributes", b".gitignore"];

/// What became of the commit of a journal.
#[derive(Debug)]
pub(crate) enum Landed {
    /// It is part of HEAD; `None` where there was none, or HEAD has the same
    /// changes by somebody else.
    Commit(Option<String>),
    /// It would have undone what somebody else has committed.
    LeftAway(LeftAway),
}

/// Makes the commit of a journal part of HEAD; tells which one became it.
///
/// It is not repeated on top of a commit that has changed the same files in
/// another way: that would undo it. The files stay as the journal had them, to
/// git they are modified, and their owner decides.
///
/// Files that were copied away from their repository, or whose commit is gone
/// from it, stay what they are: files.
pub(crate) fn land(
    site: &Site,
    journal: &Journal,
    placed: &Placed,
    patience: Patience,
) -> Result<Landed, GitError> {
    let Some(name) = &journal.commit else { return Ok(Landed::Commit(None)) };
    let Some((repository, commit)) = written(site, journal)? else { return Ok(Landed::Commit(None)) };
    let landed = loop {
        let head = repository.head()?;
        let next = match head.commit {
            Some(at) if repository.contains(at, commit)? => break Some(commit),
            at if at == repository.parent_of(commit)? => commit,
            at => {
                let paths = moved(&repository, commit, at)?;
                if !paths.is_empty() {
                    return Ok(Landed::LeftAway(LeftAway { commit: name.clone(), paths }));
                }
                // Somebody has committed since. To repeat a commit may need its
                // author's passphrase, which is nothing for somebody in a hurry.
                if patience == Patience::None {
                    return Err(GitError::Busy { path: repository.git_dir().join("HEAD") });
                }
                match repository.durable(&site.stage)?.repeat_commit(commit, at)? {
                    Some(repeated) => repeated,
                    // They have made the same changes.
                    None => break None,
                }
            }
        };
        if repository.move_head(&head, next, name, patience)? {
            break Some(next);
        }
    };
    let mut prefix = repository.relative(&site.root)?;
    if !prefix.is_empty() {
        prefix.push('/');
    }
    let index = index_changes(&repository, &prefix, commit, journal, placed)?;
    repository.update_index(&index, name, patience)?;
    Ok(Landed::Commit(landed.map(|commit| commit.to_string())))
}

/// The commit of a journal, if it is there.
fn written(site: &Site, journal: &Journal) -> Result<Option<(Repository, Oid)>, GitError> {
    let Some(name) = &journal.commit else { return Ok(None) };
    let Some(repository) = Repository::discover(&site.root)? else { return Ok(None) };
    let commit = repository.oid(name).filter(|&oid| repository.holds_commit(oid));
    Ok(commit.map(|commit| (repository, commit)))
}

/// What a commit changes and `head` has changed in another way.
fn moved(repository: &Repository, commit: Oid, head: Option<Oid>) -> Result<Vec<String>, GitError> {
    repository.moved(repository.parent_of(commit)?, head, &repository.changes_of(commit)?)
}

/// The index takes from HEAD what the commit changed, and every file that the
/// journal named: one that only the index knew may have gone.
fn index_changes(
    repository: &Repository,
    prefix: &str,
    commit: Oid,
    journal: &Journal,
    placed: &Placed,
) -> Result<Vec<IndexChange>, GitError> {
    let mut paths: BTreeSet<_> =
        repository.changes_of(commit)?.into_iter().map(|change| change.path).collect();
    let mut stats = BTreeMap::new();
    for step in &journal.steps {
        let (in_repository, path) = match step {
            Step::Place { path, .. } | Step::Remove(path) => ([prefix.as_bytes(), path].concat(), path),
            Step::Event { path, .. } => (path.clone(), path),
            Step::Directory(_) => continue,
        };
        let known = placed.get(path).filter(|_| !SHARED.contains(&in_repository.as_slice()));
        let stat = known.map_or(IndexStat::Unknown, |&stat| IndexStat::Known(stat));
        stats.insert(in_repository.clone(), stat);
        paths.insert(in_repository);
    }
    let Some(head) = repository.head_commit()? else { return Ok(Vec::new()) };
    let change = |path: Vec<u8>| {
        let entry = repository.entry(head, &path)?;
        // No step: the work tree was left alone.
        let stat = stats.get(&path).copied().unwrap_or(IndexStat::Kept);
        let entered = entry.map(|entry| Entered { oid: entry.oid, mode: entry.mode, stat });
        Ok(IndexChange { path, entered })
    };
    paths.into_iter().map(change).collect()
}
