// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zones and members: whose word the descriptions are, who can open what, and
//! whose keys end. MACs are compared where the keyring has the keys; a sealed
//! zone's it never has.

use certkeep_pki::moment::Moment;

use super::{Examination, Fault, Kind, told};
use crate::{
    identity::Sources,
    manifest::GrantState,
    member::{Kind as KeyKind, Member, MemberName},
    pins::Pins,
    vault::{Keys, members::Known},
    wrap::{KeyState, Recipient, gpg::recipient_from_gpg},
    zone::ZoneName,
};

/// How long before its end a key is spoken of, in seconds: 30 days.
const SOON: u64 = 30 * 24 * 60 * 60;

/// A public key and when nothing may be encrypted to it any more.
enum Life {
    Usable(Option<Moment>),
    Expired(Option<Moment>),
    Revoked,
    Unusable(String),
}

impl Examination<'_> {
    /// Zones and members.
    pub(super) fn people(&mut self) {
        self.zones();
        self.grants();
        let members: Vec<_> = match &self.vault {
            Some(vault) => vault.manifest.members.clone().into_iter().collect(),
            None => Vec::new(),
        };
        for (name, member) in members {
            self.key(&name, &member);
        }
    }

    fn zones(&mut self) {
        let Some(vault) = &self.vault else { return };
        let manifest = vault.manifest.clone();
        for checked in [self.pins.check_store(&manifest), self.pins.check_epochs(&manifest)] {
            if let Err(error) = checked {
                self.tell(Fault::new(Kind::StoreExchanged, "the store", told(&error)));
            }
        }
        let pins = self.pins.clone();
        for (name, zone) in &manifest.zones {
            self.forged(name, &pins);
            let mut open = zone.wraps.keys().filter(|(epoch, member)| {
                *epoch == zone.epoch
                    && zone.grants.contains_key(member)
                    && manifest.members.contains_key(member)
            });
            let (first, second) = (open.next(), open.next());
            match (first, second) {
                (None, _) => {
                    let what = format!("the keys of epoch {} are wrapped for no member", zone.epoch);
                    self.tell(Fault::new(Kind::ZoneShut, name, what).about(name));
                }
                (Some((_, only)), None) if manifest.members.len() > 1 => {
                    let what = format!("`{only}` alone opens it");
                    self.tell(Fault::new(Kind::ZoneOfOne, name, what).about(name));
                }
                _ => {}
            }
        }
        for zone in pins.earlier(&manifest) {
            // A forged one is never the one that was seen last, and nor is an exchanged one.
            let said = |fault: &Fault| {
                fault.kind == Kind::StoreExchanged
                    || fault.kind == Kind::ZoneForged && fault.subject == zone.as_str()
            };
            if !self.found.faults.iter().any(said) {
                let what = "it is described as it was before this clone saw it last";
                self.tell(Fault::new(Kind::ZoneEarlier, zone, what).about(zone));
            }
        }
        self.unknown_zones();
    }

    fn forged(&mut self, name: &ZoneName, pins: &Pins) {
        let Some(manifest) = self.vault.as_ref().map(|vault| &vault.manifest) else { return };
        let Some(zone) = manifest.zones.get(name) else { return };
        let keys = self.keyring.as_ref().and_then(|keyring| keyring.zone(name));
        let Some(keys) = keys else {
            if !pins.agree(name, manifest) {
                let what =
                    format!("whether a member wrote how the zone `{name}` is described: it is not open here");
                self.found.skipped.push(what);
            }
            return;
        };
        let verified = match keys.at(zone.epoch) {
            // A later epoch, which `unlock` has not opened yet.
            None if keys.store() == manifest.store => {
                if self.vault.as_ref().is_some_and(|vault| vault.is_behind(name, keys)) {
                    let what =
                        format!("the others are in epoch {}, whose key is not unlocked here", zone.epoch);
                    self.tell(Fault::new(Kind::KeyringBehind, name, what).about(name));
                }
                return;
            }
            None => zone.verify(name, manifest.store, manifest.pki.as_deref(), keys),
            Some(keys) => zone.verify(name, manifest.store, manifest.pki.as_deref(), &keys),
        };
        if let Err(distrust) = verified {
            self.tell(Fault::new(Kind::ZoneForged, name, distrust).about(name));
        }
    }

    /// Keys of zones that the store does not describe.
    fn unknown_zones(&mut self) {
        let Some(vault) = &self.vault else { return };
        let keys = self.keyring.iter().flat_map(|keyring| keyring.zones());
        let gone = keys.filter(|keys| !vault.manifest.zones.contains_key(keys.zone()));
        let gone: Vec<ZoneName> = gone.map(|keys| keys.zone().clone()).collect();
        for zone in gone {
            let what = "this clone has its keys, and the store does not describe it";
            self.tell(Fault::new(Kind::StoreExchanged, &zone, what).about(&zone));
        }
    }

    fn grants(&mut self) {
        let Some(vault) = &self.vault else { return };
        let nothing = Keys::new(Sources::default());
        let members = match vault.members(&nothing) {
            Ok(members) => members,
            Err(error) => {
                // The pins and the keyring have been told of.
                if !self
                    .found
                    .faults
                    .iter()
                    .any(|fault| matches!(fault.kind, Kind::PinsDamaged | Kind::KeyringDamaged))
                {
                    self.tell(Fault::new(Kind::Unreadable, ".certkeep", told(&error)));
                }
                return;
            }
        };
        let manifest = vault.manifest.clone();
        for Known { name, member, zones, waiting } in members {
            for (zone, state) in &zones {
                let subject = format!("zones/{zone}/members/{name}.toml");
                let (kind, what) = match (&member, state) {
                    (None, _) => (Kind::GrantWithoutMember, format!("there is no member `{name}`")),
                    (_, Some(GrantState::Forged)) => {
                        (Kind::GrantForged, "no member gave it, or for another key".to_owned())
                    }
                    (_, Some(GrantState::Outdated)) => (
                        Kind::GrantOutdated,
                        "it is of an earlier epoch, from another branch perhaps".to_owned(),
                    ),
                    _ if waiting.contains(zone) => (
                        Kind::GrantWithoutWrap,
                        format!("the present keys of `{zone}` are not wrapped for `{name}`"),
                    ),
                    _ => continue,
                };
                self.tell(Fault::new(kind, subject, what).about(&name));
            }
            for (zone, described) in &manifest.zones {
                let wrapped = described.wraps.contains_key(&(described.epoch, name.clone()));
                if wrapped && !described.grants.contains_key(&name) {
                    let what = format!("the present keys are wrapped for `{name}`, who has no grant");
                    self.tell(Fault::new(Kind::WrapWithoutGrant, zone, what).about(zone));
                }
            }
            if member.is_some() && zones.is_empty() {
                self.tell(Fault::new(Kind::MemberWithoutGrant, &name, "a member of no zone").about(&name));
            }
        }
    }

    fn key(&mut self, name: &MemberName, member: &Member) {
        let subject = format!("members/{name}.toml");
        let recipient = match Recipient::parse(member.key.as_bytes()) {
            Ok(recipient) => recipient,
            Err(error) => {
                self.tell(Fault::new(Kind::MemberKey, subject, told(&error)).about(name));
                return;
            }
        };
        if recipient.fingerprint() != member.fingerprint || recipient.kind() != member.kind {
            let what = format!("its key is {}, and not {}", recipient.fingerprint(), member.fingerprint);
            self.tell(Fault::new(Kind::MemberKey, subject, what).about(name));
            return;
        }
        let (kind, what) = match self.life(&recipient) {
            Life::Usable(None) => return,
            Life::Usable(Some(end)) if end.unix() > self.asked.now.unix().saturating_add(SOON) => return,
            Life::Usable(Some(end)) => (Kind::OpenPgpExpiring, format!("it expires on {end}")),
            Life::Expired(Some(end)) => (Kind::OpenPgpExpired, format!("it has expired on {end}")),
            Life::Expired(None) => (Kind::OpenPgpExpired, "it has expired".to_owned()),
            Life::Revoked => (Kind::OpenPgpRevoked, "it is revoked".to_owned()),
            Life::Unusable(why) => (Kind::OpenPgpUnusable, why),
        };
        self.tell(Fault::new(kind, name, format!("{}: {what}", member.fingerprint)).about(name));
        // A form without the revocation is no newer one.
        if member.kind == KeyKind::OpenPgp && kind != Kind::OpenPgpRevoked {
            self.renewed(name, member);
        }
    }

    fn life(&self, recipient: &Recipient) -> Life {
        if recipient.is_usable(self.asked.now) {
            let subkeys = recipient.subkeys(self.asked.now);
            let usable = subkeys.iter().filter(|subkey| subkey.state == KeyState::Usable);
            let ends: Vec<_> = usable.map(|subkey| subkey.expires).collect();
            // As long as one of them lasts, so does the member.
            return Life::Usable(if ends.contains(&None) { None } else { ends.into_iter().flatten().max() });
        }
        let subkeys = recipient.subkeys(self.asked.now);
        let is = |state| subkeys.iter().any(|subkey| subkey.state == state);
        if is(KeyState::Revoked) && !is(KeyState::Expired) {
            Life::Revoked
        } else if is(KeyState::Expired) {
            let expired = subkeys.iter().filter(|subkey| subkey.state == KeyState::Expired);
            Life::Expired(expired.filter_map(|subkey| subkey.expires).max())
        } else if let Some(subkey) = subkeys.first() {
            Life::Unusable(format!("its encryption subkey is {}", subkey.state))
        } else {
            Life::Unusable("it has no encryption subkey".to_owned())
        }
    }

    /// What has been renewed, gpg may know already.
    fn renewed(&mut self, name: &MemberName, member: &Member) {
        let Some(Ok(Recipient::OpenPgp(found))) =
            self.asked.gpg.map(|gpg| recipient_from_gpg(gpg, &member.fingerprint))
        else {
            return;
        };
        let found = Recipient::OpenPgp(found);
        let lasts = match self.life(&found) {
            Life::Usable(end) => end.is_none_or(|end| end > self.asked.now.plus(SOON)),
            _ => false,
        };
        if lasts && found.fingerprint() == member.fingerprint && found.text() != member.key {
            let what = format!("{}: gpg has a newer form of it", member.fingerprint);
            self.tell(Fault::new(Kind::OpenPgpRenewed, name, what).about(name));
        }
    }
}
