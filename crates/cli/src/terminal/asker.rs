// SPDX-License-Identifier: MIT OR Apache-2.0
//! The store's questions, asked on this terminal.

use certkeep_pki::secret::Passphrase;
use certkeep_store::prompt::{Prompt, PromptError};

use super::{AskError, ConfirmError, Consent, PassphraseError, Safe, Terminal};

/// A terminal as the store sees it.
pub struct Asker<'a>(pub &'a mut Terminal);

impl Asker<'_> {
    /// Whether somebody is there to answer, and has not consented to all beforehand.
    #[must_use]
    pub fn is_somebody(&self) -> bool {
        self.0.consent == Consent::Asked && self.0.prompt.is_typed()
    }
}

impl Prompt for Asker<'_> {
    fn passphrase(&mut self, what: &str) -> Result<Passphrase, PromptError> {
        self.0.passphrase(&format!("Passphrase of {}: ", Safe(what))).map_err(|error| match error {
            PassphraseError::NotTyped => PromptError::Cancelled,
            _ => PromptError::NoTerminal,
        })
    }

    fn message(&mut self, text: &str) {
        // Not a notice: somebody waits for a hand to be laid on a key.
        self.0.say(format_args!("{}\n", Safe(text)));
    }

    fn confirm(&mut self, question: &str) -> Result<bool, PromptError> {
        match self.0.confirm(Safe(question), "Confirm: ") {
            Ok(()) => Ok(true),
            Err(ConfirmError::Declined) => Ok(false),
            Err(ConfirmError::Unreadable(_)) => Err(PromptError::NoTerminal),
        }
    }

    fn answer(&mut self, question: &str) -> Result<String, PromptError> {
        self.0.ask(&Safe(question).to_string(), "").map_err(|error| match error {
            AskError::EndOfInput(_) => PromptError::Cancelled,
            AskError::Unreadable(_) => PromptError::NoTerminal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::{Scripted, tests::captured};

    #[test]
    fn a_question_without_an_answer_says_why() {
        let (mut terminal, output, talk) = captured(Scripted::new(["yes", "no"], ["geheim"]));
        let mut asker = Asker(&mut terminal);
        let typed = asker.passphrase("the key\u{1b}").expect("typed");
        assert_eq!(typed.expose(), b"geheim");
        assert_eq!(asker.passphrase("the key").expect_err("nobody"), PromptError::NoTerminal);
        assert_eq!(asker.confirm("Really?"), Ok(true));
        assert_eq!(asker.confirm("Really?"), Ok(false));
        assert_eq!(asker.answer("Which?"), Err(PromptError::Cancelled));
        asker.message("touch it\u{1b}[2J");
        assert!(talk.text().ends_with("touch it\\u{1b}[2J\n"), "{}", talk.text());
        assert_eq!(output.text(), "");
    }
}
