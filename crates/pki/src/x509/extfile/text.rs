// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text whose quotes, escapes and variables are resolved, and words of it, each
//! of which knows its line and column in the file.

/// A place in one of the texts that are read together; all counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Which text.
    pub(super) source: usize,
    /// The line.
    pub(super) line: usize,
    /// The column, in characters.
    pub(super) column: usize,
}

/// Resolved text with where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Text {
    text: String,
    marks: Vec<Mark>,
    /// Where the next character comes from if no new mark is needed for it.
    next: Option<Position>,
    start: Position,
}

/// From `offset` on the text comes from `position`, column by column if it `runs`.
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: usize,
    position: Position,
    runs: bool,
}

impl Text {
    /// Nothing yet; the place is for errors about nothing.
    pub(super) fn at(start: Position) -> Self {
        Self { text: String::new(), marks: Vec::new(), next: None, start }
    }

    /// A character that stands in the file.
    pub(super) fn push(&mut self, character: char, position: Position) {
        if self.next != Some(position) {
            self.marks.push(Mark { offset: self.text.len(), position, runs: true });
        }
        self.text.push(character);
        self.next = Some(Position { column: position.column + 1, ..position });
    }

    /// What a variable at `position` stands for.
    pub(super) fn push_all(&mut self, text: &str, position: Position) {
        self.marks.push(Mark { offset: self.text.len(), position, runs: false });
        self.text.push_str(text);
        self.next = None;
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn word(&self) -> Word<'_> {
        Word { text: &self.text, offset: 0, of: self }
    }

    fn position(&self, offset: usize) -> Position {
        let after = self.marks.partition_point(|mark| mark.offset <= offset);
        match after.checked_sub(1).map(|before| self.marks[before]) {
            None => self.start,
            Some(Mark { position, runs: false, .. }) => position,
            Some(Mark { offset: from, position, .. }) => {
                let passed = self.text.get(from..offset).map_or(0, |passed| passed.chars().count());
                Position { column: position.column + passed, ..position }
            }
        }
    }
}

/// A part of a [`Text`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    text: &'a str,
    offset: usize,
    of: &'a Text,
}

impl<'a> Word<'a> {
    pub(super) fn as_str(self) -> &'a str {
        self.text
    }

    pub(super) fn position(self) -> Position {
        self.of.position(self.offset)
    }

    pub(super) fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    /// Without the white space around it.
    pub(super) fn trim(self) -> Self {
        self.trim_start().with(0, self.text.trim().len())
    }

    pub(super) fn trim_start(self) -> Self {
        let length = self.text.trim_start().len();
        self.with(self.text.len() - length, length)
    }

    /// What follows `prefix`, if it is there.
    pub(super) fn strip_prefix(self, prefix: &str) -> Option<Self> {
        let rest = self.text.strip_prefix(prefix)?;
        Some(self.with(prefix.len(), rest.len()))
    }

    /// What stands before and behind the first `separator`.
    pub(super) fn split_once(self, separator: char) -> Option<(Self, Self)> {
        let at = self.text.find(separator)?;
        let behind = at + separator.len_utf8();
        Some((self.with(0, at), self.with(behind, self.text.len() - behind)))
    }

    pub(super) fn split(self, separator: char) -> impl Iterator<Item = Self> {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let word = rest?;
            let (first, others) = word.split_once(separator).map_or((word, None), |(a, b)| (a, Some(b)));
            rest = others;
            Some(first)
        })
    }

    fn with(self, skip: usize, length: usize) -> Self {
        Self { text: &self.text[skip..skip + length], offset: self.offset + skip, of: self.of }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_their_place_behind_escapes_and_variables() {
        let at = |column| Position { source: 0, line: 3, column };
        let mut text = Text::at(at(4));
        text.push('ä', at(4));
        text.push(',', at(6));
        text.push_all("x,y", at(7));
        text.push(',', at(12));
        text.push('z', at(13));
        let columns: Vec<_> = text.word().split(',').map(|word| word.position().column).collect();
        assert_eq!(columns, [4, 7, 7, 13]);
        let (_, rest) = text.word().split_once(',').expect("it is there");
        assert_eq!((rest.as_str(), rest.trim().position().column), ("x,y,z", 7));
    }
}
