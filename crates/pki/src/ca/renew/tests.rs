// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a renewed certificate keeps, and what is not renewed.

use super::*;
use crate::{
    ca::{fixture::*, policy::Profile},
    key::Signer,
};

const ROW: &str = "V\t270101000000Z\t\t07\tunknown\t/CN=web1.example.net\n";

fn renewal(certificate: &Certificate) -> RenewOrder<'_> {
    RenewOrder {
        name: name("web1"),
        certificate,
        request_key: None,
        set: ProfileSet::Strict,
        alt_names: None,
        period: days(100),
        serial: serial(8),
        digest: None,
    }
}

fn old(profile: Profile) -> Certificate {
    issue(&root(), &CA_KEY, order(&request("web1.example.net"), profile))
}

fn refusal(order: RenewOrder<'_>, rows: &str) -> String {
    root().propose_renewal(order, database_of(rows), now()).expect_err("refused").to_string()
}

#[test]
fn every_extension_of_every_type_is_kept() {
    let secret = encoded(der::asn1::ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1"), vec![5, 0]);
    for kind in [CertificateType::Ca, CertificateType::Email, CertificateType::ServerClient] {
        for base in [strict(kind.clone()), easyrsa(kind.clone())] {
            let certificate = old(Profile { extra: vec![secret.clone()], ..base });
            let proposal =
                root().propose_renewal(renewal(&certificate), database_of(ROW), now()).expect("proposed");
            assert_eq!(proposal.extensions(), certificate.extensions());
            assert_eq!(proposal.subject().as_der(), certificate.subject().as_der());
            assert_eq!(proposal.kind(), &kind);
            let new = proposal.sign(&*CA_KEY).expect("signed").certificate().clone();
            assert_eq!(new.public_key(), LEAF_KEY.public_key());
            assert_ne!(new.serial_number(), certificate.serial_number());
        }
    }
}

#[test]
fn the_old_one_goes_aside_and_its_copies_go() {
    let certificate = old(strict(CertificateType::Server));
    let proposal = root().propose_renewal(renewal(&certificate), database_of(ROW), now()).expect("proposed");
    let changes = proposal.sign(&*CA_KEY).expect("signed").into_changes();
    let said: Vec<String> = changes.as_slice().iter().map(ToString::to_string).collect();
    assert_eq!(said[0], "move issued/web1.crt to renewed/issued/web1.crt");
    assert!(said.contains(&"remove inline/private/web1.p12-inline".to_owned()));
    assert_eq!(said[said.len() - 2..], ["create certs_by_serial/08.pem", "create issued/web1.crt"]);
}

#[test]
fn the_issuer_and_serial_number_named_are_those_of_the_ca_as_it_is() {
    let certificate = old(easyrsa(CertificateType::Client));
    let ca = root();
    let proposal = ca.propose_renewal(renewal(&certificate), database_of(ROW), now()).expect("proposed");
    let identifier = proposal.extensions().iter().find(|one| one.extn_id == oid::AUTHORITY_KEY_IDENTIFIER);
    let read = AuthorityKeyIdentifier::from_der(identifier.expect("it is kept").extn_value.as_bytes());
    let serial = read.expect("valid").authority_cert_serial_number.expect("it is named");
    assert_eq!(serial, ca.certificate().serial_number().to_der_integer().expect("a number"));
}

#[test]
fn names_can_be_replaced() {
    let certificate = old(strict(CertificateType::Server));
    let names = SubjectAltNames::parse("DNS:new.example.net").expect("names");
    let order = RenewOrder { alt_names: Some(names), ..renewal(&certificate) };
    let proposal = root().propose_renewal(order, database_of(ROW), now()).expect("proposed");
    assert!(lines(proposal.extensions()).contains(&"subjectAltName: DNS:new.example.net".to_owned()));
    assert_eq!(proposal.extensions().len(), certificate.extensions().len());
}

#[test]
fn what_must_not_be_renewed_is_refused() {
    let certificate = old(strict(CertificateType::Client));
    let revoked = "R\t270101000000Z\t261101000000Z\t07\tunknown\t/CN=web1.example.net\n";
    assert_eq!(
        refusal(renewal(&certificate), revoked),
        "the certificate web1 (serial number 07) has been revoked"
    );
    let order = RenewOrder { request_key: Some(OTHER_KEY.public_key()), ..renewal(&certificate) };
    assert_eq!(refusal(order, ROW), "the request web1 is for another key than the certificate web1");
    let elsewhere = root_of(&OTHER_KEY, "Root", strict(CertificateType::Ca));
    let foreign = issue(&elsewhere, &OTHER_KEY, order_of_foreign());
    assert_eq!(refusal(renewal(&foreign), ROW), "the certificate web1 was not issued by this CA");
}

fn order_of_foreign() -> crate::ca::sign::Order<'static> {
    use std::sync::LazyLock;
    static REQUEST: LazyLock<crate::x509::request::Request> = LazyLock::new(|| request("web1.example.net"));
    order(&REQUEST, strict(CertificateType::Client))
}
