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

#[test]
fn the_inventory_holds_everything_once() {
    let world = World::with_ca();
    for name in ["web", "twice", "gone", "aside"] {
        world.run(["-b", "--nopass", "issue", "server", name, &format!("{name}.example.net")]).success();
    }
    world.run(["-b", "revoke", "gone", "keyCompromise"]).success();
    world.run(["-b", "renew", "twice"]).success();
    world.run(["-b", "expire", "aside"]).success();
    world.run(["-b", "gen-crl"]).success();
    // A row without a file, files without a row, files that are none.
    let row = "V\t291231235959Z\t\t0BAD\tunknown\t/O=x/CN=lost\n";
    world.write("pki/index.txt", world.text("pki/index.txt") + row);
    let other = World::with_pki();
    other.run(["-b", "--req-cn=Other CA", "build-ca", "nopass"]).success();
    world.write("pki/issued/foreign.crt", other.read("pki/ca.crt"));
    world.write("pki/issued/broken.crt", "no certificate");
    world.write("pki/issued/-odd name.crt", world.read("pki/issued/web.crt"));
    world.write("pki/certs_by_serial/77.pem", [0xff, 0x30, 0]);

    let before = world.snapshot();
    let list = world.run(["list", "--format", "json"]).json();
    let of = |name: &str| {
        let all = list["certificates"].as_array().expect("a list").iter();
        let found: Vec<_> = all.filter(|one| one["name"] == name).cloned().collect();
        found
    };
    let only = |name: &str| match <[_; 1]>::try_from(of(name)) {
        Ok([one]) => one,
        Err(found) => panic!("{name}: {found:?}"),
    };
    assert_eq!((&only("ca")["role"], &only("ca")["type"]), (&"ca".into(), &"ca".into()));
    assert_eq!(only("ca")["key"], "plaintext");
    // Two files of one certificate, under two names, are one entry.
    let web = of("web").into_iter().chain(of("-odd name")).next().expect("listed");
    assert_eq!(of("web").len() + of("-odd name").len(), 1);
    assert_eq!(web["files"].as_array().map(Vec::len), Some(3));
    assert_eq!(web["subject_alt_names"][1], "DNS:web.example.net");
    let states: Vec<_> = of("twice").iter().map(|one| one["status"].clone()).collect();
    assert_eq!(states, ["valid", "renewed"]);
    assert_eq!(
        (&only("gone")["revocation_reason"], &only("gone")["key"]),
        (&"keyCompromise".into(), &"plaintext".into())
    );
    assert_eq!(only("aside")["status"], "put-aside");
    assert_eq!(only("lost")["remarks"][0]["kind"], "no-file");
    let remarks: Vec<_> = only("foreign")["remarks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["kind"].clone())
        .collect();
    assert_eq!(remarks, ["no-row", "other-issuer"]);
    for name in ["broken", "77"] {
        assert_eq!(only(name)["status"], "unreadable", "{name}");
    }
    let openssl = world.openssl(["x509", "-in", "pki/issued/twice.crt", "-noout", "-fingerprint", "-sha256"]);
    let print =
        openssl.success().stdout.trim().rsplit('=').next().expect("digits").replace(':', "").to_lowercase();
    assert!(of("twice").iter().any(|one| one["sha256"] == print), "{list}");

    for format in ["text", "csv", "ics", "prometheus", "html"] {
        world.run(["list", "--format", format]).success();
    }
    before.assert_same(&world.snapshot());
    world.refuses(["list", "--format", "pem"], "does not have this form");
    world.refuses(["list", "--expiring", "soon"], "30d, 6w, 3m or 1y");
}

#[test]
fn the_inventory_is_filtered_and_sorted() {
    let world = World::with_ca();
    for (days, kind, name) in [("20", "server", "soon"), ("400", "client", "later"), ("90", "server", "mid")]
    {
        world.run(["-b", "--nopass", &format!("--days={days}"), "issue", kind, name]).success();
    }
    world.run(["-b", "revoke", "mid"]).success();
    let names = |words: &[&str]| {
        let outcome = world.run(["list"].iter().chain(words)).success();
        let lines = outcome.stdout.lines().skip(1);
        lines.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&[]), "ca later mid soon");
    assert_eq!(names(&["--no-ca", "--reverse"]), "soon mid later");
    assert_eq!(names(&["--expiring", "30d"]), "soon");
    assert_eq!(names(&["--expiring=2y", "--sort=expiry"]), "soon later");
    assert_eq!(names(&["--expiring=1y", "--status=valid,revoked", "--sort", "expiry"]), "soon mid");
    assert_eq!(names(&["--type", "server,ca"]), "ca mid soon");
    assert_eq!(names(&["--name", "?i*"]), "mid");
    assert_eq!(names(&["--status", "expired"]), "");
    world.run(["list"]).success().says("4 certificates: 3 valid, 1 revoked");
    assert_eq!(world.run(["--silent", "list"]).success().stderr, "");
    world.remove("pki/ca.crt");
    assert_eq!(names(&[]), "later mid soon");
    World::with_pki().run(["list"]).success().says("no certificate fits");
    World::empty().refuses(["list"], "is not a PKI directory");
}

#[test]
fn the_inventory_of_easyrsas_own_trees_fits() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/easyrsa/3.1.0");
    for story in ["root-ec", "root-p256", "root-rsa", "root-ed", "sequential", "org", "passphrase"] {
        let pki = fixtures.join(story).display().to_string();
        let world = World::empty();
        let list = world.run(["list", "--format=json", &format!("--pki={pki}")]).json();
        let certificates = list["certificates"].as_array().expect("a list");
        let rows = std::fs::read_to_string(fixtures.join(story).join("index.txt")).expect("an index");
        assert_eq!(certificates.len(), 1 + rows.lines().count(), "{story}: {list}");
        for certificate in certificates {
            // Only what is missing from the fixtures themselves may be remarked on.
            assert!(certificate["sha256"].is_string(), "{story}: {certificate}");
            assert_eq!(certificate["remarks"].as_array().map(Vec::len), Some(0), "{story}: {certificate}");
        }
    }
}

#[test]
fn the_inventory_reads_the_folders_of_older_versions() {
    let world = World::with_certificate();
    let serial = world.last_serial();
    world.run(["-b", "--nopass", "issue", "client", "jane"]).success();
    for (from, to) in [
        ("pki/issued/www.example.net.crt", format!("pki/renewed/certs_by_serial/{serial}.crt")),
        ("pki/private/www.example.net.key", format!("pki/renewed/private_by_serial/{serial}.key")),
        ("pki/reqs/www.example.net.req", format!("pki/renewed/reqs_by_serial/{serial}.req")),
    ] {
        world.copy(from, &to);
        world.remove(from);
    }
    world.remove(&format!("pki/certs_by_serial/{serial}.pem"));
    let list = world.run(["list", "--format=json", "--status=renewed"]).json();
    let old = &list["certificates"][0];
    assert_eq!(
        (&old["name"], &old["key"], &old["request"]),
        (&"www.example.net".into(), &"plaintext".into(), &"plaintext".into()),
        "{list}"
    );
    assert_eq!(old["remarks"].as_array().map(Vec::len), Some(0), "{list}");
}

#[test]
fn a_table_on_a_terminal_is_as_wide_as_that() {
    let world = World::with_certificate();
    let mut screen = world.converse_in_shell("stty cols 60; \"$0\" list");
    screen.expect("NAME");
    let shown = screen.succeeds();
    let lines: Vec<&str> = shown.lines().map(str::trim_end).filter(|line| line.contains("valid")).collect();
    assert!(lines.len() >= 2 && lines.iter().all(|line| line.chars().count() <= 60), "{shown}");
    assert!(!shown.contains("SHA-256"), "{shown}");
    assert!(world.run(["list"]).success().stdout.contains("SHA-256"));
}
