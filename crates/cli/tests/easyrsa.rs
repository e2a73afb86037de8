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
}

/// Options that have nothing to switch off or to keep here.
#[test]
fn an_option_without_effect_is_taken() {
    let world = World::with_ca();
    for (option, name) in
        [("--force-vars", "a"), ("--force-safe-ssl", "b"), ("--notext", "c"), ("--tmp-dir=/nowhere", "d")]
    {
        world.run(["-b", option, "gen-req", name, "nopass"]).success();
    }
    world.run(["-b", "--keep-tmp=x", "gen-crl"]).success().says("--keep-tmp keeps nothing");
    let kept = world.certkeep(["-b", "gen-crl"]).env("EASYRSA_KEEP_TEMP", "x").run().success();
    kept.says("EASYRSA_KEEP_TEMP in the environment keeps nothing");
    assert!(!world.exists("pki/tmp"));
}

#[test]
fn a_new_subject_needs_the_option_and_the_word() {
    let world = World::with_request();
    let sign = ["sign-req", "server", "www.example.net"];
    for (arguments, fact) in [
        (&["--new-subject=/CN=new"][..], "is not told to use it"),
        (&["newsubj"], "no new subject"),
        (&["--new-subj=CN=new", "newsubj"], "not of the form"),
        (&["--new-subject=/CN=", "newsubj"], "commonName is empty"),
        (&["--new-subject=/O=new", "newsubj"], "no common name"),
        (&["--new-subject=/colour=red/CN=new", "newsubj"], "`colour`"),
    ] {
        world.refuses(["-b"].iter().chain(&sign).chain(arguments), fact);
    }
    let build = ["-b", "--new-subject=/CN=new", "build-client-full", "jane", "nopass"];
    world.refuses(build, "is not told to use it");
    let new = "--new-subject=/O=Example/CN=new.example.net";
    world.run(["-b", new].iter().chain(&sign).chain(&["newsubj"])).success();
    let shown = world.openssl(
        ["x509", "-noout", "-subject", "-ext", "subjectAltName", "-in"]
            .iter()
            .chain(&["pki/issued/www.example.net.crt"]),
    );
    shown.success().shows("O = Example, CN = new.example.net").shows("DNS:new.example.net");
    assert!(world.rows()[0].ends_with("/O=Example/CN=new.example.net"), "{:?}", world.rows());
}

#[test]
fn a_text_stands_in_front_where_it_is_wanted() {
    let world = World::with_pki();
    world.run(["-b", "--text", "build-ca", "nopass"]).success();
    world.run(["-b", "gen-req", "with", "nopass", "text"]).success();
    world.run(["-b", "gen-req", "without", "nopass"]).success();
    world.certkeep(["-b", "build-client-full", "jane", "nopass"]).env("EASYRSA_TEXT_ON", "1").run().success();
    world.run(["-b", "--text", "--notext", "sign-req", "client", "with"]).success();
    world.run(["-b", "sign-req", "client", "without"]).success();
    for (file, text) in [
        ("ca.crt", true),
        ("reqs/with.req", true),
        ("reqs/without.req", false),
        ("reqs/jane.req", true),
        ("issued/jane.crt", true),
        ("issued/with.crt", false),
        ("issued/without.crt", false),
    ] {
        let contents = world.text(&format!("pki/{file}"));
        assert_eq!(contents.starts_with("Certificate"), text, "{file}: {contents}");
        assert_eq!(contents.matches("-----BEGIN").count(), 1, "{file}");
    }
    let serial = world.rows()[0].split('\t').nth(3).expect("a serial number").to_owned();
    assert_eq!(world.text(&format!("pki/certs_by_serial/{serial}.pem")), world.text("pki/issued/jane.crt"));
    world.run(["verify-cert", "jane"]).success();
    world.openssl(["verify", "-CAfile", "pki/ca.crt", "pki/issued/jane.crt"]).success();
}

#[test]
fn a_file_of_parameters_names_the_curve() {
    let world = World::with_pki();
    world.openssl(["ecparam", "-name", "secp521r1", "-out", "p521.pem"]).success();
    world
        .openssl(["ecparam", "-name", "secp521r1", "-param_enc", "explicit", "-out", "explicit.pem"])
        .success();
    let make = |options: &[&str], file: &str, name: &str| {
        let run = world.certkeep(["-b"].iter().chain(options).chain(&["gen-req", name, "nopass"]));
        run.env("EASYRSA_ALGO_PARAMS", file).run()
    };
    make(&["--algo=ec"], "p521.pem", "jane").success();
    let key = world.openssl(["pkey", "-noout", "-text", "-in", "pki/private/jane.key"]).success();
    assert!(key.stdout.contains("secp521r1"), "{key}");
    make(&["--algo=rsa"], "nowhere.pem", "rsa").success();
    make(&["--algo=ec"], "explicit.pem", "joe").refused("explicit parameters");
    make(&["--algo=ec", "--curve=P-256"], "p521.pem", "joe").refused("is to be P-256");
    make(&["--algo=ec"], "pki/vars.example", "joe").refused("no curve parameters");
    make(&["--algo=ec"], "nowhere.pem", "joe").refused("nowhere.pem");
}

#[test]
fn rawca_asks_and_batch_asks_for_nothing() {
    let world = World::with_pki();
    world.refuses(["-b", "build-ca", "rawca"], "asks for nothing");
    world.refuses(["-b", "--raw-ca", "build-ca"], "asks for nothing");
    let mut person = world.converse(["--rawca", "build-ca", "raw-ca"]);
    person.expect("Enter New CA Key Passphrase: ").hidden().answer("geheim");
    person.expect("Confirm New CA Key Passphrase: ").hidden().answer("geheim");
    person.expect("[Easy-RSA CA]: ").answer("");
    person.succeeds();
    world.openssl(["pkey", "-noout", "-passin", "pass:geheim", "-in", "pki/private/ca.key"]).success();
}

#[test]
fn what_a_ca_does_not_heed_is_said() {
    let world = World::with_pki();
    let options = ["-b", "--ns-cert", "--san=DNS:a.example"];
    for command in [&["build-ca", "nopass"][..], &["renew-ca"]] {
        let outcome = world.run(options.iter().chain(command)).success();
        outcome.says("--ns-cert says nothing").says("--san says nothing");
        let root = world.openssl(["x509", "-noout", "-text", "-in", "pki/ca.crt"]).success();
        assert!(!root.stdout.contains("Netscape") && !root.stdout.contains("DNS:"), "{root}");
    }
}
