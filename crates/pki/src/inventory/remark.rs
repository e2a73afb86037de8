// SPDX-License-Identifier: MIT OR Apache-2.0
//! What does not fit between a certificate, its files and its row.

use std::fmt;

use crate::moment::Moment;

/// Something that somebody may want to look into. The text is for people, the
/// word ([`Remark::word`]) for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// There is a row in the index, and no file.
    NoFile,
    /// There is a file, and no row in the index.
    NoRow,
    /// The row names another end than the certificate.
    EndsDiffer {
        /// What the row says.
        index: Moment,
    },
    /// Another entry has the same serial number.
    SameSerial,
    /// Another CA issued it.
    OtherIssuer,
    /// It is in the folder of those that were revoked, and the index does not say so.
    NotRevoked,
    /// It was revoked, and still lies in `issued`.
    StillIssued,
    /// A file cannot be read as a certificate.
    Unreadable {
        /// Which, relative to the PKI directory.
        file: String,
        /// Why.
        why: String,
    },
}

impl Remark {
    /// A stable word for it, such as `no-row`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoFile => "no-file",
            Self::NoRow => "no-row",
            Self::EndsDiffer { .. } => "ends-differ",
            Self::SameSerial => "same-serial",
            Self::OtherIssuer => "other-issuer",
            Self::NotRevoked => "not-revoked",
            Self::StillIssued => "still-issued",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile => formatter.write_str("index.txt has it, and there is no file"),
            Self::NoRow => formatter.write_str("there is a file, and index.txt does not have it"),
            Self::EndsDiffer { index } => write!(formatter, "index.txt lets it end on {index}"),
            Self::SameSerial => formatter.write_str("another one has the same serial number"),
            Self::OtherIssuer => formatter.write_str("another CA issued it"),
            Self::NotRevoked => formatter.write_str("it is among the revoked, and index.txt does not say so"),
            Self::StillIssued => formatter.write_str("it is revoked, and still in issued/"),
            Self::Unreadable { file, why } => write!(formatter, "{file}: {why}"),
        }
    }
}
