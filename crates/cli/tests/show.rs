// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is only looked at: `show-*`, `verify-cert`, `version`, `help`, and no
//! command at all, as text, JSON and PEM.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

fn furnished() -> World {
    let world = World::with_certificate();
    world.run(["-b", "build-client-full", "jane", "nopass"]).success();
    world.run(["-b", "revoke", "jane", "kc"]).success();
    world.run(["gen-crl"]).success();
    world
}

/// Arguments, and what the text says.
const TEXTS: &[(&[&str], &[&str])] = &[
    (&["show-ca"], &["CA certificate:", "CN=Easy-RSA CA", "basicConstraints (critical)"]),
    (&["show-ca", "full"], &["CA certificate:"]),
    (
        &["show-cert", "www.example.net"],
        &["Certificate:", "CN=www.example.net", "DNS:www.example.net", "SHA-256"],
    ),
    (&["show-cert", "www.example.net", "full"], &["Certificate:"]),
    (&["show-req", "www.example.net"], &["Certificate request:", "CN=www.example.net"]),
    (&["show-req", "www.example.net", "full"], &["Certificate request:"]),
    (&["show-crl"], &["Certificate revocation list:", "keyCompromise"]),
    (&["verify-cert", "www.example.net"], &["Status: GOOD", "CN=Easy-RSA CA"]),
    (&["verify-cert", "www.example.net", "batch"], &["Status: GOOD"]),
    (&["verify-cert", "www.example.net", "--purpose=serverAuth"], &["Status: GOOD"]),
    (&["version"], &["certkeep "]),
    (&["--version"], &["certkeep "]),
    (&["-V"], &["certkeep "]),
    (&["help"], &["Usage: certkeep", "sign-req", "init-pki"]),
    (&["--help"], &["Usage: certkeep", "--passin", "--subca-len"]),
    (&["--usage"], &["Usage: certkeep"]),
    (&["-h"], &["Usage: certkeep"]),
    (&["help", "sign-req"], &["Usage: certkeep sign-req", "<TYPE>", "serverClient"]),
    (&["sign-req", "--help"], &["Usage: certkeep sign-req"]),
    (&[], &["CN=Easy-RSA CA", "Valid: 1", "Revoked: 1", "certkeep help"]),
];

#[test]
fn what_is_asked_for_is_on_standard_output() {
    let world = furnished();
    let before = world.snapshot();
    for (arguments, texts) in TEXTS {
        let mut outcome = world.run(*arguments).success().harmless();
        for text in *texts {
            outcome = outcome.shows(text);
        }
        assert_eq!(outcome.stderr, "", "{outcome}");
    }
    before.assert_same(&world.snapshot());
}

#[test]
fn pem_is_the_file_itself() {
    let world = furnished();
    for (arguments, file) in [
        (&["show-ca", "--format=pem"][..], "pki/ca.crt"),
        (&["--format", "pem", "show-req", "www.example.net"], "pki/reqs/www.example.net.req"),
        (&["show-cert", "www.example.net", "--format", "pem"], "pki/issued/www.example.net.crt"),
        (&["show-crl", "--format=pem"], "pki/crl.pem"),
    ] {
        assert_eq!(world.run(arguments).success().stdout, world.text(file), "{arguments:?}");
    }
}

/// Arguments, and the keys of the JSON object in their order. Programs read
/// these: a key that is gone or renamed breaks them.
const KEYS: &[(&[&str], &[&str])] = &[
    (&["show-ca"], CERTIFICATE),
    (&["show-cert", "www.example.net"], CERTIFICATE),
    (
        &["show-req", "www.example.net"],
        &[
            "subject",
            "public_key",
            "requested_extensions",
            "other_attributes",
            "signature_algorithm",
            "signature",
        ],
    ),
    (
        &["show-crl"],
        &[
            "version",
            "issuer",
            "number",
            "this_update",
            "next_update",
            "revoked",
            "extensions",
            "signature_algorithm",
            "signature",
        ],
    ),
    (&["verify-cert", "www.example.net"], &["certificate", "status", "path", "findings", "notes"]),
    (&["version"], &["name", "version"]),
    (
        &[],
        &[
            "pki",
            "vars_file",
            "store",
            "profile_set",
            "new_keys",
            "ca",
            "ca_not_after",
            "valid",
            "revoked",
            "expired",
            "crl_next_update",
        ],
    ),
];
const CERTIFICATE: &[&str] = &[
    "version",
    "serial_number",
    "issuer",
    "not_before",
    "not_after",
    "subject",
    "public_key",
    "extensions",
    "signature_algorithm",
    "signature",
    "fingerprint_sha256",
    "fingerprint_sha1",
];

#[test]
fn json_has_stable_keys() {
    let world = furnished();
    for (arguments, keys) in KEYS {
        let value = world.run(["--format=json"].iter().chain(*arguments)).json();
        let object = value.as_object().expect("an object");
        let present: Vec<&str> = object.keys().map(String::as_str).collect();
        assert_eq!(present, *keys, "{arguments:?}");
    }
}

#[test]
fn a_certificate_is_found_by_serial_and_fingerprint_too() {
    let world = furnished();
    let by_name = world.run(["--format=json", "show-cert", "www.example.net"]).json();
    let serial = by_name["serial_number"].as_str().expect("text").to_owned();
    let print = ["x509", "-noout", "-fingerprint", "-sha256", "-in", "pki/issued/www.example.net.crt"];
    let print =
        world.openssl(print).success().stdout.trim().split('=').nth(1).expect("a fingerprint").to_owned();
    for handle in [serial.clone(), serial.to_lowercase(), print.clone(), print.replace(':', "")] {
        assert_eq!(world.run(["--format=json", "show-cert", &handle]).json(), by_name, "{handle}");
    }
    let revoked = world.last_serial();
    world.run(["show-cert", &revoked]).success().shows("CN=jane");
    world.run(["show-cert", "jane"]).refused("jane");
}

#[test]
fn what_is_broken_does_not_hide_what_is_not() {
    let world = World::with_certificate();
    let by_name = world.run(["--format=json", "show-cert", "www.example.net"]).json();
    let print = by_name["fingerprint_sha256"].as_str().expect("text").to_owned();
    for directory in ["certs_by_serial", "issued"] {
        // Before all others in the order of names.
        for (name, text) in [("00.pem", "nonsense"), ("00.crt", "-----BEGIN CERTIFICATE-----\n")] {
            world.write(&format!("pki/{directory}/{name}"), text);
        }
        for name in ["01.pem", "01.crt"] {
            let pipe = world.path(format!("pki/{directory}/{name}"));
            assert!(std::process::Command::new("mkfifo").arg(pipe).status().expect("mkfifo runs").success());
        }
    }
    world.write("pki/certs_by_serial/02.pem", "-----BEGIN CERTIFICATE-----\n");
    assert_eq!(world.run(["--format=json", "show-cert", &print]).json(), by_name);
    // Asked for by its name, it is refused.
    world.run(["show-cert", "00"]).refused("00");
}

#[test]
fn a_revoked_certificate_is_not_good() {
    let world = furnished();
    let outcome = world.run(["verify-cert", &world.last_serial()]).failed();
    assert_eq!(outcome.code, Some(1));
    outcome.shows("Status: FAILED").shows("revoked").says("is not good");
}

#[test]
fn a_certificate_of_another_ca_is_not_good() {
    let (world, other) = (furnished(), World::with_certificate());
    world.write("pki/issued/stranger.crt", other.read("pki/issued/www.example.net.crt"));
    world.run(["verify-cert", "stranger"]).failed().shows("Status: FAILED");
    let purpose = world.run(["verify-cert", "www.example.net", "--purpose=codeSigning"]).failed();
    purpose.shows("Status: FAILED");
    world
        .refuses(["verify-cert", "www.example.net", "--purpose=frobnicate"], "`frobnicate` is not a purpose");
}

#[test]
fn what_is_not_there_cannot_be_shown() {
    let world = World::with_pki();
    world.refuses(["show-ca"], "there is no CA");
    world.refuses(["show-crl"], "there is no CRL");
    world.refuses(["show-req", "nobody"], "there is no request `nobody`");
    world.refuses(["show-cert", "nobody"], "there is no certificate `nobody`");
    world.refuses(["verify-cert", "nobody"], "there is no certificate `nobody`");
    world.refuses(["show-ca", "fully"], "unknown command option `fully`");
    world.refuses(["help", "frobnicate"], "frobnicate");
    world.refuses(["--format=xml", "show-ca"], "xml");
    let nothing = World::empty();
    nothing.run(["--format=text"]).success().shows("there is no PKI yet");
    for command in ["show-ca", "show-crl", "update-db", "gen-crl"] {
        nothing.refuses([command], "certkeep init-pki");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = furnished();
    let outcome = world.shell("\"$0\" --help | head -1; \"$0\" show-ca >/dev/full; echo $?").run();
    outcome.success().shows("\n1\n").says("cannot write to standard output");
}

/// Arguments that make no sense, and the whole of what is said.
const USAGE: &[(&[&str], &str)] = &[
    (
        &["--batch", "--nosuch", "gen-crl"],
        "error: unexpected argument '--nosuch' found\n\nhint: all options: `certkeep --help`\n",
    ),
    (
        &["--batch", "sign-req", "server"],
        "error: the following required arguments were not provided:\n  <NAME>\n\n\
         hint: usage: `certkeep sign-req <TYPE> <NAME> [preserve|newsubj]...`\nhint: all options: `certkeep --help`\n",
    ),
    (
        &["--days", "x", "gen-crl"],
        "error: invalid value 'x' for '--days <DAYS>': a number of days is wanted, at least 1, without leading \
         zeros\n\nhint: all options: `certkeep --help`\n",
    ),
];

#[test]
fn arguments_that_make_no_sense_get_a_hint_that_does() {
    let world = World::empty();
    for (arguments, said) in USAGE {
        assert_eq!(world.run(*arguments).refused("").stderr, *said, "{arguments:?}");
    }
}
