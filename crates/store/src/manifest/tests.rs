// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the files of a store say, and what somebody without a key can change of it.

use rand_core::{OsRng, TryRngCore as _};

use super::*;

fn name(text: &str) -> MemberName {
    MemberName::parse(text).expect("valid")
}

fn keys_zone() -> ZoneName {
    ZoneName::parse("keys").expect("valid")
}

fn store() -> (Manifest, ZoneKeys) {
    let mut rng = OsRng.unwrap_err();
    let zone = keys_zone();
    let keys = ZoneKeys::generate(StoreId::generate(&mut rng), zone.clone(), &mut rng);
    let alice = Member { kind: Kind::Age, key: "age1x".to_owned(), fingerprint: "age1x".to_owned() };
    let bob = Member { kind: Kind::OpenPgp, key: "armor\n".to_owned(), fingerprint: "AB".to_owned() };
    let mut manifest = Manifest {
        store: keys.store(),
        pki: Some("pki".to_owned()),
        members: BTreeMap::from([(name("alice"), alice), (name("bob"), bob)]),
        zones: BTreeMap::from([(zone.clone(), Zone::new(Mode::Transparent, Padding::Bucket(4096)))]),
    };
    let described = manifest.zones.get_mut(&zone).expect("there");
    described.patterns.push(Pattern::parse("*.key").expect("valid"));
    let wrap = Wrap { kind: Kind::OpenPgp, bytes: vec![1, 2, 3] };
    described.wraps.insert((Epoch::FIRST, name("bob")), wrap);
    manifest.certify(&zone, &keys).expect("certified");
    manifest.grant(&zone, &name("alice"), &keys).expect("granted");
    (manifest, keys)
}

fn verify(manifest: &Manifest, keys: &ZoneKeys) -> Result<(), Distrust> {
    let zone = manifest.zones.get(&keys_zone()).expect("there");
    zone.verify(&keys_zone(), manifest.store, manifest.pki.as_deref(), keys)
}

#[test]
fn files_read_back_and_verify() {
    let (manifest, keys) = store();
    let files = manifest.to_files();
    let read = Manifest::parse(&files).expect("readable");
    assert_eq!(read.to_files(), files);
    assert_eq!(verify(&read, &keys), Ok(()));
    assert_eq!(read.granted(&keys_zone(), &name("alice"), &keys), GrantState::Valid);
    assert_eq!(read.granted(&keys_zone(), &name("bob"), &keys), GrantState::Forged);
}

#[test]
fn whoever_has_no_key_can_change_nothing_unnoticed() {
    let (manifest, keys) = store();
    let edits: [fn(&mut Manifest); 5] = [
        |manifest| manifest.pki = Some("elsewhere".to_owned()),
        |manifest| manifest.pki = None,
        |manifest| zone_of(manifest).patterns.clear(),
        |manifest| zone_of(manifest).mode = Mode::Sealed,
        |manifest| zone_of(manifest).padding = Padding::None,
    ];
    for (number, edit) in edits.iter().enumerate() {
        let mut altered = manifest.clone();
        edit(&mut altered);
        assert_eq!(verify(&altered, &keys), Err(Distrust::Mac), "{number}");
    }
    let mut exchanged = manifest.clone();
    exchanged.members.get_mut(&name("alice")).expect("there").fingerprint = "age1evil".to_owned();
    assert_eq!(exchanged.granted(&keys_zone(), &name("alice"), &keys), GrantState::Forged);
    let mut older = manifest.clone();
    older.members.get_mut(&name("alice")).expect("there").key = "age1older".to_owned();
    assert_eq!(older.granted(&keys_zone(), &name("alice"), &keys), GrantState::Forged);
}

fn zone_of(manifest: &mut Manifest) -> &mut Zone {
    manifest.zones.get_mut(&keys_zone()).expect("there")
}

#[test]
fn an_epoch_is_begun_by_members_of_the_one_before() {
    let mut rng = OsRng.unwrap_err();
    let (mut manifest, keys) = store();
    let next = keys.rotated(&mut rng).expect("another");
    manifest.certify(&keys_zone(), &next).expect("certified");
    assert_eq!(verify(&manifest, &next), Ok(()));
    assert_eq!(verify(&manifest, &keys), Err(Distrust::OtherEpoch));
    assert_eq!(manifest.granted(&keys_zone(), &name("alice"), &next), GrantState::Outdated);
    manifest.grant(&keys_zone(), &name("alice"), &next).expect("granted");
    assert_eq!(manifest.granted(&keys_zone(), &name("alice"), &next), GrantState::Valid);
    // Somebody who only knows Alice's public key makes keys of his own.
    let foreign = ZoneKeys::generate(keys.store(), keys_zone(), &mut rng).rotated(&mut rng).expect("another");
    assert_eq!(verify(&manifest, &foreign), Err(Distrust::OtherKey));
    zone_of(&mut manifest).previous_mac = Some([0; 32]);
    assert_eq!(verify(&manifest, &next), Err(Distrust::PreviousMac));
}

#[test]
fn files_out_of_place_are_refused() {
    let (manifest, _) = store();
    for (path, text) in [
        ("store.toml", "version = 2\nid = \"00\"\n"),
        ("store.toml", "version = 1\nid = \"00\"\n"),
        ("members/Bob.toml", "kind = \"age\"\nfingerprint = \"x\"\nkey = \"x\"\n"),
        ("members/bob.toml", "kind = \"age\"\nfingerprint = \"x\"\nmore = 1\n"),
        ("zones/KEYS/zone.toml", ""),
        ("zones/other/members/alice.toml", "epoch = 1\nfingerprint = \"x\"\nmac = \"\"\n"),
        ("zones/keys/keys/0/alice.age", ""),
        ("zones/keys/keys/1/alice.txt", ""),
    ] {
        let mut files = manifest.to_files();
        files.insert(path.to_owned(), text.as_bytes().to_vec());
        assert!(Manifest::parse(&files).is_err(), "{path}");
    }
}

#[test]
fn who_counts_to_the_end_of_an_epoch_is_told_and_the_next_one_begins_anew() {
    let mut rng = OsRng.unwrap_err();
    let (mut manifest, keys) = store();
    let alice = name("alice");
    zone_of(&mut manifest).revision = u32::MAX - 1;
    manifest.certify(&keys_zone(), &keys).expect("one more");
    let last = manifest.clone();
    assert_eq!(manifest.certify(&keys_zone(), &keys), Err(LastRevision { zone: keys_zone() }));
    assert_eq!(manifest.to_files(), last.to_files());
    manifest.grant_after(u32::MAX - 1, &keys_zone(), &alice, &keys).expect("one more");
    assert!(manifest.grant(&keys_zone(), &alice, &keys).is_err());
    let next = keys.rotated(&mut rng).expect("another");
    manifest.certify(&keys_zone(), &next).expect("certified");
    manifest.grant(&keys_zone(), &alice, &next).expect("granted");
    assert_eq!(zone_of(&mut manifest).revision, 1);
    assert_eq!(zone_of(&mut manifest).grants[&alice].revision, 1);
    assert_eq!(verify(&manifest, &next), Ok(()));
}

#[test]
fn a_grant_that_nobody_gave_counts_for_nothing() {
    let (mut manifest, keys) = store();
    let alice = name("alice");
    manifest.grant(&keys_zone(), &alice, &keys).expect("granted");
    assert_eq!(zone_of(&mut manifest).grants[&alice].revision, 2);
    zone_of(&mut manifest).grants.get_mut(&alice).expect("there").revision = u32::MAX;
    manifest.grant(&keys_zone(), &alice, &keys).expect("granted");
    assert_eq!(zone_of(&mut manifest).grants[&alice].revision, 1);
}
