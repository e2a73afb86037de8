// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store import git-crypt`: takes over a repository of git-crypt. Its OpenPGP
//! users become members, its keys stay in the zones' wraps, so that old commits
//! still check out, and what it sealed stays as it is until it changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use certkeep_pki::secret::SecretBytes;
use rand_core::CryptoRng;

use super::{
    Keys, Vault, VaultError,
    edit::Edit,
    files,
    init::{Making, Plan, Report, establish, zones_of_a_pki},
};
use crate::{
    durable::FileError,
    git::Repository,
    git_crypt::LegacyKey,
    history::Message,
    member::MemberName,
    read::read_regular,
    wrap::{
        Recipient,
        gpg::{Gpg, recipient_from_gpg},
    },
    zone::{KEYS, Pattern, ZoneName},
};

/// The folder in which git-crypt keeps its wrapped keys.
const FOLDER: &str = ".git-crypt";

/// Takes the git-crypt repository at `making.directory` over. Its keys come
/// from `key_file`, from an unlocked clone, or are unwrapped by gpg.
/// `more` are members besides its OpenPGP users.
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
    let refused = |what: &str| VaultError::GitCrypt(what.to_owned());
    let repository =
        Repository::discover(making.directory)?.ok_or_else(|| refused("there is no git repository"))?;
    let users = users(repository.work_tree())?;
    let keys = match key_file {
        Some(file) => vec![LegacyKey::parse(file).map_err(|error| refused(&error.to_string()))?],
        None => find_keys(&repository, &users, gpg)?,
    };
    if keys.is_empty() {
        return Err(refused("no key of it is here: run `git-crypt unlock` first, or name a key file"));
    }
    let mut edit = Edit::default();
    let patterns = take_attributes(&repository, &mut edit)?;
    let mut members = more.to_vec();
    let mut names: BTreeMap<&String, MemberName> = BTreeMap::new();
    for user in users.iter().map(|user| &user.fingerprint).collect::<BTreeSet<_>>() {
        let recipient = recipient_from_gpg(gpg, user)
            .map_err(|error| refused(&format!("the OpenPGP key {user} of a user is needed: {error}")))?;
        let name = free_name(&recipient, &members);
        names.insert(user, name.clone());
        members.push((name, recipient));
    }
    let zone_of = |key: &str| {
        let name = if key == "default" { KEYS.to_owned() } else { key.to_lowercase().replace('_', "-") };
        ZoneName::parse(&name).map_err(|error| refused(&error.to_string()))
    };
    let everybody: Vec<_> = members.iter().map(|(name, _)| name.clone()).collect();
    let mut plans: BTreeMap<ZoneName, Plan> = BTreeMap::new();
    for zone in zones_of_a_pki() {
        let plan =
            Plan { zone: zone.clone(), members: everybody.clone(), patterns: Vec::new(), legacy: Vec::new() };
        plans.insert(zone, plan);
    }
    for key in keys {
        let zone = zone_of(&key.name)?;
        let mut allowed: Vec<_> = more.iter().map(|(name, _)| name.clone()).collect();
        let theirs = users.iter().filter(|user| user.key == key.name);
        allowed.extend(theirs.filter_map(|user| names.get(&user.fingerprint).cloned()));
        if allowed.is_empty() {
            return Err(refused(&format!("its key `{}` has no OpenPGP user: name a member", key.name)));
        }
        let patterns = patterns.get(&key.name).cloned().unwrap_or_default();
        let plan = Plan { zone: zone.clone(), members: allowed, patterns, legacy: vec![key] };
        plans.insert(zone, plan);
    }
    if let Some(missing) = patterns
        .keys()
        .find(|name| !plans.values().any(|plan| plan.legacy.iter().any(|key| key.name == **name)))
    {
        return Err(refused(&format!("its key `{missing}` is not here")));
    }
    establish(making, repository, &members, plans.into_values().collect(), edit, rng)
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
        Ok((files, self.record(after, edit, message)?))
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
    let root = work_tree.join(FOLDER).join("keys");
    let mut users = Vec::new();
    for file in files::below(&root)? {
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

/// Keys of an unlocked clone, else those that gpg opens.
fn find_keys(repository: &Repository, users: &[User], gpg: &Gpg) -> Result<Vec<LegacyKey>, VaultError> {
    let refused = |what: String| VaultError::GitCrypt(what);
    let local = repository.common_dir().join("git-crypt").join("keys");
    let mut keys: BTreeMap<String, LegacyKey> = BTreeMap::new();
    for file in files::below(&local)? {
        let bytes = SecretBytes::new(read_regular(&local.join(&file))?.unwrap_or_default());
        let key = LegacyKey::parse(&bytes).map_err(|error| refused(format!("{file}: {error}")))?;
        keys.insert(key.name.clone(), key);
    }
    for user in users {
        if !keys.contains_key(&user.key) && gpg.has_secret_key(&user.fingerprint).unwrap_or(false) {
            let bytes = gpg.decrypt(&user.wrap).map_err(|error| refused(error.to_string()))?;
            let key = LegacyKey::parse(&bytes).map_err(|error| refused(error.to_string()))?;
            keys.insert(key.name.clone(), key);
        }
    }
    Ok(keys.into_values().collect())
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
        if path.starts_with(".git-crypt/") {
            edit.remove(path);
            continue;
        }
        let Some(folder) = path.strip_suffix(".gitattributes") else { continue };
        let absolute = repository.work_tree().join(&path);
        let text = fs::read_to_string(&absolute).map_err(FileError::new("read", &absolute))?;
        let mut kept = String::new();
        for line in text.split_inclusive('\n') {
            let mut words = line.split_whitespace();
            let pattern = words.next().unwrap_or_default();
            let key = words.clone().find_map(|word| {
                let rest = word.strip_prefix("filter=git-crypt")?;
                if rest.is_empty() { Some("default") } else { rest.strip_prefix('-') }
            });
            let Some(key) = key.filter(|_| !pattern.starts_with('#')) else {
                kept.push_str(line);
                continue;
            };
            let anchored = match (folder, pattern.strip_prefix('/'), pattern.contains('/')) {
                ("", ..) => pattern.to_owned(),
                (folder, Some(rest), _) => format!("{folder}{rest}"),
                (folder, None, true) => format!("{folder}{pattern}"),
                (folder, None, false) => format!("{folder}**/{pattern}"),
            };
            let parsed = Pattern::parse(&anchored)
                .map_err(|error| VaultError::GitCrypt(format!("the pattern of {path}: {error}")))?;
            patterns.entry(key.to_owned()).or_default().push(parsed);
            let rest: Vec<_> = words.filter(|word| !word.contains("=git-crypt")).collect();
            if !rest.is_empty() {
                kept.push_str(&format!("{pattern} {}\n", rest.join(" ")));
            }
        }
        if kept != text {
            edit.write(path, kept.into_bytes());
        }
    }
    Ok(patterns)
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
