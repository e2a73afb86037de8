// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of certkeep: arguments, settings, conversation, messages
//! and exit codes.
//!
//! What is true is decided in `certkeep-pki`, what is kept in
//! `certkeep-store`; this crate says it.

pub mod bug;
pub mod called;
pub mod cli;
pub mod commands;
pub mod identities;
pub mod input;
pub mod interrupt;
pub mod lookup;
pub mod message;
pub mod options;
pub mod order;
pub mod private_folder;
pub mod recipients;
#[cfg(test)]
mod reference;
pub mod render;
pub mod report;
pub mod session;
pub mod settings;
pub mod support_files;
pub mod terminal;
pub mod vars_example;

use std::{
    ffi::OsString,
    time::{SystemTime, UNIX_EPOCH},
};

use certkeep_pki::moment::Moment;

use crate::{
    called::Called,
    cli::{Cli, Command},
    report::{ExitCode, Failure, Outcome},
    session::Session,
    settings::{Format, Settings, Sources, Variables, VarsUse},
    terminal::{Safe, Terminal},
};

/// Runs the program with `arguments`, the first of which is its own name. A bug is
/// reported and ends with [`ExitCode::Internal`].
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    bug::guarded(|| obey(arguments))
        .unwrap_or_else(|failure| conclude(Err(failure), &mut Terminal::standard(&environment())))
}

fn obey(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let variables = environment();
    let mut terminal = Terminal::standard(&variables);
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Before anything else: git waits, and an interrupt is to end a filter at once.
    if let Some(outcome) = commands::plumbing::run(&arguments, &variables, &mut terminal) {
        return conclude(outcome, &mut terminal);
    }
    interrupt::watch();
    let called = match Called::of(arguments.first().map(OsString::as_os_str), &variables) {
        Ok(called) => called,
        Err(failure) => return conclude(Err(failure), &mut terminal),
    };
    terminal.answer_to(called);
    let cli = match Cli::parse_as(called, options::trimmed_arguments(arguments)) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, called, &mut terminal),
    };
    match session(&cli, called, variables) {
        Ok(settings) => {
            terminal.configure(&settings);
            for warning in &settings.warnings {
                terminal.warning(Safe(warning));
            }
            let (settings, now) = (settings, now());
            let mut session = Session::new(settings, terminal, now);
            let outcome = match &cli.command {
                Some(command) => commands::run(command, &mut session),
                None => commands::overview::run(&mut session),
            };
            session.say_left_away();
            conclude(outcome, &mut session.terminal)
        }
        Err(failure) => conclude(Err(failure), &mut terminal),
    }
}

fn session(cli: &Cli, called: Called, variables: Variables) -> Result<Settings, Failure> {
    let here =
        std::env::current_dir().map_err(|error| Failure::cannot_read("the current directory", &error))?;
    // What does not look at a PKI; a new PKI and a demonstration are not made by the rules of an old one.
    // The guard has to look whatever a vars file holds.
    let fresh = matches!(
        cli.command,
        Some(
            Command::Completions(_)
                | Command::InitPki(_)
                | Command::Quickstart(_)
                | Command::Guard(_)
                | Command::Version
        )
    );
    let sources = Sources {
        called,
        options: &cli.options,
        variables,
        working_directory: &here,
        vars_use: if fresh { VarsUse::Ignore } else { VarsUse::Read },
        read_file: &input::read_file,
    };
    let settings = Settings::resolve(sources)?;
    let maker = match settings.format {
        Format::Sarif | Format::Github => Some(("guard", matches!(cli.command, Some(Command::Guard(_))))),
        Format::Csv | Format::Ics | Format::Prometheus | Format::Html => {
            Some(("list", matches!(cli.command, Some(Command::List(_)))))
        }
        Format::Text | Format::Json | Format::Pem => None,
    };
    if let Some((name, false)) = maker {
        return Err(Failure::refused("this command does not print in that form")
            .with_hint(format!("`certkeep {name}` does")));
    }
    // easy-rsa 3.2: --days=0 - what has ended already, and nothing else
    if settings.days == Some(0) && !matches!(cli.command, Some(Command::ShowExpire(_))) {
        return Err(Failure::refused("--days=0: a number of days is wanted, at least 1")
            .with_hint("what has expired is shown by `certkeep --days=0 show-expire`"));
    }
    Ok(settings)
}

/// The environment, read once per run.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn environment() -> Variables {
    Variables::from_environment(std::env::vars_os())
}

/// The clock, read once per run.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn now() -> Moment {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Moment::from_unix(seconds).unwrap_or_else(|| Moment::from_unix(0).expect("the epoch"))
}

fn conclude(outcome: Result<(), Failure>, terminal: &mut Terminal) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::Success,
        Err(failure) => {
            // The command of `exec` has said itself what was wrong.
            if !matches!(failure.exit, ExitCode::OfCommand(_)) {
                terminal.failure(&failure);
            }
            failure.exit
        }
    }
}

fn usage(error: &clap::Error, called: Called, terminal: &mut Terminal) -> ExitCode {
    match Outcome::from(error) {
        Outcome::Text(text) => conclude(terminal.data(&called.put(&text)).map_err(Failure::from), terminal),
        Outcome::Version => conclude(terminal.data(&called.version()).map_err(Failure::from), terminal),
        Outcome::Failure(failure) => conclude(Err(failure), terminal),
    }
}
