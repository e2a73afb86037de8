// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who answers a question: a person at the terminal, or a list in a test.
//!
//! The seam reads and nothing else; what is asked and what counts as an answer
//! is decided in [`super::Terminal`].

use std::io::{self, IsTerminal};

use certkeep_pki::secret::Passphrase;

use super::line::{LineError, read_line, standard_input};
use crate::interrupt;

/// A source of answers.
pub trait Prompt {
    /// The next line of standard input, be it a terminal or a pipe; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`LineError`] when it cannot be read, is too long, or is not UTF-8.
    fn line(&mut self) -> Result<Option<String>, LineError>;

    /// Whether lines are typed at a terminal, which then shows their newline too.
    fn is_typed(&self) -> bool;

    /// A passphrase, asked for with `label` and not shown while it is typed.
    /// Comes from the controlling terminal only, so a pipe on standard input is left alone.
    ///
    /// # Errors
    ///
    /// An error of the system, at once, where there is no terminal.
    fn hidden(&mut self, label: &str) -> io::Result<Passphrase>;
}

/// The person who started the program.
#[derive(Debug)]
pub struct Person;

impl Prompt for Person {
    fn line(&mut self) -> Result<Option<String>, LineError> {
        let mut input = standard_input().map_err(LineError::Io)?;
        let Some(line) = read_line(&mut input)? else { return Ok(None) };
        match std::str::from_utf8(&line) {
            Ok(text) => Ok(Some(text.trim_end_matches('\r').to_owned())),
            Err(error) => Err(LineError::Io(io::Error::new(io::ErrorKind::InvalidData, error))),
        }
    }

    fn is_typed(&self) -> bool {
        io::stdin().is_terminal()
    }

    fn hidden(&mut self, label: &str) -> io::Result<Passphrase> {
        interrupt::with_hidden_input(|| rpassword::prompt_password(label))
            .map(|typed| Passphrase::new(typed.into_bytes()))
    }
}

/// Answers written down beforehand; a passphrase beyond the list is a missing terminal.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct Scripted {
    /// What [`Prompt::line`] gives, first to last.
    pub lines: std::collections::VecDeque<String>,
    /// What [`Prompt::hidden`] gives, first to last.
    pub passphrases: std::collections::VecDeque<String>,
}

#[cfg(test)]
impl Scripted {
    /// Answers for lines and for passphrases, first to last.
    pub fn new<const L: usize, const P: usize>(lines: [&str; L], passphrases: [&str; P]) -> Self {
        Self {
            lines: lines.into_iter().map(str::to_owned).collect(),
            passphrases: passphrases.into_iter().map(str::to_owned).collect(),
        }
    }
}

#[cfg(test)]
impl Prompt for Scripted {
    fn line(&mut self) -> Result<Option<String>, LineError> {
        Ok(self.lines.pop_front())
    }

    fn is_typed(&self) -> bool {
        true
    }

    fn hidden(&mut self, _label: &str) -> io::Result<Passphrase> {
        let typed = self.passphrases.pop_front();
        typed.map(|typed| Passphrase::new(typed.into_bytes())).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
