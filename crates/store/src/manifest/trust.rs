// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether what `.certkeep` says is the word of somebody who has the keys.

use aws_lc_rs::digest;
use thiserror::Error;

use super::{Grant, LastRevision, Manifest, Zone};
use crate::{
    member::{Member, MemberName},
    seal::{SealingKey, StoreId, hex},
    zone::ZoneName,
    zone_keys::ZoneKeys,
};

/// Why a zone is not what its members made of it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Distrust {
    /// The wrapped keys are of another store or zone.
    #[error("its wrapped keys belong to another store or zone")]
    OtherStore,
    /// The wrapped keys stop before the epoch of `zone.toml`, or go beyond it.
    #[error("its wrapped keys are not those of the epoch in zone.toml")]
    OtherEpoch,
    /// The key has not the id that `zone.toml` names.
    #[error("its wrapped key is not the one that zone.toml names")]
    OtherKey,
    /// `zone.toml` or `store.toml` was altered by somebody without the key.
    #[error("zone.toml or store.toml was not written by a member")]
    Mac,
    /// The zone is gone.
    #[error("it is not described any more")]
    Missing,
    /// The new epoch was begun by somebody without the key of the one before.
    #[error("its present epoch was not begun by a member of the one before")]
    PreviousMac,
}

/// Whether somebody may open a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantState {
    /// Yes, by the word of a member of the present epoch.
    Valid,
    /// The word was given in an earlier epoch, on another branch perhaps: to be confirmed.
    Outdated,
    /// The MAC is not that of a member, or the key is not the member's.
    Forged,
}

impl Manifest {
    /// Gives a member the right to open a zone, by a MAC under its present key. It
    /// is later than a genuine grant of that epoch that it replaces; what somebody
    /// without the key wrote there counts for nothing.
    ///
    /// # Errors
    ///
    /// [`LastRevision`]: nothing was changed.
    ///
    /// # Panics
    ///
    /// If there is no such zone or member.
    pub fn grant(
        &mut self,
        zone: &ZoneName,
        member: &MemberName,
        keys: &ZoneKeys,
    ) -> Result<(), LastRevision> {
        self.grant_after(0, zone, member, keys)
    }

    /// As [`Manifest::grant`], and later than a revision that was seen elsewhere.
    pub(crate) fn grant_after(
        &mut self,
        seen: u32,
        zone: &ZoneName,
        member: &MemberName,
        keys: &ZoneKeys,
    ) -> Result<(), LastRevision> {
        let who = self.members.get(member).expect("the member is there");
        let epoch = keys.current();
        let before = self.zones.get(zone).and_then(|zone| zone.grants.get(member));
        let before = before
            .filter(|grant| grant.epoch == epoch && grant.is_genuine(self.store, zone, member, who, keys));
        let before = before.map_or(0, |grant| grant.revision).max(seen);
        let revision = before.checked_add(1).ok_or_else(|| LastRevision { zone: zone.clone() })?;
        let mut grant = Grant { fingerprint: who.fingerprint.clone(), epoch, revision, mac: [0; 32] };
        grant.mac = keys.sealing_now().manifest_mac(&grant.message(self.store, zone, member, who));
        self.zones.get_mut(zone).expect("the zone is there").grants.insert(member.clone(), grant);
        Ok(())
    }

    /// Whether a member may open a zone, in the eyes of somebody who can.
    #[must_use]
    pub fn granted(&self, zone: &ZoneName, member: &MemberName, keys: &ZoneKeys) -> GrantState {
        let grant = self.zones.get(zone).and_then(|zone| zone.grants.get(member));
        let (Some(grant), Some(who)) = (grant, self.members.get(member)) else { return GrantState::Forged };
        match grant.is_genuine(self.store, zone, member, who, keys) {
            true if grant.epoch == keys.current() => GrantState::Valid,
            true => GrantState::Outdated,
            false => GrantState::Forged,
        }
    }
}

impl Zone {
    /// What tells this description from every other one, whoever wrote it.
    #[must_use]
    pub fn digest(&self, name: &ZoneName, store: StoreId, pki: Option<&str>) -> [u8; 32] {
        let found = digest::digest(&digest::SHA256, &self.message(name, store, pki));
        found.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }

    /// Whether `keys` are this zone's and a member wrote its description.
    ///
    /// # Errors
    ///
    /// One [`Distrust`] per cause.
    pub fn verify(
        &self,
        name: &ZoneName,
        store: StoreId,
        pki: Option<&str>,
        keys: &ZoneKeys,
    ) -> Result<(), Distrust> {
        if keys.store() != store || keys.zone() != name {
            return Err(Distrust::OtherStore);
        }
        if keys.current() != self.epoch {
            return Err(Distrust::OtherEpoch);
        }
        let key = keys.sealing_now();
        if key.id() != self.key_id {
            return Err(Distrust::OtherKey);
        }
        let message = self.message(name, store, pki);
        if !key.is_manifest_mac(&message, &self.mac) {
            return Err(Distrust::Mac);
        }
        let Some(previous) = self.epoch.previous() else { return Ok(()) };
        let key = keys.sealing(previous).ok_or(Distrust::PreviousMac)?;
        match self.previous_mac {
            Some(mac) if key.is_manifest_mac(&message, &mac) => Ok(()),
            _ => Err(Distrust::PreviousMac),
        }
    }
}

impl Grant {
    /// Whether it was given by somebody who has the key of its epoch, for a name
    /// and the key of this member.
    pub(crate) fn is_genuine(
        &self,
        store: StoreId,
        zone: &ZoneName,
        name: &MemberName,
        member: &Member,
        keys: &ZoneKeys,
    ) -> bool {
        let key: Option<SealingKey> = keys.sealing(self.epoch);
        let message = self.message(store, zone, name, member);
        self.fingerprint == member.fingerprint
            && key.is_some_and(|key| key.is_manifest_mac(&message, &self.mac))
    }

    /// What the MAC covers.
    fn message(&self, store: StoreId, zone: &ZoneName, name: &MemberName, member: &Member) -> Vec<u8> {
        let (kind, fingerprint, epoch) = (member.kind.as_str(), &member.fingerprint, self.epoch);
        // One fingerprint has many certificates: an older one may bring back a
        // subkey that was revoked.
        let key = hex(digest::digest(&digest::SHA256, member.key.as_bytes()).as_ref());
        let mut text = format!(
            "certkeep grant 1\nstore {store}\nzone {zone}\nepoch {epoch}\nmember {name}\nkind {kind}\n\
             fingerprint {fingerprint}\nkey-sha256 {key}\n"
        );
        if self.revision > 0 {
            text.push_str(&format!("revision {}\n", self.revision));
        }
        text.into_bytes()
    }
}
