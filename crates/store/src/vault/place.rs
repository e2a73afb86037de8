// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the repository of a PKI is.

use std::{fs, path::Path};

use super::VaultError;
use crate::{filter, git::Repository, pins::Pins};

/// The repository that `directory` is in, or would be in. Whoever can push can put a
/// link in the place of the PKI: where a store says that its files are there, or
/// this clone has seen it so, it is that store's, wherever the link leads.
pub(super) fn repository_of(directory: &Path) -> Result<Option<Repository>, VaultError> {
    for link in directory.ancestors().filter(|ancestor| ancestor.is_symlink()) {
        let around = link.parent().and_then(|folder| Repository::discover(folder).ok().flatten());
        if let Some(repository) = around.filter(|repository| keeps(repository, link)) {
            return Ok(Some(repository));
        }
    }
    let existing = directory.ancestors().find(|ancestor| ancestor.is_dir());
    Ok(existing.map(Repository::discover).transpose()?.flatten())
}

/// Whether files of a store belong behind a link.
fn keeps(repository: &Repository, link: &Path) -> bool {
    let folder = link.parent().and_then(|folder| relative_to(repository.work_tree(), folder));
    let (Some(folder), Some(name)) = (folder, link.file_name().and_then(|name| name.to_str())) else {
        return false;
    };
    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let seen = Pins::read(&repository.state().join("pins")).unwrap_or_default().own_rules();
    let described = filter::manifest(repository).ok().flatten().map(|manifest| manifest.rules());
    described.iter().chain([&seen]).any(|rules| rules.zone_behind(path.as_bytes()).is_some())
}

/// `path` relative to `top`, if it is below it, both read without their links.
pub(super) fn relative_to(top: &Path, path: &Path) -> Option<String> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists())?;
    let rest = path.strip_prefix(existing).ok()?;
    let real = fs::canonicalize(existing).ok()?.join(rest);
    let relative = real.strip_prefix(fs::canonicalize(top).ok()?).ok()?;
    relative.to_str().map(str::to_owned)
}
