// SPDX-License-Identifier: MIT OR Apache-2.0
//! `exec`: runs a program that sees the PKI in the clear, in memory.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::{ffi::OsStrExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use certkeep_pki::secret::SecretBytes;
use certkeep_store::{vault::VaultError, zone::ZoneName};

use super::store::rotate;
use crate::{
    interrupt,
    private_folder::{self, PrivateFolder},
    report::{ExitCode, Failure},
    session::{Opened, Session},
    settings::env,
    terminal::{Asker, Safe},
};

/// Where the PKI is in the private folder.
const PKI: &str = "pki";

/// What lies in a PKI and is not of it.
const NOT_OF_THE_PKI: [&str; 4] = [".transaction", "lock.file", ".git", ".certkeep"];

/// Arguments of `exec`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Use a folder on a disk where there is none in memory
    #[arg(long)]
    allow_disk: bool,
    /// The program and its arguments, behind --
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,
}

/// Opens the PKI into a private folder, runs the program, removes the folder.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let parent = private_folder::memory(&session.settings.machine);
    let parent = match parent {
        Some(parent) => parent,
        None if args.allow_disk => std::env::temp_dir(),
        None => return Err(Failure::no_memory()),
    };
    if session.settings.dry_run {
        session.opened()?;
        session
            .terminal
            .notice(format_args!("would open the PKI in {} and run the command", Safe(parent.display())));
        return Ok(());
    }
    session.opened()?;
    // What an interrupted command left is completed before the files are read.
    session.store()?;
    let failed = |error: io::Error| Failure::cannot_write(&parent, &error);
    let folder = PrivateFolder::make(&parent).map_err(failed)?;
    let mut closed = fill(&folder, session)?;
    closed.sort();
    if !closed.is_empty() {
        session
            .terminal
            .notice(format_args!("no key here opens {}: its files are left out", rotate::names(&closed)));
    }
    let status = start(&args.command, &folder)?;
    drop(folder);
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Failure::of_command(ExitCode::OfCommand(u8::try_from(code).unwrap_or(1)))),
        (None, signal) => {
            interrupt::end_by(signal.unwrap_or_default());
            Err(Failure::of_command(ExitCode::Refused))
        }
    }
}

/// Writes every file of the PKI in the clear; gives the zones that stay closed.
fn fill(folder: &PrivateFolder, session: &mut Session) -> Result<Vec<ZoneName>, Failure> {
    let Opened { vault, keys, terminal, .. } = session.opened()?;
    let root = vault.pki().ok_or_else(Failure::store_without_pki)?;
    let failed = |error: io::Error| Failure::cannot_write(folder.path(), &error);
    let mut closed: Vec<ZoneName> = Vec::new();
    let mut opened = false;
    let mut first = None;
    folder.folder(Path::new(PKI)).map_err(failed)?;
    let mut pending = vec![PathBuf::new()];
    while let Some(relative) = pending.pop() {
        let place = root.join(&relative);
        let unreadable = |error: io::Error| Failure::cannot_read(&place.display().to_string(), &error);
        for entry in fs::read_dir(&place).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            if relative.as_os_str().is_empty() && NOT_OF_THE_PKI.iter().any(|other| name == *other) {
                continue;
            }
            let relative = relative.join(&name);
            // A link is followed to a file, as by everybody who reads a PKI, and to no folder.
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                folder.folder(&Path::new(PKI).join(&relative)).map_err(failed)?;
                pending.push(relative);
                continue;
            }
            let path = entry.path();
            if !path.is_file() {
                continue;
            }
            let Some(top) = vault.path_in_repository(&root) else { continue };
            let shown = join(&top, relative.as_os_str().as_bytes());
            if let certkeep_store::zone::Protection::Zone(zone) = vault.rules().protection(&shown)
                && closed.contains(zone)
            {
                continue;
            }
            let bytes = SecretBytes::new(fs::read(&path).map_err(unreadable)?);
            match vault.open_file(&shown, bytes, keys, &mut Asker(terminal)) {
                Ok(contents) => {
                    opened = true;
                    folder.write(&Path::new(PKI).join(&relative), &contents).map_err(failed)?;
                }
                Err(VaultError::Identity { zone, source }) => {
                    closed.push(zone.clone());
                    first.get_or_insert(VaultError::Identity { zone, source });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    let all = vault.manifest().zones.len();
    match first {
        Some(error) if !opened || closed.len() == all => Err(error.into()),
        _ => Ok(closed),
    }
}

fn join(folder: &str, file: &[u8]) -> Vec<u8> {
    if folder.is_empty() { file.to_owned() } else { [folder.as_bytes(), b"/", file].concat() }
}

fn start(command: &[OsString], folder: &PrivateFolder) -> Result<ExitStatus, Failure> {
    let (program, arguments) = command.split_first().expect("clap asks for one");
    let failed = |error: io::Error| Failure::cannot_run(program, &error);
    let mut child = Command::new(program)
        .args(arguments)
        .env(env::CERTKEEP_DIR, folder.path())
        .env(env::EASYRSA_PKI.name, folder.path().join(PKI))
        .env_remove(env::CERTKEEP_IDENTITY.name)
        .spawn()
        .map_err(failed)?;
    interrupt::wait_for(&mut child).map_err(failed)
}
