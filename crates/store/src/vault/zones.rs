// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a zone takes in and how its files lie in the work tree.

use std::collections::BTreeMap;

use certkeep_pki::{change::Contents, secret::SecretBytes};

use super::{
    Keys, Vault, VaultError,
    edit::Edit,
    past::{self, Past},
    trust::Taken,
};
use crate::{
    durable::Access,
    filter,
    history::Message,
    prompt::Prompt,
    repository::{BlobChange, RepositoryChange, WorkTree},
    seal,
    worktree::{self, WorkTreeError},
    zone::{Mode, Pattern, Protection, Rules, ZoneName},
};

/// What a change of patterns did.
#[derive(Debug)]
pub struct Report {
    /// The commit; `None` when there was nothing to change.
    pub commit: Option<String>,
    /// Files that git keeps in another form now, relative to the top.
    pub files: Vec<String>,
    /// Files that earlier commits hold in the clear.
    pub exposed: Vec<Past>,
}

impl Vault {
    /// Adds patterns to a zone: what git has of their files is sealed, in the
    /// same commit. A sealed zone takes in what git does not have, too: nobody
    /// else could add it, for git's filter has no key.
    ///
    /// # Errors
    ///
    /// The zone cannot be opened; files with staged changes, or with changes
    /// that ciphertext would take the place of.
    pub fn protect(
        &mut self,
        patterns: &[Pattern],
        zone: &ZoneName,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        message: &Message,
    ) -> Result<Report, VaultError> {
        let zone_keys = self.zone_keys(zone, keys, prompt)?.clone();
        let mut after = self.manifest.clone();
        let described = after.zones.get_mut(zone).expect("its keys were found");
        let taken =
            self.rules.patterns().iter().find(|(known, other)| other != zone && patterns.contains(known));
        if let Some((known, other)) = taken {
            let pattern = known.as_str().to_owned();
            return Err(VaultError::PatternTaken { by: pattern.clone(), pattern, zone: other.clone() });
        }
        for pattern in patterns {
            if !described.patterns.contains(pattern) {
                described.patterns.push(pattern.clone());
            }
        }
        let (padding, mode) = (described.padding, described.mode);
        self.certify(&mut after, zone, &zone_keys, Taken::Nothing)?;
        let rules = self.rules_after(&after, &[])?;
        self.nothing_taken(patterns, zone, &rules)?;
        let mut edit = Edit::default();
        let mut files = self.move_files(&rules, keys, prompt, &mut edit)?;
        if mode == Mode::Sealed {
            files.extend(self.take_in(patterns, &rules, &zone_keys, padding, &mut edit)?);
        }
        let exposed = past::in_the_clear(&self.repository, &rules)?;
        let commit = self.record(after, edit, keys, &[], message)?;
        Ok(Report { commit, files, exposed })
    }

    /// Refuses a new pattern of which a zone before this one takes every file.
    fn nothing_taken(&self, patterns: &[Pattern], zone: &ZoneName, rules: &Rules) -> Result<(), VaultError> {
        let outside = Rules::new(None, rules.patterns().to_vec());
        let known = &self.zone(zone)?.patterns;
        for pattern in patterns.iter().filter(|pattern| !known.contains(pattern)) {
            let covers = |path: &[u8]| pattern.matches(path) && !zone_of_layout(rules, path);
            let tracked = self.tracked()?;
            let mut paths: Vec<Vec<u8>> = tracked.keys().filter(|path| covers(path)).cloned().collect();
            let new = worktree::untracked(self.work_tree(), &covers, &tracked)?;
            paths.extend(new);
            let (mut taken, mut own) = (None, false);
            for path in paths {
                match outside.patterns().iter().find(|(known, _)| known.matches(&path)) {
                    Some((by, other)) if other != zone => {
                        taken = Some((by.as_str().to_owned(), other.clone()));
                    }
                    _ => own = true,
                }
            }
            if let Some((by, zone)) = taken.filter(|_| !own) {
                return Err(VaultError::PatternTaken { pattern: pattern.as_str().to_owned(), by, zone });
            }
        }
        Ok(())
    }

    /// Patterns that two zones have: a branch each has given it to one, and its files
    /// are sealed by either.
    #[must_use]
    pub fn twice_protected(&self) -> Vec<(Pattern, ZoneName, ZoneName)> {
        let zones = &self.manifest.zones;
        let patterns =
            zones.iter().flat_map(|(name, zone)| zone.patterns.iter().map(move |known| (known, name)));
        let twice = patterns.filter_map(|(pattern, name)| {
            let mut later = zones.iter().filter(|(other, _)| *other > name);
            let (other, _) = later.find(|(_, zone)| zone.patterns.contains(pattern))?;
            Some((pattern.clone(), name.clone(), other.clone()))
        });
        twice.collect()
    }

    /// Takes patterns out of their zones, or out of the zone `only`: git keeps their files in the
    /// clear from now on, or another zone does whose patterns name them, too.
    ///
    /// # Errors
    ///
    /// A zone cannot be opened; files with staged changes; a pattern that no zone has.
    pub fn unprotect(
        &mut self,
        patterns: &[Pattern],
        only: Option<&ZoneName>,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        message: &Message,
    ) -> Result<Report, VaultError> {
        let mut after = self.manifest.clone();
        for (name, zone) in after.zones.iter_mut().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
            zone.patterns.retain(|known| !patterns.contains(known));
            if zone.patterns.len() != self.zone(name)?.patterns.len() {
                self.zone_keys(name, keys, prompt)?;
            }
        }
        let touched: Vec<_> =
            self.manifest.zones.keys().filter(|name| keys.zones.contains_key(*name)).cloned().collect();
        for name in &touched {
            let (keys, taken) = (keys.zones.get(name).expect("just filtered"), Taken::Patterns(patterns));
            self.certify(&mut after, name, keys, taken)?;
        }
        let mut edit = Edit::default();
        let rules = self.rules_after(&after, patterns)?;
        let files = self.move_files(&rules, keys, prompt, &mut edit)?;
        let commit = self.record(after, edit, keys, &[], message)?;
        self.loosen(patterns, &[])?;
        Ok(Report { commit, files, exposed: Vec::new() })
    }

    /// Whether a zone does not have a pattern any more that this clone has seen there.
    #[must_use]
    pub fn is_only_remembered(&self, pattern: &Pattern) -> bool {
        let describes =
            |zone| self.manifest.zones.get(zone).is_some_and(|zone| zone.patterns.contains(pattern));
        self.rules.patterns().iter().any(|(known, zone)| known == pattern && !describes(zone))
    }

    /// Changes how a zone's files lie in the work tree, or finishes what was
    /// interrupted; gives the commit, if there was anything to commit.
    ///
    /// # Errors
    ///
    /// The zone cannot be opened; plaintext of a zone that is to be sealed would
    /// be lost or left behind.
    pub fn set_mode(
        &mut self,
        zone: &ZoneName,
        mode: Mode,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
        message: &Message,
    ) -> Result<Option<String>, VaultError> {
        self.repository.identity().map(drop)?;
        let zone_keys = self.zone_keys(zone, keys, prompt)?.clone();
        let mut after = self.manifest.clone();
        let described = after.zones.get_mut(zone).expect("its keys were found");
        described.mode = mode;
        let padding = described.padding;
        self.certify(&mut after, zone, &zone_keys, Taken::Mode)?;
        let keyring = self.keyring()?;
        if mode == Mode::Sealed {
            self.nothing_else_in_the_clear(zone)?;
        }
        let mut edit = Edit::default();
        for entry in self.entries_of(zone)? {
            let blob = self.repository.blob(entry.oid)?;
            let file = self.repository.file_path(&entry.path);
            let Some(found) = crate::read::read_regular(&file)? else { continue };
            let found = SecretBytes::new(found);
            let shown = || String::from_utf8_lossy(&entry.path).into_owned();
            let plaintext = match blob.as_slice() {
                b"" => SecretBytes::new(Vec::new()),
                _ => zone_keys.open(&blob).map_err(|source| VaultError::Open { path: shown(), source })?,
            };
            let work_tree = match mode {
                _ if found.is_empty() => continue,
                Mode::Sealed if found.expose() == plaintext.expose() => {
                    WorkTree::Write(Contents::Public(blob), Access::Owner)
                }
                Mode::Transparent if found.expose() == blob && keyring.is_some() => {
                    WorkTree::Write(Contents::Secret(plaintext), Access::Owner)
                }
                Mode::Sealed if !seal::is_sealed(found.expose()) => {
                    return Err(WorkTreeError::Changed { paths: vec![shown()] }.into());
                }
                _ => continue,
            };
            edit.changes.push(RepositoryChange { path: entry.path, work_tree, blob: BlobChange::Leave });
        }
        let commit = self.record(after, edit, keys, &[], message)?;
        if mode == Mode::Transparent {
            self.loosen(&[], std::slice::from_ref(zone))?;
        }
        // After the commit: nobody is to have the keys of a zone in a file that
        // was not made transparent. Until then the filter refuses plaintext.
        if let Some(mut keyring) = keyring {
            match mode {
                Mode::Transparent => keyring.insert(zone_keys, padding),
                Mode::Sealed => keyring.forget(zone),
            }
            keyring.write(&self.repository.state().join("keyring"))?;
        }
        Ok(commit)
    }

    /// Refuses plaintext of a zone that a commit here cannot seal.
    fn nothing_else_in_the_clear(&self, zone: &ZoneName) -> Result<(), VaultError> {
        let of_zone = |rules: &Rules, path: &[u8]| rules.protection(path) == Protection::Zone(zone);
        let mut paths =
            worktree::untracked(self.work_tree(), &|path| is_kept(&self.rules, path), &self.tracked()?)?;
        paths.retain(|path| of_zone(&self.rules, path));
        if !paths.is_empty() {
            let paths = paths.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
            return Err(WorkTreeError::Changed { paths }.into());
        }
        let mut paths = Vec::new();
        for tree in worktree::linked(&self.repository)? {
            // What is checked out there may be of another time.
            let own = filter::manifest(&tree)?.map(|manifest| manifest.rules());
            let rules = own.as_ref().unwrap_or(&self.rules);
            let found =
                worktree::untracked(tree.work_tree(), &|path| is_kept(rules, path), &BTreeMap::new())?;
            let found = found.into_iter().filter(|path| of_zone(rules, path));
            paths.extend(found.map(|path| tree.file_path(&path).display().to_string()));
        }
        if paths.is_empty() { Ok(()) } else { Err(VaultError::InTheClear { paths }) }
    }

    /// The keys of a zone, in the text that a wrap holds. Whoever has them
    /// needs no other key, and nobody can take them back.
    ///
    /// # Errors
    ///
    /// The zone cannot be opened.
    pub fn export_key(
        &self,
        zone: &ZoneName,
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<SecretBytes, VaultError> {
        Ok(self.zone_keys(zone, keys, prompt)?.to_payload())
    }
}

/// Whether the PKI's own table keeps a path, so that no pattern counts.
fn zone_of_layout(rules: &Rules, path: &[u8]) -> bool {
    is_kept(&Rules::new(rules.pki(), Vec::new()), path)
}

fn is_kept(rules: &Rules, path: &[u8]) -> bool {
    matches!(rules.protection(path), Protection::Zone(_))
}
