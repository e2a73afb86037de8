// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of a journal: what a committed transaction still has to do.
//!
//! Every path occurs once, and every step says what stands there in the end.
//! So the steps may be done in any order, and again from the start after any
//! interruption, with the same result. Nothing here touches a file.
//!
//! ```text
//! certkeep journal 2
//! directory revoked/reqs_by_serial
//! place 5bd1e995a2b3c4d5.0 index.txt
//! remove issued/web1.crt
//! commit 2f3b1c8f0c1d7e5a4b6978877665544332211000
//! end 3
//! ```
//!
//! Version 1 knows no commit, and is still written where there is none. Version 3
//! has `event STAGED PATH` too: a file above the PKI, from the top of the work tree.

use std::fmt::Write as _;

use thiserror::Error;

const HEADER: &str = "certkeep journal 1";
const HEADER_WITH_COMMIT: &str = "certkeep journal 2";
const HEADER_WITH_EVENT: &str = "certkeep journal 3";

/// One thing to be done. Paths are relative to the site's root, and any bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Make sure that a directory exists.
    Directory(Vec<u8>),
    /// Rename the staged file to `path`; done already when it is gone.
    Place {
        /// The name of the file in the stage directory, never used twice.
        staged: String,
        /// Where it belongs.
        path: Vec<u8>,
    },
    /// Rename the staged file to `path`, from the top of the work tree that the
    /// site is in; done already when it is gone.
    Event {
        /// As of [`Step::Place`].
        staged: String,
        /// Where it belongs.
        path: Vec<u8>,
    },
    /// Remove a file; done already when it is gone.
    Remove(Vec<u8>),
}

/// The steps of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Journal {
    pub(crate) steps: Vec<Step>,
    /// The git commit of the same changes, which HEAD is to contain once they
    /// are done: hexadecimal digits.
    pub(crate) commit: Option<String>,
}

/// What a journal promises about one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise<'a> {
    /// Its bytes are in this staged file, or already in place.
    Placed(&'a str),
    /// There is no such file.
    Removed,
}

/// A journal that cannot be followed.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalError {
    /// Another version of certkeep wrote it.
    #[error("its first line is none of `{HEADER}`, 2 and 3")]
    Version,
    /// It lacks its last line, or holds more than that says.
    #[error("it is incomplete")]
    Incomplete,
    /// A line that means nothing.
    #[error("line {0} cannot be understood")]
    Line(usize),
}

impl Journal {
    /// The journal as it stands in its file.
    pub(crate) fn to_text(&self) -> String {
        let header = match &self.commit {
            _ if self.steps.iter().any(|step| matches!(step, Step::Event { .. })) => HEADER_WITH_EVENT,
            Some(_) => HEADER_WITH_COMMIT,
            None => HEADER,
        };
        let mut text = format!("{header}\n");
        for step in &self.steps {
            let line = match step {
                Step::Directory(path) => format!("directory {}\n", escape(path)),
                Step::Place { staged, path } => {
                    format!("place {} {}\n", escape(staged.as_bytes()), escape(path))
                }
                Step::Event { staged, path } => {
                    format!("event {} {}\n", escape(staged.as_bytes()), escape(path))
                }
                Step::Remove(path) => format!("remove {}\n", escape(path)),
            };
            text.push_str(&line);
        }
        if let Some(commit) = &self.commit {
            writeln!(text, "commit {commit}").expect("a String takes any text");
        }
        text + &format!("end {}\n", self.steps.len())
    }

    /// Reads what [`Journal::to_text`] wrote.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, JournalError> {
        let text = std::str::from_utf8(text).map_err(|_| JournalError::Version)?;
        let (header, body) = text.split_once('\n').ok_or(JournalError::Version)?;
        if ![HEADER, HEADER_WITH_COMMIT, HEADER_WITH_EVENT].contains(&header) {
            return Err(JournalError::Version);
        }
        let (mut steps, mut commit) = (Vec::new(), None);
        let mut lines = body.strip_suffix('\n').ok_or(JournalError::Incomplete)?.split('\n');
        for (number, line) in (2_usize..).zip(lines.by_ref()) {
            let mut words = line.split(' ');
            let step = match (words.next(), words.next(), words.next(), words.next()) {
                (Some("end"), Some(count), None, None) if count == steps.len().to_string() => {
                    return if lines.next().is_none() {
                        Ok(Self { steps, commit })
                    } else {
                        Err(JournalError::Incomplete)
                    };
                }
                (Some("commit"), Some(name), None, None)
                    if header != HEADER && commit.is_none() && is_object_name(name) =>
                {
                    commit = Some(name.to_owned());
                    continue;
                }
                (Some("directory"), Some(path), None, None) => unescape_path(path).map(Step::Directory),
                (Some("remove"), Some(path), None, None) => unescape_path(path).map(Step::Remove),
                (Some(word), Some(staged), Some(path), None)
                    if word == "place" || (word == "event" && header == HEADER_WITH_EVENT) =>
                {
                    let staged = unescape(staged)
                        .filter(|staged| is_component(staged))
                        .and_then(|staged| String::from_utf8(staged).ok());
                    staged.zip(unescape_path(path)).map(|(staged, path)| match word {
                        "event" => Step::Event { staged, path },
                        _ => Step::Place { staged, path },
                    })
                }
                _ => None,
            };
            steps.push(step.ok_or(JournalError::Line(number))?);
        }
        Err(JournalError::Incomplete)
    }

    /// What stands at a path once the journal is done; `None` when it does not say.
    pub(crate) fn promise(&self, relative: &str) -> Option<Promise<'_>> {
        self.promises().find(|&(path, _)| path == relative.as_bytes()).map(|(_, promise)| promise)
    }

    /// All that it says, by path.
    pub(crate) fn promises(&self) -> impl Iterator<Item = (&[u8], Promise<'_>)> {
        self.steps.iter().filter_map(|step| match step {
            Step::Place { staged, path } => Some((path.as_slice(), Promise::Placed(staged))),
            Step::Remove(path) => Some((path.as_slice(), Promise::Removed)),
            Step::Directory(_) | Step::Event { .. } => None,
        })
    }
}

/// Makes a path one word of printable ASCII: `%` and two hexadecimal digits
/// stand for every other byte.
fn escape(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_graphic() && byte != b'%' {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02x}").expect("a String takes any text");
        }
    }
    text
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(bytes)
}

/// A relative path that stays below the root: a journal is read from
/// a disk that others may have written to.
fn unescape_path(text: &str) -> Option<Vec<u8>> {
    unescape(text).filter(|path| is_path(path))
}

/// Whether bytes are a path that a journal may name.
pub(crate) fn is_path(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').all(is_component)
}

/// The SHA-1 or SHA-256 of an object.
fn is_object_name(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_component(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Journal {
        Journal {
            steps: vec![
                Step::Directory(b"revoked/reqs_by_serial".to_vec()),
                Step::Place { staged: "1f.0".to_owned(), path: "issued/J\u{fc}rgen 100%\u{7f}.crt".into() },
                Step::Remove("reqs/end 3.req".into()),
                Step::Remove(b"private/d\xe9j\xe0.key".to_vec()),
            ],
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        }
    }

    #[test]
    fn a_printed_journal_reads_back() {
        let text = journal().to_text();
        assert!(text.lines().all(|line| line.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())));
        assert_eq!(Journal::parse(text.as_bytes()), Ok(journal()));
        let nothing = Journal { steps: Vec::new(), commit: None };
        assert_eq!(nothing.to_text(), "certkeep journal 1\nend 0\n");
        assert_eq!(Journal::parse(nothing.to_text().as_bytes()), Ok(nothing));
    }

    #[test]
    fn every_shorter_text_is_refused() {
        let text = journal().to_text();
        for length in 0..text.len() {
            assert!(Journal::parse(text.as_bytes().get(..length).expect("shorter")).is_err(), "{length}");
        }
        assert_eq!(Journal::parse(format!("{text}remove x\n").as_bytes()), Err(JournalError::Incomplete));
    }

    #[test]
    fn a_path_that_leaves_the_directory_is_refused() {
        for path in ["../x", "/etc/passwd", "a/../../x", "a//b", "", "%2e%2e/x", "a%2", "a%zz", "%00"] {
            let text = format!("{HEADER}\nremove {path}\nend 1\n");
            assert_eq!(Journal::parse(text.as_bytes()), Err(JournalError::Line(2)), "{path}");
        }
        let staged = format!("{HEADER}\nplace ../0 x\nend 1\n");
        assert_eq!(Journal::parse(staged.as_bytes()), Err(JournalError::Line(2)));
        for path in ["../x", "/etc/passwd", ""] {
            let event = format!("{HEADER_WITH_EVENT}\nevent 1f.0 {path}\nend 1\n");
            assert_eq!(Journal::parse(event.as_bytes()), Err(JournalError::Line(2)), "{path}");
        }
        let event = format!("{HEADER_WITH_COMMIT}\nevent 1f.0 x\nend 1\n");
        assert_eq!(Journal::parse(event.as_bytes()), Err(JournalError::Line(2)));
        assert_eq!(Journal::parse(b"certkeep journal 4\nend 0\n"), Err(JournalError::Version));
    }

    #[test]
    fn a_commit_that_cannot_be_one_is_refused() {
        let sha1 = "0123456789abcdef0123456789abcdef01234567";
        let refused = |header: &str, lines: &str, line| {
            let text = format!("{header}\n{lines}end 0\n");
            assert_eq!(Journal::parse(text.as_bytes()), Err(JournalError::Line(line)), "{lines}");
        };
        refused(HEADER, &format!("commit {sha1}\n"), 2);
        refused(HEADER_WITH_COMMIT, &format!("commit {sha1}\ncommit {sha1}\n"), 3);
        refused(HEADER_WITH_COMMIT, "commit 0123\n", 2);
        refused(HEADER_WITH_COMMIT, &format!("commit {}\n", sha1.to_uppercase()), 2);
    }
}
