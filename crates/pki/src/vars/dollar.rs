// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a `$` begins, in both expansions of a value alike: `$NAME`, `${NAME}`,
//! itself, or something that only a shell can do.

use super::Reason;

/// A line that goes on in the next one.
const CONTINUATION: &str = "\\\n";

/// What a `$` at the beginning of a text stands for.
pub(super) enum Dollar<'a> {
    /// The character itself.
    Literal,
    /// A variable, written in `length` characters (all of them ASCII).
    Variable { name: &'a str, length: usize },
    /// Something that only a shell can expand.
    Refused(Reason),
}

/// Reads `$NAME` or `${NAME}` at the beginning of `text`.
pub(super) fn dollar(text: &str, quoted: bool) -> Dollar<'_> {
    let after = text.strip_prefix('$').unwrap_or(text);
    let name = |text: &'_ str| text.find(|next| !continues_name(next)).unwrap_or(text.len());
    match after.chars().next() {
        Some('{') => {
            let inside = after.get(1..).unwrap_or_default();
            let (name, rest) = inside.split_at(name(inside));
            if rest.starts_with('}') && name.starts_with(starts_name) {
                Dollar::Variable { name, length: name.len() + "${}".len() }
            } else {
                Dollar::Refused(Reason::Expansion)
            }
        }
        Some('(') => Dollar::Refused(Reason::CommandSubstitution),
        Some(first) if starts_name(first) => {
            let (name, rest) = after.split_at(name(after));
            if rest.starts_with(CONTINUATION) {
                Dollar::Refused(Reason::Expansion)
            } else {
                Dollar::Variable { name, length: name.len() + "$".len() }
            }
        }
        // Shells do not agree whether a name may go on in the next line.
        Some(_) if after.starts_with(CONTINUATION) => Dollar::Refused(Reason::Expansion),
        Some(first) if first.is_ascii_digit() || "@*#?-$!".contains(first) => {
            Dollar::Refused(Reason::Expansion)
        }
        // Shells do not agree on these outside double quotes.
        Some('\'' | '"') if !quoted => Dollar::Refused(Reason::Expansion),
        _ => Dollar::Literal,
    }
}

/// Whether a variable's name may begin with this character.
pub(super) fn starts_name(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

/// Whether a variable's name may go on with this character.
pub(super) fn continues_name(character: char) -> bool {
    starts_name(character) || character.is_ascii_digit()
}
