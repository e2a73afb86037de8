// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a new store finds in the work tree, and what git is to hold of it.

use std::collections::{BTreeMap, BTreeSet};

use certkeep_guard::{Certainty, Format};
use certkeep_pki::{change::Contents, secret::SecretBytes};

use super::{VaultError, edit::Edit, files, import::GIT_CRYPT};
use crate::{
    durable::{Access, inspect},
    git::Repository,
    git_crypt,
    manifest::Manifest,
    read::read_regular,
    repository::WorkTree,
    seal,
    zone::{FOLDER, Mode, Protection, ZoneName},
    zone_keys::ZoneKeys,
};

/// What stands in the PKI folder, for git; gives the secret paths. Refuses private
/// keys under names that are public.
pub(super) fn add_pki(
    repository: &Repository,
    manifest: &Manifest,
    keys_of: &mut dyn FnMut(&ZoneName) -> Result<ZoneKeys, VaultError>,
    edit: &mut Edit,
) -> Result<Vec<String>, VaultError> {
    let rules = manifest.rules();
    let Some(folder) = rules.pki() else { return Ok(Vec::new()) };
    edit.since = Some(repository.head()?);
    let root = repository.work_tree().join(folder);
    let (mut sealed, mut keys_in_public) = (Vec::new(), Vec::new());
    for file in files::below(&root)? {
        let slash = if folder.is_empty() { "" } else { "/" };
        let path = [folder.as_bytes(), slash.as_bytes(), &file].concat();
        let shown = || String::from_utf8_lossy(&path).into_owned();
        let own = ["lock.file", ".transaction", FOLDER, ".git", GIT_CRYPT];
        if own.iter().any(|name| file.split(|&byte| byte == b'/').next() == Some(name.as_bytes())) {
            continue;
        }
        let Some(contents) = read_regular(&repository.file_path(&path))? else { continue };
        let mut contents = SecretBytes::new(contents);
        let zone = match rules.protection(&path) {
            Protection::Zone(zone) if !contents.is_empty() => zone,
            Protection::Unnamed => continue,
            Protection::Zone(_) | Protection::Public => {
                if holds_key(contents.expose()) {
                    keys_in_public.push(shown());
                }
                edit.keep(path, contents.expose().to_vec());
                continue;
            }
        };
        let keys = keys_of(zone)?;
        if seal::is_sealed(contents.expose()) {
            // Of this store, or it must not come in.
            let opened = keys.open(contents.expose());
            opened.map_err(|source| VaultError::Open { path: shown(), source })?;
            edit.keep(path, contents.expose().to_vec());
            continue;
        }
        let described = manifest.zones.get(zone).expect("its keys were found");
        if contents.expose().starts_with(git_crypt::MAGIC) {
            let opened = keys.open(contents.expose());
            contents = opened.map_err(|source| VaultError::Open { path: shown(), source })?;
        }
        let in_git = if keys.legacy.is_empty() { None } else { repository.index_entry(&path)? };
        if let Some(entry) = in_git.filter(|entry| described.mode == Mode::Transparent && entry.is_file())
            && let Some(opened) = keys.open_legacy(&repository.blob(entry.oid)?)
            && opened.expose() == contents.expose()
        {
            // Git has it, sealed by git-crypt.
            continue;
        }
        let blob = keys.sealing_now().seal(contents.expose(), described.padding);
        let work_tree = match described.mode {
            Mode::Sealed => WorkTree::Write(Contents::Public(blob.clone()), Access::Owner),
            Mode::Transparent => WorkTree::Leave,
        };
        sealed.push(shown());
        edit.seal(path, work_tree, blob);
    }
    if keys_in_public.is_empty() {
        Ok(sealed)
    } else {
        Err(VaultError::KeysInPublic { paths: keys_in_public })
    }
}

/// Whether a public file holds a private key all the same, read by the formats
/// and not by the name.
pub(super) fn holds_key(bytes: &[u8]) -> bool {
    certkeep_guard::detect(bytes).iter().any(|found| {
        // `vars` with a passphrase is public, as the threat model says.
        let key = !matches!(found.format, Format::VarsPassphrase);
        key && found.certainty == Certainty::Parsed && found.allowed.is_none()
    })
}

/// What git has in the clear although a pattern names it; gives the paths.
pub(super) fn add_patterns(
    repository: &Repository,
    manifest: &Manifest,
    keys: &BTreeMap<ZoneName, ZoneKeys>,
    edit: &mut Edit,
) -> Result<Vec<String>, VaultError> {
    let rules = manifest.rules();
    let mut sealed = Vec::new();
    if rules.patterns().is_empty() {
        return Ok(sealed);
    }
    for entry in repository.index_entries()? {
        let Protection::Zone(zone) = rules.protection(&entry.path) else { continue };
        let (Some(keys), Some(described)) = (keys.get(zone), manifest.zones.get(zone)) else { continue };
        if !entry.is_file() {
            continue;
        }
        let blob = SecretBytes::new(repository.blob(entry.oid)?);
        let is_ciphertext = seal::is_sealed(blob.expose()) || blob.expose().starts_with(git_crypt::MAGIC);
        if blob.is_empty() || is_ciphertext || edit.has(&entry.path) {
            continue;
        }
        let ciphertext = keys.sealing_now().seal(blob.expose(), described.padding);
        sealed.push(String::from_utf8_lossy(&entry.path).into_owned());
        edit.seal(entry.path, WorkTree::Leave, ciphertext);
    }
    Ok(sealed)
}

/// Protected files that git has in the clear and the work tree lacks: HEAD is to
/// have none. They stay absent, and one whose removal is staged goes from git, too.
pub(super) fn add_absent(
    repository: &Repository,
    manifest: &Manifest,
    keys: &BTreeMap<ZoneName, ZoneKeys>,
    edit: &mut Edit,
) -> Result<Vec<String>, VaultError> {
    let rules = manifest.rules();
    let done: BTreeSet<_> = edit.changes.iter().map(|change| change.path.clone()).collect();
    let clear = |path: &[u8], oid| {
        let Protection::Zone(zone) = rules.protection(path) else { return Ok(None) };
        if inspect(&repository.file_path(path))?.is_some() {
            return Ok(None);
        }
        let blob = repository.blob(oid)?;
        let sealed = seal::is_sealed(&blob) || blob.starts_with(git_crypt::MAGIC) || blob.is_empty();
        let new = !sealed && !done.contains(path);
        Ok::<_, VaultError>(new.then(|| (zone, SecretBytes::new(blob))))
    };
    let mut sealed = Vec::new();
    let mut known = BTreeSet::new();
    for entry in repository.index_entries()? {
        known.insert(entry.path.clone());
        if !entry.is_file() {
            continue;
        }
        let Some((zone, contents)) = clear(&entry.path, entry.oid)? else { continue };
        let described = manifest.zones.get(zone).expect("the rules are the manifest's");
        let key = keys.get(zone).expect("every zone has keys").sealing_now();
        sealed.push(String::from_utf8_lossy(&entry.path).into_owned());
        edit.seal(entry.path, WorkTree::Leave, key.seal(contents.expose(), described.padding));
    }
    let Some(head) = repository.head_commit()? else { return Ok(sealed) };
    for entry in repository.entries(head)? {
        if entry.is_file() && !known.contains(&entry.path) && clear(&entry.path, entry.oid)?.is_some() {
            edit.remove(entry.path);
        }
    }
    Ok(sealed)
}
