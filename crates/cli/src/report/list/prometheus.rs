// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inventory for monitoring: Prometheus's text format, version 0.0.4, for the
//! textfile collector of node_exporter or a web server. All times are seconds since
//! 1970.
//!
//! A certificate has a series of its own as long as somebody is to see to it: an
//! alert must not end because the certificate has. What was revoked, replaced or
//! put aside has none, and is counted.

use std::{collections::HashSet, fmt::Write as _};

use certkeep_pki::{inventory::Status, moment::Moment};

use super::Listing;
use crate::terminal::Safe;

/// The metrics.
pub(super) fn exposition(listing: &Listing) -> String {
    let inventory = &listing.inventory;
    let mut text = String::new();
    family(
        &mut text,
        "certkeep_certificate_not_after_timestamp_seconds",
        "Last second of a certificate that is neither revoked nor replaced.",
    );
    let mut seen = HashSet::new();
    for entry in inventory.entries.iter().filter(|entry| entry.is_current()) {
        let Some(end) = entry.not_after else { continue };
        let sha256 = entry.facts.as_ref().map(|facts| facts.fingerprint()).unwrap_or_default();
        let labels = format!(
            "name=\"{}\",type=\"{}\",role=\"{}\",serial=\"{}\",sha256=\"{sha256}\"",
            label(&entry.name),
            label(entry.kind()),
            entry.role.word(),
            entry.serial,
        );
        // Two rows of an index may say the same; two series may not.
        if !seen.contains(&labels) {
            let _ =
                writeln!(text, "certkeep_certificate_not_after_timestamp_seconds{{{labels}}} {}", end.unix());
            seen.insert(labels);
        }
    }
    family(&mut text, "certkeep_certificates", "Certificates by status.");
    for status in Status::ALL {
        let _ = writeln!(text, "certkeep_certificates{{status=\"{status}\"}} {}", inventory.count(status));
    }
    let crl = listing.crl;
    let dates: [(&str, &str, Option<Moment>); 3] = [
        (
            "certkeep_crl_this_update_timestamp_seconds",
            "When the CRL was made.",
            crl.map(|crl| crl.this_update),
        ),
        (
            "certkeep_crl_next_update_timestamp_seconds",
            "When the next CRL is due.",
            crl.and_then(|crl| crl.next_update),
        ),
        ("certkeep_inventory_timestamp_seconds", "When these metrics were written.", Some(inventory.now)),
    ];
    for (name, help, moment) in dates {
        if let Some(moment) = moment {
            family(&mut text, name, help);
            let _ = writeln!(text, "{name} {}", moment.unix());
        }
    }
    text
}

fn family(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

/// The value of a label, without its quotes.
fn label(text: &str) -> String {
    let shown = Safe(text).to_string();
    shown.replace('\\', "\\\\").replace('"', "\\\"")
}
