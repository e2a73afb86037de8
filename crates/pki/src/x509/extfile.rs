// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads openssl's extension language (x509v3_config(5)): x509-types files,
//! `COMMON`, `EASYRSA_EXTRA_EXTS` and the sections of an openssl configuration.
//!
//! Files are data, never executed. What is not understood is an error with its
//! file, line and column, so that nobody signs a certificate without the
//! extension that a file asked for. `grammar` knows lines and sections, `value`
//! lists and numbers; one room for each family of extensions knows what they
//! mean.

mod access;
mod alt_name;
mod asn1;
mod basic;
mod grammar;
mod lexer;
mod limits;
mod line;
mod netscape;
mod points;
mod policies;
mod text;
mod value;

use std::collections::BTreeMap;

use der::asn1::ObjectIdentifier;
use thiserror::Error;

pub(crate) use self::line::Line;
use self::{
    grammar::{Entry, Sections},
    text::{Position, Word},
    value::{Budget, Context},
};
use super::{
    extension::{Criticality, ExtensionSpec, ExtensionValue},
    oid, profile,
};

/// Extensions of one text. Certificates have a dozen.
const MAX_EXTENSIONS: usize = 500;

/// A text to read, with the name that errors call it by.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// A file's name, or that of a variable.
    pub name: &'a str,
    /// What it says.
    pub text: &'a str,
}

/// A line that cannot be obeyed.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {line}, column {column}: {problem}")]
pub struct ExtfileError {
    /// The name of the source.
    pub source_name: String,
    /// The line number, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// No `name = value`.
    #[error("not of the form `name = value`")]
    Form,
    /// A section header without its closing bracket, or without a name.
    #[error("not of the form `[section]`")]
    Header,
    /// A NUL character.
    #[error("a NUL character")]
    Nul,
    /// Bytes that are no UTF-8, which whoever read the file has replaced.
    #[error("a character that is not UTF-8")]
    Encoding,
    /// `.include` or `.pragma`.
    #[error("`{}` is not supported", .0.escape_debug())]
    Directive(String),
    /// `${NAME` or `$(NAME` without its end.
    #[error("a variable's closing bracket is missing")]
    Brace,
    /// A variable without a value.
    #[error("the variable `{}` has no value", .0.escape_debug())]
    Variable(String),
    /// A reference to a section that is not there, or is empty.
    #[error("the section `{}` is not there, or empty", .0.escape_debug())]
    Section(String),
    /// A text or a value is too long, variables expanded.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// Sections that refer to sections, too often or too deep.
    #[error("sections refer to sections too often")]
    TooMuch,
    /// More extensions than any certificate has.
    #[error("more than {limit} extensions")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A setting of openssl that certkeep does not obey.
    #[error("the setting `{}` is not supported", .0.escape_debug())]
    Setting(String),
    /// A setting of openssl with a value that certkeep does not obey.
    #[error("`{}` is not a value of the setting `{}` that is supported", .value.escape_debug(), .setting.escape_debug())]
    SettingValue {
        /// The setting.
        setting: String,
        /// The value.
        value: String,
    },
    /// A section that lacks what it is for.
    #[error("the section `{section}` does not name {wanted}", section = .section.escape_debug())]
    Lacking {
        /// The section.
        section: String,
        /// What it should name.
        wanted: &'static str,
    },
    /// An extension that is not supported.
    #[error("the extension `{}` is not supported", .0.escape_debug())]
    Extension(String),
    /// A value that is not supported or not valid for its extension.
    #[error("`{}` is not a value of {} that is supported", .value.escape_debug(), .extension.escape_debug())]
    Value {
        /// The extension.
        extension: String,
        /// The value, or the part of it that is at fault.
        value: String,
    },
}

impl ExtfileError {
    fn new(sources: &[Source<'_>], position: Position, problem: Problem) -> Self {
        Self {
            source_name: sources
                .get(position.source)
                .map_or_else(String::new, |source| source.name.to_owned()),
            line: position.line + 1,
            column: position.column + 1,
            problem,
        }
    }
}

/// Texts that were read together: a section of one can be used in all of them.
#[derive(Debug)]
pub struct Extensions<'a> {
    sources: &'a [Source<'a>],
    sections: Sections,
    budget: Budget,
}

impl<'a> Extensions<'a> {
    /// Reads the grammar of all `sources`; `environment` is what `$ENV::NAME` stands for.
    ///
    /// # Errors
    ///
    /// [`ExtfileError`] for the first line that is not of the grammar, and for
    /// `.include`, which would be a file that nobody handed in.
    pub fn read(
        sources: &'a [Source<'a>],
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ExtfileError> {
        Ok(Self { sources, sections: Sections::read(sources, environment)?, budget: Budget::new() })
    }

    /// The extensions that source number `number` asks for, in order; as with
    /// openssl, a later line replaces an earlier one for the same extension.
    /// They stand in front of its first section header, or in the section that a
    /// line `extensions = NAME` there names.
    ///
    /// # Errors
    ///
    /// [`ExtfileError`] for the first line that cannot be obeyed.
    pub fn of(&self, number: usize) -> Result<Vec<ExtensionSpec>, ExtfileError> {
        self.specs(self.sections.extensions(number))
    }

    /// The extensions of a named section; `None` if there is no such section.
    ///
    /// # Errors
    ///
    /// As [`Extensions::of`].
    pub fn of_section(&self, name: &str) -> Result<Option<Vec<ExtensionSpec>>, ExtfileError> {
        let section = self.sections.section(name);
        section.map(|section| self.specs(Some(section))).transpose()
    }

    fn specs(&self, section: Option<&grammar::Section>) -> Result<Vec<ExtensionSpec>, ExtfileError> {
        let mut specs = Vec::new();
        for entry in section.into_iter().flat_map(grammar::Section::entries) {
            if specs.len() == MAX_EXTENSIONS {
                let position = entry.name.word().position();
                let problem = Problem::TooMany { limit: MAX_EXTENSIONS };
                return Err(ExtfileError::new(self.sources, position, problem));
            }
            if let Some(spec) = self.spec(entry)? {
                profile::put(&mut specs, spec);
            }
        }
        Ok(specs)
    }

    fn spec(&self, entry: &Entry) -> Result<Option<ExtensionSpec>, ExtfileError> {
        let name = entry.name.word();
        let extn_id = oid::parse(oid::EXTENSIONS, name.as_str()).or_else(|| {
            let encoded = |value: Word<'_>| ["DER:", "ASN1:"].iter().any(|by| value.as_str().starts_with(by));
            let value = entry.value.word();
            let value = value.strip_prefix("critical,").map_or(value, Word::trim_start);
            if encoded(value) { oid::find(name.as_str()) } else { None }
        });
        let unknown =
            || ExtfileError::new(self.sources, name.position(), Problem::Extension(name.as_str().to_owned()));
        let extn_id = extn_id.ok_or_else(unknown)?;
        let context = Context {
            sources: self.sources,
            sections: &self.sections,
            extension: name.as_str(),
            budget: &self.budget,
        };
        let value = entry.value.word();
        let (criticality, value) = match value.strip_prefix("critical,") {
            Some(value) => (Criticality::Critical, value.trim_start()),
            None => (Criticality::NonCritical, value),
        };
        let read = read_value(&context, extn_id, value)?;
        Ok(read.map(|value| ExtensionSpec { criticality, value }))
    }
}

/// What an extension line asks for; `None` if it asks for nothing (`none`).
fn read_value(
    context: &Context<'_>,
    extn_id: ObjectIdentifier,
    value: Word<'_>,
) -> Result<Option<ExtensionValue>, ExtfileError> {
    if let Some(digits) = value.strip_prefix("DER:") {
        return encoded(context, extn_id, value, context.hex(digits.trim_start())?).map(Some);
    }
    if let Some(text) = value.strip_prefix("ASN1:") {
        return encoded(context, extn_id, value, asn1::read(context, text.trim_start())?).map(Some);
    }
    let items = || context.list_or_section(value);
    let der = match oid::short_name(oid::EXTENSIONS, extn_id).as_str() {
        "basicConstraints" => return basic::constraints(context, &items()?).map(Some),
        "keyUsage" => return basic::key_usage(context, &items()?).map(Some),
        "extendedKeyUsage" => return basic::extended_key_usage(context, &items()?).map(Some),
        "subjectKeyIdentifier" => return basic::subject_key_identifier(context, value),
        "authorityKeyIdentifier" => return basic::authority_key_identifier(context, value, &items()?),
        "subjectAltName" | "issuerAltName" => {
            return alt_name::extension(context, extn_id, &items()?).map(Some);
        }
        "crlDistributionPoints" | "freshestCRL" => points::distribution(context, value, &items()?),
        "issuingDistributionPoint" => points::issuing(context, value, &items()?),
        "authorityInfoAccess" | "subjectInfoAccess" => access::descriptions(context, value, &items()?),
        "certificatePolicies" => policies::read(context, value),
        "policyConstraints" => limits::policy_constraints(context, value, &items()?),
        "policyMappings" => limits::policy_mappings(context, value, &items()?),
        "inhibitAnyPolicy" => limits::inhibit_any_policy(context, value),
        "nameConstraints" => limits::name_constraints(context, value, &items()?),
        "tlsfeature" => netscape::tls_feature(context, value, &items()?),
        "noCheck" => Ok(netscape::no_check()),
        "nsCertType" => netscape::certificate_type(context, value, &items()?),
        name if name.starts_with("ns") => netscape::text(context, value),
        _ => return Err(context.bad(value)),
    }?;
    Ok(Some(ExtensionValue::Encoded { oid: extn_id, der }))
}

/// DER that somebody wrote himself; what decides over a path is read, so that it
/// cannot hide from the rules for it.
fn encoded(
    context: &Context<'_>,
    extn_id: ObjectIdentifier,
    value: Word<'_>,
    der: Vec<u8>,
) -> Result<ExtensionValue, ExtfileError> {
    if extn_id == oid::BASIC_CONSTRAINTS {
        basic::from_der(&der).ok_or_else(|| context.bad(value))
    } else {
        Ok(ExtensionValue::Encoded { oid: extn_id, der })
    }
}

#[cfg(test)]
mod tests;
