// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can still be read of an `index.txt` that is damaged, or that a merge
//! without our merge driver has left with its marks in it.

use std::collections::{HashMap, HashSet};

use super::{
    Index, ParseError,
    merge::{Entry, MergeError, joined, merge},
    row::{LineError, MARKS, Row},
};
use crate::layout::SerialHex;

/// The readable part of a database, and the rest.
#[derive(Debug)]
pub struct Salvage {
    /// Every row that can be read, rows of one number among them.
    pub rows: Index,
    /// The same with one row for each number; of a merge that was not finished, what
    /// the merge rule makes of both sides.
    pub merged: Result<Index, MergeError>,
    /// The lines that are no rows. The marks of a merge are not among them.
    pub damaged: Vec<Damaged>,
    /// The numbers that have several rows on one side.
    pub twice: Vec<SerialHex>,
    /// Whether the marks of a merge stand in it.
    pub conflict: bool,
}

/// A line that is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Its number, from 1.
    pub line: usize,
    /// What stands there; what is no UTF-8 is replaced.
    pub text: String,
    /// What is wrong with it.
    pub problem: LineError,
}

/// Whether the marks of a merge that was not finished stand at the beginning of a line.
#[must_use]
pub fn has_conflict(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| mark(line).is_some_and(|mark| mark != SEPARATOR))
}

const SEPARATOR: &str = "=======";

fn mark(line: &[u8]) -> Option<&'static str> {
    let found = MARKS.into_iter().find(|mark| line.starts_with(mark.as_bytes()))?;
    // A mark is followed by a name, or by nothing; with a tab behind it there is more of a row.
    let alone = matches!(line.get(found.len()), None | Some(b' ' | b'\r')) && !line.contains(&b'\t');
    alone.then_some(found)
}

/// Whose lines these are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Both,
    Ours,
    Base,
    Theirs,
}

impl Salvage {
    /// Reads what can be read.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        if let Ok(rows) = Index::parse(bytes) {
            let (merged, twice) = (collapse(&rows), rows.repeated());
            return Self { rows, merged, damaged: Vec::new(), twice, conflict: false };
        }
        let conflict = has_conflict(bytes);
        let (mut base, mut ours, mut theirs, mut all) =
            (String::new(), String::new(), String::new(), String::new());
        let mut damaged = Vec::new();
        let mut part = Part::Both;
        let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n');
        for (number, line) in lines.enumerate().filter(|_| !bytes.is_empty()) {
            if let Some(mark) = mark(line).filter(|_| conflict) {
                part = match mark {
                    "<<<<<<<" => Part::Ours,
                    "|||||||" => Part::Base,
                    SEPARATOR => Part::Theirs,
                    _ => Part::Both,
                };
                continue;
            }
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            match Index::from_bytes([line, b"\n"].concat()) {
                Ok(row) => {
                    let text = row.as_str();
                    all.push_str(if part == Part::Base { "" } else { text });
                    for (side, of) in
                        [(&mut base, Part::Base), (&mut ours, Part::Ours), (&mut theirs, Part::Theirs)]
                    {
                        side.push_str(if part == Part::Both || part == of { text } else { "" });
                    }
                }
                Err(ParseError { problem, .. }) => damaged.push(Damaged {
                    line: number + 1,
                    text: String::from_utf8_lossy(line).into_owned(),
                    problem,
                }),
            }
        }
        let read = |text: String| Index::from_bytes(text.into_bytes()).expect("made of rows that were read");
        let [base, ours, theirs] = [base, ours, theirs].map(read);
        let mut twice = ours.repeated();
        twice.extend(theirs.repeated());
        twice.sort_unstable();
        twice.dedup();
        let merged = collapse(&ours).and_then(|ours| {
            if !conflict {
                return Ok(ours);
            }
            merge(&collapse(&base)?, &ours, &collapse(&theirs)?).map(|merged| merged.index)
        });
        Self { rows: read(all), merged, damaged, twice, conflict }
    }

    /// Whether the database was read as a whole, without anything to mend.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.conflict && self.damaged.is_empty() && self.twice.is_empty()
    }
}

impl Index {
    /// The numbers that more than one row has.
    fn repeated(&self) -> Vec<SerialHex> {
        let mut seen = HashSet::with_capacity(self.starts.len());
        self.rows().map(Row::serial).filter(|serial| !seen.insert(serial.clone())).collect()
    }
}

/// One row for each number: what its rows say together.
fn collapse(index: &Index) -> Result<Index, MergeError> {
    if index.repeated().is_empty() {
        return Ok(index.clone());
    }
    let mut lines: Vec<(&str, String)> = Vec::with_capacity(index.starts.len());
    let mut places: HashMap<String, usize> = HashMap::with_capacity(index.starts.len());
    for (serial, entry) in index.entries() {
        let line = entry.row.fields.join("\t") + "\n";
        match places.get(&serial) {
            None => {
                places.insert(serial, lines.len());
                lines.push((entry.comments, line));
            }
            Some(&place) => {
                let before = Index::parse(lines[place].1.as_bytes()).expect("a row that was read");
                let one = Entry { row: before.row(0), comments: "" };
                lines[place].1 = joined(None, &one, &entry)?;
            }
        }
    }
    let mut text: String = lines.iter().flat_map(|(comments, line)| [comments, line.as_str()]).collect();
    text.push_str(index.tail());
    Ok(Index::from_bytes(text.into_bytes()).expect("made of rows that were read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Status;

    const A: &str = "V\t290224152847Z\t\t0A\tunknown\t/CN=a\n";
    const A_REVOKED: &str = "R\t290224152847Z\t260101000000Z,keyCompromise\t0A\tunknown\t/CN=a\n";
    const B: &str = "V\t290224152847Z\t\t0B\tunknown\t/CN=b\n";
    const C: &str = "V\t290224152847Z\t\t0C\tunknown\t/CN=c\n";

    fn rows(index: &Index) -> Vec<(Status, String)> {
        index.rows().map(|row| (row.status(), row.serial_text().to_owned())).collect()
    }

    #[test]
    fn what_is_sound_stays_as_it_is() {
        let text = format!("# a comment\n{A}{B}");
        let salvage = Salvage::of(text.as_bytes());
        assert!(salvage.is_sound());
        assert_eq!(salvage.merged.expect("no clash").as_str(), text);
        assert!(Salvage::of(b"").is_sound());
    }

    #[test]
    fn damaged_lines_are_told_and_the_others_read() {
        let salvage = Salvage::of(format!("{A}V\t29\t\t0B\n\n{C}\u{0}\n").as_bytes());
        assert_eq!(salvage.damaged.iter().map(|damaged| damaged.line).collect::<Vec<_>>(), [2, 3, 5]);
        assert_eq!(rows(&salvage.rows).len(), 2);
    }

    #[test]
    fn both_sides_of_a_merge_are_one() {
        for base in ["", "||||||| base\n"] {
            let text = format!("{C}<<<<<<< HEAD\n{A_REVOKED}{base}=======\n{A}{B}>>>>>>> theirs\n");
            let salvage = Salvage::of(text.as_bytes());
            assert!(salvage.conflict);
            let merged = salvage.merged.expect("they agree");
            let mut found = rows(&merged);
            found.sort_by(|one, other| one.1.cmp(&other.1));
            let wanted = [(Status::Revoked, "0A"), (Status::Valid, "0B"), (Status::Valid, "0C")];
            assert_eq!(found, wanted.map(|(status, serial)| (status, serial.to_owned())));
        }
    }

    #[test]
    fn of_two_rows_for_one_number_the_revocation_counts() {
        let salvage = Salvage::of(format!("{A}{B}{A_REVOKED}").as_bytes());
        assert_eq!(salvage.twice, [SerialHex::parse("0A").expect("valid")]);
        assert_eq!(salvage.merged.expect("one certificate").as_str(), format!("{A_REVOKED}{B}"));
        let other = A.replace("CN=a", "CN=z");
        assert!(Salvage::of(format!("{A}{other}").as_bytes()).merged.is_err());
    }
}
