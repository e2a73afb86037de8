// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules that hold, by what a store says now and what this clone has seen of
//! it. A MAC tells who wrote a description and neither when nor on which branch:
//! whoever can push puts any of them in the place of the present one. So what was
//! pulled adds patterns and seals zones, and never the other way round: what this
//! clone has seen protected stays so until somebody here says otherwise
//! ([`Pins::forget_patterns`], [`Pins::let_open`]).

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
    pub(super) digest: [u8; 32],
    /// By a key; otherwise it is what the clone has found first.
    pub(super) certain: bool,
}

impl Verified {
    /// A zone of the manifest, as it is described now.
    pub(super) fn of(name: &ZoneName, zone: &Zone, manifest: &Manifest, certain: bool) -> Self {
        let Zone { epoch, revision, .. } = *zone;
        let digest = zone.digest(name, manifest.store, manifest.pki.as_deref());
        Self { epoch, revision, digest, certain }
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

    /// What a zone's files are in an unlocked work tree: no description makes
    /// plaintext of a zone that was seen sealed.
    #[must_use]
    pub fn mode(&self, zone: &ZoneName, manifest: &Manifest) -> Option<Mode> {
        let described = manifest.zones.get(zone)?.mode;
        Some(if self.sealed.contains(zone) { Mode::Sealed } else { described })
    }

    /// The zones that are transparent by their description and sealed here.
    pub fn sealed_here<'a>(&'a self, manifest: &'a Manifest) -> impl Iterator<Item = &'a ZoneName> {
        self.sealed
            .iter()
            .filter(|zone| manifest.zones.get(*zone).is_some_and(|zone| zone.mode == Mode::Transparent))
    }

    /// Somebody here says that a zone may be what its description says.
    pub fn let_open(&mut self, zone: &ZoneName) {
        self.sealed.remove(zone);
    }

    /// The zones whose description is earlier than the one that was verified
    /// last, or another one of the same revision.
    pub fn earlier<'a>(&'a self, manifest: &'a Manifest) -> impl Iterator<Item = &'a ZoneName> {
        manifest.zones.keys().filter(|zone| self.standing(zone, manifest) == Standing::Earlier)
    }

    /// The revision of a zone that was verified last, if it was of this epoch; 0
    /// for none, and for what no key has verified.
    #[must_use]
    pub fn revision(&self, zone: &ZoneName, epoch: Epoch) -> u32 {
        let seen = self.verified.get(zone).filter(|seen| seen.certain && seen.epoch == epoch);
        seen.map_or(0, |seen| seen.revision)
    }

    /// The rules of a store: what it says, and what this clone has seen of it. The
    /// latter comes last: whoever can push may have had a zone that nobody verified
    /// seen with a pattern, and is to take no file from another zone by that.
    #[must_use]
    pub fn rules(&self, manifest: &Manifest) -> Rules {
        let zones = &manifest.zones;
        let described =
            zones.iter().flat_map(|(name, zone)| zone.patterns.iter().map(move |known| (known, name)));
        let lost = zones.keys().flat_map(|name| self.lost(name, manifest).map(move |lost| (lost, name)));
        let patterns = described.chain(lost).map(|(pattern, zone)| (pattern.clone(), zone.clone()));
        Rules::new(manifest.pki.as_deref(), patterns.collect())
    }

    /// The rules of what this clone has seen alone, whatever the store says now.
    #[must_use]
    pub fn own_rules(&self) -> Rules {
        let known = self.patterns.iter();
        let known = known.flat_map(|(zone, known)| known.iter().map(|known| (known.clone(), zone.clone())));
        Rules::new(self.pki.clone().flatten().as_deref(), known.collect())
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

    /// Remembers the rules of a store beside those that were seen before.
    pub fn remember_rules(&mut self, manifest: &Manifest, verified: &BTreeSet<ZoneName>) {
        let rules = self.rules(manifest);
        self.patterns.clear();
        for (pattern, zone) in rules.patterns() {
            self.patterns.entry(zone.clone()).or_default().push(pattern.clone());
        }
        self.pki = Some(manifest.pki.clone());
        for (name, zone) in manifest.zones.iter().filter(|(name, _)| verified.contains(*name)) {
            if zone.mode == Mode::Sealed {
                self.sealed.insert(name.clone());
            }
            // Also not where what was found first is no more than that: an earlier
            // description has a right MAC as well.
            if self.standing(name, manifest) != Standing::Earlier {
                self.verified.insert(name.clone(), Verified::of(name, zone, manifest, true));
            }
        }
    }

    /// Somebody here says that patterns which their zones do not have any more
    /// are to be forgotten; gives those that were known.
    pub fn forget_patterns(&mut self, patterns: &[Pattern], manifest: &Manifest) -> Vec<Pattern> {
        let mut forgotten = Vec::new();
        for (zone, known) in &mut self.patterns {
            let described = manifest.zones.get(zone).map_or(&[][..], |zone| zone.patterns.as_slice());
            let going = |known: &mut Pattern| patterns.contains(known) && !described.contains(known);
            forgotten.extend(known.extract_if(.., going));
        }
        forgotten
    }
}
