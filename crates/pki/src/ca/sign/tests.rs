// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every refusal, every warning, and what a signed proposal records.
//!
//! long: one test for every variant of two error enums and one of warnings.

use super::*;
use crate::{
    ca::{fixture::*, policy::AltNames},
    index::ChangeError,
    key::Signer,
    moment::Days,
    x509::general_name::GeneralNameError,
    x509::{
        extension::{ExtensionSpec, ExtensionValue},
        profile::CertificateType,
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

fn warnings(order: Order<'_>) -> Vec<String> {
    propose(order).expect("proposed").warnings().iter().map(ToString::to_string).collect()
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
        "CN=Root allows 0 CAs below it, and this would be one too many (pathLenConstraint)"
    );
    let client = order(&request, strict(CertificateType::Client));
    assert!(authority.propose(client, database(), now()).is_ok());
    // A type file that makes a CA counts as much as the type of that name.
    let ca = ExtensionSpec::critical(ExtensionValue::BasicConstraints { ca: true, path_len: None });
    let custom = Profile { source: TypeSource::File(vec![ca]), ..strict(CertificateType::Client) };
    assert!(matches!(
        authority.propose(order(&request, custom), database(), now()),
        Err(ProposeError::PathLength { limit: 0, .. })
    ));
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

#[test]
fn a_subject_goes_by_the_request_or_by_the_policy() {
    let types = ["DC", "CN", "C"].map(|short| oid::parse(oid::ATTRIBUTES, short).expect("known"));
    let values = ["example", "web1", "DE"];
    let fields: Vec<_> = types.into_iter().zip(values).collect();
    let subject = Name::from_fields(&fields).expect("valid");
    let request = Request::make(&subject, None, &*LEAF_KEY, Digest::Sha256).expect("made");
    let check = |subject| {
        let subject = SubjectTerms::of_easyrsa(subject);
        let order = Order { subject, ..order(&request, strict(CertificateType::Client)) };
        propose(order).expect("proposed").subject().one_line()
    };
    assert_eq!(check(SubjectOrder::OfRequest), "/DC=example/CN=web1/C=DE");
    assert_eq!(check(SubjectOrder::OfPolicy), "/C=DE/CN=web1");
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
