// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a grant counts, by the store, by what this clone has seen, and by all
//! history that it has. A former member knows the earlier keys: under them he can give a key of
//! his own to the name of somebody who stays, and whoever can push can bring
//! back a grant for a certificate that was renewed since. Where a later grant of
//! that name was genuine and for another key, the earlier one counts no more; nor
//! does one of an earlier epoch for another key than this clone knows under the name.

use std::collections::{BTreeMap, BTreeSet};

use super::{Vault, VaultError};
use crate::{
    manifest::{self, Grant, GrantState},
    member::{Member, MemberName},
    pins::Pins,
    repository::RepositoryLock,
    zone::ZoneName,
    zone_keys::ZoneKeys,
};

/// The most that a file of `.certkeep` may hold, in bytes.
const LIMIT: usize = 1 << 20;

/// Every grant and every member's key that any commit here has, and whose keys the
/// names had.
#[derive(Debug, Default)]
pub(super) struct Past {
    pins: Pins,
    grants: BTreeMap<(ZoneName, MemberName), Vec<Grant>>,
    members: BTreeMap<MemberName, Vec<Member>>,
}

impl Vault {
    /// What history has of members and grants.
    pub(super) fn past_grants(&self) -> Result<Past, VaultError> {
        let mut past = Past { pins: self.pins()?, ..Past::default() };
        let (mut files, mut certificates) = (BTreeMap::new(), BTreeMap::new());
        let pathspecs = [":(top,glob).certkeep/members/*", ":(top,glob).certkeep/zones/*/members/*"];
        for version in self.repository.versions_of(&pathspecs)? {
            let Some(path) =
                std::str::from_utf8(&version.path).ok().and_then(|path| path.strip_prefix(".certkeep/"))
            else {
                continue;
            };
            let Some(bytes) =
                self.repository.blob_if_here(version.blob)?.filter(|bytes| bytes.len() <= LIMIT)
            else {
                continue;
            };
            let named = |name: &str| MemberName::parse(name).ok();
            match path.split('/').collect::<Vec<_>>().as_slice() {
                ["members", file] => {
                    if let Some(name) = file.strip_suffix(".toml").and_then(named) {
                        files.entry(name).or_insert_with(Vec::new).push(bytes);
                    } else if let Some(name) = file.strip_suffix(".asc").and_then(named) {
                        certificates.entry(name).or_insert_with(Vec::new).push(bytes);
                    }
                }
                ["zones", zone, "members", file] => {
                    let name = file.strip_suffix(".toml").and_then(named);
                    let (Ok(zone), Some(name)) = (ZoneName::parse(zone), name) else { continue };
                    past.grants.entry((zone, name)).or_default().extend(manifest::grant(path, &bytes));
                }
                _ => {}
            }
        }
        for (name, files) in files {
            let certificates = certificates.remove(&name).unwrap_or_default();
            let certificates: Vec<_> = certificates.iter().map(Some).chain([None]).collect();
            let members = files.iter().flat_map(|file| {
                certificates.iter().filter_map(|certificate| manifest::member("", file, *certificate).ok())
            });
            past.members.insert(name, members.collect());
        }
        Ok(past)
    }

    /// The fingerprints of other keys that this clone knows under a name.
    ///
    /// # Errors
    ///
    /// The pins cannot be read.
    pub fn known_before(&self, name: &MemberName) -> Result<BTreeSet<String>, VaultError> {
        let pins = self.pins()?;
        let now = self.manifest.members.get(name).map(|member| member.fingerprint.as_str());
        let known = self.manifest.zones.keys().filter_map(|zone| pins.member(zone, name));
        Ok(known.filter(|known| Some(*known) != now).map(str::to_owned).collect())
    }

    /// Whether it cannot be told here whose key a name had: history is cut off,
    /// and this clone has never seen the name.
    ///
    /// # Errors
    ///
    /// The pins cannot be read.
    pub fn never_seen(&self, name: &MemberName) -> Result<bool, VaultError> {
        let pins = self.pins()?;
        let known = self.manifest.zones.keys().any(|zone| pins.member(zone, name).is_some());
        Ok(!known && self.repository.common_dir().join("shallow").is_file())
    }

    /// Somebody here says whose key a name has: only the one that the store has
    /// under it counts from now on.
    ///
    /// # Errors
    ///
    /// The store has another key, or none, under that name; the pins cannot be written.
    pub fn know_member(&self, name: &MemberName, fingerprint: &str) -> Result<(), VaultError> {
        let member =
            self.manifest.members.get(name).ok_or_else(|| VaultError::NoMember { member: name.clone() })?;
        if member.fingerprint != fingerprint {
            return Err(VaultError::KeyReplaced { member: name.clone() });
        }
        let _lock = RepositoryLock::acquire(&self.repository)?;
        let mut pins = self.pins()?;
        for zone in self.manifest.zones.keys() {
            pins.know_member(zone, name, fingerprint);
        }
        Ok(pins.write(&self.repository.state().join("pins"))?)
    }

    /// The latest revision that a member has given a name in the present epoch,
    /// here or in anything that git has; 0 for none. What nobody certified has none.
    pub(super) fn revision_of(
        &self,
        past: &Past,
        zone: &ZoneName,
        name: &MemberName,
        keys: &ZoneKeys,
    ) -> u32 {
        let own = self.manifest.zones.get(zone).and_then(|zone| zone.grants.get(name));
        let former = past.grants.get(&(zone.clone(), name.clone())).into_iter().flatten();
        let members = past.members.get(name).into_iter().flatten();
        let members: Vec<_> = members.chain(self.manifest.members.get(name)).collect();
        let genuine = own.into_iter().chain(former).filter(|grant| {
            grant.epoch == keys.current()
                && members
                    .iter()
                    .any(|member| grant.is_genuine(self.manifest.store, zone, name, member, keys))
        });
        genuine.map(|grant| grant.revision).max().unwrap_or(0)
    }

    /// Whether a member may open a zone, in the eyes of somebody who can.
    pub(super) fn granted(
        &self,
        past: &Past,
        zone: &ZoneName,
        name: &MemberName,
        keys: &ZoneKeys,
    ) -> GrantState {
        let state = self.manifest.granted(zone, name, keys);
        let grant = self.manifest.zones.get(zone).and_then(|zone| zone.grants.get(name));
        let (Some(grant), Some(member)) = (grant, self.manifest.members.get(name)) else { return state };
        if state == GrantState::Outdated && past.pins.knows_another(zone, name, &member.fingerprint) {
            return GrantState::Forged;
        }
        let later = past.grants.get(&(zone.clone(), name.clone())).into_iter().flatten();
        let mut later = later.filter(|later| (later.epoch, later.revision) > (grant.epoch, grant.revision));
        let others = past.members.get(name).map(Vec::as_slice).unwrap_or_default();
        let replaced = later.any(|later| {
            others.iter().any(|other| {
                other.key != member.key && later.is_genuine(self.manifest.store, zone, name, other, keys)
            })
        });
        if replaced { GrantState::Forged } else { state }
    }
}
