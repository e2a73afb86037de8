// SPDX-License-Identifier: MIT OR Apache-2.0
//! `revoke-issued`, `gen-crl` and `update-db`: the life after a certificate.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

/// Word, what index.txt says, what openssl reads in the CRL.
const REASONS: &[(&str, &str, &str)] = &[
    ("", "", ""),
    ("unspecified", ",unspecified", ""),
    ("us", ",unspecified", ""),
    ("uns", ",unspecified", ""),
    ("keyCompromise", ",keyCompromise", "Key Compromise"),
    ("kc", ",keyCompromise", "Key Compromise"),
    ("key", ",keyCompromise", "Key Compromise"),
    ("CACompromise", ",CACompromise", "CA Compromise"),
    ("cacompromise", ",CACompromise", "CA Compromise"),
    ("cc", ",CACompromise", "CA Compromise"),
    ("affiliationChanged", ",affiliationChanged", "Affiliation Changed"),
    ("ac", ",affiliationChanged", "Affiliation Changed"),
    ("aff", ",affiliationChanged", "Affiliation Changed"),
    ("superseded", ",superseded", "Superseded"),
    ("ss", ",superseded", "Superseded"),
    ("sup", ",superseded", "Superseded"),
    ("cessationOfOperation", ",cessationOfOperation", "Cessation Of Operation"),
    ("co", ",cessationOfOperation", "Cessation Of Operation"),
    ("ces", ",cessationOfOperation", "Cessation Of Operation"),
    ("certificateHold", ",certificateHold", "Certificate Hold"),
    ("ch", ",certificateHold", "Certificate Hold"),
    ("cer", ",certificateHold", "Certificate Hold"),
];

#[test]
fn every_reason_is_recorded_and_listed() {
    let world = World::with_ca();
    for (word, recorded, listed) in REASONS {
        world.run(["-b", "build-client-full", "jane", "nopass"]).success();
        let serial = world.last_serial();
        world.run(["-b", "revoke-issued", "jane", word]).success().says("revoked CN=jane").says("gen-crl");
        let row = world.rows().pop().expect("a row");
        let (date, reason) = row.split('\t').nth(2).expect("a field").split_at(13);
        assert!(row.starts_with("R\t") && date.ends_with('Z'), "{row}");
        assert_eq!(reason, *recorded, "{word}");
        world.run(["gen-crl"]).success().says("signed CRL number");
        let crl = world.openssl(["crl", "-noout", "-text", "-in", "pki/crl.pem"]).success().stdout;
        let entry =
            crl.split("Serial Number: ").find(|entry| entry.starts_with(&serial)).expect("it is listed");
        assert!(entry.contains(listed), "{word}: {entry}");
        assert!(!listed.is_empty() || !entry.contains("Reason Code"), "{word}: {entry}");
    }
}

#[test]
fn a_certificate_is_revoked_by_name_serial_or_fingerprint() {
    let world = World::with_ca();
    let fingerprint = |digest: &str| {
        let show = ["x509", "-noout", "-fingerprint", digest, "-in", "pki/issued/jane.crt"];
        let shown = world.openssl(show).success().stdout;
        shown.trim().split('=').nth(1).expect("a fingerprint").to_owned()
    };
    let serial = || world.last_serial();
    let ways: [(&str, &dyn Fn() -> String); 8] = [
        ("revoke", &|| "jane".to_owned()),
        ("revoke-issued", &|| "jane".to_owned()),
        ("revoke", &serial),
        ("revoke-issued", &|| serial().to_lowercase()),
        ("revoke-issued", &|| {
            serial()
                .as_bytes()
                .chunks(2)
                .map(|pair| String::from_utf8_lossy(pair).into_owned())
                .collect::<Vec<_>>()
                .join(":")
        }),
        ("revoke", &|| fingerprint("-sha256")),
        ("revoke", &|| fingerprint("-sha1")),
        ("revoke", &|| fingerprint("-sha256").replace(':', "").to_lowercase()),
    ];
    for (command, handle) in ways {
        world.run(["-b", "build-client-full", "jane", "nopass"]).success();
        let (handle, serial) = (handle(), world.last_serial());
        world.run(["-b", command, &handle, "superseded"]).success();
        for (folder, name) in [("issued", "jane.crt"), ("private", "jane.key"), ("reqs", "jane.req")] {
            assert!(!world.exists(&format!("pki/{folder}/{name}")), "{handle}: {name}");
        }
        for path in [
            format!("certs_by_serial/{serial}.crt"),
            format!("private_by_serial/{serial}.key"),
            format!("reqs_by_serial/{serial}.req"),
        ] {
            assert!(world.exists(&format!("pki/revoked/{path}")), "{handle}: {path}");
        }
        world.refuses(["-b", "revoke", &serial], "revoked");
    }
}

#[test]
fn an_older_certificate_of_a_name_is_revoked_by_its_serial() {
    let world = World::with_certificate();
    let first = world.last_serial();
    world.remove("pki/issued/www.example.net.crt");
    world.run(["-b", "--auto-san", "sign-req", "server", "www.example.net"]).success();
    world.run(["-b", "revoke", &first]).success();
    assert!(world.exists("pki/issued/www.example.net.crt"));
    assert!(world.exists("pki/private/www.example.net.key"));
    let status: Vec<_> = world.rows().iter().map(|row| row[..1].to_owned()).collect();
    assert_eq!(status, ["R", "V"]);
}

/// Arguments that revoke nothing, and why.
const REFUSED: &[(&[&str], &str)] = &[
    (&["revoke", "nobody"], "nobody"),
    (&["revoke-issued", "nobody"], "nobody"),
    (&["revoke", "www.example.net", "frobnicate"], "`frobnicate` is not a reason"),
    (&["revoke", "www.example.net", "removeFromCRL"], "`removeFromCRL` is not a reason"),
    (&["revoke", "www.example.net", "superseded", "twice"], "twice"),
    (&["revoke", "00112233445566778899AABBCCDDEEFF"], "00112233445566778899AABBCCDDEEFF"),
    (&["revoke", "AA:BB:CC"], "AA:BB:CC"),
    (&["revoke"], "<CERTIFICATE>"),
    (&["gen-crl", "twice"], "twice"),
    (&["--days=0", "gen-crl"], "at least 1"),
];

#[test]
fn what_is_not_there_is_not_revoked() {
    let world = World::with_certificate();
    for (arguments, fact) in REFUSED {
        world.refuses(["-b"].iter().chain(*arguments), fact);
    }
    world.refuses(["revoke", "www.example.net"], "not confirmed");
    world.certkeep(["revoke", "www.example.net"]).input("y\n").run().refused("not confirmed");
    world
        .certkeep(["revoke", "www.example.net"])
        .input("yes\n")
        .run()
        .success()
        .says("Continue with revocation: ");
}

#[test]
fn a_certificate_without_its_row_is_not_revoked() {
    let world = World::with_certificate();
    world.write("pki/index.txt", "");
    world.refuses(["-b", "revoke", "www.example.net"], "no record");
}

#[test]
fn a_row_without_its_certificate_is_not_revoked_by_name() {
    let world = World::with_certificate();
    let serial = world.last_serial();
    world.remove("pki/issued/www.example.net.crt");
    world.refuses(["-b", "revoke", "www.example.net"], "www.example.net");
    world.remove(&format!("pki/certs_by_serial/{serial}.pem"));
    world.refuses(["-b", "revoke", &serial], &serial);
    world.run(["gen-crl"]).success();
}

#[test]
fn a_name_is_free_again_after_its_revocation() {
    let world = World::with_certificate();
    world.run(["-b", "revoke", "www.example.net"]).success();
    world.run(["-b", "build-server-full", "www.example.net", "nopass"]).success();
    assert_eq!(world.rows().len(), 2);
}

#[test]
fn a_crl_is_numbered_dated_and_verified() {
    let world = World::with_certificate();
    world.run(["-b", "revoke", "www.example.net", "kc"]).success();
    for number in ["0x01", "0x02", "0x03"] {
        world.run(["--days=7", "gen-crl"]).success();
        let shown = world.openssl(["crl", "-noout", "-crlnumber", "-in", "pki/crl.pem"]).success();
        assert!(shown.stdout.contains(number) || shown.stdout.contains(&number[2..]), "{shown}");
    }
    world
        .openssl(["crl", "-noout", "-verify", "-CAfile", "pki/ca.crt", "-in", "pki/crl.pem"])
        .success()
        .says("verify OK");
    let der = world.openssl(["crl", "-inform", "der", "-in", "pki/crl.der"]).success().stdout;
    assert_eq!(der, world.text("pki/crl.pem"));
    let serial = world.last_serial();
    let revoked = format!("pki/revoked/certs_by_serial/{serial}.crt");
    let verify = ["verify", "-crl_check", "-CAfile", "pki/ca.crt", "-CRLfile", "pki/crl.pem", &revoked];
    world.openssl(verify).failed().says("certificate revoked");
}

#[test]
fn update_db_marks_what_is_past_its_date() {
    let world = World::with_certificate();
    let row = world.text("pki/index.txt");
    let date = row.split('\t').nth(1).expect("a date").to_owned();
    world.write("pki/index.txt", row.replace(&date, "200101000000Z"));
    world.run(["update-db"]).success();
    assert!(world.text("pki/index.txt").starts_with("E\t200101000000Z\t\t"));
    let before = world.snapshot();
    world.run(["update-db"]).success();
    assert_eq!(before.changed(&world.snapshot()), Vec::<String>::new());
}

#[test]
fn easyrsa_goes_on_where_certkeep_stopped() {
    let world = World::with_certificate();
    world.run(["-b", "build-client-full", "jane", "nopass"]).success();
    let batch = ["--batch", "--pki-dir=pki"];
    world.easyrsa(batch.into_iter().chain(["revoke", "jane", "superseded"])).success();
    world.easyrsa(batch.into_iter().chain(["--use-algo=ec", "build-client-full", "joe", "nopass"])).success();
    world.easyrsa(batch.into_iter().chain(["gen-crl"])).success();
    world.run(["verify-cert", "joe"]).success();
    world.run(["-b", "revoke", "joe"]).success();
    world.run(["gen-crl"]).success();
    let status: Vec<_> = world.rows().iter().map(|row| row[..1].to_owned()).collect();
    assert_eq!(status, ["V", "R", "R"]);
}
