// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one place where a signature is made, and the ASN.1 structures that are
//! signed: certificates (RFC 5280 §4.1), CRLs (§5.1), requests (RFC 2986 §4).
//!
//! Names and public keys are carried as the DER they came in ([`Any`]), so no
//! string is re-encoded and no key algorithm is out of reach. x509-cert's own
//! structures cannot be built field by field, and its builders decide things
//! that RFC 5280 and easy-rsa decide otherwise.

use der::{
    Decode, DecodeValue, Encode, EncodeValue, FixedTag, Header, Length, Reader, Sequence, SliceReader, Tag,
    Writer,
    asn1::{Any, BitString, Int, OctetString},
};
use spki::AlgorithmIdentifierOwned;
use x509_cert::{
    certificate::Version,
    ext::{Extension, pkix::name::GeneralName},
    time::Time,
};

use crate::key::{Digest, PublicKey, SignError, Signer, VerifyError, signature_algorithm};

/// A structure with the signature over it.
#[derive(Clone, Debug, Sequence)]
pub(crate) struct Signed {
    pub(crate) to_be_signed: Any,
    pub(crate) algorithm: AlgorithmIdentifierOwned,
    pub(crate) signature: BitString,
}

impl Signed {
    /// Signs `structure`, which the caller has built for `algorithm` where it
    /// names one inside (see [`algorithm_for`]).
    pub(crate) fn new(
        structure: &impl Encode,
        signer: &dyn Signer,
        digest: Digest,
    ) -> Result<Self, SignError> {
        let to_be_signed = structure.to_der()?;
        let signature = signer.sign(digest, &to_be_signed)?;
        Ok(Self {
            to_be_signed: Any::from_der(&to_be_signed)?,
            algorithm: algorithm_for(signer.public_key(), digest)?,
            signature: BitString::from_bytes(&signature)?,
        })
    }

    /// Checks the signature against the key that shall have made it.
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), VerifyError> {
        let message = self.to_be_signed.to_der().map_err(|_| VerifyError::Mismatch)?;
        let signature = self.signature.as_bytes().ok_or(VerifyError::Mismatch)?;
        key.verify(&self.algorithm, &message, signature)
    }
}

/// The AlgorithmIdentifier that a signature by `key` will carry.
pub(crate) fn algorithm_for(key: &PublicKey, digest: Digest) -> Result<AlgorithmIdentifierOwned, SignError> {
    signature_algorithm(key, digest)
}

/// RFC 5280 §4.1.2.
#[derive(Clone, Debug, Sequence)]
pub(crate) struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "Default::default")]
    pub(crate) version: Version,
    pub(crate) serial_number: Int,
    pub(crate) signature: AlgorithmIdentifierOwned,
    pub(crate) issuer: Any,
    pub(crate) validity: TbsValidity,
    pub(crate) subject: Any,
    pub(crate) subject_public_key_info: Any,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) issuer_unique_id: Option<BitString>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) subject_unique_id: Option<BitString>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) extensions: Option<Vec<Extension>>,
}

/// RFC 5280 §4.1.2.5: both ends belong to the period.
#[derive(Clone, Copy, Debug, Sequence)]
pub(crate) struct TbsValidity {
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
}

/// RFC 5280 §5.1.2; the version is absent in a v1 list.
#[derive(Clone, Debug, Sequence)]
pub(crate) struct TbsCertList {
    #[asn1(optional = "true")]
    pub(crate) version: Option<u8>,
    pub(crate) signature: AlgorithmIdentifierOwned,
    pub(crate) issuer: Any,
    pub(crate) this_update: Time,
    #[asn1(optional = "true")]
    pub(crate) next_update: Option<Time>,
    #[asn1(optional = "true")]
    pub(crate) revoked_certificates: Option<EncodedEntries>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) crl_extensions: Option<Vec<Extension>>,
}

/// The value of `SEQUENCE OF` [`RevokedCertificate`], encoded: there may be
/// hundreds of thousands, and a structure for each costs more than the signature.
#[derive(Clone, Debug)]
pub(crate) struct EncodedEntries(pub(crate) Vec<u8>);

impl FixedTag for EncodedEntries {
    const TAG: Tag = Tag::Sequence;
}

impl EncodeValue for EncodedEntries {
    fn value_len(&self) -> der::Result<Length> {
        Length::try_from(self.0.len())
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        writer.write(&self.0)
    }
}

impl<'a> DecodeValue<'a> for EncodedEntries {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
        reader.read_vec(header.length()).map(Self)
    }
}

impl EncodedEntries {
    /// The entries, one by one.
    pub(crate) fn decode(&self) -> der::Result<Vec<RevokedCertificate>> {
        let mut reader = SliceReader::new(&self.0)?;
        let mut entries = Vec::new();
        while !reader.is_finished() {
            entries.push(reader.decode()?);
        }
        Ok(entries)
    }
}

/// An entry of a CRL.
#[derive(Clone, Debug, Sequence)]
pub(crate) struct RevokedCertificate {
    pub(crate) user_certificate: Int,
    pub(crate) revocation_date: Time,
    #[asn1(optional = "true")]
    pub(crate) crl_entry_extensions: Option<Vec<Extension>>,
}

/// RFC 2986 §4.1.
#[derive(Clone, Debug, Sequence)]
pub(crate) struct CertificationRequestInfo {
    pub(crate) version: u8,
    pub(crate) subject: Any,
    pub(crate) subject_public_key_info: Any,
    /// `[0] IMPLICIT SET OF Attribute`, raw: foreign requests come with attributes in any order.
    pub(crate) attributes: Any,
}

/// RFC 5280 §4.2.1.1.
#[derive(Clone, Debug, Sequence)]
pub(crate) struct AuthorityKeyIdentifier {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) key_identifier: Option<OctetString>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) authority_cert_issuer: Option<Vec<GeneralName>>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) authority_cert_serial_number: Option<Int>,
}
