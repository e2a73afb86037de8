// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads x509-types files, `COMMON` and `EASYRSA_EXTRA_EXTS`: the part of
//! openssl's extension language (x509v3_config) that certificate types use.
//!
//! Files are data, never executed. What is not understood is an error with its
//! line number, so that nobody signs a certificate without the extension that a
//! file asked for.

use der::{
    Encode,
    asn1::{Ia5String, ObjectIdentifier},
    flagset::FlagSet,
};
use thiserror::Error;
use x509_cert::ext::pkix::{
    AccessDescription, CrlDistributionPoints, KeyUsages,
    certpolicy::PolicyInformation,
    crl::dp::DistributionPoint,
    name::{DistributionPointName, GeneralName},
};

use super::{
    extension::{Criticality, ExtensionSpec, ExtensionValue, KEY_USAGES, NETSCAPE_TYPES, named_bits},
    general_name, oid, profile, serial,
};

/// A line that cannot be obeyed.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {line}: {problem}")]
pub struct ExtfileError {
    /// The line number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: LineProblem,
}

/// What is wrong with a line.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineProblem {
    /// No `name = value`.
    #[error("not of the form `name = value`")]
    Form,
    /// An extension that is not supported.
    #[error("the extension `{}` is not supported", .0.escape_debug())]
    Extension(String),
    /// A value that is not supported or not valid for its extension.
    #[error("`{}` is not a value of {extension} that is supported", .value.escape_debug())]
    Value {
        /// The extension.
        extension: String,
        /// The value, or the part of it that is at fault.
        value: String,
    },
    /// `$NAME` or `$ENV::NAME` without a value.
    #[error("the variable `{}` has no value", .0.escape_debug())]
    Variable(String),
    /// `[section]`: sections come with values that refer to them.
    #[error("sections are not supported")]
    Section,
}

/// Reads the lines of `text` and adds their extensions to `extensions`; as with
/// openssl, a later line replaces an earlier one for the same extension.
///
/// `variable` gives the value of `$ENV::NAME`.
///
/// # Errors
///
/// [`ExtfileError`] for the first line that cannot be obeyed.
pub fn read(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
    extensions: &mut Vec<ExtensionSpec>,
) -> Result<(), ExtfileError> {
    for (number, line) in text.lines().enumerate() {
        let line = without_comment(line).trim();
        if line.is_empty() {
            continue;
        }
        let spec = read_line(line, variable).map_err(|problem| ExtfileError { line: number + 1, problem })?;
        if let Some(spec) = spec {
            profile::put(extensions, spec);
        }
    }
    Ok(())
}

/// A comment begins at a number sign outside double quotes, as for openssl.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let comment = line.char_indices().find(|&(_, character)| {
        quoted ^= character == '"';
        character == '#' && !quoted
    });
    comment.map_or(line, |(position, _)| &line[..position])
}

fn read_line(
    line: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<ExtensionSpec>, LineProblem> {
    if line.starts_with('[') {
        return Err(LineProblem::Section);
    }
    let (name, value) = line.split_once('=').ok_or(LineProblem::Form)?;
    let name = name.trim();
    let value = expand(value.trim(), variable)?;
    let extn_id = oid::parse(oid::EXTENSIONS, name).ok_or_else(|| LineProblem::Extension(name.to_owned()))?;
    let mut words: Vec<&str> = value.split(',').map(str::trim).collect();
    let critical = words.first() == Some(&"critical");
    if critical {
        words.remove(0);
    }
    let bad = |part: &str| LineProblem::Value { extension: name.to_owned(), value: part.to_owned() };
    if words.iter().all(|word| word.is_empty()) {
        return Err(bad(&value));
    }
    let criticality = if critical { Criticality::Critical } else { Criticality::NonCritical };
    let read = read_value(extn_id, &words, &bad)?;
    Ok(read.map(|value| ExtensionSpec { criticality, value }))
}

fn read_value(
    extn_id: ObjectIdentifier,
    words: &[&str],
    bad: &dyn Fn(&str) -> LineProblem,
) -> Result<Option<ExtensionValue>, LineProblem> {
    if let Some(digits) = words[0].strip_prefix("DER:") {
        let der = serial::parse_hex(digits).filter(|_| words.len() == 1).ok_or_else(|| bad(digits))?;
        return Ok(Some(ExtensionValue::Encoded { oid: extn_id, der }));
    }
    let encoded = |value: Result<Vec<u8>, der::Error>| {
        let der = value.map_err(|_| bad(&words.join(",")))?;
        Ok(Some(ExtensionValue::Encoded { oid: extn_id, der }))
    };
    match extn_id {
        oid::BASIC_CONSTRAINTS => basic_constraints(words, bad).map(Some),
        oid::SUBJECT_KEY_IDENTIFIER => match words {
            ["hash"] => Ok(Some(ExtensionValue::SubjectKeyIdentifier)),
            ["none"] => Ok(None),
            _ => Err(bad(&words.join(","))),
        },
        oid::AUTHORITY_KEY_IDENTIFIER => authority_key_identifier(words, bad),
        oid::KEY_USAGE => {
            let usage = |word: &&str| {
                KEY_USAGES
                    .iter()
                    .find(|(short, long, _)| word == short || word == long)
                    .map(|&(_, _, usage)| usage)
                    .ok_or_else(|| bad(word))
            };
            let usages = words.iter().map(usage).collect::<Result<Vec<KeyUsages>, _>>()?;
            let set = usages.into_iter().fold(FlagSet::default(), |set, usage| set | usage);
            Ok(Some(ExtensionValue::KeyUsage(set)))
        }
        oid::EXTENDED_KEY_USAGE => {
            let purposes = words.iter().map(|word| oid::parse(oid::PURPOSES, word).ok_or_else(|| bad(word)));
            Ok(Some(ExtensionValue::ExtendedKeyUsage(purposes.collect::<Result<_, _>>()?)))
        }
        oid::SUBJECT_ALT_NAME => Ok(Some(ExtensionValue::SubjectAltName(general_names(words, bad)?))),
        oid::ISSUER_ALT_NAME => encoded(general_names(words, bad)?.to_der()),
        oid::CRL_DISTRIBUTION_POINTS => {
            let point = |name| DistributionPoint {
                distribution_point: Some(DistributionPointName::FullName(vec![name])),
                reasons: None,
                crl_issuer: None,
            };
            let points = general_names(words, bad)?.into_iter().map(point).collect();
            encoded(CrlDistributionPoints(points).to_der())
        }
        oid::AUTHORITY_INFO_ACCESS => {
            let descriptions =
                words.iter().map(|word| access_description(word, bad)).collect::<Result<Vec<_>, _>>()?;
            encoded(descriptions.to_der())
        }
        oid::CERTIFICATE_POLICIES => {
            let policy = |word: &&str| {
                let policy_identifier = ObjectIdentifier::new(word).map_err(|_| bad(word))?;
                Ok(PolicyInformation { policy_identifier, policy_qualifiers: None })
            };
            encoded(words.iter().map(policy).collect::<Result<Vec<_>, LineProblem>>()?.to_der())
        }
        _ => match oid::short_name(oid::EXTENSIONS, extn_id).as_str() {
            "nsCertType" => encoded(named_bits(netscape_types(words, bad)?)),
            "nsComment" => {
                let text = words.join(", ");
                let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&text);
                if inside.contains('"') {
                    return Err(bad(&text));
                }
                encoded(Ia5String::new(inside).and_then(|comment| comment.to_der()))
            }
            _ => Err(bad(&words.join(","))),
        },
    }
}

fn basic_constraints(
    words: &[&str],
    bad: &dyn Fn(&str) -> LineProblem,
) -> Result<ExtensionValue, LineProblem> {
    let mut ca = false;
    let mut path_len = None;
    for word in words {
        match word.split_once(':').map(|(key, value)| (key.trim(), value.trim())) {
            Some(("CA", "TRUE" | "true" | "yes" | "YES" | "Y" | "y")) => ca = true,
            Some(("CA", "FALSE" | "false" | "no" | "NO" | "N" | "n")) => ca = false,
            Some(("pathlen", number)) => path_len = Some(number.parse().map_err(|_| bad(word))?),
            _ => return Err(bad(word)),
        }
    }
    Ok(ExtensionValue::BasicConstraints { ca, path_len })
}

fn authority_key_identifier(
    words: &[&str],
    bad: &dyn Fn(&str) -> LineProblem,
) -> Result<Option<ExtensionValue>, LineProblem> {
    if *words == ["none"] {
        return Ok(None);
    }
    let mut keyid = false;
    let mut issuer = false;
    for word in words {
        match *word {
            "keyid" | "keyid:always" => keyid = true,
            "issuer:always" => issuer = true,
            // openssl names the issuer only where there is no key identifier; an issuer of ours has one.
            "issuer" => {}
            _ => return Err(bad(word)),
        }
    }
    if keyid {
        Ok(Some(ExtensionValue::AuthorityKeyIdentifier { issuer }))
    } else {
        Err(bad(&words.join(",")))
    }
}

fn general_names(words: &[&str], bad: &dyn Fn(&str) -> LineProblem) -> Result<Vec<GeneralName>, LineProblem> {
    words.iter().map(|word| general_name::parse(word).map_err(|_| bad(word))).collect()
}

fn access_description(
    word: &str,
    bad: &dyn Fn(&str) -> LineProblem,
) -> Result<AccessDescription, LineProblem> {
    let (method, location) = word.split_once(';').ok_or_else(|| bad(word))?;
    Ok(AccessDescription {
        access_method: oid::parse(oid::ACCESS_METHODS, method).ok_or_else(|| bad(word))?,
        access_location: general_name::parse(location).map_err(|_| bad(word))?,
    })
}

fn netscape_types(words: &[&str], bad: &dyn Fn(&str) -> LineProblem) -> Result<u8, LineProblem> {
    words.iter().try_fold(0, |byte, word| {
        let bit = NETSCAPE_TYPES.iter().position(|name| name == word).ok_or_else(|| bad(word))?;
        Ok(byte | (0x80 >> bit))
    })
}

/// Replaces `$ENV::NAME`, `${ENV::NAME}` and refuses other variables.
fn expand(value: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, LineProblem> {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(position) = rest.find('$') {
        text.push_str(&rest[..position]);
        let after = &rest[position + 1..];
        let (name, next) = match after.strip_prefix('{') {
            Some(inside) => inside.split_once('}').ok_or_else(|| LineProblem::Variable(after.to_owned()))?,
            None => {
                let end = after
                    .find(|character: char| !(character.is_ascii_alphanumeric() || "_:".contains(character)))
                    .unwrap_or(after.len());
                after.split_at(end)
            }
        };
        let unknown = || LineProblem::Variable(name.to_owned());
        let value = name.strip_prefix("ENV::").and_then(variable).ok_or_else(unknown)?;
        text.push_str(&value);
        rest = next;
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Vec<ExtensionSpec>, ExtfileError> {
        let mut specs = Vec::new();
        let realm = |name: &str| (name == "REALM").then(|| "EXAMPLE".to_owned());
        read(text, &realm, &mut specs)?;
        Ok(specs)
    }

    #[test]
    fn a_type_file_is_read_line_by_line() {
        let specs = parse(
            "# server\nbasicConstraints = critical, CA:TRUE, pathlen:1\nsubjectKeyIdentifier = hash\n\
             authorityKeyIdentifier = keyid,issuer:always\nextendedKeyUsage = serverAuth,1.2.3 # two\n\
             keyUsage = digitalSignature, keyEncipherment\nsubjectAltName = DNS:$ENV::REALM\n",
        )
        .expect("valid");
        assert_eq!(specs.len(), 6);
        assert_eq!(
            specs[0],
            ExtensionSpec::critical(ExtensionValue::BasicConstraints { ca: true, path_len: Some(1) })
        );
        assert_eq!(specs[2].value, ExtensionValue::AuthorityKeyIdentifier { issuer: true });
        assert_eq!(
            specs[5].value,
            ExtensionValue::SubjectAltName(vec![general_name::parse("DNS:EXAMPLE").expect("valid")])
        );
    }

    #[test]
    fn a_number_sign_in_quotes_is_no_comment() {
        let specs = parse("nsComment = \"a#b\" # said\n").expect("valid");
        let ExtensionValue::Encoded { der, .. } = &specs[0].value else { panic!("encoded: {specs:?}") };
        assert_eq!(der, b"\x16\x03a#b");
    }

    #[test]
    fn a_repeated_line_replaces_the_first_and_goes_last() {
        let specs = parse("keyUsage = digitalSignature\nsubjectKeyIdentifier = hash\nkeyUsage = cRLSign\n");
        let order: Vec<_> = specs.expect("valid").iter().map(ExtensionSpec::oid).collect();
        assert_eq!(order, [oid::SUBJECT_KEY_IDENTIFIER, oid::KEY_USAGE]);
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_line() {
        for (line, expected) in [
            ("nonsense", "line 2: not of the form `name = value`"),
            ("[section]", "line 2: sections are not supported"),
            ("frobnicate = 1", "line 2: the extension `frobnicate` is not supported"),
            ("keyUsage = flying", "line 2: `flying` is not a value of keyUsage that is supported"),
            ("keyUsage = critical", "line 2: `critical` is not a value of keyUsage that is supported"),
            ("subjectAltName = DNS:$ENV::NONE", "line 2: the variable `ENV::NONE` has no value"),
            ("subjectAltName = DNS:$x", "line 2: the variable `x` has no value"),
            ("nsComment = \"a#b", "line 2: `\\\"a#b` is not a value of nsComment that is supported"),
            ("nsComment = ü", "line 2: `ü` is not a value of nsComment that is supported"),
        ] {
            assert_eq!(parse(&format!("# first\n{line}\n")).expect_err(line).to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "((keyUsage|subjectAltName|1\\.2\\.3) *= *)?[\\PC\\n]{0,60}") {
            let _ = parse(&text);
        }
    }
}
