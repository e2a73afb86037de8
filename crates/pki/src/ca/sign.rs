// SPDX-License-Identifier: MIT OR Apache-2.0
//! Issuing a certificate for a request: what is ordered becomes a proposal that
//! can be shown, and a proposal is signed once.
//!
//! A [`Proposal`] has no public constructor besides the ones that check
//! everything, and [`Proposal::sign`] consumes it: what was shown is what is
//! signed, and nothing is signed that was not proposed.

mod proposal;
mod refusal;

pub(crate) use self::proposal::{Filed, Terms};
pub use self::{
    proposal::{IssueError, Issued, Proposal},
    refusal::{ProposeError, Warning},
};

use der::{Decode, asn1::Any};
use x509_cert::ext::Extension;

use super::{
    authority::{Authority, Database, NextSerial},
    constraints,
    policy::{Profile, TypeSource},
    validity::{Period, Validity},
};
use crate::{
    change::ChangeSet,
    index::UniqueSubject,
    key::{Digest, KeyAlgorithm, PublicKey},
    layout::EntryName,
    moment::Moment,
    x509::{
        certificate::Certificate,
        extension::{self, ExtensionSpec, ExtensionValue, Issuer},
        name::Name,
        oid,
        profile::{CertificateType, ProfileSet},
        request::Request,
        subject::SubjectPolicy,
    },
};

/// How a certificate's subject is arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectOrder {
    /// As it was asked for, byte for byte.
    OfRequest,
    /// Rebuilt as `openssl ca` does, in the order of the policy.
    OfPolicy,
}

/// Whether emailAddress stays in the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectEmail {
    /// It does.
    Stays,
    /// It is for the extensions alone (`email_in_dn = no` of openssl's settings).
    Leaves,
}

/// What a certificate's subject becomes.
#[derive(Clone, Debug)]
pub struct SubjectTerms {
    /// The subject in place of that of the request.
    pub given: Option<Name>,
    /// What it must have.
    pub policy: SubjectPolicy,
    /// How it is arranged.
    pub order: SubjectOrder,
    /// What becomes of emailAddress.
    pub email: SubjectEmail,
}

impl SubjectTerms {
    /// The subject of the request under easy-rsa's policy.
    #[must_use]
    pub fn of_easyrsa(order: SubjectOrder) -> Self {
        Self { given: None, policy: SubjectPolicy::of_easyrsa(), order, email: SubjectEmail::Stays }
    }
}

/// Everything that somebody wants of a certificate.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The name under which it is filed.
    pub name: EntryName,
    /// Who asks; its proof of possession has been checked.
    pub request: &'a Request,
    /// What becomes of its subject.
    pub subject: SubjectTerms,
    /// The extensions.
    pub profile: Profile,
    /// How long.
    pub period: Period,
    /// Under which number.
    pub serial: NextSerial,
    /// With which digest; the set's own if absent.
    pub digest: Option<Digest>,
}

impl Authority {
    /// Proposes a certificate for what was ordered, without touching the CA key.
    ///
    /// # Errors
    ///
    /// [`ProposeError`]: every refusal of an order is in that list.
    pub fn propose(
        &self,
        order: Order<'_>,
        database: Database,
        now: Moment,
    ) -> Result<Proposal, ProposeError> {
        let Order { name, request, profile, serial, .. } = order;
        self.check_issuing(now)?;
        let issuer = self.certificate();
        let set = profile.set;
        let mut warnings = Vec::new();
        let key = request.public_key();
        check_key(key, issuer, set, &mut warnings)?;
        let SubjectTerms { given, policy, order: arrangement, email } = order.subject;
        let asked = given.unwrap_or_else(|| request.subject().clone());
        let common_name = asked.common_name().ok_or(ProposeError::NoCommonName)?;
        policy.check(&asked, issuer.subject())?;
        let subject = match arrangement {
            SubjectOrder::OfRequest => asked,
            SubjectOrder::OfPolicy => policy.arrange(&asked)?,
        };
        let (validity, warning) = order
            .period
            .under(set, issuer, now)
            .map_err(|source| ProposeError::Validity { name: name.clone(), source })?;
        warnings.extend(warning.map(Warning::Validity));
        warn_of_length(set, &profile.kind, validity, &mut warnings);
        let specs = profile.extensions(key, &common_name, &subject)?;
        self.check_path_length(&specs)?;
        let mut extensions = extension::encode(&specs, &subject, key, Issuer::Certificate(issuer))?;
        let subject = extension::subject_left(&specs, &subject)?;
        let subject = match email {
            SubjectEmail::Stays => subject,
            SubjectEmail::Leaves => subject.without(oid::EMAIL_ADDRESS)?,
        };
        profile.copy_from(request, &mut extensions, &mut warnings)?;
        self.check_constraints(&extensions, &subject)?;
        let named = extensions.iter().any(|extension| extension.extn_id == oid::SUBJECT_ALT_NAME);
        if profile.kind.is_server() && !named {
            match set {
                ProfileSet::Strict if matches!(profile.source, TypeSource::BuiltIn) => {
                    return Err(ProposeError::NoAltName(common_name));
                }
                _ => warnings.push(Warning::ServerWithoutAltName),
            }
        }
        self.file(
            Draft {
                name,
                subject,
                key: key.clone(),
                extensions,
                validity,
                serial,
                digest: order.digest.unwrap_or_else(|| set.digest(issuer.public_key())),
                kind: profile.kind,
                warnings,
            },
            database,
            ChangeSet::new(),
        )
    }

    /// The proposal of a certificate that was checked: its row, its number, its
    /// structure; `changes` happen first.
    pub(super) fn file(
        &self,
        draft: Draft,
        mut database: Database,
        mut changes: ChangeSet,
    ) -> Result<Proposal, ProposeError> {
        let Draft { name, subject, key, extensions, validity, serial, digest, kind, warnings } = draft;
        let issuer = self.certificate();
        let line = subject.one_line();
        let unique = database.unique_subject() == UniqueSubject::Yes;
        if unique && database.index.valid_with_subject(&line).next().is_some() {
            return Err(ProposeError::SubjectTaken(line));
        }
        database.index.add(validity.not_after, &serial.number.to_hex(), &line)?;
        database.issuing_changes(&serial, &mut changes);
        Terms {
            issuer: issuer.subject().clone(),
            signer_key: issuer.public_key().clone(),
            digest,
            subject,
            subject_key: key,
            serial: serial.number,
            validity,
            extensions,
            kind,
            warnings,
            changes,
            filed: Filed::Issued(name),
        }
        .propose()
    }
}

/// A certificate that was checked and has no place in the database yet.
pub(super) struct Draft {
    pub(super) name: EntryName,
    pub(super) subject: Name,
    pub(super) key: PublicKey,
    pub(super) extensions: Vec<Extension>,
    pub(super) validity: Validity,
    pub(super) serial: NextSerial,
    pub(super) digest: Digest,
    pub(super) kind: CertificateType,
    pub(super) warnings: Vec<Warning>,
}

impl Authority {
    /// A new CA must leave room for the certificates below it, under every CA
    /// above it (RFC 5280 §4.2.1.9).
    fn check_path_length(&self, specs: &[ExtensionSpec]) -> Result<(), ProposeError> {
        let is_ca =
            |spec: &ExtensionSpec| matches!(spec.value, ExtensionValue::BasicConstraints { ca: true, .. });
        if !specs.iter().any(is_ca) {
            return Ok(());
        }
        let above = std::iter::once(self.certificate()).chain(self.chain());
        for (between, issuer) in above.enumerate() {
            let limit = issuer.basic_constraints().and_then(|constraints| constraints.path_len_constraint);
            if let Some(limit) = limit
                && between + 1 > usize::from(limit)
            {
                return Err(ProposeError::PathLength { issuer: issuer.subject().to_string(), limit });
            }
        }
        Ok(())
    }

    /// A certificate that its own CA forbids would be refused by every verifier.
    pub(super) fn check_constraints(
        &self,
        extensions: &[Extension],
        subject: &Name,
    ) -> Result<(), ProposeError> {
        let named = extensions.iter().find(|extension| extension.extn_id == oid::SUBJECT_ALT_NAME);
        let names = named.map(|extension| Vec::from_der(extension.extn_value.as_bytes())).transpose()?;
        let names = names.unwrap_or_default();
        for issuer in std::iter::once(self.certificate()).chain(self.chain()) {
            if let Some(name) = constraints::forbidden(issuer, &names, subject) {
                return Err(ProposeError::NameConstraint { issuer: issuer.subject().to_string(), name });
            }
        }
        Ok(())
    }
}

pub(super) fn warn_of_length(
    set: ProfileSet,
    kind: &CertificateType,
    validity: Validity,
    warnings: &mut Vec<Warning>,
) {
    let length = validity.not_before.days_until(validity.not_after.plus(1));
    if set == ProfileSet::Strict && kind.is_server() && length > 825 {
        warnings.push(Warning::LongServerValidity);
    }
}

pub(crate) fn any(der: &[u8]) -> Result<Any, der::Error> {
    Any::from_der(der)
}

pub(super) fn check_key(
    key: &PublicKey,
    issuer: &Certificate,
    set: ProfileSet,
    warnings: &mut Vec<Warning>,
) -> Result<(), ProposeError> {
    if key == issuer.public_key() {
        return Err(ProposeError::AuthorityKey);
    }
    if let Some(KeyAlgorithm::Rsa { bits }) = key.algorithm()
        && bits < 2048
    {
        match set {
            ProfileSet::Strict => return Err(ProposeError::WeakKey(bits)),
            ProfileSet::Easyrsa => warnings.push(Warning::WeakKey(bits)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
