// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests of the verbs start from: keys made once, a root, requests and
//! orders with one thing changed at a time. Not compiled into the product.
//! long: many short ones, and no logic.

use std::sync::LazyLock;

use der::{
    Encode,
    asn1::{Any, ObjectIdentifier, SetOfVec},
};
use rand_core::{OsRng, TryRngCore};
use x509_cert::{
    attr::Attribute,
    ext::{
        Extension,
        pkix::{NameConstraints, constraints::name::GeneralSubtree},
    },
};

use super::{
    authority::{Authority, Database, NextSerial, SerialMode},
    build::{self, RootOrder},
    policy::{AltNames, MakeCritical, Profile, TypeSource},
    sign::{Order, Proposal, ProposeError, SubjectOrder, SubjectTerms},
    validity::Period,
};
use crate::{
    index::Index,
    key::{Curve, Digest, KeyAlgorithm, PrivateKey, Signer},
    layout::EntryName,
    moment::{Days, Moment},
    x509::{
        certificate::Certificate,
        extension::{self, ExtensionSpec, Issuer},
        general_name::{self, SubjectAltNames},
        name::Name,
        oid,
        profile::{CertificateType, ProfileSet},
        request::Request,
        serial::SerialNumber,
        signed::{CertificationRequestInfo, Signed},
    },
};

fn make(algorithm: KeyAlgorithm) -> PrivateKey {
    PrivateKey::generate(algorithm).expect("generated")
}

/// The key of the root.
pub(super) static CA_KEY: LazyLock<PrivateKey> = LazyLock::new(|| make(KeyAlgorithm::Ec(Curve::P256)));
/// The key of a subordinate CA, or of a CA that has nothing to do with the root.
pub(crate) static OTHER_KEY: LazyLock<PrivateKey> = LazyLock::new(|| make(KeyAlgorithm::Ec(Curve::P256)));
/// The key of whoever asks for a certificate.
pub(super) static LEAF_KEY: LazyLock<PrivateKey> = LazyLock::new(|| make(KeyAlgorithm::Ec(Curve::P256)));
/// The same on P-384.
pub(super) static P384_KEY: LazyLock<PrivateKey> = LazyLock::new(|| make(KeyAlgorithm::Ec(Curve::P384)));
/// The same on P-521.
pub(super) static P521_KEY: LazyLock<PrivateKey> = LazyLock::new(|| make(KeyAlgorithm::Ec(Curve::P521)));
/// The same with RSA.
pub(super) static RSA_KEY: LazyLock<PrivateKey> = LazyLock::new(|| make(KeyAlgorithm::Rsa { bits: 2048 }));
/// The same with Ed25519.
pub(super) static ED_KEY: LazyLock<PrivateKey> = LazyLock::new(|| make(KeyAlgorithm::Ed25519));

pub(super) fn moment(text: &str) -> Moment {
    Moment::parse(text).expect("valid")
}

/// The clock of every test: noon of 2026-11-21.
pub(super) fn now() -> Moment {
    moment("261121120000Z")
}

pub(super) fn days(days: u32) -> Period {
    Period::Days(Days(days))
}

pub(super) fn name(text: &str) -> EntryName {
    EntryName::parse(text).expect("valid")
}

/// A built-in type without any option.
pub(super) fn profile(kind: CertificateType, set: ProfileSet) -> Profile {
    let critical = MakeCritical {
        basic_constraints: false,
        key_usage: false,
        extended_key_usage: false,
        subject_alt_name: false,
    };
    Profile {
        kind,
        set,
        source: TypeSource::BuiltIn,
        path_len: None,
        critical,
        alt_names: AltNames::OfType,
        extra: Vec::new(),
        realm: None,
    }
}

pub(crate) fn strict(kind: CertificateType) -> Profile {
    profile(kind, ProfileSet::Strict)
}

pub(super) fn easyrsa(kind: CertificateType) -> Profile {
    profile(kind, ProfileSet::Easyrsa)
}

pub(super) fn given(names: &str) -> AltNames {
    AltNames::Given(SubjectAltNames::parse(names).expect("names"))
}

/// An extension whose value is already encoded.
pub(super) fn encoded(oid: ObjectIdentifier, der: Vec<u8>) -> ExtensionSpec {
    ExtensionSpec::critical(extension::ExtensionValue::Encoded { oid, der })
}

/// A self-signed CA of ten years.
pub(crate) fn root() -> Authority {
    root_with(strict(CertificateType::Ca))
}

pub(super) fn root_with(profile: Profile) -> Authority {
    root_of(&CA_KEY, "Root", profile)
}

pub(crate) fn root_of(key: &PrivateKey, common_name: &str, profile: Profile) -> Authority {
    let order = RootOrder {
        subject: Name::common_name_only(common_name).expect("valid"),
        key: key.public_key(),
        profile,
        period: days(3650),
        serial: SerialNumber::from_integer(1),
        digest: None,
    };
    let issued = build::propose_root(order, now()).expect("proposed").sign(key).expect("signed");
    Authority::read(issued.certificate().as_der()).expect("a CA")
}

/// A request for the ordinary key.
pub(super) fn request(common_name: &str) -> Request {
    request_of(&LEAF_KEY, common_name)
}

pub(super) fn request_of(key: &PrivateKey, common_name: &str) -> Request {
    let subject = Name::common_name_only(common_name).expect("valid");
    Request::make(&subject, None, key, Digest::Sha256).expect("made")
}

/// A request that asks for extensions as only other programs do.
pub(super) fn request_asking(common_name: &str, specs: &[ExtensionSpec]) -> Request {
    let key = LEAF_KEY.public_key();
    let subject = Name::common_name_only(common_name).expect("valid");
    let nobody = Issuer::Itself { name: &subject, serial: &SerialNumber::from_integer(1) };
    let extensions: Vec<Extension> = extension::encode(specs, &subject, key, nobody).expect("encoded");
    let values = SetOfVec::try_from(vec![Any::encode_from(&extensions).expect("encoded")]).expect("one");
    let attribute = Attribute { oid: oid::EXTENSION_REQUEST, values }.to_der().expect("encoded");
    request_with_attributes(common_name, &[attribute])
}

/// A request with encoded attributes, in this order.
pub(super) fn request_with_attributes(common_name: &str, attributes: &[Vec<u8>]) -> Request {
    use der::{Tag, TagNumber};
    let subject = Name::common_name_only(common_name).expect("valid");
    let zero = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    let any = |der: &[u8]| Any::from_der(der).expect("DER");
    use der::Decode;
    let info = CertificationRequestInfo {
        version: 0,
        subject: any(subject.as_der()),
        subject_public_key_info: any(LEAF_KEY.public_key().as_der()),
        attributes: Any::new(zero, attributes.concat()).expect("short"),
    };
    let signed = Signed::new(&info, &*LEAF_KEY, Digest::Sha256).expect("signed");
    Request::read(&signed.to_der().expect("encoded")).expect("a request")
}

pub(super) fn serial(number: u64) -> NextSerial {
    let file = format!("{}\n", SerialNumber::from_integer(number)).into_bytes();
    let database = Database::new(Index::empty(), None, file);
    database.next_serial(SerialMode::Sequential, &mut OsRng.unwrap_err()).expect("free")
}

/// A database without rows.
pub(super) fn database() -> Database {
    Database::new(Index::empty(), Some("unique_subject = no\n"), b"01\n".to_vec())
}

/// A database with `rows` of index.txt.
pub(super) fn database_of(rows: &str) -> Database {
    Database::new(Index::parse(rows.as_bytes()).expect("rows"), None, b"01\n".to_vec())
}

/// An order for a year, filed as `web1` under the number 7.
pub(super) fn order(request: &Request, profile: Profile) -> Order<'_> {
    Order {
        name: name("web1"),
        request,
        subject: SubjectTerms::of_easyrsa(SubjectOrder::OfRequest),
        profile,
        period: days(365),
        serial: serial(7),
        digest: None,
    }
}

/// Proposes under the ordinary root with an empty database.
pub(super) fn propose(order: Order<'_>) -> Result<Proposal, ProposeError> {
    root().propose(order, database(), now())
}

/// Why an order under the ordinary root is refused.
pub(super) fn refusal(order: Order<'_>) -> String {
    propose(order).expect_err("refused").to_string()
}

/// Why `authority` refuses an order.
pub(super) fn refusal_by(authority: &Authority, order: Order<'_>, now: Moment) -> String {
    authority.propose(order, database(), now).expect_err("refused").to_string()
}

/// The extension nameConstraints, from names in openssl's notation.
pub(super) fn constraints(permitted: &[&str], excluded: &[&str]) -> ExtensionSpec {
    let subtrees = |texts: &[&str]| {
        let subtree = |text: &&str| GeneralSubtree {
            base: general_name::parse(text).expect("a name"),
            minimum: 0,
            maximum: None,
        };
        (!texts.is_empty()).then(|| texts.iter().map(subtree).collect())
    };
    let value =
        NameConstraints { permitted_subtrees: subtrees(permitted), excluded_subtrees: subtrees(excluded) };
    encoded(oid::NAME_CONSTRAINTS, value.to_der().expect("encoded"))
}

/// A CA that may name things below example.com alone.
pub(super) fn constrained_root() -> Authority {
    let extra = vec![constraints(&["DNS:example.com"], &[])];
    root_with(Profile { extra, ..strict(CertificateType::Ca) })
}

/// Issues what was ordered, whatever `authority` is.
pub(super) fn issue(authority: &Authority, key: &PrivateKey, order: Order<'_>) -> Certificate {
    let proposal = authority.propose(order, database(), now()).expect("proposed");
    proposal.sign(key).expect("signed").certificate().clone()
}

/// A certificate of the root's under the number 7.
pub(crate) fn certificate() -> Certificate {
    issue(&root(), &CA_KEY, order(&request("web1.example.net"), strict(CertificateType::Server)))
}

/// The extensions in one line each, as a person would write them down.
pub(super) fn lines(extensions: &[Extension]) -> Vec<String> {
    use der::Decode;
    use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, name::GeneralName};
    let describe = |extension: &Extension| {
        let der = extension.extn_value.as_bytes();
        let value = match extension.extn_id {
            oid::BASIC_CONSTRAINTS => {
                let read = BasicConstraints::from_der(der).expect("valid");
                let limit = read.path_len_constraint.map(|limit| format!(" pathlen:{limit}"));
                format!("{}{}", read.ca, limit.unwrap_or_default())
            }
            oid::KEY_USAGE => {
                let read = KeyUsage::from_der(der).expect("valid").0;
                let set = extension::KEY_USAGES.iter().filter(|(_, _, usage)| read.contains(*usage));
                set.map(|(short, _, _)| *short).collect::<Vec<_>>().join(" ")
            }
            oid::EXTENDED_KEY_USAGE => {
                let read = ExtendedKeyUsage::from_der(der).expect("valid").0;
                let names = read.iter().map(|purpose| oid::short_name(oid::PURPOSES, *purpose));
                names.collect::<Vec<_>>().join(" ")
            }
            oid::SUBJECT_ALT_NAME => {
                let read = Vec::<GeneralName>::from_der(der).expect("valid");
                read.iter().map(crate::x509::general_name::display).collect::<Vec<_>>().join(" ")
            }
            _ => String::new(),
        };
        let critical = if extension.critical { "critical " } else { "" };
        let short = oid::short_name(oid::EXTENSIONS, extension.extn_id);
        format!("{short}: {critical}{value}").trim_end_matches([' ', ':']).to_owned()
    };
    extensions.iter().map(describe).collect()
}

/// The CRL that was signed, read back from what has to be recorded.
pub(crate) fn read_back(issued: crate::ca::crl::IssuedCrl) -> crate::x509::crl::Crl {
    use crate::{
        change::{Change, Contents},
        layout::PkiPath,
        x509::crl::Crl,
    };
    let changes = issued.into_changes();
    let der = changes.as_slice().iter().find_map(|change| match change {
        Change::Replace(PkiPath::CrlDer, Contents::Public(bytes)) => Some(bytes),
        _ => None,
    });
    Crl::read(der.expect("crl.der is written")).expect("a CRL")
}

/// A CRL of this number that lists these serial numbers.
pub(crate) fn crl(number: u64, serials: &[&str], now: Moment) -> crate::x509::crl::Crl {
    use crate::{
        ca::crl::{CrlNumbers, CrlOrder},
        moment::Days,
        x509::{profile::ProfileSet, serial::SerialNumber},
    };
    let row = |serial: &&str| format!("R\t290101000000Z\t261101000000Z\t{serial}\tunknown\t/CN=a\n");
    let rows: String = serials.iter().map(row).collect();
    let numbers =
        CrlNumbers { file: Some(SerialNumber::from_integer(number).to_string().into_bytes()), present: None };
    let order = CrlOrder { set: ProfileSet::Easyrsa, days: Days(30), digest: None, extensions: &[] };
    let proposal = root().propose_crl(order, &database_of(&rows), &numbers, now).expect("proposed");
    read_back(proposal.sign(&*CA_KEY).expect("signed"))
}
