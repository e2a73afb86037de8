// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words behind a command.

use crate::world::World;

/// Whether a key can be opened without a passphrase.
fn is_open(world: &World, key: &str) -> bool {
    world.text(&format!("pki/private/{key}")).starts_with("-----BEGIN PRIVATE KEY-----\n")
}

#[test]
fn nopass_leaves_a_key_without_a_passphrase() {
    let world = World::with_pki();
    for (command, key) in [("self-sign-server", "srv"), ("self-sign-client", "cli"), ("gen-req", "req")] {
        world.run(["-b", command, key, "nopass"]).success();
        assert!(is_open(&world, &format!("{key}.key")), "{command}");
    }
    let world = World::with_pki();
    world.run(["-b", "build-ca", "nopass"]).success();
    for (command, name) in
        [("build-client-full", "c"), ("build-server-full", "s"), ("build-serverClient-full", "b")]
    {
        world.run(["-b", command, name, "nopass"]).success();
        assert!(is_open(&world, &format!("{name}.key")), "{command}");
    }
    world.run(["-b", "export-p8", "c", "nopass"]).success();
    assert!(is_open(&world, "c.p8"));
    world.run(["-b", "export-p1", "c", "nopass"]).success();
    assert!(world.text("pki/private/c.p1").starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    world.run(["-b", "export-p12", "c", "nopass"]).success();
    world.openssl(["pkcs12", "-noout", "-passin", "pass:", "-in", "pki/private/c.p12"]).success();
    world.run(["-b", "--passout=pass:geheim", "set-pass", "c"]).success();
    assert!(!is_open(&world, "c.key"));
    world.run(["-b", "--passin=pass:geheim", "set-pass", "c", "nopass"]).success();
    assert!(is_open(&world, "c.key"));
}

#[test]
fn nopass_where_no_key_is_made_is_a_word_too_many() {
    let world = World::with_request();
    let name = "www.example.net";
    for command in [&["sign-req", "server", name, "nopass"][..], &["renew", name, "nopass"]] {
        world.run(["-b"].iter().chain(command)).success().says("warning: `nopass` says nothing here");
    }
}

#[test]
fn types_that_easyrsa_has_in_files_are_built_in() {
    let world = World::with_request();
    world.run(["-b", "sign-req", "code-signing", "www.example.net"]).success();
    world.run(["show-eku", "www.example.net"]).success().shows("codeSigning");
    world.run(["-b", "gen-req", "krb", "nopass"]).success();
    world.refuses(["-b", "sign-req", "kdc", "krb"], "realm");
    let sign = world.certkeep(["-b", "sign-req", "kdc", "krb"]);
    sign.env("EASYRSA_KDC_REALM", "EXAMPLE.ORG").run().success();
}

#[test]
fn words_that_easyrsa_has_dropped_are_refused() {
    let world = World::with_pki();
    for word in ["soft", "hard"] {
        world.refuses(["-b", "init-pki", word], "is not supported");
    }
    world.refuses(["-b", "build-client-full", "jane", "inline"], "unknown command option `inline`");
}

#[test]
fn every_support_file_can_be_shown() {
    let world = World::empty();
    for (word, line) in [
        ("vars", "set_var EASYRSA_ALGO"),
        ("ssl-cnf", "$ENV::EASYRSA_PKI"),
        ("safe-cnf", "[ CA_default ]"),
        ("COMMON", "#"),
        ("ca", "keyCertSign"),
        ("server", "serverAuth"),
        ("serverClient", "clientAuth"),
        ("client", "clientAuth"),
        ("codeSigning", "codeSigning"),
        ("email", "emailProtection"),
    ] {
        world.run(["write", word]).success().shows(line);
    }
}

#[test]
fn keys_of_openvpn_go_by_every_name_of_their_command() {
    let label = |word: &str| format!("# Easy-RSA TLS-{word} Key\n");
    for (command, begins) in [
        ("gen-tls-auth", label("AUTH")),
        ("gen-tls-auth-key", label("AUTH")),
        ("gen-tls-crypt", label("CRYPT")),
        ("gen-tls-crypt-key", label("CRYPT")),
    ] {
        let world = World::with_pki();
        world.run([command]).success();
        assert!(world.text("pki/private/easyrsa-tls.key").starts_with(&begins), "{command}");
    }
    for command in ["gen-tls-crypt-v2", "gen-tls-cryptv2"] {
        let world = World::with_pki();
        world.run([command]).success();
        let key = world.text("pki/private/easyrsa-tls.tls-crypt-v2-server");
        assert!(key.contains("BEGIN OpenVPN tls-crypt-v2 server key"), "{key}");
    }
}
