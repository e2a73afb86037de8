// SPDX-License-Identifier: MIT OR Apache-2.0
//! `update-db`: marking what is past its date as expired in the index.

use super::authority::Database;
use crate::{change::ChangeSet, layout::SerialHex, moment::Moment};

/// The rows that became `E`, and what has to be recorded.
#[derive(Debug)]
#[must_use = "marks that are not recorded did not happen"]
pub struct Expired {
    /// The serial numbers, in the order of the index.
    pub serials: Vec<SerialHex>,
    /// Empty if there is nothing to mark.
    pub changes: ChangeSet,
}

/// Marks every valid row whose last second lies before `now`.
pub fn update(mut database: Database, now: Moment) -> Expired {
    let serials = database.index.expire(now);
    let mut changes = ChangeSet::new();
    if !serials.is_empty() {
        database.index_changes(&mut changes);
    }
    Expired { serials, changes }
}
