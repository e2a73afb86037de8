// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way from a file's bytes to its findings.

use crate::{
    archive, body,
    finding::{Certainty, Finding},
};

/// Finds the private key material in `file`, in the order of its places.
///
/// No key is told twice. The time is linear in the length, for hostile input too.
#[must_use]
pub fn detect(file: &[u8]) -> Vec<Finding> {
    let mut found = unpacked(file);
    archive::add_members(file, &mut found, unpacked);
    found
}

fn unpacked(file: &[u8]) -> Vec<Finding> {
    body::parse(file)
        .map(|body| Finding {
            format: body.format,
            certainty: Certainty::Parsed,
            protection: body.protection,
            place: 0..file.len(),
            wrappings: Vec::new(),
            public_key: body.public_key,
            allowed: None,
        })
        .into_iter()
        .collect()
}
