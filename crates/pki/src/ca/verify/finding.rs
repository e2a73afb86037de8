// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a verification finds, for people.

use std::fmt;

use crate::{index::Reason, moment::Moment};

/// Something that makes a verifier refuse the certificate. `subject` tells
/// which certificate of the path it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// No certificate at hand has signed it.
    NoIssuer {
        /// The certificate.
        subject: String,
        /// Who it says has signed it.
        issuer: String,
    },
    /// The last second has passed.
    Expired {
        /// The certificate.
        subject: String,
        /// Its last second.
        not_after: Moment,
    },
    /// The first second lies ahead.
    NotYetValid {
        /// The certificate.
        subject: String,
        /// Its first second.
        not_before: Moment,
    },
    /// An issuer that is no CA.
    NotACa {
        /// The certificate.
        subject: String,
    },
    /// An issuer that may not sign certificates.
    MayNotSign {
        /// The certificate.
        subject: String,
    },
    /// More CAs below an issuer than its pathLenConstraint allows.
    PathLength {
        /// The certificate.
        subject: String,
        /// Its limit.
        limit: u8,
    },
    /// A critical extension that nobody here understands.
    CriticalExtension {
        /// The certificate.
        subject: String,
        /// The extension.
        extension: String,
    },
    /// The purpose is not among those of extendedKeyUsage.
    Purpose {
        /// The certificate.
        subject: String,
        /// The purpose.
        purpose: String,
    },
    /// subjectAltName is there and empty, or holds a name that is none.
    AltNames {
        /// The certificate.
        subject: String,
    },
    /// A name that a CA above does not allow.
    NameConstraint {
        /// The CA.
        subject: String,
        /// The name.
        name: String,
    },
    /// Revoked.
    Revoked {
        /// When.
        at: Moment,
        /// Why, if a reason was given.
        reason: Option<Reason>,
    },
    /// The CRL is not signed by the CA.
    CrlSignature,
    /// The CRL is out of date: verifiers that demand one refuse every certificate.
    CrlExpired {
        /// When the next one was due.
        next_update: Moment,
    },
}

/// Something that does not make the certificate bad.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// There is no CRL to look into.
    NoCrl,
    /// The index has no row for it, so it cannot be revoked.
    NotInIndex,
    /// The index says revoked, the CRL does not say so yet.
    CrlBehindIndex,
    /// The path ends at a CA that is not self-signed and whose issuer is not at hand.
    EndsAtSubordinate {
        /// That CA.
        subject: String,
        /// Its issuer.
        issuer: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIssuer { subject, issuer } => {
                write!(formatter, "{subject}: no certificate at hand is its issuer ({issuer})")
            }
            Self::Expired { subject, not_after } => write!(formatter, "{subject}: expired on {not_after}"),
            Self::NotYetValid { subject, not_before } => {
                write!(formatter, "{subject}: not valid before {not_before}")
            }
            Self::NotACa { subject } => write!(formatter, "{subject}: not a CA (basicConstraints)"),
            Self::MayNotSign { subject } => {
                write!(formatter, "{subject}: may not sign certificates (keyUsage)")
            }
            Self::PathLength { subject, limit } => {
                write!(formatter, "{subject}: more than {limit} CAs below it (pathLenConstraint)")
            }
            Self::CriticalExtension { subject, extension } => {
                write!(formatter, "{subject}: the critical extension {extension} is not understood")
            }
            Self::Purpose { subject, purpose } => {
                write!(formatter, "{subject}: not for {purpose} (extendedKeyUsage)")
            }
            Self::AltNames { subject } => {
                write!(formatter, "{subject}: an empty or malformed name (subjectAltName)")
            }
            Self::NameConstraint { subject, name } => {
                write!(formatter, "{subject}: does not allow the name {name} (nameConstraints)")
            }
            Self::Revoked { at, reason: Some(reason) } => write!(formatter, "revoked on {at}: {reason}"),
            Self::Revoked { at, reason: None } => write!(formatter, "revoked on {at}"),
            Self::CrlSignature => formatter.write_str("the CRL was not signed by the CA"),
            Self::CrlExpired { next_update } => {
                write!(formatter, "the CRL is out of date: the next one was due on {next_update}")
            }
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCrl => formatter.write_str("there is no CRL to look into"),
            Self::NotInIndex => formatter.write_str("index.txt has no row for it, so it cannot be revoked"),
            Self::CrlBehindIndex => formatter.write_str("the CRL does not list the revocation yet"),
            Self::EndsAtSubordinate { subject, issuer } => write!(
                formatter,
                "the path ends at {subject}; the certificate of its issuer {issuer} is not at hand"
            ),
        }
    }
}
