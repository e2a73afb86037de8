// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file that every operation leaves in `.certkeep/journal`: it travels with the
//! change, through squashes, rebases and cherry-picks, where the words of a commit
//! do not. Written once and never changed: its name holds a digest of its text.
//! What its lines mean is for whoever wrote them; `docs/history.md` has the words.
//!
//! ```text
//! certkeep event 1
//! command revoke-issued www superseded
//! actor Ann <ann@example.net>
//! when 20261121T222246Z
//! id 5bd1e995a2b3c4d5
//! revocation 0A 20261121222246Z superseded
//! ```

use std::hash::{BuildHasher as _, RandomState};

use aws_lc_rs::digest;
use certkeep_pki::moment::Moment;
use thiserror::Error;

use crate::seal::hex;

/// The folder of the event files, in `.certkeep`.
pub const FOLDER: &str = "journal";

const HEADER: &str = "certkeep event 1";
/// How many bytes of the digest the name shows.
const SHOWN: usize = 8;

/// What an operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The command, as it was typed, without anything secret.
    pub command: String,
    /// Who did it, as git names authors.
    pub actor: String,
    /// When.
    pub when: Moment,
    /// What it did, line by line: a word, and what follows it.
    pub lines: Vec<(String, String)>,
}

/// A text that is no event.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// Another version of certkeep wrote it, or something else.
    #[error("its first line is not `{HEADER}`")]
    Version,
    /// A line is missing.
    #[error("it has no line `{0}`")]
    Missing(&'static str),
    /// The moment is none.
    #[error("its moment cannot be read")]
    When,
    /// The text is not the one that the name was made for.
    #[error("its text is not the one that its name was made for")]
    Name,
}

impl Event {
    /// The file: its path from the top of the work tree, and its text, which is
    /// like that of no other event.
    pub(crate) fn to_file(&self) -> (String, Vec<u8>) {
        let line = |text: &str| text.replace(char::is_control, " ").trim().to_owned();
        let when = stamp(self.when);
        // It has to be unlike others, not hard to guess.
        let id = RandomState::new().hash_one(());
        let mut text = format!(
            "{HEADER}\ncommand {}\nactor {}\nwhen {when}\nid {id:016x}\n",
            line(&self.command),
            line(&self.actor)
        );
        for (word, rest) in &self.lines {
            text.push_str(&format!("{} {}\n", line(word), line(rest)));
        }
        (format!("{}/{FOLDER}/{}", crate::zone::FOLDER, name_of(&when, text.as_bytes())), text.into_bytes())
    }

    /// Reads the file at `path`, from the top of the work tree.
    ///
    /// # Errors
    ///
    /// It is no event, or not the one that its name was made for.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, EventError> {
        let text = String::from_utf8_lossy(bytes);
        let body = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n'));
        let body = body.ok_or(EventError::Version)?;
        let (mut command, mut actor, mut when) = (None, None, None);
        let mut lines = Vec::new();
        for line in body.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "command" if command.is_none() => command = Some(rest.to_owned()),
                "actor" if actor.is_none() => actor = Some(rest.to_owned()),
                "when" if when.is_none() => when = Some(rest.to_owned()),
                "id" => {}
                _ => lines.push((word.to_owned(), rest.to_owned())),
            }
        }
        let stamped = when.ok_or(EventError::Missing("when"))?;
        let when = Moment::parse(&stamped.replace('T', "")).map_err(|_| EventError::When)?;
        let name = format!("{}/{FOLDER}/{}", crate::zone::FOLDER, name_of(&stamped, bytes));
        if name != path {
            return Err(EventError::Name);
        }
        Ok(Self {
            command: command.ok_or(EventError::Missing("command"))?,
            actor: actor.ok_or(EventError::Missing("actor"))?,
            when,
            lines,
        })
    }
}

/// `2026/11/21/20261121T222246Z-5bd1e995a2b3c4d5`: no folder has more than the events of a day.
fn name_of(stamp: &str, text: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, text);
    let digits = hex(digest.as_ref().get(..SHOWN).unwrap_or_default());
    let part = |from: usize, to: usize| stamp.get(from..to).unwrap_or("0");
    format!("{}/{}/{}/{stamp}-{digits}", part(0, 4), part(4, 6), part(6, 8))
}

/// `20261121T222246Z`.
fn stamp(when: Moment) -> String {
    let digits: String = when.to_string().chars().filter(char::is_ascii_digit).collect();
    let (day, time) = digits.split_at_checked(8).unwrap_or((&digits, ""));
    format!("{day}T{time}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            command: "revoke-issued www\nactor Eve".to_owned(),
            actor: "Ann <ann@example.net>".to_owned(),
            when: Moment::from_unix(1_795_299_766).expect("a moment"),
            lines: vec![("revocation".to_owned(), "0A 20261121222246Z -".to_owned())],
        }
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let (path, text) = event().to_file();
        assert!(path.starts_with(".certkeep/journal/2026/11/21/20261121T"), "{path}");
        let read = Event::parse(&path, &text).expect("an event");
        assert_eq!(read, Event { command: "revoke-issued www actor Eve".to_owned(), ..event() });
        assert_ne!(path, event().to_file().0, "two of one second have names of their own");
    }

    #[test]
    fn an_event_that_was_altered_is_none() {
        let (path, text) = event().to_file();
        let altered = String::from_utf8(text.clone()).expect("text").replace("0A", "0B");
        assert_eq!(Event::parse(&path, altered.as_bytes()), Err(EventError::Name));
        assert_eq!(Event::parse(".certkeep/journal/x", &text), Err(EventError::Name));
        assert_eq!(Event::parse(&path, b"certkeep event 2\n"), Err(EventError::Version));
    }
}
