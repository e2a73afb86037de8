// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unlock`: the plaintext of the transparent zones comes into the work tree.

use std::{
    fs::{self, Metadata, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use certkeep_pki::layout::PkiDirectory;

use super::{Keys, Vault, VaultError, trust::is_closed};
use crate::{
    driver,
    durable::{FileError, inspect, make_directories, permissions},
    member::MemberName,
    prompt::Prompt,
    seal::KeyId,
    worktree,
    zone::{Mode, ZoneName},
};

/// The directories that every easy-rsa PKI has.
const EXPECTED: [PkiDirectory; 7] = [
    PkiDirectory::CertificatesBySerial,
    PkiDirectory::Issued,
    PkiDirectory::Private,
    PkiDirectory::Requests,
    PkiDirectory::RevokedCertificates,
    PkiDirectory::RevokedKeys,
    PkiDirectory::RevokedRequests,
];

/// Those of them, and those that easy-rsa makes when it needs them, in which all is
/// secret. git gives what it writes the modes of the umask, so that others
/// could read what a later `git pull` brings: they must not come that far.
pub(super) const CLOSED: [&str; 8] = [
    "private",
    "reqs",
    "inline",
    "inline/private",
    "renewed/private_by_serial",
    "renewed/reqs_by_serial",
    "revoked/private_by_serial",
    "revoked/reqs_by_serial",
];

/// Whether a folder of the work tree is for its owner alone.
pub(super) fn is_of_secrets(vault: &Vault, folder: &Path) -> bool {
    let pki = vault.pki();
    let relative = pki.as_ref().and_then(|pki| folder.strip_prefix(pki).ok());
    relative.is_some_and(|relative| CLOSED.iter().any(|closed| Path::new(closed) == relative))
}

/// What `unlock` did.
#[derive(Debug)]
pub struct Unlocked {
    /// The zones that are open now, and as whom; `None` if they were open before.
    pub zones: Vec<(ZoneName, Option<MemberName>)>,
    /// The zones that no identity opens, and what was tried.
    pub closed: Vec<(ZoneName, VaultError)>,
    /// How many files became plaintext.
    pub files: usize,
    /// Files of open zones that stay as they are, for none of their zone's keys
    /// sealed them, with the key that they name.
    pub strange: Vec<(String, Option<KeyId>)>,
    /// Zones that are described as they were before: an older branch, or
    /// somebody has put the description back.
    pub earlier: Vec<ZoneName>,
}

impl Vault {
    /// Opens every transparent zone that an identity opens. `program` is how
    /// git is to call certkeep.
    ///
    /// # Errors
    ///
    /// Not one zone can be opened; a protected file was changed; what speaks
    /// against the keys.
    pub fn unlock(
        &self,
        program: &str,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Unlocked, VaultError> {
        self.verify()?;
        let mut keyring = self.keyring()?.unwrap_or_default();
        let (mut zones, mut closed) = (Vec::new(), Vec::new());
        self.settle(&self.doubtful()?, keys, prompt)?;
        for (name, zone) in &self.manifest.zones {
            if self.mode(name)? == Some(Mode::Sealed) {
                if keys.zones.contains_key(name) {
                    keyring.forget(name);
                }
                continue;
            }
            match self.zone_keys(name, keys, prompt) {
                Ok(found) => {
                    keyring.insert(found.clone(), zone.padding);
                    zones.push((name.clone(), keys.opener(name).cloned()));
                }
                Err(error) if is_closed(&error) => closed.push((name.clone(), error)),
                Err(error) => return Err(error),
            }
        }
        if zones.is_empty() && !closed.is_empty() {
            return Err(closed.swap_remove(0).1);
        }
        let verified = self.verified(&self.manifest, Some(keys));
        if verified.is_empty() {
            return Err(VaultError::Unverified);
        }
        self.pin(
            &zones.iter().filter_map(|(name, _)| keys.zones.get(name).cloned()).collect::<Vec<_>>(),
            &verified,
            None,
        )?;
        let rules = self.pins()?.rules(&self.manifest);
        driver::install(&self.repository, &rules, program)?;
        self.complete_pki()?;
        let worktree::Unlocked { files, strange } =
            worktree::unlock(&self.repository, &rules, &keyring, progress)?;
        let earlier = self.earlier()?;
        Ok(Unlocked { zones, closed, files, strange, earlier })
    }

    /// Makes the directories that easy-rsa wants to see: git keeps no empty ones.
    /// Those of secrets are for their owner alone.
    fn complete_pki(&self) -> Result<(), VaultError> {
        if let Some(pki) = self.pki().filter(|pki| pki.join("index.txt").is_file()) {
            for directory in EXPECTED {
                make_directories(&pki.join(directory.relative()))?;
            }
        }
        self.close_folders()
    }

    /// Shuts others out of the folders of secrets: a plain `git pull` may have made them.
    pub(super) fn close_folders(&self) -> Result<(), VaultError> {
        for directory in self.pki().iter().flat_map(|pki| CLOSED.map(|name| pki.join(name))) {
            let Some(metadata) = inspect(&directory)?.filter(Metadata::is_dir) else { continue };
            if permissions(&metadata) & 0o077 != 0 {
                fs::set_permissions(&directory, Permissions::from_mode(0o700))
                    .map_err(FileError::new("set the mode of", &directory))?;
            }
        }
        Ok(())
    }
}
