// SPDX-License-Identifier: MIT OR Apache-2.0
//! Good certificates, and every finding and note by itself.
//!
//! long: one test for every variant of the findings.

use der::Encode;
use x509_cert::ext::pkix::{
    KeyUsages, NameConstraints, constraints::name::GeneralSubtree, name::GeneralName,
};

use super::*;
use crate::{
    ca::{
        authority::Authority,
        crl::{CrlNumbers, CrlOrder},
        fixture::*,
        policy::{Profile, TypeSource},
        sign::Order,
    },
    key::PrivateKey,
    moment::Days,
    x509::{
        extension::{ExtensionSpec, ExtensionValue, Inclusion},
        profile::{CertificateType, ProfileSet},
    },
};

/// Verifies at the usual time, without CRL and index.
fn check(certificate: &Certificate, authorities: &[Certificate]) -> Verification {
    verify(certificate, Purpose::Any, &evidence(authorities), now())
}

fn evidence(authorities: &[Certificate]) -> Evidence<'_> {
    Evidence { authorities, others: &[], crl: None, index: None }
}

fn findings(verification: &Verification) -> Vec<String> {
    verification.findings.iter().map(ToString::to_string).collect()
}

fn notes(verification: &Verification) -> Vec<String> {
    verification.notes.iter().map(ToString::to_string).collect()
}

/// The certificate of `web1.example.com` with the number 7.
fn server() -> Certificate {
    server_of(&root(), &CA_KEY)
}

fn server_of(authority: &Authority, key: &PrivateKey) -> Certificate {
    issue(authority, key, order(&request("web1.example.com"), strict(CertificateType::Server)))
}

/// A subordinate CA with [`OTHER_KEY`], issued by the root.
fn subordinate(profile: Profile) -> Authority {
    subordinate_of(&root(), profile)
}

fn subordinate_of(authority: &Authority, profile: Profile) -> Authority {
    let request = request_of(&OTHER_KEY, "Sub");
    let order = Order { period: days(1000), ..order(&request, profile) };
    Authority::read(issue(authority, &CA_KEY, order).as_der()).expect("a CA")
}

fn crl_of(authority: &Authority, key: &PrivateKey, rows: &str) -> Crl {
    let order = CrlOrder { set: ProfileSet::Strict, days: Days(30), digest: None, extensions: &[] };
    let numbers = CrlNumbers { file: None, present: None };
    let proposal = authority.propose_crl(order, &database_of(rows), &numbers, now()).expect("proposed");
    read_back(proposal.sign(key).expect("signed"))
}

const REVOKED: &str = "R\t270101000000Z\t261101000000Z,superseded\t07\tunknown\t/CN=web1.example.com\n";
const VALID: &str = "V\t270101000000Z\t\t07\tunknown\t/CN=web1.example.com\n";

#[test]
fn a_good_certificate_has_a_path_to_the_root_and_no_finding() {
    let root = root();
    let authorities = [root.certificate().clone()];
    let crl = crl_of(&root, &CA_KEY, VALID);
    let index = Index::parse(VALID.as_bytes()).expect("rows");
    let evidence = Evidence { crl: Some(&crl), index: Some(&index), ..evidence(&authorities) };
    for purpose in ["serverAuth"].map(|name| oid::parse(oid::PURPOSES, name).expect("known")) {
        let verification = verify(&server(), Purpose::One(purpose), &evidence, now());
        assert!(verification.is_good(), "{:?}", verification.findings);
        assert_eq!(verification.notes, []);
        let path: Vec<_> = verification.path.iter().map(|member| member.subject().to_string()).collect();
        assert_eq!(path, ["CN=web1.example.com", "CN=Root"]);
    }
}

#[test]
fn without_a_crl_it_is_said_that_nobody_looked() {
    let verification = check(&server(), &[root().certificate().clone()]);
    assert!(verification.is_good());
    assert_eq!(notes(&verification), ["there is no CRL to look into"]);
}

#[test]
fn the_first_and_the_last_second_belong_to_the_validity() {
    let (certificate, authorities) = (server(), [root().certificate().clone()]);
    let at = |moment| findings(&verify(&certificate, Purpose::Any, &evidence(&authorities), moment));
    assert_eq!(at(certificate.not_before()), Vec::<String>::new());
    assert_eq!(at(certificate.not_after()), Vec::<String>::new());
    assert_eq!(at(certificate.not_after().plus(1)), ["CN=web1.example.com: expired on 2027-11-21 11:54:59Z"]);
    assert_eq!(
        at(certificate.not_before().minus(1)),
        [
            "CN=web1.example.com: not valid before 2026-11-21 11:55:00Z",
            "CN=Root: not valid before 2026-11-21 11:55:00Z"
        ]
    );
}

#[test]
fn what_the_crl_lists_is_revoked() {
    let root = root();
    let authorities = [root.certificate().clone()];
    let crl = crl_of(&root, &CA_KEY, REVOKED);
    let evidence = Evidence { crl: Some(&crl), ..evidence(&authorities) };
    let verification = verify(&server(), Purpose::Any, &evidence, now());
    assert_eq!(findings(&verification), ["revoked on 2026-11-01 00:00:00Z: superseded"]);
    assert_eq!(notes(&verification), Vec::<String>::new());
}

#[test]
fn what_the_index_alone_knows_as_revoked_is_revoked() {
    let root = root();
    let authorities = [root.certificate().clone()];
    let crl = crl_of(&root, &CA_KEY, VALID);
    let index = Index::parse(REVOKED.as_bytes()).expect("rows");
    let evidence = Evidence { crl: Some(&crl), index: Some(&index), ..evidence(&authorities) };
    let verification = verify(&server(), Purpose::Any, &evidence, now());
    assert_eq!(findings(&verification), ["revoked on 2026-11-01 00:00:00Z: superseded"]);
    assert_eq!(notes(&verification), ["the CRL does not list the revocation yet"]);
}

#[test]
fn an_old_crl_is_said_to_be_old() {
    let root = root();
    let authorities = [root.certificate().clone()];
    let crl = crl_of(&root, &CA_KEY, VALID);
    let evidence = Evidence { crl: Some(&crl), ..evidence(&authorities) };
    let due = crl.next_update().expect("there");
    assert!(verify(&server(), Purpose::Any, &evidence, due).is_good());
    assert_eq!(
        findings(&verify(&server(), Purpose::Any, &evidence, due.plus(1))),
        ["the CRL is out of date: the next one was due on 2026-12-21 12:00:00Z"]
    );
}

#[test]
fn the_crl_of_another_ca_says_nothing_about_ours() {
    let authorities = [root().certificate().clone()];
    let stranger = root_of(&OTHER_KEY, "Stranger", strict(CertificateType::Ca));
    let impostor = root_of(&OTHER_KEY, "Root", strict(CertificateType::Ca));
    for foreign in [stranger, impostor] {
        let crl = crl_of(&foreign, &OTHER_KEY, REVOKED);
        let evidence = Evidence { crl: Some(&crl), ..evidence(&authorities) };
        let verification = verify(&server(), Purpose::Any, &evidence, now());
        assert_eq!(findings(&verification), ["the CRL was not signed by the CA"]);
    }
}

#[test]
fn a_purpose_that_is_not_allowed_is_found() {
    let authorities = [root().certificate().clone()];
    let client = oid::parse(oid::PURPOSES, "clientAuth").expect("known");
    let verification = verify(&server(), Purpose::One(client), &evidence(&authorities), now());
    assert_eq!(findings(&verification), ["CN=web1.example.com: not for clientAuth (extendedKeyUsage)"]);
}

#[test]
fn a_path_over_a_subordinate_ca_ends_at_the_root_or_says_where_it_ends() {
    let sub = subordinate(strict(CertificateType::Ca));
    let certificate = server_of(&sub, &OTHER_KEY);
    let (sub, root) = (sub.certificate().clone(), root().certificate().clone());
    let with_root = check(&certificate, &[sub.clone(), root.clone()]);
    assert!(with_root.is_good(), "{:?}", with_root.findings);
    assert_eq!(with_root.path.len(), 3);
    let without = check(&certificate, std::slice::from_ref(&sub));
    assert!(without.is_good(), "{:?}", without.findings);
    assert_eq!(
        notes(&without)[0],
        "the path ends at CN=Sub; the certificate of its issuer CN=Root is not at hand"
    );
    let root_elsewhere = Evidence { others: &[root], ..evidence(std::slice::from_ref(&sub)) };
    let verification = verify(&certificate, Purpose::Any, &root_elsewhere, now());
    assert!(verification.is_good(), "{:?}", verification.findings);
    assert_eq!(verification.path.len(), 3);
}

#[test]
fn a_certificate_of_another_ca_has_no_issuer_here() {
    let stranger = root_of(&OTHER_KEY, "Root", strict(CertificateType::Ca));
    let certificate = server_of(&stranger, &OTHER_KEY);
    let no_issuer = "CN=web1.example.com: no certificate at hand is its issuer (CN=Root)";
    assert_eq!(findings(&check(&certificate, &[root().certificate().clone()])), [no_issuer]);
}

#[test]
fn a_root_that_is_only_found_among_the_others_is_not_trusted() {
    let stranger = root_of(&OTHER_KEY, "Stranger", strict(CertificateType::Ca));
    let certificate = server_of(&stranger, &OTHER_KEY);
    let others = [stranger.certificate().clone()];
    let ours = [root().certificate().clone()];
    let evidence = Evidence { others: &others, ..evidence(&ours) };
    let verification = verify(&certificate, Purpose::Any, &evidence, now());
    assert_eq!(findings(&verification), ["CN=Stranger: no certificate at hand is its issuer (CN=Stranger)"]);
}

/// The key that signed is not the key that is named.
#[test]
fn an_issuer_with_another_key_identifier_is_no_issuer() {
    let identifier = encoded(oid::SUBJECT_KEY_IDENTIFIER, [&[4, 20], [7; 20].as_slice()].concat());
    let source = TypeSource::File(vec![ca(), identifier]);
    let other = root_with(Profile { source, ..strict(CertificateType::Ca) });
    assert_eq!(
        findings(&check(&server(), &[other.certificate().clone()])),
        ["CN=web1.example.com: no certificate at hand is its issuer (CN=Root)"]
    );
}

/// A subordinate CA whose type file says this, and what is found below it.
fn below(specs: Vec<ExtensionSpec>) -> Vec<String> {
    let identifiers = [
        ExtensionSpec::non_critical(ExtensionValue::SubjectKeyIdentifier),
        ExtensionSpec::non_critical(ExtensionValue::AuthorityKeyIdentifier {
            key_identifier: Inclusion::Always,
            issuer: Inclusion::Never,
        }),
    ];
    let source = TypeSource::File(identifiers.into_iter().chain(specs).collect());
    let sub = subordinate(Profile { source, ..strict(CertificateType::Ca) });
    // What the CA may not do it is made to do: by a CA of its name and key that may.
    let able = root_of(&OTHER_KEY, "Sub", strict(CertificateType::Ca));
    let certificate = server_of(&able, &OTHER_KEY);
    findings(&check(&certificate, &[sub.certificate().clone(), root().certificate().clone()]))
}

fn ca() -> ExtensionSpec {
    ExtensionSpec::critical(ExtensionValue::BasicConstraints { ca: true, path_len: None })
}

#[test]
fn an_issuer_that_may_not_issue_is_found() {
    assert_eq!(below(vec![ca()]), Vec::<String>::new());
    let no_ca = ExtensionValue::BasicConstraints { ca: false, path_len: None };
    assert_eq!(below(vec![ExtensionSpec::critical(no_ca)]), ["CN=Sub: not a CA (basicConstraints)"]);
    assert_eq!(below(Vec::new()), ["CN=Sub: not a CA (basicConstraints)"]);
    let crl_sign = ExtensionSpec::critical(ExtensionValue::KeyUsage(KeyUsages::CRLSign.into()));
    assert_eq!(below(vec![ca(), crl_sign]), ["CN=Sub: may not sign certificates (keyUsage)"]);
}

#[test]
fn a_critical_extension_that_nobody_understands_is_found() {
    let unknown = ObjectIdentifier::new_unwrap("1.2.3.4");
    assert_eq!(
        below(vec![ca(), encoded(unknown, vec![5, 0])]),
        ["CN=Sub: the critical extension 1.2.3.4 is not understood"]
    );
}

#[test]
fn a_name_that_a_ca_above_forbids_is_found() {
    assert_eq!(below(vec![ca(), constraints(&["DNS:example.com"], &[])]), Vec::<String>::new());
    let found = ["CN=Sub: does not allow the name DNS:web1.example.com (nameConstraints)"];
    assert_eq!(below(vec![ca(), constraints(&["DNS:example.org"], &[])]), found);
    assert_eq!(below(vec![ca(), constraints(&[], &["DNS:example.com"])]), found);
    assert_eq!(below(vec![ca(), constraints(&["email:example.org"], &[])]), Vec::<String>::new());
    let broken = encoded(oid::NAME_CONSTRAINTS, vec![5, 0]);
    assert_eq!(below(vec![ca(), broken]).len(), 1);
}

/// RFC 5280 §4.2.1.10: a directory name constrains the subject.
#[test]
fn a_subject_that_a_ca_above_forbids_is_found() {
    use der::Decode;
    let name = crate::x509::name::Name::common_name_only("web1.example.com").expect("valid");
    let name = x509_cert::name::Name::from_der(name.as_der()).expect("a name");
    let subtree = GeneralSubtree { base: GeneralName::DirectoryName(name), minimum: 0, maximum: None };
    let value = NameConstraints { permitted_subtrees: None, excluded_subtrees: Some(vec![subtree]) };
    let spec = encoded(oid::NAME_CONSTRAINTS, value.to_der().expect("encoded"));
    assert_eq!(
        below(vec![ca(), spec]),
        ["CN=Sub: does not allow the name dirName:CN=web1.example.com (nameConstraints)"]
    );
}

#[test]
fn more_cas_than_the_path_length_allows_are_found() {
    let limited = root_with(Profile { path_len: Some(0), ..strict(CertificateType::Ca) });
    let direct = server_of(&limited, &CA_KEY);
    assert!(check(&direct, &[limited.certificate().clone()]).is_good());
    // A root of the same name and key without the limit issues what the limited one would not.
    let sub = subordinate(strict(CertificateType::Ca));
    let certificate = server_of(&sub, &OTHER_KEY);
    let verification = check(&certificate, &[sub.certificate().clone(), limited.certificate().clone()]);
    assert_eq!(findings(&verification), ["CN=Root: more than 0 CAs below it (pathLenConstraint)"]);
    let one = root_with(Profile { path_len: Some(1), ..strict(CertificateType::Ca) });
    assert!(check(&certificate, &[sub.certificate().clone(), one.certificate().clone()]).is_good());
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let root = root();
    let authorities = [root.certificate().clone()];
    let crl = crl_of(&root, &CA_KEY, REVOKED);
    let evidence = Evidence { crl: Some(&crl), ..evidence(&authorities) };
    let client = oid::parse(oid::PURPOSES, "clientAuth").expect("known");
    let late = server().not_after().plus(1);
    assert_eq!(
        findings(&verify(&server(), Purpose::One(client), &evidence, late)),
        [
            "CN=web1.example.com: expired on 2027-11-21 11:54:59Z",
            "CN=web1.example.com: not for clientAuth (extendedKeyUsage)",
            "the CRL is out of date: the next one was due on 2026-12-21 12:00:00Z",
            "revoked on 2026-11-01 00:00:00Z: superseded",
        ]
    );
}
