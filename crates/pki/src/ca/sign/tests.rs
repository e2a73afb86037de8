// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is refused, what is warned of, what is never copied, and the extensions
//! of the strict set as one table.

use der::Encode;
use x509_cert::ext::pkix::{NameConstraints, constraints::name::GeneralSubtree};

use super::*;
use crate::{
    ca::{fixture::*, policy::AltNames},
    key::PrivateKey,
    moment::Days,
    x509::{
        extension::{ExtensionSpec, ExtensionValue},
        general_name::{self, SubjectAltNames},
    },
};

/// A root with an RSA key of 1024 bits, which openssl made on 2026-11-21.
const WEAK_ROOT: &str = "-----BEGIN CERTIFICATE-----
MIICCjCCAXOgAwIBAgIUamK4JMq5A7Yl8DZKMrqH/XVoYSwwDQYJKoZIhvcNAQEL
BQAwDzENMAsGA1UEAwwEV2VhazAeFw0yNjExMjEwOTA3MTZaFw0zNjExMTgwOTA3
MTZaMA8xDTALBgNVBAMMBFdlYWswgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGB
AM4ASeVgF2AeQBP4rgDsd3mZ8eC/o49tc3eqZeOkOBHUuwUA/uiJIH/a7Cv1pfbU
GZB3JakYBl5iJSojT9R/zoH8rbkKpSPEQCA1yTL6NXWlrUTSg72fsom5dC2upyc8
uqI71CcAmfICd8NzFbiUWGyLAMser9DSwu3mVLg42lNDAgMBAAGjYzBhMB0GA1Ud
DgQWBBQRu+WYdmAfKLttrfBywe2LK9iFBjAfBgNVHSMEGDAWgBQRu+WYdmAfKLtt
rfBywe2LK9iFBjAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjANBgkq
hkiG9w0BAQsFAAOBgQCTvTZbTKjcQf3XVvO5nPdI5gsCLTVsbovPs23FszjF0NoH
Udh83Tyvph1kFgK+T5G4z5aGa0I072FYA+r4dagXRiypZ6LSGn++IeDnnedI32B8
MwWkaWGSnB7KsS2x8G6IrOVASS2owUF7oNYZQ5adKtde3aoRp596WIKcc5kong==
-----END CERTIFICATE-----
";

/// A request for `weak.example.com` with an RSA key of 1024 bits, made by openssl.
const WEAK_REQUEST: &str = "-----BEGIN CERTIFICATE REQUEST-----
MIIBWjCBxAIBADAbMRkwFwYDVQQDDBB3ZWFrLmV4YW1wbGUuY29tMIGfMA0GCSqG
SIb3DQEBAQUAA4GNADCBiQKBgQC8EbTbR8OaqmWJcv+ITS99EvqXqItTP7aZSmtv
qJ071b95bVL4MtH6Ipc7lFMfhb1ucUwSPjDG2LUVmavFhyRuUyMK399lAX0xQUb5
fa0rh344uqb28SGgk7RVm61olhkskbLyRY2L0srIzj2iWcinF3BAtsxqlE0SZ/7A
DbKRkQIDAQABoAAwDQYJKoZIhvcNAQELBQADgYEAQLS+v00GSjIzAlZuJA4aGSXm
fNZrorxW2izRcsVSO97pjAPH3UdPN/x/Qv0QpJ2PrDNYW0lqXRBs39htajIpr6kb
OI1zCSbaQ+ALk8SSF+efpneq9ARIMR1CrYK3MHhf/jG7uf31otVUzHQfrbD9VoVF
3mkPNrD61mC+zTYl5RI=
-----END CERTIFICATE REQUEST-----
";

fn refusal(order: Order<'_>) -> String {
    propose(order).expect_err("refused").to_string()
}

fn refusal_by(authority: &Authority, order: Order<'_>, now: Moment) -> String {
    authority.propose(order, database(), now).expect_err("refused").to_string()
}

fn warnings(order: Order<'_>) -> Vec<String> {
    propose(order).expect("proposed").warnings().iter().map(ToString::to_string).collect()
}

/// A CA that may name things below example.com alone.
fn constrained_root() -> Authority {
    let base = general_name::parse("DNS:example.com").expect("valid");
    let subtree = GeneralSubtree { base, minimum: 0, maximum: None };
    let constraints = NameConstraints { permitted_subtrees: Some(vec![subtree]), excluded_subtrees: None };
    let der = constraints.to_der().expect("encoded");
    let extra = vec![encoded(oid::NAME_CONSTRAINTS, der)];
    root_with(Profile { extra, ..strict(CertificateType::Ca) })
}

#[test]
fn what_is_no_ca_issues_nothing() {
    let leaf = issue(&root(), &CA_KEY, order(&request("web1"), strict(CertificateType::Client)));
    let authority = Authority::read(leaf.as_der()).expect("a certificate");
    let request = request_of(&ED_KEY, "web2");
    assert_eq!(
        refusal_by(&authority, order(&request, strict(CertificateType::Client)), now()),
        "the certificate in ca.crt is not one of a CA (basicConstraints)"
    );
}

#[test]
fn a_ca_without_key_cert_sign_issues_nothing() {
    let usage =
        ExtensionSpec::critical(ExtensionValue::KeyUsage(x509_cert::ext::pkix::KeyUsages::CRLSign.into()));
    let authority = root_with(Profile { extra: vec![usage], ..strict(CertificateType::Ca) });
    let request = request("web1");
    assert_eq!(
        refusal_by(&authority, order(&request, strict(CertificateType::Client)), now()),
        "the CA may not sign certificates (keyUsage)"
    );
}

#[test]
fn a_ca_issues_within_its_own_validity_alone() {
    let (authority, request) = (root(), request("web1"));
    let certificate = authority.certificate();
    let refused = |now| refusal_by(&authority, order(&request, strict(CertificateType::Client)), now);
    assert_eq!(
        refused(certificate.not_after().plus(1)),
        "the CA expired on 2036-11-18 11:54:59Z (now is 2036-11-18 11:55:00Z)"
    );
    assert_eq!(
        refused(certificate.not_before().minus(1)),
        "the CA becomes valid on 2026-11-21 11:55:00Z (now is 2026-11-21 11:54:59Z)"
    );
}

#[test]
fn a_certificate_may_not_outlive_its_authority() {
    let request = request("web1");
    let long = Order { period: days(4000), ..order(&request, strict(CertificateType::Client)) };
    let error = propose(long).expect_err("refused");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    let cause_text = "it would expire on 2037-11-03 11:54:59Z, after its CA on 2036-11-18 11:54:59Z";
    assert_eq!(cause.as_deref(), Some(cause_text));
    assert_eq!(error.to_string(), format!("web1: {cause_text}"));
}

#[test]
fn a_type_that_nobody_explains_is_refused() {
    let request = request("web1");
    let custom = CertificateType::Custom(name("vpn"));
    assert_eq!(
        refusal(order(&request, strict(custom))),
        "the certificate type `vpn` is unknown: it is not built in and there is no file x509-types/vpn"
    );
    assert_eq!(
        refusal(order(&request, strict(CertificateType::Kdc))),
        "a kdc certificate needs the Kerberos realm"
    );
}

#[test]
fn an_extension_twice_is_refused() {
    let twice = ExtensionSpec::non_critical(ExtensionValue::SubjectKeyIdentifier);
    let source = TypeSource::File(vec![twice.clone(), twice]);
    let request = request("web1");
    let order = order(&request, Profile { source, ..strict(CertificateType::Client) });
    assert_eq!(refusal(order), "the extension subjectKeyIdentifier is asked for twice");
}

#[test]
fn a_path_length_of_zero_ends_at_the_next_ca() {
    let authority = root_with(Profile { path_len: Some(0), ..strict(CertificateType::Ca) });
    let request = request("sub");
    assert_eq!(
        refusal_by(&authority, order(&request, strict(CertificateType::Ca)), now()),
        "the CA may not issue other CAs (pathLenConstraint 0)"
    );
    let client = order(&request, strict(CertificateType::Client));
    assert!(authority.propose(client, database(), now()).is_ok());
}

#[test]
fn a_subject_without_common_name_is_refused() {
    let organisation = oid::parse(oid::ATTRIBUTES, "O").expect("known");
    let subject = Name::from_fields(&[(organisation, "Example")]).expect("valid");
    let request = Request::make(&subject, None, &*LEAF_KEY, Digest::Sha256).expect("made");
    assert_eq!(refusal(order(&request, strict(CertificateType::Client))), "the request has no common name");
}

#[test]
fn a_strict_server_needs_a_name_that_clients_check() {
    let request = request("Web Server 1");
    assert_eq!(
        refusal(order(&request, strict(CertificateType::Server))),
        "a server certificate needs a subjectAltName, and the common name `Web Server 1` is neither a DNS \
         name nor an IP address"
    );
    let of_common_name = Profile { alt_names: AltNames::OfCommonName, ..easyrsa(CertificateType::Client) };
    assert_eq!(
        refusal(order(&request, of_common_name)),
        "the common name `Web Server 1` is neither a DNS name nor an IP address"
    );
}

#[test]
fn a_name_that_breaks_the_rules_is_refused_in_the_strict_set_alone() {
    let request = request("web1");
    let names = |set| Profile { alt_names: given("DNS:a b"), set, ..strict(CertificateType::Client) };
    let error = propose(order(&request, names(ProfileSet::Strict))).expect_err("refused");
    assert_eq!(error.to_string(), "the subject alternative name is not valid");
    assert!(matches!(error, ProposeError::AltName(GeneralNameError::Dns(name)) if name == "a b"));
    assert!(propose(order(&request, names(ProfileSet::Easyrsa))).is_ok());
}

#[test]
fn a_name_that_the_ca_may_not_name_is_refused() {
    let authority = constrained_root();
    let (inside, outside) = (request("web1.example.com"), request("web1.example.org"));
    assert_eq!(
        refusal_by(&authority, order(&outside, strict(CertificateType::Server)), now()),
        "the name constraints of CN=Root forbid DNS:web1.example.org"
    );
    let server = order(&inside, strict(CertificateType::Server));
    assert!(authority.propose(server, database(), now()).is_ok());
}

#[test]
fn a_weak_key_is_refused_or_warned_of() {
    let request = Request::read(WEAK_REQUEST.as_bytes()).expect("a request");
    assert_eq!(
        refusal(order(&request, strict(CertificateType::Server))),
        "the RSA key of the request has 1024 bits; at least 2048 are needed"
    );
    let warned = warnings(order(&request, easyrsa(CertificateType::Client)));
    assert_eq!(warned, ["the RSA key has 1024 bits only"]);
}

#[test]
fn the_key_of_the_ca_is_not_certified_again() {
    let request = request_of(&CA_KEY, "web1");
    assert_eq!(
        refusal(order(&request, strict(CertificateType::Client))),
        "the request is for the CA's own key"
    );
}

#[test]
fn a_taken_subject_is_refused_where_subjects_are_unique() {
    let rows = "V\t290101000000Z\t\t05\tunknown\t/CN=web1\n";
    let request = request("web1");
    let propose_in = |attributes| {
        let index = crate::index::Index::parse(rows.as_bytes()).expect("rows");
        let database = Database::new(index, attributes, b"06\n".to_vec());
        root().propose(order(&request, strict(CertificateType::Client)), database, now())
    };
    assert_eq!(
        propose_in(Some("unique_subject = yes\n")).expect_err("refused").to_string(),
        "there is a valid certificate for /CN=web1 already, and index.txt.attr says unique_subject = yes"
    );
    for allowed in [None, Some("unique_subject = no\n")] {
        assert!(propose_in(allowed).is_ok(), "{allowed:?}");
    }
}

#[test]
fn a_serial_number_is_given_once() {
    let rows = "R\t290101000000Z\t261101000000Z\t07\tunknown\t/CN=other\n";
    let request = request("web1");
    let proposed = root().propose(order(&request, strict(CertificateType::Client)), database_of(rows), now());
    let error = proposed.expect_err("refused");
    assert!(
        matches!(&error, ProposeError::Index(ChangeError::Taken(serial)) if serial.as_str() == "07"),
        "{error}"
    );
}

#[test]
fn a_ca_whose_key_cannot_sign_proposes_nothing() {
    let authority = Authority::read(WEAK_ROOT.as_bytes()).expect("a CA");
    let request = request("web1");
    let order = order(&request, strict(CertificateType::Client));
    assert_eq!(
        refusal_by(&authority, order, moment("270101000000Z")),
        "a key of the kind RSA 1024 cannot sign with sha256"
    );
}

#[test]
fn a_proposal_is_signed_by_the_key_of_its_ca_alone() {
    let request = request("web1");
    let proposal = propose(order(&request, strict(CertificateType::Client))).expect("proposed");
    assert!(matches!(proposal.sign(&*OTHER_KEY), Err(IssueError::WrongKey)));
}

#[test]
fn what_was_proposed_is_what_is_signed_and_filed() {
    let request = request("web1");
    let proposal = propose(order(&request, strict(CertificateType::Client))).expect("proposed");
    let proposed = proposal.to_be_signed().expect("encoded");
    let issued = proposal.sign(&*CA_KEY).expect("signed");
    assert_eq!(issued.certificate().to_be_signed(), proposed);
    assert_eq!(issued.certificate().verify_signature(CA_KEY.public_key()), Ok(()));
    let changes: Vec<_> = issued.into_changes().as_slice().iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "keep index.txt as index.txt.old",
            "write index.txt",
            "keep index.txt.attr as index.txt.attr.old",
            "keep serial as serial.old",
            "write serial",
            "create certs_by_serial/07.pem",
            "create issued/web1.crt",
        ]
    );
}

#[test]
fn a_default_that_is_too_long_is_shortened_with_a_warning() {
    let request = request("web1");
    let period = Period::DefaultDays(Days(4000));
    let order = Order { period, ..order(&request, strict(CertificateType::Client)) };
    assert_eq!(warnings(order), ["the certificate ends with its CA, on 2036-11-18 11:54:59Z"]);
}

#[test]
fn the_easyrsa_set_lets_a_certificate_outlive_its_authority() {
    let request = request("web1");
    let order = Order { period: days(4000), ..order(&request, easyrsa(CertificateType::Client)) };
    assert_eq!(warnings(order), ["the certificate outlives its CA, which expires on 2036-11-18 11:54:59Z"]);
}

#[test]
fn a_server_certificate_that_apple_refuses_is_warned_of() {
    let request = request("web1.example.com");
    let server =
        |days_asked| Order { period: days(days_asked), ..order(&request, strict(CertificateType::Server)) };
    assert_eq!(warnings(server(825)), Vec::<String>::new());
    assert_eq!(
        warnings(server(826)),
        ["Apple's systems refuse a server certificate that runs longer than 825 days"]
    );
}

#[test]
fn a_server_without_alternative_name_is_warned_of_in_the_easyrsa_set() {
    let request = request("web1.example.com");
    assert_eq!(
        warnings(order(&request, easyrsa(CertificateType::Server))),
        ["a server certificate without subjectAltName is refused by today's TLS clients"]
    );
}

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
    assert_eq!((last.as_str(), said.as_str()), ("certificatePolicies: critical", ""));
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
fn a_subject_goes_by_the_request_or_by_the_policy() {
    let types = ["DC", "CN", "C"].map(|short| oid::parse(oid::ATTRIBUTES, short).expect("known"));
    let values = ["example", "web1", "DE"];
    let fields: Vec<_> = types.into_iter().zip(values).collect();
    let subject = Name::from_fields(&fields).expect("valid");
    let request = Request::make(&subject, None, &*LEAF_KEY, Digest::Sha256).expect("made");
    let check = |subject| {
        let order = Order { subject, ..order(&request, strict(CertificateType::Client)) };
        propose(order).expect("proposed").subject().one_line()
    };
    assert_eq!(check(SubjectOrder::OfRequest), "/DC=example/CN=web1/C=DE");
    assert_eq!(check(SubjectOrder::OfPolicy), "/C=DE/CN=web1");
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
    ("server", "RSA", "digitalSignature keyEncipherment|serverAuth|DNS:web1.example.com"),
    ("server", "EC", "digitalSignature|serverAuth|DNS:web1.example.com"),
    ("server", "Ed25519", "digitalSignature|serverAuth|DNS:web1.example.com"),
    ("serverClient", "RSA", "digitalSignature keyEncipherment|serverAuth clientAuth|DNS:web1.example.com"),
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

#[test]
fn the_digest_goes_with_the_key_of_the_ca_or_is_what_was_asked_for() {
    let request = request("web1");
    let p384 = root_of(&P384_KEY, "Root", strict(CertificateType::Ca));
    let check = |profile, digest| {
        let order = Order { digest, ..order(&request, profile) };
        let certificate = p384.propose(order, database(), now()).expect("proposed").sign(&*P384_KEY);
        let oid = certificate.expect("signed").certificate().signature_algorithm();
        oid::short_name(oid::SIGNATURES, oid)
    };
    assert_eq!(check(strict(CertificateType::Client), None), "ecdsa-with-SHA384");
    assert_eq!(check(easyrsa(CertificateType::Client), None), "ecdsa-with-SHA256");
    assert_eq!(check(easyrsa(CertificateType::Client), Some(Digest::Sha512)), "ecdsa-with-SHA512");
}
