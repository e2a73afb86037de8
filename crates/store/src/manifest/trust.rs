// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether what `.certkeep` says is the word of somebody who has the keys.

use thiserror::Error;

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
