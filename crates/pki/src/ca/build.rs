// SPDX-License-Identifier: MIT OR Apache-2.0
//! Making a CA: the self-signed root, or the request of a subordinate CA, and
//! the empty database beside it.

use thiserror::Error;

use super::{
    policy::Profile,
    sign::{Filed, Proposal, ProposeError, Terms},
    validity::{Period, ValidityError},
};
use crate::{
    change::ChangeSet,
    index::UniqueSubject,
    key::{Digest, PublicKey, SignError},
    layout::{PkiDirectory, PkiPath},
    moment::Moment,
    x509::{
        extension::{self, ExtensionError, Issuer},
        name::Name,
        serial::SerialNumber,
    },
};

/// Everything that somebody wants of a root CA.
#[derive(Clone, Debug)]
pub struct RootOrder<'a> {
    /// Who the CA is.
    pub subject: Name,
    /// Its key.
    pub key: &'a PublicKey,
    /// Its extensions; the type is `ca`.
    pub profile: Profile,
    /// How long.
    pub period: Period,
    /// The number of its own certificate.
    pub serial: SerialNumber,
    /// With which digest; the set's own if absent.
    pub digest: Option<Digest>,
}

/// Why a root CA is not proposed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RootError {
    /// A root is found by its common name (iOS hides one without).
    #[error("a CA needs a common name")]
    NoCommonName,
    /// The validity does not work out.
    #[error("the CA cannot run as asked")]
    Validity(#[from] ValidityError),
    /// Its profile does not work out.
    #[error(transparent)]
    Profile(#[from] ProposeError),
    /// An extension cannot be encoded.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// The key cannot sign with this digest.
    #[error(transparent)]
    Digest(#[from] SignError),
    /// The certificate cannot be encoded.
    #[error("the certificate cannot be encoded")]
    Der(#[from] der::Error),
}

/// Proposes a self-signed CA certificate.
///
/// # Errors
///
/// [`RootError`].
pub fn propose_root(order: RootOrder<'_>, now: Moment) -> Result<Proposal, RootError> {
    let RootOrder { subject, key, profile, period, serial, digest } = order;
    let common_name = subject.common_name().ok_or(RootError::NoCommonName)?;
    let validity = period.for_root(profile.set, now)?;
    let specs = profile.extensions(key, &common_name, &subject)?;
    let left = extension::subject_left(&specs, &subject)?;
    let issuer = Issuer::Itself { name: &left, serial: &serial };
    let extensions = extension::encode(&specs, &subject, key, issuer)?;
    let subject = left;
    let digest = digest.unwrap_or_else(|| profile.set.digest(key));
    Terms {
        issuer: subject.clone(),
        signer_key: key.clone(),
        digest,
        subject,
        subject_key: key.clone(),
        serial,
        validity,
        extensions,
        kind: profile.kind,
        warnings: Vec::new(),
        changes: empty_database(),
        filed: Filed::Authority,
    }
    .propose()
}

/// The directories and the empty database of a new CA, root or subordinate
/// (easy-rsa 3.2: build-ca).
pub fn empty_database() -> ChangeSet {
    let mut changes = ChangeSet::new();
    for directory in [
        PkiDirectory::Issued,
        PkiDirectory::CertificatesBySerial,
        PkiDirectory::RevokedCertificates,
        PkiDirectory::RevokedKeys,
        PkiDirectory::RevokedRequests,
    ] {
        changes.directory(directory);
    }
    changes.replace(PkiPath::Index, Vec::new());
    // easy-rsa 3.1: every command - refuses to work in a CA without it
    changes.replace(PkiPath::IndexAttributes, UniqueSubject::No.to_string());
    changes.replace(PkiPath::Serial, "01\n".to_owned());
    changes
}

#[cfg(test)]
mod tests;
