// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two expansions of a value: as a word of its line, and once more between
//! double quotes.
//!
//! easy-rsa 3.2: set_var – the value that the shell has already expanded is
//! handed to an `eval` as the alternative of a parameter expansion in double
//! quotes, so `\\\$x` in the file is `$x` in the end. Reading the file is
//! [`super::lexer`]'s work.

use super::{
    Reason, Scope, VALUE_LIMIT,
    dollar::{Dollar, dollar},
    lexer::{Part, Word},
};

/// The characters at which an unquoted expansion is split (IFS as it is at the start).
const FIELD_SEPARATORS: [char; 3] = [' ', '\t', '\n'];

/// The text of a word in which nothing is expanded.
pub(super) fn literal(word: &Word) -> Option<String> {
    word.iter()
        .map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::Variable { .. } => None,
        })
        .collect()
}

/// The first expansion: the fields that one word becomes, mostly one.
///
/// Unlike in a shell, `*`, `?` and `[` are not compared with file names.
///
/// # Errors
///
/// [`Reason::TooLong`].
pub(super) fn first(word: &Word, variables: &dyn Scope) -> Result<Vec<String>, Reason> {
    let mut fields = Vec::new();
    let mut field: Option<String> = None;
    let mut length = 0;
    for part in word {
        length += match part {
            Part::Literal(text) => text.len(),
            Part::Variable { name, .. } => variables.value(name).unwrap_or_default().len(),
        };
        // Before it is put together, so that it never takes the memory.
        if length > VALUE_LIMIT {
            return Err(Reason::TooLong);
        }
        match part {
            Part::Literal(text) => field.get_or_insert_default().push_str(text),
            Part::Variable { name, quoted } => {
                let value = variables.value(name).unwrap_or_default();
                if *quoted {
                    field.get_or_insert_default().push_str(value);
                } else {
                    split_into(value, &mut field, &mut fields);
                }
            }
        }
    }
    fields.extend(field);
    Ok(fields)
}

fn split_into(value: &str, field: &mut Option<String>, fields: &mut Vec<String>) {
    for character in value.chars() {
        if FIELD_SEPARATORS.contains(&character) {
            fields.extend(field.take());
        } else {
            field.get_or_insert_default().push(character);
        }
    }
}

/// The second expansion, of the text that the first one left.
///
/// # Errors
///
/// What a shell would take as a command or as the end of the quotation, and
/// [`Reason::TooLong`].
pub(super) fn second(text: &str, variables: &dyn Scope) -> Result<String, Reason> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let mut after = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            '\\' => match after.chars().next() {
                Some('\n') => after = after.get(1..).unwrap_or_default(),
                Some(escaped @ ('$' | '`' | '"' | '\\' | '}')) => {
                    expanded.push(escaped);
                    after = after.get(1..).unwrap_or_default();
                }
                // It would escape the quotation's own end.
                None => return Err(Reason::Unescaped('\\')),
                Some(_) => expanded.push('\\'),
            },
            '$' => match dollar(rest, true) {
                Dollar::Literal => expanded.push('$'),
                Dollar::Variable { name, length } => {
                    let value = variables.value(name).unwrap_or_default();
                    if expanded.len() + value.len() > VALUE_LIMIT {
                        return Err(Reason::TooLong);
                    }
                    expanded.push_str(value);
                    after = rest.get(length..).unwrap_or_default();
                }
                Dollar::Refused(reason) => return Err(reason),
            },
            '`' => return Err(Reason::CommandSubstitution),
            '"' | '}' => return Err(Reason::Unescaped(character)),
            _ => expanded.push(character),
        }
        rest = after;
    }
    if expanded.len() > VALUE_LIMIT { Err(Reason::TooLong) } else { Ok(expanded) }
}
