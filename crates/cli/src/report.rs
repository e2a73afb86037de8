// SPDX-License-Identifier: MIT OR Apache-2.0
//! From error to message, hints and exit code: the one place that knows what
//! the user may be told to do.
//!
//! Errors of the libraries hold facts and no advice; advice is added here,
//! because only the command line knows its own options. Nothing is written
//! here, that is [`crate::terminal`]'s work.

pub mod doctor;
mod guard;
mod hints;
pub mod list;
mod refusals;
mod rotations;
mod sync;
mod vault;

use std::{error::Error, fmt};

use clap::error::{ContextKind, ContextValue, ErrorKind};

pub use self::{
    rotations::take_theirs,
    vault::{OLDER_BRANCH, renewal},
};
use crate::terminal::{Colour, Safe, Word};

/// How the process ends.
///
/// Besides these, an interrupt ends the process by its signal, which a shell
/// shows as 130.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// What was asked for was done.
    Success,
    /// The command was refused, cannot be understood, or failed.
    Refused,
    /// Something that is to be sealed is not.
    NotSealed,
    /// The guard found something that must not leave in the clear.
    LeakFound,
    /// The doctor found nothing worse than a warning.
    Ailing,
    /// The doctor found an error.
    Ill,
    /// `log --verify` found something that the history does not account for.
    HistoryUnproven,
    /// Another process holds the PKI's lock.
    LockHeld,
    /// certkeep itself is wrong.
    Internal,
    /// What the command of `exec` ended with.
    OfCommand(u8),
}

impl ExitCode {
    /// Every exit code of our own with what it means: the published table.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Success, "done; also when the reader of the output has gone away"),
        (
            Self::Refused,
            "refused, not confirmed, not understood, or failed; nothing was changed, \
             unless the error says that the change is committed or the new PKI in place",
        ),
        (Self::NotSealed, "`store status` found a protected file that git does not keep sealed"),
        (Self::LeakFound, "`guard` found something that must not leave in the clear"),
        (Self::Ailing, "`doctor` found nothing worse than a warning"),
        (Self::Ill, "`doctor` found an error"),
        (Self::HistoryUnproven, "`log --verify` found something that the history does not account for"),
        (Self::LockHeld, "the PKI is locked by another process"),
        (Self::Internal, "a bug in certkeep"),
    ];

    /// The number that the parent process sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Refused => 1,
            Self::NotSealed => 5,
            Self::LeakFound => 6,
            Self::Ailing => 7,
            Self::Ill => 8,
            Self::HistoryUnproven => 9,
            Self::LockHeld => 17,
            Self::Internal => 70,
            Self::OfCommand(code) => code,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(exit: ExitCode) -> Self {
        Self::from(exit.code())
    }
}

/// Why the program ends without having done what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a failure that is not reported is a riddle"]
pub struct Failure {
    /// What went wrong, without a final stop; may have several lines.
    pub message: String,
    /// What was behind it, from near to far.
    pub causes: Vec<String>,
    /// What to do, each ready to be pasted or obeyed.
    pub hints: Vec<String>,
    /// How the process ends.
    pub exit: ExitCode,
}

impl Failure {
    /// A refusal with a message of its own.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new(), hints: Vec::new(), exit: ExitCode::Refused }
    }

    /// A refusal with the text of an error and of everything behind it. What an
    /// error quotes in its own text is not said again.
    pub fn from_error(error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::refused(error.to_string());
        let mut said = failure.message.clone();
        let mut behind = error.source();
        while let Some(cause) = behind {
            let text = cause.to_string();
            if !said.contains(&text) {
                failure.causes.push(text.clone());
                said = text;
            }
            behind = cause.source();
        }
        failure
    }

    /// Something that cannot happen unless certkeep is wrong.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { exit: ExitCode::Internal, ..Self::refused(message) }
            .with_hint(format!("this is a bug, please report it: {}/issues", env!("CARGO_PKG_REPOSITORY")))
    }

    /// The same with one more hint.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same with another exit code.
    pub fn with_exit(mut self, exit: ExitCode) -> Self {
        self.exit = exit;
        self
    }

    /// The lines for standard error: message, causes, and behind a blank line the hints.
    /// Whatever a terminal would act on is escaped, wherever the text came from.
    #[must_use]
    pub fn rendered(&self, colour: Colour) -> String {
        let mut message = self.message.lines();
        let first = message.next().unwrap_or_default();
        let mut text = format!("{} {}\n", colour.paint(Word::Error), Safe(first));
        for line in message.chain(self.causes.iter().flat_map(|cause| cause.lines())) {
            text.push_str(&format!("  {}\n", Safe(line)));
        }
        if !self.hints.is_empty() {
            text.push('\n');
        }
        for hint in &self.hints {
            text.push_str(&format!("{} {}\n", colour.paint(Word::Hint), Safe(hint)));
        }
        text
    }
}

/// As on a terminal without colour.
impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.rendered(Colour::Never))
    }
}

/// What clap has to say when the arguments do not end in a command.
#[derive(Debug)]
pub enum Outcome {
    /// Help was asked for: data for standard output.
    Text(String),
    /// The version was asked for.
    Version,
    /// The arguments cannot be understood.
    Failure(Failure),
}

impl From<&clap::Error> for Outcome {
    fn from(error: &clap::Error) -> Self {
        let named = match error.get(ContextKind::InvalidSubcommand) {
            Some(ContextValue::String(word)) => hints::of_removed(word),
            _ => None,
        };
        if let Some(removed) = named {
            return Self::Failure(removed);
        }
        if error.kind() == ErrorKind::DisplayVersion {
            return Self::Version;
        }
        let text = error.render().to_string();
        if error.use_stderr() { Self::Failure(hints::of_arguments(&text)) } else { Self::Text(text) }
    }
}

#[cfg(test)]
mod tests;
