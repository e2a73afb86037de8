// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a revocation writes, moves and removes.

use super::*;
use crate::{
    ca::fixture::*,
    change::{Change, Contents},
    key::Signer,
    x509::profile::CertificateType,
};

const ROWS: &str = "\
V\t270101000000Z\t\t07\tunknown\t/CN=web1
V\t270101000000Z\t\t08\tunknown\t/CN=web2
";

/// The certificate with the number 7.
fn certificate() -> Certificate {
    issue(&root(), &CA_KEY, order(&request("web1"), strict(CertificateType::Client)))
}

fn propose(name: Option<EntryName>, rows: &str) -> Result<RevocationProposal, RevokeError> {
    let place = name.map_or(Place::Archive, Place::Current);
    let target = Target { certificate: certificate(), place, request_key: None };
    propose_revocation(target, Some(Reason::KeyCompromise), database_of(rows), now())
}

fn said(changes: &ChangeSet) -> Vec<String> {
    changes.as_slice().iter().map(ToString::to_string).collect()
}

fn index_of(changes: &ChangeSet) -> String {
    let written = changes.as_slice().iter().find_map(|change| match change {
        Change::Replace(PkiPath::Index, Contents::Public(bytes)) => Some(bytes.clone()),
        _ => None,
    });
    String::from_utf8(written.expect("the index is written")).expect("text")
}

#[test]
fn the_current_certificate_of_a_name_takes_its_files_with_it() {
    let changes = propose(Some(name("web1")), ROWS).expect("proposed").into_changes();
    assert_eq!(
        said(&changes),
        [
            "keep index.txt as index.txt.old",
            "write index.txt",
            "keep index.txt.attr as index.txt.attr.old",
            "write index.txt.attr",
            "move issued/web1.crt to revoked/certs_by_serial/07.crt",
            "move private/web1.key to revoked/private_by_serial/07.key",
            "move reqs/web1.req to revoked/reqs_by_serial/07.req",
            "remove private/web1.p12",
            "remove private/web1.p8",
            "remove private/web1.p1",
            "remove issued/web1.p7b",
            "remove inline/web1.inline",
            "remove inline/private/web1.inline",
            "remove inline/private/web1.p12-inline",
            "remove web1.creds",
        ]
    );
}

#[test]
fn a_key_and_a_request_for_the_next_certificate_stay() {
    let other = request("web1").public_key().clone();
    let of_its_own = Some(certificate().public_key().clone());
    let of_another = Some(OTHER_KEY.public_key().clone());
    assert_eq!(Some(other), of_its_own, "the fixture's request is for the certificate's key");
    for (request_key, moves) in [(of_its_own, true), (of_another, false)] {
        let place = Place::Current(name("web1"));
        let target = Target { certificate: certificate(), place, request_key };
        let proposal = propose_revocation(target, None, database_of(ROWS), now()).expect("proposed");
        assert_eq!(proposal.archives_key, moves);
        let said = said(&proposal.into_changes()).join("\n");
        assert!(said.contains("move issued/web1.crt"));
        assert_eq!(said.contains("move private/web1.key"), moves);
        assert_eq!(said.contains("move reqs/web1.req"), moves);
    }
}

#[test]
fn the_key_of_the_ca_stays_whatever_a_certificate_is_called() {
    for reserved in ["ca", "CA", "easyrsa-tls"] {
        let name = EntryName::parse(reserved).expect("a name that easy-rsa files");
        let proposal = propose(Some(name), ROWS).expect("proposed");
        assert!(!proposal.archives_key);
        let changes = proposal.into_changes();
        let moved = format!("move issued/{reserved}.crt to revoked/certs_by_serial/07.crt");
        assert_eq!(said(&changes)[4..], [moved]);
    }
}

#[test]
fn a_certificate_that_is_no_names_any_more_touches_nobodys_files() {
    let changes = propose(None, ROWS).expect("proposed").into_changes();
    assert_eq!(
        said(&changes)[4..],
        ["create revoked/certs_by_serial/07.crt"],
        "key and request belong to the certificate that came after it"
    );
    let filed = changes.as_slice().iter().find_map(|change| match change {
        Change::Create(PkiPath::RevokedCertificate(_), Contents::Public(bytes)) => Some(bytes),
        _ => None,
    });
    let read = Certificate::read(filed.expect("it is filed")).expect("a certificate");
    assert_eq!(read.serial_number().to_string(), "07");
}

#[test]
fn what_was_put_aside_leaves_the_files_of_its_successor() {
    let name = name("web1");
    for (place, from) in [
        (Place::Renewed(name.clone(), Successor::Issued), "renewed/issued"),
        (Place::Expired(name.clone(), Successor::Issued), "expired"),
    ] {
        let target = Target { certificate: certificate(), place, request_key: None };
        let changes = propose_revocation(target, None, database_of(ROWS), now()).expect("proposed").changes;
        let moved = format!("move {from}/web1.crt to revoked/certs_by_serial/07.crt");
        assert_eq!(said(&changes)[4..], [moved]);
    }
    let place = Place::Expired(name, Successor::None);
    let target = Target { certificate: certificate(), place, request_key: None };
    let proposal = propose_revocation(target, None, database_of(ROWS), now()).expect("proposed");
    assert!(!proposal.archives_key, "its request is to be signed again");
    let said = said(&proposal.changes);
    assert!(said.contains(&"remove inline/private/web1.p12-inline".to_owned()));
    assert!(said.iter().all(|change| !change.contains("private/web1.key")), "{said:?}");
}

#[test]
fn the_row_and_no_other_is_marked_with_date_and_reason() {
    let changes = propose(Some(name("web1")), ROWS).expect("proposed").into_changes();
    assert_eq!(
        index_of(&changes),
        "R\t270101000000Z\t261121120000Z,keyCompromise\t07\tunknown\t/CN=web1\n\
         V\t270101000000Z\t\t08\tunknown\t/CN=web2\n"
    );
}

#[test]
fn an_expired_certificate_can_be_revoked() {
    let rows = "E\t250101000000Z\t\t07\tunknown\t/CN=web1\n";
    let changes = propose(None, rows).expect("proposed").into_changes();
    assert!(index_of(&changes).starts_with("R\t250101000000Z\t261121120000Z,keyCompromise\t07\t"));
}

#[test]
fn a_certificate_that_is_revoked_or_unknown_is_refused() {
    let rows = "R\t270101000000Z\t261101000000Z\t07\tunknown\t/CN=web1\n";
    let error = propose(None, rows).expect_err("refused");
    assert!(
        matches!(error, RevokeError::Index(ChangeError::AlreadyRevoked(serial)) if serial.as_str() == "07")
    );
    let error = propose(None, "").expect_err("refused");
    assert!(matches!(error, RevokeError::Index(ChangeError::Missing(serial)) if serial.as_str() == "07"));
}
