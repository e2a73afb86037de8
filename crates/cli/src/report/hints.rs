// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to do about each error of this crate.
//!
//! A hint is a command, a line to write or a sentence to obey. An error that
//! leaves nothing to say beyond its facts has none.

use certkeep_pki::vars::Reason;

use super::Failure;
use crate::{
    settings::{
        Origin, SettingsError,
        passphrase::{self, ReadError},
    },
    terminal::{AskError, ConfirmError, OutputError, PassphraseError},
};

const PASSPHRASE_SOURCES: &str =
    "name a source: `--passin=file:PATH`, `--passin=env:NAME`, `--passin=fd:NUMBER` or `--passin=stdin`";

/// The commands that easy-rsa has dropped, and what to do instead.
const REMOVED: [(&str, &str); 11] = [
    ("default-san", "what a server is called: `certkeep --auto-san build-server-full NAME`"),
    ("display-cn", "`certkeep display-dn x509 FILE`"),
    ("display-san", "`certkeep show-cert NAME` or `certkeep show-req NAME`"),
    ("make-safe-ssl", "`certkeep write safe-cnf`; certkeep itself needs no settings of openssl"),
    ("make-vars", "`certkeep write vars`"),
    ("mss", "`certkeep write safe-cnf`; certkeep itself needs no settings of openssl"),
    ("rebuild", "a new key: `certkeep revoke-issued NAME superseded`, then `certkeep issue TYPE NAME`"),
    ("renewable", "`certkeep show-expire`"),
    ("rewind-renew", "the old certificate is valid until `certkeep revoke-renewed NAME`"),
    (
        "upgrade",
        "certkeep works in a PKI of easy-rsa 3 as it is; one of easy-rsa 2 is taken over by easy-rsa 3.1 `upgrade`",
    ),
    ("verify", "`certkeep verify-cert NAME`"),
];

impl Failure {
    /// `CERTKEEP_AS` says something that the program is not called.
    pub fn no_such_name(name: &str) -> Self {
        Self::refused(format!("CERTKEEP_AS is `{}`, which is no name of this program", name.escape_debug()))
            .with_hint("it is certkeep or easyrsa; to go by the name of the file: `unset CERTKEEP_AS`")
    }
}

/// What to say of a command that easy-rsa once had.
pub(super) fn of_removed(word: &str) -> Option<Failure> {
    let (_, instead) = REMOVED.iter().find(|(removed, _)| *removed == word)?;
    Some(
        Failure::refused(format!("the command `{word}` of easy-rsa is not there any more"))
            .with_hint(*instead),
    )
}

/// A failure from the text of a clap error, in our form: the facts first, the
/// tips and the usage as hints.
pub(super) fn of_arguments(text: &str) -> Failure {
    let mut failure = Failure::refused("");
    let mut message = Vec::new();
    let mut usage = false;
    for line in text.lines() {
        let line = line.strip_prefix("error: ").unwrap_or(line).trim();
        if line.is_empty() || line.starts_with("For more information") {
            usage = false;
        } else if let Some(tip) = line.strip_prefix("tip: ") {
            // No argument of ours begins with a hyphen, so none is to be passed that way.
            if !tip.starts_with("to pass ") {
                failure.hints.push(tip.to_owned());
            }
        } else if let Some(synopsis) = line.strip_prefix("Usage: ") {
            usage = true;
            // `certkeep --batch` repeats what was typed and helps nobody.
            if !synopsis.split_once(' ').is_some_and(|(_, rest)| rest.starts_with('-')) {
                failure.hints.push(format!("usage: `{synopsis}`"));
            }
        } else if usage {
            failure.hints.push(format!("usage: `{line}`"));
        } else {
            message.push(line.to_owned());
        }
    }
    failure.message = message.join("\n");
    failure.with_hint("all options: `certkeep --help`")
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            SettingsError::Date { .. } => failure.with_hint("write UTC as in `--enddate=20301231235959Z`"),
            SettingsError::Empty(place) => match place.origin {
                Origin::Environment => failure.with_hint(format!("`unset {}`", place.known.name)),
                Origin::Option(_) | Origin::Vars => failure,
            },
            SettingsError::NotUtf8(name) => failure.with_hint(format!("`unset {name}`")),
            SettingsError::Passphrase { .. } => failure.with_hint(PASSPHRASE_SOURCES),
            SettingsError::StartWithoutEnd(_) => failure.with_hint("add `--enddate=YYYYMMDDhhmmssZ`"),
            SettingsError::Vars { source, .. } => failure.with_hint(instead(&source.reason)),
            SettingsError::VarsMissing(_) => {
                failure.with_hint("to run without a vars file: `EASYRSA_NO_VARS=1 certkeep ...`")
            }
            SettingsError::VarsMovesPki { .. } => {
                failure.with_hint("remove that line, or name the PKI: `certkeep --pki=DIR ...`")
            }
            SettingsError::VarsNotUtf8(_) => failure.with_hint("save the file as UTF-8"),
            SettingsError::Value { .. } | SettingsError::VarsUnreadable { .. } => failure,
        }
    }
}

/// What to write in a vars file instead.
fn instead(reason: &Reason) -> String {
    match reason {
        Reason::Assignment(name) => format!("write `set_var {name} VALUE`"),
        Reason::Command(word) if word == "export" => "write `set_var NAME VALUE`".to_owned(),
        Reason::Command(_) | Reason::Condition | Reason::Operator(_) => {
            "a vars file is read, not run: it holds `set_var NAME VALUE` lines; quote a VALUE that is not one word"
                .to_owned()
        }
        Reason::CommandSubstitution => {
            "write the value itself, or set the variable in the environment: `NAME=\"$(command)\" certkeep ...`"
                .to_owned()
        }
        Reason::Excess(name) => format!("put quotes around the value: `set_var {name} \"TWO WORDS\"`"),
        Reason::Expansion => "write `${NAME}` or the value itself; a dollar sign is written `\\\\\\$`".to_owned(),
        Reason::MissingName => "write `set_var NAME VALUE`".to_owned(),
        Reason::Name(_) => "a name has letters, digits and `_`; write `set_var NAME VALUE`".to_owned(),
        Reason::Nul => "remove the character; the file may be saved as UTF-16".to_owned(),
        Reason::Secret("CERTKEEP_IDENTITY") => {
            "name a file: `--identity=FILE`, or set the variable in the environment".to_owned()
        }
        Reason::Secret(_) => {
            "give it on the command line or in the environment: `--passin=env:NAME`, `--passin=file:PATH`".to_owned()
        }
        Reason::Tilde => "write the whole path".to_owned(),
        Reason::TooLong => "no setting needs that much; look for a name that is expanded in its own value".to_owned(),
        Reason::Unescaped(character) => format!("write `'\\{character}'`, in single quotes"),
        Reason::Unterminated("if") => "close the guard with a line `fi`".to_owned(),
        Reason::Unterminated(_) => "close the quote".to_owned(),
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            ReadError::Unset(name) => failure.with_hint(format!("`export {name}`, or {PASSPHRASE_SOURCES}")),
            ReadError::Exhausted(_) | ReadError::Io { .. } | ReadError::TooLong(_) => failure,
        }
    }
}

impl From<passphrase::ParseError> for Failure {
    fn from(error: passphrase::ParseError) -> Self {
        Self::from_error(&error).with_hint(PASSPHRASE_SOURCES)
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            AskError::EndOfInput(_) => {
                failure.with_hint("to take the defaults without being asked: `certkeep --batch ...`")
            }
            AskError::Unreadable(_) => failure,
        }
    }
}

impl From<ConfirmError> for Failure {
    fn from(error: ConfirmError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            ConfirmError::Declined => failure
                .with_hint("the answer is the word `yes`; to confirm beforehand: `certkeep --batch ...`"),
            ConfirmError::Unreadable(_) => failure,
        }
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        Self::from_error(&error)
    }
}

impl From<PassphraseError> for Failure {
    fn from(error: PassphraseError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            PassphraseError::NoTerminal(_) => failure
                .with_hint("for an existing key: `--passin=file:PATH`, `--passin=env:NAME`")
                .with_hint("for a new key: `--passout=file:PATH`, `--passout=env:NAME`, or no passphrase: `--nopass`"),
            PassphraseError::Mismatch | PassphraseError::NotTyped | PassphraseError::TooShort => failure,
        }
    }
}
