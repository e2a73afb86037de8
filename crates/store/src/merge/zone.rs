// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two descriptions of a zone become one. Pure.
//!
//! Each side has to be a member's word. What a side has added stays; what it has
//! taken away goes only if its description is later than the one that both began
//! from, and of the epoch that the outcome is in: a former member knows the keys
//! of earlier ones. Whatever is in doubt is protected.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::{
    manifest::{Distrust, Manifest, Zone},
    seal::{Padding, StoreId},
    zone::{Epoch, Mode, Pattern, ZoneName},
    zone_keys::ZoneKeys,
};

/// Which zone is merged, and what certifies its descriptions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of<'a> {
    pub(crate) name: &'a ZoneName,
    pub(crate) store: StoreId,
    pub(crate) pki: Option<&'a str>,
    /// `None`: they are not unlocked.
    pub(crate) keys: Option<&'a ZoneKeys>,
}

/// A description that both sides agree with.
#[derive(Debug)]
pub struct Merged {
    /// The file.
    pub bytes: Vec<u8>,
    /// Patterns that one side took away, and that are away.
    pub gone: Vec<Pattern>,
    /// Patterns that one side took away, and that stay: the other one has a later
    /// key, or the description without them is not the later one.
    pub kept: Vec<Pattern>,
}

/// Why two descriptions of a zone do not become one.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZoneConflict {
    /// A side cannot be read, or is not there.
    #[error("{side} has no description of the zone `{zone}` that can be read")]
    Unreadable {
        /// The zone.
        zone: ZoneName,
        /// Which of the two.
        side: Side,
    },
    /// There is no key to certify the outcome with.
    #[error("the keys of the zone `{zone}` are not unlocked in this clone")]
    Locked {
        /// The zone.
        zone: ZoneName,
    },
    /// The zone is sealed: its keys are on no disk, so git cannot be answered.
    #[error("the zone `{zone}` is sealed, and its key is not at hand while git merges")]
    Sealed {
        /// The zone.
        zone: ZoneName,
    },
    /// A side is in an epoch whose key is not here yet.
    #[error("{side} has the zone `{zone}` in epoch {epoch}, whose key is not unlocked in this clone")]
    NoKey {
        /// The zone.
        zone: ZoneName,
        /// Which of the two.
        side: Side,
        /// The epoch.
        epoch: Epoch,
    },
    /// Both sides have begun the epoch.
    #[error("both sides have begun epoch {epoch} of the zone `{zone}`, each with a key of its own")]
    TwoKeys {
        /// The zone.
        zone: ZoneName,
        /// The epoch.
        epoch: Epoch,
    },
    /// A side was written by no member.
    #[error("{side} is not to be trusted about the zone `{zone}`: {source}")]
    Distrust {
        /// The zone.
        zone: ZoneName,
        /// Which of the two.
        side: Side,
        /// What is wrong with it.
        source: Distrust,
    },
    /// There is no later revision.
    #[error("the zone `{zone}` has the last revision that there is; begin a new epoch")]
    LastRevision {
        /// The zone.
        zone: ZoneName,
    },
}

/// One side of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side that is checked out.
    Ours,
    /// The side that is merged.
    Theirs,
}

impl std::fmt::Display for Side {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Ours => "our side",
            Self::Theirs => "their side",
        })
    }
}

/// Merges three files of one zone; `base` is empty if there was none.
pub(crate) fn zones(of: Of<'_>, base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<Merged, ZoneConflict> {
    let zone = of.name.clone();
    let parsed = |side, bytes| {
        Manifest::parse_zone(bytes).map_err(|_| ZoneConflict::Unreadable { zone: of.name.clone(), side })
    };
    let (ours, theirs) = (parsed(Side::Ours, ours)?, parsed(Side::Theirs, theirs)?);
    if ours.epoch == theirs.epoch && ours.key_id != theirs.key_id {
        return Err(ZoneConflict::TwoKeys { zone, epoch: ours.epoch });
    }
    let keys = of.keys.ok_or_else(|| match ours.mode {
        Mode::Sealed => ZoneConflict::Sealed { zone: zone.clone() },
        Mode::Transparent => ZoneConflict::Locked { zone: zone.clone() },
    })?;
    let verified = |side, described: &Zone| {
        let zone = of.name.clone();
        match keys.at(described.epoch) {
            None => Err(ZoneConflict::NoKey { zone, side, epoch: described.epoch }),
            Some(keys) => match described.verify(of.name, of.store, of.pki, &keys) {
                Ok(()) => Ok(keys),
                Err(source) => Err(ZoneConflict::Distrust { zone, side, source }),
            },
        }
    };
    let (our_keys, their_keys) = (verified(Side::Ours, &ours)?, verified(Side::Theirs, &theirs)?);
    let (mut merged, keys) =
        if theirs.epoch > ours.epoch { (theirs.clone(), their_keys) } else { (ours.clone(), our_keys) };
    // One that no member wrote, as there may be where histories meet, takes nothing away.
    let base = Manifest::parse_zone(base).ok().filter(|base| {
        keys.at(base.epoch).is_some_and(|keys| base.verify(of.name, of.store, of.pki, &keys).is_ok())
    });
    let sides = [&ours, &theirs];
    // What a side no longer says counts if the side is the later word of the two.
    let is_later = |side: &Zone| {
        let base = base.as_ref().map(|base| (base.epoch, base.revision));
        side.epoch == merged.epoch && base.is_some_and(|base| (side.epoch, side.revision) > base)
    };
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    let mut patterns = Vec::new();
    for pattern in base.iter().flat_map(|base| &base.patterns) {
        let without: Vec<_> = sides.iter().filter(|side| !side.patterns.contains(pattern)).collect();
        match without.as_slice() {
            [] => patterns.push(pattern.clone()),
            without if without.len() == sides.len() || without.iter().any(|side| is_later(side)) => {
                gone.push(pattern.clone());
            }
            _ => {
                kept.push(pattern.clone());
                patterns.push(pattern.clone());
            }
        }
    }
    // In one order, whichever side is ours.
    let added = sides.iter().flat_map(|side| &side.patterns);
    let added = added.filter(|pattern| !patterns.contains(pattern) && !gone.contains(pattern));
    let added: BTreeSet<_> = added.map(Pattern::as_str).collect();
    let parse = |text: &str| Pattern::parse(text).expect("it was read from one");
    patterns.extend(added.into_iter().map(parse));
    let opened = sides.iter().any(|side| {
        let was_sealed = base.as_ref().is_some_and(|base| base.mode == Mode::Sealed);
        side.mode == Mode::Transparent && was_sealed && is_later(side)
    });
    let any_sealed = sides.iter().any(|side| side.mode == Mode::Sealed);
    let mode = if any_sealed && !opened { Mode::Sealed } else { Mode::Transparent };
    let padding = match base.as_ref().map(|base| base.padding.bucket()) {
        Some(base) if base == ours.padding.bucket() => theirs.padding,
        Some(base) if base == theirs.padding.bucket() => ours.padding,
        _ => Padding::of_bucket(ours.padding.bucket().max(theirs.padding.bucket())),
    };
    let revision =
        match sides.iter().filter(|side| side.epoch == merged.epoch).map(|side| side.revision).max() {
            Some(revision) => revision.checked_add(1).ok_or(ZoneConflict::LastRevision { zone })?,
            None => 1,
        };
    merged.patterns = patterns;
    merged.mode = mode;
    merged.padding = padding;
    merged.revision = revision;
    merged.certify(of.name, of.store, of.pki, &keys);
    Ok(Merged { bytes: merged.to_bytes(), gone, kept })
}
