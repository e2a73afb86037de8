// SPDX-License-Identifier: MIT OR Apache-2.0
//! The CA's own certificate: whether it may sign, how long, and what strict
//! verifiers say of it (RFC 5280 §4.2.1; openssl's X509_V_FLAG_X509_STRICT, which
//! Python sets since 3.13).

use der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::KeyUsages;

use super::{Check, Evidence, Finding, case::Case};
use crate::{
    ca::authority::AuthorityError,
    moment::{Days, Moment},
    x509::{
        certificate::{Certificate, CertificateError},
        oid,
        serial::SerialNumber,
    },
};

/// How long before the end of a CA its successor is to be made.
const SOON: Days = Days(180);

/// RFC 5280 §4.1.2.2, in octets.
const SERIAL_OCTETS: usize = 20;

pub(super) fn look(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let mut find = |check, what: String| findings.push(found(check, what));
    match &case.authority {
        None if case.evidence.self_signed => {}
        None => {
            let rows = case.index().rows().len();
            if rows > 0 || !case.evidence.certificates.is_empty() {
                let files = case.evidence.certificates.len();
                find(Check::CaMissing, format!("{rows} rows and {files} certificate files, and no ca.crt"));
            }
        }
        Some(Err(error)) => {
            let unfit = matches!(error, AuthorityError::Certificate(CertificateError::Serial(_)));
            let why = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
            find(if unfit { Check::SerialUnfit } else { Check::CaUnreadable }, why);
        }
        Some(Ok(authority)) => {
            own(authority.certificate(), case.evidence, &mut find);
        }
    }
}

fn found(check: Check, what: String) -> Finding {
    Finding { check, subject: "ca.crt".to_owned(), name: None, what }
}

fn own(certificate: &Certificate, evidence: &Evidence, find: &mut dyn FnMut(Check, String)) {
    dates(certificate, evidence.now, find);
    if !certificate.is_ca() {
        find(Check::CaIsNone, "basicConstraints does not say CA:TRUE".to_owned());
    } else if !is_critical(certificate, oid::BASIC_CONSTRAINTS) {
        find(Check::CaConstraintsNotCritical, "basicConstraints is not critical".to_owned());
    }
    match certificate.key_usage() {
        None => find(Check::CaWithoutKeyUsage, "there is no keyUsage".to_owned()),
        Some(usages) => {
            let needed = [(KeyUsages::KeyCertSign, "keyCertSign"), (KeyUsages::CRLSign, "cRLSign")];
            for (_, name) in needed.into_iter().filter(|(usage, _)| !usages.contains(*usage)) {
                find(Check::CaMayNotSign, format!("keyUsage lacks {name}"));
            }
            if !is_critical(certificate, oid::KEY_USAGE) {
                find(Check::CaKeyUsageNotCritical, "keyUsage is not critical".to_owned());
            }
        }
    }
    let identifier = certificate.subject_key_identifier();
    if identifier.is_none() {
        find(Check::CaWithoutKeyId, "there is no subjectKeyIdentifier".to_owned());
    }
    if certificate.subject().is_empty() {
        find(Check::CaWithoutSubject, "the subject is empty".to_owned());
    }
    if certificate.is_self_issued() {
        if let Some(what) = wrong_issuer(certificate, certificate) {
            find(Check::CaKeyIdMismatch, what);
        }
    } else {
        if certificate.authority_key_identifier().is_none() {
            find(Check::LeafWithoutIssuerKeyId, "there is no authorityKeyIdentifier".to_owned());
        }
        if is_weak_digest(certificate.signature_algorithm()) {
            find(Check::WeakDigest, digest(certificate));
        }
    }
    if certificate.public_key().is_weak() {
        find(Check::WeakKey, format!("a key of the kind {}", certificate.public_key().algorithm_name()));
    }
    if let Some(what) = unfit_serial(certificate.serial_number()) {
        find(Check::SerialUnfit, what.to_owned());
    }
}

fn dates(certificate: &Certificate, now: Moment, find: &mut dyn FnMut(Check, String)) {
    let (begin, end) = (certificate.not_before(), certificate.not_after());
    if now > end {
        find(Check::CaExpired, format!("it ended on {end}"));
    } else if end.minus(SOON.seconds()) <= now {
        find(Check::CaExpiresSoon, format!("it ends on {end}"));
    }
    if now < begin {
        find(Check::CaNotYetValid, format!("it begins on {begin}, and now is {now}"));
    }
}

/// Whether an extension is there and critical.
pub(super) fn is_critical(certificate: &Certificate, wanted: ObjectIdentifier) -> bool {
    certificate.extensions().iter().any(|extension| extension.extn_id == wanted && extension.critical)
}

/// What authorityKeyIdentifier says that is not so of `issuer` (RFC 5280 §4.2.1.1).
pub(super) fn wrong_issuer(certificate: &Certificate, issuer: &Certificate) -> Option<String> {
    let identifiers = (certificate.authority_key_identifier(), issuer.subject_key_identifier());
    if matches!(&identifiers, (Some(named), Some(own)) if named != own) {
        return Some("authorityKeyIdentifier names another key".to_owned());
    }
    let serial = certificate.authority_serial_number()?;
    let own = issuer.serial_number();
    (serial != *own)
        .then(|| format!("authorityKeyIdentifier names the serial number {serial}, and the CA has {own}"))
}

/// What RFC 5280 §4.1.2.2 has against a serial number.
pub(super) fn unfit_serial(serial: &SerialNumber) -> Option<&'static str> {
    let hex = serial.to_hex();
    let digits = hex.as_str();
    // DER puts a zero octet in front of a number that would look negative.
    let sign = usize::from(digits.as_bytes().first().is_some_and(|digit| *digit >= b'8'));
    if digits == "00" {
        Some("the serial number is zero")
    } else if digits.len() / 2 + sign > SERIAL_OCTETS {
        Some("the serial number is longer than 20 octets")
    } else {
        None
    }
}

/// Whether a signature is made over MD2, MD5 or SHA-1.
pub(super) fn is_weak_digest(algorithm: ObjectIdentifier) -> bool {
    const WEAK: [&str; 6] = [
        "1.2.840.113549.1.1.2",
        "1.2.840.113549.1.1.4",
        "1.2.840.113549.1.1.5",
        "1.3.14.3.2.29",
        "1.2.840.10045.4.1",
        "1.2.840.10040.4.3",
    ];
    WEAK.contains(&algorithm.to_string().as_str())
}

/// How a certificate was signed, for people.
pub(super) fn digest(certificate: &Certificate) -> String {
    format!("signed with {}", oid::short_name(oid::SIGNATURES, certificate.signature_algorithm()))
}
