// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where things are on this machine: the home directory, a folder in memory, the
//! terminal that gpg's agent may use. Facts from the environment, looked up once
//! and before any vars file could change them.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use super::{env::machine, variables::Variables};

/// What the environment says of this machine. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The current directory.
    pub here: PathBuf,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// Where gpg has its keys.
    pub gnupg: Option<PathBuf>,
    /// A folder of this user alone that ends with the session.
    pub runtime: Option<PathBuf>,
    /// The terminal on which gpg's agent may ask, if somebody has set it.
    pub gpg_tty: Option<OsString>,
    /// The folders that are searched for programs.
    pub path: OsString,
}

impl Machine {
    /// Looks the facts up. A relative path counts as not set, as the conventions have it.
    pub(super) fn of(variables: &Variables, here: &Path) -> Self {
        let text = |name| {
            let bytes = variables.bytes(name).filter(|bytes| !bytes.is_empty())?;
            Some(OsStr::from_bytes(bytes).to_owned())
        };
        let folder = |name| text(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = folder(machine::HOME);
        Self {
            here: here.to_owned(),
            gnupg: text(machine::GNUPGHOME)
                .map(|path| here.join(path))
                .or_else(|| Some(home.as_ref()?.join(".gnupg"))),
            home,
            runtime: folder(machine::RUNTIME),
            gpg_tty: text(machine::GPG_TTY),
            path: text(machine::PATH).unwrap_or_default(),
        }
    }

    /// Where certkeep's own age identity is, unless an option or a variable names one.
    #[must_use]
    pub fn identity_file(&self) -> Option<PathBuf> {
        Some(self.home.as_ref()?.join(".config/certkeep/identity.txt"))
    }

    /// Whether a program of this name is in one of the folders of `PATH`.
    #[must_use]
    pub fn has_program(&self, name: &str) -> bool {
        std::env::split_paths(&self.path).any(|folder| folder.join(name).is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(environment: &[(&str, &str)]) -> Machine {
        let environment =
            environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Machine::of(&Variables::from_environment(environment), Path::new("/here"))
    }

    #[test]
    fn a_relative_folder_is_none() {
        let known = machine(&[("HOME", "/home/bob"), ("XDG_RUNTIME_DIR", "")]);
        assert_eq!(known.identity_file(), Some("/home/bob/.config/certkeep/identity.txt".into()));
        assert_eq!(known.runtime, None);
        let relative = machine(&[("HOME", "bob")]);
        assert_eq!((relative.home.as_deref(), relative.identity_file()), (None, None));
    }
}
