// SPDX-License-Identifier: MIT OR Apache-2.0
//! Damaged and hostile files in the PKI: an error that names the file, exit
//! code 1, and nothing written.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::{World, mount::Mount};

/// A CA with a certificate, a CRL, and a request that is not signed yet.
fn furnished() -> World {
    let world = World::with_certificate();
    world.run(["-b", "gen-req", "jane", "nopass"]).success();
    world.run(["gen-crl"]).success();
    world
}

/// Commands that write, and need the CA.
const WRITING: &[&[&str]] = &[
    &["sign-req", "client", "jane"],
    &["build-client-full", "new", "nopass"],
    &["build-server-full", "new.example.net", "nopass"],
    &["build-serverClient-full", "new.example.net", "nopass"],
    &["--nopass", "issue", "client", "new"],
    &["revoke", "www.example.net"],
    &["gen-crl"],
];

/// What a file may be damaged to: armour without a content, half of a file,
/// nothing, zeros, DER that lies about its length, nested without end.
fn damages(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let label = String::from_utf8_lossy(good).lines().next().unwrap_or_default().to_owned();
    let end = label.replace("BEGIN", "END");
    let flipped = {
        let text = String::from_utf8_lossy(good);
        let (first, rest) = text.split_once('\n').unwrap_or_default();
        // The third character of the content: the length of the outer sequence.
        format!("{first}\nMIID{}", rest.get(4..).unwrap_or_default()).into_bytes()
    };
    vec![
        ("empty", Vec::new()),
        ("half", good[..good.len() / 2].to_vec()),
        ("text", b"dear jane\n".to_vec()),
        ("armour", format!("{label}\n{end}\n").into_bytes()),
        ("no base64", format!("{label}\n@@@@\n{end}\n").into_bytes()),
        ("garbage", format!("{label}\nZ2FyYmFnZQ==\n{end}\n").into_bytes()),
        ("zeros", vec![0; 4096]),
        ("long", vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30]),
        ("deep", [0x30, 0x80].repeat(50_000)),
        ("flipped", flipped),
        ("hostile", b"\x1b]0;owned\x07\x1b[2J\xc2\x9b2J\n".to_vec()),
    ]
}

/// Says which case is next, for whoever sees one fail.
#[expect(clippy::print_stderr, reason = "shown when the test fails")]
fn note(file: &str, damage: &str, command: &[&str]) {
    eprintln!("{file} {damage:?} {command:?}");
}

#[test]
fn a_damaged_key_of_the_ca_signs_nothing() {
    let world = furnished();
    for (damage, bytes) in damages(&world.read("pki/private/ca.key")) {
        world.write("pki/private/ca.key", bytes);
        for command in WRITING.iter().filter(|command| !command.contains(&"revoke")) {
            note("ca.key", damage, command);
            world.refuses(["-b"].iter().chain(*command), "private/ca.key");
        }
    }
}

#[test]
fn a_damaged_certificate_of_the_ca_signs_nothing() {
    let world = furnished();
    for (damage, bytes) in damages(&world.read("pki/ca.crt")) {
        world.write("pki/ca.crt", bytes);
        for command in WRITING.iter().chain(&[&["show-ca"][..], &["verify-cert", "www.example.net"], &[]]) {
            note("ca.crt", damage, command);
            world.refuses(["-b"].iter().chain(*command), "ca.crt");
        }
    }
}

#[test]
fn a_damaged_request_is_not_signed() {
    let world = furnished();
    for (damage, bytes) in damages(&world.read("pki/reqs/jane.req")) {
        world.write("pki/reqs/jane.req", bytes);
        for command in [&["sign-req", "client", "jane"][..], &["show-req", "jane"]] {
            note("jane.req", damage, command);
            world.refuses(["-b"].iter().chain(command), "reqs/jane.req");
        }
    }
}

#[test]
fn a_damaged_certificate_is_neither_revoked_nor_shown() {
    let world = furnished();
    for (damage, bytes) in damages(&world.read("pki/issued/www.example.net.crt")) {
        world.write("pki/issued/www.example.net.crt", bytes);
        for command in ["revoke", "show-cert", "verify-cert"] {
            note("crt", damage, &[command]);
            world.refuses(["-b", command, "www.example.net"], "issued/www.example.net.crt");
        }
    }
}

#[test]
fn a_damaged_crl_is_not_shown_and_not_relied_upon() {
    let world = furnished();
    for (damage, bytes) in damages(&world.read("pki/crl.pem")) {
        world.write("pki/crl.pem", bytes);
        note("crl", damage, &[]);
        world.refuses(["show-crl"], "crl.pem");
        world.refuses(["verify-cert", "www.example.net"], "crl.pem");
    }
    world.run(["gen-crl"]).success();
    world.openssl(["crl", "-noout", "-verify", "-CAfile", "pki/ca.crt", "-in", "pki/crl.pem"]).success();
}

/// What index.txt may be damaged to; `ROW` is the good row.
const INDEXES: &[&str] = &[
    "dear jane\n",
    "ROW\nV\t\n",
    "X\t290101000000Z\t\t01\tunknown\t/CN=a\n",
    "V\tsoon\t\t01\tunknown\t/CN=a\n",
    "V\t291301000000Z\t\t01\tunknown\t/CN=a\n",
    "V\t290101000000Z\t\txyz\tunknown\t/CN=a\n",
    "V\t290101000000Z\t\t\tunknown\t/CN=a\n",
    "V\t290101000000Z\t\t01\tunknown\n",
    "V\t290101000000Z\t\t01\tunknown\t/CN=a\tmore\n",
    "R\t290101000000Z\tlater\t01\tunknown\t/CN=a\n",
    "R\t290101000000Z\t260101000000Z,because\t01\tunknown\t/CN=a\n",
    "\u{1b}[2J\u{1b}]0;owned\u{7}\n",
    "\0\0\0\0",
];

#[test]
fn a_damaged_index_records_nothing() {
    let world = furnished();
    let row = world.text("pki/index.txt");
    for damage in INDEXES {
        world.write("pki/index.txt", damage.replace("ROW\n", &row));
        for command in WRITING.iter().chain(&[&["update-db"][..]]) {
            note("index", damage, command);
            world.refuses(["-b"].iter().chain(*command), "index.txt");
        }
    }
    world.remove("pki/index.txt");
    for command in WRITING.iter().chain(&[&["update-db"][..]]) {
        world.refuses(["-b"].iter().chain(*command), "index.txt");
    }
}

#[test]
fn a_damaged_serial_is_not_counted_on() {
    for damage in ["", "xyz\n", "-1\n", "\u{1b}[2J\n", "0x01\n", "01 02\n"] {
        let world = furnished();
        world.write("pki/serial", damage);
        let before = world.snapshot();
        let count = world.certkeep(["-b", "sign-req", "client", "jane"]).env("EASYRSA_RAND_SN", "no").run();
        count.refused("serial");
        before.assert_same(&world.snapshot());
        world.run(["-b", "sign-req", "client", "jane"]).success();
    }
    let world = furnished();
    world.write("pki/serial", "f".repeat(41));
    world.certkeep(["-b", "sign-req", "client", "jane"]).env("EASYRSA_RAND_SN", "no").run().refused("serial");
    world.remove("pki/serial");
    world.refuses(["-b", "sign-req", "client", "jane"], "serial is missing");
}

/// Lines that no type may hold, and what is said of them.
const TYPES: &[(&str, &str)] = &[
    ("basicConstraints\n", "client"),
    ("basicConstraints = maybe\n", "client"),
    ("keyUsage = everything\n", "everything"),
    ("extendedKeyUsage = nonsense\n", "nonsense"),
    ("subjectAltName = DNS:\n", "client"),
    ("= x\n", "client"),
    ("\0\0\0", "client"),
    ("\u{1b}[2J = x\n", "client"),
    ("subjectKeyIdentifier = zz\n", "client"),
    ("nosuchExtension = x\n", "nosuchExtension"),
];

#[test]
fn a_damaged_type_makes_no_certificate() {
    let world = furnished();
    for (text, fact) in TYPES {
        world.write("pki/x509-types/client", text);
        for command in [&["sign-req", "client", "jane"][..], &["build-client-full", "new", "nopass"]] {
            note("type", text, command);
            world.refuses(["-b"].iter().chain(command), fact);
        }
    }
}

/// A self-signed certificate for the CA's key that runs from `start` to `end`.
fn redated(world: &World, start: &str, end: &str) {
    world.write(
        "openssl.cnf",
        "[ca]\ndefault_ca = d\n[d]\ndatabase = db\nnew_certs_dir = .\nserial = sn\ndefault_md = sha384\n\
         policy = p\nx509_extensions = e\n[p]\ncommonName = supplied\n[e]\nbasicConstraints = critical,CA:TRUE\n\
         keyUsage = critical,keyCertSign,cRLSign\nsubjectKeyIdentifier = hash\n[req]\ndistinguished_name = n\n[n]\n",
    );
    world.write("db", "");
    world.write("sn", "01\n");
    let request =
        ["req", "-new", "-config", "openssl.cnf", "-key", "pki/private/ca.key", "-subj", "/CN=Easy-RSA CA"];
    world.openssl(request.iter().chain(&["-out", "r"])).success();
    let sign =
        ["ca", "-batch", "-selfsign", "-notext", "-config", "openssl.cnf", "-keyfile", "pki/private/ca.key"];
    let dates = ["-startdate", start, "-enddate", end, "-in", "r", "-out", "pki/ca.crt"];
    world.openssl(sign.iter().chain(&dates)).success();
}

#[test]
fn a_ca_out_of_its_time_signs_nothing() {
    for (start, end, fact) in [
        ("20200101000000Z", "20210101000000Z", "expired"),
        ("20900101000000Z", "20910101000000Z", "becomes valid on"),
    ] {
        let world = furnished();
        redated(&world, start, end);
        for command in
            WRITING.iter().filter(|command| !command.iter().any(|word| matches!(*word, "revoke" | "gen-crl")))
        {
            note(fact, "", command);
            world.refuses(["-b"].iter().chain(*command), fact);
        }
        world.run(["show-ca"]).success();
    }
}

#[test]
fn a_pki_without_a_ca_signs_nothing() {
    let world = World::with_pki();
    world.run(["-b", "gen-req", "jane", "nopass"]).success();
    for command in WRITING {
        world.refuses(["-b"].iter().chain(*command), "there is no CA");
    }
}

#[test]
fn a_ca_without_its_key_signs_nothing() {
    let world = furnished();
    world.remove("pki/private/ca.key");
    for command in WRITING.iter().filter(|command| !command.contains(&"revoke")) {
        world.refuses(["-b"].iter().chain(*command), "private/ca.key is missing");
    }
}

/// Commands that only read.
const READING: &[&[&str]] = &[
    &[],
    &["show-ca"],
    &["show-cert", "www.example.net"],
    &["show-req", "jane"],
    &["show-crl"],
    &["verify-cert", "www.example.net"],
    &["--format=json", "show-ca"],
    &["-b", "--dry-run", "revoke", "www.example.net"],
    &["version"],
];

#[test]
fn reading_needs_no_key() {
    let world = furnished();
    world.remove("pki/private/ca.key");
    for command in READING {
        world.run(*command).success();
    }
    world.run(["-b", "revoke", "www.example.net"]).success();
}

#[test]
fn a_read_only_file_system_is_read_and_not_written() {
    let world = furnished();
    for command in READING {
        let Some(outcome) = world.run_on(Mount::ReadOnly, command) else { return };
        outcome.success();
    }
    for command in WRITING {
        let arguments: Vec<&str> = ["-b"].iter().chain(*command).copied().collect();
        let Some(outcome) = world.run_on(Mount::ReadOnly, &arguments) else { return };
        outcome.refused("read-only");
    }
}

#[test]
fn a_full_disk_is_an_error_and_leaves_everything_as_it_was() {
    let world = furnished();
    let others: [&[&str]; 2] = [&["gen-req", "new", "nopass"], &["import-req", "pki/reqs/jane.req", "new"]];
    for command in WRITING.iter().chain(&others) {
        let arguments: Vec<&str> = ["-b"].iter().chain(*command).copied().collect();
        let Some(outcome) = world.run_on(Mount::Full, &arguments) else { return };
        outcome.refused("No space left on device");
    }
    let Some(outcome) = world.run_on(Mount::Full, &["show-ca"]) else { return };
    outcome.success();
}

#[test]
fn a_folder_or_a_link_in_place_of_a_file_is_refused() {
    let world = furnished();
    world.remove("pki/reqs/jane.req");
    std::fs::create_dir(world.path("pki/reqs/jane.req")).expect("a folder");
    world.refuses(["-b", "sign-req", "client", "jane"], "jane.req");
    std::os::unix::fs::symlink("/dev/zero", world.path("pki/reqs/zero.req")).expect("a link");
    world.refuses(["-b", "sign-req", "client", "zero"], "zero.req");
    world.refuses(["show-req", "zero"], "zero.req");
}
