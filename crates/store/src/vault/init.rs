// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store init`: makes a git repository a store, with what stands in its PKI.

use std::{collections::BTreeMap, path::Path};

use certkeep_pki::moment::Moment;
use rand_core::CryptoRng;

use super::{
    Keys, Vault, VaultError,
    contents::{add_absent, add_patterns, add_pki},
    edit::Edit,
    members::{Skipped, wrap_for_all},
    past::{self, Past},
    place::relative_to,
    was_here,
};
use crate::{
    driver,
    durable::inspect,
    git::Repository,
    git_crypt::LegacyKey,
    history::Message,
    keyring::Keyring,
    manifest::{Manifest, Zone, is_folder},
    member::{Member, MemberName},
    prompt::Prompt,
    repository::recover_repository,
    seal::StoreId,
    wrap::{Recipient, WrapError},
    zone::{CA, FOLDER, KEYS, Mode, Pattern, Protection, REQS, ZoneName},
    zone_keys::ZoneKeys,
};

/// How a store is made, whatever it is made from.
#[derive(Debug)]
pub struct Making<'a> {
    /// A folder of the repository, or where one is to be made.
    pub directory: &'a Path,
    /// The PKI folder, whether it exists yet or not.
    pub pki: Option<&'a Path>,
    /// How git is to call this program.
    pub program: &'a str,
    /// The clock.
    pub now: Moment,
    /// The words of the commit.
    pub message: Message,
}

/// What was made.
#[derive(Debug)]
pub struct Report {
    /// Whether there was no repository before.
    pub created_repository: bool,
    /// The commit.
    pub commit: Option<String>,
    /// The files that git keeps sealed now, relative to the top.
    pub sealed: Vec<String>,
    /// Secrets that earlier commits hold in the clear: sealing comes too late for those.
    pub exposed: Vec<Past>,
    /// How many objects hold a private key that no commit leads to any more, but
    /// for git's own notes of where references were.
    pub unreachable: usize,
    /// Members for whom the keys were not wrapped.
    pub skipped: Skipped,
    /// The keys that were made, for what else this run does.
    pub keys: Vec<ZoneKeys>,
}

/// A zone that is to be.
pub(super) struct Plan {
    pub(super) zone: ZoneName,
    pub(super) members: Vec<MemberName>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) legacy: Vec<LegacyKey>,
}

/// Makes a store. What is there of the PKI becomes part of its first commit.
///
/// Whoever runs this is trusted with the keys that are made: the work tree is
/// unlocked afterwards.
///
/// # Errors
///
/// One [`VaultError`] per refusal; nothing is recorded then.
pub fn init(
    making: &Making<'_>,
    members: &[(MemberName, Recipient)],
    rng: &mut dyn CryptoRng,
) -> Result<(Vault, Report), VaultError> {
    check_usable(members, making.now)?;
    let (repository, created_repository) = match Repository::discover(making.directory)? {
        Some(repository) => (repository, false),
        None => (Repository::init(making.directory)?, true),
    };
    let names: Vec<_> = members.iter().map(|(name, _)| name.clone()).collect();
    let plans = zones_of_a_pki().map(|zone| Plan {
        zone,
        members: names.clone(),
        patterns: Vec::new(),
        legacy: Vec::new(),
    });
    let (vault, mut report) = establish(making, repository, members, plans.into(), Edit::default(), rng)?;
    report.created_repository = created_repository;
    Ok((vault, report))
}

/// The zones that every store has.
pub(super) fn zones_of_a_pki() -> [ZoneName; 3] {
    [CA, KEYS, REQS].map(|name| ZoneName::parse(name).expect("one of ours"))
}

/// Makes the store that `plans` describe, with what `edit` holds already.
pub(super) fn establish(
    making: &Making<'_>,
    repository: Repository,
    members: &[(MemberName, Recipient)],
    plans: Vec<Plan>,
    mut edit: Edit,
    rng: &mut dyn CryptoRng,
) -> Result<(Vault, Report), VaultError> {
    if members.is_empty() {
        return Err(VaultError::NoRecipient);
    }
    let left_away = recover_repository(&repository)?;
    if repository.work_tree().join(FOLDER).join("store.toml").exists() {
        return Err(VaultError::Exists(repository.work_tree().display().to_string()));
    }
    if was_here(&repository) {
        return Err(VaultError::Elsewhere(repository.work_tree().display().to_string()));
    }
    repository.identity().map(drop)?;
    let pki = making.pki.map(|pki| pki_folder(repository.work_tree(), pki)).transpose()?;
    let store = StoreId::generate(rng);
    let mut manifest = Manifest { store, pki, members: roll(members)?, zones: BTreeMap::new() };
    let (mut keys, mut skipped) = (BTreeMap::new(), Skipped::new());
    for plan in plans {
        let mut zone_keys = ZoneKeys::generate(store, plan.zone.clone(), rng);
        zone_keys.legacy = plan.legacy;
        let mut zone = Zone::new(plan.zone.default_mode(), plan.zone.default_padding());
        zone.patterns = plan.patterns;
        manifest.zones.insert(plan.zone.clone(), zone);
        manifest.certify(&plan.zone, &zone_keys)?;
        for member in &plan.members {
            manifest.grant(&plan.zone, member, &zone_keys)?;
        }
        skipped.extend(wrap_for_all(&mut manifest, &plan.zone, &zone_keys, making.now)?);
        keys.insert(plan.zone, zone_keys);
    }
    let rules = manifest.rules();
    edit.manifest(None, &manifest);
    edit.attributes(&repository, &rules)?;
    let mut keys_of = |zone: &ZoneName| Ok(keys.get(zone).expect("every zone has keys").clone());
    let mut sealed = add_pki(&repository, &manifest, &mut keys_of, &mut edit)?;
    sealed.extend(add_patterns(&repository, &manifest, &keys, &mut edit)?);
    sealed.extend(add_absent(&repository, &manifest, &keys, &mut edit)?);
    let exposed = past::in_the_clear(&repository, &rules)?;
    let unreachable = past::unreachable_keys(&repository);

    // Before the commit: a driver and keys without a store harm nobody, a
    // store whose keys nobody has would.
    driver::install(&repository, &rules, making.program)?;
    let vault = Vault { repository, manifest, rules, left_away };
    let mut keyring = Keyring::new();
    for keys in keys.values() {
        let zone = vault.zone(keys.zone())?;
        if zone.mode == Mode::Transparent {
            keyring.insert(keys.clone(), zone.padding);
        }
    }
    keyring.write(&vault.repository.state().join("keyring"))?;
    let keys: Vec<ZoneKeys> = keys.into_values().collect();
    let commit = edit.record(&vault.repository, &making.message)?;
    // After the commit: what was seen speaks against a second attempt.
    vault.pin(&keys, &vault.manifest.zones.keys().cloned().collect(), None)?;
    Ok((vault, Report { created_repository: false, commit, sealed, exposed, unreachable, skipped, keys }))
}

/// Whoever was named is to be let in, or told why not.
pub(super) fn check_usable(members: &[(MemberName, Recipient)], now: Moment) -> Result<(), VaultError> {
    let Some((member, recipient)) = members.iter().find(|(_, recipient)| !recipient.is_usable(now)) else {
        return Ok(());
    };
    let (fingerprint, subkeys) = (recipient.fingerprint(), recipient.subkeys(now));
    let source = WrapError::NoUsableSubkey { fingerprint, subkeys };
    Err(VaultError::Wrap { member: member.clone(), source })
}

/// The members by name: nobody twice.
fn roll(members: &[(MemberName, Recipient)]) -> Result<BTreeMap<MemberName, Member>, VaultError> {
    let mut roll: BTreeMap<MemberName, Member> = BTreeMap::new();
    for (name, recipient) in members {
        let member = Member::of(recipient);
        if let Some((other, _)) = roll.iter().find(|(_, other)| other.fingerprint == member.fingerprint) {
            return Err(VaultError::KeyExists { member: other.clone() });
        }
        if roll.insert(name.clone(), member).is_some() {
            return Err(VaultError::MemberExists { member: name.clone() });
        }
    }
    Ok(roll)
}

impl Vault {
    /// Records the PKI folder as it stands: a PKI that was made without a
    /// command of the store, or in place of another. `None`: git has it already.
    ///
    /// # Errors
    ///
    /// It holds secrets, and their zone cannot be opened.
    pub fn adopt(
        &self,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        message: &Message,
    ) -> Result<Option<String>, VaultError> {
        let mut edit = Edit::default();
        let mut keys_of = |zone: &ZoneName| self.zone_keys(zone, keys, prompt).cloned();
        add_pki(&self.repository, &self.manifest, &mut keys_of, &mut edit)?;
        let Some(folder) = self.rules.pki() else { return Ok(None) };
        for entry in self.repository.index_entries()? {
            let below = entry.path.strip_prefix(folder.as_bytes());
            let inside = folder.is_empty() || below.is_some_and(|rest| rest.starts_with(b"/"));
            let own = self.rules.protection(&entry.path) == Protection::Unnamed;
            if inside && !own && inspect(&self.repository.file_path(&entry.path))?.is_none() {
                edit.remove(entry.path);
            }
        }
        edit.record(&self.repository, message)
    }
}

fn pki_folder(work_tree: &Path, pki: &Path) -> Result<String, VaultError> {
    let outside = || VaultError::PkiOutside(pki.display().to_string());
    let absolute = std::path::absolute(pki).map_err(|_| outside())?;
    let folder = relative_to(work_tree, &absolute).ok_or_else(outside)?;
    if is_folder(&folder) { Ok(folder) } else { Err(VaultError::PkiName(folder)) }
}
