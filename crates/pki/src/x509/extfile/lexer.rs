// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which characters mean what in openssl's configuration files: comments,
//! quotes, blanks, names. Lines are slices of characters that know their place.

use super::text::Position;

/// A character and where it stands.
pub(super) type Character = (char, Position);

/// A comment begins at a number sign that is neither quoted nor escaped.
pub(super) fn without_comment(line: &[Character]) -> &[Character] {
    let mut quote = None;
    let mut escaped = false;
    for (index, &(character, _)) in line.iter().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match character {
            '\\' => escaped = true,
            _ if quote == Some(character) => quote = None,
            '"' | '\'' | '`' if quote.is_none() => quote = Some(character),
            '#' if quote.is_none() => return &line[..index],
            _ => {}
        }
    }
    line
}

pub(super) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r')
}

pub(super) fn trim(line: &[Character]) -> &[Character] {
    let blanks = line.iter().take_while(|&&(character, _)| is_blank(character)).count();
    let line = &line[blanks..];
    let kept = line.iter().rposition(|&(character, _)| !is_blank(character)).map_or(0, |last| last + 1);
    &line[..kept]
}

/// How many characters of a name begin `line`: letters, digits, and punctuation
/// that means nothing else; a backslash takes the next character along.
pub(super) fn name_length(line: &[Character]) -> usize {
    let mut length = 0;
    while let Some(&(character, _)) = line.get(length) {
        if character == '\\' {
            length = (length + 2).min(line.len());
        } else if character.is_ascii_alphanumeric() || "_!%&*+,-./;?@^|~".contains(character) {
            length += 1;
        } else {
            break;
        }
    }
    length
}

/// The name of a variable, or of the section that it is in, and what follows.
pub(super) fn variable_name(line: &[Character]) -> (String, &[Character]) {
    let part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let length = line.iter().take_while(|&&(character, _)| part(character)).count();
    let (name, rest) = line.split_at(length);
    (name.iter().map(|&(character, _)| character).collect(), rest)
}

pub(super) fn unescape(character: char) -> char {
    match character {
        'r' => '\r',
        'n' => '\n',
        'b' => '\u{8}',
        't' => '\t',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Vec<Character> {
        let place = |column| Position { source: 0, line: 0, column };
        text.chars().enumerate().map(|(column, character)| (character, place(column))).collect()
    }

    fn text(line: &[Character]) -> String {
        line.iter().map(|&(character, _)| character).collect()
    }

    #[test]
    fn comments_begin_outside_quotes_and_escapes() {
        for (with, without) in [
            ("a = b # c", "a = b "),
            ("# all", ""),
            ("a = \"b#c\" # d", "a = \"b#c\" "),
            ("a = 'b#c'#", "a = 'b#c'"),
            ("a = `b#c`#", "a = `b#c`"),
            ("a = b\\#c", "a = b\\#c"),
            ("a = \"b\\\"#c\"#", "a = \"b\\\"#c\""),
            ("a = 'b\"#c'", "a = 'b\"#c'"),
        ] {
            assert_eq!(text(without_comment(&line(with))), without);
        }
    }

    #[test]
    fn names_end_where_something_else_begins() {
        for (whole, name) in [
            ("DNS.1 = x", "DNS.1"),
            ("caIssuers;URI.0=", "caIssuers;URI.0"),
            ("a::b", "a"),
            ("a\\ b c", "a\\ b"),
            ("a\\", "a\\"),
            ("ü", ""),
        ] {
            assert_eq!(text(&line(whole)[..name_length(&line(whole))]), name);
        }
        assert_eq!(text(trim(&line(" \t a b \r"))), "a b");
        assert_eq!(text(trim(&line("  "))), "");
    }
}
