// SPDX-License-Identifier: MIT OR Apache-2.0
//! Roots of both sets, and what is no root.

use super::*;
use crate::{
    ca::fixture::*,
    key::{PrivateKey, Signer},
    moment::Days,
    x509::{
        oid,
        profile::{CertificateType, ProfileSet},
    },
};

fn order(key: &PrivateKey, profile: Profile) -> RootOrder<'_> {
    RootOrder {
        subject: Name::common_name_only("Root").expect("valid"),
        key: key.public_key(),
        profile,
        period: days(3650),
        serial: SerialNumber::from_integer(1),
        digest: None,
    }
}

#[test]
fn a_root_signs_itself_with_the_extensions_of_its_set() {
    let check = |set| {
        let issued =
            propose_root(order(&CA_KEY, profile(CertificateType::Ca, set)), now()).expect("proposed");
        let issued = issued.sign(&*CA_KEY).expect("signed");
        let root = issued.certificate();
        assert!(root.is_self_issued());
        assert_eq!(root.verify_signature(CA_KEY.public_key()), Ok(()));
        assert_eq!(root.authority_key_identifier(), root.subject_key_identifier());
        lines(root.extensions()).join("; ")
    };
    assert_eq!(
        check(ProfileSet::Strict),
        "basicConstraints: critical true; subjectKeyIdentifier; authorityKeyIdentifier; \
         keyUsage: critical keyCertSign cRLSign"
    );
    assert_eq!(
        check(ProfileSet::Easyrsa),
        "basicConstraints: critical true; subjectKeyIdentifier; authorityKeyIdentifier; \
         keyUsage: keyCertSign cRLSign"
    );
}

#[test]
fn a_strict_root_signs_with_the_digest_of_its_key() {
    for (key, expected) in [
        (&*RSA_KEY, "RSA-SHA256"),
        (&CA_KEY, "ecdsa-with-SHA256"),
        (&P384_KEY, "ecdsa-with-SHA384"),
        (&P521_KEY, "ecdsa-with-SHA512"),
        (&ED_KEY, "ED25519"),
    ] {
        let root = root_of(key, "Root", strict(CertificateType::Ca));
        let algorithm = oid::short_name(oid::SIGNATURES, root.certificate().signature_algorithm());
        assert_eq!(algorithm, expected, "{}", key.algorithm());
    }
}

#[test]
fn a_root_is_filed_with_an_empty_database() {
    let issued = propose_root(order(&CA_KEY, strict(CertificateType::Ca)), now()).expect("proposed");
    let changes = issued.sign(&*CA_KEY).expect("signed").into_changes();
    let said: Vec<_> = changes.as_slice().iter().map(ToString::to_string).collect();
    let expected = ["write index.txt", "write index.txt.attr", "write serial", "create ca.crt"];
    assert_eq!(said[5..], expected);
}

#[test]
fn a_root_without_common_name_or_validity_is_refused() {
    let organisation = oid::parse(oid::ATTRIBUTES, "O").expect("known");
    let subject = Name::from_fields(&[(organisation, "Example")]).expect("valid");
    let nameless = RootOrder { subject, ..order(&CA_KEY, strict(CertificateType::Ca)) };
    let error = propose_root(nameless, now()).expect_err("refused");
    assert_eq!(error.to_string(), "a CA needs a common name");
    let period = Period::Days(Days(0));
    let error = propose_root(RootOrder { period, ..order(&CA_KEY, strict(CertificateType::Ca)) }, now());
    assert_eq!(error.expect_err("refused").to_string(), "the CA cannot run as asked");
}

#[test]
fn a_root_is_signed_by_its_own_key_alone() {
    let proposal = propose_root(order(&CA_KEY, strict(CertificateType::Ca)), now()).expect("proposed");
    assert!(matches!(proposal.sign(&*OTHER_KEY), Err(crate::ca::sign::IssueError::WrongKey)));
}
