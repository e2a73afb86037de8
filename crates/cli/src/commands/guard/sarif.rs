// SPDX-License-Identifier: MIT OR Apache-2.0
//! Findings as SARIF 2.1.0 (OASIS), for code scanning.

use std::fmt::Write as _;

use certkeep_pki::x509::describe::Value;

use super::told::{Level, Rule, Told};
use crate::render;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One log with one run.
pub(super) fn sarif(found: &[Told]) -> String {
    let rules = Rule::ALL.iter().map(|(rule, says)| {
        let level = if *rule == Rule::SuspectedKey { "note" } else { "error" };
        Value::Section(vec![
            ("id", rule.id().into()),
            ("shortDescription", message(says)),
            ("defaultConfiguration", Value::Section(vec![("level", level.into())])),
        ])
    });
    let driver = Value::Section(vec![
        ("name", "certkeep guard".into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("informationUri", env!("CARGO_PKG_REPOSITORY").into()),
        ("rules", Value::List(rules.collect())),
    ]);
    let run = Value::Section(vec![
        ("tool", Value::Section(vec![("driver", driver)])),
        ("columnKind", "utf16CodeUnits".into()),
        ("results", Value::List(found.iter().map(result).collect())),
    ]);
    render::json(&Value::Section(vec![
        ("$schema", SCHEMA.into()),
        ("version", "2.1.0".into()),
        ("runs", Value::List(vec![run])),
    ]))
}

fn result(told: &Told) -> Value {
    let mut text = format!("{}: {}.", told.what, told.why);
    for owner in &told.owners {
        let _ = write!(text, " It is the private key of {}.", owner.described());
    }
    if let Some(commit) = &told.commit {
        let _ = write!(text, " In commit {commit}.");
    }
    for advice in &told.advice {
        let _ = write!(text, " {advice}.");
    }
    let mut entries = vec![
        ("ruleId", told.rule.id().into()),
        ("level", if told.level == Level::Error { "error" } else { "note" }.into()),
        ("message", message(&text)),
    ];
    if !told.path.is_empty() {
        let mut place = vec![("artifactLocation", Value::Section(vec![("uri", uri(&told.path).into())]))];
        let region = match (told.line, told.offset) {
            (Some(line), _) => Some(("startLine", line)),
            (None, Some(offset)) => Some(("byteOffset", offset)),
            (None, None) => None,
        };
        if let Some((key, number)) = region {
            let number = Value::Number(u64::try_from(number).unwrap_or(u64::MAX));
            place.push(("region", Value::Section(vec![(key, number)])));
        }
        let location = Value::Section(vec![("physicalLocation", Value::Section(place))]);
        entries.push(("locations", Value::List(vec![location])));
    }
    let print = [told.rule.id(), told.blob.as_deref().unwrap_or_default(), &uri(&told.path)].join(":");
    entries.push(("partialFingerprints", Value::Section(vec![("certkeepGuard/v1", print.into())])));
    Value::Section(entries)
}

fn message(text: &str) -> Value {
    Value::Section(vec![("text", text.into())])
}

/// A path as a reference of RFC 3986: every byte outside its unreserved characters escaped.
fn uri(path: &[u8]) -> String {
    let mut uri = String::new();
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_bytes_is_a_uri() {
        assert_eq!(uri(b"a b/\xc3\xbc:%.key"), "a%20b/%C3%BC%3A%25.key");
    }
}
