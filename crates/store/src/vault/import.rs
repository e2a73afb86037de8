// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store import git-crypt`: takes over a repository of git-crypt. Its OpenPGP
//! users become members, its keys stay in the zones' wraps, so that old commits
//! still check out, and what it sealed stays as it is until it changes. Only
//! the CA's key is sealed anew at once: every user's keyring could open it.
//!
//! long: what is looked at before anything is changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use certkeep_pki::secret::SecretBytes;
use rand_core::CryptoRng;
use walkdir::WalkDir;

use super::{
    Keys, Vault, VaultError,
    edit::Edit,
    files,
    init::{Making, Plan, Report, check_usable, establish, zones_of_a_pki},
    place::relative_to,
};
use crate::{
    attributes,
    git::{IndexEntry, Repository, as_path},
    git_crypt::{LegacyKey, MAGIC},
    history::Message,
    member::MemberName,
    read::read_regular,
    worktree,
    wrap::{
        Recipient,
        gpg::{Gpg, GpgError, recipient_from_gpg},
    },
    zone::{KEYS, Pattern, Protection, Rules, ZoneName},
};

/// The folder in which git-crypt keeps its wrapped keys.
pub(super) const GIT_CRYPT: &str = ".git-crypt";

/// The name of the key that has none.
const DEFAULT: &str = "default";

/// Takes the git-crypt repository at `making.directory` over. Its keys come
/// from `key_file`, from an unlocked clone, or are unwrapped by gpg.
/// `more` are members besides its OpenPGP users. The work tree is unlocked then.
///
/// # Errors
///
/// [`VaultError::GitCrypt`] says what stands in the way; nothing is changed then.
pub fn import_git_crypt(
    making: &Making<'_>,
    key_file: Option<&SecretBytes>,
    more: &[(MemberName, Recipient)],
    gpg: &Gpg,
    rng: &mut dyn CryptoRng,
) -> Result<(Vault, Report), VaultError> {
    check_usable(more, making.now)?;
    let repository = Repository::discover(making.directory)?;
    let repository = repository.ok_or_else(|| refused("there is no git repository"))?;
    let users = users(repository.work_tree())?;
    let mut edit = Edit::default();
    let patterns = take_attributes(&repository, &mut edit)?;
    if patterns.is_empty() {
        return Err(refused("no .gitattributes in it names git-crypt"));
    }
    let keys = find_keys(&repository, key_file, &patterns, &users, gpg)?;
    let encrypted = encrypted_files(&repository, &keys)?;

    let mut members = more.to_vec();
    let mut names: BTreeMap<&String, MemberName> = BTreeMap::new();
    for user in users.iter().map(|user| &user.fingerprint).collect::<BTreeSet<_>>() {
        let recipient = recipient_from_gpg(gpg, user)
            .map_err(|error| refused(format!("the OpenPGP key {user} of a user is needed: {error}")))?;
        let name = free_name(&recipient, &members);
        names.insert(user, name.clone());
        members.push((name, recipient));
    }
    let everybody: BTreeSet<_> = members.iter().map(|(name, _)| name.clone()).collect();
    let readers = |key: &str| -> BTreeSet<MemberName> {
        let theirs = users.iter().filter(|user| user.key == key);
        let theirs = theirs.filter_map(|user| names.get(&user.fingerprint).cloned());
        theirs.chain(more.iter().map(|(name, _)| name.clone())).collect()
    };

    // A zone of the PKI is for those who could read all of its files so far.
    let pki = making.pki.and_then(|pki| relative_to(repository.work_tree(), pki));
    let layout = Rules::new(pki.as_deref(), Vec::new());
    let mut plans: BTreeMap<ZoneName, Plan> = BTreeMap::new();
    for zone in zones_of_a_pki() {
        let of_zone = |path: &[u8]| layout.protection(path) == Protection::Zone(&zone);
        let mut sealing: BTreeSet<&str> =
            encrypted.iter().filter(|(path, _)| of_zone(path)).map(|(_, key)| key.as_str()).collect();
        if sealing.is_empty() && keys.contains_key(DEFAULT) {
            sealing.insert(DEFAULT);
        }
        let readers = sealing.iter().fold(everybody.clone(), |some, key| &some & &readers(key));
        let legacy = sealing.iter().filter_map(|key| keys.get(*key).cloned()).collect();
        let members = readers.into_iter().collect();
        plans.insert(zone.clone(), Plan { zone, members, patterns: Vec::new(), legacy });
    }
    for (name, patterns) in patterns {
        // The default key's files join the PKI's keys where the same people read both.
        if let Some(plan) = plans.values_mut().find(|plan| {
            name == DEFAULT && plan.zone.as_str() == KEYS && plan.legacy.iter().all(|key| key.name == DEFAULT)
        }) {
            plan.patterns = patterns;
            continue;
        }
        let zone = free_zone(&name, &plans)?;
        let members = readers(&name).into_iter().collect();
        let legacy = keys.get(&name).cloned().into_iter().collect();
        plans.insert(zone.clone(), Plan { zone, members, patterns, legacy });
    }
    if let Some(plan) = plans.values().find(|plan| plan.members.is_empty()) {
        return Err(refused(format!("nobody could open the zone `{}`: name a member", plan.zone)));
    }
    check(&repository, pki.as_deref(), &plans, &encrypted)?;

    let (vault, report) = establish(making, repository, &members, plans.into_values().collect(), edit, rng)?;
    remove_empty(&vault.work_tree().join(GIT_CRYPT));
    let keyring = vault.keyring()?.unwrap_or_default();
    worktree::unlock(&vault.repository, &vault.rules, &keyring, &mut |_, _| {})?;
    Ok((vault, report))
}

fn refused(what: impl Into<String>) -> VaultError {
    VaultError::GitCrypt(what.into())
}

impl Vault {
    /// Seals everything that git-crypt sealed with this store's keys.
    ///
    /// # Errors
    ///
    /// A file cannot be opened or has staged changes.
    pub fn rewrite_legacy(
        &mut self,
        keys: &mut Keys,
        prompt: &mut dyn crate::prompt::Prompt,
        message: &Message,
    ) -> Result<(usize, Option<String>), VaultError> {
        let mut edit = Edit::default();
        let mut files = 0;
        for (zone, padding) in
            self.manifest.zones.iter().map(|(name, zone)| (name.clone(), zone.padding)).collect::<Vec<_>>()
        {
            let keys = self.zone_keys(&zone, keys, prompt)?;
            if !keys.legacy.is_empty() {
                files += edit.reseal(self, &zone, keys, keys, padding)?;
            }
        }
        let after = self.manifest.clone();
        Ok((files, self.record(after, edit, keys, &[], message)?))
    }
}

/// An OpenPGP user of one key.
struct User {
    key: String,
    fingerprint: String,
    wrap: Vec<u8>,
}

/// `.git-crypt/keys/KEY/VERSION/FINGERPRINT.gpg`
fn users(work_tree: &Path) -> Result<Vec<User>, VaultError> {
    let root = work_tree.join(GIT_CRYPT).join("keys");
    let mut users = Vec::new();
    // What has another name is none of git-crypt's.
    for file in files::below(&root)?.into_iter().filter_map(|file| String::from_utf8(file).ok()) {
        let mut parts = file.split('/');
        let (Some(key), Some(_), Some(name), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let Some(fingerprint) = name.strip_suffix(".gpg") else { continue };
        let wrap = read_regular(&root.join(&file))?.unwrap_or_default();
        users.push(User { key: key.to_owned(), fingerprint: fingerprint.to_owned(), wrap });
    }
    Ok(users)
}

/// The keys that the patterns need, by name: that of the file, those of an
/// unlocked clone, those that gpg opens.
fn find_keys(
    repository: &Repository,
    key_file: Option<&SecretBytes>,
    patterns: &BTreeMap<String, Vec<Pattern>>,
    users: &[User],
    gpg: &Gpg,
) -> Result<BTreeMap<String, LegacyKey>, VaultError> {
    let mut keys: BTreeMap<String, LegacyKey> = BTreeMap::new();
    let mut add = |bytes: &SecretBytes, place: &str| {
        let key = LegacyKey::parse(bytes).map_err(|error| refused(format!("{place}: {error}")))?;
        keys.entry(key.name.clone()).or_insert(key);
        Ok::<_, VaultError>(keys.keys().cloned().collect::<BTreeSet<_>>())
    };
    let mut known = BTreeSet::new();
    if let Some(file) = key_file {
        known = add(file, "the key file")?;
    }
    let local = repository.common_dir().join("git-crypt").join("keys");
    for file in files::below(&local)? {
        let bytes = SecretBytes::new(read_regular(&local.join(as_path(&file)))?.unwrap_or_default());
        known = add(&bytes, &String::from_utf8_lossy(&file))?;
    }
    for user in users.iter().filter(|user| patterns.contains_key(&user.key)) {
        if known.contains(&user.key) {
            continue;
        }
        let failed = |error: GpgError| refused(format!("the key `{}`: {error}", user.key));
        if gpg.has_secret_key(&user.fingerprint).map_err(failed)? {
            known = add(&gpg.decrypt(&user.wrap).map_err(failed)?, &user.key)?;
        }
    }
    if keys.is_empty() {
        return Err(refused("no key of it is here: run `git-crypt unlock` first, or name a key file"));
    }
    match patterns.keys().find(|name| !keys.contains_key(*name)) {
        Some(missing) => Err(refused(format!("its key `{missing}` is not here"))),
        None => Ok(keys),
    }
}

/// The files that git sends through git-crypt, with the key's name; what it
/// sealed has to open.
fn encrypted_files(
    repository: &Repository,
    keys: &BTreeMap<String, LegacyKey>,
) -> Result<BTreeMap<Vec<u8>, String>, VaultError> {
    let entries: Vec<_> = repository.index_entries()?.into_iter().filter(IndexEntry::is_file).collect();
    let paths: Vec<_> = entries.iter().map(|entry| entry.path.clone()).collect();
    let filters = attributes::values(repository, "filter", &paths)?;
    let key_of = |(path, filter): (Vec<u8>, String)| Some((path, key_name(&filter)?.to_owned()));
    let encrypted: BTreeMap<_, _> = filters.into_iter().filter_map(key_of).collect();
    for entry in entries {
        let Some(name) = encrypted.get(&entry.path) else { continue };
        let Some(key) = keys.get(name) else { continue };
        let path = String::from_utf8_lossy(&entry.path);
        let blob = repository.blob(entry.oid)?;
        if blob.starts_with(MAGIC) && key.open(&blob).is_none() {
            return Err(refused(format!("its key `{name}` does not open {path}")));
        }
    }
    Ok(encrypted)
}

/// Outside of the PKI, the same files are to be protected as before, by the same key.
fn check(
    repository: &Repository,
    pki: Option<&str>,
    plans: &BTreeMap<ZoneName, Plan>,
    encrypted: &BTreeMap<Vec<u8>, String>,
) -> Result<(), VaultError> {
    let patterns = plans
        .values()
        .flat_map(|plan| plan.patterns.iter().map(|pattern| (pattern.clone(), plan.zone.clone())));
    let (rules, layout) = (Rules::new(pki, patterns.collect()), Rules::new(pki, Vec::new()));
    for entry in repository.index_entries()?.into_iter().filter(IndexEntry::is_file) {
        let path = String::from_utf8_lossy(&entry.path);
        if matches!(layout.protection(&entry.path), Protection::Zone(_)) {
            continue;
        }
        match (encrypted.get(&entry.path), rules.protection(&entry.path)) {
            (None, Protection::Zone(zone)) => {
                return Err(refused(format!(
                    "{path} is not encrypted, but a pattern of the zone `{zone}` names it"
                )));
            }
            (Some(key), Protection::Zone(zone))
                if !plans.get(zone).is_some_and(|plan| plan.legacy.iter().any(|own| own.name == *key)) =>
            {
                return Err(refused(format!(
                    "{path} has the key `{key}`, but a pattern of another one names it"
                )));
            }
            (Some(key), Protection::Unnamed) => {
                return Err(refused(format!("{path} has the key `{key}`, but no pattern names it")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The key that a filter is for.
fn key_name(filter: &str) -> Option<&str> {
    match filter.strip_prefix("git-crypt")? {
        "" => Some(DEFAULT),
        rest => rest.strip_prefix('-'),
    }
}

/// The patterns of every `.gitattributes` by the key that they name; `edit`
/// takes them out of those files, and git-crypt's folder out of the tree.
fn take_attributes(
    repository: &Repository,
    edit: &mut Edit,
) -> Result<BTreeMap<String, Vec<Pattern>>, VaultError> {
    let mut patterns: BTreeMap<String, Vec<Pattern>> = BTreeMap::new();
    for entry in repository.index_entries()? {
        let Ok(path) = String::from_utf8(entry.path) else { continue };
        if path.strip_prefix(GIT_CRYPT).is_some_and(|rest| rest.starts_with('/')) {
            edit.remove(path);
            continue;
        }
        let folder = match path.strip_suffix(".gitattributes") {
            Some(folder) if folder.is_empty() || folder.ends_with('/') => folder,
            _ => continue,
        };
        let absolute = repository.work_tree().join(&path);
        let bytes = read_regular(&absolute)?.unwrap_or_default();
        let before = String::from_utf8_lossy(&bytes);
        let mut kept = String::new();
        for line in before.split_inclusive('\n') {
            let parts = attributes::split(line).and_then(|(pattern, rest)| {
                let key = rest.split_whitespace().find_map(|word| key_name(word.strip_prefix("filter=")?));
                Some((pattern, rest, key?))
            });
            let Some((pattern, rest, key)) = parts else {
                kept.push_str(line);
                continue;
            };
            let parsed = Pattern::parse(&attributes::from_top(folder, &pattern))
                .map_err(|error| refused(format!("the patterns of {path}: {error}")))?;
            patterns.entry(key.to_owned()).or_default().push(parsed);
            let rest: Vec<_> = rest.split_whitespace().filter(|word| !word.contains("=git-crypt")).collect();
            if !rest.is_empty() {
                kept.push_str(&format!("{} {}\n", attributes::quoted(&pattern), rest.join(" ")));
            }
        }
        if kept != before {
            edit.write(path, kept.into_bytes());
        }
    }
    Ok(patterns)
}

/// Git keeps no empty folders.
fn remove_empty(folder: &Path) {
    for entry in WalkDir::new(folder).contents_first(true).into_iter().flatten() {
        // One that is not empty stays.
        drop(fs::remove_dir(entry.path()));
    }
}

fn free_zone(key: &str, taken: &BTreeMap<ZoneName, Plan>) -> Result<ZoneName, VaultError> {
    let own = key.to_lowercase().replace('_', "-");
    let names = [own.clone(), format!("git-crypt-{own}")];
    let mut zones = names.iter().filter_map(|name| ZoneName::parse(name).ok());
    zones
        .find(|zone| !taken.contains_key(zone))
        .ok_or_else(|| refused(format!("no zone can be called after its key `{key}`")))
}

fn free_name(recipient: &Recipient, taken: &[(MemberName, Recipient)]) -> MemberName {
    let suggested = recipient.comment().and_then(|comment| MemberName::suggest(&comment));
    let base = suggested.map_or_else(|| "member".to_owned(), |name| name.to_string());
    let names = std::iter::once(base.clone()).chain((2..).map(|number| format!("{base}-{number}")));
    names
        .filter_map(|name| MemberName::parse(&name).ok())
        .find(|name| !taken.iter().any(|(other, _)| other == name))
        .expect("one of endlessly many is free")
}
