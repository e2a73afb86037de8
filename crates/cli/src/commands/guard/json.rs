// SPDX-License-Identifier: MIT OR Apache-2.0
//! Findings for programs: the fields that `docs/guard.md` publishes.

use certkeep_pki::x509::describe::Value;

use super::{
    Checked,
    owner::Owner,
    told::{Level, Told},
};
use crate::render;

/// One object with everything that was found and looked at.
pub(super) fn json(checked: &Checked) -> String {
    let allowed = checked.allowed.iter().map(|(told, reason)| {
        let mut entries = places(told);
        entries.push(("what", told.what.as_str().into()));
        entries.push(("reason", reason.as_str().into()));
        Value::Section(entries)
    });
    render::json(&Value::Section(vec![
        ("version", Value::Number(1)),
        ("findings", Value::List(checked.found.iter().map(finding).collect())),
        ("allowed", Value::List(allowed.collect())),
        (
            "checked",
            Value::Section(vec![
                ("files", Value::Number(checked.blobs)),
                ("bytes", Value::Number(checked.bytes)),
                ("commits", Value::Number(checked.commits)),
            ]),
        ),
    ]))
}

fn finding(told: &Told) -> Value {
    let level = if told.level == Level::Error { "error" } else { "note" };
    let mut entries = vec![("rule", told.rule.id().into()), ("level", level.into())];
    entries.extend(places(told));
    entries.push(("what", told.what.as_str().into()));
    entries.push(("why", told.why.as_str().into()));
    entries.push(("certificates", Value::List(told.owners.iter().map(owner).collect())));
    entries.push(("advice", Value::List(told.advice.iter().map(|line| line.as_str().into()).collect())));
    Value::Section(entries)
}

fn places(told: &Told) -> Vec<(&'static str, Value)> {
    let number = |number: Option<usize>| number.and_then(|number| u64::try_from(number).ok());
    vec![
        ("path", told.shown_path().into()),
        ("line", number(told.line).map_or(Value::Absent, Value::Number)),
        ("offset", number(told.offset).map_or(Value::Absent, Value::Number)),
        ("commit", told.commit.clone().into()),
        ("blob", told.blob.clone().into()),
    ]
}

fn owner(owner: &Owner) -> Value {
    Value::Section(vec![
        ("subject", owner.subject.as_str().into()),
        ("serial", owner.serial.as_str().into()),
        ("name", owner.name.clone().into()),
        ("is_ca", Value::Flag(owner.is_authority)),
        ("status", owner.state.word().into()),
        ("revoke", owner.revocation().into()),
    ])
}
