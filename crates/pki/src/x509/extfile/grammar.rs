// SPDX-License-Identifier: MIT OR Apache-2.0
//! The grammar of openssl's configuration files (config(5)): lines, comments,
//! quotes, escapes, variables, sections. What the values mean is not decided
//! here.

use std::collections::{BTreeMap, HashMap};

use super::{
    ExtfileError, Problem, Source,
    lexer::{Character, is_blank, name_length, trim, unescape, variable_name, without_comment},
    text::{Position, Text},
};

/// Bytes of one text. Certificate types have hundreds.
const MAX_SOURCE: usize = 1 << 20;
/// Bytes of one value, as with openssl.
const MAX_VALUE: usize = 1 << 16;
/// Bytes of all values together: variables that repeat variables end here.
const MAX_VALUES: usize = 1 << 22;

const DEFAULT: &str = "default";

/// A line `name = value`.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Text,
    pub(super) value: Text,
}

/// The lines of a section; a repeated name takes the place of the earlier one, at the end.
#[derive(Debug, Default)]
pub(super) struct Section {
    entries: Vec<Option<Entry>>,
    places: HashMap<String, usize>,
}

/// Every section of the texts that are read together. Each text has a default
/// section of its own, in front of its first header; other sections are shared.
#[derive(Debug)]
pub(super) struct Sections {
    defaults: Vec<Section>,
    named: HashMap<String, Section>,
}

impl Section {
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flatten()
    }

    fn value(&self, name: &str) -> Option<&str> {
        let entry = self.entries[*self.places.get(name)?].as_ref()?;
        Some(entry.value.as_str())
    }

    fn put(&mut self, entry: Entry) {
        let name = entry.name.as_str().to_owned();
        if let Some(earlier) = self.places.insert(name, self.entries.len()) {
            self.entries[earlier] = None;
        }
        self.entries.push(Some(entry));
    }
}

impl Sections {
    pub(super) fn read(
        sources: &[Source<'_>],
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ExtfileError> {
        let mut reading = Reading {
            sources,
            environment,
            sections: Self { defaults: Vec::new(), named: HashMap::new() },
            bytes: 0,
        };
        for number in 0..sources.len() {
            reading.read(number)?;
        }
        Ok(reading.sections)
    }

    /// The lines of text number `source` that are extensions: its default
    /// section, or the one that `extensions` in it names (openssl ca -extfile).
    pub(super) fn extensions(&self, source: usize) -> Option<&Section> {
        let default = self.defaults.get(source)?;
        default.value("extensions").and_then(|name| self.named.get(name)).or(Some(default))
    }

    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        if name == DEFAULT { self.defaults.last() } else { self.named.get(name) }
    }

    fn value(&self, section: &str, name: &str) -> Option<&str> {
        if section == DEFAULT {
            self.defaults.iter().rev().find_map(|default| default.value(name))
        } else {
            self.named.get(section)?.value(name)
        }
    }
}

struct Reading<'a> {
    sources: &'a [Source<'a>],
    environment: &'a BTreeMap<String, String>,
    sections: Sections,
    bytes: usize,
}

impl Reading<'_> {
    fn error(&self, position: Position, problem: Problem) -> ExtfileError {
        ExtfileError::new(self.sources, position, problem)
    }

    fn read(&mut self, number: usize) -> Result<(), ExtfileError> {
        self.sections.defaults.push(Section::default());
        let text = self.sources[number].text;
        let start = Position { source: number, line: 0, column: 0 };
        if text.len() > MAX_SOURCE {
            return Err(self.error(start, Problem::TooLong { limit: MAX_SOURCE }));
        }
        let mut section = DEFAULT.to_owned();
        let mut line: Vec<Character> = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (row, physical) in text.split('\n').enumerate() {
            let place = |column| Position { source: number, line: row, column };
            let physical = physical.trim_end_matches('\r');
            if let Some(column) = physical.chars().position(|character| character == '\0') {
                return Err(self.error(place(column), Problem::Nul));
            }
            // A backslash at the end goes on with the next line, unless it is itself escaped.
            let goes_on = physical.ends_with('\\') && !physical.ends_with("\\\\");
            let kept = if goes_on { &physical[..physical.len() - 1] } else { physical };
            line.extend(kept.chars().enumerate().map(|(column, character)| (character, place(column))));
            if !goes_on {
                self.line(&std::mem::take(&mut line), &mut section)?;
            }
        }
        self.line(&line, &mut section)
    }

    fn line(&mut self, line: &[Character], section: &mut String) -> Result<(), ExtfileError> {
        let line = trim(without_comment(line));
        let Some(&(first, start)) = line.first() else { return Ok(()) };
        if first == '[' {
            *section = self.header(&line[1..], start)?;
            self.sections.named.entry(section.clone()).or_default();
            return Ok(());
        }
        let mut name = &line[..name_length(line)];
        let mut rest = &line[name.len()..];
        let mut owner = section.clone();
        if let [(':', _), (':', _), others @ ..] = rest {
            owner = name.iter().map(|&(character, _)| character).collect();
            name = &others[..name_length(others)];
            rest = &others[name.len()..];
        }
        if first == '.' {
            let directive: String = name.iter().map(|&(character, _)| character).collect();
            if [".include", ".pragma"].iter().any(|known| directive.starts_with(known)) {
                return Err(self.error(start, Problem::Directive(directive)));
            }
        }
        let [('=', equals), value @ ..] = trim(rest) else {
            return Err(self.error(start, Problem::Form));
        };
        let Some(&(_, name_start)) = name.first() else { return Err(self.error(start, Problem::Form)) };
        let mut entry = Entry { name: Text::at(name_start), value: Text::at(*equals) };
        name.iter().for_each(|&(character, position)| entry.name.push(character, position));
        let value = trim(value);
        entry.value = self.resolve(value, value.first().map_or(*equals, |&(_, at)| at), &owner)?;
        let number = start.source;
        let section = if owner == DEFAULT {
            &mut self.sections.defaults[number]
        } else {
            self.sections.named.entry(owner).or_default()
        };
        section.put(entry);
        Ok(())
    }

    /// The name of a section; blanks may stand inside it.
    fn header(&mut self, line: &[Character], start: Position) -> Result<String, ExtfileError> {
        let line = trim(line);
        let mut end = 0;
        loop {
            end += name_length(&line[end..]);
            let blanks = line[end..].iter().take_while(|&&(character, _)| is_blank(character)).count();
            match line.get(end + blanks) {
                Some((']', _)) => break,
                Some(_) if blanks > 0 => end += blanks,
                _ => return Err(self.error(start, Problem::Header)),
            }
        }
        let name = self.resolve(&line[..end], start, DEFAULT)?;
        let name = name.as_str().to_owned();
        if name.is_empty() { Err(self.error(start, Problem::Header)) } else { Ok(name) }
    }

    /// Takes off quotes, reads escapes and puts in what variables stand for.
    fn resolve(&mut self, line: &[Character], start: Position, section: &str) -> Result<Text, ExtfileError> {
        let mut text = Text::at(start);
        let mut quote = None;
        let mut rest = line;
        while let [(character, position), others @ ..] = rest {
            let (character, position) = (*character, *position);
            rest = others;
            match character {
                // Comments may hold what they want; a certificate must not.
                char::REPLACEMENT_CHARACTER => return Err(self.error(position, Problem::Encoding)),
                '\\' => {
                    let [(escaped, _), others @ ..] = rest else { break };
                    rest = others;
                    text.push(if quote.is_some() { *escaped } else { unescape(*escaped) }, position);
                }
                _ if quote == Some(character) => quote = None,
                '"' | '\'' | '`' if quote.is_none() => quote = Some(character),
                '$' if quote.is_none() => {
                    let (value, others) = self.variable(rest, position, section)?;
                    rest = others;
                    if text.as_str().len() + value.len() > MAX_VALUE {
                        return Err(self.error(position, Problem::TooLong { limit: MAX_VALUE }));
                    }
                    text.push_all(value, position);
                }
                _ => text.push(character, position),
            }
        }
        self.bytes += text.as_str().len();
        if text.as_str().len() > MAX_VALUE {
            return Err(self.error(start, Problem::TooLong { limit: MAX_VALUE }));
        }
        if self.bytes > MAX_VALUES {
            return Err(self.error(start, Problem::TooLong { limit: MAX_VALUES }));
        }
        Ok(text)
    }

    /// The value of the variable whose name begins `line`, and what follows it.
    /// A name without a section is looked up in the section of its line, then
    /// in the default section; `ENV` is the environment.
    fn variable<'l>(
        &self,
        line: &'l [Character],
        position: Position,
        section: &str,
    ) -> Result<(&str, &'l [Character]), ExtfileError> {
        let close = match line.first() {
            Some(('{', _)) => Some('}'),
            Some(('(', _)) => Some(')'),
            _ => None,
        };
        let (first, mut rest) = variable_name(&line[usize::from(close.is_some())..]);
        let mut name = (section.to_owned(), first);
        if let [(':', _), (':', _), others @ ..] = rest {
            let (second, others) = variable_name(others);
            name = (name.1, second);
            rest = others;
        }
        if let Some(close) = close {
            match rest.split_first() {
                Some((&(character, _), after)) if character == close => rest = after,
                _ => return Err(self.error(position, Problem::Brace)),
            }
        }
        let (section, name) = name;
        let found = self.sections.value(&section, &name);
        let found = found.or_else(|| {
            let environment = if section == "ENV" { self.environment.get(&name) } else { None };
            environment.map(String::as_str).or_else(|| self.sections.value(DEFAULT, &name))
        });
        let unknown = || self.error(position, Problem::Variable(format!("{section}::{name}")));
        Ok((found.ok_or_else(unknown)?, rest))
    }
}
