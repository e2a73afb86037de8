// SPDX-License-Identifier: MIT OR Apache-2.0
//! `init-pki`: an empty PKI, its vars file, and what it takes to replace one.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

#[test]
fn an_empty_pki_has_three_folders_and_an_example() {
    let world = World::empty();
    let outcome = world.run(["init-pki"]).success().says("made an empty PKI");
    assert_eq!(outcome.stdout, "");
    for folder in ["pki", "pki/issued", "pki/private", "pki/reqs"] {
        assert_eq!(world.mode(folder), 0o700, "{folder}");
    }
    assert_eq!(world.mode("pki/vars.example"), 0o600);
    assert!(!world.exists("pki/vars"));
}

#[test]
fn its_alias_is_clean_all() {
    let world = World::empty();
    world.run(["clean-all"]).success();
    assert!(world.exists("pki/private"));
}

/// Arguments, and the curve that stands in vars afterwards.
const KEY_KINDS: &[(&[&str], Option<&str>)] = &[
    (&["init-pki", "ec"], Some("secp384r1")),
    (&["init-pki", "ed"], Some("ed25519")),
    (&["init-pki", "ec", "prime256v1"], Some("prime256v1")),
    (&["init-pki", "P-256"], Some("P-256")),
    (&["init-pki", "secp521r1"], Some("secp521r1")),
    (&["init-pki", "ed25519"], Some("ed25519")),
    (&["--algo=ed", "init-pki"], Some("ed25519")),
    (&["--use-algo=ec", "--curve=prime256v1", "init-pki"], Some("prime256v1")),
    (&["init-pki", "--curve", "prime256v1"], Some("prime256v1")),
    (&["--curve=secp384r1", "init-pki", "ed"], Some("ed25519")),
    (&["init-pki", "rsa"], None),
    (&["init-pki"], None),
];

#[test]
fn it_writes_the_kind_of_key_into_vars() {
    for (arguments, curve) in KEY_KINDS {
        let world = World::empty();
        world.run(*arguments).success();
        assert_eq!(world.exists("pki/vars"), curve.is_some(), "{arguments:?}");
        let Some(curve) = curve else { continue };
        let line = world
            .text("pki/vars")
            .lines()
            .any(|line| line.starts_with("set_var EASYRSA_CURVE") && line.trim_matches('"').ends_with(curve));
        assert!(line, "{arguments:?}");
        world.run(["--batch", "build-ca", "nopass"]).success();
        let key = world.openssl(["pkey", "-noout", "-text", "-in", "pki/private/ca.key"]).success().stdout;
        let name = if *curve == "P-256" { "prime256v1" } else { curve };
        assert!(key.to_ascii_lowercase().contains(name), "{arguments:?}: {key}");
    }
}

#[test]
fn it_refuses_a_curve_that_nobody_has() {
    let world = World::empty();
    for curve in ["soft", "x25519", "ed448", "secp112r1", "..", "brainpoolP256r1"] {
        world.refuses(["init-pki", curve], "is not supported");
    }
    world.refuses(["init-pki", "ed", "secp384r1"], "belongs to the algorithm ec");
}

#[test]
fn it_replaces_a_pki_only_after_a_yes() {
    let world = World::with_ca();
    world.refuses(["init-pki"], "not confirmed");
    for answer in ["no\n", "y\n", "YES\n", "\n", " yes\n", "yes please\n"] {
        let before = world.snapshot();
        world.certkeep(["init-pki"]).input(answer).run().refused("not confirmed").says("Confirm removal: ");
        before.assert_same(&world.snapshot());
    }
    world.certkeep(["init-pki"]).input("yes\n").run().success().says("the CA's private key");
    assert!(!world.exists("pki/private/ca.key"));
    assert!(!world.exists("pki/index.txt"));
}

#[test]
fn batch_is_a_yes() {
    let world = World::with_ca();
    world.run(["--batch", "init-pki"]).success();
    assert!(!world.exists("pki/ca.crt"));
}

#[test]
fn it_does_not_touch_a_folder_that_is_no_pki() {
    let world = World::empty();
    world.write("precious/letter.txt", "dear jane");
    world.write("file", "");
    for (place, fact) in [
        (".", "already exists"),
        ("..", "cannot be a PKI directory"),
        ("./", "already exists"),
        ("../", "cannot be a PKI directory"),
        ("/", "cannot be a PKI directory"),
        ("//", "cannot be a PKI directory"),
        ("precious", "precious already exists"),
        ("file", "is not a directory"),
        ("/usr", "/usr already exists"),
        ("file/pki", "the PKI could not be made"),
        ("", "--pki"),
    ] {
        let option = format!("--pki={place}");
        world.refuses(["--batch", &option, "init-pki"], fact);
    }
    let home = world.certkeep(["--batch", "--pki=.", "init-pki"]).env("HOME", world.path("")).run();
    home.refused("already exists");
}

#[test]
fn it_reads_no_vars_file() {
    let world = World::empty();
    world.write("vars", "this is no vars file $(\n");
    world.run(["init-pki"]).success();
    world.run(["build-ca", "nopass"]).failed().says("vars");
}

#[test]
fn a_link_to_a_pki_is_not_followed_into_deletion() {
    let world = World::empty();
    world.write("elsewhere/letter.txt", "dear jane");
    std::os::unix::fs::symlink(world.path("elsewhere"), world.path("pki")).expect("a link");
    world.refuses(["--batch", "init-pki"], "elsewhere already exists");
}
