// SPDX-License-Identifier: MIT OR Apache-2.0
//! `completions`: what a shell needs to complete commands and options.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{cli::Cli, report::Failure, session::Session};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "certkeep", &mut script);
    Ok(session.terminal.data(&String::from_utf8_lossy(&script))?)
}
