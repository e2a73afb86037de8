// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two versions of a file of the CA's database become one: what git's merge driver
//! asks of the core. Whoever merges whom, and in whichever order, the outcome is
//! the same.

pub mod authority;
pub mod check;

use std::{cmp::Ordering, collections::HashSet};

use thiserror::Error;

pub use crate::index::{Clash, MergeError as RowsError, Side};
use crate::{
    index::{self, Index, ParseError, UniqueSubject},
    layout::{PkiPath, SerialHex},
    x509::{
        crl::{Crl, CrlError},
        serial::{self, SerialError},
    },
};

/// What both sides have, and what they began from; empty where there was nothing.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'a> {
    /// The version that both began from.
    pub base: &'a [u8],
    /// The one that is checked out.
    pub ours: &'a [u8],
    /// The one that comes in.
    pub theirs: &'a [u8],
}

/// The outcome of a merge.
#[derive(Debug, PartialEq, Eq)]
pub struct Merged {
    /// The file.
    pub bytes: Vec<u8>,
    /// What somebody should know about it.
    pub notes: Vec<Note>,
}

/// What a merge of the database leaves to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// Rows that one side had removed were kept.
    Kept(Vec<SerialHex>),
    /// The CRL that was taken lacks so many entries of the other.
    Stale(usize),
    /// Both CRLs have one number: the newer one was taken.
    SameNumber(String),
}

/// Why the files cannot be merged without somebody who decides.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MergeError {
    /// The rows contradict each other.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// One version of the index cannot be read.
    #[error("{} of {source}", of(*side))]
    Index {
        /// Whose.
        side: Version,
        /// What is wrong with it.
        source: ParseError,
    },
    /// One version of a number cannot be read.
    #[error("{}: {source}", of(*side))]
    Number {
        /// Whose.
        side: Version,
        /// What is wrong with it.
        source: SerialError,
    },
    /// One version of the CRL cannot be read.
    #[error("{}: {source}", of(*side))]
    Crl {
        /// Whose.
        side: Version,
        /// What is wrong with it.
        source: Box<CrlError>,
    },
    /// The CRLs are of two CAs.
    #[error("the CRLs of the two sides are of different CAs")]
    TwoIssuers,
}

/// Which version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one that both sides began from.
    Base,
    /// That of a side.
    Of(Side),
}

fn of(version: Version) -> &'static str {
    match version {
        Version::Base => "the version before both",
        Version::Of(Side::Ours) => "our version",
        Version::Of(Side::Theirs) => "their version",
    }
}

/// Merges the versions of a file of the database ([`PkiPath::database`]); `None`
/// for another file.
///
/// Of numbers and CRLs the highest is taken. CRLs of one number go by their date:
/// they were signed on two branches, and the next one has a number of its own.
/// `unique_subject = no` is taken before `yes`, which would forbid what the other
/// side has issued.
///
/// # Errors
///
/// [`MergeError`].
pub fn merge(path: &PkiPath, versions: Versions<'_>) -> Option<Result<Merged, MergeError>> {
    Some(match path {
        PkiPath::Index | PkiPath::IndexOld => rows(versions),
        PkiPath::IndexAttributes | PkiPath::IndexAttributesOld => Ok(attributes(versions)),
        PkiPath::Serial | PkiPath::SerialOld | PkiPath::CrlNumber | PkiPath::CrlNumberOld => {
            numbers(versions)
        }
        PkiPath::CrlPem | PkiPath::CrlDer => crls(versions),
        _ => return None,
    })
}

fn rows(Versions { base, ours, theirs }: Versions<'_>) -> Result<Merged, MergeError> {
    let read = |bytes: &[u8], side| Index::parse(bytes).map_err(|source| MergeError::Index { side, source });
    let merged = index::merge(
        &read(base, Version::Base)?,
        &read(ours, Version::Of(Side::Ours))?,
        &read(theirs, Version::Of(Side::Theirs))?,
    )?;
    let notes = if merged.kept.is_empty() { Vec::new() } else { vec![Note::Kept(merged.kept)] };
    Ok(Merged { bytes: merged.index.into_string().into_bytes(), notes })
}

fn attributes(Versions { base, ours, theirs }: Versions<'_>) -> Merged {
    let is_yes = |bytes: &[u8]| UniqueSubject::parse(&String::from_utf8_lossy(bytes)) == UniqueSubject::Yes;
    let bytes = if ours == theirs || base == theirs {
        ours
    } else if base == ours {
        theirs
    } else {
        ours.min(theirs)
    };
    let bytes = match (is_yes(ours), is_yes(theirs)) {
        (true, false) => theirs,
        (false, true) => ours,
        _ => bytes,
    };
    Merged { bytes: bytes.to_vec(), notes: Vec::new() }
}

fn numbers(Versions { ours, theirs, .. }: Versions<'_>) -> Result<Merged, MergeError> {
    let read = |bytes: &[u8], side| {
        serial::parse_file(bytes).map_err(|source| MergeError::Number { side: Version::Of(side), source })
    };
    // A file that one side has not begun, or has cut off: the other's is the larger.
    let bytes = match (ours.is_empty(), theirs.is_empty()) {
        (true, _) => theirs,
        (_, true) => ours,
        _ => match read(ours, Side::Ours)?.cmp(&read(theirs, Side::Theirs)?) {
            Ordering::Less => theirs,
            Ordering::Greater => ours,
            // One number, written in two ways.
            Ordering::Equal => ours.min(theirs),
        },
    };
    Ok(Merged { bytes: bytes.to_vec(), notes: Vec::new() })
}

fn crls(Versions { ours, theirs, .. }: Versions<'_>) -> Result<Merged, MergeError> {
    let read = |bytes: &[u8], side| {
        Crl::read(bytes)
            .map_err(|source| MergeError::Crl { side: Version::Of(side), source: Box::new(source) })
    };
    let (one, other) = (read(ours, Side::Ours)?, read(theirs, Side::Theirs)?);
    if one.issuer().as_der() != other.issuer().as_der() {
        return Err(MergeError::TwoIssuers);
    }
    // The DER last: crl.pem and crl.der are merged one by one, and alike.
    let rank = |crl: &Crl| (crl.number(), crl.this_update(), crl.entries().len(), crl.as_der().to_vec());
    let (bytes, taken, left) =
        if rank(&one) >= rank(&other) { (ours, &one, &other) } else { (theirs, &other, &one) };
    let mut notes = Vec::new();
    if let Some(number) = taken.number().filter(|number| left.number().as_ref() == Some(number))
        && taken.as_der() != left.as_der()
    {
        notes.push(Note::SameNumber(number.to_string()));
    }
    let listed: HashSet<_> = taken.entries().map(|entry| entry.serial_number).collect();
    let lacking = left.entries().filter(|entry| !listed.contains(&entry.serial_number)).count();
    if lacking > 0 {
        notes.push(Note::Stale(lacking));
    }
    Ok(Merged { bytes: bytes.to_vec(), notes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ca::fixture, moment::Moment};

    fn merged(path: &PkiPath, base: &[u8], ours: &[u8], theirs: &[u8]) -> Merged {
        let merge = |ours, theirs| {
            merge(path, Versions { base, ours, theirs }).expect("a file of the database").expect("it merges")
        };
        let outcome = merge(ours, theirs);
        assert_eq!(outcome, merge(theirs, ours), "whoever merges");
        outcome
    }

    #[test]
    fn the_larger_number_is_taken() {
        for path in [PkiPath::Serial, PkiPath::SerialOld, PkiPath::CrlNumber, PkiPath::CrlNumberOld] {
            assert_eq!(merged(&path, b"01\n", b"0F\n", b"10\n").bytes, b"10\n");
            assert_eq!(merged(&path, b"", b"", b"02\n").bytes, b"02\n");
            assert_eq!(merged(&path, b"01\n", b"ff\n", b"00FF\n").bytes, b"00FF\n");
        }
        let versions = Versions { base: b"01\n", ours: b"<<<<<<< ours\n", theirs: b"02\n" };
        let error = merge(&PkiPath::Serial, versions).expect("a number").expect_err("no number");
        assert!(error.to_string().starts_with("our version: "), "{error}");
    }

    #[test]
    fn subjects_that_were_allowed_again_stay_so() {
        let (yes, no) = (b"unique_subject = yes\n", b"unique_subject = no\n");
        assert_eq!(merged(&PkiPath::IndexAttributes, yes, yes, no).bytes, no);
        assert_eq!(merged(&PkiPath::IndexAttributes, no, yes, no).bytes, no);
    }

    #[test]
    fn the_crl_with_the_higher_number_is_taken_in_both_forms() {
        let now = |seconds| Moment::from_unix(seconds).expect("a moment");
        let first = fixture::crl(1, &["0A"], now(1_800_000_000));
        let second = fixture::crl(2, &["0B"], now(1_797_000_000));
        let (pem, der) = (|crl: &Crl| crl.to_pem().into_bytes(), |crl: &Crl| crl.as_der().to_vec());
        let outcome = merged(&PkiPath::CrlPem, b"", &pem(&first), &pem(&second));
        assert_eq!(outcome.bytes, pem(&second));
        assert_eq!(outcome.notes, [Note::Stale(1)]);
        assert_eq!(merged(&PkiPath::CrlDer, b"", &der(&first), &der(&second)).bytes, der(&second));
        let again = fixture::crl(2, &["0A", "0B"], now(1_805_000_000));
        let outcome = merged(&PkiPath::CrlDer, b"", &der(&again), &der(&second));
        assert_eq!(outcome.bytes, der(&again));
        assert_eq!(outcome.notes, [Note::SameNumber("02".to_owned())]);
    }
}
