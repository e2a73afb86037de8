// SPDX-License-Identifier: MIT OR Apache-2.0
//! The extensions of the strict set as one table, and what of a request is
//! copied, left behind, or never copied.

use super::*;
use crate::{ca::fixture::*, key::PrivateKey, x509::general_name::SubjectAltNames};

fn asked_names(text: &str) -> ExtensionSpec {
    let names = SubjectAltNames::parse(text).expect("names").names;
    ExtensionSpec::non_critical(ExtensionValue::SubjectAltName(names))
}

/// What a request may ask for and never gets.
fn greedy() -> Vec<ExtensionSpec> {
    use x509_cert::ext::pkix::KeyUsages::{CRLSign, KeyCertSign};
    let purpose = oid::parse(oid::PURPOSES, "codeSigning").expect("known");
    vec![
        ExtensionSpec::critical(ExtensionValue::BasicConstraints { ca: true, path_len: None }),
        ExtensionSpec::critical(ExtensionValue::KeyUsage(KeyCertSign | CRLSign)),
        ExtensionSpec::critical(ExtensionValue::ExtendedKeyUsage(vec![purpose])),
        asked_names("DNS:asked.example.com"),
        encoded(oid::CERTIFICATE_POLICIES, vec![0x30, 0]),
    ]
}

#[test]
fn what_makes_a_ca_is_never_copied_from_a_request() {
    let request = request_asking("web1", &greedy());
    let asked = lines(request.extensions());
    assert_eq!(asked[..2], ["basicConstraints: critical true", "keyUsage: critical keyCertSign cRLSign"]);
    for set in [ProfileSet::Strict, ProfileSet::Easyrsa] {
        // A type file that sets nothing leaves the most room for what a request asks for.
        for source in [TypeSource::BuiltIn, TypeSource::File(Vec::new())] {
            for alt_names in [AltNames::OfType, AltNames::OfRequest, given("DNS:a.example.com")] {
                let profile = profile(CertificateType::Client, set);
                let profile = Profile { source: source.clone(), alt_names, ..profile };
                let proposal = propose(order(&request, profile)).expect("proposed");
                let lines = lines(proposal.extensions()).join("\n");
                for forbidden in ["true", "keyCertSign", "cRLSign", "codeSigning"] {
                    assert!(!lines.contains(forbidden), "{set:?}: {lines}");
                }
            }
        }
    }
}

#[test]
fn an_empty_list_of_names_asks_for_nothing() {
    let empty = ExtensionSpec::non_critical(ExtensionValue::SubjectAltName(Vec::new()));
    let request = request_asking("web1.example.com", &[empty]);
    let profile = Profile { alt_names: AltNames::OfRequest, ..strict(CertificateType::Server) };
    let proposal = propose(order(&request, profile)).expect("proposed");
    let lines = lines(proposal.extensions());
    assert_eq!(lines.last().map(String::as_str), Some("subjectAltName: DNS:web1.example.com"));
}

#[test]
fn what_is_copied_and_what_is_left_behind_is_said() {
    let request = request_asking("web1", &greedy());
    let check = |set, alt_names| {
        let profile = Profile { alt_names, ..profile(CertificateType::Client, set) };
        let proposal = propose(order(&request, profile)).expect("proposed");
        let copied = lines(proposal.extensions());
        let said: Vec<_> = proposal.warnings().iter().map(ToString::to_string).collect();
        (copied.last().cloned().unwrap_or_default(), said.join("; "))
    };
    let not_copied =
        "the request asks for the subject alternative names DNS:asked.example.com, which are not copied";
    let (last, said) = check(ProfileSet::Strict, AltNames::OfType);
    assert_eq!((last.as_str(), said.as_str()), ("extendedKeyUsage: clientAuth", not_copied));
    let (last, said) = check(ProfileSet::Strict, AltNames::OfRequest);
    assert_eq!(last, "subjectAltName: DNS:asked.example.com");
    assert_eq!(said, "the request asks for certificatePolicies, which is not copied");
    let (last, said) = check(ProfileSet::Easyrsa, AltNames::OfRequest);
    assert_eq!(last, "subjectAltName: DNS:asked.example.com", "what is critical is for the CA to say");
    assert_eq!(said, "the request asks for certificatePolicies, which is not copied");
    let (last, said) = check(ProfileSet::Strict, given("DNS:given.example.com"));
    assert_eq!((last.as_str(), said.as_str()), ("subjectAltName: DNS:given.example.com", not_copied));
}

#[test]
fn a_copied_name_is_held_to_the_rules_of_names() {
    let request = request_asking("web1.example.com", &[asked_names("DNS:a b")]);
    let profile = |set| Profile { alt_names: AltNames::OfRequest, ..profile(CertificateType::Client, set) };
    assert_eq!(
        refusal(order(&request, profile(ProfileSet::Strict))),
        "the subject alternative name is not valid"
    );
    assert!(propose(order(&request, profile(ProfileSet::Easyrsa))).is_ok());
}

#[test]
fn a_copied_name_that_cannot_be_read_is_refused() {
    let request = request_asking("web1", &[encoded(oid::SUBJECT_ALT_NAME, vec![5, 0])]);
    for set in [ProfileSet::Strict, ProfileSet::Easyrsa] {
        let profile = Profile { alt_names: AltNames::OfRequest, ..profile(CertificateType::Client, set) };
        assert!(matches!(propose(order(&request, profile)), Err(ProposeError::Der(_))), "{set:?}");
    }
}

#[test]
fn options_make_extensions_critical_where_they_are() {
    let request = request("web1");
    let critical = crate::ca::policy::MakeCritical {
        basic_constraints: true,
        key_usage: true,
        extended_key_usage: true,
        subject_alt_name: true,
    };
    let proposal = propose(order(&request, Profile { critical, ..easyrsa(CertificateType::Client) }));
    assert_eq!(
        lines(proposal.expect("proposed").extensions()),
        [
            "basicConstraints: critical false",
            "subjectKeyIdentifier",
            "authorityKeyIdentifier",
            "extendedKeyUsage: critical clientAuth",
            "keyUsage: critical digitalSignature",
        ]
    );
}

#[test]
fn a_copied_name_replaces_the_one_made_of_the_common_name_and_no_other() {
    let request = request_asking("web1.example.com", &[asked_names("DNS:asked.example.com")]);
    let fixed = asked_names("DNS:fixed.example.com");
    let server = || Profile { alt_names: AltNames::OfRequest, ..strict(CertificateType::Server) };
    let check = |profile| {
        let proposal = propose(order(&request, profile)).expect("proposed");
        lines(proposal.extensions()).into_iter().find(|line| line.starts_with("subjectAltName"))
    };
    let (asked, kept) = ("subjectAltName: DNS:asked.example.com", "subjectAltName: DNS:fixed.example.com");
    assert_eq!(check(server()).as_deref(), Some(asked));
    let of_file = Profile { source: TypeSource::File(vec![fixed.clone()]), ..server() };
    assert_eq!(check(of_file).as_deref(), Some(kept));
    assert_eq!(check(Profile { extra: vec![fixed], ..server() }).as_deref(), Some(kept));
    let realm = Some("EXAMPLE.COM".to_owned());
    let kdc = Profile { kind: CertificateType::Kdc, realm, ..server() };
    assert!(check(kdc).expect("there").starts_with("subjectAltName: otherName:1.3.6.1.5.2.2;"));
}

#[test]
fn a_copied_name_is_held_to_the_constraints_of_the_ca() {
    let request = request_asking("web1.example.com", &[asked_names("DNS:web1.example.org")]);
    let profile = Profile { alt_names: AltNames::OfRequest, ..strict(CertificateType::Server) };
    assert_eq!(
        refusal_by(&constrained_root(), order(&request, profile), now()),
        "the name constraints of CN=Root forbid DNS:web1.example.org"
    );
}

/// Type, key, keyUsage and what follows it, in the strict set.
const STRICT: [(&str, &str, &str); 15] = [
    ("ca", "RSA", "keyCertSign cRLSign"),
    ("ca", "EC", "keyCertSign cRLSign"),
    ("ca", "Ed25519", "keyCertSign cRLSign"),
    ("server", "RSA", "digitalSignature|serverAuth|DNS:web1.example.com"),
    ("server", "EC", "digitalSignature|serverAuth|DNS:web1.example.com"),
    ("server", "Ed25519", "digitalSignature|serverAuth|DNS:web1.example.com"),
    ("serverClient", "RSA", "digitalSignature|serverAuth clientAuth|DNS:web1.example.com"),
    ("serverClient", "EC", "digitalSignature|serverAuth clientAuth|DNS:web1.example.com"),
    ("client", "RSA", "digitalSignature|clientAuth"),
    ("client", "Ed25519", "digitalSignature|clientAuth"),
    ("codeSigning", "RSA", "digitalSignature|codeSigning"),
    ("codeSigning", "EC", "digitalSignature|codeSigning"),
    ("email", "RSA", "digitalSignature nonRepudiation keyEncipherment|emailProtection"),
    ("email", "EC", "digitalSignature nonRepudiation keyAgreement|emailProtection"),
    ("email", "Ed25519", "digitalSignature nonRepudiation|emailProtection"),
];

#[test]
fn the_strict_set_gives_each_type_and_key_its_extensions() {
    for (kind, key, expected) in STRICT {
        let keys: &[&PrivateKey] = match key {
            "RSA" => &[&RSA_KEY],
            "EC" => &[&LEAF_KEY, &P384_KEY, &P521_KEY],
            _ => &[&ED_KEY],
        };
        for key in keys {
            let request = request_of(key, "web1.example.com");
            let profile = strict(CertificateType::parse(kind).expect("a type"));
            let proposal = propose(order(&request, profile)).expect("proposed");
            let constraints = if kind == "ca" { "true" } else { "false" };
            let mut lines_expected = vec![
                format!("basicConstraints: critical {constraints}"),
                "subjectKeyIdentifier".to_owned(),
                "authorityKeyIdentifier".to_owned(),
            ];
            let names = ["keyUsage: critical ", "extendedKeyUsage: ", "subjectAltName: "];
            let rest = names.iter().zip(expected.split('|')).map(|(name, value)| format!("{name}{value}"));
            lines_expected.extend(rest);
            assert_eq!(lines(proposal.extensions()), lines_expected, "{kind} {}", key.algorithm());
        }
    }
}

#[test]
fn a_kdc_and_a_mailbox_get_their_own_names() {
    let request = request("web1");
    let kdc = Profile { realm: Some("EXAMPLE.COM".to_owned()), ..strict(CertificateType::Kdc) };
    let proposal = propose(order(&request, kdc)).expect("proposed");
    let kdc_lines = lines(proposal.extensions());
    assert_eq!(
        kdc_lines[3..5],
        ["keyUsage: critical digitalSignature keyAgreement", "extendedKeyUsage: pkInitKDC"]
    );
    assert!(kdc_lines[5].starts_with("subjectAltName: otherName:1.3.6.1.5.2.2;DER:30"), "{kdc_lines:?}");
    let request = self::request("alice@example.com");
    let proposal = propose(order(&request, strict(CertificateType::Email))).expect("proposed");
    assert_eq!(lines(proposal.extensions())[5..], ["subjectAltName: email:alice@example.com"]);
}

#[test]
fn the_strict_authority_key_identifier_is_copied_and_names_the_key_alone() {
    let authority = root();
    let certificate = issue(&authority, &CA_KEY, order(&request("web1"), strict(CertificateType::Client)));
    let identifier = authority.certificate().subject_key_identifier().expect("a CA has one");
    assert_eq!(certificate.authority_key_identifier(), Some(identifier.clone()));
    let extensions = certificate.extensions().iter();
    let found = extensions.clone().find(|one| one.extn_id == oid::AUTHORITY_KEY_IDENTIFIER).expect("there");
    // SEQUENCE { [0] 20 bytes }: neither issuer nor serial number.
    assert_eq!(found.extn_value.as_bytes(), [&[0x30, 22, 0x80, 20], identifier.as_slice()].concat());
}
