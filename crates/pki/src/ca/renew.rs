// SPDX-License-Identifier: MIT OR Apache-2.0
//! Renewing a certificate: another one for the same key and subject, with every
//! extension of the old one, whatever type it was of.
//!
//! The old one stays valid until it is revoked; it goes to `renewed/issued`.

use der::{Decode, Encode, asn1::OctetString};
use thiserror::Error;
use x509_cert::ext::Extension;

use super::{
    authority::{Authority, Database, NextSerial},
    kind,
    revoke::remove_copies,
    sign::{self, Draft, Proposal, ProposeError, Warning},
    validity::Period,
};
use crate::{
    change::ChangeSet,
    index::Status,
    key::{Digest, PublicKey},
    layout::{EntryName, PkiPath, SerialHex},
    moment::Moment,
    x509::{
        certificate::Certificate,
        extension::{self, Inclusion, Issuer},
        general_name::{self, SubjectAltNames},
        oid,
        profile::{CertificateType, ProfileSet},
        signed::AuthorityKeyIdentifier,
    },
};

/// Everything that somebody wants of a renewed certificate.
#[derive(Clone, Debug)]
pub struct RenewOrder<'a> {
    /// The name under which the old one is filed, and the new one will be.
    pub name: EntryName,
    /// The old one.
    pub certificate: &'a Certificate,
    /// The key of the request that is filed under the name, if one is.
    pub request_key: Option<&'a PublicKey>,
    /// Whose rules there are for validity and digest.
    pub set: ProfileSet,
    /// Names in place of those of the old one.
    pub alt_names: Option<SubjectAltNames>,
    /// How long.
    pub period: Period,
    /// Under which number.
    pub serial: NextSerial,
    /// With which digest; the set's own if absent.
    pub digest: Option<Digest>,
}

/// Why a certificate is not renewed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RenewError {
    /// Another CA issued it, or it signed itself.
    #[error("the certificate {0} was not issued by this CA")]
    NotOurs(EntryName),
    /// It is revoked.
    #[error("the certificate {0} (serial number {1}) has been revoked")]
    Revoked(EntryName, SerialHex),
    /// A request for another key is filed.
    #[error("the request {0} is for another key than the certificate {0}")]
    OtherRequest(EntryName),
    /// What would refuse any certificate.
    #[error(transparent)]
    Propose(#[from] ProposeError),
}

impl Authority {
    /// Proposes to renew a certificate, without touching the CA key.
    ///
    /// Subject, public key and all extensions are those of the old one, byte for
    /// byte, but for the authority key identifier, which names the CA as it is
    /// now, and subjectAltName where `order` gives names.
    ///
    /// # Errors
    ///
    /// [`RenewError`].
    pub fn propose_renewal(
        &self,
        order: RenewOrder<'_>,
        mut database: Database,
        now: Moment,
    ) -> Result<Proposal, RenewError> {
        let RenewOrder { name, certificate, set, .. } = order;
        self.check_renewable(&name, certificate, &database)?;
        if order.request_key.is_some_and(|key| key != certificate.public_key()) {
            return Err(RenewError::OtherRequest(name));
        }
        self.check_issuing(now).map_err(ProposeError::from)?;
        let issuer = self.certificate();
        let mut warnings = Vec::new();
        sign::check_key(certificate.public_key(), issuer, set, &mut warnings)?;
        let (validity, warning) = order
            .period
            .under(set, issuer, now)
            .map_err(|source| ProposeError::Validity { name: name.clone(), source })?;
        warnings.extend(warning.map(Warning::Validity));
        let kind = kind_of(certificate);
        sign::warn_of_length(set, &kind, validity, &mut warnings);
        let mut extensions = self.carry_over(certificate).map_err(ProposeError::from)?;
        if let Some(names) = &order.alt_names {
            put_alt_names(names, set, &mut extensions)?;
        }
        self.check_constraints(&extensions, certificate.subject())?;
        let mut changes = ChangeSet::new();
        changes.relocate(PkiPath::Issued(name.clone()), PkiPath::Renewed(name.clone()));
        remove_copies(&name, &mut changes);
        database.allow_subjects_again();
        let draft = Draft {
            name,
            subject: certificate.subject().clone(),
            key: certificate.public_key().clone(),
            extensions,
            validity,
            serial: order.serial,
            digest: order.digest.unwrap_or_else(|| set.digest(issuer.public_key())),
            kind,
            warnings,
        };
        Ok(self.file(draft, database, changes)?)
    }

    fn check_renewable(
        &self,
        name: &EntryName,
        certificate: &Certificate,
        database: &Database,
    ) -> Result<(), RenewError> {
        let issuer = self.certificate();
        let ours = certificate.issuer().as_der() == issuer.subject().as_der()
            && certificate.verify_signature(issuer.public_key()).is_ok();
        if !ours {
            return Err(RenewError::NotOurs(name.clone()));
        }
        let serial = certificate.serial_number().to_hex();
        match database.index.find(&serial).map(|row| row.status()) {
            Some(Status::Revoked) => Err(RenewError::Revoked(name.clone(), serial)),
            _ => Ok(()),
        }
    }

    /// The extensions of `certificate` as they are to stand in the next one.
    fn carry_over(&self, certificate: &Certificate) -> Result<Vec<Extension>, der::Error> {
        let mut extensions = certificate.extensions().to_vec();
        for present in extensions.iter_mut().filter(|one| one.extn_id == oid::AUTHORITY_KEY_IDENTIFIER) {
            let old = AuthorityKeyIdentifier::from_der(present.extn_value.as_bytes())?;
            let issuer = Issuer::Certificate(self.certificate());
            let named = old.authority_cert_serial_number.is_some();
            let names = if named { Inclusion::Always } else { Inclusion::Never };
            let new = extension::authority_key_identifier(Inclusion::Always, names, &[], issuer)?;
            if let Some(new) = new {
                present.extn_value = OctetString::new(new.to_der()?)?;
            }
        }
        Ok(extensions)
    }
}

/// The type of a certificate for people to read; a custom type leaves no trace of its name.
fn kind_of(certificate: &Certificate) -> CertificateType {
    let custom = || CertificateType::Custom(EntryName::parse("custom").expect("a plain word"));
    kind::of(certificate).map_or_else(custom, |recognised| recognised.kind)
}

/// Puts `names` in the place of subjectAltName, or behind everything else.
fn put_alt_names(
    names: &SubjectAltNames,
    set: ProfileSet,
    extensions: &mut Vec<Extension>,
) -> Result<(), ProposeError> {
    if set == ProfileSet::Strict {
        names.names.iter().try_for_each(general_name::check).map_err(ProposeError::AltName)?;
    }
    let extension = Extension {
        extn_id: oid::SUBJECT_ALT_NAME,
        critical: names.critical,
        extn_value: OctetString::new(names.names.to_der()?)?,
    };
    match extensions.iter_mut().find(|present| present.extn_id == oid::SUBJECT_ALT_NAME) {
        Some(present) => *present = extension,
        None => extensions.push(extension),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
