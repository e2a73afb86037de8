// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a grant counts, by the store and by the history of what is checked
//! out. A former member knows the earlier keys: under them he can give a key of
//! his own to the name of somebody who stays, and whoever can push can bring
//! back a grant for a certificate that was renewed since. Where a later grant of
//! that name was genuine and for another key, the earlier one counts no more.

use std::collections::BTreeMap;

use super::{Vault, VaultError};
use crate::{
    manifest::{self, Grant, GrantState},
    member::{Member, MemberName},
    zone::ZoneName,
    zone_keys::ZoneKeys,
};

/// The most that a file of `.certkeep` may hold, in bytes.
const LIMIT: usize = 1 << 20;

/// Every grant and every member's key that the history of HEAD has.
#[derive(Debug, Default)]
pub(super) struct Past {
    grants: BTreeMap<(ZoneName, MemberName), Vec<Grant>>,
    members: BTreeMap<MemberName, Vec<Member>>,
}

impl Vault {
    /// What the history of HEAD has of members and grants.
    pub(super) fn past_grants(&self) -> Result<Past, VaultError> {
        let mut past = Past::default();
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
