// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reference: `docs/cli` and manual pages, made from what the program itself
//! goes by: the definition of its command line, the table of variables, the exit
//! codes. `cargo xtask docs` writes it, and a test compares `docs/cli`; the manual
//! pages say the same to `man`, so they are for packages and not committed.
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

/// Says that `docs/cli` is to be written, not compared.
const WRITE: &str = "CERTKEEP_WRITE_REFERENCE";
/// Names the folder for the manual pages.
const MANUAL: &str = "CERTKEEP_WRITE_MANUAL";

/// The pages by their file names.
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

/// The folder `docs/cli` of the source tree.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli")
}

/// What that folder holds now.
fn present() -> Pages {
    let files = fs::read_dir(folder()).into_iter().flatten();
    let named = files.map(|entry| {
        let entry = entry.expect("an entry of the folder");
        (entry.file_name().display().to_string(), fs::read_to_string(entry.path()).unwrap_or_default())
    });
    named.collect()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how xtask says that it wants the pages written")]
fn the_reference_is_that_of_the_program() {
    let (pages, present) = (markdown::pages(&program()), present());
    let stale: Vec<&String> = present.keys().filter(|path| !pages.contains_key(*path)).collect();
    let changed: Vec<&String> = pages.keys().filter(|path| present.get(*path) != pages.get(*path)).collect();
    if std::env::var_os(WRITE).is_none() {
        assert!(stale.is_empty() && changed.is_empty(), "run `cargo xtask docs`: {stale:?} {changed:?}");
        return;
    }
    fs::create_dir_all(folder()).expect("the folder");
    for name in stale {
        fs::remove_file(folder().join(name)).expect("a page that is not needed any more");
    }
    for name in changed {
        fs::write(folder().join(name), &pages[name]).expect("a page");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how xtask says where it wants the pages")]
fn every_command_has_a_manual_page() {
    let pages = man::pages(&program());
    for command in subcommands(&program()) {
        let name = format!("certkeep-{}.1", command.get_name());
        assert!(pages.get(&name).is_some_and(|page| page.contains(".SH SYNOPSIS")), "{name}");
    }
    let Some(folder) = std::env::var_os(MANUAL).map(PathBuf::from) else { return };
    for (name, page) in pages {
        fs::write(folder.join(name), page).expect("a page");
    }
}
