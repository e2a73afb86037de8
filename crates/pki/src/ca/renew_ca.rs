// SPDX-License-Identifier: MIT OR Apache-2.0
//! Renewing the CA itself: another certificate for the same key, subject and key
//! identifier, so that everything it has issued goes on to verify.
//!
//! A root signs itself anew. A subordinate CA is signed by the CA above it; what
//! comes back from there is installed.

use der::{Decode, Encode, asn1::OctetString};
use thiserror::Error;

use super::{
    authority::Authority,
    sign::{Filed, Proposal, Terms},
    validity::{Period, ValidityError},
};
use crate::{
    change::ChangeSet,
    key::{Digest, SignError},
    layout::PkiPath,
    moment::Moment,
    x509::{
        certificate::{Certificate, CertificateError},
        extension::{self, Inclusion, Issuer},
        oid,
        profile::{CertificateType, ProfileSet},
        serial::SerialNumber,
        signed::AuthorityKeyIdentifier,
    },
};

/// What `expired-ca.list` begins with.
const LIST_HEADER: &str = "# CA certificates that were replaced by `renew-ca`, the newest first.\n\
                           # Whoever has not got the present ca.crt yet still trusts one of these.\n";

/// Everything that somebody wants of a renewed root.
#[derive(Clone, Copy, Debug)]
pub struct CaRenewalOrder<'a> {
    /// Whose rules there are for validity and digest.
    pub set: ProfileSet,
    /// How long.
    pub period: Period,
    /// The new number, unless the old one has to be kept.
    pub serial: &'a SerialNumber,
    /// With which digest; the set's own if absent.
    pub digest: Option<Digest>,
    /// `expired-ca.list` as it is.
    pub expired_list: Option<&'a str>,
}

/// Why the CA is not renewed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CaRenewalError {
    /// The CA is a subordinate one: the CA above has to sign.
    #[error("the CA was issued by {0}, which alone can renew it")]
    NotARoot(String),
    /// The validity does not work out.
    #[error("the CA cannot run as asked")]
    Validity(#[from] ValidityError),
    /// The key cannot sign with this digest.
    #[error(transparent)]
    Digest(#[from] SignError),
    /// The certificate cannot be encoded.
    #[error("the certificate cannot be encoded")]
    Der(#[from] der::Error),
}

/// Why a certificate does not take the place of the CA's.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InstallError {
    /// It cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// It is for another key.
    #[error("no certificate in it is for the key of this CA")]
    OtherKey,
    /// It has another subject: what the CA has issued names the old one.
    #[error("its subject is {found}, and the CA is {wanted}")]
    OtherSubject {
        /// Of the certificate.
        found: String,
        /// Of the CA.
        wanted: String,
    },
    /// It has another subject key identifier: what the CA has issued names the old one.
    #[error("its subject key identifier differs from that of the CA's certificate")]
    OtherKeyIdentifier,
    /// It is no CA's.
    #[error("it is not one of a CA (basicConstraints)")]
    NotACa,
    /// It is the one that is there.
    #[error("it is the present certificate of the CA")]
    Same,
    /// It has expired.
    #[error("it expired on {0}")]
    Expired(Moment),
    /// Nobody who could have signed it is known.
    #[error("it was issued by {0}, whose certificate is neither in the file nor in ca.crt")]
    NoIssuer(String),
}

/// A certificate that takes the place of the CA's.
#[derive(Debug)]
#[must_use = "a certificate that is not recorded is not installed"]
pub struct Installation {
    /// The certificate.
    pub certificate: Certificate,
    changes: ChangeSet,
}

impl Authority {
    /// Whether the CA signed itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        let certificate = self.certificate();
        certificate.is_self_issued() && certificate.verify_signature(certificate.public_key()).is_ok()
    }

    /// Proposes another certificate for this root: same key, same subject, same
    /// extensions.
    ///
    /// The serial number is a new one, unless a certificate of `issued` names the
    /// present one in its authority key identifier: it would verify no more.
    ///
    /// # Errors
    ///
    /// [`CaRenewalError`].
    pub fn propose_ca_renewal(
        &self,
        order: CaRenewalOrder<'_>,
        issued: &[Certificate],
        now: Moment,
    ) -> Result<Proposal, CaRenewalError> {
        let old = self.certificate();
        if !self.is_root() {
            return Err(CaRenewalError::NotARoot(old.issuer().to_string()));
        }
        let key = old.public_key();
        let named = issued.iter().any(|one| {
            one.as_der() != old.as_der()
                && one.authority_serial_number().as_ref() == Some(old.serial_number())
        });
        let serial = if named { old.serial_number() } else { order.serial }.clone();
        let validity = order.period.for_root(order.set, now)?;
        let digest = order.digest.unwrap_or_else(|| order.set.digest(key));
        let mut extensions = old.extensions().to_vec();
        for present in extensions.iter_mut().filter(|one| one.extn_id == oid::AUTHORITY_KEY_IDENTIFIER) {
            let read = AuthorityKeyIdentifier::from_der(present.extn_value.as_bytes())?;
            if read.authority_cert_serial_number.is_some() {
                let itself = Issuer::Itself { name: old.subject(), serial: &serial };
                if let Some(new) =
                    extension::authority_key_identifier(Inclusion::Never, Inclusion::Always, &[], itself)?
                {
                    let kept = AuthorityKeyIdentifier { key_identifier: read.key_identifier, ..new };
                    present.extn_value = OctetString::new(kept.to_der()?)?;
                }
            }
        }
        let mut changes = ChangeSet::new();
        changes.replace(PkiPath::ExpiredCaList, listed(old, order.expired_list));
        Terms {
            issuer: old.subject().clone(),
            signer_key: key.clone(),
            digest,
            subject: old.subject().clone(),
            subject_key: key.clone(),
            serial,
            validity,
            extensions,
            kind: CertificateType::Ca,
            warnings: Vec::new(),
            changes,
            filed: Filed::RenewedAuthority,
        }
        .propose()
    }

    /// Proposes to put a certificate of this CA that somebody else has signed in
    /// the place of the present one. `file` holds it, and may hold the chain above
    /// it; without one the chain of `ca.crt` is kept.
    ///
    /// # Errors
    ///
    /// [`InstallError`]. A certificate is taken only if its issuer's is at hand and
    /// has signed it, unless `ca.crt` has held no chain before.
    pub fn install(
        &self,
        file: &[u8],
        expired_list: Option<&str>,
        now: Moment,
    ) -> Result<Installation, InstallError> {
        let old = self.certificate();
        let mut found = Certificate::read_all(file)?;
        let place = found.iter().position(|one| one.public_key() == old.public_key());
        let new = found.remove(place.ok_or(InstallError::OtherKey)?);
        check_successor(&new, old, now)?;
        let has_signed = |issuer: &Certificate| {
            issuer.subject().as_der() == new.issuer().as_der()
                && new.verify_signature(issuer.public_key()).is_ok()
        };
        // The issuer first, then whatever is above it, in the order of the file.
        let mut chain = if found.iter().any(has_signed) { found } else { self.chain().to_vec() };
        match chain.iter().position(has_signed) {
            Some(issuer) => chain[..=issuer].rotate_right(1),
            None if self.chain().is_empty() && chain.is_empty() => {}
            None => return Err(InstallError::NoIssuer(new.issuer().to_string())),
        }
        let mut changes = ChangeSet::new();
        changes.replace(PkiPath::ExpiredCaList, listed(old, expired_list));
        let file: String = std::iter::once(&new).chain(&chain).map(Certificate::to_pem).collect();
        changes.replace(PkiPath::CaCertificate, file);
        Ok(Installation { certificate: new, changes })
    }
}

impl Installation {
    /// What has to be recorded.
    pub fn into_changes(self) -> ChangeSet {
        self.changes
    }
}

fn check_successor(new: &Certificate, old: &Certificate, now: Moment) -> Result<(), InstallError> {
    if new.as_der() == old.as_der() {
        return Err(InstallError::Same);
    }
    if new.subject().as_der() != old.subject().as_der() {
        let (found, wanted) = (new.subject().to_string(), old.subject().to_string());
        return Err(InstallError::OtherSubject { found, wanted });
    }
    if !new.is_ca() {
        return Err(InstallError::NotACa);
    }
    if new.subject_key_identifier() != old.subject_key_identifier() {
        return Err(InstallError::OtherKeyIdentifier);
    }
    if new.not_after() < now {
        return Err(InstallError::Expired(new.not_after()));
    }
    Ok(())
}

/// `expired-ca.list` with one more certificate in front.
fn listed(old: &Certificate, list: Option<&str>) -> String {
    let earlier = list.unwrap_or_default();
    let earlier = earlier.strip_prefix(LIST_HEADER).unwrap_or(earlier);
    format!(
        "{LIST_HEADER}\n# Serial number {}, valid until {}\n{}{}{earlier}",
        old.serial_number(),
        old.not_after(),
        old.to_pem(),
        if earlier.is_empty() || earlier.starts_with('\n') { "" } else { "\n" },
    )
}

#[cfg(test)]
mod tests;
