// SPDX-License-Identifier: MIT OR Apache-2.0
//! Issuing a CRL (RFC 5280 §5) from the revoked rows of the index.

use der::{
    Encode,
    asn1::{ObjectIdentifier, OctetString},
};
use thiserror::Error;
use x509_cert::ext::Extension;

use super::{
    authority::{Authority, AuthorityError, Database},
    sign,
    validity::BACKDATE_SECONDS,
};
use crate::{
    change::ChangeSet,
    index::{Reason, Revocation, Status},
    key::{Digest, SignError, Signer},
    layout::PkiPath,
    moment::{Days, Moment},
    x509::{
        crl,
        extension::{self, ExtensionError, ExtensionSpec, ExtensionValue, Inclusion, Issuer},
        oid,
        profile::ProfileSet,
        serial::{self, SerialError, SerialNumber},
        signed::{EncodedEntries, Signed, TbsCertList, algorithm_for},
    },
};

/// Everything that somebody wants of a CRL.
#[derive(Clone, Copy, Debug)]
pub struct CrlOrder<'a> {
    /// The profile set: the strict set names the CA by key identifier alone.
    pub set: ProfileSet,
    /// Days until the next CRL is due.
    pub days: Days,
    /// With which digest; the set's own if absent.
    pub digest: Option<Digest>,
    /// Extensions beside the number; none leaves the authority key identifier to the set.
    pub extensions: &'a [ExtensionSpec],
}

/// What is known of the numbers given so far.
#[derive(Clone, Debug)]
pub struct CrlNumbers {
    /// The contents of `crlnumber`: the number of the next CRL.
    pub file: Option<Vec<u8>>,
    /// The number of the present `crl.pem`.
    pub present: Option<SerialNumber>,
}

/// Why a CRL is not proposed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CrlProposeError {
    /// The CA cannot sign CRLs now.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// `crlnumber` does not hold a number.
    #[error("the file crlnumber cannot be read")]
    Number(#[from] SerialError),
    /// The CA's key cannot sign with this digest.
    #[error(transparent)]
    Digest(#[from] SignError),
    /// No time can be written that far ahead.
    #[error("{days} from now lie beyond the year 9999")]
    Endless {
        /// What was asked for.
        days: Days,
    },
    /// An extension cannot be encoded.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// No days at all.
    #[error("a CRL that is valid for 0 days is of no use")]
    ZeroDays,
    /// The CRL cannot be encoded.
    #[error("the CRL cannot be encoded")]
    Der(#[from] der::Error),
}

/// A CRL that may be signed.
#[derive(Debug)]
#[must_use = "a proposal is signed"]
pub struct CrlProposal {
    list: TbsCertList,
    digest: Digest,
    signer_key: crate::key::PublicKey,
    number: SerialNumber,
    next_update: Moment,
    revoked: usize,
}

/// A CRL that was signed, and what has to be recorded.
#[derive(Debug)]
#[must_use = "an issued CRL has to be recorded"]
pub struct IssuedCrl {
    changes: ChangeSet,
}

/// Why a CRL was not signed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CrlIssueError {
    /// The private key is not the one of the CA's certificate.
    #[error("the CA's private key does not belong to its certificate")]
    WrongKey,
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The result does not come out.
    #[error("the CRL cannot be encoded")]
    Der(#[from] der::Error),
}

impl Authority {
    /// Proposes a CRL of everything that the index calls revoked, in the order
    /// of serial numbers as openssl writes it.
    ///
    /// The number is greater than every one given before, whether `crlnumber`
    /// or the present CRL remembers it (RFC 5280 §5.2.3).
    ///
    /// # Errors
    ///
    /// [`CrlProposeError`].
    pub fn propose_crl(
        &self,
        order: CrlOrder<'_>,
        database: &Database,
        numbers: &CrlNumbers,
        now: Moment,
    ) -> Result<CrlProposal, CrlProposeError> {
        self.check_revoking(now)?;
        if order.days.0 == 0 {
            return Err(CrlProposeError::ZeroDays);
        }
        let issuer = self.certificate();
        let number = next_number(numbers)?;
        let digest = order.digest.unwrap_or_else(|| order.set.digest(issuer.public_key()));
        let (this_update, with_issuer) = match order.set {
            ProfileSet::Strict => (now.minus(BACKDATE_SECONDS).max(issuer.not_before()), Inclusion::Never),
            ProfileSet::Easyrsa => (now, Inclusion::Always),
        };
        let next_update = Moment::from_unix(now.unix() + order.days.seconds());
        let next_update = next_update.ok_or(CrlProposeError::Endless { days: order.days })?;
        let (entries, revoked) = entries(database, order.set)?;
        let identifier = ExtensionSpec::non_critical(ExtensionValue::AuthorityKeyIdentifier {
            key_identifier: Inclusion::Always,
            issuer: with_issuer,
        });
        let specs = if order.extensions.is_empty() { &[identifier][..] } else { order.extensions };
        let issuing = Issuer::Certificate(issuer);
        let mut extensions = extension::encode(specs, issuer.subject(), issuer.public_key(), issuing)?;
        extensions.push(non_critical(oid::CRL_NUMBER, number.to_der_integer()?.to_der()?)?);
        Ok(CrlProposal {
            list: TbsCertList {
                version: Some(1),
                signature: algorithm_for(issuer.public_key(), digest)?,
                issuer: sign::any(issuer.subject().as_der())?,
                this_update: this_update.to_der_time(),
                next_update: Some(next_update.to_der_time()),
                // RFC 5280 §5.1.2.6: absent when there is nothing to list.
                revoked_certificates: (revoked > 0).then_some(entries),
                crl_extensions: Some(extensions),
            },
            digest,
            signer_key: issuer.public_key().clone(),
            number,
            next_update,
            revoked,
        })
    }
}

fn next_number(numbers: &CrlNumbers) -> Result<SerialNumber, SerialError> {
    let from_file = numbers.file.as_deref().map(serial::parse_file).transpose()?;
    let after_present = numbers.present.as_ref().map(SerialNumber::next);
    let known = from_file.into_iter().chain(after_present);
    Ok(known.max().unwrap_or_else(|| SerialNumber::from_integer(1)))
}

/// The entries, encoded and in the order of their serial numbers, and how many there are.
fn entries(database: &Database, set: ProfileSet) -> Result<(EncodedEntries, usize), der::Error> {
    let mut entries = Vec::new();
    for row in database.index.rows().filter(|row| row.status() == Status::Revoked) {
        let Some(revocation) = row.revocation() else { continue };
        let number = SerialNumber::parse(row.serial_text())
            .map_err(|_| der::ErrorKind::Length { tag: der::Tag::Integer })?;
        entries.push((number, revocation));
    }
    entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let mut encoded = Vec::with_capacity(entries.len() * 52);
    for (number, revocation) in &entries {
        encode_entry(number, revocation, set, &mut encoded)?;
    }
    Ok((EncodedEntries(encoded), entries.len()))
}

/// Appends one RevokedCertificate. By hand: 50,000 of them through structures
/// take ten times as long as everything else that a CRL costs.
fn encode_entry(
    number: &SerialNumber,
    revocation: &Revocation,
    set: ProfileSet,
    encoded: &mut Vec<u8>,
) -> Result<(), der::Error> {
    let start = encoded.len();
    // SEQUENCE; serial number, date and reason stay below the 128 bytes of a one byte length.
    encoded.extend_from_slice(&[0x30, 0]);
    number.encode_to(encoded)?;
    revocation.at.to_der_time().encode_to_vec(encoded)?;
    // RFC 5280 §5.3.1: the reason unspecified is better left out; openssl writes
    // it where index.txt has the word.
    let said = |reason: &Reason| set == ProfileSet::Easyrsa || *reason != Reason::Unspecified;
    if let Some(reason) = revocation.reason.filter(said) {
        // SEQUENCE { SEQUENCE { OID 2.5.29.21, OCTET STRING { ENUMERATED } } }
        let extensions = [0x30, 12, 0x30, 10, 6, 3, 0x55, 0x1d, 0x15, 4, 3, 10, 1, reason.code()];
        encoded.extend_from_slice(&extensions);
    }
    let length = u8::try_from(encoded.len() - start - 2).map_err(|_| der::ErrorKind::Overflow)?;
    encoded[start + 1] = length;
    Ok(())
}

fn non_critical(extn_id: ObjectIdentifier, der: Vec<u8>) -> Result<Extension, der::Error> {
    Ok(Extension { extn_id, critical: false, extn_value: OctetString::new(der)? })
}

impl CrlProposal {
    /// How many certificates are listed.
    #[must_use]
    pub fn revoked(&self) -> usize {
        self.revoked
    }

    /// The number of the CRL.
    #[must_use]
    pub fn number(&self) -> &SerialNumber {
        &self.number
    }

    /// When the next CRL is due at the latest.
    #[must_use]
    pub fn next_update(&self) -> Moment {
        self.next_update
    }

    /// Signs what was proposed.
    ///
    /// # Errors
    ///
    /// [`CrlIssueError`]; `signer` must hold the CA's key.
    pub fn sign(self, signer: &dyn Signer) -> Result<IssuedCrl, CrlIssueError> {
        if *signer.public_key() != self.signer_key {
            return Err(CrlIssueError::WrongKey);
        }
        let der = Signed::new(&self.list, signer, self.digest)?.to_der()?;
        let mut changes = ChangeSet::new();
        changes.keep(PkiPath::CrlNumber, PkiPath::CrlNumberOld);
        changes.replace(PkiPath::CrlNumber, format!("{}\n", self.number.next()));
        changes.replace(PkiPath::CrlPem, crl::pem_of(&der));
        changes.replace(PkiPath::CrlDer, der);
        Ok(IssuedCrl { changes })
    }
}

impl IssuedCrl {
    /// What has to be recorded.
    pub fn into_changes(self) -> ChangeSet {
        self.changes
    }
}

#[cfg(test)]
mod tests;
