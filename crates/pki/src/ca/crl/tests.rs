// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers that go on, lists that are sorted, and what is left out.

use super::*;
use crate::x509::crl::Crl;
use crate::{ca::fixture::*, x509::profile::CertificateType};

const ROWS: &str = "\
R\t290101000000Z\t261101000000Z,keyCompromise\t0100\tunknown\t/CN=c
V\t290101000000Z\t\t03\tunknown\t/CN=valid
R\t290101000000Z\t261102000000Z\tFF\tunknown\t/CN=b
R\t290101000000Z\t261103000000Z,unspecified\t02\tunknown\t/CN=a
E\t250101000000Z\t\t04\tunknown\t/CN=expired
";

const STRICT: CrlOrder<'_> =
    CrlOrder { set: ProfileSet::Strict, days: Days(30), digest: None, extensions: &[] };
const EASYRSA: CrlOrder<'_> = CrlOrder { set: ProfileSet::Easyrsa, ..STRICT };
const NO_NUMBERS: CrlNumbers = CrlNumbers { file: None, present: None };

fn propose_of(rows: &str, order: CrlOrder<'_>, numbers: &CrlNumbers) -> Result<CrlProposal, CrlProposeError> {
    root().propose_crl(order, &database_of(rows), numbers, now())
}

fn list(rows: &str, order: CrlOrder<'_>) -> Crl {
    read_back(propose_of(rows, order, &NO_NUMBERS).expect("proposed").sign(&*CA_KEY).expect("signed"))
}

fn number_after(file: Option<&str>, present: Option<u64>) -> String {
    let file = file.map(|text| text.as_bytes().to_vec());
    let numbers = CrlNumbers { file, present: present.map(SerialNumber::from_integer) };
    propose_of("", STRICT, &numbers).expect("proposed").number().to_string()
}

#[test]
fn numbers_go_on_from_the_file_or_from_the_present_crl() {
    assert_eq!(number_after(None, None), "01");
    assert_eq!(number_after(Some("2A\n"), None), "2A");
    assert_eq!(number_after(None, Some(0x2a)), "2B");
    assert_eq!(number_after(Some("05\n"), Some(0x2a)), "2B");
    assert_eq!(number_after(Some("2C\n"), Some(0x2a)), "2C");
    assert_eq!(number_after(Some("FF\n"), Some(0xff)), "0100");
    assert_eq!(number_after(Some("0100\n"), Some(0xfe)), "0100");
}

#[test]
fn a_number_that_cannot_be_read_is_refused() {
    let numbers = CrlNumbers { file: Some(b"many\n".to_vec()), present: None };
    let error = propose_of("", STRICT, &numbers).expect_err("refused");
    assert_eq!(error.to_string(), "the file crlnumber cannot be read");
}

#[test]
fn what_is_revoked_is_listed_in_the_order_of_the_numbers() {
    for order in [STRICT, EASYRSA] {
        let entries: Vec<_> = list(ROWS, order)
            .entries()
            .map(|entry| entry.serial_number.expect("positive").to_string())
            .collect();
        assert_eq!(entries, ["02", "FF", "0100"]);
    }
}

#[test]
fn an_entry_has_its_date_and_its_reason() {
    let crl = list(ROWS, STRICT);
    let entry = |number| crl.find(&SerialNumber::from_integer(number)).expect("listed");
    assert_eq!(entry(0x100).revoked_at, moment("261101000000Z"));
    assert_eq!(entry(0x100).reason, Some(Reason::KeyCompromise));
    assert!(entry(0x100).extensions.iter().all(|extension| !extension.critical));
    assert_eq!(entry(0xff).reason, None);
    assert!(entry(0xff).extensions.is_empty());
    assert!(crl.find(&SerialNumber::from_integer(3)).is_none());
}

#[test]
fn the_reason_unspecified_is_written_in_the_easyrsa_set_alone() {
    let reason = |order| list(ROWS, order).find(&SerialNumber::from_integer(2)).expect("listed").reason;
    assert_eq!(reason(STRICT), None);
    assert_eq!(reason(EASYRSA), Some(Reason::Unspecified));
}

#[test]
fn a_list_of_nothing_is_absent() {
    let proposal = propose_of("V\t290101000000Z\t\t03\tunknown\t/CN=valid\n", STRICT, &NO_NUMBERS);
    let proposal = proposal.expect("proposed");
    assert_eq!(proposal.revoked(), 0);
    assert!(proposal.list.revoked_certificates.is_none());
    let crl = read_back(proposal.sign(&*CA_KEY).expect("signed"));
    assert_eq!((crl.version(), crl.entries().len()), (2, 0));
}

#[test]
fn a_crl_runs_from_a_little_before_now_and_never_from_before_its_ca() {
    let later = now().plus(86_400);
    let proposal = root().propose_crl(STRICT, &database(), &NO_NUMBERS, later).expect("proposed");
    let crl = read_back(proposal.sign(&*CA_KEY).expect("signed"));
    assert_eq!(crl.this_update(), later.minus(BACKDATE_SECONDS));
    assert_eq!(crl.next_update(), Some(later.plus(Days(30).seconds())));
    let root = root();
    let first = root.certificate().not_before();
    let proposal = root.propose_crl(STRICT, &database(), &NO_NUMBERS, first).expect("proposed");
    assert_eq!(read_back(proposal.sign(&*CA_KEY).expect("signed")).this_update(), first);
    assert_eq!(list("", EASYRSA).this_update(), now());
}

#[test]
fn a_crl_names_its_ca_and_carries_its_number() {
    let crl = list(ROWS, STRICT);
    assert_eq!(lines(crl.extensions()), ["authorityKeyIdentifier", "crlNumber"]);
    assert_eq!(crl.issuer().to_string(), "CN=Root");
    assert_eq!(crl.number(), Some(SerialNumber::from_integer(1)));
    assert_eq!(crl.verify_signature(CA_KEY.public_key()), Ok(()));
    assert!(crl.verify_signature(OTHER_KEY.public_key()).is_err());
}

#[test]
fn a_crl_is_refused_where_it_cannot_be_or_is_of_no_use() {
    let error = propose_of("", CrlOrder { days: Days(0), ..STRICT }, &NO_NUMBERS).expect_err("refused");
    assert_eq!(error.to_string(), "a CRL that is valid for 0 days is of no use");
    let usage = x509_cert::ext::pkix::KeyUsages::KeyCertSign.into();
    let usage = extension::ExtensionSpec::critical(extension::ExtensionValue::KeyUsage(usage));
    let profile = crate::ca::policy::Profile { extra: vec![usage], ..strict(CertificateType::Ca) };
    let error = root_with(profile).propose_crl(STRICT, &database(), &NO_NUMBERS, now()).expect_err("refused");
    assert_eq!(error.to_string(), "the CA may not sign CRLs (keyUsage)");
    let proposal = propose_of("", STRICT, &NO_NUMBERS).expect("proposed");
    assert!(matches!(proposal.sign(&*OTHER_KEY), Err(CrlIssueError::WrongKey)));
}

#[test]
fn a_crl_is_recorded_with_the_number_of_the_next_one() {
    let proposal = propose_of("", STRICT, &NO_NUMBERS).expect("proposed");
    let changes = proposal.sign(&*CA_KEY).expect("signed").into_changes();
    let said: Vec<_> = changes.as_slice().iter().map(ToString::to_string).collect();
    let expected = ["keep crlnumber as crlnumber.old", "write crlnumber", "write crl.pem", "write crl.der"];
    assert_eq!(said, expected);
    let next = changes.as_slice().iter().find_map(|change| match change {
        crate::change::Change::Replace(PkiPath::CrlNumber, crate::change::Contents::Public(bytes)) => {
            Some(bytes)
        }
        _ => None,
    });
    assert_eq!(next.map(Vec::as_slice), Some(b"02\n".as_slice()));
}
