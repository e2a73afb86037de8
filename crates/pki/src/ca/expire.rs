// SPDX-License-Identifier: MIT OR Apache-2.0
//! `update-db`: marking what is past its date as expired in the index. And
//! `expire`: putting a certificate aside, so that its request can be signed again.

use super::authority::Database;
use crate::{
    change::ChangeSet,
    layout::{EntryName, PkiPath, SerialHex},
    moment::Moment,
};

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

/// Puts the current certificate of `name` aside. It stays valid, and its row as
/// it is, until it is revoked or its date comes (easy-rsa 3.2: expire).
pub fn put_aside(name: &EntryName) -> ChangeSet {
    let mut changes = ChangeSet::new();
    changes.relocate(PkiPath::Issued(name.clone()), PkiPath::Expired(name.clone()));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ca::fixture::{database_of, moment};

    #[test]
    fn a_certificate_expires_after_its_last_second() {
        let rows = "V\t261121120000Z\t\t01\tunknown\t/CN=a\nV\t271121120000Z\t\t02\tunknown\t/CN=b\n";
        let marked = |now: &str| {
            let expired = update(database_of(rows), moment(now));
            let serials: Vec<_> = expired.serials.iter().map(|serial| serial.as_str().to_owned()).collect();
            (serials, expired.changes.as_slice().len())
        };
        assert_eq!(marked("261121120000Z"), (Vec::new(), 0));
        assert_eq!(marked("261121120001Z"), (vec!["01".to_owned()], 4));
    }
}
