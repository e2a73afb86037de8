// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one way in which this crate asks a person something.

use certkeep_pki::secret::Passphrase;
use thiserror::Error;

/// Somebody who can be asked. The command line asks on the terminal; a test
/// and an unattended run answer for themselves.
pub trait Prompt {
    /// Asks for the passphrase of `what`, such as `the SSH key /home/bob/.ssh/id_ed25519`.
    ///
    /// # Errors
    ///
    /// When there is nobody to ask, or who was asked does not want to answer.
    fn passphrase(&mut self, what: &str) -> Result<Passphrase, PromptError>;

    /// Shows what has to be done now, such as touching a hardware key.
    fn message(&mut self, text: &str);

    /// Asks a question that is answered by yes or no.
    ///
    /// # Errors
    ///
    /// As [`Self::passphrase`].
    fn confirm(&mut self, question: &str) -> Result<bool, PromptError>;

    /// Asks for something that is not secret.
    ///
    /// # Errors
    ///
    /// As [`Self::passphrase`].
    fn answer(&mut self, question: &str) -> Result<String, PromptError>;
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PromptError {
    /// There is no terminal to ask on.
    #[error("no terminal to ask for it")]
    NoTerminal,
    /// The person who was asked gave up.
    #[error("cancelled")]
    Cancelled,
}
