// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rule A, and rule B where A does not hold: from what a blob is and where it
//! stands to what is wrong.

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
};

use super::{
    Breach, Guard, GuardError, Hit, Place, Report, Shrunk, Unsealed,
    allow::AllowList,
    change::{Change, Changed},
    look::{Content, Looked, Looks},
    policy::Policy,
};
use crate::{
    git::{Oid, TreeEntry},
    seal::KeyId,
    zone::ZoneName,
};

const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

/// One check, from its beginning to its report.
#[derive(Debug)]
pub(super) struct Judge<'g> {
    guard: &'g Guard,
    pub(super) allowed: AllowList,
    /// What the commit under judgement lets through itself.
    pub(super) allowed_here: AllowList,
    /// The rules that hold whatever is pushed.
    pub(super) standing: Vec<std::sync::Arc<Policy>>,
    /// The rules of the references that the commits under judgement lead to.
    pub(super) ends: Vec<std::sync::Arc<Policy>>,
    /// Rules that a commit has taken something from which every end has again.
    returned: Vec<std::sync::Arc<Policy>>,
    /// Whether rules may shrink although no key at hand vouches for it.
    pub(super) may_shrink: bool,
    /// Whether a file can say itself that a key in it is allowed.
    pub(super) markers_count: bool,
    /// Whether bytes of git-crypt pass where no key tells whose they are.
    pub(super) git_crypt_passes: bool,
    /// The sealed file that a blob is.
    pub(super) originals: HashMap<Oid, Vec<u8>>,
    older: OnceCell<HashSet<KeyId>>,
    pub(super) report: Report,
}

impl<'g> Judge<'g> {
    pub(super) fn new(guard: &'g Guard, allowed: AllowList) -> Self {
        Self {
            guard,
            allowed,
            allowed_here: AllowList::default(),
            standing: Vec::new(),
            ends: Vec::new(),
            returned: Vec::new(),
            may_shrink: false,
            markers_count: true,
            git_crypt_passes: false,
            originals: HashMap::new(),
            older: OnceCell::new(),
            report: Report::default(),
        }
    }

    /// Counts what was looked at.
    pub(super) fn count(&mut self, looked: &Looks) {
        self.report.blobs += looked.count;
        self.report.bytes += looked.bytes;
    }

    /// Judges every entry of a change.
    pub(super) fn change(&mut self, change: &Change, looked: &Looks) -> Result<(), GuardError> {
        let before = self.report.hits.len();
        for changed in &change.entries {
            self.entry(change, changed, looked.find(changed.entry.oid))?;
        }
        let shrunk = |hit: &Hit| matches!(hit.breach, Breach::Shrunk(Shrunk::Rules { .. }));
        let shown = self.report.hits.iter().skip(before).any(shrunk);
        if !shown && let [Some(parent), others @ ..] = change.before.as_slice() {
            // A merge that has the rules of one side takes nothing away by itself.
            let merged =
                others.iter().any(|other| super::change::same(other.as_deref(), change.now.as_deref()));
            if !merged && self.rules(change.commit, parent, change.now.as_deref()) {
                self.returned.push(parent.clone());
            }
        }
        Ok(())
    }

    /// Tells what `before` protects and `now` does not, unless it may. Whether some of that was passed
    /// over because every end has it again.
    pub(super) fn rules(&mut self, commit: Option<Oid>, before: &Policy, now: Option<&Policy>) -> bool {
        let mut comes_back = false;
        for (path, zones) in before.missing_in(now) {
            if zones.iter().all(|zone| self.may_lose(&[before], now, zone)) {
                continue;
            }
            if self.every_end_has(&path) {
                comes_back = true;
                continue;
            }
            let place = Place {
                commit: commit.map(|commit| commit.to_string()),
                path: b".certkeep/store.toml".to_vec(),
                blob: String::new(),
            };
            self.report.hits.push(Hit { place, breach: Breach::Shrunk(Shrunk::Rules { path }) });
        }
        comes_back
    }

    /// Whether what the others will work with protects a pattern, or a PKI folder: a commit on the way
    /// there, which a rebase may have left without it, takes nothing away.
    fn every_end_has(&self, name: &[u8]) -> bool {
        !self.ends.is_empty() && self.ends.iter().all(|end| end.has(name))
    }

    /// Whether bytes would go out in the clear where they were protected before and will be again.
    fn slips_through(&self, entry: &TreeEntry, looked: Option<&Looked>) -> bool {
        let closed = |looked: &Looked| {
            matches!(looked.content, Content::Empty | Content::Authentic | Content::Sealed(_))
        };
        !looked.is_some_and(closed)
            && self.returned.iter().any(|policy| policy.zone(&entry.path).is_some())
            && self.ends.iter().any(|end| end.zone(&entry.path).is_some())
    }

    pub(super) fn may_lose(&self, before: &[&Policy], now: Option<&Policy>, zone: &ZoneName) -> bool {
        let (keyring, pins) = (self.guard.keyring.as_ref(), &self.guard.pins);
        self.may_shrink
            || now.is_some_and(|now| {
                let later =
                    before.iter().all(|before| now.is_same(zone, before) || now.is_later(zone, before));
                later && now.is_vouched_for(zone, keyring, pins, &self.ends)
            })
    }

    fn entry(
        &mut self,
        change: &Change,
        Changed { entry, kept, opened }: &Changed,
        looked: Option<&Looked>,
    ) -> Result<(), GuardError> {
        let hit = |breach| Hit { place: place(change.commit, entry), breach };
        let findings = || looked.map(|looked| looked.findings.clone()).unwrap_or_default();
        let now = change.now.as_deref();
        if let Some(zone) = change.zone(&entry.path) {
            if let Some(what) = self.unsealed(change, entry, *kept, looked)? {
                let breach = Breach::Unsealed { zone: zone.clone(), what, findings: findings() };
                self.report.hits.push(hit(breach));
            }
            return Ok(());
        }
        let irregular = irregular(entry.mode);
        if let (Some(what), Some(zone)) = (irregular, now.and_then(|policy| policy.zone_behind(&entry.path)))
        {
            let breach = Breach::Unsealed { zone: zone.clone(), what, findings: Vec::new() };
            self.report.hits.push(hit(breach));
        }
        let standing = self.standing.iter().find_map(|policy| policy.zone(&entry.path));
        let lost = change.protected_before(&entry.path).or(standing).cloned();
        let before: Vec<&Policy> = change.before.iter().flatten().map(AsRef::as_ref).collect();
        let lost_here = self.report.hits.len();
        let is_lost = lost.is_some_and(|zone| !self.may_lose(&before, now, &zone))
            && !matches!(looked.map(|looked| looked.content), Some(Content::Empty));
        if is_lost || self.slips_through(entry, looked) {
            self.report.hits.push(hit(Breach::Shrunk(Shrunk::Rules { path: entry.path.clone() })));
        }
        let Some(looked) = looked else { return Ok(()) };
        if looked.content == Content::Plaintext
            && irregular.is_none()
            && let Some(zone) = now.and_then(|policy| policy.zone_by_case(&entry.path))
        {
            let what = Unsealed::CaseVariant;
            self.report.hits.push(hit(Breach::Unsealed { zone: zone.clone(), what, findings: findings() }));
            return Ok(());
        }
        if *opened && !self.may_shrink && self.report.hits.len() == lost_here {
            let hit = hit(Breach::Opened { findings: findings() });
            match self.listed(&hit.place) {
                Some(reason) => self.report.allowed.push((hit, reason)),
                None => self.report.hits.push(hit),
            }
            return Ok(());
        }
        // At the same path that is a matter of the rules.
        let from = looked.copy_of.and_then(|original| self.originals.get(&original));
        if let Some(from) = from.filter(|from| **from != entry.path) {
            // Whether there is a key in it too, the sealed file's owner knows.
            self.report.hits.push(hit(Breach::Copied { from: from.clone(), findings: findings() }));
            return Ok(());
        }
        // Those that stood there before stand under no less protection.
        if !kept {
            self.material(place(change.commit, entry), &looked.findings);
        }
        Ok(())
    }

    /// Rule B alone.
    pub(super) fn material(&mut self, place: Place, findings: &[certkeep_guard::Finding]) {
        for finding in findings {
            let marked = || finding.allowed.as_deref().filter(|_| self.markers_count).map(str::to_owned);
            let reason = self.listed(&place).or_else(marked);
            let hit = Hit { place: place.clone(), breach: Breach::Material(finding.clone()) };
            match reason {
                Some(reason) => self.report.allowed.push((hit, reason)),
                None => self.report.hits.push(hit),
            }
        }
    }

    /// The reason that an allow-list has for a blob at its path.
    pub(super) fn listed(&self, place: &Place) -> Option<String> {
        let lists = [&self.allowed, &self.allowed_here];
        lists.iter().find_map(|list| list.reason(&place.blob, &place.path)).map(str::to_owned)
    }

    fn unsealed(
        &self,
        change: &Change,
        entry: &TreeEntry,
        kept: bool,
        looked: Option<&Looked>,
    ) -> Result<Option<Unsealed>, GuardError> {
        if let Some(irregular) = irregular(entry.mode) {
            return Ok(Some(irregular));
        }
        Ok(match looked.map(|looked| looked.content) {
            // Nobody looked: then nobody can say that it is sealed.
            None | Some(Content::Plaintext) => Some(Unsealed::Plaintext),
            Some(Content::Empty | Content::Authentic) => None,
            Some(Content::Sealed(id)) => (!self.knows(change, id)?).then_some(Unsealed::ForeignKey),
            Some(Content::Altered) => Some(Unsealed::Altered),
            Some(Content::GitCrypt) if kept || self.git_crypt_passes => None,
            Some(Content::GitCrypt | Content::OtherTool) => Some(Unsealed::OtherTool),
        })
    }

    /// Whether a key is one of this store's, of the present epochs or of older ones.
    fn knows(&self, change: &Change, id: KeyId) -> Result<bool, GuardError> {
        let before = change.before.iter().chain([&change.now]).flatten().chain(&self.standing);
        if before.flat_map(|policy| policy.key_ids()).any(|known| known == id) {
            return Ok(true);
        }
        let older = match self.older.get() {
            Some(older) => older,
            None => {
                let found = self.guard.older_keys()?;
                self.older.get_or_init(|| found)
            }
        };
        Ok(older.contains(&id))
    }
}

/// Where an entry stands.
pub(super) fn place(commit: Option<Oid>, entry: &TreeEntry) -> Place {
    Place {
        commit: commit.map(|commit| commit.to_string()),
        path: entry.path.clone(),
        blob: entry.oid.to_string(),
    }
}

/// What is no file, if an entry is none.
pub(super) fn irregular(mode: u32) -> Option<Unsealed> {
    match mode {
        LINK => Some(Unsealed::Symlink),
        SUBMODULE => Some(Unsealed::Submodule),
        _ => None,
    }
}

/// Whether an entry has bytes in a blob.
pub(super) fn has_blob(entry: &TreeEntry) -> bool {
    entry.mode != SUBMODULE
}
