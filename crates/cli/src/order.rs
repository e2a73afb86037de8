// SPDX-License-Identifier: MIT OR Apache-2.0
//! From settings to orders: what the options ask for, in the words of the core.
//!
//! Here meet easy-rsa's variables and RFC 5280; nothing is decided that the core
//! decides itself. long: one short step for each thing that is ordered.

mod extensions;

use certkeep_pki::{
    ca::{
        policy::{AltNames, Profile},
        sign::{Order, SubjectOrder},
        validity::Period,
    },
    key::{Curve, Digest, KeyAlgorithm, PrivateKey, Signer},
    layout::EntryName,
    moment::Days,
    x509::{
        certificate::Certificate,
        general_name::SubjectAltNames,
        name::Name,
        oid,
        profile::{CertificateType, ProfileSet},
        request::Request,
    },
};

pub use self::extensions::{extra_extensions, profile, root_profile};
use crate::{
    report::Failure,
    session::Session,
    settings::{self, Algo, DnMode, Settings},
};

/// The key that the options ask for.
///
/// Nothing asked for is EC on secp384r1 in the strict set and RSA 2048 in the
/// easyrsa set; a key size alone means RSA, a curve alone EC.
///
/// # Errors
///
/// A curve that certkeep does not have, or one of the other algorithm.
pub fn key_algorithm(settings: &Settings) -> Result<KeyAlgorithm, Failure> {
    let set = profile_set(settings);
    let algo = settings.algo.unwrap_or(match (&settings.curve, settings.key_size, set) {
        (None, Some(_), _) | (None, None, ProfileSet::Easyrsa) => Algo::Rsa,
        _ => Algo::Ec,
    });
    match algo {
        Algo::Rsa => Ok(KeyAlgorithm::Rsa { bits: settings.key_size.unwrap_or(2048) }),
        Algo::Ec | Algo::Ed => {
            let Some(text) = settings.curve.as_deref() else {
                return Ok(if algo == Algo::Ed {
                    KeyAlgorithm::Ed25519
                } else {
                    KeyAlgorithm::Ec(Curve::P384)
                });
            };
            match (algo, curve_key(text)) {
                (Algo::Ed, Some(key @ KeyAlgorithm::Ed25519))
                | (Algo::Ec, Some(key @ KeyAlgorithm::Ec(_))) => Ok(key),
                (Algo::Ed, Some(_)) => Err(Failure::curve_of_another(text, "ec", "ed")),
                (_, Some(_)) => Err(Failure::curve_of_another(text, "ed", "ec")),
                (_, None) => Err(Failure::no_curve(text)),
            }
        }
    }
}

/// The key on the curve of this name, which also says whether it is an ec or an ed one.
fn curve_key(text: &str) -> Option<KeyAlgorithm> {
    if text.eq_ignore_ascii_case("ed25519") {
        return Some(KeyAlgorithm::Ed25519);
    }
    Curve::parse(text).map(KeyAlgorithm::Ec)
}

/// The digest that the options ask for, if they do.
///
/// # Errors
///
/// A digest that certkeep does not sign with.
pub fn digest(settings: &Settings) -> Result<Option<Digest>, Failure> {
    let named = settings.digest.as_deref();
    named.map(|text| Digest::parse(text).ok_or_else(|| Failure::no_digest(text))).transpose()
}

/// The digest of a request that is signed by `key`.
///
/// # Errors
///
/// As [`digest`].
pub fn request_digest(settings: &Settings, key: &PrivateKey) -> Result<Digest, Failure> {
    Ok(digest(settings)?.unwrap_or_else(|| profile_set(settings).digest(key.public_key())))
}

/// The profile set, in the core's words.
#[must_use]
pub fn profile_set(settings: &Settings) -> ProfileSet {
    match settings.profile_set {
        settings::ProfileSet::Strict => ProfileSet::Strict,
        settings::ProfileSet::Easyrsa => ProfileSet::Easyrsa,
    }
}

/// The subject of a new request or CA: asks for its fields as openssl does when
/// easy-rsa calls it. `common_name` is the default of the common name.
///
/// # Errors
///
/// Nobody answers, or a value does not fit its attribute.
pub fn asked_subject(session: &mut Session, common_name: &str) -> Result<Name, Failure> {
    let asked = session.settings.subject.clone();
    let common_name = asked.common_name.as_deref().unwrap_or(common_name);
    let mut fields = Vec::new();
    for (short, label, default) in fields_of(&asked, common_name, session.settings.dn_mode) {
        fields.push((short, session.terminal.ask(label, default)?));
    }
    name_of(fields)
}

/// The subject without asking: what `build-*-full` does (easy-rsa 3.2: build-*-full – always batch DN).
///
/// # Errors
///
/// A value does not fit its attribute.
pub fn given_subject(settings: &Settings, common_name: &str) -> Result<Name, Failure> {
    let fields = fields_of(&settings.subject, common_name, settings.dn_mode);
    name_of(fields.into_iter().map(|(short, _, value)| (short, value.to_owned())).collect())
}

/// Attribute, question and value, in the order of easy-rsa's subjects.
fn fields_of<'a>(
    subject: &'a settings::Subject,
    common_name: &'a str,
    mode: DnMode,
) -> Vec<(&'static str, &'static str, &'a str)> {
    let common_name = ("CN", "Common Name (your user, host, or server name)", common_name);
    match mode {
        DnMode::CnOnly => vec![common_name],
        DnMode::Org => vec![
            ("C", "Country Name (2 letter code)", &subject.country),
            ("ST", "State or Province Name", &subject.province),
            ("L", "Locality Name (city)", &subject.city),
            ("O", "Organization Name (company)", &subject.organization),
            ("OU", "Organizational Unit Name (section)", &subject.organizational_unit),
            common_name,
            ("emailAddress", "Email Address", &subject.email),
            ("serialNumber", "Serial Number (of your device)", &subject.serial_number),
        ],
    }
}

fn name_of(fields: Vec<(&'static str, String)>) -> Result<Name, Failure> {
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let typed =
        fields.filter_map(|(short, value)| Some((oid::parse(oid::ATTRIBUTES, short)?, value.as_str())));
    Ok(Name::from_fields(&typed.collect::<Vec<_>>())?)
}

/// How long a certificate shall run. A CA that nobody gave a length to runs as
/// long as the CA lifetime says, a certificate as long as theirs.
#[must_use]
pub fn period(settings: &Settings, kind: &CertificateType) -> Period {
    if let Some(end) = settings.end_date {
        return Period::Dates { start: settings.start_date, end };
    }
    match (settings.days, kind) {
        (Some(days), _) => Period::Days(Days(days)),
        (None, CertificateType::Ca) => Period::DefaultDays(Days(settings.ca_expire)),
        (None, _) => Period::DefaultDays(Days(settings.cert_expire)),
    }
}

/// How long a renewed certificate shall run: a CA as long as a CA, others as others.
#[must_use]
pub fn renewal_period(settings: &Settings, old: &Certificate) -> Period {
    period(settings, if old.is_ca() { &CertificateType::Ca } else { &CertificateType::Client })
}

/// How long a root CA shall run; dates are for certificates (easy-rsa 3.2: build-ca).
#[must_use]
pub fn ca_period(settings: &Settings) -> Period {
    settings.days.map_or(Period::DefaultDays(Days(settings.ca_expire)), |days| Period::Days(Days(days)))
}

/// The alternative names that `--san` gives, if it does.
///
/// # Errors
///
/// A name that cannot be read.
pub fn given_alt_names(settings: &Settings) -> Result<Option<SubjectAltNames>, Failure> {
    let names = &settings.subject_alt_names;
    Ok(if names.is_empty() { None } else { Some(SubjectAltNames::parse(&names.join(", "))?) })
}

/// Where the alternative names of a certificate come from.
///
/// # Errors
///
/// As [`given_alt_names`].
pub fn alt_names(settings: &Settings) -> Result<AltNames, Failure> {
    Ok(match given_alt_names(settings)? {
        Some(given) => AltNames::Given(given),
        None if settings.auto_san => AltNames::OfCommonName,
        None if settings.copy_ext => AltNames::OfRequest,
        None => AltNames::OfType,
    })
}

/// Everything that is wanted of a certificate for `request`.
///
/// # Errors
///
/// No serial number is free, or a digest is unknown.
pub fn order<'a>(
    session: &Session,
    name: EntryName,
    request: &'a Request,
    profile: Profile,
    preserve: bool,
    database: &certkeep_pki::ca::authority::Database,
) -> Result<Order<'a>, Failure> {
    let settings = &session.settings;
    let rebuild = profile.set == ProfileSet::Easyrsa && !preserve && !settings.preserve_dn;
    Ok(Order {
        name,
        request,
        subject: if rebuild { SubjectOrder::OfPolicy } else { SubjectOrder::OfRequest },
        period: period(settings, &profile.kind),
        profile,
        serial: database.next_serial(session.serial_mode(), &mut Session::rng())?,
        digest: digest(settings)?,
    })
}
