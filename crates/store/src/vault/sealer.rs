// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git and the work tree each get of a file that a PKI command writes.

use std::collections::BTreeMap;

use certkeep_pki::{
    change::{Change, ChangeSet, Contents},
    layout::Sensitivity,
    secret::SecretBytes,
};

use crate::{
    history::{SealRefusal, Sealer, Stored},
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
    fn stored(
        &self,
        path: &str,
        contents: &Contents,
        previous: Option<&[u8]>,
    ) -> Result<Stored, SealRefusal> {
        let bytes = match contents {
            Contents::Public(bytes) => bytes.as_slice(),
            Contents::Secret(bytes) => bytes.expose(),
        };
        let zone = match self.rules.protection(path.as_bytes()) {
            Protection::Zone(zone) => zone,
            Protection::Public | Protection::Unnamed => {
                return Ok(Stored { work_tree: copy(contents), blob: bytes.to_vec() });
            }
        };
        // A file that is moved, or one that is empty.
        if bytes.is_empty() || seal::is_sealed(bytes) {
            return Ok(Stored { work_tree: copy(contents), blob: bytes.to_vec() });
        }
        let Some(open) = self.zones.get(zone) else {
            let source = Box::new(super::VaultError::NoZone { zone: zone.clone() });
            return Err(SealRefusal { path: path.to_owned(), source });
        };
        let same = |blob: &&[u8]| open.keys.open(blob).is_ok_and(|opened| opened.expose() == bytes);
        let blob = match previous.filter(same) {
            Some(blob) => blob.to_vec(),
            None => open.keys.sealing_now().seal(bytes, open.padding),
        };
        let work_tree = if open.unlocked { copy(contents) } else { Contents::Public(blob.clone()) };
        Ok(Stored { work_tree, blob })
    }
}

fn copy(contents: &Contents) -> Contents {
    match contents {
        Contents::Public(bytes) => Contents::Public(bytes.clone()),
        Contents::Secret(bytes) => Contents::Secret(SecretBytes::new(bytes.expose().to_vec())),
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
