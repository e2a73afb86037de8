// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tests of this repository as text: whether there is one of a name, and what
//! it mentions.
//!
//! A test is named `room::function`, the room being a file of tests (`tests/room.rs`)
//! or the room whose unit tests it belongs to (`src/room/tests.rs`, or a file of
//! `src/room/tests`). What a test mentions is its own text and that of the constants and functions of its file
//! that it uses.

use std::{fs, path::Path};

/// Every source file below `crates`.
pub(crate) struct Proofs {
    /// Path and text.
    sources: Vec<(String, String)>,
}

impl Proofs {
    pub(crate) fn gather() -> Self {
        let mut sources = Vec::new();
        gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut sources);
        Self { sources }
    }

    /// The text of a test and of what it uses, if there is such a test.
    pub(crate) fn of(&self, test: &str) -> Option<String> {
        let (room, function) = test.split_once("::")?;
        let ends = [format!("/{room}.rs"), format!("/{room}/tests.rs"), format!("/{room}/main.rs")];
        let topics = format!("/{room}/tests/");
        let is_of_room = |path: &str| ends.iter().any(|end| path.ends_with(end)) || path.contains(&topics);
        let sources = self.sources.iter().filter(|(path, _)| is_of_room(path));
        sources
            .map(|(_, text)| items(text))
            .find(|items| items.iter().any(|item| item.is_test && item.name == function))
            .map(|items| closure(&items, function))
    }
}

fn gather(folder: &Path, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder to look into") {
        let path = entry.expect("an entry of the folder").path();
        if path.is_dir() {
            gather(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push((path.display().to_string(), fs::read_to_string(&path).expect("a source file")));
        }
    }
}

/// A function or a constant.
struct Item<'a> {
    name: &'a str,
    text: String,
    is_test: bool,
}

/// The functions and constants of a source file, as rustfmt lays them out: an item
/// ends with the line that is indented as its first one and closes a bracket.
fn items(source: &str) -> Vec<Item<'_>> {
    let lines: Vec<&str> = source.lines().collect();
    let mut items = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(name) = name_of(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let is_last = |later: &&str| {
            let closes = later.trim_start().starts_with(['}', ']', ')']);
            closes && later.len() - later.trim_start().len() == indent
        };
        let behind = &lines[number + 1..];
        let rest = match line.ends_with([';', '}']) {
            true => 0,
            false => behind.iter().position(is_last).map_or(behind.len(), |end| end + 1),
        };
        items.push(Item {
            name,
            text: lines[number..=number + rest].join("\n"),
            is_test: number > 0 && lines[..number].iter().rev().take(3).any(|line| line.trim() == "#[test]"),
        });
    }
    items
}

fn name_of(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
    let rest = ["fn ", "const ", "static "].iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|character: char| !is_word(character)).next().filter(|name| !name.is_empty())
}

/// The text of an item and of all that it names, directly or not.
fn closure(items: &[Item<'_>], name: &str) -> String {
    let mut wanted = vec![name];
    let mut text = String::new();
    let mut next = 0;
    while let Some(name) = wanted.get(next).copied() {
        next += 1;
        let Some(item) = items.iter().find(|item| item.name == name) else { continue };
        for word in item.text.split(|character: char| !is_word(character)) {
            if let Some(used) = items.iter().find(|item| item.name == word && !wanted.contains(&word)) {
                wanted.push(used.name);
            }
        }
        text.push_str(&item.text);
        text.push('\n');
    }
    text
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether a text holds a name, and not as a part of a longer one. In the name of a
/// file NAME, SERIAL, TYPE and the like stand for any text.
pub(crate) fn mentions(text: &str, name: &str) -> bool {
    let goes_on = |character: char| is_word(character) || character == '-';
    let part = name.split('/').next_back().unwrap_or_default();
    let placeholder = ["NAME", "SERIAL", "TYPE"].into_iter().find(|word| part.contains(word));
    if let Some((before, after)) = placeholder.and_then(|word| name.split_once(word)) {
        return text.split(before).skip(1).any(|rest| {
            let end = rest.find(|character: char| !goes_on(character) && !".{}".contains(character));
            rest[..end.unwrap_or(rest.len())].ends_with(after)
        });
    }
    text.match_indices(name).any(|(start, _)| {
        let (before, after) = (&text[..start], &text[start + name.len()..]);
        !before.ends_with(goes_on) && !after.starts_with(goes_on)
    })
}

#[test]
fn a_name_is_not_found_in_a_longer_one() {
    assert!(mentions(r#"run(["--san=DNS:x"])"#, "--san") && !mentions("--san-crit", "--san"));
    assert!(mentions("(EASYRSA_SAN, x)", "EASYRSA_SAN") && !mentions("EASYRSA_SAN_CRIT", "EASYRSA_SAN"));
    assert!(mentions("pki/issued/www.example.net.crt\"", "issued/NAME.crt"));
    assert!(mentions("revoked/certs_by_serial/{first}.crt\"", "revoked/certs_by_serial/SERIAL.crt"));
    assert!(!mentions("pki/issued/www.p7b\"", "issued/NAME.crt"));
}
