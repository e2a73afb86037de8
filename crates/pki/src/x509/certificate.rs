// SPDX-License-Identifier: MIT OR Apache-2.0
//! A certificate as it was read: its DER, and what certkeep asks of it.
//!
//! Reading is lenient about policy (a v1 certificate or one without a subject
//! can be shown) and strict about encoding. Making certificates is the business
//! of [`crate::ca`].

use der::{Decode, Encode, asn1::ObjectIdentifier, flagset::FlagSet};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use x509_cert::ext::{
    Extension,
    pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, name::GeneralName},
};

use super::{
    name::{Name, NameError},
    oid,
    serial::{SerialError, SerialNumber},
    signed::{AuthorityKeyIdentifier, Signed, TbsCertificate},
};
use crate::{
    key::{PublicKey, PublicKeyError, VerifyError},
    moment::Moment,
    pem::{self, PemError},
};

/// A certificate, read.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    signed: Signed,
    tbs: TbsCertificate,
    serial_number: SerialNumber,
    issuer: Name,
    subject: Name,
    public_key: PublicKey,
}

/// Why bytes are not a certificate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Neither PEM with a certificate in it nor DER.
    #[error("there is no certificate in it")]
    None,
    /// The PEM around it is broken.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The DER is broken.
    #[error("it is not a certificate")]
    Der(#[from] der::Error),
    /// Its issuer or subject cannot be read.
    #[error("its issuer or subject cannot be read")]
    Name(#[from] NameError),
    /// Its serial number is negative.
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// Its public key cannot be read.
    #[error("its public key cannot be read")]
    PublicKey(#[from] PublicKeyError),
    /// RFC 5280 §4.1.1.2: inner and outer signature algorithm must be the same.
    #[error("it names two different signature algorithms")]
    TwoAlgorithms,
}

const LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

impl Certificate {
    /// Reads the first certificate of a file: PEM (with any text around it) or DER.
    ///
    /// # Errors
    ///
    /// [`CertificateError`].
    pub fn read(file: &[u8]) -> Result<Self, CertificateError> {
        let der = pem::first(file, &LABELS[..2])?.ok_or(CertificateError::None)?;
        Self::from_der(&der)
    }

    /// Reads every certificate of a file, in order: a sub-CA's `ca.crt` holds its chain.
    ///
    /// # Errors
    ///
    /// [`CertificateError`], also when there is none.
    pub fn read_all(file: &[u8]) -> Result<Vec<Self>, CertificateError> {
        let text = String::from_utf8_lossy(file);
        let blocks = pem::blocks(&text)?;
        if blocks.is_empty() {
            return Ok(vec![Self::from_der(file)?]);
        }
        let certificates = blocks.iter().filter(|block| LABELS[..2].contains(&block.label));
        let read =
            certificates.map(|block| Self::from_der(&block.decode()?)).collect::<Result<Vec<_>, _>>()?;
        if read.is_empty() { Err(CertificateError::None) } else { Ok(read) }
    }

    /// Reads DER.
    ///
    /// # Errors
    ///
    /// [`CertificateError`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let signed = Signed::from_der(der)?;
        let tbs = TbsCertificate::from_der(&signed.to_be_signed.to_der()?)?;
        if tbs.signature != signed.algorithm {
            return Err(CertificateError::TwoAlgorithms);
        }
        Ok(Self {
            der: der.to_vec(),
            serial_number: SerialNumber::from_der_integer(&tbs.serial_number)?,
            issuer: Name::from_der(&tbs.issuer.to_der()?)?,
            subject: Name::from_der(&tbs.subject.to_der()?)?,
            public_key: PublicKey::from_der(&tbs.subject_public_key_info.to_der()?)?,
            signed,
            tbs,
        })
    }

    /// The DER, as it was read.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The DER of what is signed (RFC 5280 §4.1.1.1).
    #[must_use]
    pub fn to_be_signed(&self) -> Vec<u8> {
        self.signed.to_be_signed.to_der().expect("it was read from DER")
    }

    /// The certificate as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// 1 or 3.
    #[must_use]
    pub fn version(&self) -> u8 {
        match self.tbs.version {
            x509_cert::certificate::Version::V1 => 1,
            x509_cert::certificate::Version::V2 => 2,
            x509_cert::certificate::Version::V3 => 3,
        }
    }

    /// The serial number.
    #[must_use]
    pub fn serial_number(&self) -> &SerialNumber {
        &self.serial_number
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// The subject.
    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The first second of the validity period.
    #[must_use]
    pub fn not_before(&self) -> Moment {
        self.tbs.validity.not_before.into()
    }

    /// The last second of the validity period.
    #[must_use]
    pub fn not_after(&self) -> Moment {
        self.tbs.validity.not_after.into()
    }

    /// The subject's public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The algorithm of the signature.
    #[must_use]
    pub fn signature_algorithm(&self) -> ObjectIdentifier {
        self.signed.algorithm.oid
    }

    /// The bytes of the signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.signed.signature.raw_bytes()
    }

    /// The extensions, in order.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        self.tbs.extensions.as_deref().unwrap_or_default()
    }

    /// Whether issuer and subject are the same name (RFC 5280 §6.1: self-issued).
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer.as_der() == self.subject.as_der()
    }

    /// basicConstraints, if the extension is there and can be read.
    #[must_use]
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.extension(oid::BASIC_CONSTRAINTS)
    }

    /// Whether basicConstraints says CA:TRUE.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.basic_constraints().is_some_and(|constraints| constraints.ca)
    }

    /// keyUsage, if the extension is there and can be read.
    #[must_use]
    pub fn key_usage(&self) -> Option<FlagSet<KeyUsages>> {
        self.extension::<KeyUsage>(oid::KEY_USAGE).map(|usage| usage.0)
    }

    /// extendedKeyUsage, if the extension is there and can be read.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<Vec<ObjectIdentifier>> {
        self.extension::<ExtendedKeyUsage>(oid::EXTENDED_KEY_USAGE).map(|usage| usage.0)
    }

    /// subjectAltName; empty if there is none.
    #[must_use]
    pub fn subject_alt_names(&self) -> Vec<GeneralName> {
        self.extension(oid::SUBJECT_ALT_NAME).unwrap_or_default()
    }

    /// The bytes of subjectKeyIdentifier.
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<Vec<u8>> {
        self.extension::<der::asn1::OctetString>(oid::SUBJECT_KEY_IDENTIFIER)
            .map(|identifier| identifier.as_bytes().to_vec())
    }

    /// The key identifier that authorityKeyIdentifier names.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<Vec<u8>> {
        self.extension::<AuthorityKeyIdentifier>(oid::AUTHORITY_KEY_IDENTIFIER)
            .and_then(|identifier| identifier.key_identifier)
            .map(|identifier| identifier.as_bytes().to_vec())
    }

    /// The serial number of the issuer's certificate that authorityKeyIdentifier names.
    #[must_use]
    pub fn authority_serial_number(&self) -> Option<SerialNumber> {
        let identifier = self.extension::<AuthorityKeyIdentifier>(oid::AUTHORITY_KEY_IDENTIFIER)?;
        SerialNumber::from_der_integer(&identifier.authority_cert_serial_number?).ok()
    }

    /// SHA-256 over the DER.
    #[must_use]
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }

    /// SHA-1 over the DER, which some consoles still show.
    #[must_use]
    pub fn fingerprint_sha1(&self) -> [u8; 20] {
        Sha1::digest(&self.der).into()
    }

    /// Checks that `issuer`'s key made the signature.
    ///
    /// # Errors
    ///
    /// [`VerifyError`].
    pub fn verify_signature(&self, issuer: &PublicKey) -> Result<(), VerifyError> {
        self.signed.verify(issuer)
    }

    pub(crate) fn extension<'a, T: Decode<'a, Error = der::Error>>(
        &'a self,
        wanted: ObjectIdentifier,
    ) -> Option<T> {
        let found = self.extensions().iter().find(|extension| extension.extn_id == wanted)?;
        T::from_der(found.extn_value.as_bytes()).ok()
    }
}
