// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a store is taken at its word. Whoever can push writes every file of
//! `.certkeep`; so what they say counts as far as keys certify it, and what
//! this clone has seen (the pins) and has (the keyring) speaks against the rest.
//!
//! Where no key is at hand to verify a zone, its description may add to what is
//! protected and take nothing away.
//!
//! long: each question of trust, and what is remembered of its answer.

use std::{collections::BTreeSet, path::Path};

use certkeep_pki::change::ChangeSet;

use super::{Keys, Vault, VaultError, sealer};
use crate::{
    driver,
    durable::inspect,
    git::IndexEntry,
    identity::IdentityError,
    keyring::Keyring,
    manifest::{Distrust, Manifest},
    pins::{PinError, Pins, Standing},
    prompt::Prompt,
    repository::RepositoryLock,
    seal::{self, SealError},
    zone::{Mode, Pattern, Protection, Rules, ZoneName},
    zone_keys::ZoneKeys,
};

/// What is protected in this clone alone, see [`Vault::only_here`].
#[derive(Debug)]
pub struct OnlyHere {
    /// Patterns that their zones do not have any more.
    pub patterns: Vec<Pattern>,
    /// Zones that are transparent by their description, and sealed here.
    pub zones: Vec<ZoneName>,
}

/// What somebody here takes away from a zone with a change of its description.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taken<'a> {
    Nothing,
    Patterns(&'a [Pattern]),
    /// The mode is the one that is wanted.
    Mode,
}

impl Vault {
    /// Refuses a store that is not, or not any more, the one that this clone has
    /// seen: before anything of it is obeyed. Asks for no key.
    ///
    /// # Errors
    ///
    /// [`VaultError::Pin`], [`VaultError::Distrust`].
    pub fn verify(&self) -> Result<(), VaultError> {
        self.verify_genuine()?;
        Ok(self.pins()?.check_epochs(&self.manifest)?)
    }

    /// As [`Vault::verify`], where an earlier state of the same store will do.
    pub(super) fn verify_genuine(&self) -> Result<(), VaultError> {
        self.no_link_to_a_folder()?;
        self.is_genuine(&self.manifest)
    }

    /// As [`Vault::verify_genuine`] for the sake of locking, of which what other
    /// keys the store has now says nothing. Where it cannot be read what this
    /// clone has seen, the store and the keyring have to agree at least.
    pub(super) fn verify_to_lock(&self, manifest: &Manifest) -> Result<(), VaultError> {
        match self.pins().and_then(|pins| Ok(pins.check_store(manifest)?)) {
            Err(VaultError::Pin(
                PinError::Line(_)
                | PinError::Read(_)
                | PinError::Substituted { .. }
                | PinError::RolledBack { .. },
            )) => {}
            checked => checked?,
        }
        self.is_genuine_to_the_keyring(manifest)
    }

    /// Whether it can be read what this clone has seen of the store.
    ///
    /// # Errors
    ///
    /// [`VaultError::Pin`].
    pub fn remembers(&self) -> Result<(), VaultError> {
        self.pins().map(drop)
    }

    /// Whether a description of the store, which may be that of another work
    /// tree, is or was this store's.
    pub(super) fn is_genuine(&self, manifest: &Manifest) -> Result<(), VaultError> {
        self.pins()?.check_store(manifest)?;
        self.is_genuine_to_the_keyring(manifest)
    }

    fn is_genuine_to_the_keyring(&self, manifest: &Manifest) -> Result<(), VaultError> {
        let Some(keyring) = self.keyring()? else { return Ok(()) };
        for keys in keyring.zones() {
            let name = keys.zone();
            let distrust = |source| VaultError::Distrust { zone: name.clone(), source };
            if keys.store() != manifest.store {
                return Err(distrust(Distrust::OtherStore));
            }
            let zone = manifest.zones.get(name).ok_or_else(|| distrust(Distrust::Missing))?;
            // Of a key that is not here yet, the pins have had their say; whoever
            // opens the zone next is told the rest.
            if let Some(keys) = keys.at(zone.epoch).filter(|keys| keys.sealing_now().id() == zone.key_id) {
                zone.verify(name, manifest.store, manifest.pki.as_deref(), &keys).map_err(distrust)?;
            }
        }
        Ok(())
    }

    /// Behind a link, the files of the PKI, or of a pattern's folder, are under
    /// paths that no rule names.
    pub(super) fn no_link_to_a_folder(&self) -> Result<(), VaultError> {
        let folders = self.rules.patterns().iter().filter_map(|(pattern, _)| pattern.folder());
        for folder in self.manifest.pki.iter().map(String::as_str).chain(folders) {
            let mut place = self.work_tree().to_owned();
            let mut path = String::new();
            for part in folder.split('/').filter(|part| !part.is_empty()) {
                place.push(part);
                path.push_str(if path.is_empty() { "" } else { "/" });
                path.push_str(part);
                if inspect(&place)?.is_some_and(|metadata| metadata.is_symlink()) {
                    return Err(VaultError::Symlink { path });
                }
            }
        }
        // Folders that wildcards name: those that are links to git.
        let links = self.repository.index_entries()?.into_iter().filter(IndexEntry::is_link);
        for IndexEntry { path, .. } in links {
            if self.rules.zone_behind(&path).is_some() {
                return Err(VaultError::Symlink { path: String::from_utf8_lossy(&path).into_owned() });
            }
        }
        Ok(())
    }

    /// The secret files that `changes` write to a PKI which is not the store's,
    /// and that no zone keeps where they would lie: relative to the top.
    #[must_use]
    pub fn left_open(&self, pki: &Path, changes: &ChangeSet) -> Vec<String> {
        let paths = sealer::secret_paths(changes).into_iter();
        let paths = paths.filter_map(|path| self.path_in_repository(&pki.join(path)));
        paths.filter(|path| !matches!(self.rules.protection(path.as_bytes()), Protection::Zone(_))).collect()
    }

    /// The zones of a manifest whose description was written with the keys of
    /// this run, or with those of the keyring.
    pub(super) fn verified(&self, manifest: &Manifest, keys: Option<&Keys>) -> BTreeSet<ZoneName> {
        verified(manifest, keys, self.keyring().ok().flatten().as_ref())
    }

    /// The rules that will hold when the store says what `after` does and the
    /// patterns `taken` are forgotten here.
    pub(super) fn rules_after(&self, after: &Manifest, taken: &[Pattern]) -> Result<Rules, VaultError> {
        let mut pins = self.pins()?;
        pins.forget_patterns(taken, after);
        Ok(pins.rules(after))
    }

    /// What is protected here for the sole reason that this clone has seen it so,
    /// and the zone's present description, verified with `keys`, says otherwise.
    ///
    /// # Errors
    ///
    /// The pins cannot be read.
    pub fn only_here(&self, keys: &Keys) -> Result<OnlyHere, VaultError> {
        let (pins, verified) = (self.pins()?, self.verified(&self.manifest, Some(keys)));
        let described = |lost: &Pattern| {
            verified
                .iter()
                .any(|zone| self.manifest.zones.get(zone).is_some_and(|zone| zone.patterns.contains(lost)))
        };
        let lost = verified.iter().flat_map(|zone| pins.lost(zone, &self.manifest));
        let patterns = lost.filter(|lost| !described(lost)).cloned().collect();
        let zones = pins.sealed_here(&self.manifest).filter(|zone| verified.contains(*zone));
        Ok(OnlyHere { patterns, zones: zones.cloned().collect() })
    }

    /// Somebody here says that patterns which the store does not have any more
    /// are to be forgotten, and that zones may be as they are described. The one
    /// way in which anything that was seen protected is so no longer. Gives the
    /// patterns that were known.
    ///
    /// # Errors
    ///
    /// As [`Vault::verify`]; what this clone knows, or git is told, cannot be written.
    pub fn loosen(&mut self, patterns: &[Pattern], zones: &[ZoneName]) -> Result<Vec<Pattern>, VaultError> {
        self.verify()?;
        let forgotten = {
            let _lock = RepositoryLock::acquire(&self.repository)?;
            let mut pins = self.pins()?;
            let forgotten = pins.forget_patterns(patterns, &self.manifest);
            zones.iter().for_each(|zone| pins.let_open(zone));
            pins.write(&self.repository.state().join("pins"))?;
            self.rules = pins.rules(&self.manifest);
            forgotten
        };
        if driver::is_installed(&self.repository)? {
            driver::tell_attributes(&self.repository, &self.rules)?;
        }
        Ok(forgotten)
    }

    /// The sealed zones that `unlock` has to open all the same: nothing else
    /// would tell whether the rules are genuine. They have lost a pattern, or are
    /// not described as they were, or their keys are in the keyring; or there is no zone but sealed ones.
    ///
    /// # Errors
    ///
    /// The pins or the keyring cannot be read.
    pub fn doubtful(&self) -> Result<Vec<ZoneName>, VaultError> {
        let (pins, keyring) = (self.pins()?, self.keyring()?.unwrap_or_default());
        let zones = &self.manifest.zones;
        let sealed = |name: &ZoneName| pins.mode(name, &self.manifest) == Some(Mode::Sealed);
        let all = zones.keys().all(sealed);
        let doubtful = zones.iter().filter(|(name, _)| {
            let changed = keyring.zone(name).is_some()
                || pins.lost(name, &self.manifest).next().is_some()
                || pins.sealed_here(&self.manifest).any(|zone| zone == *name)
                || pins.standing(name, &self.manifest) == Standing::Earlier;
            sealed(name) && (all || changed)
        });
        Ok(doubtful.map(|(name, _)| name.clone()).collect())
    }

    /// Opens zones that nobody has to be a member of, to verify them.
    pub(super) fn settle(
        &self,
        zones: &[ZoneName],
        keys: &mut Keys,
        prompt: &mut dyn Prompt,
    ) -> Result<(), VaultError> {
        for zone in zones {
            match self.zone_keys(zone, keys, prompt) {
                Err(error) if !is_closed(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Other zones whose patterns take a file away from one of `zones`: while
    /// they are not verified, it may be that a stranger wrote them, so that the
    /// file keeps a key that somebody is to lose.
    ///
    /// # Errors
    ///
    /// git cannot be read.
    pub fn contested(&self, zones: &[ZoneName]) -> Result<Vec<ZoneName>, VaultError> {
        let patterns = self.rules.patterns();
        let own: Vec<_> = patterns.iter().filter(|(_, zone)| zones.contains(zone)).cloned().collect();
        if own.len() == patterns.len() {
            return Ok(Vec::new());
        }
        let own = Rules::new(self.rules.pki(), own);
        let mut paths: BTreeSet<_> = super::past::paths(&self.repository)?;
        paths.extend(self.repository.index_entries()?.into_iter().map(|entry| entry.path));
        let mut contested = BTreeSet::new();
        for path in paths {
            let Protection::Zone(without) = own.protection(&path) else { continue };
            match self.rules.protection(&path) {
                Protection::Zone(zone) if zone != without && zones.contains(without) => {
                    contested.insert(zone.clone());
                }
                _ => {}
            }
        }
        Ok(contested.into_iter().filter(|zone| !zones.contains(zone)).collect())
    }

    /// Whoever can push can write a zone of his own and wrap its key for
    /// everybody: so the keys that opened have to be those that are expected.
    pub(super) fn trust(&self, keys: &ZoneKeys) -> Result<(), VaultError> {
        self.trust_by(keys, &self.pins()?)
    }

    /// As [`Vault::trust`], by other pins than those that are written down.
    pub(super) fn trust_by(&self, keys: &ZoneKeys, pins: &Pins) -> Result<(), VaultError> {
        let name = keys.zone();
        let zone = self.zone(name)?;
        zone.verify(name, self.manifest.store, self.manifest.pki.as_deref(), keys)
            .map_err(|source| VaultError::Distrust { zone: name.clone(), source })?;
        pins.check(keys)?;
        if pins.knows(name) {
            return Ok(());
        }
        // Never seen before: then at least every file that is sealed has to fit.
        let mut foreign = Vec::new();
        for entry in self.repository.index_entries()? {
            if self.rules.protection(&entry.path) != Protection::Zone(name) || !entry.is_file() {
                continue;
            }
            let Some(blob) = self.repository.blob_if_here(entry.oid)? else { continue };
            // One that was altered names its key all the same.
            if seal::is_sealed(&blob) && matches!(keys.open(&blob), Err(SealError::OtherKey { .. })) {
                foreign.push(String::from_utf8_lossy(&entry.path).into_owned());
            }
        }
        if foreign.is_empty() {
            Ok(())
        } else {
            Err(VaultError::DoesNotOpen { zone: name.clone(), paths: foreign })
        }
    }

    /// What a zone's files are in an unlocked work tree, by its description and
    /// what this clone has seen of it.
    ///
    /// # Errors
    ///
    /// The pins cannot be read.
    pub fn mode(&self, zone: &ZoneName) -> Result<Option<Mode>, VaultError> {
        Ok(self.pins()?.mode(zone, &self.manifest))
    }

    /// The zones whose description is earlier than the one that this clone has
    /// verified last, or another one of the same revision.
    ///
    /// # Errors
    ///
    /// The pins cannot be read.
    pub fn earlier(&self) -> Result<Vec<ZoneName>, VaultError> {
        Ok(self.pins()?.earlier(&self.manifest).cloned().collect())
    }

    /// As [`Manifest::certify`], later than everything that this clone has seen.
    /// On top of an earlier description, what was lost by it comes back, but for
    /// what is `taken` away. What says the same stays as it is.
    pub(super) fn certify(
        &self,
        after: &mut Manifest,
        zone: &ZoneName,
        keys: &ZoneKeys,
        taken: Taken<'_>,
    ) -> Result<(), VaultError> {
        let pins = self.pins()?;
        let earlier = pins.standing(zone, &self.manifest) == Standing::Earlier;
        if !earlier && keys.current() == self.zone(zone)?.epoch {
            let (store, pki) = (self.manifest.store, self.manifest.pki.as_deref());
            let digest = |manifest: &Manifest| Some(manifest.zones.get(zone)?.digest(zone, store, pki));
            if digest(after) == digest(&self.manifest) {
                return Ok(());
            }
        }
        if let Some(described) = after.zones.get_mut(zone) {
            described.revision = described.revision.max(pins.revision(zone, described.epoch));
            if earlier {
                let lost = pins.lost(zone, &self.manifest);
                let lost =
                    lost.filter(|lost| !matches!(taken, Taken::Patterns(taken) if taken.contains(lost)));
                let lost: Vec<_> = lost.filter(|lost| !described.patterns.contains(lost)).cloned().collect();
                described.patterns.extend(lost);
                if let Some(mode) = pins.mode(zone, &self.manifest).filter(|_| !matches!(taken, Taken::Mode))
                {
                    described.mode = mode;
                }
            }
        }
        Ok(after.certify(zone, keys)?)
    }

    pub(crate) fn pins(&self) -> Result<Pins, VaultError> {
        Ok(Pins::read(&self.repository.state().join("pins"))?)
    }

    /// Remembers that epochs are about to begin here: a run that is killed after
    /// its commit has begun them all the same.
    pub(super) fn pin_begun(&self, begun: &[ZoneKeys]) -> Result<(), VaultError> {
        let _lock = RepositoryLock::acquire(&self.repository)?;
        let mut pins = self.pins()?;
        for keys in begun {
            pins.remember_begun(keys, None);
        }
        Ok(pins.write(&self.repository.state().join("pins"))?)
    }

    /// Remembers what was seen, so that nobody can put other keys in its place,
    /// and the rules that `verified` zones have.
    /// `begun` is the commit in which this clone began their present epochs.
    pub(super) fn pin(
        &self,
        seen: &[ZoneKeys],
        verified: &BTreeSet<ZoneName>,
        begun: Option<&str>,
    ) -> Result<(), VaultError> {
        let updated = || {
            let before = self.pins()?;
            let mut after = before.clone();
            after.remember_first(&self.manifest);
            for keys in seen {
                after.remember(keys);
                after.remember_members(keys, &self.manifest);
                begun.into_iter().for_each(|commit| after.remember_begun(keys, Some(commit)));
            }
            after.remember_rules(&self.manifest, verified);
            Ok::<_, VaultError>((after != before).then_some(after))
        };
        if updated()?.is_none() {
            return Ok(());
        }
        // Again, for two that write at once would lose what one of them has seen.
        let _lock = RepositoryLock::acquire(&self.repository)?;
        match updated()? {
            Some(pins) => Ok(pins.write(&self.repository.state().join("pins"))?),
            None => Ok(()),
        }
    }
}

/// See [`Vault::verified`].
fn verified(manifest: &Manifest, keys: Option<&Keys>, keyring: Option<&Keyring>) -> BTreeSet<ZoneName> {
    let found = manifest.zones.iter().filter(|(name, zone)| {
        let own = keys.and_then(|keys| keys.zones.get(*name));
        let kept = keyring.and_then(|keyring| keyring.zone(name));
        own.into_iter()
            .chain(kept)
            .filter_map(|keys| keys.at(zone.epoch))
            .any(|keys| zone.verify(name, manifest.store, manifest.pki.as_deref(), &keys).is_ok())
    });
    found.map(|(name, _)| name.clone()).collect()
}

/// Whether a zone cannot be opened for want of a key, and nothing speaks against it.
pub(super) fn is_closed(error: &VaultError) -> bool {
    matches!(
        error,
        VaultError::Identity { source: IdentityError::NoneFits { .. }, .. }
            | VaultError::NobodyCanOpen { .. }
    )
}
