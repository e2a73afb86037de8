// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the inventory wants to know of a certificate, and no more: ten thousand
//! of these are in memory at once.

use crate::{
    ca::kind,
    moment::Moment,
    x509::{
        certificate::{Certificate, CertificateError},
        general_name,
    },
};

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The serial number, upper-case hexadecimal with an even number of digits.
    pub serial: String,
    /// The subject as people write it. Foreign text is not escaped.
    pub subject: String,
    /// The last common name of the subject, unless it is empty.
    pub common_name: Option<String>,
    /// The DER of the issuer's name.
    pub issuer_der: Vec<u8>,
    /// The DER of the subject.
    pub subject_der: Vec<u8>,
    /// The certificate type that its purposes tell, such as `server`; empty if they tell none.
    pub kind: String,
    /// Whether it is a CA's.
    pub is_authority: bool,
    /// The alternative names in openssl's notation, such as `DNS:www.example.net`.
    pub alternative_names: Vec<String>,
    /// The first second of the validity period.
    pub not_before: Moment,
    /// The last second of the validity period.
    pub not_after: Moment,
    /// The algorithm of the public key, for people.
    pub key_algorithm: String,
    /// SHA-256 over the DER.
    pub sha256: [u8; 32],
}

impl Facts {
    /// Reads the first certificate of a file.
    ///
    /// # Errors
    ///
    /// As [`Certificate::read`].
    pub fn read(file: &[u8]) -> Result<Self, CertificateError> {
        Certificate::read(file).map(|certificate| Self::of(&certificate))
    }

    /// Reads every certificate of a file, in order: `ca.crt` may hold a chain.
    ///
    /// # Errors
    ///
    /// As [`Certificate::read_all`].
    pub fn read_all(file: &[u8]) -> Result<Vec<Self>, CertificateError> {
        Ok(Certificate::read_all(file)?.iter().map(Self::of).collect())
    }

    /// What `certificate` says.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        let names = certificate.subject_alt_names();
        Self {
            serial: certificate.serial_number().to_hex().as_str().to_owned(),
            subject: certificate.subject().to_string(),
            common_name: certificate.subject().common_name().filter(|name| !name.is_empty()),
            issuer_der: certificate.issuer().as_der().to_vec(),
            subject_der: certificate.subject().as_der().to_vec(),
            kind: kind::of(certificate).map(|kind| kind.to_string()).unwrap_or_default(),
            is_authority: certificate.is_ca(),
            alternative_names: names.iter().map(general_name::display).collect(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            key_algorithm: certificate.public_key().algorithm_name(),
            sha256: certificate.fingerprint_sha256(),
        }
    }

    /// The SHA-256 fingerprint as 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        crate::x509::hex(&self.sha256)
    }
}
