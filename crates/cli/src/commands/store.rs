// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store`: makes, looks after and changes an encrypted store.

mod export_key;
mod import;
pub(super) mod init;
mod protect;
pub(super) mod rotate;
mod status;
mod zone;

use clap::Subcommand;

use crate::{report::Failure, session::Session};

/// Arguments of `store`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this git repository a store, with the PKI that is in it
    ///
    /// Private keys and requests are ciphertext in every commit from then on. Where there is no
    /// repository yet, one is made; the PKI may be made afterwards.
    #[command(after_help = "Examples:
  certkeep store init                                        for your own OpenPGP or SSH key
  certkeep store init --recipient=alice@example.net          a key that gpg knows
  certkeep store init --recipient=bob.pub --name=bob --recipient=age1... --name=ci")]
    Init(init::Args),
    /// What git and the work tree hold of every protected file
    ///
    /// Needs no key. Ends with exit code 5 if git has a protected file that is not sealed.
    Status,
    /// New keys for zones, and every file in them sealed anew
    ///
    /// What was sealed before stays readable with the old keys, which all members keep.
    Rotate(rotate::Args),
    /// Write the keys of a zone into a file, for a safe place
    ///
    /// Whoever has that file opens everything that the zone keeps, and nobody can take that back.
    ExportKey(export_key::Args),
    /// Take a repository of another tool over
    Import(import::Args),
    /// Keep more files sealed than those of the PKI
    #[command(after_help = "Examples:
  certkeep store protect '*.key' 'deploy/secrets/**'
  certkeep store protect --zone=ca offline/root.pem")]
    Protect(protect::Args),
    /// Take patterns of `store protect` back: git keeps their files in the clear from then on
    Unprotect(protect::UnprotectArgs),
    /// Change how the files of a zone lie in an unlocked work tree
    Zone(zone::Args),
}

/// Carries a subcommand out.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    match &args.command {
        Command::Init(args) => init::run(args, session),
        Command::Status => status::run(session),
        Command::Rotate(args) => rotate::run(args, session),
        Command::ExportKey(args) => export_key::run(args, session),
        Command::Import(args) => import::run(args, session),
        Command::Protect(args) => protect::run(args, session),
        Command::Unprotect(args) => protect::undo(args, session),
        Command::Zone(args) => zone::run(args, session),
    }
}
