// SPDX-License-Identifier: MIT OR Apache-2.0
//! One PKI directory, and the two programs that work on it.
//!
//! Both run in batch mode with an empty home and an environment of their own,
//! so that nothing of the machine's configuration takes part.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::certkeep;
use crate::{
    Outcome,
    process::{self, Finished},
};

const EASYRSA: &str = "/usr/share/easy-rsa/easyrsa";

/// Who does a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Certkeep,
    Easyrsa,
}

/// A PKI directory with the options that every command gets.
pub(crate) struct Pki {
    /// The directory; its parent is the home and the working directory.
    pub(crate) folder: PathBuf,
    options: Vec<String>,
}

impl Pki {
    pub(crate) fn new(folder: PathBuf, options: &[&str]) -> Self {
        Self { folder, options: options.iter().map(|option| (*option).to_owned()).collect() }
    }

    /// A file of the directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Does one command with `program`; options may stand among `words`.
    pub(crate) fn run(&self, program: Program, words: &[&str]) -> Outcome<Finished> {
        let (path, folder_option) = match program {
            Program::Certkeep => (certkeep(), "--pki"),
            Program::Easyrsa => (PathBuf::from(EASYRSA), "--pki-dir"),
        };
        let mut command = clean(&path, self.folder.parent().unwrap_or(&self.folder));
        if program == Program::Easyrsa {
            // easy-rsa 3.1 looks for these in the PKI, where only its own init-pki puts them.
            command.env("EASYRSA_SSL_CONF", "/usr/share/easy-rsa/openssl-easyrsa.cnf");
            command.env("EASYRSA_EXT_DIR", "/usr/share/easy-rsa/x509-types");
        }
        command.arg("--batch").arg(format!("{folder_option}={}", self.folder.display())).args(&self.options);
        process::finish(command.args(words))
    }

    /// Does one command with certkeep, which must succeed.
    pub(crate) fn certkeep(&self, words: &[&str]) -> Outcome<String> {
        self.run(Program::Certkeep, words)?.success()
    }
}

/// A command that sees nothing of this machine's configuration.
pub(crate) fn clean(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(home).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", home).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command
}

/// `openssl` with these words, as text; it must succeed.
pub(crate) fn openssl(words: &[&str]) -> Outcome<String> {
    process::finish(Command::new("openssl").args(words))?.success()
}
