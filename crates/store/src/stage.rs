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

use certkeep_pki::layout::Sensitivity;

use crate::{
    durable::{
        Access, FileError, Owner, Written, copy_new, inspect, make_directory, permissions, sync_directory,
        write_new,
    },
    journal::{Journal, Step},
    modes::Umask,
    plan::{Placement, Plan, Source, directory_access, file_access},
    transaction::{JOURNAL_NEW, RecordError, STAGE},
};

/// Writes everything that the commit needs. Directories are made at once, an
/// empty one harms nobody; `made` tells which.
pub(crate) fn prepare(
    root: &Path,
    plan: &Plan<'_>,
    umask: Umask,
    made: &mut Vec<PathBuf>,
) -> Result<Option<Journal>, RecordError> {
    let placements = plan.placements();
    let removals: Vec<_> = plan.removals().collect();
    if placements.is_empty() && removals.is_empty() && plan.directories.is_empty() {
        return Ok(None);
    }
    let stage = root.join(STAGE);
    if !make_directory(&stage, Access::Owner)? {
        let taken = io::Error::from(io::ErrorKind::AlreadyExists);
        return Err(FileError::new("create", &stage)(taken).into());
    }
    let mut steps = Vec::new();
    for relative in &plan.directories {
        let path = root.join(relative);
        if make_directory(&path, directory_access(relative, &plan.directories, umask))? {
            made.push(path);
        }
        steps.push(Step::Directory(relative.clone()));
    }
    for parent in made.iter().filter_map(|path| path.parent()).collect::<BTreeSet<_>>() {
        sync_directory(parent)?;
    }
    let mut written = Vec::with_capacity(placements.len() + 1);
    let transaction = RandomState::new().hash_one(());
    for (number, placement) in placements.iter().enumerate() {
        let staged = format!("{transaction:016x}.{number}");
        written.extend(stage_file(root, placement, &stage.join(&staged), umask)?);
        steps.push(Step::Place { staged, path: placement.relative.to_owned() });
    }
    steps.extend(removals.into_iter().map(|relative| Step::Remove(relative.to_owned())));
    let journal = Journal { steps };
    written.push(write_new(&stage.join(JOURNAL_NEW), &journal.to_text().into(), Access::Owner, None)?);
    // A journal must not be on the disk before the files that it names, and the
    // name of .transaction itself must outlive a power cut.
    written.into_iter().try_for_each(Written::sync)?;
    sync_directory(&stage)?;
    sync_directory(root)?;
    Ok(Some(journal))
}

/// Puts one file on the stage; `None` for a link, whose bytes are on the disk already.
fn stage_file(
    root: &Path,
    placement: &Placement<'_>,
    staged: &Path,
    umask: Umask,
) -> Result<Option<Written>, RecordError> {
    let replaced = inspect(&root.join(placement.relative))?;
    let owner = replaced.as_ref().map(Owner::of);
    let access = file_access(placement.relative, replaced.as_ref(), umask);
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
            let absent = || FileError::new("read", &path)(io::Error::from(io::ErrorKind::NotFound));
            Ok(Some(copied.ok_or_else(absent)?))
        }
    }
}
