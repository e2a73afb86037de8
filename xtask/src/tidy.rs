// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask tidy`: the house rules that neither rustc nor clippy can see.
//!
//! Each rule is a function from the tracked files to findings; `rooms` holds
//! those about who may name what. Text is checked, not types: comments and
//! strings are taken out first, so a rule can be talked about.

mod rooms;
mod source;

use std::fs;

use source::Source;

use crate::{Outcome, process};

/// One broken rule, with its place.
pub(crate) struct Finding {
    place: String,
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "manager"];

/// Files whose reason for being long stands in their header after this word.
const LONG: &str = "long:";

/// Checks every tracked file.
pub(crate) fn check() -> Outcome {
    let mut sources = Vec::new();
    let mut findings = Vec::new();
    for path in tracked()? {
        let Ok(text) = fs::read_to_string(process::root().join(&path)) else { continue };
        if path.starts_with("fixtures/easyrsa/") {
            continue;
        }
        words(&path, &text, &mut findings);
        if path.ends_with(".rs") {
            let source = Source::new(path, text);
            form(&source, &mut findings);
            size(&source, &mut findings);
            sources.push(source);
        }
    }
    for source in &sources {
        rooms::check(source, &mut findings);
    }
    rooms::check_manifests(&mut findings)?;
    rooms::check_exposers(&sources, &mut findings);
    dependencies(&mut findings)?;
    if findings.is_empty() {
        println!("tidy: {} source files, nothing to complain about", sources.len());
        return Ok(());
    }
    for finding in &findings {
        println!("{}: {}", finding.place, finding.message);
    }
    Err(format!("{} findings", findings.len()).into())
}

/// Files that git knows or would add.
fn tracked() -> Outcome<Vec<String>> {
    let mut git = std::process::Command::new("git");
    git.current_dir(process::root()).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    Ok(process::finish(&mut git)?.success()?.lines().map(str::to_owned).collect())
}

/// Rules for every text file.
fn words(path: &str, text: &str, findings: &mut Vec<Finding>) {
    // Put together here, so that this file does not find itself.
    let unfinished = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let workplace = concat!("/wo", "rk/");
    for (number, line) in (1..).zip(text.lines()) {
        let place = || format!("{path}:{number}");
        if let Some(word) = unfinished.iter().find(|word| line.contains(**word)) {
            findings.push(Finding::new(place(), format!("`{word}`: do it now, or open an issue")));
        }
        if line.contains(workplace) {
            findings.push(Finding::new(place(), "a path of somebody's machine"));
        }
        if line.ends_with([' ', '\t']) && !path.starts_with("LICENSE") {
            findings.push(Finding::new(place(), "space at the end of the line"));
        }
        if path.ends_with(".rs") && line.contains('\t') {
            findings.push(Finding::new(place(), "a tab"));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(path, "no newline at the end"));
    }
}

/// Rules for the name and the first lines of a source file.
fn form(source: &Source, findings: &mut Vec<Finding>) {
    let mut lines = source.text.lines().skip_while(|line| line.starts_with("#!["));
    if lines.next() != Some("// SPDX-License-Identifier: MIT OR Apache-2.0") {
        findings.push(Finding::new(&source.path, "the first line is not the SPDX line"));
    }
    if !source.text.lines().nth(1).is_some_and(|line| line.starts_with("//! ")) {
        findings.push(Finding::new(&source.path, "no `//!` header that says what the file is for"));
    }
    for part in source.path.trim_end_matches(".rs").split('/') {
        if EMPTY_NAMES.contains(&part) {
            findings.push(Finding::new(&source.path, format!("`{part}` does not say what is inside")));
        }
    }
}

/// Rules for the number of lines; tests are not counted.
fn size(source: &Source, findings: &mut Vec<Finding>) {
    if !source.path.contains("/src/") {
        return;
    }
    let lines = source.product().lines().count();
    let reason = source.header().any(|line| line.contains(LONG));
    if lines > 500 {
        findings.push(Finding::new(&source.path, format!("{lines} lines, 500 is the wall")));
    } else if lines > 300 && !reason {
        let message = format!("{lines} lines: split it, or say `{LONG}` and why in the header");
        findings.push(Finding::new(&source.path, message));
    }
}

/// Every direct dependency has a row in docs/dependencies.md.
fn dependencies(findings: &mut Vec<Finding>) -> Outcome {
    let page = "docs/dependencies.md";
    let text = fs::read_to_string(process::root().join(page))?;
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    for (manifest, name) in rooms::direct_dependencies()? {
        if !name.starts_with("certkeep") && !rows.iter().any(|row| row.contains(&format!("`{name}`"))) {
            findings.push(Finding::new(manifest, format!("`{name}` has no row in {page}")));
        }
    }
    Ok(())
}
