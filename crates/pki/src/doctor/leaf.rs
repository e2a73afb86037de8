// SPDX-License-Identifier: MIT OR Apache-2.0
//! The certificates that were issued: what verifiers refuse, and where they lie.

use std::collections::HashMap;

use x509_cert::ext::pkix::KeyUsages;

use super::{
    Check, Finding,
    authority::{digest, is_critical, is_weak_digest, unfit_serial, wrong_issuer},
    case::{Case, Known, Standing},
    evidence::Unreadable,
};
use crate::{
    inventory::{Folder, Status},
    x509::{
        certificate::{Certificate, CertificateError},
        oid,
    },
};

pub(super) fn look(case: &Case<'_>, findings: &mut Vec<Finding>) {
    files(case, findings);
    same_numbers(case, findings);
    for known in &case.known {
        let Some(certificate) = known.certificate else { continue };
        if case.evidence.self_signed {
            if known.is_in_use() {
                alone(known, certificate, findings);
            }
            continue;
        }
        if !known.is_ours() {
            if known.entry.status != Status::Expired && case.issuer().is_some() {
                let what = match known.standing {
                    Standing::Forged => "it names this CA, and another key has signed it".to_owned(),
                    _ => format!("issued by {}", certificate.issuer()),
                };
                findings.push(known.finding(Check::CertificateForeign, what));
            }
            continue;
        }
        copy(known, findings);
        if known.is_in_use() {
            alone(known, certificate, findings);
            if let Some(issuer) = case.issuer() {
                below(known, certificate, issuer, findings);
            }
        }
    }
}

/// Files that hold no certificate, or another one than they are named after.
fn files(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for file in &case.evidence.certificates {
        let mut find =
            |check, what: String| findings.push(Finding { check, subject: file.path(), name: None, what });
        match &file.read {
            Err(Unreadable::File(why)) => find(Check::CertificateUnreadable, why.clone()),
            Err(Unreadable::Certificate(CertificateError::Serial(error))) => {
                find(Check::SerialUnfit, error.to_string());
            }
            Err(Unreadable::Certificate(error)) => find(Check::CertificateUnreadable, error.to_string()),
            Ok(certificate) => {
                let by_name = matches!(file.folder, Folder::Issued | Folder::Renewed | Folder::PutAside);
                let stem = file.file.rsplit_once('.').map_or(file.file.as_str(), |(stem, _)| stem);
                let serial = certificate.serial_number().to_hex();
                if !by_name && !stem.eq_ignore_ascii_case(serial.as_str()) {
                    find(Check::CertificateMisfiled, format!("it holds the certificate {serial}"));
                }
            }
        }
    }
}

/// Two certificates of this CA with one number.
fn same_numbers(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let mut first: HashMap<&str, &Known<'_>> = HashMap::new();
    let ours = case.known.iter().filter(|known| known.certificate.is_some() && known.is_ours());
    for known in ours {
        if let Some(other) = first.insert(&known.entry.serial, known) {
            let subject = other.finding(Check::SerialTwice, "").subject;
            let what = format!("its serial number {} is that of {subject} too", known.entry.serial);
            findings.push(known.finding(Check::SerialTwice, what));
        }
    }
}

/// easy-rsa and openssl look a certificate up in certs_by_serial.
fn copy(known: &Known<'_>, findings: &mut Vec<Finding>) {
    if lacks_copy(known) {
        let what = format!("there is no certs_by_serial/{}.pem", known.entry.serial);
        findings.push(known.finding(Check::CopyMissing, what));
    }
}

/// Whether a certificate in issued has no copy.
pub(super) fn lacks_copy(known: &Known<'_>) -> bool {
    let archive =
        |file: &String| file.rsplit_once('/').is_some_and(|(folder, _)| folder == Folder::Archive.relative());
    let current = known.entry.folder == Some(Folder::Issued) && known.entry.status != Status::Revoked;
    current && !known.entry.files.iter().any(archive)
}

/// What a certificate says by itself.
fn alone(known: &Known<'_>, certificate: &Certificate, findings: &mut Vec<Finding>) {
    let mut find = |check, what: String| findings.push(known.finding(check, what));
    if certificate.public_key().is_weak() {
        find(Check::WeakKey, format!("a key of the kind {}", certificate.public_key().algorithm_name()));
    }
    if let Some(what) = unfit_serial(certificate.serial_number()) {
        find(Check::SerialUnfit, what.to_owned());
    }
    let named = !certificate.subject_alt_names().is_empty();
    let purposes = certificate.extended_key_usage().unwrap_or_default();
    if purposes.iter().any(|purpose| oid::short_name(oid::PURPOSES, *purpose) == "serverAuth") && !named {
        find(Check::ServerWithoutName, "a server certificate without subjectAltName".to_owned());
    }
    let signs = certificate.key_usage().is_some_and(|usages| usages.contains(KeyUsages::KeyCertSign));
    if signs && !certificate.is_ca() {
        find(Check::LeafMaySign, "keyUsage has keyCertSign, and it is no CA".to_owned());
    }
    if certificate.subject().is_empty() && !is_critical(certificate, oid::SUBJECT_ALT_NAME) {
        find(Check::SubjectEmpty, "the subject is empty, and no subjectAltName is critical".to_owned());
    }
}

/// What a certificate says of the CA above it.
fn below(known: &Known<'_>, certificate: &Certificate, issuer: &Certificate, findings: &mut Vec<Finding>) {
    let mut find = |check, what: String| findings.push(known.finding(check, what));
    if is_weak_digest(certificate.signature_algorithm()) {
        find(Check::WeakDigest, digest(certificate));
    }
    let (end, last) = (certificate.not_after(), issuer.not_after());
    if end > last {
        find(Check::OutlivesCa, format!("it ends on {end}, and the CA on {last}"));
    }
    if certificate.authority_key_identifier().is_none() {
        find(Check::LeafWithoutIssuerKeyId, "there is no authorityKeyIdentifier".to_owned());
    }
    if let Some(what) = wrong_issuer(certificate, issuer) {
        find(Check::IssuerSerialMismatch, what);
    }
}
