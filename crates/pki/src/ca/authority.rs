// SPDX-License-Identifier: MIT OR Apache-2.0
//! The CA as it stands: its certificate with the chain above it, and its
//! database. Read from bytes that somebody else gathered.

use rand_core::CryptoRng;
use thiserror::Error;
use x509_cert::ext::pkix::KeyUsages;

use crate::{
    change::ChangeSet,
    index::{Index, UniqueSubject},
    layout::PkiPath,
    moment::Moment,
    x509::{
        certificate::{Certificate, CertificateError},
        serial::{self, SerialError, SerialNumber},
    },
};

/// A certificate authority: the certificate that signs, and what is above it.
#[derive(Clone, Debug)]
pub struct Authority {
    certificate: Certificate,
    chain: Vec<Certificate>,
}

/// Why a certificate cannot issue others.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// ca.crt cannot be read.
    #[error("ca.crt cannot be read")]
    Certificate(#[from] CertificateError),
    /// basicConstraints does not say CA:TRUE.
    #[error("the certificate in ca.crt is not one of a CA (basicConstraints)")]
    NotACa,
    /// keyUsage is there and lacks keyCertSign or cRLSign.
    #[error("the CA may not sign {0} (keyUsage)")]
    KeyUsage(&'static str),
    /// The CA has expired.
    #[error("the CA expired on {not_after} (now is {now})")]
    Expired {
        /// The CA's last second.
        not_after: Moment,
        /// The clock.
        now: Moment,
    },
    /// The CA is not valid yet.
    #[error("the CA becomes valid on {not_before} (now is {now})")]
    NotYetValid {
        /// The CA's first second.
        not_before: Moment,
        /// The clock.
        now: Moment,
    },
}

impl Authority {
    /// Reads `ca.crt`: the CA's certificate, then whatever chain is above it.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Certificate`].
    pub fn read(ca_crt: &[u8]) -> Result<Self, AuthorityError> {
        let mut chain = Certificate::read_all(ca_crt)?;
        let certificate = chain.remove(0);
        Ok(Self { certificate, chain })
    }

    /// The CA's own certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The certificates above it, as they stand in `ca.crt`.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// Checks that the CA may sign certificates now.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`].
    pub fn check_issuing(&self, now: Moment) -> Result<(), AuthorityError> {
        self.check(KeyUsages::KeyCertSign, "certificates", now)
    }

    /// Checks that the CA may sign CRLs now.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`].
    pub fn check_revoking(&self, now: Moment) -> Result<(), AuthorityError> {
        self.check(KeyUsages::CRLSign, "CRLs", now)
    }

    fn check(&self, usage: KeyUsages, what: &'static str, now: Moment) -> Result<(), AuthorityError> {
        let certificate = &self.certificate;
        if !certificate.is_ca() {
            return Err(AuthorityError::NotACa);
        }
        if certificate.key_usage().is_some_and(|usages| !usages.contains(usage)) {
            return Err(AuthorityError::KeyUsage(what));
        }
        if now > certificate.not_after() {
            return Err(AuthorityError::Expired { not_after: certificate.not_after(), now });
        }
        if now < certificate.not_before() {
            return Err(AuthorityError::NotYetValid { not_before: certificate.not_before(), now });
        }
        Ok(())
    }
}

/// How the next serial number is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SerialMode {
    /// 128 random bits: what makes issuing on two branches safe.
    Random,
    /// The number in the `serial` file (`EASYRSA_RAND_SN=no`).
    Sequential,
}

/// The files of `openssl ca`: `index.txt`, `index.txt.attr`, `serial`.
#[derive(Clone, Debug)]
pub struct Database {
    /// The rows.
    pub index: Index,
    unique_subject: Option<UniqueSubject>,
    next_serial: Vec<u8>,
}

/// Why no serial number can be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NextSerialError {
    /// The file does not hold a number.
    #[error("the file serial cannot be read")]
    File(#[from] SerialError),
    /// The number of the `serial` file has been given already.
    #[error("the serial number {0} of the file serial is in index.txt already")]
    Taken(SerialNumber),
}

/// A serial number that is free, and how the `serial` file goes on from it.
#[derive(Clone, Debug)]
pub struct NextSerial {
    pub(crate) number: SerialNumber,
    mode: SerialMode,
}

impl NextSerial {
    /// The number.
    #[must_use]
    pub fn number(&self) -> &SerialNumber {
        &self.number
    }
}

impl Database {
    /// Puts the files together; `attributes` is `None` where index.txt.attr is missing.
    #[must_use]
    pub fn new(index: Index, attributes: Option<&str>, serial_file: Vec<u8>) -> Self {
        Self { index, unique_subject: attributes.map(UniqueSubject::parse), next_serial: serial_file }
    }

    /// Whether a second valid certificate for a subject is refused.
    #[must_use]
    pub fn unique_subject(&self) -> UniqueSubject {
        self.unique_subject.unwrap_or(UniqueSubject::No)
    }

    /// Lets a second valid certificate have the subject of a first, from now on
    /// (easy-rsa 3.2: renew - writes `unique_subject = no`).
    pub(crate) fn allow_subjects_again(&mut self) {
        if self.unique_subject == Some(UniqueSubject::Yes) {
            // As if the file had never said it: then it is written anew.
            self.unique_subject = None;
        }
    }

    /// Chooses the serial number of the next certificate.
    ///
    /// # Errors
    ///
    /// [`NextSerialError`]; in random mode never.
    pub fn next_serial(
        &self,
        mode: SerialMode,
        rng: &mut dyn CryptoRng,
    ) -> Result<NextSerial, NextSerialError> {
        let number = match mode {
            // Of 128 random bits none has come twice; if it did, the index would refuse the row.
            SerialMode::Random => SerialNumber::random(rng),
            SerialMode::Sequential => {
                let number = serial::parse_file(&self.next_serial)?;
                if self.index.find(&number.to_hex()).is_some() {
                    return Err(NextSerialError::Taken(number));
                }
                number
            }
        };
        Ok(NextSerial { number, mode })
    }

    /// The changes to the files once a certificate with `serial` was added to
    /// the index: what `openssl ca` leaves behind when easy-rsa calls it.
    pub(crate) fn issuing_changes(self, serial: &NextSerial, changes: &mut ChangeSet) {
        self.index_changes(changes);
        match serial.mode {
            // easy-rsa 3.2: sign-req - writes the number it drew in lower case, which openssl then rotates
            SerialMode::Random => {
                changes.replace(PkiPath::SerialOld, format!("{}\n", serial.number).to_ascii_lowercase());
            }
            SerialMode::Sequential => changes.keep(PkiPath::Serial, PkiPath::SerialOld),
        }
        changes.replace(PkiPath::Serial, format!("{}\n", serial.number.next()));
    }

    /// The changes to `index.txt` and `index.txt.attr`.
    pub(crate) fn index_changes(self, changes: &mut ChangeSet) {
        changes.keep(PkiPath::Index, PkiPath::IndexOld);
        changes.replace(PkiPath::Index, self.index.into_string());
        changes.keep(PkiPath::IndexAttributes, PkiPath::IndexAttributesOld);
        if self.unique_subject.is_none() {
            changes.replace(PkiPath::IndexAttributes, UniqueSubject::No.to_string());
        }
    }
}

#[cfg(test)]
mod tests;
