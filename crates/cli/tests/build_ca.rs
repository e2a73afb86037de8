// SPDX-License-Identifier: MIT OR Apache-2.0
//! `build-ca`: a root, or a request for a subordinate CA.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

/// Options, arguments, and the subject that comes of them, as openssl shows it.
const SUBJECTS: &[(&[&str], &str)] = &[
    (&["-b", "build-ca", "nopass"], "CN = Easy-RSA CA"),
    (&["-b", "--nopass", "build-ca"], "CN = Easy-RSA CA"),
    (&["-b", "build-ca", "--no-pass"], "CN = Easy-RSA CA"),
    (&["-b", "--req-cn=Acme Root", "build-ca", "nopass"], "CN = Acme Root"),
    (&["-b", "--req-cn", "Acme Root", "build-ca", "nopass"], "CN = Acme Root"),
    (&["-b", "build-ca", "nopass", "--req-cn=Acme Root"], "CN = Acme Root"),
    (
        &["-b", "--req-cn=\u{c4}rzte \u{4e2d}\u{6587}", "build-ca", "nopass"],
        "CN = \u{c4}rzte \u{4e2d}\u{6587}",
    ),
    (&["-b", "--req-org=Acme", "build-ca", "nopass"], "CN = Easy-RSA CA"),
    (
        &[
            "-b",
            "--dn-mode=org",
            "--req-c=DE",
            "--req-st=Hessen",
            "--req-city=Kassel",
            "--req-org=Acme",
            "--req-ou=",
            "--req-email=ca@example.net",
            "--req-cn=Acme Root",
            "build-ca",
            "nopass",
        ],
        "C = DE, ST = Hessen, L = Kassel, O = Acme, CN = Acme Root, emailAddress = ca@example.net",
    ),
];

#[test]
fn a_passphrase_that_protects_nothing_is_refused() {
    let world = World::with_pki();
    for passout in ["pass:", "pass:abc", "file:short"] {
        world.write("short", "abc\n");
        let option = format!("--passout={passout}");
        world.refuses(["-b", &option, "build-ca"], "at least 4 characters");
        world.refuses(["-b", &option, "gen-req", "x"], "at least 4 characters");
    }
    let empty = world.certkeep(["-b", "--passout=env:SECRET", "build-ca"]).env("SECRET", "").run();
    empty.refused("at least 4 characters").says("--passout");
    assert!(!world.exists("pki/private/ca.key"));
}

#[test]
fn a_passphrase_beside_nopass_wins_and_says_so() {
    let world = World::with_pki();
    world.run(["-b", "--passout=pass:geheim", "build-ca", "nopass"]).success().says("nopass has no effect");
    world.openssl(["pkey", "-noout", "-passin", "pass:geheim", "-in", "pki/private/ca.key"]).success();
    assert!(world.text("pki/private/ca.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
}

#[test]
fn a_root_has_the_subject_that_was_asked_for() {
    for (arguments, subject) in SUBJECTS {
        let world = World::with_pki();
        world.run(*arguments).success();
        let show = [
            "x509",
            "-noout",
            "-subject",
            "-nameopt",
            "utf8,sep_comma_plus_space,space_eq",
            "-in",
            "pki/ca.crt",
        ];
        let shown = world.openssl(show).success().stdout;
        assert_eq!(shown.trim().trim_start_matches("subject="), *subject, "{arguments:?}");
    }
}

#[test]
fn a_root_is_complete_and_private() {
    let world = World::with_ca();
    for file in ["pki/ca.crt", "pki/private/ca.key", "pki/index.txt", "pki/serial"] {
        assert_eq!(world.mode(file), 0o600, "{file}");
    }
    assert_eq!(world.text("pki/index.txt"), "");
    assert_eq!(world.text("pki/serial"), "01\n");
    assert!(world.exists("pki/certs_by_serial"));
    let verify = ["verify", "-x509_strict", "-check_ss_sig", "-CAfile", "pki/ca.crt", "pki/ca.crt"];
    world.openssl(verify).success();
    let shown = world.openssl(["x509", "-noout", "-text", "-in", "pki/ca.crt"]).success().stdout;
    for extension in
        ["Basic Constraints: critical", "CA:TRUE", "Key Usage: critical", "Certificate Sign, CRL Sign"]
    {
        assert!(shown.contains(extension), "{extension} in {shown}");
    }
}

#[test]
fn both_spellings_of_a_passphrase_encrypt_the_key() {
    for (source, arguments) in
        [("pass:geheim", ["-b", "--passout=pass:geheim"]), ("file:secret", ["-b", "--passout=file:secret"])]
    {
        let world = World::with_pki();
        world.write("secret", "geheim\nsecond line\n");
        world.run(arguments.into_iter().chain(["build-ca"])).success();
        assert!(
            world.text("pki/private/ca.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"),
            "{source}"
        );
        let read = |passphrase: &str| {
            world.openssl(["pkey", "-noout", "-in", "pki/private/ca.key", "-passin", passphrase])
        };
        read("pass:geheim").success();
        read("pass:wrong").failed();
    }
}

#[test]
fn passout_outweighs_nopass() {
    let world = World::with_pki();
    world.run(["-b", "--passout=pass:geheim", "build-ca", "nopass"]).success();
    assert!(world.text("pki/private/ca.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
}

/// Options, and the kind of key in openssl's words.
const KEYS: &[(&[&str], &str)] = &[
    (&[], "secp384r1"),
    (&["--use-algo=ec"], "secp384r1"),
    (&["--algo=ec", "--curve=prime256v1"], "prime256v1"),
    (&["--curve=secp521r1"], "secp521r1"),
    (&["--algo=ed"], "ED25519"),
    (&["--curve=ed25519"], "ED25519"),
    (&["--algo=rsa"], "(2048 bit, 2 primes)"),
    (&["--use-algo=rsa", "--keysize=3072"], "(3072 bit, 2 primes)"),
];

#[test]
fn the_key_is_of_the_kind_that_was_asked_for() {
    for (options, kind) in KEYS {
        let world = World::with_pki();
        world.run(["-b"].iter().chain(*options).chain(&["build-ca", "nopass"])).success();
        let shown = world.openssl(["pkey", "-noout", "-text", "-in", "pki/private/ca.key"]).success().stdout;
        assert!(shown.contains(kind), "{options:?}: {shown}");
    }
}

#[test]
fn its_life_is_days_long() {
    let world = World::with_pki();
    world.run(["-b", "--days=30", "build-ca", "nopass"]).success();
    let ends = |seconds: &str| world.openssl(["x509", "-noout", "-checkend", seconds, "-in", "pki/ca.crt"]);
    ends("2591000").success();
    ends("2592001").failed();
}

#[test]
fn a_second_ca_is_refused() {
    let world = World::with_ca();
    world.refuses(["-b", "build-ca", "nopass"], "there is a CA in this PKI already");
    world.refuses(["-b", "build-ca", "subca", "nopass"], "there is a CA in this PKI already");
    world.remove("pki/ca.crt");
    world.refuses(["-b", "build-ca", "nopass"], "ca.crt is missing");
}

#[test]
fn a_ca_is_not_built_over_the_record_of_another() {
    let world = World::with_certificate();
    world.remove("pki/ca.crt");
    world.remove("pki/private/ca.key");
    world.refuses(["-b", "build-ca", "nopass"], "index.txt holds the certificates of an earlier CA");
}

#[test]
fn a_subordinate_ca_waits_for_its_certificate() {
    for words in [["subca", "nopass"], ["nopass", "intca"]] {
        let world = World::with_pki();
        world.run(["-b", "build-ca"].into_iter().chain(words)).success();
        assert!(!world.exists("pki/ca.crt"));
        let request =
            world.openssl(["req", "-noout", "-verify", "-subject", "-in", "pki/reqs/ca.req"]).success();
        assert!(request.stdout.contains("CN = Easy-RSA Sub-CA"), "{request}");
        world.refuses(["-b", "build-ca", "nopass"], "ca.crt is missing");
        world.refuses(["gen-crl"], "ca.crt is missing");
        world.run(["show-req", "ca"]).success().shows("Easy-RSA Sub-CA");
    }
}

#[test]
fn a_ca_needs_a_pki_and_words_that_it_knows() {
    let world = World::empty();
    world.refuses(["-b", "build-ca", "nopass"], "certkeep init-pki");
    let world = World::with_pki();
    world.refuses(["-b", "build-ca", "nopas"], "unknown command option `nopas`");
    world.refuses(["-b", "--keysize=1024", "build-ca", "nopass"], "1024");
    world.refuses(["-b", "--curve=secp112r1", "build-ca", "nopass"], "`secp112r1`");
    world.refuses(["-b", "--digest=md5", "build-ca", "nopass"], "`md5`");
    world.refuses(["-b", "--days=0", "build-ca", "nopass"], "at least 1");
    world.refuses(["-b", "--days=5000000000", "build-ca", "nopass"], "a number of days is wanted");
    world.refuses(["-b", "build-ca"], "there is no terminal to ask");
}
