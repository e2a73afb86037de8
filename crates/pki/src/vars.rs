// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads a vars file: `set_var` lines and nothing else.
//!
//! For easy-rsa a vars file is a shell script. Here it is data: the small
//! language that such files are written in is understood, quoting and the
//! double expansion included, and whatever would run a command is refused with
//! its place. Nothing is ever executed. Finding the file, and what has been set
//! before it is read, is the caller's work.

mod dollar;
mod expansion;
mod lexer;

use thiserror::Error;

use self::lexer::{Command, Lexer};

/// The variables that a vars file is carried out over.
pub trait Scope {
    /// The value of a variable, as `$NAME` sees it; `None` where it is not set.
    fn value(&self, name: &str) -> Option<&str>;

    /// Sets a variable whatever it was before.
    fn set(&mut self, name: &str, value: String);

    /// Sets a variable that is not set yet. Set to nothing is set, as for easy-rsa.
    fn set_if_unset(&mut self, name: &str, value: String);
}

/// Where and why a vars file is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line}, column {column}: {reason}")]
pub struct ParseError {
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in the line, in characters from 1.
    pub column: usize,
    /// What stands there.
    pub reason: Reason,
}

/// What a vars file may not hold. Exhaustive: each has something to write instead.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Reason {
    /// `NAME=VALUE` or `NAME= VALUE`.
    #[error("`{}=` is a shell assignment", .0.escape_debug())]
    Assignment(String),
    /// An `if` that is not the guard, or a guard with an `else`.
    #[error("the only condition known here is the guard that tests EASYRSA_CALLER")]
    Condition,
    /// A first word that is neither `set_var` nor `force_set_var`.
    #[error("`{}` is not a command of a vars file", .0.escape_debug())]
    Command(String),
    /// A backtick, `$(` or `$((`.
    #[error("a command substitution would run a program")]
    CommandSubstitution,
    /// More than NAME and VALUE.
    #[error("{} has more than one value", .0.escape_debug())]
    Excess(String),
    /// `${NAME:-x}`, `$1`, `$'...'` and their relatives.
    #[error("only $NAME and ${{NAME}} are expanded in a vars file")]
    Expansion,
    /// `set_var` alone.
    #[error("no variable is named")]
    MissingName,
    /// A name that no shell could set.
    #[error("`{}` is not the name of a variable", .0.escape_debug())]
    Name(String),
    /// A NUL character.
    #[error("a NUL character")]
    Nul,
    /// One of `; & | < > ( )` outside quotes.
    #[error("`{0}` outside quotes joins, redirects or groups shell commands")]
    Operator(char),
    /// EASYRSA_PASSIN, EASYRSA_PASSOUT or CERTKEEP_IDENTITY.
    #[error("{0} has no place in a file that anybody may read")]
    Secret(&'static str),
    /// More than [`VALUE_LIMIT`] bytes.
    #[error("a value of more than {VALUE_LIMIT} bytes")]
    TooLong,
    /// `~name`.
    #[error("the home directory of another user is not looked up")]
    Tilde,
    /// A `"`, a `}` or a last `\` that the second expansion would take as syntax.
    #[error("`{0}` is lost when the value is expanded a second time")]
    Unescaped(char),
    /// A quote without its partner, or a guard without its `fi`.
    #[error("`{0}` is not closed")]
    Unterminated(&'static str),
}

const SECRETS: [&str; 2] = ["EASYRSA_PASSIN", "EASYRSA_PASSOUT"];
/// As secret; no line can show it, but one could set it.
const IDENTITY: &str = "CERTKEEP_IDENTITY";

/// The longest value, in bytes: 1 MiB, far more than any setting needs. Each
/// line can be twice its predecessor, so something has to end that.
pub const VALUE_LIMIT: usize = 1 << 20;

/// Carries the lines of a vars file out, in order, over `variables`.
///
/// `set_var NAME VALUE` sets what is not set yet, `force_set_var NAME VALUE`
/// sets always. As for easy-rsa, the value is expanded twice: once as a word of
/// the line, once more as if it stood between double quotes. A name that is
/// expanded but not set is empty. Lines may end in LF or CRLF.
///
/// # Errors
///
/// [`ParseError`] with the first place that is not of this language; the lines
/// before it have been carried out.
pub fn apply(text: &str, variables: &mut dyn Scope) -> Result<(), ParseError> {
    let text = text.replace("\r\n", "\n");
    let mut lexer = Lexer::new(&text);
    while let Some(command) = lexer.command()? {
        let refuse = |reason| ParseError { line: command.line, column: command.column, reason };
        if let Some(secret) = SECRETS.into_iter().find(|secret| command.source.contains(secret)) {
            return Err(refuse(Reason::Secret(secret)));
        }
        carry_out(&command, variables).map_err(refuse)?;
    }
    Ok(())
}

fn carry_out(command: &Command<'_>, variables: &mut dyn Scope) -> Result<(), Reason> {
    let verb = command.verb()?;
    let (name, raw_value) = command.arguments(variables)?;
    if !is_name(&name) {
        return Err(Reason::Name(name));
    }
    // The names may have been put together by an expansion.
    if let Some(secret) = SECRETS.into_iter().chain([IDENTITY]).find(|secret| *secret == name) {
        return Err(Reason::Secret(secret));
    }
    let value = expansion::second(&raw_value, variables)?;
    match verb {
        Verb::SetVar => variables.set_if_unset(&name, value),
        Verb::ForceSetVar => variables.set(&name, value),
    }
    Ok(())
}

/// The commands of a vars file.
enum Verb {
    SetVar,
    ForceSetVar,
}

impl Command<'_> {
    fn verb(&self) -> Result<Verb, Reason> {
        let Some(word) = self.words.first().and_then(expansion::literal) else {
            return Err(Reason::Expansion);
        };
        match word.as_str() {
            "set_var" => Ok(Verb::SetVar),
            "force_set_var" => Ok(Verb::ForceSetVar),
            _ => Err(match word.split_once('=') {
                Some((name, _)) if is_name(name) => Reason::Assignment(name.to_owned()),
                _ => Reason::Command(word),
            }),
        }
    }

    /// NAME and VALUE after the first expansion.
    fn arguments(&self, variables: &dyn Scope) -> Result<(String, String), Reason> {
        let mut name = None;
        let mut value = None;
        for word in self.words.iter().skip(1) {
            for field in expansion::first(word, variables)? {
                match (&name, &value) {
                    (None, _) => name = Some(field),
                    (Some(_), None) => value = Some(field),
                    // As for easy-rsa, an empty third word is no word.
                    (Some(_), Some(_)) if field.is_empty() => {}
                    (Some(name), Some(_)) => return Err(Reason::Excess(name.clone())),
                }
            }
        }
        Ok((name.ok_or(Reason::MissingName)?, value.unwrap_or_default()))
    }
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(dollar::starts_name) && characters.all(dollar::continues_name)
}

#[cfg(test)]
mod tests;
