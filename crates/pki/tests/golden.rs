// SPDX-License-Identifier: MIT OR Apache-2.0
//! What easy-rsa left on disk, read and made again: index.txt byte for byte,
//! and the bytes that were signed in every certificate, request and CRL, from
//! the same orders under the `easyrsa` profile set.
//!
//! The fixtures are of easy-rsa 3.1.0 and the set is that of easy-rsa 3.2: what
//! lies between them is [`DIFFERENCES`], and nothing else may differ.

mod story;

use certkeep_pki::{
    ca::{
        authority::{Authority, Database, NextSerial, SerialMode},
        build::{self, RootOrder},
        crl::{CrlNumbers, CrlOrder},
        policy::{AltNames, MakeCritical, Profile, TypeSource},
        sign::{Order, ProposeError, SubjectOrder, SubjectTerms},
        validity::{Period, ValidityError},
    },
    change::{Change, Contents},
    index::{Index, Revocation, Status},
    key::{Digest, KeyAlgorithm, PrivateKey, Protection, Signer},
    layout::{EntryName, PkiPath},
    moment::{Days, Moment},
    secret::{Passphrase, SecretBytes},
    x509::{
        certificate::Certificate,
        crl::Crl,
        extension::{Criticality, ExtensionSpec, ExtensionValue},
        general_name::SubjectAltNames,
        name::Name,
        oid,
        profile::{CertificateType, ProfileSet},
        request::Request,
    },
};
use der::{
    Decode, Encode,
    asn1::{Any, ObjectIdentifier},
};
use rand_core::{OsRng, TryRngCore};
use x509_cert::ext::Extension;

use crate::story::{Record, Story, stories};

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");

/// A difference between easy-rsa 3.1.0 and the `easyrsa` set, and what it makes of our bytes.
struct Difference {
    why: &'static str,
    applies: fn(&Record) -> bool,
    adapt: fn(&mut Vec<Any>, &Certificate),
}

const DIFFERENCES: [Difference; 2] = [
    Difference {
        why: "--subca-len: 3.1.0 writes a basicConstraints that is not critical, 3.2 keeps it critical",
        applies: |record| record.path_len.is_some(),
        adapt: |tbs, _| {
            edit_extensions(tbs, |extensions| {
                for extension in extensions.iter_mut().filter(|one| one.extn_id == BASIC_CONSTRAINTS) {
                    extension.critical = false;
                }
            });
        },
    },
    Difference {
        why: "a certificate that would end in the past is refused; openssl makes it",
        applies: |record| record.in_the_past,
        adapt: |tbs, theirs| tbs[VALIDITY] = elements(&theirs.to_be_signed())[VALIDITY].clone(),
    },
];

/// Version, serial number, signature, issuer, validity (RFC 5280 §4.1).
const VALIDITY: usize = 4;

/// The elements of a SEQUENCE.
fn elements(sequence: &[u8]) -> Vec<Any> {
    Vec::from_der(sequence).expect("a SEQUENCE")
}

/// The part of a certificate, request or CRL that is signed.
fn signed_part(der: &[u8]) -> Vec<u8> {
    elements(der).remove(0).to_der().expect("it was read")
}

/// Edits the extensions, which stand last in certificates and CRLs.
fn edit_extensions(tbs: &mut [Any], edit: impl FnOnce(&mut Vec<Extension>)) {
    use der::Tagged;
    let last = tbs.last_mut().expect("not empty");
    let mut extensions = Vec::from_der(last.value()).expect("extensions");
    edit(&mut extensions);
    *last = Any::new(last.tag(), extensions.to_der().expect("encoded")).expect("encoded");
}

fn authority(story: &Story) -> Authority {
    Authority::read(&story.file("ca.crt")).expect("a CA")
}

fn certificate(story: &Story, record: &Record) -> Certificate {
    Certificate::read(&story.file(&record.certificate)).expect("a certificate")
}

fn request(story: &Story, record: &Record) -> Request {
    Request::read(&story.file(&record.request)).expect("a request")
}

fn key(story: &Story, path: &str, passphrase: Option<&str>) -> PrivateKey {
    let file = SecretBytes::new(story.file(path));
    let expected = passphrase.map_or(Protection::None, |_| Protection::Passphrase);
    assert_eq!(PrivateKey::protection(&file).expect(path), expected, "{path}");
    let passphrase = passphrase.map(|word| Passphrase::new(word.as_bytes().to_vec()));
    PrivateKey::load(&file, passphrase.as_ref()).expect(path)
}

fn authority_key(story: &Story) -> PrivateKey {
    key(story, "private/ca.key", story.ca_passphrase.as_deref())
}

fn index(story: &Story) -> Index {
    Index::parse(&story.file("index.txt")).expect("a database")
}

/// The serial number `hex`, given by a `serial` file that holds it.
fn serial(hex: &str) -> NextSerial {
    let database = Database::new(Index::empty(), None, format!("{hex}\n").into_bytes());
    database.next_serial(SerialMode::Sequential, &mut OsRng.unwrap_err()).expect("free")
}

fn profile(kind: CertificateType, alt_names: AltNames) -> Profile {
    let critical = MakeCritical {
        basic_constraints: false,
        key_usage: false,
        extended_key_usage: false,
        subject_alt_name: false,
    };
    Profile {
        kind,
        set: ProfileSet::Easyrsa,
        source: TypeSource::BuiltIn,
        path_len: None,
        critical,
        alt_names,
        extra: Vec::new(),
        realm: None,
    }
}

/// What was asked for when `theirs` was made, with its serial number.
fn order<'a>(record: &Record, request: &'a Request, period: Period) -> Order<'a> {
    let kind = CertificateType::parse(&record.kind).expect("a type");
    let alt_names = match &record.san_written {
        _ if record.copy_ext => AltNames::OfRequest,
        Some(text) => AltNames::Given(SubjectAltNames::parse(text).expect("names")),
        None => AltNames::OfType,
    };
    let profile = profile(kind, alt_names);
    Order {
        name: EntryName::parse(&record.name).expect("a name"),
        request,
        subject: SubjectTerms::of_easyrsa(SubjectOrder::OfPolicy),
        profile: Profile { path_len: record.path_len, realm: record.realm.clone(), ..profile },
        period,
        serial: serial(&record.serial),
        digest: None,
    }
}

fn empty_database() -> Database {
    Database::new(Index::empty(), None, Vec::new())
}

#[test]
fn there_is_a_story_for_every_kind_of_key() {
    let kinds: Vec<_> = stories().iter().map(|story| authority_key(story).algorithm().to_string()).collect();
    for kind in ["RSA 2048", "EC prime256v1", "EC secp384r1", "Ed25519"] {
        assert!(kinds.contains(&kind.to_owned()), "{kind}");
    }
}

#[test]
fn the_index_is_printed_as_it_was_read() {
    for story in stories() {
        for file in ["index.txt", "index.txt.old"] {
            let bytes = story.file(file);
            let index = Index::parse(&bytes).expect("a database");
            assert_eq!(index.as_str().as_bytes(), bytes, "{} {file}", story.name);
        }
        assert_eq!(index(story).rows().len(), story.records.len(), "{}", story.name);
    }
}

#[test]
fn the_index_can_be_written_again_from_the_certificates() {
    for story in stories() {
        let theirs = index(story);
        let mut ours = Index::empty();
        for record in &story.records {
            let certificate = certificate(story, record);
            let serial = certificate.serial_number().to_hex();
            ours.add(certificate.not_after(), &serial, &certificate.subject().one_line()).expect("a new row");
        }
        let now = authority(story).certificate().not_before();
        for row in theirs.rows() {
            match row.status() {
                Status::Revoked => {
                    let Revocation { at, reason } = row.revocation().expect("it is revoked");
                    ours.revoke(&row.serial(), Revocation { at, reason }).expect("it was valid");
                }
                Status::Expired => assert_eq!(ours.expire(now), [row.serial()]),
                Status::Valid => {}
            }
        }
        assert_eq!(ours.as_str(), theirs.as_str(), "{}", story.name);
    }
}

#[test]
fn what_was_revoked_with_which_reason_is_read() {
    for story in stories() {
        let index = index(story);
        for record in &story.records {
            let row = index.find(&certificate(story, record).serial_number().to_hex()).expect("a row");
            let reason = row
                .revocation()
                .map(|revocation| revocation.reason.map_or_else(String::new, |reason| reason.to_string()));
            assert_eq!(reason, record.revoked, "{} {}", story.name, record.name);
        }
    }
}

#[test]
fn every_key_is_the_one_of_its_certificate() {
    for story in stories() {
        let authority = authority(story);
        assert_eq!(authority_key(story).public_key(), authority.certificate().public_key());
        for record in &story.records {
            let Some(path) = &record.key else { continue };
            let key = key(story, path, record.key_passphrase.as_deref());
            let certificate = certificate(story, record);
            assert_eq!(key.public_key(), certificate.public_key(), "{} {}", story.name, record.name);
        }
    }
}

#[test]
fn every_certificate_and_crl_is_signed_by_its_authority() {
    for story in stories() {
        let authority = authority(story);
        let public_key = authority.certificate().public_key();
        let crl = Crl::read(&story.file("crl.pem")).expect("a CRL");
        assert_eq!(crl.verify_signature(public_key), Ok(()), "{}", story.name);
        assert_eq!(authority.certificate().verify_signature(public_key), Ok(()), "{}", story.name);
        for record in &story.records {
            let certificate = certificate(story, record);
            assert_eq!(certificate.verify_signature(public_key), Ok(()), "{} {}", story.name, record.name);
            let request = request(story, record);
            assert_eq!(certificate.public_key(), request.public_key(), "{} {}", story.name, record.name);
            let revoked = crl.find(certificate.serial_number()).is_some();
            assert_eq!(revoked, record.revoked.is_some(), "{} {}", story.name, record.name);
        }
    }
}

#[test]
fn every_certificate_is_made_again_byte_for_byte() {
    for story in stories() {
        let authority = authority(story);
        let now = authority.certificate().not_before();
        for record in &story.records {
            let shown = format!("{} {}", story.name, record.name);
            let theirs = certificate(story, record);
            let request = request(story, record);
            let dates = Period::Dates { start: Some(theirs.not_before()), end: theirs.not_after() };
            let proposed = authority.propose(order(record, &request, dates), empty_database(), now);
            let proposed = if record.in_the_past {
                assert!(matches!(
                    proposed.expect_err(&shown),
                    ProposeError::Validity { source: ValidityError::Past { .. }, .. }
                ));
                let days = Period::Days(Days(1));
                authority.propose(order(record, &request, days), empty_database(), now)
            } else {
                proposed
            };
            let proposal = proposed.unwrap_or_else(|error| panic!("{shown}: {error}"));
            let mut ours = elements(&proposal.to_be_signed().expect("encoded"));
            for difference in DIFFERENCES.iter().filter(|difference| (difference.applies)(record)) {
                let before = ours.clone();
                (difference.adapt)(&mut ours, &theirs);
                assert_ne!(before, ours, "{shown}: not a difference any more: {}", difference.why);
            }
            let ours = ours.to_der().expect("encoded");
            assert_eq!(story::hex(&ours), story::hex(&theirs.to_be_signed()), "{shown}");
        }
    }
}

/// RSA and Ed25519 sign the same bytes in the same way every time.
#[test]
fn deterministic_keys_give_the_same_certificate_to_the_last_byte() {
    for story in stories() {
        let signer = authority_key(story);
        if matches!(signer.algorithm(), KeyAlgorithm::Ec(_)) {
            continue;
        }
        let authority = authority(story);
        let now = authority.certificate().not_before();
        for record in &story.records {
            if DIFFERENCES.iter().any(|difference| (difference.applies)(record)) {
                continue;
            }
            let theirs = certificate(story, record);
            let request = request(story, record);
            let dates = Period::Dates { start: Some(theirs.not_before()), end: theirs.not_after() };
            let proposal =
                authority.propose(order(record, &request, dates), empty_database(), now).expect("proposed");
            let ours = proposal.sign(&signer).expect("signed");
            assert_eq!(ours.certificate().as_der(), theirs.as_der(), "{} {}", story.name, record.name);
        }
    }
}

#[test]
fn days_count_from_now_as_openssl_counts_them() {
    for story in stories() {
        let authority = authority(story);
        for record in &story.records {
            let Some(days) = record.days else { continue };
            let theirs = certificate(story, record);
            let request = request(story, record);
            let order = order(record, &request, Period::Days(Days(days)));
            let proposal = authority.propose(order, empty_database(), theirs.not_before()).expect("proposed");
            let validity = proposal.validity();
            let shown = format!("{} {}", story.name, record.name);
            assert_eq!(
                (validity.not_before, validity.not_after),
                (theirs.not_before(), theirs.not_after()),
                "{shown}"
            );
        }
    }
}

#[test]
fn every_root_is_made_again_byte_for_byte() {
    for story in stories() {
        let authority = authority(story);
        let theirs = authority.certificate();
        let order = RootOrder {
            subject: subject(story, "Easy-RSA CA"),
            key: theirs.public_key(),
            profile: profile(CertificateType::Ca, AltNames::OfType),
            period: Period::Dates { start: Some(theirs.not_before()), end: theirs.not_after() },
            serial: theirs.serial_number().clone(),
            digest: None,
        };
        let proposal = build::propose_root(order, theirs.not_before()).expect("proposed");
        let ours = proposal.to_be_signed().expect("encoded");
        assert_eq!(story::hex(&ours), story::hex(&theirs.to_be_signed()), "{}", story.name);
    }
}

/// The subject that the story's options ask for.
fn subject(story: &Story, common_name: &str) -> Name {
    let mut fields = Vec::new();
    for (option, attribute) in [
        ("--req-c=", "C"),
        ("--req-st=", "ST"),
        ("--req-city=", "L"),
        ("--req-org=", "O"),
        ("--req-ou=", "OU"),
        ("CN", "CN"),
        ("--req-email=", "emailAddress"),
    ] {
        let value = match option {
            "CN" => Some(common_name),
            _ => story.options.iter().find_map(|given| given.strip_prefix(option)),
        };
        let attribute = oid::parse(oid::ATTRIBUTES, attribute).expect("known");
        fields.extend(value.map(|value| (attribute, value)));
    }
    Name::from_fields(&fields).expect("a name")
}

#[test]
fn every_request_of_our_keys_is_made_again_byte_for_byte() {
    for story in stories() {
        for record in &story.records {
            let Some(path) = &record.key else { continue };
            let theirs = request(story, record);
            let key = key(story, path, record.key_passphrase.as_deref());
            let names =
                record.request_san.as_deref().map(|text| SubjectAltNames::parse(text).expect("names"));
            let names = names.map(|names| ExtensionSpec {
                criticality: Criticality::NonCritical,
                value: ExtensionValue::SubjectAltName(names.names),
            });
            let subject = subject(story, &record.name);
            let ours = Request::make(&subject, names.as_ref(), &key, Digest::Sha256).expect("made");
            let shown = format!("{} {}", story.name, record.name);
            assert_eq!(
                story::hex(&signed_part(ours.as_der())),
                story::hex(&signed_part(theirs.as_der())),
                "{shown}"
            );
            if !matches!(key.algorithm(), KeyAlgorithm::Ec(_)) {
                assert_eq!(ours.as_der(), theirs.as_der(), "{shown}");
            }
        }
    }
}

#[test]
fn every_crl_is_made_again_but_for_its_number() {
    for story in stories() {
        let theirs = Crl::read(&story.file("crl.pem")).expect("a CRL");
        let next_update = theirs.next_update().expect("it has one");
        let days = u32::try_from(theirs.this_update().days_until(next_update)).expect("not many");
        let database = Database::new(index(story), None, Vec::new());
        let order = CrlOrder { set: ProfileSet::Easyrsa, days: Days(days), digest: None, extensions: &[] };
        let numbers = CrlNumbers { file: None, present: theirs.number() };
        let proposal =
            authority(story).propose_crl(order, &database, &numbers, theirs.this_update()).expect("proposed");
        let ours = crl_of(proposal.sign(&authority_key(story)).expect("signed"));
        assert_eq!(ours.number().map(|number| number.to_string()), Some("01".to_owned()), "{}", story.name);
        assert!(theirs.number().is_none(), "easy-rsa numbers its CRLs now: {}", story.name);
        let mut list = elements(&signed_part(ours.as_der()));
        edit_extensions(&mut list, |extensions| extensions.retain(|one| one.extn_id != CRL_NUMBER));
        let list = list.to_der().expect("encoded");
        assert_eq!(story::hex(&list), story::hex(&signed_part(theirs.as_der())), "{}", story.name);
    }
}

/// The CRL that was signed, read back from what has to be recorded.
fn crl_of(issued: certkeep_pki::ca::crl::IssuedCrl) -> Crl {
    let changes = issued.into_changes();
    let der = changes.as_slice().iter().find_map(|change| match change {
        Change::Replace(PkiPath::CrlDer, Contents::Public(bytes)) => Some(bytes),
        _ => None,
    });
    Crl::read(der.expect("crl.der is written")).expect("a CRL")
}

/// Replays a story on one database: the files that `openssl ca` keeps come out the same.
#[test]
fn the_serial_file_goes_on_as_openssl_writes_it() {
    for story in stories().iter().filter(|story| story.sequential) {
        let authority = authority(story);
        let now = authority.certificate().not_before();
        let mut serial_file = b"01\n".to_vec();
        let mut index = Index::empty();
        for record in &story.records {
            let database = Database::new(index, Some("unique_subject = no\n"), serial_file);
            let next = database.next_serial(SerialMode::Sequential, &mut OsRng.unwrap_err()).expect("free");
            assert_eq!(next.number().to_string(), record.serial);
            let request = request(story, record);
            let not_after = certificate(story, record).not_after();
            let dates = Period::Dates { start: None, end: not_after };
            let order = Order { serial: next, ..order(record, &request, dates) };
            let issued = authority.propose(order, database, now).expect("proposed");
            let changes = issued.sign(&authority_key(story)).expect("signed").into_changes();
            let written = |wanted: &PkiPath| {
                let found = changes.as_slice().iter().find_map(|change| match change {
                    Change::Replace(path, Contents::Public(bytes)) if path == wanted => Some(bytes.clone()),
                    _ => None,
                });
                found.expect("it is written")
            };
            serial_file = written(&PkiPath::Serial);
            index = Index::parse(&written(&PkiPath::Index)).expect("our own");
        }
        assert_eq!(serial_file, story.file("serial"), "{}", story.name);
        let expiries = |index: &Index| index.rows().map(|row| row.expiry()).collect::<Vec<Moment>>();
        assert_eq!(expiries(&index), expiries(&self::index(story)), "{}", story.name);
    }
}
