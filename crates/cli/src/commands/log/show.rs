// SPDX-License-Identifier: MIT OR Apache-2.0
//! An operation for people and for programs.

use certkeep_pki::{
    ledger::{Deed, Named, text::shown},
    x509::describe::Value,
};
use certkeep_store::chronicle::Signature;

use super::{operation::Operation, signed};
use crate::terminal::Safe;

/// How many digits of a commit are shown to people.
const DIGITS: usize = 10;

/// The most deeds of one operation that are shown to people.
const MOST: usize = 12;

/// The beginning of the name of a commit.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..DIGITS).unwrap_or(commit)
}

/// A line for the operation, and one for each thing that it did.
pub(super) fn text(operation: &Operation, signature: Option<&Signature>) -> String {
    let Operation { commit, when, actor, command, deeds, about, .. } = operation;
    let mut text = format!("{when}  {}  {}  {}", short(commit), Safe(actor), Safe(command));
    if let Some(signed) = signed(signature) {
        text.push_str(&format!("  ({})", Safe(signed)));
    }
    text.push('\n');
    for deed in deeds.iter().take(MOST) {
        text.push_str(&format!("    {}\n", Safe(line(deed))));
    }
    if deeds.len() > MOST {
        text.push_str(&format!("    and {} more\n", deeds.len() - MOST));
    }
    if let Some(about) = about.as_ref().filter(|_| deeds.is_empty()) {
        text.push_str(&format!("    {} {}\n", about.serial, Safe(&about.subject)));
    }
    text
}

fn line(deed: &Deed) -> String {
    match deed {
        Deed::Authority(named) => format!("CA {} {}", named.serial, named.subject),
        Deed::Certificate(named) => format!("certificate {} {}", named.serial, named.subject),
        Deed::Revocation(serial, revocation) => {
            let reason = revocation.reason.map_or_else(String::new, |reason| format!(", {reason}"));
            format!("revoked {serial} on {}{reason}", revocation.at)
        }
        Deed::Crl(Some(number), _) => format!("CRL number {number}"),
        Deed::Crl(None, _) => "CRL without a number".to_owned(),
        Deed::Row(serial) => format!("row {serial} without a certificate"),
        _ => deed.to_line().1,
    }
}

/// The same for programs.
pub(super) fn value(operation: &Operation, signature: Option<&Signature>) -> Value {
    let Operation { commit, when, actor, command, deeds, about, has_event } = operation;
    let mut fields = vec![
        ("when", Value::Text(when.to_string())),
        ("actor", actor.as_str().into()),
        ("command", command.as_str().into()),
        ("commit", commit.as_str().into()),
        ("source", if *has_event { "event" } else { "trailers" }.into()),
        ("about", about.as_ref().map_or(Value::Absent, |named| Value::Section(fields_of(named)))),
        ("deeds", Value::List(deeds.iter().map(deed_value).collect())),
    ];
    if let Some(signed) = signed(signature) {
        fields.push(("signature", signed.into()));
    }
    Value::Section(fields)
}

fn fields_of(named: &Named) -> Vec<(&'static str, Value)> {
    vec![
        ("serial", named.serial.as_str().into()),
        ("subject", named.subject.as_str().into()),
        ("fingerprint", shown(&named.fingerprint).into()),
    ]
}

fn deed_value(deed: &Deed) -> Value {
    let mut fields = vec![("deed", Value::Text(deed.to_line().0))];
    match deed {
        Deed::Authority(named) | Deed::Certificate(named) => fields.extend(fields_of(named)),
        Deed::Row(serial) => fields.push(("serial", serial.as_str().into())),
        Deed::Revocation(serial, revocation) => fields.extend([
            ("serial", serial.as_str().into()),
            ("revoked_at", Value::Text(revocation.at.to_string())),
            ("reason", revocation.reason.map(|reason| reason.to_string()).into()),
        ]),
        Deed::Crl(number, fingerprint) => fields.extend([
            ("number", number.as_ref().map(ToString::to_string).into()),
            ("fingerprint", shown(fingerprint).into()),
        ]),
        _ => {}
    }
    Value::Section(fields)
}
