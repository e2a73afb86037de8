// SPDX-License-Identifier: MIT OR Apache-2.0
//! From settings to keys: which identities may open the store, and how gpg and
//! git are called on this machine.

use std::{
    io::{self, Read as _},
    path::Path,
    process::{Command, Stdio},
};

use certkeep_pki::secret::SecretBytes;
use certkeep_store::{identity::Sources, vault::Keys, wrap::gpg::Gpg};
use zeroize::Zeroizing;

use crate::{
    report::Failure,
    settings::{Machine, Settings, env},
    terminal::{self, standard_input},
};

/// The longest identity on standard input, in bytes.
const LIMIT: usize = 1 << 20;

/// No key yet, and where keys are looked for. What `--identity=-` reads is read here.
///
/// # Errors
///
/// Standard input cannot be read, or is asked for twice.
pub fn keys(settings: &mut Settings) -> Result<Keys, Failure> {
    let named = &mut settings.identities;
    let stdin = match named.files.iter().filter(|file| file.as_os_str() == "-").count() {
        0 => None,
        1 => Some(read_stdin().map_err(|error| Failure::cannot_read("standard input", &error))?),
        _ => return Err(Failure::refused("standard input can be one identity, not several")),
    };
    Ok(Keys::new(Sources {
        files: std::mem::take(&mut named.files),
        stdin,
        text: named.text.take(),
        environment_file: named.environment_file.take(),
        home: settings.machine.home.clone(),
        gpg: Some(gpg(&settings.machine)),
    }))
}

/// gpg, as git calls it (`gpg.program`), with a terminal for its agent.
#[must_use]
pub fn gpg(machine: &Machine) -> Gpg {
    let mut gpg = Gpg::new(git_setting(&machine.here, "gpg.program").unwrap_or_else(|| "gpg".to_owned()));
    if let Some(terminal) = machine.gpg_tty.clone().or_else(terminal::name) {
        gpg.environment.push((env::machine::GPG_TTY.into(), terminal));
    }
    gpg
}

/// A setting of git, as it counts in `folder`; none too where there is no git.
#[must_use]
pub fn git_setting(folder: &Path, name: &str) -> Option<String> {
    let answer = git(folder).args(["config", "--get", name]).output().ok()?;
    let value = String::from_utf8(answer.stdout).ok()?;
    let value = value.trim_end_matches('\n');
    (answer.status.success() && !value.is_empty()).then(|| value.to_owned())
}

/// git, to be run in `folder`; nothing secret is handed down to it.
#[must_use]
pub fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).env_remove(env::CERTKEEP_IDENTITY.name).stdin(Stdio::null());
    git
}

fn read_stdin() -> io::Result<SecretBytes> {
    // Sized before it is filled: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    let limit = u64::try_from(LIMIT + 1).unwrap_or(u64::MAX);
    standard_input()?.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 1 MiB"));
    }
    Ok(SecretBytes::from(bytes))
}
