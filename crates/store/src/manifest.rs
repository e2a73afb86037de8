// SPDX-License-Identifier: MIT OR Apache-2.0
//! The manifest: the files of `.certkeep`, as values and back. Pure.
//!
//! ```text
//! store.toml                      format version, store id, PKI folder
//! members/NAME.toml (+ NAME.asc)  a member's public key
//! zones/ZONE/zone.toml            epoch, key id, mode, padding, patterns; MAC
//! zones/ZONE/members/NAME.toml    a grant: that member may open this zone; MAC
//! zones/ZONE/keys/EPOCH/NAME.age  the zone's keys, wrapped for that member
//! ```
//!
//! One file per member, so that two branches that add members merge. Nothing in
//! here is trusted before [`Zone::verify`] and [`Manifest::granted`] have
//! compared the MACs: whoever can push can write these files.
//!
//! long: reading and writing of each file stand beside each other.

mod trust;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::trust::{Distrust, GrantState};

use crate::{
    member::{Kind, Member, MemberName},
    seal::{KeyId, Padding, StoreId, from_hex, hex},
    zone::{Epoch, Mode, Pattern, Rules, ZoneName},
    zone_keys::ZoneKeys,
};

/// The format version that this program writes, and the only one it reads.
const VERSION: u32 = 1;

/// The public side of a store.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The store.
    pub store: StoreId,
    /// The PKI folder relative to the top of the work tree, `""` for the top
    /// itself; `None` for a store without a PKI.
    pub pki: Option<String>,
    /// Everybody, by name.
    pub members: BTreeMap<MemberName, Member>,
    /// The zones, by name.
    pub zones: BTreeMap<ZoneName, Zone>,
}

/// One zone as the repository describes it.
#[derive(Clone, Debug)]
pub struct Zone {
    /// The epoch that seals now.
    pub epoch: Epoch,
    /// The id of that epoch's key.
    pub key_id: KeyId,
    /// How often the description was changed; 0 if an earlier certkeep wrote it.
    pub revision: u32,
    /// What its files are in an unlocked work tree.
    pub mode: Mode,
    /// How far its files are padded.
    pub padding: Padding,
    /// The patterns of `store protect`.
    pub patterns: Vec<Pattern>,
    /// Under the key of `epoch`.
    mac: [u8; 32],
    /// Under the key of the epoch before; there is none before the first.
    previous_mac: Option<[u8; 32]>,
    /// Who may open the zone, each with a MAC.
    pub grants: BTreeMap<MemberName, Grant>,
    /// The zone's keys, wrapped, by epoch and member. Those of older epochs are
    /// left out by every new one, but a branch may still bring some.
    pub wraps: BTreeMap<(Epoch, MemberName), Wrap>,
}

/// The word of a member that another one may open a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The key that it is for.
    pub fingerprint: String,
    /// The epoch under whose key it was given.
    pub epoch: Epoch,
    /// How often it was given; 0 if an earlier certkeep wrote it.
    pub revision: u32,
    mac: [u8; 32],
}

/// Keys wrapped for one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrap {
    /// By which program.
    pub kind: Kind,
    /// The file.
    pub bytes: Vec<u8>,
}

/// A file of `.certkeep` that cannot be understood.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(".certkeep/{path} {what}")]
pub struct ManifestError {
    /// Relative to `.certkeep`.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

/// A zone or a grant cannot be changed any more in its epoch: somebody who has the
/// keys has counted to the end.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the zone `{zone}` has reached the last revision of its epoch")]
pub struct LastRevision {
    /// The zone.
    pub zone: ZoneName,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreFile {
    version: u32,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pki: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberFile {
    kind: String,
    fingerprint: String,
    /// Not for OpenPGP: the certificate has a file of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneFile {
    epoch: u32,
    key_id: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    revision: u32,
    mode: String,
    padding: u32,
    patterns: Vec<String>,
    mac: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_mac: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantFile {
    fingerprint: String,
    epoch: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    revision: u32,
    mac: String,
}

impl Manifest {
    /// Reads the files of `.certkeep`, by path relative to it.
    ///
    /// # Errors
    ///
    /// The first file that cannot be understood; a format version that this
    /// program does not know.
    pub fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, ManifestError> {
        let file = files.get("store.toml").ok_or_else(|| wrong("store.toml", "is missing"))?;
        // The version first: the rest of a later one may look different.
        let version =
            read::<toml::Table>("store.toml", file)?.get("version").and_then(toml::Value::as_integer);
        if version != Some(VERSION.into()) {
            let what = match version {
                Some(version) => format!("has format version {version}; this certkeep knows {VERSION}"),
                None => "has no format version".to_owned(),
            };
            return Err(wrong("store.toml", &what));
        }
        let file: StoreFile = read("store.toml", file)?;
        let store = StoreId::parse(&file.id).ok_or_else(|| wrong("store.toml", "has no valid id"))?;
        if file.pki.as_deref().is_some_and(|pki| !is_folder(pki)) {
            return Err(wrong("store.toml", "names no PKI folder inside the repository"));
        }
        let mut manifest = Self { store, pki: file.pki, members: BTreeMap::new(), zones: BTreeMap::new() };
        for (path, bytes) in files {
            if let Some(name) = path.strip_prefix("members/").and_then(|file| file.strip_suffix(".toml")) {
                let member = member(path, bytes, files.get(&format!("members/{name}.asc")))?;
                manifest.members.insert(named(path, MemberName::parse(name))?, member);
            } else if let Some(name) =
                path.strip_prefix("zones/").and_then(|file| file.strip_suffix("/zone.toml"))
            {
                manifest.zones.insert(named(path, ZoneName::parse(name))?, zone(path, bytes)?);
            }
        }
        for (path, bytes) in files {
            let mut parts = path.split('/');
            let (Some("zones"), Some(zone), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            if kind == "zone.toml" {
                continue;
            }
            let zone = manifest.zones.get_mut(&named(path, ZoneName::parse(zone))?);
            let zone = zone.ok_or_else(|| wrong(path, "belongs to a zone without a zone.toml"))?;
            match (kind, parts.next(), parts.next(), parts.next()) {
                ("members", Some(file), None, None) => {
                    let name = file.strip_suffix(".toml").ok_or_else(|| wrong(path, "is no grant"))?;
                    zone.grants.insert(named(path, MemberName::parse(name))?, grant(path, bytes)?);
                }
                ("keys", Some(epoch), Some(file), None) => {
                    let epoch = epoch.parse().ok().and_then(Epoch::new);
                    let epoch = epoch.ok_or_else(|| wrong(path, "names no epoch"))?;
                    let (name, kind) = wrap_name(file).ok_or_else(|| wrong(path, "is no wrapped key"))?;
                    let wrap = Wrap { kind, bytes: bytes.clone() };
                    zone.wraps.insert((epoch, named(path, MemberName::parse(name))?), wrap);
                }
                _ => return Err(wrong(path, "is no file of a store")),
            }
        }
        Ok(manifest)
    }

    /// Reads a `zone.toml` by itself, as another commit has it.
    ///
    /// # Errors
    ///
    /// It cannot be understood.
    pub(crate) fn parse_zone(bytes: &[u8]) -> Result<Zone, ManifestError> {
        zone("zone.toml", bytes)
    }

    /// The files, as they are to be written.
    #[must_use]
    pub fn to_files(&self) -> BTreeMap<String, Vec<u8>> {
        let store = StoreFile { version: VERSION, id: self.store.to_string(), pki: self.pki.clone() };
        let mut files = BTreeMap::from([("store.toml".to_owned(), write(&store))]);
        for (name, member) in &self.members {
            let separate = member.kind == Kind::OpenPgp;
            let file = MemberFile {
                kind: member.kind.as_str().to_owned(),
                fingerprint: member.fingerprint.clone(),
                key: (!separate).then(|| member.key.clone()),
            };
            files.insert(format!("members/{name}.toml"), write(&file));
            if separate {
                files.insert(format!("members/{name}.asc"), member.key.clone().into_bytes());
            }
        }
        for (name, zone) in &self.zones {
            files.insert(format!("zones/{name}/zone.toml"), zone.to_bytes());
            for (member, grant) in &zone.grants {
                let file = GrantFile {
                    fingerprint: grant.fingerprint.clone(),
                    epoch: grant.epoch.number(),
                    revision: grant.revision,
                    mac: hex(&grant.mac),
                };
                files.insert(format!("zones/{name}/members/{member}.toml"), write(&file));
            }
            for ((epoch, member), wrap) in &zone.wraps {
                let path = format!("zones/{name}/keys/{epoch}/{member}.{}", wrap.kind.extension());
                files.insert(path, wrap.bytes.clone());
            }
        }
        files
    }

    /// What decides about paths.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let patterns = self.zones.iter().flat_map(|(name, zone)| {
            zone.patterns.iter().map(move |pattern| (pattern.clone(), name.clone()))
        });
        Rules::new(self.pki.as_deref(), patterns.collect())
    }

    /// Everybody of whom a file speaks, a member's own or a grant or wrapped keys.
    #[must_use]
    pub fn names(&self) -> BTreeSet<MemberName> {
        let mut names: BTreeSet<_> = self.members.keys().cloned().collect();
        for zone in self.zones.values() {
            names.extend(zone.grants.keys().cloned());
            names.extend(zone.wraps.keys().map(|(_, name)| name.clone()));
        }
        names
    }

    /// Begins a zone, or its next epoch, or writes down what was changed in it:
    /// the key id and the MACs are those of `keys`, and it is a later revision,
    /// or the first one of a new epoch.
    ///
    /// # Errors
    ///
    /// [`LastRevision`]: nothing was changed.
    ///
    /// # Panics
    ///
    /// If there is no such zone.
    pub fn certify(&mut self, name: &ZoneName, keys: &ZoneKeys) -> Result<(), LastRevision> {
        let zone = self.zones.get_mut(name).expect("the zone is there");
        let before = if zone.epoch == keys.current() { zone.revision } else { 0 };
        zone.revision = before.checked_add(1).ok_or_else(|| LastRevision { zone: name.clone() })?;
        zone.certify(name, self.store, self.pki.as_deref(), keys);
        Ok(())
    }
}

impl Zone {
    /// A zone without keys yet: [`Manifest::certify`] makes it one.
    #[must_use]
    pub fn new(mode: Mode, padding: Padding) -> Self {
        Self {
            epoch: Epoch::FIRST,
            key_id: KeyId::ZERO,
            revision: 0,
            mode,
            padding,
            patterns: Vec::new(),
            mac: [0; 32],
            previous_mac: None,
            grants: BTreeMap::new(),
            wraps: BTreeMap::new(),
        }
    }

    /// Writes down that it is as it is: the epoch, the key id and the MACs are
    /// those of `keys`.
    pub(crate) fn certify(&mut self, name: &ZoneName, store: StoreId, pki: Option<&str>, keys: &ZoneKeys) {
        self.epoch = keys.current();
        let key = keys.sealing_now();
        self.key_id = key.id();
        let message = self.message(name, store, pki);
        self.mac = key.manifest_mac(&message);
        let previous = keys.current().previous().and_then(|epoch| keys.sealing(epoch));
        self.previous_mac = previous.map(|key| key.manifest_mac(&message));
    }

    /// `zone.toml`, without grants and wrapped keys.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        write(&self.to_file())
    }

    /// Whether somebody has a grant or wrapped keys, genuine or not.
    #[must_use]
    pub fn speaks_of(&self, name: &MemberName) -> bool {
        self.grants.contains_key(name) || self.wraps.keys().any(|(_, member)| member == name)
    }

    /// What the MACs of `zone.toml` cover. No value holds a line break.
    fn message(&self, name: &ZoneName, store: StoreId, pki: Option<&str>) -> Vec<u8> {
        let mut text = format!(
            "certkeep zone 1\nstore {store}\npki {}\nzone {name}\nepoch {}\nkey-id {}\nmode {}\npadding {}\n",
            pki.map_or_else(|| "-".to_owned(), |pki| format!("={pki}")),
            self.epoch,
            self.key_id,
            self.mode.as_str(),
            self.padding.bucket(),
        );
        if self.revision > 0 {
            text.push_str(&format!("revision {}\n", self.revision));
        }
        for pattern in &self.patterns {
            text.push_str(&format!("pattern {}\n", pattern.as_str()));
        }
        text.into_bytes()
    }

    fn to_file(&self) -> ZoneFile {
        ZoneFile {
            epoch: self.epoch.number(),
            key_id: self.key_id.to_string(),
            revision: self.revision,
            mode: self.mode.as_str().to_owned(),
            padding: self.padding.bucket(),
            patterns: self.patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect(),
            mac: hex(&self.mac),
            previous_mac: self.previous_mac.map(|mac| hex(&mac)),
        }
    }
}

/// Reads the file of a member, with the certificate beside it if there is one.
pub(crate) fn member(
    path: &str,
    bytes: &[u8],
    certificate: Option<&Vec<u8>>,
) -> Result<Member, ManifestError> {
    let file: MemberFile = read(path, bytes)?;
    let kind = Kind::parse(&file.kind).ok_or_else(|| wrong(path, "names an unknown kind of key"))?;
    let key = match (kind, file.key, certificate) {
        (Kind::OpenPgp, None, Some(certificate)) => String::from_utf8(certificate.clone()).ok(),
        (Kind::Age | Kind::Ssh, key, None) => key,
        _ => None,
    };
    let key = key.ok_or_else(|| wrong(path, "has no key, or two"))?;
    let printable = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !printable(&file.fingerprint) {
        return Err(wrong(path, "has no valid fingerprint"));
    }
    Ok(Member { kind, key, fingerprint: file.fingerprint })
}

fn zone(path: &str, bytes: &[u8]) -> Result<Zone, ManifestError> {
    let file: ZoneFile = read(path, bytes)?;
    let mode = Mode::parse(&file.mode).ok_or_else(|| wrong(path, "names an unknown mode"))?;
    let mut zone = Zone::new(mode, Padding::of_bucket(file.padding));
    zone.epoch = Epoch::new(file.epoch).ok_or_else(|| wrong(path, "has no epoch"))?;
    zone.key_id = KeyId::parse(&file.key_id).ok_or_else(|| wrong(path, "has no valid key id"))?;
    zone.revision = file.revision;
    for pattern in &file.patterns {
        zone.patterns
            .push(Pattern::parse(pattern).map_err(|error| wrong(path, &format!("is wrong: {error}")))?);
    }
    zone.mac = mac(path, &file.mac)?;
    zone.previous_mac = file.previous_mac.as_deref().map(|text| mac(path, text)).transpose()?;
    Ok(zone)
}

/// Reads the file of a grant.
pub(crate) fn grant(path: &str, bytes: &[u8]) -> Result<Grant, ManifestError> {
    let file: GrantFile = read(path, bytes)?;
    let epoch = Epoch::new(file.epoch).ok_or_else(|| wrong(path, "has no epoch"))?;
    Ok(Grant { fingerprint: file.fingerprint, epoch, revision: file.revision, mac: mac(path, &file.mac)? })
}

fn mac(path: &str, text: &str) -> Result<[u8; 32], ManifestError> {
    from_hex(text).ok_or_else(|| wrong(path, "has no valid MAC"))
}

/// Whose wrapped keys a path below `.certkeep` holds: of which zone and epoch,
/// and for whom.
pub(crate) fn wrap_of(path: &str) -> Option<(ZoneName, Epoch, MemberName)> {
    let (zone, rest) = path.strip_prefix("zones/")?.split_once("/keys/")?;
    let (epoch, file) = rest.split_once('/')?;
    let epoch = epoch.parse().ok().and_then(Epoch::new)?;
    let (name, _) = wrap_name(file)?;
    Some((ZoneName::parse(zone).ok()?, epoch, MemberName::parse(name).ok()?))
}

fn wrap_name(file: &str) -> Option<(&str, Kind)> {
    // age and SSH share an extension; which of the two the member's file tells.
    [Kind::Age, Kind::OpenPgp].into_iter().find_map(|kind| {
        let name = file.strip_suffix(kind.extension())?.strip_suffix('.')?;
        Some((name, kind))
    })
}

/// Whether a text is a folder below the top, and none of git's or ours.
pub(crate) fn is_folder(text: &str) -> bool {
    let component = |part: &str| {
        !matches!(part, "" | "." | ".." | ".git" | ".certkeep")
            && !part.chars().any(|character| character.is_control() || character == '\\')
    };
    text.is_empty() || text.split('/').all(component)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn named<T>(path: &str, name: Result<T, impl std::fmt::Display>) -> Result<T, ManifestError> {
    name.map_err(|error| wrong(path, &format!("is out of place: {error}")))
}

fn wrong(path: &str, what: &str) -> ManifestError {
    ManifestError { path: path.to_owned(), what: what.to_owned() }
}

fn read<T: for<'de> Deserialize<'de>>(path: &str, bytes: &[u8]) -> Result<T, ManifestError> {
    let text = std::str::from_utf8(bytes).map_err(|_| wrong(path, "is not UTF-8"))?;
    toml::from_str(text).map_err(|error| wrong(path, &format!("cannot be understood: {}", error.message())))
}

fn write(file: &impl Serialize) -> Vec<u8> {
    toml::to_string(file).expect("plain values are TOML").into_bytes()
}

#[cfg(test)]
mod tests;
