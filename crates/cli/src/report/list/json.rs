// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inventory for programs.

use certkeep_pki::{inventory::Status, x509::describe::Value};

use super::{Listing, record};
use crate::render;

/// One object: the circumstances, the counts, the certificates.
pub(super) fn json(listing: &Listing) -> String {
    let inventory = &listing.inventory;
    let number = |count: usize| Value::Number(u64::try_from(count).unwrap_or(u64::MAX));
    let counts = Status::ALL.into_iter().map(|status| (status.word(), number(inventory.count(status))));
    let crl = listing.crl;
    let date = |moment: Option<certkeep_pki::moment::Moment>| Value::from(moment.map(|at| at.to_string()));
    let head = [
        ("pki", listing.pki.as_str().into()),
        ("time", inventory.now.to_string().into()),
        ("crl_this_update", date(crl.map(|crl| crl.this_update))),
        ("crl_next_update", date(crl.and_then(|crl| crl.next_update))),
        ("counts", Value::Section(counts.collect())),
    ];
    let certificates = inventory.entries.iter().map(|entry| record::value(entry, inventory.now));
    render::json_with(&head, "certificates", certificates)
}
