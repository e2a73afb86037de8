// SPDX-License-Identifier: MIT OR Apache-2.0
//! `member`: who may open the store.

mod add;
mod list;
mod refresh;
mod remove;
pub(super) mod skipped;

use clap::Subcommand;

use crate::{report::Failure, session::Session};

/// Arguments of `member`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Let somebody in
    ///
    /// Without --zone into every zone, which is what a colleague needs who signs certificates. A
    /// deploy key needs `--zone=keys` at most: the zone `ca` has the CA's private key.
    #[command(after_help = "Examples:
  certkeep member add bob bob.pub
  certkeep member add alice alice@example.net
  certkeep member add ci age1... --zone=keys")]
    Add(add::Args),
    /// Take members out: new keys for every zone that one of them could open, in one commit
    ///
    /// What they could read before stays readable to them: the command ends with a list of it.
    Remove(remove::Args),
    /// Everybody, with keys and zones
    List,
    /// Renew OpenPGP keys from gpg's keyring, and confirm members that came by a merge
    Refresh(refresh::Args),
}

/// Carries a subcommand out.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    match &args.command {
        Command::Add(args) => add::run(args, session),
        Command::Remove(args) => remove::run(args, session),
        Command::List => list::run(session),
        Command::Refresh(args) => refresh::run(args, session),
    }
}
