// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is read and where errors are; that the bytes are openssl's is tested
//! against openssl in `tests/extensions_openssl.rs`.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::{
    key::{Curve, Digest, KeyAlgorithm, PrivateKey},
    x509::{general_name, name::Name, request::Request},
};

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeyAlgorithm::Ec(Curve::P256)).expect("generated"));
static SUBJECT: LazyLock<Name> = LazyLock::new(|| Name::common_name_only("jane").expect("a name"));

fn parse(text: &str) -> Result<Vec<ExtensionSpec>, ExtfileError> {
    let environment = BTreeMap::from([("REALM".to_owned(), "EXAMPLE".to_owned())]);
    Extensions::read(&[Source { name: "file", text }], &environment)?.of(0)
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
    assert_eq!(
        specs[5].value,
        ExtensionValue::SubjectAltName(vec![general_name::parse("DNS:EXAMPLE").expect("valid")])
    );
}

#[test]
fn basic_constraints_cannot_hide_in_der() {
    let spec = |line: &str| parse(line).map(|specs| specs[0].value.clone());
    let read = spec("basicConstraints = DER:30:03:01:01:FF");
    assert_eq!(read, Ok(ExtensionValue::BasicConstraints { ca: true, path_len: None }));
    assert_eq!(spec("2.5.29.19 = ASN1:SEQUENCE:s\n[s]\nca = BOOL:yes\n"), read);
    assert!(spec("basicConstraints = DER:3003010101").is_err());
}

#[test]
fn a_repeated_line_replaces_the_first_and_goes_last() {
    let specs = parse("keyUsage = digitalSignature\nsubjectKeyIdentifier = hash\nkeyUsage = cRLSign\n");
    let order: Vec<_> = specs.expect("valid").iter().map(ExtensionSpec::oid).collect();
    assert_eq!(order, [oid::SUBJECT_KEY_IDENTIFIER, oid::KEY_USAGE]);
}

#[test]
fn several_texts_share_their_sections_and_nothing_else() {
    let sources = [
        Source { name: "type", text: "keyUsage = cRLSign\n[names]\nDNS.1 = a.example\n" },
        Source { name: "COMMON", text: "subjectAltName = @names\n[empty]\nx=y\n" },
        Source { name: "EXTRA", text: "extendedKeyUsage = flying" },
    ];
    let extensions = Extensions::read(&sources, &BTreeMap::new()).expect("valid");
    let common = extensions.of(1).expect("valid");
    assert_eq!(common.len(), 1);
    assert_eq!(extensions.of_section("names").map(|specs| specs.is_some()).ok(), None);
    assert_eq!(extensions.of_section("nothing"), Ok(None));
    let error = extensions.of(2).expect_err("no purpose");
    assert_eq!((error.source_name.as_str(), error.line, error.column), ("EXTRA", 1, 20));
}

#[test]
fn what_is_not_understood_is_named_with_its_place() {
    for (line, expected) in [
        ("nonsense", "line 2, column 1: not of the form `name = value`"),
        ("[section", "line 2, column 1: not of the form `[section]`"),
        ("nsComment = a\u{fffd}b # \u{fffd}", "line 2, column 14: a character that is not UTF-8"),
        (".include = x", "line 2, column 1: `.include` is not supported"),
        ("frobnicate = 1", "line 2, column 1: the extension `frobnicate` is not supported"),
        (
            "keyUsage = cRLSign, flying",
            "line 2, column 21: `flying` is not a value of keyUsage that is supported",
        ),
        ("keyUsage = critical", "line 2, column 12: `critical` is not a value of keyUsage that is supported"),
        ("subjectAltName = DNS:$ENV::NO", "line 2, column 22: the variable `ENV::NO` has no value"),
        ("subjectAltName = DNS:$x", "line 2, column 22: the variable `default::x` has no value"),
        ("subjectAltName = @x", "line 2, column 19: the section `x` is not there, or empty"),
        (
            "keyUsage = cRLSign,\\\n  flying",
            "line 3, column 3: `flying` is not a value of keyUsage that is supported",
        ),
        ("nsComment = ü", "line 2, column 13: `ü` is not a value of nsComment that is supported"),
    ] {
        assert_eq!(parse(&format!("# first\n{line}\n")).expect_err(line).to_string(), expected);
    }
}

#[test]
fn growth_without_end_is_stopped() {
    let mut variables = "a0 = xxxxxxxxxxxxxxxx\n".to_owned();
    let mut sequences = "1.2.3 = ASN1:SEQUENCE:s0\n".to_owned();
    for level in 1..60 {
        let below = level - 1;
        variables.push_str(&format!("a{level} = $a{below}$a{below}$a{below}$a{below}\n"));
        sequences.push_str(&format!("[s{below}]\na=SEQUENCE:s{level}\nb=SEQUENCE:s{level}\n"));
    }
    assert!(matches!(parse(&variables).expect_err("too long").problem, Problem::TooLong { .. }));
    assert_eq!(parse(&sequences).expect_err("too much").problem, Problem::TooMuch);
    let itself = "1.2.3 = ASN1:SET:s\n[s]\na=SET:s\n";
    assert_eq!(parse(itself).expect_err("without end").problem, Problem::TooMuch);
}

#[test]
fn alternative_names_of_a_subject_without_any_are_refused() {
    let specs = parse("subjectAltName = email:copy").expect("valid");
    let refused = Request::make(&SUBJECT, &specs, &*KEY, Digest::Sha256).expect_err("no name");
    assert_eq!(refused.to_string(), "the subject has no e-mail address that subjectAltName could hold");
}

#[test]
fn large_texts_are_read_or_refused_soon() {
    let many = |line: &dyn Fn(usize) -> String| (0..20_000).map(line).collect::<String>();
    let extensions = many(&|number| format!("1.2.{number} = DER:0500\n"));
    assert_eq!(parse(&extensions).expect_err("too many").problem, Problem::TooMany { limit: 500 });
    let sections = many(&|number| format!("[s{number}]\na = $b\n")) + "[default]\nb = x\n";
    assert!(parse(&sections).is_err());
    let names = many(&|number| format!("DNS.{number} = a{number}.example\n"));
    assert_eq!(parse(&format!("subjectAltName = @n\n[n]\n{names}")).expect("valid").len(), 1);
    let points = format!("crlDistributionPoints = p{}\n[p]\nfullname = URI:x\n", ",p".repeat(30_000));
    assert_eq!(parse(&points).expect("valid").len(), 1);
    let long = format!("x{}", "x".repeat(1000));
    let heavy = points.replace("URI:x", &format!("URI:{long}"));
    assert_eq!(parse(&heavy).expect_err("too much").problem, Problem::TooMuch);
    let long_lines = format!("nsComment = {}", "\\x".repeat(60_000));
    assert_eq!(parse(&long_lines).expect("valid").len(), 1);
    assert!(parse(&format!("nsComment = {}", "x".repeat(70_000))).is_err());
    assert!(parse(&"\n".repeat(1 << 21)).is_err());
}

/// What openssl and we agree on, to be made worse.
const VALID: [&str; 2] = [
    include_str!("../../../tests/extensions/files.cnf"),
    include_str!("../../../tests/extensions/lines.cnf"),
];

proptest! {
    #[test]
    fn what_was_valid_is_read_or_refused_with_a_few_characters_changed(
        which in 0..VALID.len(),
        from in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[ -~\\PC\n]{0,3}", 0..3_usize), 1..4),
    ) {
        let lines: Vec<&str> = VALID[which].lines().collect();
        let from = from.index(lines.len());
        let mut text: Vec<char> = lines[from..].iter().take(25).flat_map(|line| line.chars().chain(['\n'])).collect();
        for (place, with, removed) in changes {
            let start = place.index(text.len());
            let end = (start + removed).min(text.len());
            text.splice(start..end, with.chars());
        }
        let text: String = text.into_iter().collect();
        for part in text.split("%%%% ") {
            if let Ok(specs) = parse(part) {
                let _ = Request::make(&SUBJECT, &specs, &*KEY, Digest::Sha256);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        text in "((keyUsage|subjectAltName|1\\.2\\.3|\\[a\\]\n) *= *(critical,|ASN1:|DER:|@a)?)?[\\PC\\n\\\\$\"#]{0,60}",
    ) {
        let _ = parse(&text);
    }

    #[test]
    fn any_value_of_a_known_extension_is_read_or_refused(
        known in 0..oid::EXTENSIONS.len(),
        value in "(critical, *)?([a-zA-Z]{0,12}[:;,.@=][a-zA-Z0-9.:/]{0,12}){0,4}",
        section in "([a-z.]{1,8} *= *[A-Z0-9:,;@.a-z]{0,20}\n){0,3}",
    ) {
        let name = oid::EXTENSIONS[known].short;
        let _ = parse(&format!("{name} = {value}\n[a]\n{section}"));
    }
}
