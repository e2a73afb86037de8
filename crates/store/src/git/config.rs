// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration: read as git sees it, written for this repository.

use std::{fs, path::PathBuf};

use git2::{Config, ConfigLevel};

use super::{
    GitError, Repository, absent_is_none,
    head::{LockFile, Patience, Scratch, lock_text},
    index::WORK_TREE,
};
use crate::durable::{FileError, inspect};

/// Nobody else's: the lock of the repository is held where it is used.
const TOKEN: &str = "config";

impl Repository {
    /// A value of the configuration; `None` when nothing sets it.
    pub(crate) fn config(&self, name: &str) -> Result<Option<String>, GitError> {
        let value = self.inner.config().and_then(|mut config| config.snapshot()?.get_string(name));
        absent_is_none(value).map_err(GitError::library("read the configuration"))
    }

    /// A value of this repository's own configuration, which no other machine and
    /// no other user's settings have a part in; `None` when it sets none.
    pub(crate) fn own_config(&self, name: &str) -> Result<Option<String>, GitError> {
        let reading = || GitError::library("read the configuration");
        let mut config = self.inner.config().map_err(reading())?;
        let config = config.snapshot().map_err(reading())?;
        let Some(mut values) = absent_is_none(config.multivar(name, None)).map_err(reading())? else {
            return Ok(None);
        };
        let mut found = None;
        while let Some(entry) = values.next().transpose().map_err(reading())? {
            if matches!(entry.level(), ConfigLevel::Local | ConfigLevel::Worktree) {
                found = entry.value().ok().map(str::to_owned);
            }
        }
        Ok(found)
    }

    /// A truth value of the configuration; `None` when nothing sets it.
    pub(crate) fn config_flag(&self, name: &str) -> Result<Option<bool>, GitError> {
        let value = self.inner.config().and_then(|mut config| config.snapshot()?.get_bool(name));
        absent_is_none(value).map_err(GitError::library("read the configuration"))
    }

    /// Sets values for this repository and its linked work trees: all or none.
    /// The lock of the repository is held.
    ///
    /// libgit2 would leave a `config.lock` of which nobody can tell whose it is,
    /// if it died; so it gets a copy to write to.
    pub(crate) fn configure(&self, settings: &[(&str, &str)]) -> Result<(), GitError> {
        let path = self.config_path();
        let scratch = Scratch::new(self, TOKEN)?;
        let lock = LockFile::acquire(&scratch, &path, &lock_text(TOKEN), Patience::Wait)?;
        let new = scratch.join("config");
        if inspect(&path)?.is_some() {
            fs::copy(&path, &new).map_err(FileError::new("copy the configuration to", &new))?;
        }
        let written = Config::open(&new)
            .and_then(|mut config| settings.iter().try_for_each(|(name, value)| config.set_str(name, value)));
        written.map_err(GitError::library("write the configuration"))?;
        let synced = fs::File::open(&new).and_then(|file| file.sync_all());
        synced.map_err(FileError::new("sync", &new))?;
        Ok(lock.replace_with(&new)?)
    }

    /// The file itself, where the name is a link to it.
    fn config_path(&self) -> PathBuf {
        let path = self.common_dir().join("config");
        path.canonicalize().unwrap_or(path)
    }

    /// What a certkeep that has died left, unless one is at work that holds the
    /// lock of the repository: lock files that git would wait for in vain, and
    /// our own directories of a moment.
    pub(crate) fn left_behind(&self) -> Vec<PathBuf> {
        let mut left = Vec::new();
        for (mut lock, token) in [(self.git_dir().join("index"), WORK_TREE), (self.config_path(), TOKEN)] {
            lock.as_mut_os_string().push(".lock");
            let ours = fs::read(&lock).is_ok_and(|text| text == lock_text(token).as_bytes());
            left.extend(ours.then_some(lock));
            let scratch = Scratch::place(&self.state(), token);
            left.extend(scratch.exists().then_some(scratch));
        }
        left
    }
}
