// SPDX-License-Identifier: MIT OR Apache-2.0
//! `renew-ca`: what was issued before verifies after, with the old CA certificate
//! and with the new one.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

fn shown(world: &World, path: &str, what: &[&str]) -> String {
    world.openssl(["x509", "-noout", "-in", path].iter().chain(what)).success().stdout
}

fn verifies(world: &World, authority: &str, leaf: &str) {
    world.openssl(["verify", "-CAfile", authority, leaf]).success();
}

#[test]
fn a_root_is_renewed_and_its_certificates_stay_valid() {
    for set in ["--profile-set=strict", "--profile-set=easyrsa"] {
        let world = World::with_pki();
        world.run(["-b", set, "--days=400", "build-ca", "nopass"]).success();
        world.run(["-b", set, "--nopass", "--days=100", "issue", "server", "www.example.net"]).success();
        world.copy("pki/ca.crt", "old.crt");
        world.refuses(["renew-ca"], "not confirmed");
        let said = world.run(["-b", set, "--days=4000", "renew-ca"]).success().says("valid until 2037");
        let leaf = "pki/issued/www.example.net.crt";
        verifies(&world, "pki/ca.crt", leaf);
        verifies(&world, "old.crt", leaf);
        for what in
            [&["-subject", "-pubkey"][..], &["-ext", "subjectKeyIdentifier,basicConstraints,keyUsage"]]
        {
            assert_eq!(shown(&world, "old.crt", what), shown(&world, "pki/ca.crt", what));
        }
        let serials = ["old.crt", "pki/ca.crt"].map(|path| shown(&world, path, &["-serial"]));
        if set.ends_with("easyrsa") {
            assert_eq!(serials[0], serials[1], "the certificate names the serial number of its CA");
            said.says("the CA keeps its serial number");
        } else {
            assert_ne!(serials[0], serials[1]);
        }
        world.run(["-b", set, "--nopass", "issue", "client", "jane"]).success();
        verifies(&world, "pki/ca.crt", "pki/issued/jane.crt");
        verifies(&world, "old.crt", "pki/issued/jane.crt");
        world.run([set, "gen-crl"]).success();
        world.run(["verify-cert", "www.example.net"]).success().shows("GOOD");
        world.openssl(["x509", "-noout", "-in", "pki/expired-ca.list"]).success();
        assert!(world.text("pki/expired-ca.list").contains(&world.text("old.crt")));
        world.run(["-b", set, "renew-ca"]).success();
        assert_eq!(world.text("pki/expired-ca.list").matches("BEGIN CERTIFICATE").count(), 2);
    }
}

#[test]
fn a_root_of_easyrsa_is_renewed() {
    let world = World::empty();
    let ec = ["--batch", "--pki-dir=pki", "--use-algo=ec", "--curve=secp384r1"];
    for command in [&["init-pki"][..], &["build-ca", "nopass"], &["build-client-full", "jane", "nopass"]] {
        world.easyrsa(ec.iter().chain(command)).success();
    }
    world.copy("pki/ca.crt", "old.crt");
    world.run(["-b", "renew-ca"]).success();
    for authority in ["old.crt", "pki/ca.crt"] {
        verifies(&world, authority, "pki/issued/jane.crt");
    }
    world.easyrsa(ec.iter().chain(&["build-client-full", "joe", "nopass"])).success();
    verifies(&world, "pki/ca.crt", "pki/issued/joe.crt");
    world.run(["verify-cert", "joe"]).success();
}

#[test]
fn a_subordinate_ca_is_renewed_by_the_ca_above() {
    let world = World::with_ca();
    let sub = ["-b", "--pki=sub"];
    world.run(sub.iter().chain(&["init-pki"])).success();
    world.run(sub.iter().chain(&["--req-cn=Sub", "build-ca", "subca", "nopass"])).success();
    world.run(["-b", "import-req", "sub/reqs/ca.req", "sub"]).success();
    world.run(["-b", "--days=90", "sign-req", "ca", "sub"]).success();
    let chain = format!("{}{}", world.text("pki/issued/sub.crt"), world.text("pki/ca.crt"));
    world.write("sub/ca.crt", &chain);
    world.run(sub.iter().chain(&["--nopass", "--days=50", "issue", "server", "www.example.net"])).success();
    world.run(sub.iter().chain(&["renew-ca"])).success().says("which was issued by CN=Easy-RSA CA");
    world.openssl(["req", "-verify", "-noout", "-in", "sub/reqs/ca.req"]).success();
    assert_eq!(world.text("sub/ca.crt"), chain);
    for above in [&["renew", "sub"][..], &["revoke-renewed", "sub"]] {
        world.run(["-b", "--days=900"].iter().chain(above)).success();
    }
    for (file, fact) in [
        ("pki/ca.crt", "is for the key of this CA"),
        ("sub/ca.crt", "it is the present certificate of the CA"),
        ("sub/reqs/ca.req", "there is no certificate in it"),
        ("nowhere", "cannot read nowhere"),
    ] {
        world.refuses(sub.iter().chain(&["renew-ca", file]), fact);
    }
    world.run(sub.iter().chain(&["renew-ca", "pki/issued/sub.crt"])).success().says("renewed the CA CN=Sub");
    assert_eq!(
        world.text("sub/ca.crt"),
        format!("{}{}", world.text("pki/issued/sub.crt"), world.text("pki/ca.crt"))
    );
    let verify =
        ["verify", "-CAfile", "pki/ca.crt", "-untrusted", "sub/ca.crt", "sub/issued/www.example.net.crt"];
    world.openssl(verify).success();
    world.run(["--pki=sub", "verify-cert", "www.example.net"]).success().shows("GOOD");
    assert!(
        world
            .text("sub/expired-ca.list")
            .contains(chain.split_inclusive("END CERTIFICATE-----\n").next().expect("one"))
    );
}
