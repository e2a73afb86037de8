// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was proposed, what it becomes when it is signed, and nothing in between.

use der::{Decode, Encode, asn1::Any};
use thiserror::Error;
use x509_cert::{certificate::Version, ext::Extension};

use super::{super::validity::Validity, Warning};
use crate::{
    change::ChangeSet,
    key::{Digest, PublicKey, SignError, Signer},
    layout::{EntryName, PkiPath},
    x509::{
        certificate::{Certificate, CertificateError},
        name::Name,
        profile::CertificateType,
        serial::SerialNumber,
        signed::{Signed, TbsCertificate, TbsValidity, algorithm_for},
    },
};

/// A certificate that may be signed: everything but the signature.
#[derive(Debug)]
#[must_use = "a proposal is shown and signed"]
pub struct Proposal {
    pub(crate) tbs: TbsCertificate,
    pub(crate) digest: Digest,
    pub(crate) signer_key: PublicKey,
    pub(crate) subject: Name,
    pub(crate) subject_key: PublicKey,
    pub(crate) serial: SerialNumber,
    pub(crate) validity: Validity,
    pub(crate) kind: CertificateType,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) changes: ChangeSet,
    pub(crate) filed: Filed,
}

/// What a certificate is to say, who signs it, and what comes of it.
pub(crate) struct Terms {
    pub(crate) issuer: Name,
    pub(crate) signer_key: PublicKey,
    pub(crate) digest: Digest,
    pub(crate) subject: Name,
    pub(crate) subject_key: PublicKey,
    pub(crate) serial: SerialNumber,
    pub(crate) validity: Validity,
    /// None at all are left out (RFC 5280 §4.1.2.9).
    pub(crate) extensions: Vec<Extension>,
    pub(crate) kind: CertificateType,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) changes: ChangeSet,
    pub(crate) filed: Filed,
}

impl Terms {
    /// Encodes everything but the signature.
    pub(crate) fn propose<E: From<der::Error> + From<SignError>>(self) -> Result<Proposal, E> {
        let Self { digest, signer_key, subject, subject_key, serial, validity, extensions, .. } = self;
        let times = TbsValidity {
            not_before: validity.not_before.to_der_time(),
            not_after: validity.not_after.to_der_time(),
        };
        Ok(Proposal {
            tbs: TbsCertificate {
                version: Version::V3,
                serial_number: serial.to_der_integer()?,
                signature: algorithm_for(&signer_key, digest)?,
                issuer: Any::from_der(self.issuer.as_der())?,
                validity: times,
                subject: Any::from_der(subject.as_der())?,
                subject_public_key_info: Any::from_der(subject_key.as_der())?,
                issuer_unique_id: None,
                subject_unique_id: None,
                extensions: (!extensions.is_empty()).then_some(extensions),
            },
            digest,
            signer_key,
            subject,
            subject_key,
            serial,
            validity,
            kind: self.kind,
            warnings: self.warnings,
            changes: self.changes,
            filed: self.filed,
        })
    }
}

/// Where a certificate is filed once it is signed.
#[derive(Clone, Debug)]
pub(crate) enum Filed {
    /// `issued/NAME.crt` and `certs_by_serial/SERIAL.pem`.
    Issued(EntryName),
    /// `ca.crt`.
    Authority,
    /// `ca.crt`, in place of the present one.
    RenewedAuthority,
    /// `issued/NAME.crt` of a PKI without a CA, and so without a database.
    SelfSigned(EntryName),
}

/// A certificate that was signed, and what has to be recorded.
#[derive(Debug)]
#[must_use = "an issued certificate has to be recorded"]
pub struct Issued {
    certificate: Certificate,
    changes: ChangeSet,
}

/// Why a proposal was not signed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The private key is not the one of the CA's certificate.
    #[error("the CA's private key does not belong to its certificate")]
    WrongKey,
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The result does not come out.
    #[error("the certificate cannot be encoded")]
    Der(#[from] der::Error),
    /// The result cannot be read back.
    #[error("the new certificate cannot be read back")]
    Certificate(#[from] CertificateError),
}

impl Proposal {
    /// The subject.
    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The subject's public key.
    #[must_use]
    pub fn subject_key(&self) -> &PublicKey {
        &self.subject_key
    }

    /// The serial number.
    #[must_use]
    pub fn serial_number(&self) -> &SerialNumber {
        &self.serial
    }

    /// The validity period.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The certificate type.
    #[must_use]
    pub fn kind(&self) -> &CertificateType {
        &self.kind
    }

    /// The extensions, in order.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        self.tbs.extensions.as_deref().unwrap_or_default()
    }

    /// What is unusual about it.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The DER that would be signed.
    ///
    /// # Errors
    ///
    /// The encoding fails, which a checked proposal does not let happen.
    pub fn to_be_signed(&self) -> Result<Vec<u8>, der::Error> {
        self.tbs.to_der()
    }

    /// Signs what was proposed, and nothing else.
    ///
    /// # Errors
    ///
    /// [`IssueError`]; `signer` must hold the CA's key.
    pub fn sign(self, signer: &dyn Signer) -> Result<Issued, IssueError> {
        if *signer.public_key() != self.signer_key {
            return Err(IssueError::WrongKey);
        }
        let signed = Signed::new(&self.tbs, signer, self.digest)?;
        let certificate = Certificate::from_der(&signed.to_der()?)?;
        let mut changes = self.changes;
        let pem = certificate.to_pem();
        match self.filed {
            Filed::Issued(name) => {
                changes.create(PkiPath::CertificateBySerial(self.serial.to_hex()), pem.clone());
                changes.create(PkiPath::Issued(name), pem);
            }
            Filed::Authority => changes.create(PkiPath::CaCertificate, pem),
            Filed::RenewedAuthority => changes.replace(PkiPath::CaCertificate, pem),
            Filed::SelfSigned(name) => changes.create(PkiPath::Issued(name), pem),
        }
        Ok(Issued { certificate, changes })
    }
}

impl Issued {
    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What has to be recorded.
    pub fn into_changes(self) -> ChangeSet {
        self.changes
    }
}
