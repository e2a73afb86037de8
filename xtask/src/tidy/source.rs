// SPDX-License-Identifier: MIT OR Apache-2.0
//! A Rust source file as tidy sees it: the code without comments and strings,
//! and the paths that it names.
//!
//! Not a parser. It knows just enough of Rust's tokens to tell code from text.

/// One source file.
pub(crate) struct Source {
    /// Relative to the top of the tree.
    pub(crate) path: String,
    /// The whole file.
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: String, text: String) -> Self {
        Self { path, text }
    }

    /// The `//!` lines at the top.
    pub(crate) fn header(&self) -> impl Iterator<Item = &str> {
        self.text.lines().skip(1).take_while(|line| line.starts_with("//!"))
    }

    /// The text before the tests; a file of tests has none.
    pub(crate) fn product(&self) -> &str {
        if self.path.ends_with("/tests.rs") || self.path.contains("/tests/") {
            return "";
        }
        let tests = self.text.find("\n#[cfg(test)]\nmod tests {").map(|end| end + 1);
        self.text.get(..tests.unwrap_or(self.text.len())).unwrap_or(&self.text)
    }

    /// The code of [`Self::product`], then every path its `use` items name, one a line.
    pub(crate) fn code(&self) -> String {
        let mut code = without_text(self.product());
        let imports: Vec<String> = code
            .split(';')
            .filter_map(|item| item.find("use ").map(|start| &item[start..]))
            .filter(|item| item.starts_with("use "))
            .flat_map(|item| expanded(item.trim_start_matches("use ").trim()))
            .collect();
        code.push('\n');
        for import in imports {
            code.push_str(&import);
            code.push('\n');
        }
        code
    }
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn expanded(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or(tree).trim().to_owned()];
    };
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let mut branches = vec![String::new()];
    let mut depth = 0_usize;
    for character in inside.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if character == ',' && depth == 0 {
            branches.push(String::new());
        } else if let Some(branch) = branches.last_mut() {
            branch.push(character);
        }
    }
    let branches = branches.iter().map(|branch| branch.trim()).filter(|branch| !branch.is_empty());
    branches
        .flat_map(expanded)
        .map(
            |path| {
                if path == "self" {
                    prefix.trim_end_matches(':').to_owned()
                } else {
                    format!("{prefix}{path}")
                }
            },
        )
        .collect()
}

/// Takes out comments and the contents of strings and character literals.
pub(crate) fn without_text(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if character == '"' {
            string(rest)
        } else if starts_raw_string(&code, rest) {
            raw_string(rest)
        } else if character == '\'' {
            character_literal(rest)
        } else {
            code.push(character);
            rest = &rest[character.len_utf8()..];
            continue;
        };
        let (taken, later) = rest.split_at(length.min(rest.len()));
        code.extend(taken.chars().filter(|taken| *taken == '\n'));
        code.push(' ');
        rest = later;
    }
    code
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut position = 0;
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            position += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            position += 2;
            if depth == 0 {
                break;
            }
        } else {
            position += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    position
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (position, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return position + 1,
            _ => {}
        }
    }
    text.len()
}

fn starts_raw_string(before: &str, text: &str) -> bool {
    let inside_a_word = before.ends_with(|last: char| last.is_alphanumeric() && last != 'b' || last == '_');
    let Some(rest) = text.strip_prefix('r') else { return false };
    !inside_a_word && rest.trim_start_matches('#').starts_with('"')
}

fn raw_string(text: &str) -> usize {
    let hashes = text.chars().skip(1).take_while(|character| *character == '#').count();
    let end = format!("\"{}", "#".repeat(hashes));
    let start = hashes + 2;
    text.get(start..).and_then(|rest| rest.find(&end)).map_or(text.len(), |at| start + at + end.len())
}

/// The length of a character literal, or of the quote of a lifetime.
fn character_literal(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => text.get(3..).and_then(|rest| rest.find('\'')).map_or(1, |at| at + 4),
        Some(_) => match characters.next() {
            Some((position, '\'')) => position + 1,
            _ => 1,
        },
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        let text = "a(\"x // y\\\"\"); // std::fs\nr#\"std::env\"# /* b /* c */ d */ 'x' '\\'' 'life e";
        let code = without_text(text);
        let words: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(words, ["a(", ");", "life", "e"]);
    }

    #[test]
    fn import_trees_are_spelled_out() {
        let source = Source::new("x.rs".into(), "use std::{fmt, fs::{self, File}, io as i};\n".into());
        let code = source.code();
        let paths: Vec<&str> = code.lines().skip(2).collect();
        assert_eq!(paths, ["std::fmt", "std::fs", "std::fs::File", "std::io"]);
    }

    #[test]
    fn tests_do_not_count_as_product() {
        let source = Source::new("x.rs".into(), "fn a() {}\n\n#[cfg(test)]\nmod tests {}\n".into());
        assert_eq!(source.product(), "fn a() {}\n\n");
        let source = Source::new("src/a/tests.rs".into(), "fn a() {}\n".into());
        assert_eq!(source.product(), "");
        let source = Source::new("x.rs".into(), "#[cfg(test)]\nmod tests;\nfn a() {}\n".into());
        assert!(source.product().contains("fn a()"));
    }
}
