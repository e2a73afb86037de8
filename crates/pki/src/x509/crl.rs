// SPDX-License-Identifier: MIT OR Apache-2.0
//! A certificate revocation list as it was read (RFC 5280 §5), v1 lists included.

use der::{
    Decode, Encode,
    asn1::{Int, ObjectIdentifier},
};
use thiserror::Error;
use x509_cert::ext::Extension;

use super::{
    name::{Name, NameError},
    oid,
    serial::SerialNumber,
    signed::{EncodedEntries, RevokedCertificate, Signed, TbsCertList},
};
use crate::{
    index::Reason,
    key::{PublicKey, VerifyError},
    moment::Moment,
    pem::{self, PemError},
};

/// A CRL, read.
#[derive(Clone, Debug)]
pub struct Crl {
    der: Vec<u8>,
    signed: Signed,
    list: TbsCertList,
    entries: Vec<RevokedCertificate>,
    issuer: Name,
}

/// An entry of a CRL.
#[derive(Clone, Debug)]
pub struct RevokedEntry {
    /// The certificate; `None` for a negative number, which no certificate of ours has.
    pub serial_number: Option<SerialNumber>,
    /// The revocation date.
    pub revoked_at: Moment,
    /// The reason code, if it is there and known.
    pub reason: Option<Reason>,
    /// All entry extensions.
    pub extensions: Vec<Extension>,
}

impl RevokedEntry {
    /// The invalidity date (RFC 5280 §5.3.2), in the form of a GeneralizedTime with seconds.
    #[must_use]
    pub fn invalid_since(&self) -> Option<String> {
        let found = self.extensions.iter().find(|extension| extension.extn_id == oid::INVALIDITY_DATE)?;
        let [0x18, 15, text @ ..] = found.extn_value.as_bytes() else { return None };
        let text = std::str::from_utf8(text).ok()?;
        let digits = text.strip_suffix('Z')?.bytes().all(|byte| byte.is_ascii_digit());
        (digits && text.len() == 15).then(|| text.to_owned())
    }
}

/// Why bytes are not a CRL.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CrlError {
    /// Neither PEM with a CRL in it nor DER.
    #[error("there is no CRL in it")]
    None,
    /// The PEM around it is broken.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The DER is broken.
    #[error("it is not a CRL")]
    Der(#[from] der::Error),
    /// Its issuer cannot be read.
    #[error("its issuer cannot be read")]
    Issuer(#[from] NameError),
    /// RFC 5280 §5.1.1.2: inner and outer signature algorithm must be the same.
    #[error("it names two different signature algorithms")]
    TwoAlgorithms,
}

impl Crl {
    /// Reads a CRL, PEM or DER.
    ///
    /// # Errors
    ///
    /// [`CrlError`].
    pub fn read(file: &[u8]) -> Result<Self, CrlError> {
        let der = pem::first(file, &["X509 CRL"])?.ok_or(CrlError::None)?;
        let signed = Signed::from_der(&der)?;
        let list = TbsCertList::from_der(&signed.to_be_signed.to_der()?)?;
        if list.signature != signed.algorithm {
            return Err(CrlError::TwoAlgorithms);
        }
        let issuer = Name::from_der(&list.issuer.to_der()?)?;
        let entries = list.revoked_certificates.as_ref().map(EncodedEntries::decode).transpose()?;
        Ok(Self { der, signed, list, entries: entries.unwrap_or_default(), issuer })
    }

    /// The DER, as it was read.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The CRL as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem_of(&self.der)
    }

    /// 1 or 2.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.list.version.map_or(1, |version| version.saturating_add(1))
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// When it was issued.
    #[must_use]
    pub fn this_update(&self) -> Moment {
        self.list.this_update.into()
    }

    /// When the next one is due at the latest.
    #[must_use]
    pub fn next_update(&self) -> Option<Moment> {
        self.list.next_update.map(Moment::from)
    }

    /// The CRL number (RFC 5280 §5.2.3).
    #[must_use]
    pub fn number(&self) -> Option<SerialNumber> {
        let found = self.extensions().iter().find(|extension| extension.extn_id == oid::CRL_NUMBER)?;
        let integer = Int::from_der(found.extn_value.as_bytes()).ok()?;
        SerialNumber::from_der_integer(&integer).ok()
    }

    /// The extensions of the list.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        self.list.crl_extensions.as_deref().unwrap_or_default()
    }

    /// The revoked certificates, in order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = RevokedEntry> {
        self.entries.iter().map(described)
    }

    /// The entry for a certificate, if it is revoked.
    #[must_use]
    pub fn find(&self, serial: &SerialNumber) -> Option<RevokedEntry> {
        let wanted = serial.to_der_integer().ok()?;
        self.entries.iter().find(|entry| entry.user_certificate == wanted).map(described)
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

    /// Checks that `issuer`'s key made the signature.
    ///
    /// # Errors
    ///
    /// [`VerifyError`].
    pub fn verify_signature(&self, issuer: &PublicKey) -> Result<(), VerifyError> {
        self.signed.verify(issuer)
    }
}

/// The DER of a CRL as PEM.
pub(crate) fn pem_of(der: &[u8]) -> String {
    pem::encode("X509 CRL", der)
}

fn described(entry: &RevokedCertificate) -> RevokedEntry {
    let extensions = entry.crl_entry_extensions.clone().unwrap_or_default();
    RevokedEntry {
        serial_number: SerialNumber::from_der_integer(&entry.user_certificate).ok(),
        revoked_at: entry.revocation_date.into(),
        reason: extensions.iter().find_map(reason),
        extensions,
    }
}

fn reason(extension: &Extension) -> Option<Reason> {
    // CRLReason ::= ENUMERATED (RFC 5280 §5.3.1)
    let [0x0a, 1, code] = extension.extn_value.as_bytes() else { return None };
    let every = Reason::OFFERED.into_iter().chain([Reason::RemoveFromCrl]);
    (extension.extn_id == oid::CRL_REASON).then(|| every.into_iter().find(|reason| reason.code() == *code))?
}
