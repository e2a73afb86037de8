// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules that hold for a work tree, without the members and their keys: a
//! filter is started often and needs none of them. They are not verified here;
//! whoever alters them can have a file refused, or left sealed, and no more.

use std::{collections::BTreeMap, fs, io, path::Path};

use crate::{
    git::{Oid, Repository},
    keyring::Keyring,
    manifest::{Manifest, ManifestError},
    seal::key_id,
    zone::{FOLDER, ZoneName},
};

/// The most that a file of the rules may hold, in bytes.
const LIMIT: u64 = 1 << 20;

/// The store and its zones, from the work tree; where that is not checked out
/// yet, from the index or the last commit. `None`: there is no store.
///
/// # Errors
///
/// A file that cannot be read or understood.
pub(crate) fn manifest(repository: &Repository) -> Result<Option<Manifest>, ManifestError> {
    let mut files = in_folder(&repository.work_tree().join(FOLDER))?;
    if files.is_empty() {
        files = in_git(repository)?;
    }
    if files.contains_key("store.toml") { Manifest::parse(&files).map(Some) } else { Ok(None) }
}

fn in_folder(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, ManifestError> {
    let mut files = BTreeMap::new();
    let mut add = |name: String| {
        let path = folder.join(&name);
        let read = || match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(metadata) if !metadata.is_file() || metadata.len() > LIMIT => {
                Err(io::Error::from(io::ErrorKind::InvalidData))
            }
            Ok(_) => fs::read(&path).map(Some),
        };
        if let Some(bytes) = read().map_err(|error| unreadable(&name, &error))? {
            files.insert(name, bytes);
        }
        Ok(())
    };
    add("store.toml".to_owned())?;
    let zones = match fs::read_dir(folder.join("zones")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        zones => zones.map_err(|error| unreadable("zones", &error))?,
    };
    for zone in zones {
        let zone = zone.map_err(|error| unreadable("zones", &error))?;
        if let Some(name) = zone.file_name().to_str() {
            add(format!("zones/{name}/zone.toml"))?;
        }
    }
    Ok(files)
}

fn in_git(repository: &Repository) -> Result<BTreeMap<String, Vec<u8>>, ManifestError> {
    let unreadable = |error| unreadable("store.toml", &error);
    let staged = repository.index_entries().map_err(unreadable)?;
    let staged = staged.into_iter().filter(|entry| entry.is_file()).map(|entry| (entry.path, entry.oid));
    let mut found: Vec<_> = staged.filter_map(rule).collect();
    if found.is_empty()
        && let Some(commit) = repository.head_commit().map_err(unreadable)?
    {
        let entries = repository.entries(commit).map_err(unreadable)?;
        found = entries.into_iter().map(|entry| (entry.path, entry.oid)).filter_map(rule).collect();
    }
    let files = found.into_iter().map(|(name, oid)| Ok((name, repository.blob(oid).map_err(unreadable)?)));
    files.collect()
}

/// A file of the rules by its name in `.certkeep`.
fn rule((path, oid): (Vec<u8>, Oid)) -> Option<(String, Oid)> {
    let path = String::from_utf8(path).ok()?;
    let name = path.strip_prefix(FOLDER)?.strip_prefix('/')?;
    let zone = name.strip_prefix("zones/").and_then(|name| name.strip_suffix("/zone.toml"));
    let is_rule = name == "store.toml" || zone.is_some_and(|zone| !zone.contains('/'));
    is_rule.then(|| (name.to_owned(), oid))
}

fn unreadable(path: &str, error: &dyn std::fmt::Display) -> ManifestError {
    ManifestError { path: path.to_owned(), what: format!("cannot be read: {error}") }
}

/// Which of the zones that keep a file has sealed it, as far as the keys here tell; the first otherwise.
pub(crate) fn sealer<'z>(keyring: &Keyring, zones: &[&'z ZoneName], sealed: &[u8]) -> Option<&'z ZoneName> {
    let first = zones.first().copied();
    let Some(id) = key_id(sealed).ok().flatten().filter(|_| zones.len() > 1) else { return first };
    let has = |zone: &&&ZoneName| {
        let keys = keyring.zone(zone);
        keys.is_some_and(|keys| {
            keys.epochs().any(|epoch| keys.sealing(epoch).is_some_and(|key| key.id() == id))
        })
    };
    zones.iter().find(has).copied().or(first)
}
