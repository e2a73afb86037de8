// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file of the pins, read and written.

use std::path::Path;

use certkeep_pki::change::Contents;

use super::{Begun, PinError, Pins, Verified};
use crate::{
    keyring::replace,
    member::MemberName,
    read::read_file,
    seal::{KeyId, StoreId, from_hex, hex},
    zone::{Epoch, Mode, Pattern, ZoneName},
};

const HEADER: &str = "certkeep pins 1";

impl Pins {
    /// Reads what was seen; nothing, where there is no file.
    ///
    /// # Errors
    ///
    /// An unreadable file, or one that this program did not write.
    pub fn read(path: &Path) -> Result<Self, PinError> {
        let mut pins = Self::default();
        let Some(bytes) = read_file(path)? else { return Ok(pins) };
        let text = String::from_utf8(bytes).map_err(|_| PinError::Line(1))?;
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(PinError::Line(1));
        }
        for (number, line) in (2..).zip(lines) {
            if let Some(rule) = line.strip_prefix("rule ") {
                pins.read_rule(rule).ok_or(PinError::Line(number))?;
                continue;
            }
            let mut words = line.split(' ');
            let mut pin = || {
                let store = StoreId::parse(words.next()?)?;
                let zone = ZoneName::parse(words.next()?).ok()?;
                let epoch = Epoch::new(words.next()?.parse().ok()?)?;
                let id = KeyId::parse(words.next()?)?;
                words.next().is_none().then_some(((store, zone, epoch), id))
            };
            let (place, id) = pin().ok_or(PinError::Line(number))?;
            pins.keys.insert(place, id);
        }
        Ok(pins)
    }

    /// A line about a rule, without its first word.
    fn read_rule(&mut self, rule: &str) -> Option<()> {
        match rule.split_once(' ')? {
            ("pki", "-") => self.pki = Some(None),
            ("pki", folder) => self.pki = Some(Some(folder.strip_prefix('=')?.to_owned())),
            ("pattern", rest) => {
                let (zone, pattern) = rest.split_once(' ')?;
                let patterns = self.patterns.entry(ZoneName::parse(zone).ok()?).or_default();
                patterns.push(Pattern::parse(pattern).ok()?);
            }
            ("begun", rest) => {
                let mut words = rest.split(' ');
                let zone = ZoneName::parse(words.next()?).ok()?;
                let epoch = Epoch::new(words.next()?.parse().ok()?)?;
                let key = match words.next()? {
                    // Of a certkeep that noted the commit alone.
                    commit if is_hash(commit) => return Some(()),
                    key => KeyId::parse(key)?,
                };
                let commit = words.next().filter(|commit| is_hash(commit)).map(str::to_owned);
                self.begun.insert((zone, epoch), Begun { key, commit });
            }
            ("discarded", rest) => {
                let (zone, id) = rest.split_once(' ')?;
                self.discarded.insert((ZoneName::parse(zone).ok()?, KeyId::parse(id)?));
            }
            ("offered", rest) => {
                let mut words = rest.splitn(3, ' ');
                let (zone, key) = (ZoneName::parse(words.next()?).ok()?, KeyId::parse(words.next()?)?);
                self.remember_offered(&zone, key, words.next()?);
            }
            ("member", rest) => {
                let mut words = rest.splitn(3, ' ');
                let zone = ZoneName::parse(words.next()?).ok()?;
                let name = MemberName::parse(words.next()?).ok()?;
                self.know_member(&zone, &name, words.next()?);
            }
            ("sealed", zone) => drop(self.sealed.insert(ZoneName::parse(zone).ok()?)),
            (word @ ("verified" | "found"), rest) => {
                let mut words = rest.split(' ');
                let zone = ZoneName::parse(words.next()?).ok()?;
                let (epoch, revision) =
                    (Epoch::new(words.next()?.parse().ok()?)?, words.next()?.parse().ok()?);
                let (mode, digest) = (Mode::parse(words.next()?)?, from_hex(words.next()?)?);
                let verified = Verified { epoch, revision, digest, certain: word == "verified" };
                if mode == Mode::Sealed {
                    self.sealed.insert(zone.clone());
                }
                self.verified.insert(zone, verified);
            }
            _ => return None,
        }
        Some(())
    }

    /// Writes down what was seen, whole or not at all.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn write(&self, path: &Path) -> Result<(), PinError> {
        let mut text = format!("{HEADER}\n");
        for ((store, zone, epoch), id) in &self.keys {
            text.push_str(&format!("{store} {zone} {epoch} {id}\n"));
        }
        match &self.pki {
            Some(Some(folder)) => text.push_str(&format!("rule pki ={folder}\n")),
            Some(None) => text.push_str("rule pki -\n"),
            None => {}
        }
        for (zone, patterns) in &self.patterns {
            for pattern in patterns {
                text.push_str(&format!("rule pattern {zone} {}\n", pattern.as_str()));
            }
        }
        for (zone, verified) in &self.verified {
            let Verified { epoch, revision, digest, certain } = verified;
            let mode = if self.sealed.contains(zone) { Mode::Sealed } else { Mode::Transparent };
            let (mode, digest) = (mode.as_str(), hex(digest));
            let word = if *certain { "verified" } else { "found" };
            text.push_str(&format!("rule {word} {zone} {epoch} {revision} {mode} {digest}\n"));
        }
        for zone in self.sealed.iter().filter(|zone| !self.verified.contains_key(*zone)) {
            text.push_str(&format!("rule sealed {zone}\n"));
        }
        for ((zone, epoch), Begun { key, commit }) in &self.begun {
            let commit = commit.as_deref().unwrap_or("-");
            text.push_str(&format!("rule begun {zone} {epoch} {key} {commit}\n"));
        }
        for ((zone, name), fingerprint) in &self.members {
            text.push_str(&format!("rule member {zone} {name} {fingerprint}\n"));
        }
        for (zone, id, branch) in &self.offered {
            text.push_str(&format!("rule offered {zone} {id} {branch}\n"));
        }
        for (zone, id) in &self.discarded {
            text.push_str(&format!("rule discarded {zone} {id}\n"));
        }
        Ok(replace(path, &Contents::from(text))?)
    }
}

fn is_hash(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use certkeep_pki::secret::SecretBytes;
    use rand_core::{OsRng, TryRngCore as _};

    use super::*;
    use crate::zone_keys::ZoneKeys;

    #[test]
    fn other_keys_and_earlier_epochs_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("certkeep/pins");
        let mut rng = OsRng.unwrap_err();
        let store = StoreId::generate(&mut rng);
        let mut fresh =
            |store, zone| ZoneKeys::generate(store, ZoneName::parse(zone).expect("valid"), &mut rng);
        let (first, forged, reqs) = (fresh(store, "keys"), fresh(store, "keys"), fresh(store, "reqs"));
        let (other, again) = (StoreId::parse(&"02".repeat(16)).expect("digits"), fresh(store, "keys"));
        let elsewhere = fresh(other, "reqs");
        let mut rotated = |keys: &ZoneKeys| keys.rotated(&mut rng).expect("another");
        let second = rotated(&first);
        let third = rotated(&second);

        let mut pins = Pins::read(&path).expect("nothing there");
        pins.remember(&second);
        pins.write(&path).expect("written");

        let pins = Pins::read(&path).expect("readable");
        for fine in [&second, &third] {
            assert!(pins.check(fine).is_ok(), "{fine:?}");
        }
        assert!(matches!(pins.check(&reqs), Err(PinError::NewZone { .. })));
        assert!(matches!(pins.check(&first), Err(PinError::RolledBack { .. })));
        // A key that certifies itself: the epochs before are its own as well.
        let forged = rotated(&forged);
        let forged = rotated(&forged);
        assert!(matches!(pins.check(&forged), Err(PinError::Substituted { epoch: Epoch::FIRST, .. })));
        assert!(matches!(pins.check(&rotated(&first)), Err(PinError::Substituted { .. })));
        assert!(matches!(pins.check(&elsewhere), Err(PinError::OtherStore { .. })));
        // The same without the first epoch.
        let payload = String::from_utf8(rotated(&again).to_payload().expose().to_vec()).expect("text");
        let without: Vec<_> = payload.lines().filter(|line| !line.starts_with("epoch 1 ")).collect();
        let mut seen_first = Pins::default();
        seen_first.remember(&first);
        let without = SecretBytes::new(without.join("\n").into_bytes());
        let without = ZoneKeys::parse(&without).expect("keys");
        assert!(matches!(seen_first.check(&without), Err(PinError::Dropped { .. })));

        for text in [
            "",
            "certkeep pins 2\n",
            "certkeep pins 1\nx\n",
            "certkeep pins 1\nrule pki x\n",
            "certkeep pins 1\nrule pattern keys **\n",
            "certkeep pins 1\nrule verified keys 1 1 open 00\n",
            "certkeep pins 1\nrule discarded keys x\n",
            "certkeep pins 1\nrule member keys bob\n",
            "certkeep pins 1\nrule other -\n",
        ] {
            fs::write(&path, text).expect("written");
            assert!(Pins::read(&path).is_err(), "{text}");
        }
    }
}
