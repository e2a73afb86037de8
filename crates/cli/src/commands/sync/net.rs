// SPDX-License-Identifier: MIT OR Apache-2.0
//! The net under `sync`: whatever git, a hand or a merge without the driver has
//! made of two branches, no row of the database and no certificate is lost, and no
//! revocation is taken back; and the CA is the one that this clone had. Commits are compared, not what lies in the work tree.

use certkeep_pki::{
    index::Index,
    layout::{PkiPath, SerialHex},
    merge::{
        authority,
        check::{self, Flaw},
    },
};
use certkeep_store::vault::{Vault, sync::SyncError};

use crate::report::Failure;

/// What a commit must not have less of than the one that is checked out.
pub(super) struct Net<'a> {
    vault: &'a Vault,
    folder: String,
}

/// What does not fit, and what a hand can do about it.
#[derive(Debug, Default)]
pub(super) struct Caught {
    /// What is wrong.
    pub flaws: Vec<Flaw>,
    /// Files of certificates that lie in the work tree and in no commit, from the
    /// top of the work tree.
    pub uncommitted: Vec<String>,
}

impl<'a> Net<'a> {
    /// The net of this store; `None` for one without a PKI.
    pub(super) fn of(vault: &'a Vault) -> Option<Self> {
        let folder = vault.manifest().pki.clone()?;
        let folder = if folder.is_empty() { folder } else { format!("{folder}/") };
        Some(Self { vault, folder })
    }

    /// The path of a file of the PKI in a commit.
    fn place(&self, path: &PkiPath) -> String {
        format!("{}{path}", self.folder)
    }

    /// Which certificate of the PKI a path from the top of the work tree is, if it is one.
    pub(super) fn certificate_at(&self, place: &str) -> Option<PkiPath> {
        check::certificate_at(place.strip_prefix(&self.folder)?)
    }

    /// The database of a commit, if that has one that can be read.
    pub(super) fn index_of(&self, commit: &str) -> Result<Option<Index>, SyncError> {
        let bytes = self.vault.bytes_at(commit, &self.place(&PkiPath::Index))?;
        Ok(bytes.and_then(|bytes| Index::from_bytes(bytes).ok()))
    }

    /// What `HEAD` has less of than the commit `before`, and the rows it has beyond
    /// that whose certificate is in none of its files.
    pub(super) fn caught(&self, before: &str) -> Result<Caught, Failure> {
        let mut caught = Caught::default();
        let place = self.place(&PkiPath::CaCertificate);
        if let Some(ours) = self.vault.bytes_at(before, &place)? {
            let now = self.vault.bytes_at("HEAD", &place)?;
            caught.flaws = authority::authority_flaws(&ours, now.as_deref());
        }
        let Some(rows) = self.index_of(before)? else { return Ok(caught) };
        let after = match self.vault.bytes_at("HEAD", &self.place(&PkiPath::Index))? {
            Some(bytes) => Index::from_bytes(bytes)?,
            None => Index::empty(),
        };
        caught.flaws.extend(check::weakened(&rows, &after));
        let (had, has) = (self.vault.files_at(before)?, self.vault.files_at("HEAD")?);
        let new = check::new_serials(Some(&rows), &after);
        let known = rows.rows().map(|row| row.serial());
        let known = known.filter(|serial| self.copies(serial).iter().any(|path| had.contains(path)));
        for serial in known.chain(new) {
            let copies = self.copies(&serial);
            if !copies.iter().any(|path| has.contains(path)) {
                caught.flaws.push(Flaw::NoCertificate(serial));
                let is_here = |path: &String| self.vault.work_tree().join(path).is_file();
                caught.uncommitted.extend(copies.into_iter().filter(is_here));
            }
        }
        Ok(caught)
    }

    fn copies(&self, serial: &SerialHex) -> [String; 2] {
        [PkiPath::CertificateBySerial(serial.clone()), PkiPath::RevokedCertificate(serial.clone())]
            .map(|path| self.place(&path))
    }
}
