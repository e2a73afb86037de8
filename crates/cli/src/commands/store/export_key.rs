// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store export-key`: the keys of a zone, for a safe place.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use super::{super::account, rotate};
use crate::{
    report::Failure,
    session::{Opened, Session},
    terminal::{Asker, Safe},
};

/// Arguments of `store export-key`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The zone
    zone: String,
    /// The file to make; it must not exist
    file: PathBuf,
}

/// Writes the file.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let path = session.settings.machine.here.join(&args.file);
    let shown = Safe(path.display().to_string());
    let vault = session.opened()?.vault;
    let zone = rotate::known(&args.zone, vault)?;
    // Git's folder as well: copies of a repository take it along.
    if vault.path_in_repository(&path).is_some() {
        return Err(Failure::refused(format!("{shown} is in the repository, where it would be committed"))
            .with_hint("name a file that is outside of it, in a safe place"));
    }
    session.terminal.confirm(
        format!("About to write the keys of the zone {zone}, in the clear, to {shown}"),
        "Confirm export: ",
    )?;
    if session.settings.dry_run {
        session.terminal.notice(format_args!("would write the keys of the zone {zone} to {shown}"));
        return Ok(());
    }
    let Opened { vault, keys, terminal, .. } = session.opened()?;
    let text = vault.export_key(&zone, keys, &mut Asker(terminal))?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(text.expose()).and_then(|()| file.sync_all()));
    written.map_err(|error| Failure::cannot_write(&path, &error))?;
    let value = certkeep_pki::x509::describe::Value::Section(vec![
        ("zone", zone.as_str().into()),
        ("file", path.display().to_string().into()),
    ]);
    account::say(session, "Exported", &value)?;
    session.terminal.warning("whoever has this file opens all that the zone keeps: put it in a safe place");
    Ok(())
}
