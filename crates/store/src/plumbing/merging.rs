// SPDX-License-Identifier: MIT OR Apache-2.0
//! git's merge driver, in the repository that git works in.

use std::{fs, path::Path};

use certkeep_pki::secret::SecretBytes;

use super::{Plumbing, PlumbingError, read};
use crate::{
    attributes,
    durable::FileError,
    filter,
    git::{self, Lines},
    merge::{self, Merge, MergedZone, Sides, Winner, ZoneConflict},
    zone::ZoneName,
};

impl Plumbing {
    /// Merges three files that git made of blobs, as far as that can be done without
    /// understanding them: a side that wins replaces `ours`.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written.
    pub fn merge(&self, base: &Path, ours: &Path, theirs: &Path) -> Result<Merge, PlumbingError> {
        let incoming = read(theirs)?;
        let merge = merge::sides(self.keyring.as_ref(), [read(base)?, read(ours)?, read(theirs)?]);
        if let Merge::Won(Winner::Theirs) = merge {
            fs::write(ours, incoming.expose()).map_err(FileError::new("write", ours))?;
        }
        Ok(merge)
    }

    /// Merges three descriptions of a zone: what both sides agree with replaces
    /// `ours`. `None`: `path` is none of those.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written.
    pub fn merge_zone(
        &self,
        path: &[u8],
        base: &Path,
        ours: &Path,
        theirs: &Path,
    ) -> Result<Option<Result<MergedZone, ZoneConflict>>, PlumbingError> {
        let name = std::str::from_utf8(path).ok().and_then(|path| {
            ZoneName::parse(path.strip_prefix(".certkeep/zones/")?.strip_suffix("/zone.toml")?).ok()
        });
        let Some(name) = name else { return Ok(None) };
        let manifest = self.repository.as_ref().and_then(|repository| filter::manifest(repository).ok()?);
        let keys = self.keyring.as_ref().and_then(|keyring| keyring.zone(&name));
        let Some(manifest) = manifest else { return Ok(Some(Err(ZoneConflict::Locked { zone: name }))) };
        let of = merge::Of { name: &name, store: manifest.store, pki: manifest.pki.as_deref(), keys };
        let [base, our_bytes, theirs] = [read(base)?, read(ours)?, read(theirs)?];
        let merged = merge::zones(of, base.expose(), our_bytes.expose(), theirs.expose());
        if let Ok(merged) = &merged {
            fs::write(ours, &merged.bytes).map_err(FileError::new("write", ours))?;
        }
        Ok(Some(merged))
    }

    /// Merges the block of the attributes at the top, whose outcome replaces `ours`, and the
    /// user's own lines beside it where only one side has changed them. Whether
    /// that could be done; otherwise nothing is written.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written.
    pub fn merge_attributes(&self, base: &Path, ours: &Path, theirs: &Path) -> Result<bool, PlumbingError> {
        let versions = [read(base)?, read(ours)?, read(theirs)?];
        let [b, o, t] = &versions;
        let Some((block, [base, our_rest, theirs])) =
            attributes::merge_blocks([b.expose(), o.expose(), t.expose()])
        else {
            return Ok(false);
        };
        let rest = if theirs == base || theirs == our_rest {
            our_rest
        } else if our_rest == base {
            theirs
        } else {
            return Ok(false);
        };
        fs::write(ours, attributes::apply_block(&rest, &block)).map_err(FileError::new("write", ours))?;
        Ok(true)
    }

    /// Merges the sides line by line; `labels` name ours and theirs in the marks of
    /// a conflict, which have `marker` characters.
    ///
    /// # Errors
    ///
    /// libgit2 refuses.
    pub fn merge_lines(
        &self,
        sides: &Sides,
        labels: [&str; 2],
        marker: Option<u16>,
    ) -> Result<Lines, PlumbingError> {
        let Sides { base, ours, theirs, .. } = sides;
        Ok(git::merge_lines(base.expose(), ours.expose(), theirs.expose(), labels, marker)?)
    }

    /// Puts the outcome of a merge in the place of `ours`, for git, which stores it
    /// as it is: sealed, if the sides were or the rules say so. What neither the store
    /// nor what this clone has seen of it ever had sealed needs no key: it merges
    /// in a clone, too, that has not unlocked the others' new keys yet.
    ///
    /// # Errors
    ///
    /// [`PlumbingError::Filter`] if it cannot be sealed; `ours` is as it was then.
    pub fn conclude(
        &self,
        path: &[u8],
        ours: &Path,
        sides: &Sides,
        outcome: SecretBytes,
    ) -> Result<(), PlumbingError> {
        let filter = self.filter();
        // A bare repository has no rules, and merges what is in the clear there already.
        let as_it_is = !sides.sealed && (!filter.has_store() || filter.is_public(path));
        let outcome = if as_it_is { outcome } else { filter.clean(path, outcome)? };
        Ok(fs::write(ours, outcome.expose()).map_err(FileError::new("write", ours))?)
    }
}
