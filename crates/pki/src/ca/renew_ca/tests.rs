// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a renewed CA keeps, and which certificates take its place.

use super::*;
use crate::{
    ca::{fixture::*, policy::Profile},
    change::{Change, Contents},
};

fn order(serial: &SerialNumber) -> CaRenewalOrder<'_> {
    CaRenewalOrder { set: ProfileSet::Strict, period: days(7300), serial, digest: None, expired_list: None }
}

fn renewed(ca: &Authority, issued: &[Certificate]) -> Certificate {
    let serial = SerialNumber::from_integer(99);
    let proposal = ca.propose_ca_renewal(order(&serial), issued, now()).expect("proposed");
    proposal.sign(&*CA_KEY).expect("signed").certificate().clone()
}

#[test]
fn a_root_keeps_its_name_its_key_and_its_extensions() {
    let ca = root();
    let new = renewed(&ca, &[]);
    assert_eq!(new.subject().as_der(), ca.certificate().subject().as_der());
    assert_eq!(new.public_key(), ca.certificate().public_key());
    assert_eq!(new.extensions(), ca.certificate().extensions());
    assert_eq!(new.serial_number().to_string(), "63");
    assert!(new.not_after() > ca.certificate().not_after());
    assert!(Authority::read(new.as_der()).expect("a CA").is_root());
}

#[test]
fn its_number_stays_where_a_certificate_names_it() {
    let ca = root_with(easyrsa(CertificateType::Ca));
    let web = request("web1.example.net");
    let naming = issue(&ca, &CA_KEY, crate::ca::fixture::order(&web, easyrsa(CertificateType::Client)));
    let silent = issue(&ca, &CA_KEY, crate::ca::fixture::order(&web, strict(CertificateType::Client)));
    assert_eq!(renewed(&ca, std::slice::from_ref(&silent)).serial_number().to_string(), "63");
    let kept = renewed(&ca, &[silent, naming]);
    assert_eq!(kept.serial_number(), ca.certificate().serial_number());
    assert_eq!(kept.authority_serial_number().as_ref(), Some(kept.serial_number()));
}

#[test]
fn the_old_ones_are_listed_the_newest_first() {
    let first = root();
    let list = listed(first.certificate(), None);
    let second = Authority::read(renewed(&first, &[]).as_der()).expect("a CA");
    let list = listed(second.certificate(), Some(&list));
    let read = Certificate::read_all(list.as_bytes()).expect("certificates");
    let serials: Vec<_> = read.iter().map(|one| one.serial_number().to_string()).collect();
    assert_eq!(serials, ["63", "01"]);
    assert_eq!(list.matches("replaced by").count(), 1, "{list}");
}

/// A CA below the root, with the key of the ordinary requests.
fn subordinate(profile: Profile, common_name: &str) -> Certificate {
    issue(&root(), &CA_KEY, crate::ca::fixture::order(&request(common_name), profile))
}

fn with_chain(certificate: &Certificate, chain: &[&Certificate]) -> String {
    let pem: Vec<String> =
        std::iter::once(certificate).chain(chain.iter().copied()).map(Certificate::to_pem).collect();
    pem.concat()
}

#[test]
fn a_subordinate_ca_takes_what_the_ca_above_has_signed() {
    let root = root();
    let old = subordinate(strict(CertificateType::Ca), "Sub");
    let sub = Authority::read(with_chain(&old, &[root.certificate()]).as_bytes()).expect("a CA");
    assert!(!sub.is_root());
    let serial = SerialNumber::from_integer(99);
    assert!(matches!(
        sub.propose_ca_renewal(order(&serial), &[], now()),
        Err(CaRenewalError::NotARoot(name)) if name == "CN=Root"
    ));
    let web = request("Sub");
    let again = crate::ca::fixture::order(&web, strict(CertificateType::Ca));
    let again = crate::ca::sign::Order { serial: crate::ca::fixture::serial(8), period: days(3000), ..again };
    let new = issue(&root, &CA_KEY, again);
    for file in [with_chain(&new, &[]), with_chain(root.certificate(), &[&new])] {
        let changes = sub.install(file.as_bytes(), None, now()).expect("taken").into_changes();
        let written = changes.as_slice().iter().find_map(|change| match change {
            Change::Replace(PkiPath::CaCertificate, Contents::Public(bytes)) => Some(bytes.clone()),
            _ => None,
        });
        assert_eq!(
            String::from_utf8(written.expect("ca.crt")).expect("text"),
            with_chain(&new, &[root.certificate()])
        );
    }
}

#[test]
fn what_would_break_the_certificates_below_is_not_taken() {
    let root = root();
    let old = subordinate(strict(CertificateType::Ca), "Sub");
    let sub = Authority::read(with_chain(&old, &[root.certificate()]).as_bytes()).expect("a CA");
    let refusal = |certificate: &Certificate| {
        sub.install(certificate.to_pem().as_bytes(), None, now()).expect_err("refused").to_string()
    };
    assert_eq!(refusal(&old), "it is the present certificate of the CA");
    assert_eq!(refusal(root.certificate()), "no certificate in it is for the key of this CA");
    assert_eq!(
        refusal(&subordinate(strict(CertificateType::Ca), "Other")),
        "its subject is CN=Other, and the CA is CN=Sub"
    );
    assert_eq!(
        refusal(&subordinate(strict(CertificateType::Client), "Sub")),
        "it is not one of a CA (basicConstraints)"
    );
    let elsewhere = root_of(&OTHER_KEY, "Elsewhere", strict(CertificateType::Ca));
    let web = request("Sub");
    let foreign = issue(&elsewhere, &OTHER_KEY, crate::ca::fixture::order(&web, strict(CertificateType::Ca)));
    assert_eq!(
        refusal(&foreign),
        "it was issued by CN=Elsewhere, whose certificate is neither in the file nor in ca.crt"
    );
    let late = sub.install(
        with_chain(&foreign, &[elsewhere.certificate()]).as_bytes(),
        None,
        moment("401121120000Z"),
    );
    assert_eq!(late.expect_err("refused").to_string(), format!("it expired on {}", foreign.not_after()));
}
