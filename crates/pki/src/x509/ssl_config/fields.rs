// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section of a subject: which attributes are asked for, in which words, and
//! what they are when nobody answers (openssl-req(1), "DISTINGUISHED NAME AND
//! ATTRIBUTE SECTION FORMAT").

use super::{not_a_value, unsupported};
use crate::x509::{
    extfile::{ExtfileError, Line, Problem},
    oid,
};

/// An attribute of a new subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The attribute, by its short name or its numbers.
    pub attribute: String,
    /// What a person is asked.
    pub label: String,
    /// The value if nobody answers; an empty one leaves the attribute out.
    pub default: String,
    /// How few characters are allowed.
    pub min: usize,
    /// How many characters are allowed.
    pub max: Option<usize>,
}

/// The attributes of a new subject, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectFields {
    /// The attributes.
    pub fields: Vec<Field>,
    /// Whether a person is asked at all (`prompt`).
    pub asked: bool,
}

impl SubjectFields {
    /// Reads the `section` that `line` names.
    pub(super) fn read(line: &Line<'_>, section: &[Line<'_>], asked: bool) -> Result<Self, ExtfileError> {
        let mut fields = Vec::new();
        for entry in section {
            let name = entry.name();
            let attached = |of: &str| section.iter().find(|other| other.name() == format!("{name}{of}"));
            if asked && ["_default", "_min", "_max", "_value"].iter().any(|end| name.ends_with(end)) {
                continue;
            }
            let attribute = attribute(name).ok_or_else(|| unsupported(entry))?;
            let value = |of| attached(of).map(|other| other.value().to_owned());
            let number = |of| {
                let line = attached(of);
                line.map(|line| line.value().parse().map_err(|_| not_a_value(line))).transpose()
            };
            let (label, default) = match asked {
                true => (entry.value().to_owned(), value("_value").or_else(|| value("_default"))),
                false => (String::new(), Some(entry.value().to_owned())),
            };
            let default = default.unwrap_or_default();
            let (min, max) = if asked { (number("_min")?.unwrap_or(0), number("_max")?) } else { (0, None) };
            fields.push(Field { attribute, label, default, min, max });
        }
        if fields.iter().any(|field| field.attribute == "CN") {
            Ok(Self { fields, asked })
        } else {
            let wanted = "commonName, without which no certificate is found again";
            Err(line.bad(Problem::Lacking { section: line.value().to_owned(), wanted }))
        }
    }
}

/// The attribute behind a number that tells it from another of its kind, as in
/// `0.organizationName`.
fn attribute(name: &str) -> Option<String> {
    let behind = name.find(['.', ',', ':']).map(|at| &name[at + 1..]).filter(|rest| !rest.is_empty());
    let known = |name: &str| oid::parse(oid::ATTRIBUTES, name);
    // A dotted identifier has a number in front of its dot as well.
    let found = known(name).or_else(|| known(behind?))?;
    Some(oid::short_name(oid::ATTRIBUTES, found))
}
