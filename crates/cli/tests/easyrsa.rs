// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one of the two has begun, the other continues.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

/// easy-rsa's part of a story, in EC for speed.
const EC: [&str; 4] = ["--batch", "--pki-dir=pki", "--use-algo=ec", "--curve=secp384r1"];

/// A PKI of easy-rsa: a CA, a server, a client that was revoked, a request.
fn of_easyrsa() -> World {
    let world = World::empty();
    for command in [
        &["init-pki"][..],
        &["build-ca", "nopass"],
        &["build-server-full", "www.example.net", "nopass"],
        &["build-client-full", "jane", "nopass"],
        &["revoke", "jane", "keyCompromise"],
        &["gen-crl"],
        &["gen-req", "joe", "nopass"],
    ] {
        world.easyrsa(EC.iter().chain(command)).success();
    }
    world
}

#[test]
fn certkeep_takes_over_a_pki_of_easyrsa() {
    let world = of_easyrsa();
    let overview = world.run(["--format=json"]).json();
    assert_eq!((&overview["valid"], &overview["revoked"]), (&1.into(), &1.into()), "{overview}");
    world.run(["verify-cert", "www.example.net"]).success().shows("GOOD");
    world.run(["show-crl"]).success().shows("keyCompromise");
    world.run(["-b", "sign-req", "client", "joe"]).success();
    world.run(["-b", "build-server-full", "mail.example.net", "nopass"]).success();
    world.run(["-b", "revoke", "www.example.net", "superseded"]).success();
    world.run(["gen-crl"]).success();
    for name in ["joe", "mail.example.net"] {
        let leaf = format!("pki/issued/{name}.crt");
        let verify = ["verify", "-crl_check", "-CAfile", "pki/ca.crt", "-CRLfile", "pki/crl.pem", &leaf];
        world.openssl(verify).success();
    }
    let crl = world.openssl(["crl", "-noout", "-text", "-in", "pki/crl.pem"]).success().stdout;
    assert_eq!(crl.matches("Serial Number: ").count(), 2, "{crl}");
}

#[test]
fn easyrsa_takes_it_back() {
    let world = of_easyrsa();
    world.run(["-b", "sign-req", "client", "joe"]).success();
    world.run(["-b", "revoke", "joe"]).success();
    world.run(["gen-crl"]).success();
    world.easyrsa(EC.iter().chain(&["build-client-full", "ann", "nopass"])).success();
    world.easyrsa(EC.iter().chain(&["revoke", "www.example.net"])).success();
    world.easyrsa(EC.iter().chain(&["gen-crl"])).success();
    let status: Vec<_> =
        world.rows().iter().map(|row| row.split('\t').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(status, ["R", "R", "R", "V"]);
    world.run(["verify-cert", "ann"]).success().shows("GOOD");
}

#[test]
fn both_open_each_others_encrypted_keys() {
    let world = World::with_encrypted_ca("geheim");
    let pass = ["--passin=pass:geheim", "--passout=pass:streng"];
    world.easyrsa(EC.iter().chain(&pass).chain(&["build-client-full", "jane"])).success();
    world.run(["verify-cert", "jane"]).success();
    world.run(["-b", "--passin=pass:geheim", "gen-crl"]).success();
    let other = World::empty();
    other.easyrsa(EC.iter().chain(&["init-pki"])).success();
    other.easyrsa(EC.iter().chain(&["--passout=pass:geheim", "--passin=pass:geheim", "build-ca"])).success();
    other.run(["-b", "--passin=pass:geheim", "build-client-full", "joe", "nopass"]).success();
    other.openssl(["verify", "-CAfile", "pki/ca.crt", "pki/issued/joe.crt"]).success();
}

/// The link that stands in for easy-rsa makes a PKI, easy-rsa goes on with it, and the
/// link after that; inline files lie in between, those of either.
#[test]
fn the_link_and_easyrsa_take_turns() {
    let world = World::empty();
    let link = |command: &[&str]| {
        let _ =
            world.certkeep(["--batch"].iter().chain(command)).env("CERTKEEP_AS", "easyrsa").run().success();
    };
    for command in [
        &["init-pki"][..],
        &["build-ca", "nopass"],
        &["gen-tls-crypt-key"],
        &["build-server-full", "server", "nopass"],
        &["build-client-full", "jane", "nopass"],
        &["build-client-full", "joe", "nopass"],
        &["gen-crl"],
    ] {
        link(command);
    }
    let theirs = ["--batch", "--pki-dir=pki"];
    let easyrsa = |command: &[&str]| {
        let _ = world.easyrsa(theirs.iter().chain(command)).success();
    };
    for name in ["jane", "server"] {
        assert!(world.exists(&format!("pki/inline/private/{name}.inline")));
    }
    easyrsa(&["revoke", "joe", "superseded"]);
    // easy-rsa 3.1 knows nothing of the link's inline files, and has its own in another place.
    assert!(world.exists("pki/inline/private/joe.inline"));
    easyrsa(&["build-client-full", "ann", "nopass", "inline"]);
    assert!(world.text("pki/ann.creds").contains("PRIVATE KEY"));
    easyrsa(&["gen-req", "max", "nopass"]);
    easyrsa(&["gen-crl"]);
    easyrsa(&["update-db"]);
    let shown = world.easyrsa(theirs.iter().chain(&["show-cert", "jane"])).success();
    let _ = shown.shows("X509v3 Extended Key Usage");
    link(&["sign-req", "client", "max"]);
    link(&["renew", "jane"]);
    link(&["revoke-renewed", "jane", "superseded"]);
    link(&["revoke", "ann", "keyCompromise"]);
    // A name that is issued again gets a file that is true again.
    link(&["build-client-full", "joe", "nopass"]);
    link(&["gen-crl"]);
    let status = world.rows().iter().map(|row| row.chars().next().unwrap_or_default()).collect::<String>();
    assert_eq!(status, "VRRRVVV", "{:?}", world.rows());
    for name in ["server", "jane", "max", "joe"] {
        let leaf = format!("pki/issued/{name}.crt");
        let verify = ["verify", "-crl_check", "-CAfile", "pki/ca.crt", "-CRLfile", "pki/crl.pem", &leaf];
        world.openssl(verify).success();
        let inline = world.text(&format!("pki/inline/private/{name}.inline"));
        assert!(inline.contains(&world.text(&leaf)) && inline.contains("<tls-crypt>"), "{inline}");
    }
    assert!(!world.exists("pki/ann.creds"));
    easyrsa(&["build-server-full", "other", "nopass"]);
    easyrsa(&["revoke", "max"]);
    easyrsa(&["gen-crl"]);
    link(&["verify-cert", "other"]);
    link(&["show-revoke", "max"]);
}

/// Options of easy-rsa that are not there: an error, never ignored.
const NOT_THERE: &[&str] = &[
    "--keep-tmp=x",
    "--ssl-cnf=x",
    "--ssl-conf=x",
    "--new-subject=/CN=x",
    "--new-subj=/CN=x",
    "--text",
    "--rawca",
    "--raw-ca",
    "--fix-offset=1",
    "--quiet",
    "-q",
    "--ca-via-stdin",
    "--renew-days=1",
    "--no-safe-ssl",
    "--old-safe-ssl",
    "--days-margin=1",
    "--tools=x",
];

#[test]
fn an_option_that_is_not_there_is_an_error() {
    let world = World::with_pki();
    for option in NOT_THERE {
        world.refuses(["-b", option, "gen-req", "x", "nopass"], "unexpected argument");
    }
    world.refuses(["-b", "build-ca", "rawca"], "unknown command option `rawca`");
}
