// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a passphrase comes from when nobody is asked: openssl's `pass:`,
//! `env:`, `file:`, `fd:` and `stdin`.
//!
//! Parsing touches nothing; a source is opened when its passphrase is first
//! needed, so a command that needs none never fails for one. Asking a person
//! is [`crate::terminal`]'s work.

mod stream;

use std::{fmt, io, rc::Rc};

use certkeep_pki::secret::Passphrase;
use thiserror::Error;

use self::stream::{Origin, Stream};
use super::variables::Variables;

/// Why a text names no source. The text is not repeated: it may be the passphrase itself.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// `fd:` with something that is no number.
    #[error("the passphrase source `fd:` wants the number of an open file")]
    Descriptor,
    /// `env:`, `file:` or `fd:` with nothing behind it.
    #[error("the passphrase source `{0}` names nothing")]
    Empty(&'static str),
    /// Neither of the five kinds.
    #[error("a passphrase source begins with `pass:`, `env:`, `file:` or `fd:`, or is `stdin`")]
    Kind,
}

/// Why a source gives no passphrase.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file or stream ended before its first line.
    #[error("{0} holds no passphrase")]
    Exhausted(String),
    /// The file or stream cannot be opened or read.
    #[error("cannot read a passphrase from {origin}")]
    Io {
        /// The source, without any of its content.
        origin: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A line of more than 1023 bytes, the most that openssl takes.
    #[error("the line in {0} is too long for a passphrase")]
    TooLong(String),
    /// `env:NAME` where NAME is not set.
    #[error("the environment variable {} that holds the passphrase is not set", .0.escape_debug())]
    Unset(String),
}

/// A parsed passphrase source. `Debug` shows its kind, never its content.
pub struct PassphraseSource {
    kind: Kind,
    /// Which line of a stream: the first, or the second for a passout that shares its stream.
    line: usize,
}

enum Kind {
    Given(Passphrase),
    Environment { name: String, value: Option<Passphrase> },
    Stream(Rc<Stream>),
}

impl PassphraseSource {
    /// Reads openssl's notation. The value of `env:NAME` is taken from `variables`.
    ///
    /// # Errors
    ///
    /// [`ParseError`] for another notation; it does not repeat the text.
    pub fn parse(text: &str, variables: &Variables) -> Result<Self, ParseError> {
        let kind = if let Some(passphrase) = text.strip_prefix("pass:") {
            Kind::Given(Passphrase::new(passphrase.as_bytes().to_vec()))
        } else if let Some(name) = text.strip_prefix("env:") {
            if name.is_empty() {
                return Err(ParseError::Empty("env:"));
            }
            let value = variables.bytes(name).map(|value| Passphrase::new(value.to_vec()));
            Kind::Environment { name: name.to_owned(), value }
        } else {
            Kind::Stream(Rc::new(Stream::closed(Origin::parse(text)?)))
        };
        Ok(Self { kind, line: 0 })
    }

    /// Parses the two sources of a run. Where both name the same file, descriptor or
    /// standard input, the passin is its first line and the passout its second, as
    /// for openssl; if there is no second line, the first stands for both.
    ///
    /// # Errors
    ///
    /// [`ParseError`] with the name of the source that is wrong.
    pub fn parse_pair(
        passin: Option<&str>,
        passout: Option<&str>,
        variables: &Variables,
    ) -> Result<(Option<Self>, Option<Self>), (Side, ParseError)> {
        let side = |side, text: Option<&str>| {
            text.map(|text| Self::parse(text, variables)).transpose().map_err(|error| (side, error))
        };
        let passin = side(Side::In, passin)?;
        let mut passout = side(Side::Out, passout)?;
        if let (Some(Self { kind: Kind::Stream(first), .. }), Some(second)) = (&passin, &mut passout)
            && let Kind::Stream(own) = &second.kind
            && own.origin() == first.origin()
        {
            *second = Self { kind: Kind::Stream(Rc::clone(first)), line: 1 };
        }
        Ok((passin, passout))
    }

    /// The passphrase: for a file or stream a line without its newline. May be
    /// asked for as often as needed; a stream is read once.
    ///
    /// # Errors
    ///
    /// [`ReadError`], which names the source and nothing of its content.
    pub fn read(&self) -> Result<Passphrase, ReadError> {
        match &self.kind {
            Kind::Given(passphrase) => Ok(copy(passphrase)),
            Kind::Environment { name, value } => {
                value.as_ref().map(copy).ok_or_else(|| ReadError::Unset(name.clone()))
            }
            Kind::Stream(stream) => stream.line(self.line),
        }
    }
}

/// Which of the two sources of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// For a key that exists.
    In,
    /// For a key that is made.
    Out,
}

impl fmt::Debug for PassphraseSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Given(_) => formatter.write_str("PassphraseSource(pass)"),
            Kind::Environment { name, .. } => write!(formatter, "PassphraseSource(env:{name})"),
            Kind::Stream(stream) => {
                write!(formatter, "PassphraseSource({}, line {})", stream.origin(), self.line + 1)
            }
        }
    }
}

/// A copy of the exact size, so that nothing is left behind by a growing buffer.
fn copy(passphrase: &Passphrase) -> Passphrase {
    Passphrase::new(passphrase.expose().to_vec())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::settings::variables;

    fn text_of(source: &PassphraseSource) -> Vec<u8> {
        source.read().expect("a passphrase").expose().to_vec()
    }

    fn file(content: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(content.as_bytes()).expect("written");
        file
    }

    fn pair(passin: &str, passout: &str) -> (PassphraseSource, PassphraseSource) {
        let variables = Variables::default();
        let (passin, passout) =
            PassphraseSource::parse_pair(Some(passin), Some(passout), &variables).expect("valid");
        (passin.expect("given"), passout.expect("given"))
    }

    #[test]
    fn the_five_kinds_are_read() {
        let mut variables = Variables::default();
        variables.set("CA_PASS", "from the environment".to_owned(), variables::Origin::Environment);
        let file = file("first line\nsecond line\n");
        for (text, expected) in [
            ("pass:with spaces, ünd:colons".to_owned(), "with spaces, ünd:colons"),
            ("pass:".to_owned(), ""),
            ("env:CA_PASS".to_owned(), "from the environment"),
            (format!("file:{}", file.path().display()), "first line"),
        ] {
            let source = PassphraseSource::parse(&text, &variables).expect("valid");
            assert_eq!(text_of(&source), expected.as_bytes(), "{text}");
            assert_eq!(text_of(&source), expected.as_bytes(), "{text}, read again");
        }
        assert!(PassphraseSource::parse("stdin", &variables).is_ok());
        assert!(PassphraseSource::parse("fd:3", &variables).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_descriptor_is_read_by_its_number() {
        use std::os::fd::AsRawFd;
        let file = file("hunter2\n");
        let text = format!("fd:{}", file.as_file().as_raw_fd());
        let source = PassphraseSource::parse(&text, &Variables::default()).expect("valid");
        assert_eq!(text_of(&source), b"hunter2");
    }

    #[test]
    fn one_file_for_both_gives_its_first_line_and_its_second() {
        let file = file("for the old key\nfor the new key\n");
        let name = format!("file:{}", file.path().display());
        let (passin, passout) = pair(&name, &name);
        assert_eq!(text_of(&passout), b"for the new key", "whichever is asked first");
        assert_eq!(text_of(&passin), b"for the old key");
    }

    #[test]
    fn one_line_stands_for_both() {
        let file = file("the only one");
        let name = format!("file:{}", file.path().display());
        let (passin, passout) = pair(&name, &name);
        assert_eq!(text_of(&passin), b"the only one");
        assert_eq!(text_of(&passout), b"the only one");
    }

    #[test]
    fn two_files_give_their_first_lines() {
        let (one, two) = (file("one\nx"), file("two\nx"));
        let (passin, passout) =
            pair(&format!("file:{}", one.path().display()), &format!("file:{}", two.path().display()));
        assert_eq!(text_of(&passin), b"one");
        assert_eq!(text_of(&passout), b"two");
    }

    #[test]
    fn a_source_that_fails_is_named_without_content() {
        let variables = Variables::default();
        let refused = |text| PassphraseSource::parse(text, &variables).expect_err("refused").to_string();
        assert_eq!(refused("env:"), "the passphrase source `env:` names nothing");
        assert_eq!(refused("fd:x"), "the passphrase source `fd:` wants the number of an open file");
        assert!(!refused("hunter2").contains("hunter2"));

        let failed = |text: &str| {
            let source = PassphraseSource::parse(text, &variables).expect("valid");
            source.read().expect_err("fails").to_string()
        };
        assert_eq!(failed("env:NONE"), "the environment variable NONE that holds the passphrase is not set");
        assert_eq!(failed("file:/does/not/exist"), "cannot read a passphrase from `/does/not/exist`");
        let empty = file("");
        assert!(failed(&format!("file:{}", empty.path().display())).ends_with("holds no passphrase"));
        let long = file(&"x".repeat(2000));
        assert!(failed(&format!("file:{}", long.path().display())).ends_with("too long for a passphrase"));
    }

    #[test]
    fn debug_shows_no_content() {
        let source = PassphraseSource::parse("pass:hunter2", &Variables::default()).expect("valid");
        assert_eq!(format!("{source:?}"), "PassphraseSource(pass)");
    }
}
