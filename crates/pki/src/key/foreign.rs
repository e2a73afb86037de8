// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of algorithms and curves that certkeep does not have, for people who read of them.

use der::asn1::ObjectIdentifier;
use spki::AlgorithmIdentifierOwned;

use super::public::{EC, named_curve};

/// Algorithms.
const ALGORITHMS: [(&str, &str); 5] = [
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.113", "Ed448"),
];

/// Curves.
const CURVES: [(&str, &str); 4] = [
    ("1.3.132.0.33", "secp224r1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
];

/// The name of an algorithm, a curve with it; its numbers if nobody has named it here.
pub(super) fn name_of(identifier: &AlgorithmIdentifierOwned) -> String {
    if identifier.oid != EC {
        return named(&ALGORITHMS, identifier.oid);
    }
    match named_curve(identifier) {
        Some(curve) => format!("EC {}", curve_name(curve)),
        None => "EC with explicit parameters".to_owned(),
    }
}

/// The name of a curve, or its numbers.
pub(super) fn curve_name(curve: ObjectIdentifier) -> String {
    named(&CURVES, curve)
}

fn named(table: &[(&str, &str)], oid: ObjectIdentifier) -> String {
    let dotted = oid.to_string();
    table.iter().find(|(known, _)| *known == dotted).map_or(dotted, |(_, name)| (*name).to_owned())
}
