// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a program left: exit code, standard output, standard error.

use std::process::Output;

/// The end of a program.
#[derive(Debug)]
pub(crate) struct Outcome {
    shown: String,
    /// The exit code; 124 when it was stuck and was ended, `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn new(shown: String, output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { shown, code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// It ended with exit code 0.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "this was to succeed: {self}");
        self
    }

    /// It ended with another exit code than 0.
    #[track_caller]
    pub(crate) fn failed(self) -> Self {
        assert!(!matches!(self.code, Some(0 | 124)), "this was to fail: {self}");
        self
    }

    /// certkeep refused: exit code 1, nothing on standard output, an error with
    /// `fact` on standard error, and nothing there that a terminal would act on.
    #[track_caller]
    pub(crate) fn refused(self, fact: &str) -> Self {
        assert_eq!(self.code, Some(1), "this was to be refused: {self}");
        assert_eq!(self.stdout, "", "a refusal leaves standard output empty: {self}");
        let error = self.stderr.lines().any(|line| line.starts_with("error: ") && line.len() > 7);
        assert!(error, "a refusal has a line that begins with `error: `: {self}");
        assert!(!self.stderr.contains("panicked"), "a refusal is no panic: {self}");
        assert!(self.stderr.contains(fact), "`{fact}` was to be said: {self}");
        self.harmless()
    }

    /// Standard error holds `text`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` was to be said: {self}");
        self
    }

    /// Standard output holds `text`.
    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "`{text}` was to be shown: {self}");
        self
    }

    /// Neither stream holds a character that a terminal would act on.
    #[track_caller]
    pub(crate) fn harmless(self) -> Self {
        for character in self.stdout.chars().chain(self.stderr.chars()) {
            let acts = character.is_control() && !matches!(character, '\n' | '\t');
            let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!acts && !turns, "{character:?} in what is shown: {self}");
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        assert_eq!(self.code, Some(0), "this was to succeed: {self}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { shown, code, stdout, stderr } = self;
        write!(formatter, "{shown}\nexit code {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
    }
}
