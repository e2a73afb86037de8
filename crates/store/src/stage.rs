// SPDX-License-Identifier: MIT OR Apache-2.0
//! The first half of a transaction: every new file, and the journal, on the
//! disk under names that mean nothing yet.
//!
//! Whatever can fail fails here, where nothing has changed.

use std::{
    collections::BTreeSet,
    fs,
    hash::{BuildHasher as _, RandomState},
    io,
    path::{Path, PathBuf},
};

use certkeep_pki::{change::Contents, layout::Sensitivity};

use crate::{
    durable::{
        Access, FileError, Owner, Written, bytes_of, copy_new, inspect, make_directory, permissions,
        sync_directory, write_new,
    },
    history::draft::PkiDraft,
    journal::{Journal, Step},
    modes::Umask,
    plan::{Placement, Plan, Source, check_directory, directory_access, file_access},
    read::read_secret_file,
    transaction::{JOURNAL_NEW, RecordError, Site},
};

/// Writes everything that the commit needs, `draft` being the git commit. Directories are made at once, an
/// empty one harms nobody; `made` tells which.
pub(crate) fn prepare(
    site: &Site,
    plan: &Plan<'_>,
    umask: Umask,
    mut draft: Option<PkiDraft<'_>>,
    made: &mut Vec<PathBuf>,
) -> Result<Option<Journal>, RecordError> {
    let placements = plan.placements();
    let removals: Vec<_> = plan.removals().collect();
    if placements.is_empty() && removals.is_empty() && plan.directories.is_empty() {
        return Ok(None);
    }
    let (root, stage) = (&site.root, &site.stage);
    make_stage(stage)?;
    if let Some(draft) = &mut draft {
        draft.begin(stage)?;
    }
    let mut steps = Vec::new();
    for relative in &plan.directories {
        let path = root.join(relative);
        if make_directory(&path, directory_access(relative, &plan.directories, umask))? {
            made.push(path);
        }
        steps.push(Step::Directory(relative.clone().into_bytes()));
    }
    for parent in made.iter().filter_map(|path| path.parent()).collect::<BTreeSet<_>>() {
        sync_directory(parent)?;
    }
    let mut written = Vec::with_capacity(placements.len() + 1);
    for (placement, staged) in placements.iter().zip(staged_names()) {
        let stored = draft.as_mut().map(|draft| store(root, placement, draft)).transpose()?.flatten();
        written.extend(stage_file(root, placement, stored.as_ref(), &stage.join(&staged), umask)?);
        steps.push(Step::Place { staged, path: placement.relative.into() });
    }
    for relative in removals {
        steps.push(Step::Remove(relative.into()));
        if let Some(draft) = &mut draft {
            draft.remove(relative);
        }
    }
    let event = draft.as_mut().map(PkiDraft::event).transpose()?.flatten();
    if let Some((top, path, text)) = event {
        make_way(&top, &path, made)?;
        let staged = staged_names().next().expect("they never end");
        let contents = Contents::Public(text);
        written.push(write_new(&stage.join(&staged), &contents, Access::Mode(0o644), None)?);
        steps.push(Step::Event { staged, path: path.into_bytes() });
    }
    let commit = draft.map(PkiDraft::finish).transpose()?.flatten();
    let journal = Journal { steps, commit };
    promise(stage, &journal, written)?;
    Ok(Some(journal))
}

/// Makes the folders of a file, from the top of the work tree; follows no link, for
/// somebody else may have committed one.
fn make_way(top: &Path, path: &str, made: &mut Vec<PathBuf>) -> Result<(), RecordError> {
    for (end, _) in path.match_indices('/') {
        let directory = top.join(path.get(..end).unwrap_or_default());
        if make_directory(&directory, Access::Mode(0o755))? {
            directory.parent().map_or(Ok(()), sync_directory)?;
            made.push(directory);
        } else if let Some(metadata) = inspect(&directory)? {
            check_directory(&directory, &metadata)?;
        }
    }
    Ok(())
}

/// Names for the stage that were never used before.
pub(crate) fn staged_names() -> impl Iterator<Item = String> {
    let transaction = RandomState::new().hash_one(());
    (0_u64..).map(move |number| format!("{transaction:016x}.{number}"))
}

/// Makes the directory of staged files; there must be none.
pub(crate) fn make_stage(stage: &Path) -> Result<(), FileError> {
    if make_directory(stage, Access::Owner)? {
        return Ok(());
    }
    Err(FileError::new("create", stage)(io::Error::from(io::ErrorKind::AlreadyExists)))
}

/// Writes the journal of what is on the stage.
pub(crate) fn promise(stage: &Path, journal: &Journal, mut written: Vec<Written>) -> Result<(), FileError> {
    written.push(write_new(&stage.join(JOURNAL_NEW), &journal.to_text().into(), Access::Owner, None)?);
    // A journal must not be on the disk before the files that it names, and the
    // name of .transaction itself must outlive a power cut.
    written.into_iter().try_for_each(Written::sync)?;
    sync_directory(stage)?;
    stage.parent().map_or(Ok(()), sync_directory)
}

/// Gives a file to the git commit; `None` when the work tree holds it as it
/// was decided, or moved.
fn store(
    root: &Path,
    placement: &Placement<'_>,
    draft: &mut PkiDraft<'_>,
) -> Result<Option<Contents>, RecordError> {
    let existing;
    let (from, contents) = match placement.source {
        Source::Contents(contents) => (placement.relative.to_owned(), contents),
        Source::Existing(from) => {
            let path = root.join(from.relative());
            existing = Contents::Secret(read_secret_file(&path)?.ok_or_else(|| absence_of(&path))?);
            (from.relative(), &existing)
        }
    };
    let stored = draft.stored(&from, placement.relative, contents)?;
    Ok((bytes_of(&stored) != bytes_of(contents)).then_some(stored))
}

fn absence_of(path: &Path) -> FileError {
    FileError::new("read", path)(io::Error::from(io::ErrorKind::NotFound))
}

/// Puts one file on the stage; `None` for a link, whose bytes are on the disk already.
fn stage_file(
    root: &Path,
    placement: &Placement<'_>,
    stored: Option<&Contents>,
    staged: &Path,
    umask: Umask,
) -> Result<Option<Written>, RecordError> {
    let replaced = inspect(&root.join(placement.relative))?;
    let owner = replaced.as_ref().map(Owner::of);
    let access = file_access(placement.relative, replaced.as_ref(), umask);
    if let Some(contents) = stored {
        return Ok(Some(write_new(staged, contents, access, owner)?));
    }
    match placement.source {
        Source::Contents(contents) => Ok(Some(write_new(staged, contents, access, owner)?)),
        Source::Existing(from) => {
            let path = root.join(from.relative());
            let secret = Sensitivity::of(placement.relative) == Sensitivity::Secret;
            let metadata = inspect(&path)?;
            let mode = metadata.as_ref().map_or(0o600, permissions);
            // A key that was readable by others is not any more where it goes.
            let linkable = placement.by_link && !(secret && mode & 0o077 != 0);
            // A copy does where links are impossible: another mount, a file
            // system without them, a file of somebody else.
            if linkable && fs::hard_link(&path, staged).is_ok() {
                return Ok(None);
            }
            let access = if secret { Access::Owner } else { Access::Mode(mode) };
            let copied = copy_new(&path, staged, access, metadata.as_ref().map(Owner::of))?;
            Ok(Some(copied.ok_or_else(|| absence_of(&path))?))
        }
    }
}
