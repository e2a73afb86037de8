// SPDX-License-Identifier: MIT OR Apache-2.0
//! The encrypted store that the PKI is kept in, if it is in one: found once, its
//! keys asked for when a file needs them and never before.

use std::{cell::OnceCell, fs, os::unix::fs::DirBuilderExt as _};

use certkeep_pki::{change::ChangeSet, layout::PkiPath, moment::Moment, secret::SecretBytes};
use certkeep_store::{
    history::{History, Message},
    store::{OpenError, Store},
    vault::{Keys, Vault, lock::Damaged},
};

use super::{Session, waiting_for};
use crate::{
    identities,
    report::Failure,
    settings::Commits,
    terminal::{Asker, Safe, Terminal},
};

/// What a command that changes a store works with, each part by itself.
pub struct Opened<'a> {
    /// The store.
    pub vault: &'a mut Vault,
    /// The keys of this run.
    pub keys: &'a mut Keys,
    /// Where the talk goes; [`Asker`] makes a prompt of it.
    pub terminal: &'a mut Terminal,
    /// The clock, read once.
    pub now: Moment,
}

impl Session {
    /// The store that the place of the PKI is in, whether it keeps that PKI or not.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn vault(&self) -> Result<Option<&Vault>, Failure> {
        if self.vault.get().is_none() {
            let found = Vault::find(&self.settings.pki)?;
            return Ok(self.vault.get_or_init(|| found).as_ref());
        }
        Ok(self.vault.get().and_then(Option::as_ref))
    }

    /// Refuses a link that somebody has put in the place of the PKI of a store.
    ///
    /// # Errors
    ///
    /// There is one; as [`Vault::verify`].
    pub fn not_led_away(&self) -> Result<(), Failure> {
        match self.vault()?.filter(|_| self.settings.pki.is_symlink()) {
            Some(vault) => Ok(vault.verify()?),
            None => Ok(()),
        }
    }

    /// Remembers a store that was made in this run.
    pub fn enter(&mut self, vault: Vault, keys: Keys) {
        (self.vault, self.keys) = (Some(vault).into(), Some(keys));
    }

    /// The store that keeps this PKI.
    pub(super) fn keeper(&self) -> Result<Option<&Vault>, Failure> {
        let keeps = |vault: &&Vault| {
            let place = vault.path_in_repository(&self.settings.pki);
            place.is_some() && place == vault.manifest().pki
        };
        Ok(self.vault()?.filter(keeps))
    }

    /// Whether an encrypted store keeps this PKI.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn is_kept(&self) -> Result<bool, Failure> {
        Ok(self.keeper()?.is_some())
    }

    /// Refuses to commit to the PKI while git is in the midst of a rebase, merge, cherry-pick or
    /// revert: whoever gives that up afterwards would lose the commit without a word, and a merge's
    /// own rows would be told as this command's.
    ///
    /// # Errors
    ///
    /// git is; or the store cannot be read.
    pub fn refuse_midway(&self) -> Result<(), Failure> {
        if self.settings.commits == Commits::None {
            return Ok(());
        }
        match self.keeper()?.and_then(Vault::midway) {
            Some(midway) => Err(Failure::midway(midway)),
            None => Ok(()),
        }
    }

    /// A public file of the PKI as the commit has it that is checked out; `None` where
    /// there is no store, no commit, or no such file.
    ///
    /// # Errors
    ///
    /// git's objects cannot be read.
    pub fn committed(&self, path: &PkiPath) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.keeper()?.map(|vault| vault.committed(path)).transpose()?.flatten())
    }

    /// The store, for a command that works on the store itself. The PKI of this
    /// run is the one that the store keeps, from wherever in it certkeep was called.
    ///
    /// # Errors
    ///
    /// There is none, or an identity cannot be read.
    pub fn opened(&mut self) -> Result<Opened<'_>, Failure> {
        let Some(vault) = self.vault()? else { return Err(Failure::no_store(&self.settings.pki)) };
        if let Some(pki) = vault.pki() {
            self.settings.pki = pki;
        }
        self.gather_keys()?;
        let vault = self.vault.get_mut().and_then(Option::as_mut).expect("found above");
        let keys = self.keys.as_mut().expect("gathered above");
        Ok(Opened { vault, keys, terminal: &mut self.terminal, now: self.now })
    }

    /// As [`Session::opened_alone`], to change what the repository says of the
    /// store, which is always a commit.
    ///
    /// # Errors
    ///
    /// As [`Session::opened_alone`] and [`Vault::verify`]; no commit is wanted.
    pub fn opened_to_write(&mut self) -> Result<Opened<'_>, Failure> {
        if self.settings.commits == Commits::None {
            return Err(Failure::store_without_commit());
        }
        let opened = self.opened_alone()?;
        opened.vault.verify()?;
        Ok(opened)
    }

    /// As [`Session::opened`], as the only one who changes the store and the PKI that
    /// it keeps, if there is one yet.
    ///
    /// # Errors
    ///
    /// As [`Session::opened`] and [`Session::lock`].
    pub fn opened_alone(&mut self) -> Result<Opened<'_>, Failure> {
        self.opened()?;
        self.alone()?;
        // Behind a link in the place of the PKI is none that the store keeps.
        if self.settings.pki.is_symlink() {
            return self.opened();
        }
        match self.store() {
            Ok(_) => self.hold()?,
            Err(_) if !self.settings.pki.exists() => {}
            Err(failure) => return Err(failure),
        }
        self.opened()
    }

    /// The repository of a store that was opened here once and cannot be now, for
    /// whoever locks it. What this run has of it is let go.
    ///
    /// # Errors
    ///
    /// git cannot be read.
    pub fn damaged(&mut self) -> Result<Option<Damaged>, Failure> {
        self.release();
        Ok(Damaged::find(&self.settings.pki)?)
    }

    /// What is read of the store from now on is what changes of it will be based on.
    fn alone(&mut self) -> Result<(), Failure> {
        // Not behind the lock of the PKI: others take the two in this order.
        if self.alone.is_none() && self.writer.is_none() && !self.settings.dry_run {
            let vault = self.vault.get().and_then(Option::as_ref).expect("opened before");
            let terminal = &mut self.terminal;
            let alone = vault.alone(&mut |waiting| terminal.notice(waiting_for(waiting, "store")))?;
            self.say_left_away();
            self.alone = Some(alone);
            self.vault = OnceCell::new();
        }
        Ok(())
    }

    fn gather_keys(&mut self) -> Result<(), Failure> {
        if self.keys.is_none() {
            self.keys = Some(identities::keys(&mut self.settings)?);
        }
        Ok(())
    }

    /// The plaintext of a file of the PKI.
    pub(super) fn unsealed(&mut self, path: &PkiPath, bytes: SecretBytes) -> Result<SecretBytes, Failure> {
        let Some(vault) = self.keeper()? else { return Ok(bytes) };
        let place = vault.path_in_repository(&self.settings.pki.join(path.relative()));
        let Some(place) = place else { return Ok(bytes) };
        let Opened { vault, keys, terminal, .. } = self.opened()?;
        vault
            .open_file(place.as_bytes(), bytes, keys, &mut Asker(terminal))
            .map_err(|error| Failure::sealed(&path.relative(), error))
    }

    /// What the writer needs to end in a commit; `None` outside a store.
    pub(super) fn history(&mut self, changes: &ChangeSet) -> Result<Option<History>, Failure> {
        let Some(vault) = self.vault()? else { return Ok(None) };
        vault.verify()?;
        if self.keeper()?.is_none() {
            let open = vault.left_open(&self.settings.pki, changes);
            if !open.is_empty() {
                return Err(Failure::other_pki(&self.settings.pki, vault, &open));
            }
            self.terminal.warning(
                "this PKI lies in an encrypted store that keeps another one: nothing of it is committed",
            );
            return Ok(None);
        }
        let commits = self.settings.commits == Commits::Every;
        let Opened { vault, keys, terminal, .. } = self.opened()?;
        let history = vault.history(changes, keys, &mut Asker(terminal))?;
        Ok(history.map(|history| if commits { history } else { history.without_commits() }))
    }

    /// Commits a PKI that was made in its place; nothing happens outside a store.
    ///
    /// # Errors
    ///
    /// It is there, and not committed.
    pub fn adopt_pki(&mut self, message: &Message) -> Result<(), Failure> {
        if self.settings.commits != Commits::Every || self.keeper()?.is_none() {
            return Ok(());
        }
        let message = self.with_everything(message)?;
        let Opened { vault, keys, terminal, .. } = self.opened()?;
        let commit = vault.adopt(keys, &mut Asker(terminal), &message)?;
        self.say_committed(commit.as_deref());
        Ok(())
    }

    /// Tells of interrupted changes that were found and completed, and whose
    /// commits had to be left away: nobody else would.
    pub fn say_left_away(&mut self) {
        let vault = self.vault.get().and_then(Option::as_ref).and_then(Vault::left_away);
        let opened = self.store.get().and_then(Store::left_away);
        let locked = self.writer.as_ref().and_then(|writer| writer.left_away());
        for left in vault.into_iter().chain(opened).chain(locked) {
            let (commit, paths) = (left.commit.get(..10).unwrap_or(&left.commit), left.paths.join(", "));
            self.terminal.warning(format_args!(
                "the files of an interrupted change are complete, but its commit {commit} is left away: \
                 meanwhile somebody has committed {}; see `git show {commit}`, then `git add` what is right, \
                 and commit it",
                Safe(paths)
            ));
        }
    }

    /// Names a commit that was made.
    pub fn say_committed(&mut self, commit: Option<&str>) {
        if let Some(commit) = commit {
            self.terminal.notice(format_args!("committed {}", commit.get(..10).unwrap_or(commit)));
        }
    }

    /// Opens the PKI. git keeps no empty folders, so a clone may lack some.
    pub(super) fn open_store(&self) -> Result<Store, Failure> {
        let pki = &self.settings.pki;
        match Store::open(pki) {
            Err(error @ OpenError::NotAPki { .. }) => {
                self.not_led_away()?;
                let cloned = self.keeper()?.is_some()
                    && fs::read_dir(pki).is_ok_and(|mut entries| entries.next().is_some());
                let make = |name| fs::DirBuilder::new().recursive(true).mode(0o700).create(pki.join(name));
                if !cloned || ["private", "reqs", "issued"].into_iter().any(|name| make(name).is_err()) {
                    return Err(error.into());
                }
                Ok(Store::open(pki)?)
            }
            opened => Ok(opened?),
        }
    }
}
