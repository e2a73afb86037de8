// SPDX-License-Identifier: MIT OR Apache-2.0
//! The merge of two databases that began as the same one, row by row.
//!
//! No row is ever lost: what has no row can never be revoked. So a row that one
//! side removed stays, and a revocation outweighs everything. Where two rows say
//! different things the smaller one in a fixed order wins, so that it does not
//! matter who merges whom, or how often.

use std::collections::HashMap;

use thiserror::Error;

use super::{Index, Reason, Revocation, Row, Status};
use crate::{layout::SerialHex, moment::Moment};

/// One of the two databases that are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that is checked out.
    Ours,
    /// The one that comes in.
    Theirs,
}

/// Why two databases cannot be merged without somebody who decides.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MergeError {
    /// Both sides have issued under the same number. Whoever revokes one revokes both.
    #[error("both sides have issued a certificate with the serial number {}", .0.serial)]
    TwoCertificates(Box<Clash>),
    /// A database has two rows for one number.
    #[error("{} has two rows with the serial number {serial}", match side { Side::Ours => "our side", Side::Theirs => "their side" })]
    Twice {
        /// The number.
        serial: SerialHex,
        /// Which side it is.
        side: Side,
    },
    /// One side has begun anew, as for another CA, and the other has gone on.
    #[error("{} has begun a new database, and the other has gone on with the old one", match side { Side::Ours => "our side", Side::Theirs => "their side" })]
    Emptied {
        /// The side without the old rows.
        side: Side,
    },
}

/// Two certificates with one serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The number.
    pub serial: SerialHex,
    /// What our side has issued: subject and expiry.
    pub ours: (String, Moment),
    /// What their side has issued.
    pub theirs: (String, Moment),
}

/// What came of a merge.
#[derive(Debug, PartialEq, Eq)]
pub struct Merged {
    /// The database.
    pub index: Index,
    /// The rows that one side had removed, and that were kept.
    pub kept: Vec<SerialHex>,
}

/// Merges what two sides have made of `base`.
///
/// Rows are told apart by their serial number. Revoked beats expired beats valid;
/// of two revocations the earlier one counts, with its reason, but for a
/// certificateHold, which gives way to one that is for good. The rows stand in the
/// order of the sides; what both added at the same place goes by expiry.
///
/// # Errors
///
/// [`MergeError`].
pub fn merge(base: &Index, ours: &Index, theirs: &Index) -> Result<Merged, MergeError> {
    let rows = Sides {
        base: by_serial(base),
        ours: unique(ours, Side::Ours)?,
        theirs: unique(theirs, Side::Theirs)?,
    };
    rows.check_emptied()?;
    let mut text = String::with_capacity(ours.text.len().max(theirs.text.len()) + 256);
    let mut kept = Vec::new();
    for serial in order(&rows, base, ours, theirs) {
        let serial = serial.as_str();
        let (before, one, other) = (rows.base.get(serial), rows.ours.get(serial), rows.theirs.get(serial));
        text.push_str(&pick(comments(before), comments(one), comments(other)));
        match (before, one, other) {
            (before, Some(one), Some(other)) => text.push_str(&joined(before, one, other)?),
            (before, Some(left), None) | (before, None, Some(left)) => {
                kept.extend(before.map(|_| left.row.serial()));
                text.push_str(&joined(before, before.unwrap_or(left), left)?);
            }
            // Nobody has it any more.
            (_, None, None) => {}
        }
    }
    let tails = [base, ours, theirs].map(|index| Some(index.tail()));
    let [before, one, other] = tails;
    text.push_str(&pick(before, one, other));
    let index = Index::from_bytes(text.into_bytes()).expect("made of rows that were read");
    Ok(Merged { index, kept })
}

/// A row, and the lines in front of it that are none.
pub(super) struct Entry<'a> {
    pub(super) row: Row<'a>,
    pub(super) comments: &'a str,
}

type Rows<'a> = HashMap<String, Entry<'a>>;

struct Sides<'a> {
    base: Rows<'a>,
    ours: Rows<'a>,
    theirs: Rows<'a>,
}

impl Sides<'_> {
    /// Rows that were kept would be another CA's in a database that was begun anew.
    fn check_emptied(&self) -> Result<(), MergeError> {
        for (rows, side) in [(&self.ours, Side::Ours), (&self.theirs, Side::Theirs)] {
            if !self.base.is_empty() && self.base.keys().all(|serial| !rows.contains_key(serial)) {
                return Err(MergeError::Emptied { side });
            }
        }
        Ok(())
    }
}

impl Index {
    /// The rows in the order of the file.
    pub(super) fn entries(&self) -> impl Iterator<Item = (String, Entry<'_>)> {
        let mut end = 0;
        self.starts.iter().map(move |&start| {
            let (row, comments) = (self.row(start), &self.text[end..start]);
            end = start + row.length();
            (row.serial().as_str().to_owned(), Entry { row, comments })
        })
    }

    /// The lines behind the last row.
    pub(super) fn tail(&self) -> &str {
        let end = self.starts.last().map_or(0, |&start| start + self.row(start).length());
        &self.text[end..]
    }
}

impl Row<'_> {
    /// Bytes of the line, its newline among them.
    fn length(self) -> usize {
        self.fields.iter().map(|field| field.len() + 1).sum()
    }
}

fn by_serial(index: &Index) -> Rows<'_> {
    index.entries().collect()
}

fn unique(index: &Index, side: Side) -> Result<Rows<'_>, MergeError> {
    let mut rows = HashMap::with_capacity(index.starts.len());
    for (serial, entry) in index.entries() {
        let parsed = entry.row.serial();
        if rows.insert(serial, entry).is_some() {
            return Err(MergeError::Twice { serial: parsed, side });
        }
    }
    Ok(rows)
}

fn comments<'a>(entry: Option<&Entry<'a>>) -> Option<&'a str> {
    entry.map(|entry| entry.comments)
}

/// Comments: those of the side that changed them, or both.
fn pick(before: Option<&str>, one: Option<&str>, other: Option<&str>) -> String {
    match (one, other) {
        (Some(one), Some(other)) if one == other || Some(other) == before => one.to_owned(),
        (Some(one), Some(other)) if Some(one) == before => other.to_owned(),
        (Some(one), Some(other)) => [one.min(other), one.max(other)].concat(),
        (one, other) => one.or(other).unwrap_or_default().to_owned(),
    }
}

/// The serial numbers of the outcome. What both sides have stands in the order of
/// the side that changed it; what only one has, behind the row that it came after.
fn order(rows: &Sides<'_>, base: &Index, ours: &Index, theirs: &Index) -> Vec<String> {
    let both = |serial: &String| rows.ours.contains_key(serial) && rows.theirs.contains_key(serial);
    let shared = |index: &Index| -> Vec<String> {
        let serials = index.entries().map(|(serial, _)| serial);
        serials.filter(|serial| both(serial) && rows.base.contains_key(serial)).collect()
    };
    // Only where somebody has sorted the file these differ.
    let (before, one) = (shared(base), shared(ours));
    let (first, second) = if one == before { (theirs, ours) } else { (ours, theirs) };
    let mut apart = runs(second, &both);
    let mut ordered = Vec::with_capacity(first.starts.len() + second.starts.len());
    let mut anchor = None;
    let mut run = Vec::new();
    for (serial, entry) in first.entries() {
        if both(&serial) {
            settle(&mut ordered, std::mem::take(&mut run), apart.remove(&anchor).unwrap_or_default());
            ordered.push(serial.clone());
            anchor = Some(serial);
        } else {
            run.push((entry.row.expiry(), serial));
        }
    }
    settle(&mut ordered, run, apart.remove(&anchor).unwrap_or_default());
    ordered
}

type Run = Vec<(Moment, String)>;

/// What only this side has, by the row of both sides that it stands behind.
fn runs(index: &Index, both: &dyn Fn(&String) -> bool) -> HashMap<Option<String>, Run> {
    let mut runs: HashMap<Option<String>, Run> = HashMap::new();
    let mut anchor = None;
    for (serial, entry) in index.entries() {
        if both(&serial) {
            anchor = Some(serial);
        } else {
            runs.entry(anchor.clone()).or_default().push((entry.row.expiry(), serial));
        }
    }
    runs
}

/// Two runs as one: neither's own order changes, and whose is first does not matter.
fn settle(ordered: &mut Vec<String>, one: Run, other: Run) {
    let (mut one, mut other) = (one.into_iter().peekable(), other.into_iter().peekable());
    loop {
        let from_one = match (one.peek(), other.peek()) {
            (Some(this), Some(that)) => this <= that,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return,
        };
        let next = if from_one { one.next() } else { other.next() };
        ordered.extend(next.map(|(_, serial)| serial));
    }
}

/// What two sides say of one certificate.
pub(super) fn joined(
    before: Option<&Entry<'_>>,
    one: &Entry<'_>,
    other: &Entry<'_>,
) -> Result<String, MergeError> {
    let (one, other) = (one.row, other.row);
    let before = before.map(|entry| entry.row.fields);
    // Whichever side changed a field, if only one did.
    let agreed = |field: usize| -> Option<&str> {
        let (one, other) = (one.fields[field], other.fields[field]);
        let before = before.map(|fields| fields[field]);
        if one == other || before == Some(other) { Some(one) } else { (before == Some(one)).then_some(other) }
    };
    let (Some(expiry), Some(subject)) = (agreed(1), agreed(5)) else {
        let side = |row: Row<'_>| (row.subject().to_owned(), row.expiry());
        let clash = Clash { serial: one.serial(), ours: side(one), theirs: side(other) };
        return Err(MergeError::TwoCertificates(Box::new(clash)));
    };
    let [status, revocation] = [one, other]
        .into_iter()
        .min_by_key(|row| rank(*row))
        .map_or(["V", ""], |row| [row.fields[0], row.fields[2]]);
    let serial = agreed(3).unwrap_or(one.fields[3].min(other.fields[3]));
    let file = agreed(4).unwrap_or(one.fields[4].min(other.fields[4]));
    Ok([status, expiry, revocation, serial, file, subject].join("\t") + "\n")
}

/// The smaller one wins: a total order, so that no order of merges matters.
pub(super) fn rank<'a>(row: Row<'a>) -> (u8, Option<Moment>, u8, &'a str) {
    match (row.status(), row.revocation()) {
        (Status::Revoked, Some(Revocation { at, reason })) => {
            let lasting = match reason {
                Some(Reason::CertificateHold) => 1,
                Some(Reason::RemoveFromCrl) => 2,
                _ => 0,
            };
            // Of two at the same second, the one that tells more.
            let telling = match reason {
                Some(Reason::KeyCompromise) => 0,
                Some(Reason::CaCompromise) => 1,
                Some(Reason::Unspecified) => 3,
                None => 4,
                Some(_) => 2,
            };
            (lasting, Some(at), telling, row.fields[2])
        }
        (Status::Expired, _) => (3, None, 0, ""),
        _ => (4, None, 0, ""),
    }
}

#[cfg(test)]
mod tests;
