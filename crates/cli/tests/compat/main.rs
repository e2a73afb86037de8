// SPDX-License-Identifier: MIT OR Apache-2.0
//! docs/compat.md against easy-rsa, the program and its tests: every name of
//! easy-rsa has a row, a row says what the program does, and what it says is shown
//! by a test that exists and is about it.
#![cfg(unix)]

mod files;
mod names;
mod page;
mod prompts;
mod proofs;
mod words;
#[expect(dead_code, reason = "each topic uses a part of it")]
#[path = "../world/mod.rs"]
mod world;

use page::{Page, Row};
use proofs::Proofs;
use world::World;

/// States of what the program takes.
const TAKEN: [&str; 3] = ["same", "better", "accepted"];
/// States of what it does not take.
const LEFT_OUT: [&str; 2] = ["not", "gone"];
/// States that a test has to show.
const SHOWN: [&str; 4] = ["same", "better", "accepted", "gone"];

#[test]
fn every_name_of_easyrsa_has_a_row_and_the_page_makes_up_none() {
    let page = Page::read();
    let mut findings = Vec::new();
    for (section, column, names) in [
        ("Commands", 0, names::COMMANDS),
        ("Options and variables", 0, names::OPTIONS),
        ("Options and variables", 1, names::VARIABLES),
        ("Questions", 0, names::QUESTIONS),
        ("Files", 0, names::FILES),
    ] {
        let listed: Vec<&String> = page.rows(section).flat_map(|row| &row.names[column]).collect();
        for name in names {
            match listed.iter().filter(|listed| *listed == name).count() {
                1 => {}
                rows => findings.push(format!("{section}: `{name}` has {rows} rows")),
            }
        }
        let made_up = listed.into_iter().filter(|name| !names.contains(&name.as_str()));
        findings.extend(made_up.map(|name| format!("{section}: easy-rsa has no `{name}`")));
    }
    for (command, words) in names::WORDS {
        for word in words.iter().copied() {
            let rows = page.rows("Words behind a command");
            let found =
                rows.filter(|row| row.has(0, word) && (row.has(1, command) || row.names[1].is_empty()));
            if found.count() != 1 {
                findings.push(format!("`{word}` behind `{command}` has not one row"));
            }
        }
    }
    assert!(findings.is_empty(), "docs/compat.md:\n{}", findings.join("\n"));
}

#[test]
fn every_state_is_one_that_the_page_explains() {
    for row in &Page::read().rows {
        let known = TAKEN.contains(&row.state.as_str()) || LEFT_OUT.contains(&row.state.as_str());
        assert!(known, "{row:?}");
        let bare = row.text.is_empty() && row.state == "better";
        assert!(!bare, "a row says what is better: {row:?}");
    }
}

#[test]
fn what_a_row_says_is_shown_by_a_test_that_is_about_it() {
    let proofs = Proofs::gather();
    let page = Page::read();
    let mut findings = Vec::new();
    for row in page.rows.iter().filter(|row| SHOWN.contains(&row.state.as_str())) {
        let mut texts = Vec::new();
        for test in row.tests.iter().chain(&row.tests_of_table) {
            match proofs.of(test) {
                Some(text) => texts.push(text),
                None => findings.push(format!("there is no test `{test}`")),
            }
        }
        if texts.is_empty() {
            findings.push(format!("no test is named: {:?}", row.names));
        }
        let missed = row.subjects().filter(|name| !texts.iter().any(|text| proofs::mentions(text, name)));
        findings.extend(missed.map(|name| format!("no test of its row mentions `{name}`")));
    }
    assert!(findings.is_empty(), "docs/compat.md:\n{}", findings.join("\n"));
}

/// What certkeep says of an option, a command or a variable.
fn heard(world: &World, arguments: &[&str], variable: Option<&str>) -> String {
    let run = world.certkeep(arguments);
    let run = variable.into_iter().fold(run, |run, name| run.env(name, "x"));
    run.run().stderr
}

/// What is wrong with a row, given whether the program takes what it is about.
fn contradiction(row: &Row, name: &str, taken: bool) -> Option<String> {
    let said = TAKEN.contains(&row.state.as_str());
    let not = if taken { "" } else { "not " };
    (taken != said).then(|| format!("`{name}` is `{}`, and certkeep does {not}take it", row.state))
}

#[test]
fn the_program_takes_what_the_page_says_it_takes() {
    let world = World::with_pki();
    let page = Page::read();
    let mut findings = Vec::new();
    for row in page.rows("Commands") {
        for name in &row.names[0] {
            let said = heard(&world, &[name, "--help"], None);
            let unknown = [format!("unrecognized subcommand '{name}'"), "is not there any more".to_owned()];
            let known = !unknown.iter().any(|text| said.contains(text));
            findings.extend(contradiction(row, name, known));
        }
    }
    for row in page.rows("Options and variables") {
        for name in &row.names[0] {
            let unknown = heard(&world, &[name, "show-host"], None).contains("unexpected argument");
            findings.extend(contradiction(row, name, !unknown));
        }
        for name in &row.names[1] {
            let said = heard(&world, &["show-host"], Some(name));
            let in_vain = ["asks for", "is not read"].map(|what| format!("{name} in the environment {what}"));
            findings.extend(contradiction(row, name, !in_vain.iter().any(|text| said.contains(text))));
        }
    }
    assert!(findings.is_empty(), "docs/compat.md:\n{}", findings.join("\n"));
}

/// What is said of a word that means nothing.
const UNKNOWN: [&str; 5] = [
    "unrecognized subcommand",
    "unknown command option",
    "no file of the type",
    "is not supported\n\nhint: curves: ",
    "neither `req` nor `x509`",
];

#[test]
fn the_program_takes_the_words_that_the_page_says_it_takes() {
    let world = World::with_certificate();
    let page = Page::read();
    let mut findings = Vec::new();
    for row in page.rows("Words behind a command") {
        for (command, word) in
            row.names[1].iter().flat_map(|command| row.names[0].iter().map(move |word| (command, word)))
        {
            let (command, word, name) = (command.as_str(), word.as_str(), "www.example.net");
            let is_type = names::WORDS.iter().any(|(of, words)| *of == "write" && words.contains(&word));
            let arguments = match command {
                "build-ca" | "help" | "init-pki" | "show-ca" | "write" => vec![command, word],
                "display-dn" => vec![command, word, "pki/issued/www.example.net.crt"],
                "sign-req" if is_type || matches!(word, "code-signing" | "kdc") => vec![command, word, name],
                "sign-req" => vec![command, "client", name, word],
                _ => vec![command, name, word],
            };
            let said = world.run(["-b", "--dry-run"].iter().chain(&arguments)).stderr;
            let unknown = UNKNOWN.iter().any(|text| said.contains(text));
            findings.extend(contradiction(row, &format!("{command} {word}"), !unknown));
        }
    }
    assert!(findings.is_empty(), "docs/compat.md:\n{}", findings.join("\n"));
}
