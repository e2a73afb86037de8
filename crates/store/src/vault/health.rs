// SPDX-License-Identifier: MIT OR Apache-2.0
//! `doctor`'s side of the store: everything that can be told about a store and
//! the git around it without a key and without a change. What cannot be looked at
//! is a fault of its own, and the rest is looked at all the same.

mod clone;
mod fault;
mod files;
mod mend;
mod objects;
mod people;
mod wiring;

use std::path::{Path, PathBuf};

use certkeep_pki::moment::Moment;

pub use self::fault::{Fault, Kind};
use super::{Vault, VaultError, place, was_here};
use crate::{git::Repository, guard::Watch, keyring::Keyring, pins::Pins, wrap::gpg::Gpg, zone::FOLDER};

/// What is to be looked at, and with what.
pub struct Asked<'a> {
    /// Now.
    pub now: Moment,
    /// Where a newer form of a member's OpenPGP key is looked for.
    pub gpg: Option<&'a Gpg>,
    /// The files in which the user's own keys may be.
    pub identities: &'a [PathBuf],
    /// Whether every earlier commit is looked at, which takes its time.
    pub history: bool,
    /// Who is told how far that has come.
    pub watch: Watch<'a>,
}

/// What was looked at, and what was found.
#[derive(Debug, Default)]
pub struct Examined {
    /// Whether there is a store, and not git alone.
    pub is_store: bool,
    /// What is wrong, in no order that matters.
    pub faults: Vec<Fault>,
    /// What nobody could look at, and why, in a line each.
    pub skipped: Vec<String>,
}

/// One examination.
struct Examination<'a> {
    repository: Repository,
    /// `None`: `.certkeep` cannot be understood.
    vault: Option<Vault>,
    keyring: Option<Keyring>,
    pins: Pins,
    asked: &'a Asked<'a>,
    found: Examined,
}

impl Vault {
    /// Examines the store whose work tree `directory` is in; where there is none, the
    /// git repository for private keys; `None` where there is none of that either.
    /// Nothing is changed, not even what every other command completes.
    ///
    /// # Errors
    ///
    /// git's directory cannot be opened at all. Everything else is a fault.
    pub fn examine(directory: &Path, asked: &Asked<'_>) -> Result<Option<Examined>, VaultError> {
        let Some(repository) = place::repository_of(directory)? else { return Ok(None) };
        let stands = repository.work_tree().join(FOLDER).is_dir();
        let is_elsewhere = !stands && was_here(&repository);
        let (mut examination, remembered) = Examination::begin(repository, asked);
        if is_elsewhere {
            let what = "it is in commits that are not checked out";
            examination.tell(Fault::new(Kind::StoreExchanged, "the store", what));
        }
        examination.found.is_store = stands;
        if !stands {
            examination.plain_objects();
            examination.beside_git();
            return Ok(Some(examination.found));
        }
        examination.store(remembered);
        examination.people();
        examination.objects();
        examination.files();
        examination.wiring();
        examination.clone_state();
        Ok(Some(examination.found))
    }
}

impl Examination<'_> {
    fn tell(&mut self, fault: Fault) {
        if !self.found.faults.contains(&fault) {
            self.found.faults.push(fault);
        }
    }

    /// What an attempt gave; a failure is told.
    fn tried<T, E: std::error::Error>(&mut self, subject: &str, result: Result<T, E>) -> Option<T> {
        result
            .map_err(|error| {
                self.tell(Fault::new(Kind::Unreadable, subject, told(&error)));
            })
            .ok()
    }
}

/// An error with its causes, in one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
