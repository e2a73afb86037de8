// SPDX-License-Identifier: MIT OR Apache-2.0
//! A rotation that lost the race: somebody else's came first, the push was
//! rejected, and the user went back to what the others have. What this clone
//! has seen of its own epoch speaks against theirs from then on, rightly: it
//! cannot tell by itself whether a former member has put it there. So somebody
//! has to say so, and it counts only while no remote is known to have the commit.

use super::{Vault, VaultError};
use crate::{keyring::Keyring, pins::PinError, repository::RepositoryLock};

impl Vault {
    /// Forgets the epochs that this clone began in commits that neither `HEAD`
    /// nor any remote has, as far as this clone knows; gives those commits.
    ///
    /// # Errors
    ///
    /// [`VaultError::NothingToDiscard`], [`VaultError::Pushed`],
    /// [`PinError::RolledBack`] where the present epoch is an earlier one.
    pub fn discard_rotations(&self) -> Result<Vec<String>, VaultError> {
        let _lock = RepositoryLock::acquire(&self.repository)?;
        let mut pins = self.pins()?;
        let head = self.repository.head_commit()?.map(|commit| commit.to_string());
        let (mut commits, mut zones) = (Vec::new(), Vec::new());
        for (zone, epoch, commit) in pins.begun() {
            let here: Vec<&str> = head.iter().map(String::as_str).collect();
            if self.has(commit, &here)? {
                continue;
            }
            if self.has(commit, &self.remote_commits()?.iter().map(String::as_str).collect::<Vec<_>>())? {
                return Err(VaultError::Pushed { commit: commit.to_owned() });
            }
            // Who was rotated against may have put the old state back: whoever came
            // first has left an epoch that is no earlier.
            if let Some(found) = self.manifest.zones.get(zone).map(|zone| zone.epoch)
                && found < epoch
            {
                let zone = zone.clone();
                return Err(PinError::RolledBack { zone, seen: epoch, found, begun: None }.into());
            }
            commits.push(commit.to_owned());
            zones.push((zone.clone(), epoch));
        }
        if commits.is_empty() {
            return Err(VaultError::NothingToDiscard);
        }
        let mut keyring = self.keyring()?;
        for (zone, epoch) in zones {
            pins.forget_from(&zone, epoch);
            let Some(keyring) = &mut keyring else { continue };
            let before = epoch.previous().and_then(|epoch| keyring.zone(&zone)?.at(epoch));
            if let (Some(before), Some(padding)) = (before, keyring.padding(&zone)) {
                keyring.insert(before, padding);
            }
        }
        // What opens less first: a run that is killed here leaves what it found refused.
        if let Some(keyring) = keyring {
            Keyring::write(&keyring, &self.repository.state().join("keyring"))?;
        }
        pins.write(&self.repository.state().join("pins"))?;
        commits.dedup();
        Ok(commits)
    }

    /// Where the remotes are and were, as far as this clone has seen.
    fn remote_commits(&self) -> Result<Vec<String>, VaultError> {
        let lines = |output: Vec<u8>| {
            String::from_utf8_lossy(&output).split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        let mut commits =
            lines(self.repository.git(&["for-each-ref", "--format=%(objectname)", "refs/remotes"], &[])?);
        let names =
            lines(self.repository.git(&["for-each-ref", "--format=%(refname)", "refs/remotes"], &[])?);
        for name in names {
            commits.extend(lines(self.repository.git(&["log", "-g", "--format=%H", &name, "--"], &[])?));
        }
        Ok(commits)
    }

    /// Whether one of `others` is `commit` or comes after it. A commit that is
    /// gone from the repository is in none: a reference would have kept it.
    fn has(&self, commit: &str, others: &[&str]) -> Result<bool, VaultError> {
        let there = self.repository.git(&["cat-file", "-e", &format!("{commit}^{{commit}}")], &[]);
        if there.is_err() || others.is_empty() {
            return Ok(false);
        }
        let not: String = others.iter().map(|other| format!("^{other}\n")).collect();
        let left = self.repository.git(&["rev-list", "-1", "--stdin", commit], not.as_bytes())?;
        Ok(left.is_empty())
    }
}
