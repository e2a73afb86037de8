// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git and the work tree each get of a file that a PKI command writes.

use std::collections::BTreeMap;

use certkeep_pki::{
    change::{Change, ChangeSet, Contents},
    layout::Sensitivity,
};

use crate::{
    git::{SealRefusal, Sealer, Stored},
    seal::{self, Padding},
    zone::{Protection, Rules, ZoneName},
    zone_keys::ZoneKeys,
};

/// Seals with the keys that were gathered before.
pub(super) struct ZoneSealer {
    rules: Rules,
    zones: BTreeMap<ZoneName, OpenZone>,
}

struct OpenZone {
    keys: ZoneKeys,
    padding: Padding,
    /// Whether its files are plaintext in the work tree.
    unlocked: bool,
}

impl ZoneSealer {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, zones: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, zone: ZoneName, keys: ZoneKeys, padding: Padding, unlocked: bool) {
        self.zones.insert(zone, OpenZone { keys, padding, unlocked });
    }
}

impl Sealer for ZoneSealer {
    fn stored(&self, path: &str, contents: &Contents, previous: Option<&[u8]>) -> Result<Stored, SealRefusal> {
        let bytes = match contents {
            Contents::Public(bytes) => bytes.as_slice(),
            Contents::Secret(bytes) => bytes.expose(),
        };
        let zone = match self.rules.protection(path.as_bytes()) {
            Protection::Zone(zone) => zone,
            Protection::Public | Protection::Unnamed => return Ok(Stored::same(contents)),
        };
        // A file that is moved, or one that is empty.
        if bytes.is_empty() || seal::is_sealed(bytes) {
            return Ok(Stored::same(contents));
        }
        let refused = || SealRefusal { path: path.to_owned(), zone: zone.to_string() };
        let open = self.zones.get(zone).ok_or_else(refused)?;
        let same = |blob: &&[u8]| open.keys.open(blob).is_ok_and(|opened| opened.expose() == bytes);
        let blob = match previous.filter(same) {
            Some(blob) => blob.to_vec(),
            None => open.keys.sealing_now().seal(bytes, open.padding),
        };
        Ok(if open.unlocked { Stored::plain(contents, blob) } else { Stored::sealed(blob) })
    }
}

/// The paths, relative to the PKI folder, of secret files whose bytes `changes`
/// write or move: their zones' keys are needed.
pub(super) fn secret_paths(changes: &ChangeSet) -> Vec<String> {
    let paths = changes.as_slice().iter().filter_map(|change| match change {
        Change::Create(path, _) | Change::Replace(path, _) => Some(path),
        Change::Keep { to, .. } | Change::Move { to, .. } => Some(to),
        Change::Remove(_) | Change::Directory(_) => None,
    });
    paths
        .filter(|path| path.sensitivity() == Sensitivity::Secret)
        .map(certkeep_pki::layout::PkiPath::relative)
        .collect()
}
