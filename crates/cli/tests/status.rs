// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reports on the index, and the small commands that show or write one thing.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

#[test]
fn what_expires_was_revoked_or_renewed_is_listed() {
    let world = World::with_ca();
    for (days, name) in [("20", "soon"), ("400", "later"), ("400", "twice"), ("400", "gone")] {
        world.run(["-b", "--nopass", &format!("--days={days}"), "issue", "client", name]).success();
    }
    world.run(["-b", "revoke", "gone", "superseded"]).success();
    let twice = world.rows()[2].split('\t').nth(3).expect("a number").to_owned();
    world.run(["-b", "--days=500", "renew", "twice"]).success();
    let soon = world.run(["show-expire"]).success().stdout;
    assert_eq!(soon.lines().count(), 1, "{soon}");
    assert!(soon.starts_with("V | Serial: ") && soon.ends_with("Z | CN: soon\n"), "{soon}");
    let all = world.run(["--days=4000", "show-expire"]).success().says("CA certificate will expire on");
    assert_eq!(all.stdout.lines().count(), 4, "{all}");
    // After a renewal each of the two has its own date, and the old row the old one.
    let both = world.run(["--days=4000", "show-expire", "twice"]).success().stdout;
    let dates: Vec<&str> = both.lines().filter_map(|line| line.split(" | ").nth(2)).collect();
    assert!(dates.len() == 2 && dates[0] < dates[1], "{both}");
    world.run(["show-expire", "nobody"]).success().says("nothing to show of nobody");
    let revoked = world.run(["show-revoke"]).success().stdout;
    assert!(
        revoked.starts_with("R | Serial: ") && revoked.ends_with(" | Reason: superseded | CN: gone\n"),
        "{revoked}"
    );
    let renewed = world.run(["show-renew"]).success().stdout;
    assert!(renewed.starts_with(&format!("V | Serial: {twice} | Expires: ")), "{renewed}");
    assert_eq!(renewed.lines().count(), 1);
    let json = world.run(["--format=json", "show-revoke"]).json();
    assert_eq!(
        (&json[0]["common_name"], &json[0]["reason"]),
        (&"gone".into(), &"superseded".into()),
        "{json}"
    );
    let ended = world.run(["--days=0", "show-expire"]).success();
    assert_eq!(ended.stdout, "", "nothing has expired yet: {ended}");
    world.certkeep(["show-expire"]).env("EASYRSA_PRE_EXPIRY_WINDOW", "10").run().success();
    World::with_pki().refuses(["show-expire"], "there is no CA");
}

#[test]
fn the_small_ones_answer() {
    let world = World::with_certificate();
    world.run(["show-eku", "www.example.net"]).success().shows("'server'");
    world.run(["x509-eku", "pki/issued/www.example.net.crt"]).success().shows("'server'");
    world.write("pki/x509-types/odd", "basicConstraints = CA:FALSE\nextendedKeyUsage = 1.2.3.4\n");
    world.run(["-b", "--nopass", "issue", "odd", "odd"]).success();
    world.refuses(["show-eku", "odd"], "UNKNOWN");
    let serial = world.rows()[0].split('\t').nth(3).expect("a number").to_owned();
    for text in [serial.clone(), serial.to_lowercase()] {
        world.run(["serial", &text]).success().shows(&format!("{serial}=Valid (V)"));
        world.refuses(["-b", "check-serial", &text], "is taken: Valid (V)");
    }
    world.run(["-b", "serial", "0ABC"]).success().shows("Serial 0ABC not present in db.");
    world.refuses(["serial", "xyz"], "hexadecimal");
    world.run(["display-dn", "x509", "pki/issued/www.example.net.crt"]).success().shows("= www.example.net");
    world.run(["display-dn", "req", "pki/reqs/www.example.net.req"]).success().shows("= www.example.net");
    world.refuses(["display-dn", "x509", "pki/reqs/www.example.net.req"], "there is no certificate in it");
    world.refuses(["display-dn", "crl", "pki/ca.crt"], "neither `req` nor `x509`");
    let one = world.run(["rand", "16"]).success().stdout;
    assert!(one.len() == 33 && one.trim().bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    assert_ne!(one, world.run(["random", "16"]).success().stdout);
    for bytes in ["0", "08", "x", "99999999"] {
        world.certkeep(["rand", bytes]).run().refused("");
    }
    World::empty().run(["show-host"]).success().shows("Version: ");
}

#[test]
fn commands_that_easyrsa_has_dropped_say_what_to_do_instead() {
    let world = World::with_ca();
    for (command, instead) in [
        ("verify", "verify-cert"),
        ("upgrade", "as it is"),
        ("rebuild", "issue TYPE NAME"),
        ("rewind-renew", "revoke-renewed"),
        ("renewable", "show-expire"),
        ("make-safe-ssl", "write safe-cnf"),
        ("mss", "write safe-cnf"),
        ("make-vars", "write vars"),
        ("display-san", "show-cert"),
        ("default-san", "--auto-san"),
        ("display-cn", "display-dn"),
    ] {
        world.certkeep(["-b", command, "x"]).run().refused("is not there any more").says(instead);
    }
    world.refuses(["frobnicate"], "unrecognized subcommand");
}

#[test]
fn dh_groups_are_those_that_openssl_knows() {
    let world = World::with_pki();
    for bits in ["2048", "3072", "4096", "6144", "8192"] {
        world.run([&format!("--keysize={bits}"), "gen-dh"]).success().says(&format!("ffdhe{bits}"));
        let shown = world.openssl(["dhparam", "-check", "-text", "-noout", "-in", "pki/dh.pem"]).success();
        shown.says("DH parameters appear to be ok.").shows(&format!("GROUP: ffdhe{bits}"));
        world.refuses(["-b", "gen-dh"], "exists already");
        world.refuses(["gen-dh"], "not confirmed");
        world.remove("pki/dh.pem");
    }
    world.refuses(["--keysize=2000", "gen-dh"], "RFC 7919 has no group of 2000 bits");
    world.refuses(["--keysize=1024", "gen-dh", "fresh"], "a prime of 1024 bits is not possible");
    world.run(["gen-dh"]).success().says("ffdhe3072");
}

/// The search takes seconds to minutes, so it is cut short; its primes are looked
/// at where it is written.
#[test]
fn a_search_that_is_cut_short_leaves_nothing() {
    let world = World::with_pki();
    let before = world.snapshot();
    let script = "timeout --signal=INT 1 \"$0\" --keysize=8192 gen-dh fresh || exit 3";
    world.shell(script).run().failed().says("searching a safe prime of 8192 bits");
    before.assert_same(&world.snapshot());
}

#[test]
fn support_files_serve_easyrsa_and_certkeep() {
    for set in ["strict", "easyrsa"] {
        let world = World::with_pki();
        let set = format!("--profile-set={set}");
        world.run(["-b", &set, "build-ca", "nopass"]).success();
        let built_in = |world: &World, name: &str| {
            world.run(["-b", &set, "--nopass", "issue", "serverClient", name]).success();
            let shown = [
                "x509",
                "-noout",
                "-ext",
                "basicConstraints,keyUsage,extendedKeyUsage,subjectKeyIdentifier",
                "-in",
            ];
            let text =
                world.openssl(shown.iter().copied().chain([format!("pki/issued/{name}.crt").as_str()]));
            text.success()
                .stdout
                .lines()
                .filter(|line| !line.contains(':') || line.contains("CA:FALSE"))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let before = built_in(&world, "one.example.net");
        world.run([&set, "write", "legacy"]).success().says("x509-types/COMMON");
        world.write("pki/x509-types/client", "# mine\n");
        world.run([&set, "write", "legacy"]).success().says("there already");
        assert_eq!(world.text("pki/x509-types/client"), "# mine\n");
        world.refuses([&set, "write", "legacy-hard"], "not confirmed");
        world.run(["-b", &set, "write", "legacy-hard"]).success();
        assert_eq!(built_in(&world, "two.example.net"), before);
        for name in ["COMMON", "ca", "client", "codeSigning", "email", "server", "serverClient"] {
            let shown = world.run([&set, "write", name]).success().stdout;
            assert_eq!(shown, world.text(&format!("pki/x509-types/{name}")));
        }
        assert_eq!(world.run(["write", "vars"]).success().stdout, world.text("pki/vars.example"));
        // easy-rsa finds everything it needs in the PKI.
        let easyrsa = "/usr/share/easy-rsa/easyrsa --batch --pki-dir=pki --use-algo=ec --curve=prime256v1";
        let script = format!(
            "{easyrsa} --subject-alt-name=DNS:jane.example.net build-client-full jane nopass && {easyrsa} gen-crl"
        );
        world
            .shell(&script)
            .env("EASYRSA_SSL_CONF", world.path("pki/openssl-easyrsa.cnf"))
            .env("EASYRSA_EXT_DIR", world.path("pki/x509-types"))
            .run()
            .success();
        world.run(["verify-cert", "jane"]).success().shows("GOOD");
        world
            .openssl(["x509", "-noout", "-ext", "subjectAltName", "-in", "pki/issued/jane.crt"])
            .success()
            .shows("jane.example.net");
        let safe = world.run(["write", "safe-cnf"]).success().stdout;
        assert!(
            !safe.contains("$ENV")
                || safe.lines().all(|line| line.starts_with('#') || !line.contains("$ENV")),
            "{safe}"
        );
        world.write("safe.cnf", safe);
        world
            .openssl([
                "req", "-config", "safe.cnf", "-batch", "-new", "-newkey", "ed25519", "-nodes", "-keyout",
                "x.key", "-out", "x.req",
            ])
            .success();
        world.refuses(["write", "frobnicate"], "there is no file of the type `frobnicate`");
    }
}
