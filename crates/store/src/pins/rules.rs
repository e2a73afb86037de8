// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules that hold, by what a store says now and what this clone has seen of
//! it. A MAC tells who wrote a description and not when: whoever can push brings
//! back an earlier one of the same epoch. So a description that is not known to
//! be later than the one that was verified last adds patterns and takes none away.

use std::collections::BTreeSet;

use super::Pins;
use crate::{
    manifest::{Manifest, Zone},
    zone::{Epoch, Mode, Pattern, Rules, ZoneName},
};

/// How a zone was described when it was verified last, or found first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verified {
    pub(super) epoch: Epoch,
    pub(super) revision: u32,
    pub(super) mode: Mode,
    pub(super) digest: [u8; 32],
    /// By a key; otherwise it is what the clone has found first.
    pub(super) certain: bool,
}

impl Verified {
    /// A zone of the manifest, as it is described now.
    pub(super) fn of(name: &ZoneName, zone: &Zone, manifest: &Manifest, certain: bool) -> Self {
        let Zone { epoch, revision, mode, .. } = *zone;
        let digest = zone.digest(name, manifest.store, manifest.pki.as_deref());
        Self { epoch, revision, mode, digest, certain }
    }
}

/// How a zone's description compares with the one that was verified last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None was verified yet.
    New,
    /// It is that one.
    Same,
    /// It says that it is later.
    Later,
    /// It is earlier, or another one of the same revision.
    Earlier,
}

impl Pins {
    /// How a zone's description compares with the one that was verified last.
    #[must_use]
    pub fn standing(&self, zone: &ZoneName, manifest: &Manifest) -> Standing {
        let (Some(seen), Some(described)) = (self.verified.get(zone), manifest.zones.get(zone)) else {
            return Standing::New;
        };
        let digest = described.digest(zone, manifest.store, manifest.pki.as_deref());
        if seen.digest == digest {
            Standing::Same
        } else if (described.epoch, described.revision) > (seen.epoch, seen.revision) {
            Standing::Later
        } else {
            Standing::Earlier
        }
    }

    /// What a zone's files are in an unlocked work tree: no earlier description
    /// makes plaintext of a zone that has been sealed since.
    #[must_use]
    pub fn mode(&self, zone: &ZoneName, manifest: &Manifest) -> Option<Mode> {
        let described = manifest.zones.get(zone)?;
        match self.verified.get(zone) {
            Some(seen) if self.standing(zone, manifest) == Standing::Earlier && seen.mode == Mode::Sealed => {
                Some(Mode::Sealed)
            }
            _ => Some(described.mode),
        }
    }

    /// The zones whose description is earlier than the one that was verified
    /// last, or another one of the same revision.
    pub fn earlier<'a>(&'a self, manifest: &'a Manifest) -> impl Iterator<Item = &'a ZoneName> {
        manifest.zones.keys().filter(|zone| self.standing(zone, manifest) == Standing::Earlier)
    }

    /// The revision of a zone that was verified last; 0 for none.
    #[must_use]
    pub fn revision(&self, zone: &ZoneName) -> u32 {
        self.verified.get(zone).map_or(0, |seen| seen.revision)
    }

    /// The rules of a store. Where a zone's description is nobody's word, or an
    /// earlier one, it can add patterns and take none away: what was sealed stays
    /// protected.
    #[must_use]
    pub fn rules(&self, manifest: &Manifest, verified: &BTreeSet<ZoneName>) -> Rules {
        let patterns = manifest.zones.iter().flat_map(|(name, zone)| {
            let exact = verified.contains(name) && self.standing(name, manifest) != Standing::Earlier;
            let lost = self.lost(name, manifest).filter(move |_| !exact);
            zone.patterns.iter().chain(lost).map(|pattern| (pattern.clone(), name.clone()))
        });
        Rules::new(manifest.pki.as_deref(), patterns.collect())
    }

    /// The patterns that a zone had and has not any more.
    pub fn lost<'a>(&'a self, zone: &ZoneName, manifest: &'a Manifest) -> impl Iterator<Item = &'a Pattern> {
        let present = manifest.zones.get(zone).map_or(&[][..], |zone| zone.patterns.as_slice());
        let seen = self.patterns.get(zone).into_iter().flatten();
        seen.filter(|pattern| !present.contains(pattern))
    }

    /// Whether a zone is described as it was when a key verified it last: this
    /// clone vouches for it without having that key.
    #[must_use]
    pub fn agree(&self, zone: &ZoneName, manifest: &Manifest) -> bool {
        let same = self.standing(zone, manifest) == Standing::Same;
        same && self.lost(zone, manifest).next().is_none() && self.pki.as_ref() == Some(&manifest.pki)
    }

    /// Remembers the rules of a store: exactly those of zones that were verified
    /// and are no earlier state, and of the others no fewer than before.
    pub fn remember_rules(
        &mut self,
        manifest: &Manifest,
        verified: &BTreeSet<ZoneName>,
        exact: &BTreeSet<ZoneName>,
    ) {
        let rules = self.rules(manifest, exact);
        self.patterns.clear();
        for (pattern, zone) in rules.patterns() {
            self.patterns.entry(zone.clone()).or_default().push(pattern.clone());
        }
        self.pki = Some(manifest.pki.clone());
        for (name, zone) in manifest.zones.iter().filter(|(name, _)| verified.contains(*name)) {
            // Also not where what was found first is no more than that: an earlier
            // description has a right MAC as well.
            if self.standing(name, manifest) != Standing::Earlier {
                self.verified.insert(name.clone(), Verified::of(name, zone, manifest, true));
            }
        }
    }

    /// Forgets patterns that no zone of the store has any more; gives those that
    /// it knew.
    pub fn forget_patterns(&mut self, patterns: &[Pattern], manifest: &Manifest) -> Vec<Pattern> {
        let described =
            |pattern: &Pattern| manifest.zones.values().any(|zone| zone.patterns.contains(pattern));
        let mut forgotten = Vec::new();
        for known in self.patterns.values_mut() {
            forgotten.extend(known.extract_if(.., |known| patterns.contains(known) && !described(known)));
        }
        forgotten
    }
}
