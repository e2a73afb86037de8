// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cuts the text of a vars file into commands, words and their parts, by the
//! rules of POSIX sh (XCU 2.2, 2.3) as far as such a file may use them.
//!
//! No value is looked up here, that is [`super::expansion`]'s work; nor is it
//! known here which commands there are.

use super::{
    ParseError, Reason,
    dollar::{Dollar, dollar},
};

/// A piece of a word.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text that stands for itself.
    Literal(String),
    /// `$NAME`; what stands between double quotes is not split into fields.
    Variable { name: String, quoted: bool },
}

/// A word of a command. A word without parts does not exist: `""` is one
/// empty literal.
pub(super) type Word = Vec<Part>;

/// One command and where it begins.
pub(super) struct Command<'a> {
    pub(super) line: usize,
    pub(super) column: usize,
    /// Its characters as they stand in the file, without a trailing comment.
    pub(super) source: &'a str,
    pub(super) words: Vec<Word>,
}

/// A reader of commands; `rest` is what it has not read yet.
pub(super) struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl<'a> Lexer<'a> {
    /// A reader at the beginning of `text`, whose lines end in LF.
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1, column: 1 }
    }

    /// The next command; comments, blank lines and the guard are passed over.
    pub(super) fn command(&mut self) -> Result<Option<Command<'a>>, ParseError> {
        loop {
            self.skip_blanks();
            match self.peek() {
                None => return Ok(None),
                Some('\n') => {
                    self.next();
                }
                Some('#') => self.skip_line(),
                Some(_) if self.at_keyword("if") => self.guard()?,
                Some(_) => return self.words().map(Some),
            }
        }
    }

    fn words(&mut self) -> Result<Command<'a>, ParseError> {
        let (line, column, start) = (self.line, self.column, self.rest);
        let mut words = Vec::new();
        let mut unread = self.rest.len();
        while !matches!(self.peek(), None | Some('\n' | '#')) {
            words.push(self.word()?);
            unread = self.rest.len();
            self.skip_blanks();
        }
        let source = start.get(..start.len() - unread).unwrap_or(start);
        Ok(Command { line, column, source, words })
    }

    fn word(&mut self) -> Result<Word, ParseError> {
        let mut word = Word::new();
        if self.peek() == Some('~') {
            word.push(self.home()?);
        }
        while let Some(character) = self.peek() {
            match character {
                ' ' | '\t' | '\n' => break,
                '\'' => {
                    self.next();
                    word.push(Part::Literal(self.single_quoted()?));
                }
                '"' => self.double_quoted(&mut word)?,
                '\\' => {
                    self.next();
                    match self.next() {
                        Some('\n') => {}
                        Some(escaped) => word.push(Part::Literal(self.kept(escaped)?.to_string())),
                        None => word.push(Part::Literal('\\'.to_string())),
                    }
                }
                '$' => word.push(self.dollar(false)?),
                '`' => return Err(self.refuse(Reason::CommandSubstitution)),
                ';' | '&' | '|' | '<' | '>' | '(' | ')' => {
                    return Err(self.refuse(Reason::Operator(character)));
                }
                _ => {
                    self.next();
                    word.push(Part::Literal(self.kept(character)?.to_string()));
                }
            }
        }
        Ok(word)
    }

    fn single_quoted(&mut self) -> Result<String, ParseError> {
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(self.refuse(Reason::Unterminated("'"))),
                Some('\'') => return Ok(text),
                Some(character) => text.push(self.kept(character)?),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), ParseError> {
        self.next();
        // `""` is a word too.
        word.push(Part::Literal(String::new()));
        loop {
            match self.peek() {
                None => return Err(self.refuse(Reason::Unterminated("\""))),
                Some('"') => {
                    self.next();
                    return Ok(());
                }
                Some('\\') => {
                    self.next();
                    match self.peek() {
                        Some('\n') => {
                            self.next();
                        }
                        Some(escaped @ ('$' | '`' | '"' | '\\')) => {
                            self.next();
                            word.push(Part::Literal(escaped.to_string()));
                        }
                        _ => word.push(Part::Literal('\\'.to_string())),
                    }
                }
                Some('`') => return Err(self.refuse(Reason::CommandSubstitution)),
                Some('$') => word.push(self.dollar(true)?),
                Some(character) => {
                    self.next();
                    word.push(Part::Literal(self.kept(character)?.to_string()));
                }
            }
        }
    }

    /// What a `$` begins; one that begins nothing stands for itself.
    fn dollar(&mut self, quoted: bool) -> Result<Part, ParseError> {
        match dollar(self.rest, quoted) {
            Dollar::Literal => {
                self.next();
                Ok(Part::Literal('$'.to_string()))
            }
            Dollar::Variable { name, length } => {
                for _ in 0..length {
                    self.next();
                }
                Ok(Part::Variable { name: name.to_owned(), quoted })
            }
            Dollar::Refused(reason) => Err(self.refuse(reason)),
        }
    }

    /// `~` or `~/` at the beginning of a word.
    fn home(&mut self) -> Result<Part, ParseError> {
        self.next();
        match self.peek() {
            // The shell does not split what a tilde stands for.
            None | Some(' ' | '\t' | '\n' | '/') => {
                Ok(Part::Variable { name: "HOME".to_owned(), quoted: true })
            }
            Some(_) => Err(self.refuse(Reason::Tilde)),
        }
    }

    /// Passes over `if [ -z "$EASYRSA_CALLER" ]; then ... fi`, with which a
    /// vars file complains when somebody sources it by hand. Its body is
    /// never reached by a program that reads the file as it is meant.
    fn guard(&mut self) -> Result<(), ParseError> {
        const CONDITIONS: [&str; 4] = [
            r#"[ -z "$EASYRSA_CALLER" ]"#,
            r#"[ -z "${EASYRSA_CALLER}" ]"#,
            r#"test -z "$EASYRSA_CALLER""#,
            r#"test -z "${EASYRSA_CALLER}""#,
        ];
        let unknown = self.refuse(Reason::Condition);
        let open = self.refuse(Reason::Unterminated("if"));
        let end = self.rest.find([';', '\n']).unwrap_or(self.rest.len());
        let condition = self.rest.get(..end).unwrap_or_default().trim_start_matches("if").trim();
        if !CONDITIONS.contains(&condition) {
            return Err(unknown);
        }
        self.skip_to(end);
        // From here on the commands of the body, one after the other.
        loop {
            while matches!(self.peek(), Some(' ' | '\t' | '\n' | ';')) {
                self.next();
            }
            if self.peek().is_none() {
                return Err(open);
            }
            if self.at_keyword("fi") {
                self.skip_to("fi".len());
                return Ok(());
            }
            if ["else", "elif", "if", "case"].into_iter().any(|keyword| self.at_keyword(keyword)) {
                return Err(unknown);
            }
            if self.at_keyword("then") {
                self.skip_to("then".len());
            } else {
                let end = self.rest.find([';', '\n']).unwrap_or(self.rest.len());
                self.skip_to(end);
            }
        }
    }

    fn at_keyword(&self, keyword: &str) -> bool {
        self.rest.strip_prefix(keyword).is_some_and(|after| {
            after.chars().next().is_none_or(|next| matches!(next, ' ' | '\t' | '\n' | ';' | '#'))
        })
    }

    fn skip_blanks(&mut self) {
        loop {
            if matches!(self.peek(), Some(' ' | '\t')) {
                self.next();
            } else if self.rest.starts_with("\\\n") {
                self.next();
                self.next();
            } else {
                return;
            }
        }
    }

    fn skip_line(&mut self) {
        while !matches!(self.peek(), None | Some('\n')) {
            self.next();
        }
    }

    /// Passes over the next `length` bytes.
    fn skip_to(&mut self, length: usize) {
        let target = self.rest.len().saturating_sub(length);
        while self.rest.len() > target {
            self.next();
        }
    }

    fn kept(&self, character: char) -> Result<char, ParseError> {
        if character == '\0' { Err(self.refuse(Reason::Nul)) } else { Ok(character) }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next()?;
        self.rest = characters.as_str();
        if character == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(character)
    }

    fn refuse(&self, reason: Reason) -> ParseError {
        ParseError { line: self.line, column: self.column, reason }
    }
}
