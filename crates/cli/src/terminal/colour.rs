// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the three words that begin a message are coloured, and what a table
//! marks. Nothing else ever is, and nothing needs it to be understood.

use std::fmt::{self, Display};

/// Whether standard error, or standard output, takes colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// A terminal, and nobody minds.
    Always,
    /// A file, a pipe, or a person who set `NO_COLOR`.
    Never,
}

/// A word that says what the rest of its line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// `error:`
    Error,
    /// `hint:`
    Hint,
    /// `warning:`
    Warning,
}

/// What a cell of a table tells by its colour too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Too late.
    Over,
    /// Soon.
    Soon,
    /// Of no interest any more.
    Gone,
}

impl Colour {
    /// The text of a cell, coloured if that is wanted. What is in it is shown as it is.
    #[must_use]
    pub fn mark(self, mark: Option<Mark>, text: &str) -> String {
        let code = match (self, mark) {
            (Self::Never, _) | (_, None) => return text.to_owned(),
            (_, Some(Mark::Over)) => "1;31",
            (_, Some(Mark::Soon)) => "1;33",
            (_, Some(Mark::Gone)) => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The word with its colon, coloured if that is wanted.
    #[must_use]
    pub fn paint(self, word: Word) -> impl Display {
        Painted(self, word)
    }
}

struct Painted(Colour, Word);

impl Display for Painted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bold, and the eight colours that every terminal has.
        let (text, code) = match self.1 {
            Word::Error => ("error:", "1;31"),
            Word::Hint => ("hint:", "1;36"),
            Word::Warning => ("warning:", "1;33"),
        };
        match self.0 {
            Colour::Always => write!(formatter, "\u{1b}[{code}m{text}\u{1b}[0m"),
            Colour::Never => formatter.write_str(text),
        }
    }
}
