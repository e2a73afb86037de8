// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fields of an entry that programs may rely on, with their names and in
//! their order: those of JSON and the columns of CSV. docs/inventory.md has the
//! same table. New ones go to the end, and none is taken away.

use certkeep_pki::{
    inventory::{Entry, Remark},
    moment::Moment,
    x509::describe::Value,
};

/// How many fields there are.
pub(super) const FIELDS: usize = 19;

/// The names of the fields.
pub(super) const NAMES: [&str; FIELDS] = [
    "name",
    "role",
    "type",
    "status",
    "serial_number",
    "subject",
    "common_name",
    "subject_alt_names",
    "not_before",
    "not_after",
    "days_left",
    "revoked_at",
    "revocation_reason",
    "sha256",
    "key_algorithm",
    "key",
    "request",
    "files",
    "remarks",
];

/// A field's value.
pub(super) enum Field<'a> {
    /// Text of ours: words, digits, dates.
    Own(String),
    /// Text that somebody else wrote.
    Foreign(&'a str),
    /// A number that may be below zero.
    Number(i64),
    /// Texts that somebody else wrote.
    List(Vec<&'a str>),
    /// What does not fit, for programs and for people.
    Remarks(&'a [Remark]),
    /// It has none.
    Absent,
}

/// The fields of an entry, in the order of [`NAMES`].
pub(super) fn fields(entry: &Entry, now: Moment) -> [Field<'_>; FIELDS] {
    let facts = entry.facts.as_deref();
    let own = |text: &str| if text.is_empty() { Field::Absent } else { Field::Own(text.to_owned()) };
    let moment = |moment: Option<Moment>| moment.map_or(Field::Absent, |at| Field::Own(at.to_string()));
    let reason = entry.revocation.and_then(|revocation| revocation.reason);
    let names = facts.map(|facts| facts.alternative_names.iter().map(String::as_str).collect());
    [
        Field::Foreign(&entry.name),
        own(entry.role.word()),
        own(entry.kind()),
        own(entry.status.word()),
        own(&entry.serial),
        Field::Foreign(&entry.subject),
        entry.common_name.as_deref().map_or(Field::Absent, Field::Foreign),
        Field::List(names.unwrap_or_default()),
        moment(facts.map(|facts| facts.not_before)),
        moment(entry.not_after),
        entry.days_left(now).map_or(Field::Absent, Field::Number),
        moment(entry.revocation.map(|revocation| revocation.at)),
        reason.map_or(Field::Absent, |reason| Field::Own(reason.to_string())),
        facts.map_or(Field::Absent, |facts| Field::Own(facts.fingerprint())),
        facts.map_or(Field::Absent, |facts| Field::Own(facts.key_algorithm.clone())),
        own(entry.key.word()),
        own(entry.request.word()),
        Field::List(entry.files.iter().map(String::as_str).collect()),
        Field::Remarks(&entry.remarks),
    ]
}

/// The tree that [`crate::render::json`] writes.
pub(super) fn value(entry: &Entry, now: Moment) -> Value {
    let text = |text: &str| Value::Text(text.to_owned());
    let values = fields(entry, now).into_iter().map(|field| match field {
        Field::Own(text) => Value::Text(text),
        Field::Foreign(foreign) => text(foreign),
        Field::Number(number) => Value::Integer(number),
        Field::List(texts) => Value::List(texts.into_iter().map(text).collect()),
        Field::Remarks(remarks) => Value::List(
            remarks
                .iter()
                .map(|remark| {
                    Value::Section(vec![("kind", remark.word().into()), ("text", remark.to_string().into())])
                })
                .collect(),
        ),
        Field::Absent => Value::Absent,
    });
    Value::Section(NAMES.into_iter().zip(values).collect())
}
