// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests of ours and of others: proof of possession, attributes, PEM and DER.

use std::sync::LazyLock;

use super::*;
use crate::{
    key::{Curve, KeyAlgorithm, PrivateKey},
    x509::{extension::Criticality, general_name::SubjectAltNames},
};

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeyAlgorithm::Ec(Curve::P256)).expect("generated"));

fn subject() -> Name {
    Name::common_name_only("web1").expect("valid")
}

fn names(text: &str) -> ExtensionSpec {
    let names = SubjectAltNames::parse(text).expect("names");
    let criticality = if names.critical { Criticality::Critical } else { Criticality::NonCritical };
    ExtensionSpec { criticality, value: ExtensionValue::SubjectAltName(names.names) }
}

fn ours() -> Request {
    Request::make(&subject(), Some(&names("DNS:web1.example.com")), &*KEY, Digest::Sha256).expect("made")
}

/// A request with these encoded attributes in this order, as another program may write it.
fn foreign(attributes: &[Vec<u8>]) -> Vec<u8> {
    let zero = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    let any = |der: &[u8]| Any::from_der(der).expect("DER");
    let info = CertificationRequestInfo {
        version: 0,
        subject: any(subject().as_der()),
        subject_public_key_info: any(KEY.public_key().as_der()),
        attributes: Any::new(zero, attributes.concat()).expect("short"),
    };
    Signed::new(&info, &*KEY, Digest::Sha256).expect("signed").to_der().expect("encoded")
}

fn attribute(name: &str, value: Any) -> Vec<u8> {
    let oid = oid::parse(oid::ATTRIBUTES, name).expect("known");
    let values = SetOfVec::try_from(vec![value]).expect("one");
    Attribute { oid, values }.to_der().expect("encoded")
}

fn extension_request() -> Vec<u8> {
    let made = ours();
    attribute("extReq", Any::encode_from(&made.extensions().to_vec()).expect("encoded"))
}

fn challenge_password() -> Vec<u8> {
    attribute("challengePassword", Any::new(Tag::Utf8String, b"once upon a time".as_slice()).expect("short"))
}

fn check_ours(read: &Request) {
    let made = ours();
    assert_eq!(read.subject(), made.subject());
    assert_eq!(read.public_key(), made.public_key());
    assert_eq!(read.extensions(), made.extensions());
}

#[test]
fn a_request_is_read_as_it_was_made_from_pem_and_der() {
    let made = ours();
    let pem = made.to_pem();
    let older = pem.replace(" CERTIFICATE REQUEST", " NEW CERTIFICATE REQUEST");
    let with_text = format!("Certificate Request:\n    Data:\n{}", pem.replace('\n', "\r\n"));
    for file in [made.as_der(), pem.as_bytes(), older.as_bytes(), with_text.as_bytes()] {
        let read = Request::read(file).expect("a request");
        check_ours(&read);
        assert_eq!(read.as_der(), made.as_der());
        assert_eq!(read.attributes(), made.attributes());
    }
}

#[test]
fn a_request_without_names_has_no_attributes() {
    let made = Request::make(&subject(), None, &*KEY, Digest::Sha256).expect("made");
    let read = Request::read(made.as_der()).expect("a request");
    assert!(read.attributes().is_empty() && read.extensions().is_empty());
}

#[test]
fn a_critical_name_is_asked_for_as_critical() {
    let spec = names("critical, DNS:web1.example.com");
    let made = Request::make(&subject(), Some(&spec), &*KEY, Digest::Sha256).expect("made");
    let read = Request::read(made.as_der()).expect("a request");
    assert_eq!(read.extensions().iter().map(|extension| extension.critical).collect::<Vec<_>>(), [true]);
}

#[test]
fn attributes_of_any_order_survive() {
    let (extensions, password) = (extension_request(), challenge_password());
    for attributes in [[extensions.clone(), password.clone()], [password, extensions]] {
        let der = foreign(&attributes);
        let read = Request::read(&der).expect("a request");
        check_ours(&read);
        assert_eq!(read.as_der(), der);
        let kept: Vec<_> =
            read.attributes().iter().map(|attribute| attribute.to_der().expect("encoded")).collect();
        assert_eq!(kept, attributes);
        let again = Request::read(read.to_pem().as_bytes()).expect("a request");
        assert_eq!(again.as_der(), der);
    }
}

#[test]
fn an_attribute_that_nobody_understands_is_kept() {
    let odd = Attribute {
        oid: der::asn1::ObjectIdentifier::new_unwrap("1.2.3.4"),
        values: SetOfVec::try_from(vec![Any::null()]).expect("one"),
    };
    let read = Request::read(&foreign(&[odd.to_der().expect("encoded")])).expect("a request");
    assert_eq!(read.attributes(), [odd]);
    assert!(read.extensions().is_empty());
}

#[test]
fn a_request_signed_by_another_key_is_refused() {
    let other = PrivateKey::generate(KeyAlgorithm::Ec(Curve::P256)).expect("generated");
    let stolen = Request::make(&subject(), None, &other, Digest::Sha256).expect("made");
    let point = KEY.public_key().as_der();
    let mut der = stolen.as_der().to_vec();
    let length = other.public_key().as_der().len();
    let position =
        der.windows(length).position(|window| window == other.public_key().as_der()).expect("in there");
    der.splice(position..position + length, point.iter().copied());
    let error = Request::read(&der).expect_err("refused");
    assert!(matches!(error, RequestError::Possession(VerifyError::Mismatch)), "{error:?}");
    assert_eq!(error.to_string(), "its signature does not prove possession of the private key");
}

#[test]
fn a_request_with_any_byte_changed_is_refused() {
    let der = foreign(&[extension_request(), challenge_password()]);
    for position in 0..der.len() {
        for bit in [0x01, 0x80] {
            let mut changed = der.clone();
            changed[position] ^= bit;
            assert!(Request::read(&changed).is_err(), "byte {position}, bit {bit:#x}");
        }
    }
}

#[test]
fn a_request_under_a_signature_that_nobody_can_check_is_refused() {
    let mut der = ours().as_der().to_vec();
    // ecdsa-with-SHA256 becomes ecdsa-with-SHA224.
    let oid = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let position = der.windows(oid.len()).rposition(|window| window == oid).expect("in there");
    der[position + oid.len() - 1] = 1;
    let error = Request::read(&der).expect_err("refused");
    assert!(matches!(error, RequestError::Possession(VerifyError::Unsupported { .. })), "{error:?}");
}

#[test]
fn other_files_are_no_requests() {
    let certificate = pem::encode("CERTIFICATE", ours().as_der());
    assert!(matches!(Request::read(certificate.as_bytes()), Err(RequestError::None)));
    for file in [b"".as_slice(), b"hello", &[0x30, 0x80], &[0x30, 0]] {
        assert!(matches!(Request::read(file), Err(RequestError::Der(_))), "{file:02x?}");
    }
    let cut = ours().to_pem().replace("-----END", "END");
    assert!(matches!(Request::read(cut.as_bytes()), Err(RequestError::Pem(_))));
    let mut longer = ours().as_der().to_vec();
    longer.push(0);
    assert!(matches!(Request::read(&longer), Err(RequestError::Der(_))));
}
