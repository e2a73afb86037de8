// SPDX-License-Identifier: MIT OR Apache-2.0
//! How git is told to call us: the drivers in its configuration, the attributes
//! that no file of the repository can overrule. `lock` leaves both: git takes a
//! filter that is not configured for none, and stores plaintext.

use std::path::{Path, PathBuf};

use certkeep_pki::change::Contents;
use thiserror::Error;

use crate::{
    attributes,
    durable::{self, Access, FileError},
    git::{GitError, Repository},
    read::{ReadError, read_file},
    repository::RepositoryLock,
    zone::Rules,
};

/// Why git could not be told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DriverError {
    /// Its configuration cannot be read or written.
    #[error(transparent)]
    Git(#[from] GitError),
    /// `info/attributes` cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// `info/attributes` cannot be written.
    #[error(transparent)]
    Write(#[from] FileError),
}

/// What the configuration holds. `program` is a word of a shell's language.
fn settings(program: &str) -> [(&'static str, String); 16] {
    [
        ("filter.certkeep.process", format!("{program} git-filter process")),
        // For programs that do not speak the protocol; git itself prefers the one above.
        ("filter.certkeep.clean", format!("{program} git-filter clean %f")),
        ("filter.certkeep.smudge", format!("{program} git-filter smudge %f")),
        ("filter.certkeep.required", "true".to_owned()),
        ("diff.certkeep.textconv", format!("{program} git-textconv")),
        // The cache would be plaintext in git's objects.
        ("diff.certkeep.cachetextconv", "false".to_owned()),
        ("diff.certkeep.binary", "true".to_owned()),
        ("merge.certkeep.name", "certkeep: the side that changed".to_owned()),
        ("merge.certkeep.driver", format!("{program} git-merge %O %A %B %L %P %X %Y")),
        ("merge.certkeep-pki.name", "certkeep: the database of a CA".to_owned()),
        ("merge.certkeep-pki.driver", format!("{program} git-merge %O %A %B %L %P %X %Y")),
        ("merge.certkeep-store.name", "certkeep: what members say of a zone".to_owned()),
        ("merge.certkeep-store.driver", format!("{program} git-merge %O %A %B %L %P %X %Y")),
        // A certificate that one side has moved away, because it revoked it, and the
        // other has issued anew is no file with a new name and new contents.
        // Since 2.50 git obeys that by itself; before, its older strategy alone does.
        ("merge.renames", "false".to_owned()),
        ("pull.twohead", "recursive".to_owned()),
        ("merge.directoryRenames", "false".to_owned()),
    ]
}

/// Tells git, in this repository and its linked work trees, to call `program`
/// for what the rules protect. What is right already is not written again.
pub(crate) fn install(repository: &Repository, rules: &Rules, program: &str) -> Result<(), DriverError> {
    let _lock = RepositoryLock::acquire(repository)?;
    let wanted = settings(program);
    let mut changed = Vec::new();
    for (name, value) in &wanted {
        // Also where a user's own settings say the same: they are not this repository's to keep.
        let stands = repository.own_config(name)?.as_ref() == Some(value);
        if !stands || repository.config(name)?.as_ref() != Some(value) {
            changed.push((*name, value.as_str()));
        }
    }
    if !changed.is_empty() {
        repository.configure(&changed)?;
    }
    tell_attributes(repository, rules)
}

/// Where no file of the repository can overrule what stands there.
fn attributes_file(repository: &Repository) -> PathBuf {
    repository.common_dir().join("info/attributes")
}

/// What git was told last.
pub(crate) fn told_attributes(repository: &Repository) -> Result<Vec<u8>, ReadError> {
    Ok(read_file(&attributes_file(repository))?.unwrap_or_default())
}

/// Writes the rules where no file of the repository can overrule them.
pub(crate) fn tell_attributes(repository: &Repository, rules: &Rules) -> Result<(), DriverError> {
    let path = attributes_file(repository);
    let before = told_attributes(repository)?;
    let after = attributes::apply_block(&before, &attributes::block_of_clone(rules));
    if after != before {
        write(&path, after)?;
    }
    Ok(())
}

/// Whether git is told all that this version tells it: an older one told it less.
pub(crate) fn is_complete(repository: &Repository, program: &str) -> Result<bool, DriverError> {
    for (name, value) in settings(program) {
        if repository.config(name)?.as_ref() != Some(&value) {
            return Ok(false);
        }
    }
    is_installed(repository)
}

/// A setting that git has otherwise than `unlock` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// Such as `filter.certkeep.required`.
    pub name: &'static str,
    /// What it is to be.
    pub wanted: String,
    /// What it is, if it is anything.
    pub found: Option<String>,
}

/// How git is to call us, by what the configuration says itself, as a word of a
/// shell's language; `None`: it does not call us.
pub(crate) fn program(repository: &Repository) -> Result<Option<String>, DriverError> {
    let process = repository.config("filter.certkeep.process")?;
    Ok(process.and_then(|process| process.strip_suffix(" git-filter process").map(str::to_owned)))
}

/// What differs from the settings for a program.
pub(crate) fn differing(repository: &Repository, program: &str) -> Result<Vec<Differing>, DriverError> {
    let mut differing = Vec::new();
    for (name, wanted) in settings(program) {
        let found = repository.config(name)?;
        if found.as_ref() != Some(&wanted) {
            differing.push(Differing { name, wanted, found });
        }
    }
    Ok(differing)
}

/// The settings that some other file of configuration than this repository's makes.
pub(crate) fn elsewhere(repository: &Repository, program: &str) -> Result<Vec<&'static str>, DriverError> {
    let mut elsewhere = Vec::new();
    for (name, wanted) in settings(program) {
        if repository.config(name)?.as_ref() == Some(&wanted) && repository.own_config(name)?.is_none() {
            elsewhere.push(name);
        }
    }
    Ok(elsewhere)
}

/// Whether git calls us, and refuses what we refuse.
pub(crate) fn is_installed(repository: &Repository) -> Result<bool, DriverError> {
    let calls = repository.config("filter.certkeep.process")?.is_some();
    let required = repository.config_flag("filter.certkeep.required")? == Some(true);
    Ok(calls && required && attributes::has_block(&told_attributes(repository)?))
}

/// Whole or not at all: half of it could leave a folder unprotected.
fn write(path: &Path, contents: Vec<u8>) -> Result<(), FileError> {
    let folder = path.parent().expect("a file is in a folder");
    // As open as git's own, which makes it in every new repository.
    durable::make_directory(folder, Access::Mode(0o755))?;
    let new = path.with_extension("certkeep-new");
    durable::remove_if_present(&new)?;
    durable::write_new(&new, &Contents::Public(contents), Access::Mode(0o644), None)?.sync()?;
    durable::rename_if_present(&new, path)?;
    durable::sync_directory(folder)
}
