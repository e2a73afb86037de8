// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file, descriptor or standard input that passphrases are read from: line
//! by line, unbuffered, and every line only once.
//!
//! Unbuffered, because what stands behind the passphrase in a pipe belongs to
//! whoever reads next: the questions of a command, or another program.

use std::{cell::RefCell, fmt, fs::File, io, path::PathBuf};

use certkeep_pki::secret::Passphrase;

use super::{ParseError, ReadError, copy};
use crate::terminal::{LineError, Safe, read_line, standard_input};

/// What is opened.
#[derive(PartialEq, Eq)]
pub(super) enum Origin {
    File(PathBuf),
    Descriptor(u32),
    StandardInput,
}

/// An origin and the lines that have been read from it.
pub(super) struct Stream {
    origin: Origin,
    progress: RefCell<Progress>,
}

#[derive(Default)]
struct Progress {
    open: Option<File>,
    lines: Vec<Passphrase>,
    ended: bool,
}

impl Origin {
    /// Reads `file:PATH`, `fd:NUMBER` or `stdin`.
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        if text == "stdin" {
            return Ok(Self::StandardInput);
        }
        if let Some(path) = text.strip_prefix("file:") {
            return if path.is_empty() {
                Err(ParseError::Empty("file:"))
            } else {
                Ok(Self::File(PathBuf::from(path)))
            };
        }
        match text.strip_prefix("fd:") {
            None => Err(ParseError::Kind),
            Some("") => Err(ParseError::Empty("fd:")),
            Some("0") => Ok(Self::StandardInput),
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                number.parse().map(Self::Descriptor).map_err(|_| ParseError::Descriptor)
            }
            Some(_) => Err(ParseError::Descriptor),
        }
    }

    fn open(&self) -> io::Result<File> {
        match self {
            Self::File(path) => File::open(path),
            Self::Descriptor(number) => File::open(format!("/dev/fd/{number}")),
            Self::StandardInput => standard_input(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "`{}`", Safe(path.display())),
            Self::Descriptor(number) => write!(formatter, "file descriptor {number}"),
            Self::StandardInput => formatter.write_str("standard input"),
        }
    }
}

impl Stream {
    /// A stream that will be opened when its first line is needed.
    pub(super) fn closed(origin: Origin) -> Self {
        Self { origin, progress: RefCell::default() }
    }

    /// What is read.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The line with this number, counted from 0, or the last one before it.
    pub(super) fn line(&self, number: usize) -> Result<Passphrase, ReadError> {
        let mut progress = self.progress.borrow_mut();
        while progress.lines.len() <= number && !progress.ended {
            match progress.next_line(&self.origin) {
                Ok(Some(line)) => progress.lines.push(line),
                Ok(None) => progress.ended = true,
                Err(LineError::TooLong) => return Err(ReadError::TooLong(self.origin.to_string())),
                Err(LineError::Io(source)) => {
                    return Err(ReadError::Io { origin: self.origin.to_string(), source });
                }
            }
        }
        let line = progress.lines.get(number).or_else(|| progress.lines.last());
        line.map(copy).ok_or_else(|| ReadError::Exhausted(self.origin.to_string()))
    }
}

impl Progress {
    fn next_line(&mut self, origin: &Origin) -> Result<Option<Passphrase>, LineError> {
        let file = match &mut self.open {
            Some(file) => file,
            closed => closed.insert(origin.open().map_err(LineError::Io)?),
        };
        let line = read_line(file)?;
        // The bytes move into the passphrase; nothing is copied.
        Ok(line.map(|mut line| Passphrase::new(std::mem::take(&mut *line))))
    }
}
