// SPDX-License-Identifier: MIT OR Apache-2.0
//! Certificate signing requests (RFC 2986): read with proof of possession, and
//! made for a key of ours.
//!
//! A request that was read keeps its bytes; attributes and extensions that
//! nobody here understands are still there when it is filed.

use der::{
    Decode, Encode, Tag, TagMode, TagNumber, Tagged,
    asn1::{Any, ContextSpecificRef, SetOfVec},
};
use thiserror::Error;
use x509_cert::{attr::Attribute, ext::Extension};

use super::{
    extension::{self, ExtensionError, ExtensionSpec, ExtensionValue, Issuer},
    name::{Name, NameError},
    oid,
    serial::SerialNumber,
    signed::{CertificationRequestInfo, Signed},
};
use crate::{
    key::{Digest, PublicKey, PublicKeyError, SignError, Signer, VerifyError},
    pem::{self, PemError},
};

/// A request whose signature was checked: whoever made it holds the private key.
#[derive(Clone, Debug)]
pub struct Request {
    der: Vec<u8>,
    signed: Signed,
    subject: Name,
    public_key: PublicKey,
    attributes: Vec<Attribute>,
    extensions: Vec<Extension>,
}

/// Why bytes are not a request that can be signed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Neither PEM with a request in it nor DER.
    #[error("there is no certificate signing request in it")]
    None,
    /// The PEM around it is broken.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The DER is broken.
    #[error("it is not a certificate signing request")]
    Der(#[from] der::Error),
    /// Its subject cannot be read.
    #[error("its subject cannot be read")]
    Subject(#[from] NameError),
    /// Its public key cannot be read.
    #[error("its public key cannot be read")]
    PublicKey(#[from] PublicKeyError),
    /// The signature was not made with the private half of its public key.
    #[error("its signature does not prove possession of the private key")]
    Possession(#[source] VerifyError),
}

/// Why a request cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MakeError {
    /// The key cannot sign with this digest.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// An extension that is about the issuer.
    #[error("a request cannot ask for the extension {0}")]
    OfIssuer(String),
    /// An extension cannot be encoded.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// The structure cannot be encoded.
    #[error("the request cannot be encoded")]
    Der(#[from] der::Error),
}

const LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

impl Request {
    /// Reads a request, PEM or DER, and checks its proof of possession before
    /// anything else is believed.
    ///
    /// # Errors
    ///
    /// [`RequestError`].
    pub fn read(file: &[u8]) -> Result<Self, RequestError> {
        let der = pem::first(file, &LABELS)?.ok_or(RequestError::None)?;
        let signed = Signed::from_der(&der)?;
        let info = CertificationRequestInfo::from_der(&signed.to_be_signed.to_der()?)?;
        let public_key = PublicKey::from_der(&info.subject_public_key_info.to_der()?)?;
        signed.verify(&public_key).map_err(RequestError::Possession)?;
        let attributes = read_attributes(&info.attributes)?;
        let requested = attributes.iter().filter(|attribute| attribute.oid == oid::EXTENSION_REQUEST);
        let mut extensions = Vec::new();
        for value in requested.flat_map(|attribute| attribute.values.iter()) {
            extensions.extend(value.decode_as::<Vec<Extension>>()?);
        }
        Ok(Self {
            der,
            subject: Name::from_der(&info.subject.to_der()?)?,
            signed,
            public_key,
            attributes,
            extensions,
        })
    }

    /// Makes a request for the key of `signer`, with an extension request if
    /// anything is `asked` for.
    ///
    /// # Errors
    ///
    /// [`MakeError`].
    pub fn make<'a>(
        subject: &Name,
        asked: impl IntoIterator<Item = &'a ExtensionSpec>,
        signer: &dyn Signer,
        digest: Digest,
    ) -> Result<Self, MakeError> {
        // Nobody issues yet, so there is nothing to copy from an issuer.
        let asked: Vec<ExtensionSpec> = asked.into_iter().cloned().collect();
        let identifies_issuer =
            |spec: &&ExtensionSpec| matches!(spec.value, ExtensionValue::AuthorityKeyIdentifier { .. });
        if let Some(spec) = asked.iter().find(identifies_issuer) {
            return Err(MakeError::OfIssuer(oid::short_name(oid::EXTENSIONS, spec.oid())));
        }
        let whole = subject;
        let subject = &extension::subject_left(&asked, whole)?;
        let nobody = Issuer::Itself { name: subject, serial: &SerialNumber::from_integer(1) };
        let extensions = extension::encode(&asked, whole, signer.public_key(), nobody)?;
        let attributes = if extensions.is_empty() {
            Vec::new()
        } else {
            let values = SetOfVec::try_from(vec![Any::encode_from(&extensions)?])?;
            vec![Attribute { oid: oid::EXTENSION_REQUEST, values }]
        };
        let encoded = SetOfVec::try_from(attributes.clone())?;
        let tagged =
            ContextSpecificRef { tag_number: TagNumber(0), tag_mode: TagMode::Implicit, value: &encoded };
        let info = CertificationRequestInfo {
            version: 0,
            subject: Any::from_der(subject.as_der())?,
            subject_public_key_info: Any::from_der(signer.public_key().as_der())?,
            attributes: Any::from_der(&tagged.to_der()?)?,
        };
        let signed = Signed::new(&info, signer, digest)?;
        Ok(Self {
            der: signed.to_der()?,
            signed,
            subject: subject.clone(),
            public_key: signer.public_key().clone(),
            attributes,
            extensions,
        })
    }

    /// The DER, as it was read or made.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The request as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(LABELS[0], &self.der)
    }

    /// The subject that is asked for.
    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The public key whose private half signed the request.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The attributes, in order.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The extensions that are asked for.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The algorithm of the signature.
    #[must_use]
    pub fn signature_algorithm(&self) -> der::asn1::ObjectIdentifier {
        self.signed.algorithm.oid
    }

    /// The bytes of the signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.signed.signature.raw_bytes()
    }
}

/// Reads `[0] IMPLICIT SET OF Attribute` without asking for DER's order of sets.
fn read_attributes(raw: &Any) -> Result<Vec<Attribute>, der::Error> {
    if raw.tag() != (Tag::ContextSpecific { constructed: true, number: TagNumber(0) }) {
        return Err(raw.tag().unexpected_error(None).into());
    }
    let sequence = Any::new(Tag::Sequence, raw.value())?;
    sequence.decode_as::<Vec<Attribute>>()
}

#[cfg(test)]
mod tests;
