// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every row of the table of decisions.

use std::collections::BTreeMap;

use rand_core::{OsRng, TryRngCore as _};

use super::*;
use crate::{
    git_crypt::LegacyKey,
    manifest::Zone,
    seal::{MAGIC, Padding, StoreId},
    zone_keys::ZoneKeys,
};

struct Held(BTreeMap<&'static [u8], Vec<u8>>);

impl Kept for Held {
    fn is(&self, path: &[u8], bytes: &[u8]) -> bool {
        self.0.get(path).is_some_and(|held| held == bytes)
    }

    fn read(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.0.get(path).cloned()
    }

    fn was_protected(&self, path: &[u8]) -> bool {
        path.starts_with(b"pki/")
    }
}

struct World {
    manifest: Manifest,
    keys: ZoneKeys,
    keyring: Keyring,
    pins: Pins,
    held: Held,
}

const KEY: &[u8] = b"pki/private/web1.key";
const CA: &[u8] = b"pki/private/ca.key";
const TEXT: &[u8] = b"-----BEGIN PRIVATE KEY-----";

impl World {
    fn new() -> Self {
        let mut rng = OsRng.unwrap_err();
        let zone = |name: &str| ZoneName::parse(name).expect("valid");
        let keys = ZoneKeys::generate(StoreId::generate(&mut rng), zone("keys"), &mut rng);
        let mut zones = BTreeMap::new();
        for name in ["ca", "keys", "reqs"] {
            let zone = zone(name);
            zones.insert(zone.clone(), Zone::new(zone.default_mode(), zone.default_padding()));
        }
        let mut manifest =
            Manifest { store: keys.store(), pki: Some("pki".to_owned()), members: BTreeMap::new(), zones };
        manifest.certify(&zone("keys"), &keys).expect("certified");
        let mut keyring = Keyring::new();
        keyring.insert(keys.clone(), Padding::Bucket(4096));
        Self { manifest, keys, keyring, pins: Pins::default(), held: Held(BTreeMap::new()) }
    }

    fn rotate(&mut self) {
        let mut rng = OsRng.unwrap_err();
        self.keys = self.keys.rotated(&mut rng).expect("another");
        let zone = self.keys.zone().clone();
        self.manifest.certify(&zone, &self.keys).expect("certified");
    }

    fn sealed(&self) -> Vec<u8> {
        self.keys.sealing_now().seal(TEXT, Padding::Bucket(4096))
    }

    fn with<T>(&self, keyring: Option<&Keyring>, act: impl FnOnce(&Filter<'_>) -> T) -> T {
        act(&Filter::new(Ok(Some(self.manifest.clone())), keyring, &self.pins, &self.held))
    }

    fn clean(&self, path: &[u8], bytes: &[u8]) -> Result<Vec<u8>, FilterError> {
        self.with(Some(&self.keyring), |filter| clean(filter, path, bytes))
    }

    fn clean_locked(&self, path: &[u8], bytes: &[u8]) -> Result<Vec<u8>, FilterError> {
        self.with(None, |filter| clean(filter, path, bytes))
    }

    fn smudge(&self, path: &[u8], bytes: &[u8]) -> Result<Vec<u8>, FilterError> {
        self.with(Some(&self.keyring), |filter| smudge(filter, path, bytes))
    }

    fn smudge_locked(&self, path: &[u8], bytes: &[u8]) -> Result<Vec<u8>, FilterError> {
        self.with(None, |filter| smudge(filter, path, bytes))
    }
}

fn clean(filter: &Filter<'_>, path: &[u8], bytes: &[u8]) -> Result<Vec<u8>, FilterError> {
    Ok(filter.clean(path, SecretBytes::new(bytes.to_vec()))?.expose().to_vec())
}

fn smudge(filter: &Filter<'_>, path: &[u8], bytes: &[u8]) -> Result<Vec<u8>, FilterError> {
    Ok(filter.smudge(path, SecretBytes::new(bytes.to_vec()))?.expose().to_vec())
}

fn altered(mut bytes: Vec<u8>) -> Vec<u8> {
    *bytes.last_mut().expect("not empty") ^= 1;
    bytes
}

#[test]
fn plaintext_is_sealed_and_opened_again() {
    let world = World::new();
    assert_eq!(world.clean(KEY, TEXT), Ok(world.sealed()));
    assert_eq!(world.smudge(KEY, &world.sealed()), Ok(TEXT.to_vec()));
    assert_eq!(world.clean(KEY, b""), Ok(Vec::new()));
    assert_eq!(world.clean_locked(KEY, b""), Ok(Vec::new()));
    assert_eq!(world.smudge(KEY, b""), Ok(Vec::new()));
    assert_eq!(world.clean(b"pki/ca.crt", TEXT), Ok(TEXT.to_vec()));
    assert_eq!(world.smudge(KEY, TEXT), Ok(TEXT.to_vec()));
}

#[test]
fn what_is_locked_stays_ciphertext_and_takes_no_plaintext() {
    let world = World::new();
    assert_eq!(world.smudge_locked(KEY, &world.sealed()), Ok(world.sealed()));
    assert_eq!(world.clean_locked(KEY, &world.sealed()), Ok(world.sealed()));
    let error = world.clean_locked(KEY, TEXT).expect_err("locked");
    assert_eq!(error.to_string(), "pki/private/web1.key is not sealed, and its zone `keys` is locked");
    assert!(matches!(world.clean(b"pki/reqs/a.req", TEXT), Err(FilterError::Locked { .. })));
    for result in [world.clean(CA, TEXT), world.clean_locked(CA, TEXT)] {
        assert!(matches!(result, Err(FilterError::SealedZone { .. })));
    }
    let mut newer = world.sealed();
    *newer.get_mut(8).expect("a version") = 2;
    assert_eq!(world.clean_locked(KEY, &newer), Ok(newer.clone()));
    assert_eq!(world.smudge_locked(KEY, &newer), Ok(newer.clone()));
    assert!(world.clean(KEY, &newer).expect_err("newer").to_string().contains("format version 2"));
    assert!(world.smudge(KEY, &newer).is_err());
}

#[test]
fn what_no_rule_names_is_taken_sealed_only() {
    let mut world = World::new();
    assert!(matches!(world.clean(b"elsewhere", TEXT), Err(FilterError::Unnamed { .. })));
    assert_eq!(world.clean(b"elsewhere", &world.sealed()), Ok(world.sealed()));
    assert_eq!(world.clean(b"elsewhere", b""), Ok(Vec::new()));
    // A copy of a key is not opened where it could be served.
    assert_eq!(world.smudge(b"elsewhere", &world.sealed()), Ok(world.sealed()));
    assert_eq!(world.smudge(b"pki/reqs/a.req", &world.sealed()), Ok(world.sealed()));
    let keyring = Some(&world.keyring);
    let nowhere = Filter::new(Ok(None), keyring, &world.pins, &world.held);
    assert!(matches!(clean(&nowhere, KEY, TEXT), Err(FilterError::NoStore { .. })));
    assert_eq!(smudge(&nowhere, KEY, &world.sealed()), Ok(world.sealed()));
    assert!(!nowhere.has_store());
    let error = ManifestError { path: "store.toml".to_owned(), what: "is missing".to_owned() };
    let unreadable = Filter::new(Err(error), keyring, &world.pins, &world.held);
    assert!(matches!(clean(&unreadable, KEY, TEXT), Err(FilterError::Manifest { .. })));
    assert_eq!(clean(&unreadable, KEY, &world.sealed()), Ok(world.sealed()));
    world.held.0.insert(b"elsewhere", TEXT.to_vec());
    assert_eq!(world.clean(b"elsewhere", TEXT), Ok(TEXT.to_vec()));
}

#[test]
fn altered_files_are_refused_where_the_key_is_known() {
    let world = World::new();
    let bytes = altered(world.sealed());
    for result in [world.clean(KEY, &bytes), world.smudge(KEY, &bytes)] {
        let text = result.expect_err("altered").to_string();
        let id = world.keys.sealing_now().id();
        assert_eq!(
            text,
            format!("pki/private/web1.key cannot be opened with the key {id}: altered since it was sealed")
        );
    }
    assert_eq!(world.clean_locked(KEY, &bytes), Ok(bytes.clone()));
    assert!(world.clean_locked(KEY, MAGIC).is_err());
    assert_eq!(world.smudge_locked(KEY, &bytes), Ok(bytes));
}

#[test]
fn a_rotation_makes_no_file_differ() {
    let mut world = World::new();
    let old = world.sealed();
    world.held.0.insert(KEY, old.clone());
    world.rotate();
    // Not unlocked since: what was there stays, nothing new is sealed with the old key.
    assert_eq!(world.clean(KEY, TEXT), Ok(old.clone()));
    assert!(matches!(world.clean(KEY, b"new"), Err(FilterError::OtherEpoch { .. })));
    assert_eq!(world.smudge(KEY, &world.sealed()), Ok(world.sealed()));
    world.keyring.insert(world.keys.clone(), Padding::Bucket(4096));
    assert_eq!(world.clean(KEY, TEXT), Ok(old.clone()));
    assert_eq!(world.smudge(KEY, &old), Ok(TEXT.to_vec()));
    world.held.0.clear();
    assert_eq!(world.clean(KEY, TEXT), Ok(world.sealed()));
}

#[test]
fn keys_of_another_store_or_branch_seal_nothing() {
    let mut world = World::new();
    let mut rng = OsRng.unwrap_err();
    let foreign = ZoneKeys::generate(world.keys.store(), world.keys.zone().clone(), &mut rng);
    world.keyring.insert(foreign, Padding::None);
    let refused = world.clean(KEY, TEXT);
    assert!(matches!(refused, Err(FilterError::OtherEpoch { .. })), "{refused:?}");
    let other = ZoneKeys::generate(StoreId::generate(&mut rng), world.keys.zone().clone(), &mut rng);
    world.keyring.insert(other, Padding::None);
    assert!(matches!(world.clean(KEY, TEXT), Err(FilterError::OtherStore { .. })));
    assert_eq!(world.clean(KEY, &world.sealed()), Ok(world.sealed()));
}

/// Whoever can push can write any rules, but no MAC.
#[test]
fn altered_rules_open_nothing_and_let_nothing_through() {
    let world = World::new();
    let (sealed, zone) = (world.sealed(), world.keys.zone().clone());
    let alter: [&dyn Fn(&mut Manifest); 4] = [
        &|manifest| {
            let pattern = crate::zone::Pattern::parse("www/**").expect("valid");
            manifest.zones.get_mut(&zone).expect("there").patterns.push(pattern);
        },
        &|manifest| manifest.pki = Some("elsewhere".to_owned()),
        &|manifest| drop(manifest.zones.remove(&zone)),
        &|manifest| {
            manifest.store = StoreId::generate(&mut OsRng.unwrap_err());
            manifest.pki = Some("elsewhere".to_owned());
            manifest.zones.clear();
        },
    ];
    for (number, alter) in alter.iter().enumerate() {
        let mut altered = World::new();
        altered.manifest = world.manifest.clone();
        alter(&mut altered.manifest);
        altered.keys = world.keys.clone();
        altered.keyring = Keyring::new();
        altered.keyring.insert(world.keys.clone(), Padding::Bucket(4096));
        for path in [&b"www/index.html"[..], KEY] {
            assert_eq!(altered.smudge(path, &sealed), Ok(sealed.clone()), "{number}");
            assert_eq!(altered.clean(path, &sealed), Ok(sealed.clone()), "{number}");
        }
        for path in [&b"elsewhere/vars"[..], b"pki/vars", KEY] {
            let refused = altered.clean(path, TEXT);
            let noticed =
                matches!(refused, Err(FilterError::Untrusted { .. } | FilterError::OtherStore { .. }));
            assert!(noticed, "{number}: {refused:?}");
        }
    }
}

#[test]
fn a_zone_that_was_sealed_meanwhile_is_opened_no_more() {
    let mut world = World::new();
    let zone = world.keys.zone().clone();
    world.manifest.zones.get_mut(&zone).expect("there").mode = Mode::Sealed;
    assert_eq!(world.smudge(KEY, &world.sealed()), Ok(world.sealed()));
}

#[test]
fn files_of_git_crypt_stay_as_they_are() {
    let mut world = World::new();
    // Made by git-crypt 0.7.0: AES key 00..1f, HMAC key 40..7f.
    let blob = crate::seal::from_hex::<38>(
        "00474954435259505400fd695ba731deae2e32b874d48d088134e0eab661dba2f95a0b2816ec",
    );
    let blob = blob.expect("digits").to_vec();
    let key: Vec<u8> = (0..32).chain(0x40..0x80).collect();
    let key = git_crypt::LegacyKey::parse(&SecretBytes::new(key)).expect("a key of before 0.4");
    assert!(matches!(world.clean_locked(KEY, &blob), Err(FilterError::Locked { .. })));
    world.keys.legacy.push(key);
    world.keyring.insert(world.keys.clone(), Padding::None);
    assert_eq!(world.smudge(KEY, &blob), Ok(b"hello git-crypt\n".to_vec()));
    assert_eq!(world.clean(KEY, &blob), Ok(blob.clone()));
    assert_eq!(world.smudge_locked(KEY, &blob), Ok(blob.clone()));
    world.held.0.insert(KEY, blob.clone());
    assert_eq!(world.clean(KEY, b"hello git-crypt\n"), Ok(blob.clone()));
    assert_eq!(world.clean_locked(KEY, &blob), Ok(blob));
}

#[test]
fn a_difference_is_shown_as_far_as_it_can_be() {
    let world = World::new();
    let shown = |keyring, bytes: &[u8]| {
        let shown = textconv(keyring, SecretBytes::new(bytes.to_vec()));
        String::from_utf8(shown.expose().to_vec()).expect("text")
    };
    assert_eq!(shown(Some(&world.keyring), &world.sealed()).as_bytes(), TEXT);
    assert_eq!(shown(Some(&world.keyring), TEXT).as_bytes(), TEXT);
    let id = world.keys.sealing_now().id();
    assert_eq!(shown(None, &world.sealed()), format!("certkeep: sealed, key {id}, 4156 bytes\n"));
    assert_eq!(shown(None, MAGIC), "certkeep: sealed, key unknown, 8 bytes\n");
}

/// Made by git-crypt 0.7.0: AES key 00..1f, HMAC key 40..7f, `hello git-crypt\n`.
const LEGACY: &str = "00474954435259505400fd695ba731deae2e32b874d48d088134e0eab661dba2f95a0b2816ec";

#[test]
fn what_git_crypt_sealed_is_read_where_it_is_protected_or_was() {
    let mut world = World::new();
    let (mut aes, mut hmac) = (String::new(), String::new());
    (0_u8..32).for_each(|byte| aes.push_str(&format!("{byte:02x}")));
    (0x40_u8..0x80).for_each(|byte| hmac.push_str(&format!("{byte:02x}")));
    let key = LegacyKey::from_text(&format!("default {aes} {hmac}")).expect("a key");
    world.keys.legacy.push(key);
    world.keyring.insert(world.keys.clone(), Padding::Bucket(4096));
    let blob = crate::seal::from_hex::<38>(LEGACY).expect("digits");
    let plaintext = b"hello git-crypt\n".to_vec();
    world.held.0.insert(KEY, blob.to_vec());

    assert_eq!(world.smudge(KEY, &blob), Ok(plaintext.clone()));
    assert_eq!(world.clean(KEY, &plaintext), Ok(blob.to_vec()));
    assert_ne!(world.clean(KEY, b"changed"), Ok(b"changed".to_vec()));
    assert_eq!(world.smudge(b"pki/reqs/a.req", &blob), Ok(blob.to_vec()), "another zone's path");
    // A commit from before the store has no rules.
    let before = Filter::new(Ok(None), Some(&world.keyring), &world.pins, &world.held);
    assert_eq!(smudge(&before, KEY, &blob), Ok(plaintext.clone()));
    assert_eq!(smudge(&before, b"elsewhere", &blob), Ok(blob.to_vec()));
    assert_eq!(clean(&before, KEY, &plaintext), Ok(blob.to_vec()));
    assert!(matches!(clean(&before, KEY, b"changed"), Err(FilterError::NoStore { .. })));
    let locked = Filter::new(Ok(None), None, &world.pins, &world.held);
    assert_eq!(smudge(&locked, KEY, &blob), Ok(blob.to_vec()));
}

#[test]
fn an_epoch_before_one_that_was_seen_seals_nothing_new() {
    let mut world = World::new();
    let first = world.sealed();
    world.pins.remember(&world.keys);
    assert_eq!(world.clean(KEY, TEXT), Ok(first.clone()), "the present one seals");
    let newer = world.keys.rotated(&mut OsRng.unwrap_err()).expect("another");
    // A rotation that was interrupted: its key is in the keyring, and was never seen.
    world.keyring.insert(newer.clone(), Padding::Bucket(4096));
    assert_eq!(world.clean(KEY, TEXT), Ok(first.clone()));
    world.pins.remember(&newer);
    let error = world.clean(KEY, TEXT).expect_err("whoever left knows the key");
    assert_eq!(
        error.to_string(),
        "pki/private/web1.key cannot be sealed: zone `keys` is in epoch 1; this clone has seen epoch 2"
    );
    // What git holds already stays, opens, and public files pass.
    world.held.0.insert(KEY, first.clone());
    assert_eq!(world.clean(KEY, TEXT), Ok(first.clone()));
    assert_eq!(world.smudge(KEY, &first), Ok(TEXT.to_vec()));
    assert!(matches!(world.clean(KEY, b"changed"), Err(FilterError::OlderEpoch { .. })));
    assert_eq!(world.clean(b"pki/ca.crt", TEXT), Ok(TEXT.to_vec()));
}
