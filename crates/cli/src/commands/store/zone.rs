// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store zone set`: how the files of a zone lie in an unlocked work tree.

use certkeep_pki::x509::describe::Value;
use certkeep_store::zone::Mode;

use super::{super::account, rotate};
use crate::{
    interrupt, message,
    report::Failure,
    session::{Opened, Session},
    terminal::Asker,
};

/// Arguments of `store zone`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Set the mode of a zone
    Set {
        /// The zone
        zone: String,
        /// transparent: plaintext after `unlock`; sealed: ciphertext always, opened in memory alone
        #[arg(long, value_parser = ["transparent", "sealed"])]
        mode: String,
    },
}

/// Changes the mode.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let Command::Set { zone, mode } = &args.command;
    let zone = rotate::known(zone, session.opened()?.vault)?;
    let mode = Mode::parse(mode).expect("clap takes no other word");
    if mode == Mode::Transparent {
        let details =
            format!("From now on the files of the zone {zone} lie in the clear wherever it is unlocked");
        session.terminal.confirm(details, "Confirm: ")?;
    }
    let shown = mode.as_str();
    if session.settings.dry_run {
        session.terminal.notice(format_args!("would make the zone {zone} {shown}"));
        return Ok(());
    }
    let message = message::of(&["store", "zone", "set", zone.as_str(), &format!("--mode={shown}")]);
    let Opened { vault, keys, terminal, .. } = session.opened_to_write()?;
    vault.zone_keys(&zone, keys, &mut Asker(terminal))?;
    let commit = {
        let _signals = interrupt::put_off();
        vault.set_mode(&zone, mode, keys, &mut Asker(terminal), &message)?
    };
    let value = Value::Section(vec![
        ("zone", zone.as_str().into()),
        ("mode", shown.into()),
        ("commit", commit.into()),
    ]);
    account::say(session, "Zone", &value)
}
