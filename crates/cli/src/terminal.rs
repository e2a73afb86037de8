// SPDX-License-Identifier: MIT OR Apache-2.0
//! The only writer to standard output, standard error and the terminal.
//!
//! Standard output is data: what was asked for, and nothing when a command
//! fails. Standard error is talk: questions, notices, warnings, errors.
//! `--silent` takes notices and warnings away, never errors, questions or data.
//! `--batch` answers every confirmation with yes and every question with its
//! default; a passphrase is asked for all the same, as easy-rsa 3.2 does.
//! Answers are read from standard input, passphrases from the controlling
//! terminal. Text that somebody else wrote is shown through [`Safe`].
//!
//! What a message says is decided by the commands and by [`crate::report`].

mod asker;
mod colour;
mod device;
mod line;
mod page;
mod progress;
mod prompt;
mod safe;

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use certkeep_pki::secret::Passphrase;
use thiserror::Error;

pub(crate) use self::line::{read_line, standard_input, standard_output};

#[cfg(test)]
pub use self::prompt::Scripted;
pub use self::{
    asker::Asker,
    colour::{Colour, Mark, Word},
    device::name,
    line::LineError,
    page::Page,
    progress::Progress,
    prompt::{Person, Prompt},
    safe::{Safe, shell_path, shell_word},
};
use crate::{
    called::Called,
    report::Failure,
    settings::{Settings, Variables, env},
};

/// The least length of a new passphrase in bytes, which openssl and easy-rsa ask for too.
const MINIMUM_PASSPHRASE: usize = 4;

/// Whether notices and warnings are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// They are.
    Full,
    /// They are not (`--silent`).
    Silent,
}

/// Whether a confirmation has to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// It has.
    Asked,
    /// It was given beforehand (`--batch`).
    Given,
}

/// Standard output did not take its data.
#[derive(Debug, Error)]
#[error("cannot write to standard output")]
pub struct OutputError(#[source] io::Error);

/// Why a confirmation did not come.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfirmError {
    /// Something else than `yes` was answered, or nothing at all.
    #[error("not confirmed, nothing was changed")]
    Declined,
    /// Standard input cannot be read.
    #[error("cannot read the confirmation")]
    Unreadable(#[source] LineError),
}

/// Why a question has no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AskError {
    /// Standard input ended.
    #[error("standard input ended before {0} was answered")]
    EndOfInput(String),
    /// Standard input cannot be read.
    #[error("cannot read the answer")]
    Unreadable(#[source] LineError),
}

/// Why there is no passphrase.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// The second entry was not the first.
    #[error("the two passphrases differ")]
    Mismatch,
    /// Nobody can be asked.
    #[error("a passphrase is needed and there is no terminal to ask for it")]
    NoTerminal(#[source] io::Error),
    /// The person ended the input instead of typing one.
    #[error("no passphrase was typed")]
    NotTyped,
    /// A new passphrase of less than four bytes.
    #[error("a passphrase has at least {MINIMUM_PASSPHRASE} characters")]
    TooShort,
}

/// A new passphrase, wherever it comes from, if it is of any use.
///
/// # Errors
///
/// [`PassphraseError::TooShort`] below four bytes.
pub fn long_enough(passphrase: Passphrase) -> Result<Passphrase, PassphraseError> {
    if passphrase.len() < MINIMUM_PASSPHRASE { Err(PassphraseError::TooShort) } else { Ok(passphrase) }
}

/// The streams of this process and the person behind them.
pub struct Terminal {
    output: Box<dyn Write>,
    talk_output: Box<dyn Write>,
    prompt: Box<dyn Prompt>,
    colour: Colour,
    page: Page,
    talk: Talk,
    consent: Consent,
    called: Called,
}

impl Terminal {
    /// The process's own streams, talking and asking until [`Self::configure`] says otherwise.
    #[must_use]
    pub fn standard(variables: &Variables) -> Self {
        let plain = variables.value("TERM") == Some("dumb") || variables.is_on(env::NO_COLOR);
        let colour = |terminal: bool| if plain || !terminal { Colour::Never } else { Colour::Always };
        Self {
            output: Box::new(io::stdout()),
            talk_output: Box::new(io::stderr()),
            prompt: Box::new(Person),
            colour: colour(io::stderr().is_terminal()),
            page: Page::of_output(colour(io::stdout().is_terminal())),
            talk: Talk::Full,
            consent: Consent::Asked,
            called: Called::Certkeep,
        }
    }

    /// Names commands from now on as they are typed when the program is `called` so.
    pub fn answer_to(&mut self, called: Called) {
        self.called = called;
    }

    /// Obeys `--silent` and `--batch`.
    pub fn configure(&mut self, settings: &Settings) {
        self.talk = settings.talk();
        self.consent = settings.consent();
    }

    /// What data for people is to fit.
    #[must_use]
    pub fn page(&self) -> Page {
        self.page
    }

    /// Writes data to standard output, exactly as given.
    ///
    /// A reader that has gone away (`| head`) has seen what it wanted: that is success.
    ///
    /// # Errors
    ///
    /// [`OutputError`] when the data cannot be written, such as to a full disk.
    pub fn data(&mut self, text: &str) -> Result<(), OutputError> {
        match self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(OutputError(error)),
            _ => Ok(()),
        }
    }

    /// Says what was done; not when silent.
    pub fn notice(&mut self, text: impl Display) {
        if self.talk == Talk::Full {
            self.say(format_args!("{}\n", self.called.put(&text.to_string())));
        }
    }

    /// Says what the user may want to act on; not when silent.
    pub fn warning(&mut self, text: impl Display) {
        if self.talk == Talk::Full {
            let text = text.to_string();
            self.say(format_args!("{} {}\n", self.colour.paint(Word::Warning), self.called.put(&text)));
        }
    }

    /// Shows how far a work is that may take long; `what` names it, such as `unlocking`.
    #[must_use]
    pub fn progress(&self, what: &'static str) -> Progress {
        Progress::new(what, self.talk)
    }

    /// Says why the program ends.
    pub fn failure(&mut self, failure: &Failure) {
        let text = failure.rendered(self.colour);
        self.say(self.called.put(&text));
    }

    /// Shows `details` and asks for the word `yes`; `label` is the prompt, such
    /// as `Confirm removal: `. With consent given beforehand nothing is shown.
    ///
    /// # Errors
    ///
    /// [`ConfirmError::Declined`] for any other answer and for the end of the input.
    pub fn confirm(&mut self, details: impl Display, label: &str) -> Result<(), ConfirmError> {
        if self.consent == Consent::Given {
            return Ok(());
        }
        self.say(format_args!("{details}\n\nType `yes` to go on, anything else to stop.\n{label}"));
        match self.answer().map_err(ConfirmError::Unreadable)? {
            Some(answer) if answer == "yes" => Ok(()),
            _ => Err(ConfirmError::Declined),
        }
    }

    /// Asks for a field of a name. An empty answer takes the default, a single
    /// dot leaves the field out (empty text), as with openssl. With consent
    /// given beforehand the default is taken without a question.
    ///
    /// # Errors
    ///
    /// [`AskError::EndOfInput`] when nobody answers.
    pub fn ask(&mut self, label: &str, default: &str) -> Result<String, AskError> {
        if self.consent == Consent::Given {
            return Ok(default.to_owned());
        }
        self.say(format_args!("{label} [{}]: ", Safe(default)));
        match self.answer().map_err(AskError::Unreadable)? {
            None => Err(AskError::EndOfInput(label.to_owned())),
            Some(answer) if answer.is_empty() => Ok(default.to_owned()),
            Some(answer) if answer == "." => Ok(String::new()),
            Some(answer) => Ok(answer),
        }
    }

    /// Asks for the passphrase of something that exists; `label` is the prompt.
    ///
    /// # Errors
    ///
    /// [`PassphraseError::NoTerminal`] at once where nobody can be asked,
    /// [`PassphraseError::NotTyped`] when the person ends the input.
    pub fn passphrase(&mut self, label: &str) -> Result<Passphrase, PassphraseError> {
        self.prompt.hidden(label).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                self.say("\n");
                PassphraseError::NotTyped
            }
            _ => PassphraseError::NoTerminal(error),
        })
    }

    /// Asks twice for a passphrase of something new, such as the `CA Key`.
    ///
    /// # Errors
    ///
    /// [`PassphraseError::TooShort`] below four bytes, [`PassphraseError::Mismatch`]
    /// when the entries differ, else as [`Self::passphrase`].
    pub fn new_passphrase(&mut self, what: &str) -> Result<Passphrase, PassphraseError> {
        let passphrase = long_enough(self.passphrase(&format!("Enter New {what} Passphrase: "))?)?;
        let repeated = self.passphrase(&format!("Confirm New {what} Passphrase: "))?;
        if passphrase.matches(&repeated) { Ok(passphrase) } else { Err(PassphraseError::Mismatch) }
    }

    /// An answer, after which standard error is at the beginning of a line.
    fn answer(&mut self) -> Result<Option<String>, LineError> {
        let answer = self.prompt.line();
        let newline_shown = matches!(answer, Ok(Some(_))) && self.prompt.is_typed();
        if !newline_shown {
            self.say("\n");
        }
        answer
    }

    /// Writes to standard error. When that fails there is nobody left to tell.
    fn say(&mut self, text: impl Display) {
        let text = text.to_string();
        let _ = self.talk_output.write_all(text.as_bytes()).and_then(|()| self.talk_output.flush());
    }
}

#[cfg(test)]
pub(crate) mod tests;
