// SPDX-License-Identifier: MIT OR Apache-2.0
//! A subordinate CA from its request to a verified leaf.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

/// A root in `root`, and in `sub` a CA that it signed, whose `ca.crt` is not there yet.
fn signed(options: &[&str]) -> World {
    let world = World::empty();
    let root = ["--pki=root", "-b"];
    let sub = ["--pki=sub", "-b"];
    for (pki, commands) in [
        (root, &[&["init-pki"][..], &["--req-cn=Root", "build-ca", "nopass"]][..]),
        (sub, &[&["init-pki"], &["--req-cn=Sub", "build-ca", "subca", "nopass"]]),
        (root, &[&["import-req", "sub/reqs/ca.req", "sub"]]),
    ] {
        for command in commands {
            world.run(pki.iter().chain(*command)).success();
        }
    }
    world.run(root.iter().chain(options).chain(&["sign-req", "ca", "sub"])).success();
    world
}

/// The same with a chain in `ca.crt`, and a leaf.
fn complete() -> World {
    let world = signed(&[]);
    let chain = world.text("root/issued/sub.crt") + &world.text("root/ca.crt");
    world.write("sub/ca.crt", chain);
    world.run(["--pki=sub", "-b", "build-server-full", "www.example.net", "nopass"]).success();
    world
}

#[test]
fn a_leaf_is_verified_up_to_the_root() {
    let world = complete();
    let verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "root/ca.crt"];
    let leaf = ["-untrusted", "sub/ca.crt", "sub/issued/www.example.net.crt"];
    world.openssl(verify.iter().chain(&leaf)).success();
    let good = world.run(["--pki=sub", "verify-cert", "www.example.net", "--purpose=serverAuth"]).success();
    good.shows("Status: GOOD").shows("CN=Sub").shows("CN=Root");
    world.run(["--pki=root", "verify-cert", "sub"]).success().shows("Status: GOOD");
}

#[test]
fn it_works_without_the_root_too() {
    let world = complete();
    world.copy("root/issued/sub.crt", "sub/ca.crt");
    world.run(["--pki=sub", "verify-cert", "www.example.net"]).success().shows("Status: GOOD");
    world.run(["--pki=sub", "-b", "build-client-full", "jane", "nopass"]).success();
    let verify = ["verify", "-x509_strict", "-CAfile", "root/ca.crt", "-untrusted", "sub/ca.crt"];
    world.openssl(verify.iter().chain(&["sub/issued/jane.crt"])).success();
}

#[test]
fn its_crl_belongs_to_the_same_path() {
    let world = complete();
    world.run(["--pki=sub", "-b", "revoke", "www.example.net", "ss"]).success();
    world.run(["--pki=sub", "gen-crl"]).success();
    world.run(["--pki=root", "gen-crl"]).success();
    let serial = world.text("sub/index.txt").split('\t').nth(3).expect("a serial number").to_owned();
    world.write("crls.pem", world.text("sub/crl.pem") + &world.text("root/crl.pem"));
    let verify = [
        "verify",
        "-crl_check_all",
        "-CAfile",
        "root/ca.crt",
        "-untrusted",
        "sub/ca.crt",
        "-CRLfile",
        "crls.pem",
    ];
    let leaf = format!("sub/revoked/certs_by_serial/{serial}.crt");
    world.openssl(verify.iter().chain(&[leaf.as_str()])).failed().says("certificate revoked");
    assert_eq!(world.run(["--pki=sub", "verify-cert", &serial]).shows("FAILED").code, Some(1));
}

#[test]
fn a_path_length_of_zero_ends_the_path() {
    let world = signed(&["--subca-len=0"]);
    world.write("sub/ca.crt", world.text("root/issued/sub.crt") + &world.text("root/ca.crt"));
    let shown = world.openssl(["x509", "-noout", "-text", "-in", "root/issued/sub.crt"]).success();
    shown.shows("CA:TRUE, pathlen:0");
    world.run(["--pki=third", "-b", "init-pki"]).success();
    world.run(["--pki=third", "-b", "--req-cn=Third", "build-ca", "subca", "nopass"]).success();
    world.run(["--pki=sub", "import-req", "third/reqs/ca.req", "third"]).success();
    world.refuses(["--pki=sub", "-b", "sign-req", "ca", "third"], "CN=Sub allows 0 CAs below it");
    world.run(["--pki=sub", "-b", "build-server-full", "www.example.net", "nopass"]).success();
}

#[test]
fn the_default_path_length_leaves_room_for_what_was_asked() {
    let world = signed(&["--subca-len=1"]);
    world.write("sub/ca.crt", world.text("root/issued/sub.crt") + &world.text("root/ca.crt"));
    world.run(["--pki=third", "-b", "init-pki"]).success();
    world.run(["--pki=third", "-b", "--req-cn=Third", "build-ca", "subca", "nopass"]).success();
    world.run(["--pki=sub", "import-req", "third/reqs/ca.req", "third"]).success();
    world.run(["--pki=sub", "-b", "sign-req", "ca", "third"]).success();
    let chain = ["sub/issued/third.crt", "sub/ca.crt"].map(|file| world.text(file)).concat();
    world.write("third/ca.crt", chain);
    world.run(["--pki=third", "-b", "build-client-full", "jane", "nopass"]).success();
    let verify = ["verify", "-x509_strict", "-CAfile", "root/ca.crt", "-untrusted", "third/ca.crt"];
    world.openssl(verify.iter().chain(&["third/issued/jane.crt"])).success();
    world.run(["--pki=third", "verify-cert", "jane"]).success().shows("Status: GOOD");
}

#[test]
fn the_wrong_certificate_does_not_sign() {
    let world = signed(&[]);
    world.copy("root/ca.crt", "sub/ca.crt");
    world.refuses(["--pki=sub", "-b", "build-client-full", "jane", "nopass"], "key");
    world.refuses(["--pki=sub", "gen-crl"], "key");
    world.run(["--pki=root", "-b", "build-client-full", "jane", "nopass"]).success();
    world.copy("root/issued/jane.crt", "sub/ca.crt");
    world.refuses(["--pki=sub", "-b", "build-client-full", "joe", "nopass"], "CA");
}
