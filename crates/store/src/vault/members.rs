// SPDX-License-Identifier: MIT OR Apache-2.0
//! Members come, are renewed, and are listed. How one goes is `rotate`.
//!
//! long: wrapping and recording, which the rooms beside it share, stand below.

use std::collections::{BTreeMap, BTreeSet};

use certkeep_pki::moment::Moment;

use super::{Keys, Vault, VaultError, edit::Edit};
use crate::{
    driver,
    history::Message,
    manifest::{GrantState, Manifest, Wrap},
    member::{Member, MemberName},
    prompt::Prompt,
    wrap::{Recipient, WrapError},
    zone::ZoneName,
    zone_keys::ZoneKeys,
};

/// What is known of a member.
#[derive(Debug)]
pub struct Known {
    /// The name.
    pub name: MemberName,
    /// The key; `None` where files speak of somebody who has none of his own.
    pub member: Option<Member>,
    /// The zones he was granted, and whether that counts; `None` where it
    /// cannot be told without the zone's key.
    pub zones: BTreeMap<ZoneName, Option<GrantState>>,
    /// Those of them whose present keys are not wrapped for him.
    pub waiting: BTreeSet<ZoneName>,
}

/// Members whose keys nothing may be encrypted to now, and why. Their grants
/// stay, so that [`Vault::refresh_members`] lets them in again.
pub type Skipped = BTreeMap<MemberName, WrapError>;

/// What became of a member.
#[derive(Debug)]
pub struct Report {
    /// The commit; `None` when there was nothing to change.
    pub commit: Option<String>,
    /// The zones that he may open.
    pub zones: Vec<ZoneName>,
    /// Who was not let in.
    pub skipped: Skipped,
}

impl Member {
    /// The member with this key.
    #[must_use]
    pub fn of(recipient: &Recipient) -> Self {
        Self { kind: recipient.kind(), key: recipient.text(), fingerprint: recipient.fingerprint() }
    }
}

impl Vault {
    /// Lets somebody open zones. Whoever runs this has to be able to open them.
    ///
    /// # Errors
    ///
    /// The name or the key is another member's; a zone cannot be opened.
    #[expect(clippy::too_many_arguments, reason = "who, what, with which keys, when, and how it is told")]
    pub fn add_member(
        &mut self,
        name: &MemberName,
        recipient: &Recipient,
        zones: &[ZoneName],
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        now: Moment,
        message: &Message,
    ) -> Result<Report, VaultError> {
        let member = Member::of(recipient);
        for (other, known) in &self.manifest.members {
            match (other == name, known.fingerprint == member.fingerprint) {
                (true, false) => return Err(VaultError::MemberExists { member: name.clone() }),
                (false, true) => return Err(VaultError::KeyExists { member: other.clone() }),
                _ => {}
            }
        }
        let mut after = self.manifest.clone();
        after.members.insert(name.clone(), member);
        let past = self.past_grants()?;
        for zone in zones {
            let keys = self.zone_keys(zone, keys, prompt)?;
            after.grant_after(self.revision_of(&past, zone, name, keys), zone, name, keys)?;
            if let Some(source) = wrap_for(&mut after, zone, name, keys, now, false)? {
                return Err(VaultError::Wrap { member: name.clone(), source });
            }
        }
        let commit = self.record(after, Edit::default(), keys, &[], message)?;
        Ok(Report { commit, zones: zones.to_vec(), skipped: Skipped::new() })
    }

    /// Wraps the keys again for members whose OpenPGP certificate was renewed
    /// (`renewed`, by name), and confirms grants that were given in an earlier
    /// epoch (`confirmed`).
    ///
    /// # Errors
    ///
    /// A renewed key has another fingerprint; a zone cannot be opened; not one
    /// of the members has a usable key.
    #[expect(clippy::too_many_arguments, reason = "who, with which keys, when, and how it is told")]
    pub fn refresh_members(
        &mut self,
        renewed: &BTreeMap<MemberName, Recipient>,
        confirmed: &[MemberName],
        allow_expired: bool,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        now: Moment,
        message: &Message,
    ) -> Result<Report, VaultError> {
        let mut after = self.manifest.clone();
        for (name, recipient) in renewed {
            let member = Member::of(recipient);
            let known =
                after.members.get_mut(name).ok_or_else(|| VaultError::NoMember { member: name.clone() })?;
            if known.fingerprint != member.fingerprint {
                return Err(VaultError::MemberExists { member: name.clone() });
            }
            *known = member;
        }
        let past = self.past_grants()?;
        let (mut touched, mut skipped, mut wrapped) = (Vec::new(), Skipped::new(), false);
        for zone in self.manifest.zones.keys() {
            let granted = |name: &&MemberName| {
                self.manifest.zones.get(zone).is_some_and(|zone| zone.grants.contains_key(*name))
            };
            let names: Vec<_> = renewed.keys().chain(confirmed).filter(granted).collect();
            if names.is_empty() {
                continue;
            }
            let keys = self.zone_keys(zone, keys, prompt)?;
            for name in names {
                match self.granted(&past, zone, name, keys) {
                    GrantState::Forged => continue,
                    GrantState::Outdated if !confirmed.contains(name) => continue,
                    GrantState::Outdated | GrantState::Valid => {}
                }
                after.grant_after(self.revision_of(&past, zone, name, keys), zone, name, keys)?;
                match wrap_for(&mut after, zone, name, keys, now, allow_expired)? {
                    None => wrapped = true,
                    Some(error) => drop(skipped.insert(name.clone(), error)),
                }
            }
            touched.push(zone.clone());
        }
        if !wrapped && let Some((member, source)) = skipped.pop_first() {
            return Err(VaultError::Wrap { member, source });
        }
        let commit = self.record(after, Edit::default(), keys, &[], message)?;
        Ok(Report { commit, zones: touched, skipped })
    }

    /// Everybody, by name, of whom a file of the store speaks. Grants are checked
    /// where the zone's keys are in `keys` already or in the keyring; nobody is asked.
    ///
    /// # Errors
    ///
    /// The keyring cannot be read.
    pub fn members(&self, keys: &Keys) -> Result<Vec<Known>, VaultError> {
        let (open, past) = (self.open_zones(keys)?, self.past_grants()?);
        let known = self.manifest.names().into_iter().map(|name| {
            let granted = self.manifest.zones.iter().filter(|(_, zone)| zone.grants.contains_key(&name));
            let zones = granted.map(|(zone, _)| {
                let state = open.get(zone).map(|keys| self.granted(&past, zone, &name, keys));
                (zone.clone(), state)
            });
            let granted = self.manifest.zones.iter().filter(|(_, zone)| zone.grants.contains_key(&name));
            let waiting = granted.filter(|(_, zone)| !zone.wraps.contains_key(&(zone.epoch, name.clone())));
            Known {
                member: self.manifest.members.get(&name).cloned(),
                zones: zones.collect(),
                waiting: waiting.map(|(zone, _)| zone.clone()).collect(),
                name,
            }
        });
        Ok(known.collect())
    }

    /// The keys of this run and of the keyring, of the present epochs; nobody is asked.
    pub(super) fn open_zones(&self, keys: &Keys) -> Result<BTreeMap<ZoneName, ZoneKeys>, VaultError> {
        let mut open = BTreeMap::new();
        for zone in self.manifest.zones.keys() {
            let found = match keys.zones.get(zone) {
                Some(found) => Some(found.clone()),
                None => self.keys_at_hand(zone)?,
            };
            open.extend(found.map(|found| (zone.clone(), found)));
        }
        Ok(open)
    }

    /// Records a changed manifest with what else belongs to the change. `keys` are
    /// those that the change needed, `begun` those that it made.
    pub(super) fn record(
        &mut self,
        after: Manifest,
        mut edit: Edit<'_>,
        keys: &Keys,
        begun: &[ZoneKeys],
        message: &Message,
    ) -> Result<Option<String>, VaultError> {
        self.verify()?;
        edit.manifest(Some(&self.manifest), &after);
        edit.attributes(&self.repository, &after.rules())?;
        let commit = edit.record(&self.repository, message)?;
        self.manifest = after;
        let mut verified = self.verified(&self.manifest, Some(keys));
        verified.extend(begun.iter().map(|keys| keys.zone().clone()));
        self.pin(begun, &verified, commit.as_deref())?;
        // Whoever came with this change is known from now on.
        let present = |keys: &&ZoneKeys| verified.contains(keys.zone()) && is_present(&self.manifest, keys);
        let used: Vec<_> = keys.zones.values().filter(present).cloned().collect();
        self.pin(&used, &verified, None)?;
        self.rules = self.pins()?.rules(&self.manifest);
        if driver::is_installed(&self.repository)? {
            driver::tell_attributes(&self.repository, &self.rules)?;
        }
        Ok(commit)
    }
}

fn is_present(manifest: &Manifest, keys: &ZoneKeys) -> bool {
    manifest.zones.get(keys.zone()).is_some_and(|zone| zone.key_id == keys.sealing_now().id())
}

/// Wraps a zone's keys for everybody who has a grant, and drops every older
/// wrap. One whose key has expired does not block the others.
pub(super) fn wrap_for_all(
    manifest: &mut Manifest,
    zone: &ZoneName,
    keys: &ZoneKeys,
    now: Moment,
) -> Result<Skipped, VaultError> {
    let described = manifest.zones.get_mut(zone).expect("the zone is there");
    described.wraps.clear();
    let names: Vec<_> = described.grants.keys().cloned().collect();
    let (count, mut skipped) = (names.len(), Skipped::new());
    for name in names {
        if let Some(error) = wrap_for(manifest, zone, &name, keys, now, false)? {
            skipped.insert(name, error);
        }
    }
    if count == 0 {
        return Err(VaultError::NobodyCanOpen { zone: zone.clone() });
    }
    if skipped.len() == count
        && let Some((member, source)) = skipped.pop_first()
    {
        return Err(VaultError::Wrap { member, source });
    }
    Ok(skipped)
}

/// Wraps a zone's keys for one member; gives the reason if nothing may be
/// encrypted to his key now.
fn wrap_for(
    manifest: &mut Manifest,
    zone: &ZoneName,
    name: &MemberName,
    keys: &ZoneKeys,
    now: Moment,
    allow_expired: bool,
) -> Result<Option<WrapError>, VaultError> {
    let failed = |source| VaultError::Wrap { member: name.clone(), source };
    let member = manifest.members.get(name).ok_or_else(|| VaultError::NoMember { member: name.clone() })?;
    let replaced = || VaultError::KeyReplaced { member: name.clone() };
    let recipient = Recipient::parse(member.key.as_bytes()).map_err(|_| replaced())?;
    // The grant is for a fingerprint; the file beside it could hold anything.
    if recipient.fingerprint() != member.fingerprint || recipient.kind() != member.kind {
        return Err(replaced());
    }
    let bytes = match recipient.wrap(&keys.to_payload(), now, allow_expired) {
        Err(error @ WrapError::NoUsableSubkey { .. }) => return Ok(Some(error)),
        wrapped => wrapped.map_err(failed)?,
    };
    let wrap = Wrap { kind: member.kind, bytes };
    let described = manifest.zones.get_mut(zone).expect("the zone is there");
    described.wraps.insert((keys.current(), name.clone()), wrap);
    Ok(None)
}
