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

mod joining;
mod remark;

use std::fmt;

pub use self::{facts::Facts, joining::join, remark::Remark};
use crate::{
    index::Revocation,
    moment::{Days, Moment},
};

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
    /// Ciphertext of the encrypted store.
    Sealed,
    /// Ciphertext of another program, such as git-crypt.
    OtherTool(&'static str),
    /// A private key under a passphrase.
    Passphrase,
    /// In the clear.
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

/// How much a certificate wants attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nobody uses it any more: revoked, renewed, put aside.
    Gone,
    /// There is time.
    Fine,
    /// It ends within 30 days, or in the last fifth of a life shorter than 150 days.
    Soon,
    /// It has ended, or cannot be read.
    Over,
}

/// One certificate.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is called: the file name in a folder that files by name, else the
    /// common name, else the serial number. `ca` is the CA itself.
    pub name: String,
    /// What it is in this PKI.
    pub role: Role,
    /// Its state.
    pub status: Status,
    /// When and why it was revoked, if the index says so.
    pub revocation: Option<Revocation>,
    /// The serial number, upper-case hexadecimal; empty where nothing tells it.
    pub serial: String,
    /// The subject as people write it; of a row alone it is openssl's one line.
    pub subject: String,
    /// The common name.
    pub common_name: Option<String>,
    /// The last second of the validity period.
    pub not_after: Option<Moment>,
    /// What the certificate says; `None` of a row alone and of an unreadable file.
    pub facts: Option<Box<Facts>>,
    /// The files that it is in, best first, relative to the PKI directory.
    pub files: Vec<String>,
    /// The best of the folders; `None` of a row alone.
    pub folder: Option<Folder>,
    /// Its private key.
    pub key: Kept,
    /// Its request.
    pub request: Kept,
    /// What does not fit.
    pub remarks: Vec<Remark>,
}

impl Entry {
    /// Whole days from `now` to the end, rounded down: -1 from the first second after it.
    #[must_use]
    pub fn days_left(&self, now: Moment) -> Option<i64> {
        let seconds = i64::try_from(self.not_after?.unix()).ok()? - i64::try_from(now.unix()).ok()?;
        Some(seconds.div_euclid(i64::try_from(Days(1).seconds()).ok()?))
    }

    /// How much it wants attention.
    #[must_use]
    pub fn urgency(&self, now: Moment) -> Urgency {
        match self.status {
            Status::Revoked | Status::Renewed | Status::PutAside => Urgency::Gone,
            Status::Expired | Status::Unreadable => Urgency::Over,
            Status::Valid | Status::NotYetValid => {
                let Some(end) = self.not_after else { return Urgency::Fine };
                let life =
                    self.facts.as_ref().map(|facts| end.unix().saturating_sub(facts.not_before.unix()));
                let last = life.map_or(u64::MAX, |life| life / 5).min(Days(30).seconds());
                if end.minus(last) <= now { Urgency::Soon } else { Urgency::Fine }
            }
        }
    }

    /// Whether somebody is to see to it before it ends: the CAs, and what is filed
    /// under its name and neither revoked nor replaced. An expired one that still
    /// lies in `issued` is one of these.
    #[must_use]
    pub fn is_current(&self) -> bool {
        match self.status {
            Status::Valid | Status::NotYetValid => true,
            Status::Expired => self.role != Role::Issued || self.folder == Some(Folder::Issued),
            Status::PutAside | Status::Renewed | Status::Revoked | Status::Unreadable => false,
        }
    }

    /// The certificate type, such as `server`; empty where nothing tells it.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.facts.as_ref().map_or("", |facts| facts.kind.as_str())
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
