// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inventory: every certificate that a PKI directory knows of, once, with
//! what its files, `index.txt` and its own bytes say of it.
//!
//! The three need not agree: rows lose their files, files come without rows,
//! and a certificate lies in two folders as a rule. [`join`] puts them together
//! and keeps everything: each row and each distinct certificate is in exactly
//! one [`Entry`], and what does not fit is a [`Remark`] there, never an error.
//!
//! [`facts`] reads certificates, [`select`] filters and sorts. Shown is all this
//! by the command line.

pub mod facts;
pub mod select;

mod distinct;
mod entry;
mod joining;
mod remark;

use std::fmt;

pub use self::{
    entry::{Entry, Urgency},
    facts::Facts,
    joining::join,
    remark::Remark,
};
use crate::moment::Moment;

/// Where a certificate file lies. The order is that of preference: the first
/// place names the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Folder {
    /// `ca.crt`: the CA's own, or one of its chain.
    Authority,
    /// `issued`.
    Issued,
    /// `renewed/issued`: what `renew` has replaced.
    Renewed,
    /// `expired`: put aside by `expire`.
    PutAside,
    /// `revoked/certs_by_serial`.
    Revoked,
    /// `renewed/certs_by_serial`, of easy-rsa 3.0 and 3.1.
    RenewedBySerial,
    /// `certs_by_serial`: a copy of everything that was ever issued.
    Archive,
}

impl Folder {
    /// The path relative to the PKI directory; of the CA it is the file.
    #[must_use]
    pub fn relative(self) -> &'static str {
        match self {
            Self::Authority => "ca.crt",
            Self::Issued => "issued",
            Self::Renewed => "renewed/issued",
            Self::PutAside => "expired",
            Self::Revoked => "revoked/certs_by_serial",
            Self::RenewedBySerial => "renewed/certs_by_serial",
            Self::Archive => "certs_by_serial",
        }
    }

    /// Whether files are named after the certificate there, not after its number.
    fn files_by_name(self) -> bool {
        matches!(self, Self::Issued | Self::Renewed | Self::PutAside)
    }
}

/// A certificate file, as it was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it lies.
    pub folder: Folder,
    /// The name of the file.
    pub file: String,
    /// What is in it.
    pub contents: Contents,
}

/// What was found in a certificate file.
#[derive(Clone, Debug)]
pub enum Contents {
    /// A certificate.
    Certificate(Box<Facts>),
    /// The same bytes as a file that was read: its certificate's SHA-256 fingerprint.
    CopyOf([u8; 32]),
    /// No certificate, or nothing that may be read; the text says why.
    Unreadable(String),
}

/// How a private key or a request lies in the work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// There is no such file.
    Absent,
    /// Ciphertext of the encrypted store, of whatever version.
    Sealed,
    /// Ciphertext of another program, such as git-crypt.
    OtherTool(&'static str),
    /// A private key under a passphrase, in PEM.
    Passphrase,
    /// In the clear, or something that is not told apart from it.
    Plaintext,
    /// A file of no bytes.
    Empty,
    /// It is there, and may not be read.
    Unreadable,
}

impl Kept {
    /// The word for it: `absent`, `sealed`, `passphrase`, `plaintext`, `empty`,
    /// `unreadable`, or the name of the other program.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Sealed => "sealed",
            Self::OtherTool(tool) => tool,
            Self::Passphrase => "passphrase",
            Self::Plaintext => "plaintext",
            Self::Empty => "empty",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What a certificate is in this PKI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The CA's own.
    Authority,
    /// A CA above it, from the chain in `ca.crt`.
    Chain,
    /// Issued by it, or at least filed as such.
    Issued,
}

impl Role {
    /// `ca`, `chain` or `issued`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Authority => "ca",
            Self::Chain => "chain",
            Self::Issued => "issued",
        }
    }
}

/// The state of a certificate. Where several hold, the later of them here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// In use.
    Valid,
    /// Its validity period begins later.
    NotYetValid,
    /// Put aside by `expire`; valid until its date, with nothing filed under its name.
    PutAside,
    /// Replaced by `renew`; valid until its date or until it is revoked.
    Renewed,
    /// Past its last second, or marked so in the index.
    Expired,
    /// Revoked.
    Revoked,
    /// The file is no certificate, and no row tells more.
    Unreadable,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Valid,
        Self::NotYetValid,
        Self::PutAside,
        Self::Renewed,
        Self::Expired,
        Self::Revoked,
        Self::Unreadable,
    ];

    /// The word for it, such as `not-yet-valid`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotYetValid => "not-yet-valid",
            Self::PutAside => "put-aside",
            Self::Renewed => "renewed",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.word())
    }
}

/// Everything that was found.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The certificates: the CA first, then its chain, then the others as they
    /// were found, rows without a file last.
    pub entries: Vec<Entry>,
    /// When all this was so.
    pub now: Moment,
}

#[cfg(test)]
mod tests;
