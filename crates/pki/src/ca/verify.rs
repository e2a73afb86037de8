// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verifying a certificate of this PKI: the path up to the root, dates,
//! revocation, purpose, name constraints (RFC 5280 §6, without policies).
//!
//! Everything is reported, not only the first finding: an operator wants to
//! know all that is wrong before the next attempt.

mod finding;

pub use self::finding::{Finding, Note};

use der::{asn1::ObjectIdentifier, flagset::FlagSet};
use x509_cert::ext::pkix::{KeyUsages, name::GeneralName};

use super::constraints;
use crate::{
    index::{Index, Status},
    moment::Moment,
    x509::{certificate::Certificate, crl::Crl, oid},
};

/// Longer paths than this are not looked for.
const MAX_DEPTH: usize = 10;

/// What is at hand to verify with.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// `ca.crt`: the CA, and whatever stands above it; trusted because it is ours.
    pub authorities: &'a [Certificate],
    /// CA certificates of other PKIs (`inline/external-ca.list`), to go on with.
    pub others: &'a [Certificate],
    /// The CRL of the CA.
    pub crl: Option<&'a Crl>,
    /// The database, which knows of a revocation before the CRL does.
    pub index: Option<&'a Index>,
}

/// What a certificate is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Whatever its extendedKeyUsage allows.
    Any,
    /// One purpose (RFC 5280 §4.2.1.12).
    One(ObjectIdentifier),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The path, from the certificate to the root, as far as it was found.
    pub path: Vec<Certificate>,
    /// What speaks against the certificate; none: it is good.
    pub findings: Vec<Finding>,
    /// What could not be told, or is worth knowing.
    pub notes: Vec<Note>,
}

impl Verification {
    /// Whether nothing speaks against the certificate.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Verifies `certificate` at `now`. Needs no private key.
#[must_use]
pub fn verify(
    certificate: &Certificate,
    purpose: Purpose,
    evidence: &Evidence<'_>,
    now: Moment,
) -> Verification {
    let mut path = vec![certificate.clone()];
    let mut findings = Vec::new();
    let mut notes = Vec::new();
    extend_path(&mut path, evidence);
    check_end(&path, evidence, &mut findings, &mut notes);
    for (depth, member) in path.iter().enumerate() {
        check_member(member, depth, &path, purpose, now, &mut findings);
    }
    check_revocation(certificate, path.get(1), evidence, now, &mut findings, &mut notes);
    Verification { path, findings, notes }
}

/// Goes up from the last certificate of `path` as long as somebody at hand has signed it.
fn extend_path(path: &mut Vec<Certificate>, evidence: &Evidence<'_>) {
    while path.len() < MAX_DEPTH {
        let Some(last) = path.last() else { return };
        if last.is_self_issued() && last.verify_signature(last.public_key()).is_ok() {
            return;
        }
        let at_hand = evidence.authorities.iter().chain(evidence.others);
        let known =
            |candidate: &&Certificate| !path.iter().any(|member| member.as_der() == candidate.as_der());
        let issuer = at_hand.filter(known).find(|candidate| issued_by(last, candidate));
        match issuer {
            Some(issuer) => path.push(issuer.clone()),
            None => return,
        }
    }
}

fn issued_by(certificate: &Certificate, candidate: &Certificate) -> bool {
    let identifiers = (certificate.authority_key_identifier(), candidate.subject_key_identifier());
    certificate.issuer().as_der() == candidate.subject().as_der()
        && !matches!(identifiers, (Some(wanted), Some(own)) if wanted != own)
        && certificate.verify_signature(candidate.public_key()).is_ok()
}

fn check_end(
    path: &[Certificate],
    evidence: &Evidence<'_>,
    findings: &mut Vec<Finding>,
    notes: &mut Vec<Note>,
) {
    let Some(last) = path.last() else { return };
    let ours = evidence.authorities.iter().any(|authority| authority.as_der() == last.as_der());
    let root = last.is_self_issued() && last.verify_signature(last.public_key()).is_ok();
    let trusted = ours
        || (root
            && path.len() > 1
            && path.iter().any(|member| {
                evidence.authorities.iter().any(|authority| authority.as_der() == member.as_der())
            }));
    if !trusted {
        findings.push(Finding::NoIssuer {
            subject: last.subject().to_string(),
            issuer: last.issuer().to_string(),
        });
    } else if !root {
        notes.push(Note::EndsAtSubordinate {
            subject: last.subject().to_string(),
            issuer: last.issuer().to_string(),
        });
    }
}

fn check_member(
    member: &Certificate,
    depth: usize,
    path: &[Certificate],
    purpose: Purpose,
    now: Moment,
    findings: &mut Vec<Finding>,
) {
    let subject = || member.subject().to_string();
    if now > member.not_after() {
        findings.push(Finding::Expired { subject: subject(), not_after: member.not_after() });
    }
    if now < member.not_before() {
        findings.push(Finding::NotYetValid { subject: subject(), not_before: member.not_before() });
    }
    for extension in member.extensions().iter().filter(|extension| extension.critical) {
        if !UNDERSTOOD.contains(&extension.extn_id) {
            let extension = oid::short_name(oid::EXTENSIONS, extension.extn_id);
            findings.push(Finding::CriticalExtension { subject: subject(), extension });
        }
    }
    if let (Purpose::One(wanted), Some(allowed)) = (purpose, member.extended_key_usage())
        && !allowed.contains(&wanted)
        && !allowed.contains(&oid::ANY_PURPOSE)
    {
        let purpose = oid::short_name(oid::PURPOSES, wanted);
        findings.push(Finding::Purpose { subject: subject(), purpose });
    }
    let named = member.extensions().iter().any(|extension| extension.extn_id == oid::SUBJECT_ALT_NAME);
    let names = member.subject_alt_names();
    if named && (names.is_empty() || names.iter().any(|name| !has_content(name))) {
        findings.push(Finding::AltNames { subject: subject() });
    }
    if depth == 0 {
        return;
    }
    if !member.is_ca() {
        findings.push(Finding::NotACa { subject: subject() });
    }
    let may_sign = |usages: FlagSet<KeyUsages>| usages.contains(KeyUsages::KeyCertSign);
    if !member.key_usage().is_none_or(may_sign) {
        findings.push(Finding::MayNotSign { subject: subject() });
    }
    // RFC 5280 §4.2.1.9: self-issued certificates do not count, nor does the last one of the path.
    let below = path[1..depth].iter().filter(|issuer| !issuer.is_self_issued()).count();
    let limit = member.basic_constraints().and_then(|constraints| constraints.path_len_constraint);
    if let Some(limit) = limit
        && below > usize::from(limit)
    {
        findings.push(Finding::PathLength { subject: subject(), limit });
    }
    let names = path[..depth].iter().find_map(|lower| constraints::violation(member, lower));
    if let Some(name) = names {
        findings.push(Finding::NameConstraint { subject: subject(), name });
    }
}

/// Whether a name says anything that could be matched.
fn has_content(name: &GeneralName) -> bool {
    match name {
        GeneralName::IpAddress(bytes) => matches!(bytes.as_bytes().len(), 4 | 16),
        GeneralName::DnsName(text)
        | GeneralName::Rfc822Name(text)
        | GeneralName::UniformResourceIdentifier(text) => !text.as_str().is_empty(),
        _ => true,
    }
}

/// The extensions that this verifier evaluates, or that do not restrict a path.
const UNDERSTOOD: [ObjectIdentifier; 7] = [
    oid::BASIC_CONSTRAINTS,
    oid::KEY_USAGE,
    oid::EXTENDED_KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::NAME_CONSTRAINTS,
    oid::CERTIFICATE_POLICIES,
    oid::CRL_DISTRIBUTION_POINTS,
];

fn check_revocation(
    certificate: &Certificate,
    issuer: Option<&Certificate>,
    evidence: &Evidence<'_>,
    now: Moment,
    findings: &mut Vec<Finding>,
    notes: &mut Vec<Note>,
) {
    let listed = match (evidence.crl, issuer) {
        (Some(crl), Some(issuer)) => {
            if crl.issuer().as_der() != issuer.subject().as_der()
                || crl.verify_signature(issuer.public_key()).is_err()
            {
                findings.push(Finding::CrlSignature);
                None
            } else {
                if let Some(next_update) = crl.next_update().filter(|next_update| now > *next_update) {
                    findings.push(Finding::CrlExpired { next_update });
                }
                crl.find(certificate.serial_number())
            }
        }
        (Some(_), None) => None,
        (None, _) => {
            notes.push(Note::NoCrl);
            None
        }
    };
    if let Some(entry) = listed {
        findings.push(Finding::Revoked { at: entry.revoked_at, reason: entry.reason });
        return;
    }
    let row = evidence.index.and_then(|index| index.find(&certificate.serial_number().to_hex()));
    let ours = issuer.is_some_and(|issuer| {
        evidence.authorities.first().is_some_and(|authority| authority.as_der() == issuer.as_der())
    });
    if ours && evidence.index.is_some() && row.is_none() {
        notes.push(Note::NotInIndex);
    }
    if let Some(row) = row
        && row.status() == Status::Revoked
        && let Some(revocation) = row.revocation()
    {
        findings.push(Finding::Revoked { at: revocation.at, reason: revocation.reason });
        notes.push(Note::CrlBehindIndex);
    }
}

#[cfg(test)]
mod tests;
