// SPDX-License-Identifier: MIT OR Apache-2.0
//! `renew`, `expire`, and the revocation of what they put aside.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

/// What openssl reads in a certificate, from the subject to the last extension,
/// without what has to differ.
fn said(world: &World, path: &str) -> String {
    let shown = world.openssl([
        "x509",
        "-noout",
        "-text",
        "-certopt",
        "no_serial,no_validity,no_signame,no_sigdump",
        "-in",
        path,
    ]);
    shown.success().stdout
}

fn status(world: &World) -> Vec<String> {
    world.rows().iter().map(|row| row[..1].to_owned()).collect()
}

/// A custom type with extensions of every sort.
const CUSTOM: &str = "basicConstraints = critical,CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid,issuer:always
keyUsage = critical,digitalSignature,dataEncipherment
extendedKeyUsage = clientAuth,1.3.6.1.4.1.99999.7
crlDistributionPoints = URI:http://ca.example.net/crl.der
subjectAltName = DNS:vpn.example.net,IP:192.0.2.7,email:jane@example.net
1.3.6.1.4.1.99999.1 = DER:0c03616263
";

#[test]
fn certificates_of_every_type_keep_all_they_say() {
    let world = World::with_ca();
    world.write("pki/x509-types/special", CUSTOM);
    for kind in ["client", "email", "codeSigning", "ca", "special"] {
        for set in ["strict", "easyrsa"] {
            let name = format!("{kind}-{set}");
            let set = format!("--profile-set={set}");
            world.run(["-b", &set, "--nopass", "issue", kind, &name]).success();
            let crt = format!("pki/issued/{name}.crt");
            let (before, key) = (said(&world, &crt), world.read(&format!("pki/private/{name}.key")));
            let request = world.read(&format!("pki/reqs/{name}.req"));
            let serial = world.last_serial();
            world.run(["-b", &set, "--days=33", "renew", &name]).success().says("the old one stays valid");
            assert_eq!(said(&world, &crt), before, "{name}");
            assert_eq!(world.read(&format!("pki/private/{name}.key")), key);
            assert_eq!(world.read(&format!("pki/reqs/{name}.req")), request);
            assert_ne!(world.last_serial(), serial);
            world.openssl(["verify", "-x509_strict", "-CAfile", "pki/ca.crt", &crt]).success();
            let old = format!("pki/renewed/issued/{name}.crt");
            world.openssl(["verify", "-CAfile", "pki/ca.crt", &old]).success();
            world.refuses(["-b", "renew", &name], "exists already");
        }
    }
}

#[test]
fn a_renewed_certificate_is_revoked_and_its_successor_stays() {
    let world = World::with_certificate();
    let name = "www.example.net";
    let first = world.last_serial();
    for path in [
        "private/www.example.net.p12",
        "inline/private/www.example.net.p12-inline",
        "issued/www.example.net.p7b",
    ] {
        world.write(&format!("pki/{path}"), "a copy");
    }
    world.run(["-b", "renew", name]).success();
    for path in [
        "private/www.example.net.p12",
        "inline/private/www.example.net.p12-inline",
        "issued/www.example.net.p7b",
    ] {
        assert!(!world.exists(&format!("pki/{path}")), "{path}");
    }
    world.write("pki/inline/private/www.example.net.inline", "of the successor");
    world.run(["-b", "revoke-renewed", name, "superseded"]).success().says("gen-crl");
    assert_eq!(status(&world), ["R", "V"]);
    assert!(world.rows()[0].contains(",superseded\t"), "{:?}", world.rows());
    assert!(world.exists(&format!("pki/revoked/certs_by_serial/{first}.crt")));
    for path in [
        "issued/www.example.net.crt",
        "private/www.example.net.key",
        "reqs/www.example.net.req",
        "inline/private/www.example.net.inline",
    ] {
        assert!(world.exists(&format!("pki/{path}")), "{path} belongs to the successor");
    }
    world.refuses(["-b", "revoke-renewed", name], "there is no renewed/issued/www.example.net.crt");
    world.run(["-b", "renew", name]).success();
    world.run(["gen-crl"]).success();
    let verify = [
        "verify",
        "-crl_check",
        "-CAfile",
        "pki/ca.crt",
        "-CRLfile",
        "pki/crl.pem",
        "pki/issued/www.example.net.crt",
    ];
    world.openssl(verify).success();
}

#[test]
fn what_another_branch_has_revoked_is_in_nobodys_way() {
    let world = World::with_ca();
    world.run(["-b", "--nopass", "build-client-full", "c1"]).success();
    world.run(["-b", "renew", "c1"]).success();
    // As after a merge: one side has renewed it, the other revoked it where it lay.
    let merged = "cp pki/renewed/issued/c1.crt kept && \"$0\" --batch revoke-renewed c1 superseded && mv kept pki/renewed/issued/c1.crt";
    world.shell(merged).run().success();
    world.run(["-b", "gen-crl"]).success();
    assert!(!world.run(["show-renew"]).success().stdout.contains("c1"));
    world.run(["doctor"]).failed().shows("revoked-still-renewed").shows("certkeep revoke-renewed c1");
    world.run(["-b", "renew", "c1"]).failed().says("certkeep revoke-renewed c1 superseded");
    let rows = world.rows();
    world.run(["-b", "revoke-renewed", "c1", "superseded"]).success().says("was revoked before");
    assert_eq!(world.rows(), rows);
    assert!(!world.exists("pki/renewed/issued/c1.crt"));
    world.run(["doctor"]).success();
    world.run(["-b", "renew", "c1"]).success();
    assert_eq!(status(&world), ["R", "V", "V"]);
    // Where it does not lie among the revoked ones, it does afterwards.
    world.shell(&format!("{merged} && rm pki/revoked/certs_by_serial/*")).run().success();
    world.run(["-b", "revoke-renewed", "c1"]).success();
    world.shell("test $(ls pki/revoked/certs_by_serial | wc -l) = 1").run().success();
    // Nobody is warned of what is revoked.
    world.shell("cp pki/revoked/certs_by_serial/* pki/renewed/issued/c1.crt").run().success();
    let outcome = world.run(["-b", "revoke-issued", "c1"]).success();
    assert!(!outcome.stderr.contains("still valid"), "{outcome}");
}

#[test]
fn a_renewed_certificate_is_found_by_its_serial_number() {
    let world = World::with_certificate();
    let first = world.last_serial();
    world.run(["-b", "renew", "www.example.net"]).success();
    world.run(["-b", "revoke-issued", &first]).success();
    assert!(!world.exists("pki/renewed/issued/www.example.net.crt"));
    assert!(world.exists("pki/private/www.example.net.key"));
    world.run(["-b", "renew", "www.example.net"]).success();
    world
        .run(["-b", "revoke", "www.example.net"])
        .success()
        .says("`certkeep revoke-renewed www.example.net`");
}

#[test]
fn an_expired_certificate_lets_its_request_be_signed_again() {
    let world = World::with_certificate();
    let name = "www.example.net";
    let first = world.last_serial();
    world.refuses(["expire", name], "not confirmed");
    world.run(["-b", "expire", name]).success().says("revoke-expired");
    assert_eq!(status(&world), ["V"]);
    assert!(world.exists("pki/expired/www.example.net.crt"));
    world.refuses(["-b", "expire", name], "there is no certificate");
    world.run(["-b", "sign-req", "server", name]).success();
    world.refuses(["-b", "expire", name], "exists already");
    world.write("pki/inline/private/www.example.net.inline", "of the successor");
    world.run(["-b", "revoke-expired", name, "ss"]).success();
    assert!(world.exists("pki/inline/private/www.example.net.inline"));
    assert!(world.exists(&format!("pki/revoked/certs_by_serial/{first}.crt")));
    assert_eq!(status(&world), ["R", "V"]);
    world.run(["verify-cert", name]).success();
}

#[test]
fn what_cannot_be_renewed_stays_as_it_is() {
    let world = World::with_certificate();
    let before = world.snapshot();
    world.refuses(["-b", "renew", "nobody"], "there is no certificate `nobody`");
    world.refuses(["-b", "renew", "../evil"], "cannot be part of a file name");
    world.refuses(["renew", "www.example.net"], "not confirmed");
    world.refuses(["-b", "renew", "www.example.net", "frobnicate"], "unknown command option");
    world.refuses(["-b", "--days=100000", "renew", "www.example.net"], "after its CA");
    world.run(["-b", "--dry-run", "renew", "www.example.net"]).success().says("would move issued/");
    assert_eq!(before.changed(&world.snapshot()), Vec::<String>::new());
    world.run(["-b", "gen-req", "other", "nopass"]).success();
    world.copy("pki/reqs/other.req", "pki/reqs/www.example.net.req");
    world.refuses(["-b", "renew", "www.example.net"], "is for another key");
}

#[test]
fn the_request_may_be_gone() {
    let world = World::with_certificate();
    world.remove("pki/reqs/www.example.net.req");
    world.run(["-b", "renew", "www.example.net", "nopass"]).success().says("`nopass` says nothing here");
}

#[test]
fn an_index_that_wants_unique_subjects_is_told_otherwise() {
    let world = World::with_certificate();
    world.write("pki/index.txt.attr", "unique_subject = yes\n");
    world.run(["-b", "renew", "www.example.net"]).success();
    assert_eq!(world.text("pki/index.txt.attr"), "unique_subject = no\n");
    assert_eq!(world.text("pki/index.txt.attr.old"), "unique_subject = yes\n");
}

#[test]
fn certificates_of_easyrsa_are_renewed_and_easyrsa_goes_on() {
    let world = World::empty();
    let ec = ["--batch", "--pki-dir=pki", "--use-algo=ec", "--curve=secp384r1"];
    for command in [
        &["init-pki"][..],
        &["build-ca", "nopass"],
        &["--subject-alt-name=DNS:www.example.net", "build-server-full", "www", "nopass"],
    ] {
        world.easyrsa(ec.iter().chain(command)).success();
    }
    let before = said(&world, "pki/issued/www.crt");
    world.run(["-b", "renew", "www"]).success();
    assert_eq!(said(&world, "pki/issued/www.crt"), before);
    world.easyrsa(ec.iter().chain(&["build-client-full", "jane", "nopass"])).success();
    world.run(["-b", "revoke-renewed", "www"]).success();
    world.easyrsa(ec.iter().chain(&["gen-crl"])).success();
    let crl = world.openssl(["crl", "-noout", "-text", "-in", "pki/crl.pem"]).success().stdout;
    assert_eq!(crl.matches("Serial Number: ").count(), 1, "{crl}");
    world.run(["verify-cert", "www"]).success().shows("GOOD");
}
