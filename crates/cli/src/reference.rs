// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reference in `docs/cli` and `docs/man`, made from what the program itself
//! goes by: the definition of its command line, the table of variables, the exit
//! codes. `cargo xtask docs` writes it, and a test compares.
//!
//! Only built for tests, since nobody needs it at run time; and no program of its
//! own, since another build of the whole would be the price.

mod man;
mod markdown;
mod variables;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::{Command, CommandFactory as _};

use crate::cli::Cli;

/// Says that the pages are to be written, not compared.
const WRITE: &str = "CERTKEEP_WRITE_REFERENCE";
/// What all folders of the reference hold, below `docs`.
const FOLDERS: [&str; 2] = ["cli", "man"];

/// The pages by their paths below `docs`.
type Pages = BTreeMap<String, String>;

/// The program with all that clap derives: usages, names, help in every command.
fn program() -> Command {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    program
}

/// The commands below `command` that are for people, in the order in which the help shows them.
fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help")
}

/// The arguments that belong to a command alone.
fn own_arguments(command: &Command) -> impl Iterator<Item = &clap::Arg> {
    let own = command.get_arguments().filter(|argument| !argument.is_global_set() && !argument.is_hide_set());
    own.filter(|argument| !["help", "version"].contains(&argument.get_id().as_str()))
}

/// The usage line without the word in front.
fn usage(command: &Command) -> String {
    let text = command.clone().render_usage().to_string();
    let lines = text.trim_start_matches("Usage: ").lines().map(str::trim);
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines of examples behind the help, without their title.
fn examples(command: &Command) -> Option<String> {
    let text = command.get_after_help()?.to_string();
    let (_, examples) = text.split_once(":\n")?;
    let lines = examples.lines().take_while(|line| !line.is_empty());
    Some(lines.map(|line| format!("{}\n", line.trim_start())).collect())
}

/// The paragraph behind the help that is no example.
fn remark(command: &Command) -> Option<String> {
    let text = command.get_after_help()?.to_string();
    text.split_once("\n\n").map(|(_, remark)| remark.trim().to_owned())
}

fn pages() -> Pages {
    let program = program();
    let mut pages = Pages::new();
    markdown::add(&program, &mut pages);
    man::add(&program, &mut pages);
    pages
}

/// The folder `docs` of the source tree.
fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// What the folders of the reference hold now.
fn present() -> Pages {
    let files = FOLDERS.iter().filter_map(|folder| fs::read_dir(docs().join(folder)).ok());
    let paths = files.flatten().map(|entry| entry.expect("an entry of the folder").path());
    let named = paths.map(|path| {
        let name = path.strip_prefix(docs()).expect("it is below").display().to_string();
        (name, fs::read_to_string(&path).unwrap_or_default())
    });
    named.collect()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how xtask says that it wants the pages written")]
fn the_reference_is_that_of_the_program() {
    let (pages, present) = (pages(), present());
    let stale: Vec<&String> = present.keys().filter(|path| !pages.contains_key(*path)).collect();
    let changed: Vec<&String> = pages.keys().filter(|path| present.get(*path) != pages.get(*path)).collect();
    if std::env::var_os(WRITE).is_none() {
        assert!(stale.is_empty() && changed.is_empty(), "run `cargo xtask docs`: {stale:?} {changed:?}");
        return;
    }
    for folder in FOLDERS {
        fs::create_dir_all(docs().join(folder)).expect("the folder");
    }
    for path in stale {
        fs::remove_file(docs().join(path)).expect("a page that is not needed any more");
    }
    for path in changed {
        fs::write(docs().join(path), &pages[path]).expect("a page");
    }
}
