// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a certificate is not proposed, and what is worth a look before it is signed.

use std::fmt;

use thiserror::Error;

use super::super::{
    authority::AuthorityError,
    validity::{ValidityError, ValidityWarning},
};
use crate::{
    index::ChangeError,
    key::SignError,
    layout::EntryName,
    x509::{
        extension::ExtensionError, general_name::GeneralNameError, name::NameError, profile::ProfileError,
        subject::PolicyError,
    },
};

/// Something unusual in a proposal, worth a look before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// About the validity.
    Validity(ValidityWarning),
    /// The request asks for alternative names that the certificate will not have.
    NamesNotCopied(Vec<String>),
    /// The request asks for extensions that are never or not here copied from a request.
    ExtensionsNotCopied(Vec<String>),
    /// Apple's TLS clients refuse server certificates that run longer.
    LongServerValidity,
    /// RSA below 2048 bits (easyrsa set; the strict set refuses).
    WeakKey(u32),
    /// TLS clients look for the host name in subjectAltName alone.
    ServerWithoutAltName,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Validity(warning) => warning.fmt(formatter),
            Self::NamesNotCopied(names) => write!(
                formatter,
                "the request asks for the subject alternative names {}, which are not copied",
                names.join(", ")
            ),
            Self::ExtensionsNotCopied(names) => {
                write!(formatter, "the request asks for {}, which is not copied", names.join(", "))
            }
            Self::LongServerValidity => formatter
                .write_str("Apple's systems refuse a server certificate that runs longer than 825 days"),
            Self::WeakKey(bits) => write!(formatter, "the RSA key has {bits} bits only"),
            Self::ServerWithoutAltName => formatter
                .write_str("a server certificate without subjectAltName is refused by today's TLS clients"),
        }
    }
}

/// Why a certificate is not proposed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// The CA cannot issue now.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The validity does not work out.
    #[error("{name}: {source}")]
    Validity {
        /// The name under which it was to be filed.
        name: EntryName,
        /// Why.
        source: ValidityError,
    },
    /// The type is unknown or lacks something.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// An extension cannot be encoded.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// A CA above has no room for another CA.
    #[error("{issuer} allows {limit} CAs below it, and this would be one too many (pathLenConstraint)")]
    PathLength {
        /// The CA that says so.
        issuer: String,
        /// Its limit.
        limit: u8,
    },
    /// The subject is not usable.
    #[error("the subject of the request cannot be used")]
    Subject(#[from] NameError),
    /// The subject is not what the CA's policy asks for.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// easy-rsa's policy demands a common name; the index would have no name for it either.
    #[error("the request has no common name")]
    NoCommonName,
    /// A strict server certificate needs a name that clients can check.
    #[error("a server certificate needs a subjectAltName, and the common name `{}` is neither a DNS name nor an IP address", .0.escape_debug())]
    NoAltName(String),
    /// The common name cannot become an alternative name.
    #[error("the common name `{}` is neither a DNS name nor an IP address", .0.escape_debug())]
    CommonNameAsAltName(String),
    /// An alternative name breaks the rules of RFC 5280.
    #[error("the subject alternative name is not valid")]
    AltName(#[source] GeneralNameError),
    /// A name that the CA, or one above it, is not allowed to name.
    #[error("the name constraints of {issuer} forbid {}", .name.escape_debug())]
    NameConstraint {
        /// The CA.
        issuer: String,
        /// The name.
        name: String,
    },
    /// RSA below 2048 bits.
    #[error("the RSA key of the request has {0} bits; at least 2048 are needed")]
    WeakKey(u32),
    /// The request comes with the CA's own key.
    #[error("the request is for the CA's own key")]
    AuthorityKey,
    /// index.txt.attr says `unique_subject = yes`.
    #[error("there is a valid certificate for {} already, and index.txt.attr says unique_subject = yes", .0.escape_debug())]
    SubjectTaken(String),
    /// The index refuses.
    #[error(transparent)]
    Index(#[from] ChangeError),
    /// The CA's key cannot sign with this digest.
    #[error(transparent)]
    Digest(#[from] SignError),
    /// The certificate cannot be encoded.
    #[error("the certificate cannot be encoded")]
    Der(#[from] der::Error),
}
