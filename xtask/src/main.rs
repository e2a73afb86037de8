// SPDX-License-Identifier: MIT OR Apache-2.0
//! The project's own chores: `cargo xtask VERB`.
//!
//! This file only maps a verb to the file that does it. Nothing here is
//! shipped; chores may start programs, read the clock and write to the terminal.

mod bench;
mod docs;
mod fixtures;
mod fuzz;
mod interop;
mod process;
mod setup;
mod strike;
mod tidy;

use std::{env, process::ExitCode};

/// What every chore gives back: nothing, or one reason for the person who started it.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage: cargo xtask VERB

verbs:
  bench [PART...]        how fast, against easy-rsa, openssl, git-crypt, git and others
  docs [--check]         writes docs/cli, or compares it with the program; manual pages and completions to target/
  fixtures [--check]     makes fixtures/ with easy-rsa, or compares it with its manifest
  fuzz --seconds N       made-up bytes for every parser, N seconds each
  interop [STAGE...]     openssl, python, turns, vectors, guard, list: what other programs think of certkeep
  setup                  installs what tests, interop and bench need
  strike                 kills the commands of a store at each of their file operations; takes an hour
  tidy                   checks the house rules that compilers cannot see
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Outcome {
    match words {
        ["bench", parts @ ..] => bench::run(parts),
        ["docs"] => docs::make(),
        ["docs", "--check"] => docs::check(),
        ["fixtures"] => fixtures::make(),
        ["fixtures", "--check"] => fixtures::check(),
        ["fuzz", "--seconds", seconds] => fuzz::run(seconds),
        ["interop", stages @ ..] => interop::run(stages),
        ["setup"] => setup::run(),
        ["strike"] => strike::run(),
        ["tidy"] => tidy::check(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("unknown: {}\n\n{USAGE}", words.join(" ")).into()),
    }
}
