// SPDX-License-Identifier: MIT OR Apache-2.0
//! From settings to orders: what the options ask for, in the words of the core.
//!
//! Here meet easy-rsa's variables and RFC 5280; nothing is decided that the core
//! decides itself. long: one short step for each thing that is ordered.

mod config;
mod extensions;

use std::path::Path;

use certkeep_pki::{
    ca::{
        policy::{AltNames, Profile},
        sign::{Order, SubjectEmail, SubjectOrder, SubjectTerms},
        validity::Period,
    },
    key::{Curve, Digest, KeyAlgorithm, PrivateKey, Signer},
    layout::EntryName,
    moment::Days,
    x509::{
        certificate::Certificate,
        general_name::SubjectAltNames,
        name::Name,
        profile::{CertificateType, ProfileSet},
        request::Request,
        ssl_config::SslConfig,
        subject::{self, SubjectPolicy},
    },
};

pub use self::{
    config::{asked_subject, given_subject, ssl_config},
    extensions::{extra_extensions, profile, root_profile, unused_by_a_ca},
};
use crate::{
    input,
    report::Failure,
    session::Session,
    settings::{self, Algo, Settings},
    terminal::Safe,
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
    if let (Algo::Ec, Some(file)) = (algo, &settings.curve_file) {
        return curve_of_file(settings, file);
    }
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

/// The key on the curve that a file of parameters names.
fn curve_of_file(settings: &Settings, file: &Path) -> Result<KeyAlgorithm, Failure> {
    let shown = file.display().to_string();
    let curve =
        Curve::of_parameters(&input::read(file)?).map_err(|error| Failure::in_file(&shown, &error))?;
    match settings.curve.as_deref() {
        Some(named) if Curve::parse(named) != Some(curve) => Err(Failure::refused(format!(
            "the curve is to be {} and, by `{}`, {curve}",
            Safe(named),
            Safe(&shown)
        ))
        .with_hint("leave out one of EASYRSA_CURVE (`--curve`) and EASYRSA_ALGO_PARAMS")),
        _ => Ok(KeyAlgorithm::Ec(curve)),
    }
}

/// The key on the curve of this name, which also says whether it is an ec or an ed one.
fn curve_key(text: &str) -> Option<KeyAlgorithm> {
    if text.eq_ignore_ascii_case("ed25519") {
        return Some(KeyAlgorithm::Ed25519);
    }
    Curve::parse(text).map(KeyAlgorithm::Ec)
}

/// The digest that the options ask for, if they do, else that of openssl's settings.
///
/// # Errors
///
/// A digest that certkeep does not sign with.
pub fn digest(settings: &Settings, of_config: Option<&str>) -> Result<Option<Digest>, Failure> {
    let named = settings.digest.as_deref().or(of_config);
    named.map(|text| Digest::parse(text).ok_or_else(|| Failure::no_digest(text))).transpose()
}

/// The digest of a request that is signed by `key`.
///
/// # Errors
///
/// As [`digest`].
pub fn request_digest(settings: &Settings, config: &SslConfig, key: &PrivateKey) -> Result<Digest, Failure> {
    Ok(digest(settings, config.request_digest.as_deref())?
        .unwrap_or_else(|| profile_set(settings).digest(key.public_key())))
}

/// The profile set, in the core's words.
#[must_use]
pub fn profile_set(settings: &Settings) -> ProfileSet {
    match settings.profile_set {
        settings::ProfileSet::Strict => ProfileSet::Strict,
        settings::ProfileSet::Easyrsa => ProfileSet::Easyrsa,
    }
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

/// Where the alternative names of a certificate come from; openssl's settings may
/// have what a request asks for copied.
///
/// # Errors
///
/// As [`given_alt_names`].
pub fn alt_names(settings: &Settings, config: &SslConfig) -> Result<AltNames, Failure> {
    Ok(match given_alt_names(settings)? {
        Some(given) => AltNames::Given(given),
        None if settings.auto_san => AltNames::OfCommonName,
        None if settings.copy_ext || config.copy_extensions => AltNames::OfRequest,
        None => AltNames::OfType,
    })
}

/// Whose subject a certificate has and how it is arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectWords {
    /// As the options and openssl's settings say.
    None,
    /// As the request has it (`preserve`).
    Preserve,
}

/// The subject that `--new-subject` gives, where the command was told to use it;
/// the option alone and the word alone are refused (easy-rsa 3.2: sign-req - newsubj).
///
/// # Errors
///
/// One of the two is missing, or the text is no subject.
pub fn new_subject(settings: &Settings, word: bool) -> Result<Option<Name>, Failure> {
    match (&settings.new_subject, word) {
        (None, false) => Ok(None),
        (Some(text), true) => Ok(Some(subject::parse(text)?)),
        (Some(_), false) => {
            Err(Failure::refused("a new subject is given, and the command is not told to use it")
                .with_hint("say so: `certkeep --new-subject=SUBJECT sign-req TYPE NAME newsubj`")
                .with_hint("or leave `--new-subject` out, and `unset EASYRSA_NEW_SUBJECT`"))
        }
        (None, true) => Err(Failure::refused("`newsubj` is there, and no new subject").with_hint(
            "give it: `certkeep --new-subject=/C=US/O=Example/CN=name sign-req TYPE NAME newsubj`",
        )),
    }
}

/// Everything that is wanted of a certificate for `request`; `given` is a subject
/// in place of that of the request.
///
/// # Errors
///
/// No serial number is free, or a digest is unknown.
pub fn order<'a>(
    session: &Session,
    config: &SslConfig,
    name: EntryName,
    request: &'a Request,
    profile: Profile,
    (given, words): (Option<Name>, SubjectWords),
    database: &certkeep_pki::ca::authority::Database,
) -> Result<Order<'a>, Failure> {
    let settings = &session.settings;
    let preserve = words == SubjectWords::Preserve || settings.preserve_dn || config.preserve;
    let rebuild = (profile.set == ProfileSet::Easyrsa || config.policy.is_some()) && !preserve;
    Ok(Order {
        name,
        request,
        subject: SubjectTerms {
            given,
            policy: config.policy.clone().unwrap_or_else(SubjectPolicy::of_easyrsa),
            order: if rebuild { SubjectOrder::OfPolicy } else { SubjectOrder::OfRequest },
            email: if config.without_email { SubjectEmail::Leaves } else { SubjectEmail::Stays },
        },
        period: period(settings, &profile.kind),
        profile,
        serial: database.next_serial(session.serial_mode(), &mut Session::rng())?,
        digest: digest(settings, config.digest.as_deref())?,
    })
}
