// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sign-req`, `build-*-full` and `issue`: what is signed, and what is not.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

/// A certificate in openssl's words.
fn shown(world: &World, name: &str) -> String {
    world.openssl(["x509", "-noout", "-text", "-in", &format!("pki/issued/{name}.crt")]).success().stdout
}

/// Type, more options, and what openssl shows of the certificate.
const TYPES: &[(&str, &[&str], &[&str])] = &[
    ("server", &[], &["TLS Web Server Authentication", "CA:FALSE", "DNS:www.example.net"]),
    ("client", &[], &["TLS Web Client Authentication", "CA:FALSE"]),
    ("serverClient", &[], &["TLS Web Server Authentication, TLS Web Client Authentication"]),
    ("codeSigning", &[], &["Code Signing"]),
    ("email", &["--san=email:jane@example.net"], &["E-mail Protection", "email:jane@example.net"]),
    ("ca", &[], &["CA:TRUE", "Certificate Sign, CRL Sign"]),
    ("ca", &["--subca-len=0"], &["CA:TRUE, pathlen:0"]),
    ("ca", &["--subca-len", "3"], &["CA:TRUE, pathlen:3"]),
];

#[test]
fn every_type_has_its_extensions() {
    for (kind, options, extensions) in TYPES {
        let world = World::with_request();
        let common: &[&str] = if matches!(*kind, "server" | "serverClient") { &["--auto-san"] } else { &[] };
        let sign = ["sign-req", *kind, "www.example.net"];
        world
            .run(["-b"].iter().chain(common).chain(*options).chain(&sign))
            .success()
            .says("issued CN=www.example.net");
        let text = shown(&world, "www.example.net");
        for extension in *extensions {
            assert!(text.contains(extension), "{extension} of {kind} {options:?} in {text}");
        }
        world
            .openssl(["verify", "-x509_strict", "-CAfile", "pki/ca.crt", "pki/issued/www.example.net.crt"])
            .success();
    }
}

#[test]
fn a_certificate_is_filed_by_name_and_by_serial() {
    let world = World::with_request();
    world.run(["-b", "--auto-san", "sign", "server", "www.example.net"]).success();
    let serial = world.last_serial();
    let filed = format!("pki/certs_by_serial/{serial}.pem");
    assert_eq!(world.read("pki/issued/www.example.net.crt"), world.read(&filed));
    let row = world.rows().concat();
    assert!(
        row.starts_with("V\t") && row.ends_with(&format!("\t\t{serial}\tunknown\t/CN=www.example.net")),
        "{row}"
    );
    assert_eq!(world.text("pki/index.txt.attr").trim(), "unique_subject = no");
    let by_openssl = ["x509", "-noout", "-serial", "-in", "pki/issued/www.example.net.crt"];
    world.openssl(by_openssl).success().shows(&format!("serial={serial}"));
}

#[test]
fn serial_numbers_are_counted_when_random_ones_are_not_wanted() {
    let world = World::with_ca();
    for (name, serial) in [("a", "01"), ("b", "02"), ("c", "03")] {
        world
            .certkeep(["-b", "build-client-full", name, "nopass"])
            .env("EASYRSA_RAND_SN", "no")
            .run()
            .success();
        assert_eq!(world.last_serial(), serial);
    }
    assert_eq!(world.text("pki/serial"), "04\n");
}

#[test]
fn a_type_may_come_from_a_file() {
    let world = World::with_request();
    world.write("pki/x509-types/vpn", "basicConstraints = CA:FALSE\nextendedKeyUsage = 1.2.3.4\n");
    world.run(["-b", "sign-req", "vpn", "www.example.net"]).success();
    assert!(shown(&world, "www.example.net").contains("1.2.3.4"));
    let other = World::with_request();
    other.write("types/client", "extendedKeyUsage = 1.2.3.5\n");
    let sign = other.certkeep(["-b", "sign-req", "client", "www.example.net"]);
    sign.env("EASYRSA_EXT_DIR", other.path("types")).run().success();
    assert!(shown(&other, "www.example.net").contains("1.2.3.5"));
}

/// Arguments that sign nothing, and why.
const REFUSED: &[(&[&str], &str)] = &[
    (&["sign-req", "frobnicate", "www.example.net"], "frobnicate"),
    (&["sign-req", "COMMON", "www.example.net"], "COMMON"),
    (&["sign-req", "selfsign", "www.example.net"], "selfsign"),
    (&["sign-req", "../server", "www.example.net"], ""),
    (&["sign-req", "", "www.example.net"], ""),
    (&["sign-req", "kdc", "www.example.net"], "realm"),
    (&["sign-req", "server", "nobody"], "there is no request `nobody`"),
    (&["sign-req", "server"], "<NAME>"),
    (&["sign-req"], "<TYPE>"),
    (&["sign-req", "server", "www.example.net", "frobnicate"], "unknown command option `frobnicate`"),
    (&["--auto-san", "--days=0", "sign-req", "server", "www.example.net"], "at least 1"),
    (&["--auto-san", "--days=010", "sign-req", "server", "www.example.net"], "leading zeros"),
    (&["--auto-san", "--days=-1", "sign-req", "server", "www.example.net"], "days"),
    (&["--auto-san", "--days=ten", "sign-req", "server", "www.example.net"], "days"),
    (&["--auto-san", "--days=36500", "sign-req", "server", "www.example.net"], "after its CA on"),
    (
        &[
            "--auto-san",
            "--startdate=20300101000000Z",
            "--enddate=20290101000000Z",
            "sign-req",
            "server",
            "www.example.net",
        ],
        "before it begins",
    ),
    (&["--auto-san", "--startdate=20290101000000Z", "sign-req", "server", "www.example.net"], "end"),
    (&["--auto-san", "--enddate=20200101000000Z", "sign-req", "server", "www.example.net"], "has passed"),
    (
        &["--auto-san", "--enddate=20991231235959Z", "sign-req", "server", "www.example.net"],
        "after its CA on",
    ),
    (&["--auto-san", "--enddate=tomorrow", "sign-req", "server", "www.example.net"], "tomorrow"),
    (
        &["--auto-san", "--enddate=20290230000000Z", "sign-req", "server", "www.example.net"],
        "20290230000000Z",
    ),
    (&["--san=DNS:", "sign-req", "server", "www.example.net"], ""),
    (&["--san=IP:300.1.1.1", "sign-req", "server", "www.example.net"], "300.1.1.1"),
    (&["--san=FOO:bar", "sign-req", "server", "www.example.net"], "FOO"),
    (&["--san=DNS:a b", "sign-req", "server", "www.example.net"], ""),
    (&["--digest=md5", "--auto-san", "sign-req", "server", "www.example.net"], "`md5`"),
    (&["--subca-len=256", "sign-req", "ca", "www.example.net"], "path length"),
    (&["--subca-len=01", "sign-req", "ca", "www.example.net"], "leading zeros"),
    (&["--passin=geheim", "--auto-san", "sign-req", "server", "www.example.net"], "--passin cannot be used"),
    (&["--nosuch", "sign-req", "server", "www.example.net"], "--nosuch"),
    (&["--days", "--auto-san", "sign-req", "server", "www.example.net"], "days"),
    (&["--pki=", "sign-req", "server", "www.example.net"], "--pki"),
    (&["--pki=nowhere", "sign-req", "server", "www.example.net"], "nowhere"),
    (&["--vars=nowhere", "sign-req", "server", "www.example.net"], "nowhere"),
    (&["build-server-full", "www.example.net", "nopass"], "exists already"),
    (&["build-server-full", "x", "inline"], "unknown command option `inline`"),
    (&["build-server-full"], "<NAME>"),
    (&["--nopass", "issue", "server", "www.example.net"], "exists already"),
    (&["--nopass", "issue", "frobnicate", "x"], "frobnicate"),
    (&["--nopass", "issue", "server", "x", "not a name"], "not a name"),
    (&["--keysize=1024", "--algo=rsa", "build-client-full", "x", "nopass"], "1024"),
    (&["--algo=dsa", "build-client-full", "x", "nopass"], "dsa"),
    (&["--curve=secp112r1", "build-client-full", "x", "nopass"], "`secp112r1`"),
    (
        &["build-client-full", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", "nopass"],
        "64",
    ),
    (
        &[
            "gen-req",
            "x",
            "nopass",
            "--req-cn=nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
        ],
        "64",
    ),
    (&["--dn-mode=org", "--req-c=Germany", "gen-req", "x", "nopass"], "country"),
    (&["--req-cn=", "gen-req", "x", "nopass"], "--req-cn"),
    (&["frobnicate"], "frobnicate"),
    (&["--umask=999", "gen-req", "x", "nopass"], "octal"),
    (&["--umask=777", "gen-req", "x", "nopass"], "--umask"),
];

#[test]
fn what_makes_no_sense_is_refused_and_leaves_no_trace() {
    let world = World::with_request();
    for (arguments, fact) in REFUSED {
        world.refuses(["--batch"].iter().chain(*arguments), fact);
    }
}

#[test]
fn a_certificate_that_is_there_is_never_overwritten() {
    let world = World::with_certificate();
    for command in ["sign-req", "sign"] {
        world.refuses(
            ["-b", command, "server", "www.example.net"],
            "issued/www.example.net.crt exists already",
        );
    }
    for command in ["build-server-full", "build-client-full", "build-serverClient-full"] {
        world.refuses(["-b", command, "www.example.net", "nopass"], "exists already");
    }
    world.refuses(["-b", "issue", "client", "www.example.net"], "exists already");
}

#[test]
fn the_easyrsa_set_lets_a_certificate_outlive_its_ca_with_a_warning() {
    let world = World::with_request();
    let long = ["-b", "--profile-set=easyrsa", "--days=36500", "sign-req", "server", "www.example.net"];
    world.run(long).success().says("warning:").says("outlives its CA");
}

#[test]
fn a_default_validity_ends_with_the_ca() {
    let world = World::with_pki();
    world.run(["-b", "--days=10", "build-ca", "nopass"]).success();
    world.run(["-b", "build-server-full", "www.example.net", "nopass"]).success().says("ends with its CA");
    let ends = ["x509", "-noout", "-checkend", "864001", "-in", "pki/issued/www.example.net.crt"];
    world.openssl(ends).failed();
}

#[test]
fn dates_are_obeyed_to_the_second() {
    let world = World::with_request();
    let dates = ["-b", "--auto-san", "--startdate=20270102030405Z", "--enddate=20280102030405Z"];
    world.run(dates.into_iter().chain(["sign-req", "server", "www.example.net"])).success();
    let shown = shown(&world, "www.example.net");
    assert!(shown.contains("Not Before: Jan  2 03:04:05 2027 GMT"), "{shown}");
    assert!(shown.contains("Not After : Jan  2 03:04:05 2028 GMT"), "{shown}");
}

#[test]
fn key_request_and_certificate_come_in_one_go() {
    for (command, usage) in [
        ("build-client-full", "TLS Web Client Authentication"),
        ("build-server-full", "TLS Web Server Authentication"),
        ("build-serverClient-full", "TLS Web Server Authentication, TLS Web Client Authentication"),
    ] {
        let world = World::with_ca();
        world.run(["-b", command, "www.example.net", "nopass"]).success();
        assert!(shown(&world, "www.example.net").contains(usage), "{command}");
        for file in ["private/www.example.net.key", "reqs/www.example.net.req", "issued/www.example.net.crt"]
        {
            assert_eq!(world.mode(&format!("pki/{file}")), 0o600, "{file}");
        }
        let from_key = world.openssl(["pkey", "-pubout", "-in", "pki/private/www.example.net.key"]).success();
        let from_certificate = ["x509", "-noout", "-pubkey", "-in", "pki/issued/www.example.net.crt"];
        assert_eq!(from_key.stdout, world.openssl(from_certificate).success().stdout);
    }
}

#[test]
fn issue_takes_every_name_it_is_given() {
    let world = World::with_ca();
    for (number, option) in ["--auto-san", "--copy-ext", "--san=DNS:c.example.net"].into_iter().enumerate() {
        let name = format!("www{number}.example.net");
        world.run(["-b", option, "issue", "server", &name, "a.example.net", "10.0.0.1", "nopass"]).success();
        let shown = shown(&world, &name);
        for wanted in ["DNS:a.example.net", "IP Address:10.0.0.1"] {
            assert!(shown.contains(wanted), "{option}: {shown}");
        }
        assert!(!shown.contains("DNS:nopass"), "{shown}");
    }
}

#[test]
fn the_path_length_of_a_sub_ca_does_not_limit_the_root() {
    let world = World::with_pki();
    world.run(["-b", "--subca-len=0", "build-ca", "nopass"]).success();
    let text = world.openssl(["x509", "-noout", "-text", "-in", "pki/ca.crt"]).success().stdout;
    assert!(text.contains("CA:TRUE") && !text.contains("pathlen"), "{text}");
}

#[test]
fn what_is_shown_before_a_signature_is_all_that_is_signed() {
    let world = World::with_ca();
    world.write(
        "hostile.cnf",
        "[req]\ndistinguished_name=d\nreq_extensions=e\nprompt=no\n[d]\nCN=h, O=Example\n[e]\n\
         certificatePolicies=1.2.3.4,@p\n[p]\npolicyIdentifier=1.3.5.8\nCPS.1=http://cps.example/\n",
    );
    let request =
        ["req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", "h.key", "-config", "hostile.cnf"];
    world.openssl(request.into_iter().chain(["-out", "h.req"])).success();
    world.run(["import-req", "h.req", "h"]).success();
    let asked = world.run(["--profile-set=easyrsa", "--copy-ext", "sign-req", "client", "h"]).failed();
    asked.says("DER:").says("CN=h\\, O\\=Example");
}

#[test]
fn issue_guesses_the_kind_of_an_alternative_name() {
    let world = World::with_ca();
    let names = [
        "10.0.0.1",
        "2001:db8::1",
        "*.example.net",
        "jane@example.net",
        "https://example.net/",
        "IP:192.0.2.7",
    ];
    world.run(["-b", "--nopass", "issue", "server", "www.example.net"].into_iter().chain(names)).success();
    let shown = shown(&world, "www.example.net");
    for name in [
        "DNS:www.example.net",
        "IP Address:10.0.0.1",
        "IP Address:2001:DB8:0:0:0:0:0:1",
        "DNS:*.example.net",
        "email:jane@example.net",
        "URI:https://example.net/",
        "IP Address:192.0.2.7",
    ] {
        assert!(shown.contains(name), "{name} in {shown}");
    }
}

#[test]
fn preserve_keeps_the_order_of_a_subject() {
    for (words, subject) in
        [(&["preserve"][..], "CN = www, O = Acme, C = DE"), (&[], "C = DE, O = Acme, CN = www")]
    {
        let world = World::with_ca();
        let make =
            ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k"];
        world.openssl(make.into_iter().chain(["-subj", "/CN=www/O=Acme/C=DE", "-out", "r"])).success();
        world.run(["import-req", "r", "www"]).success();
        let sign = ["-b", "--profile-set=easyrsa", "--dn-mode=org", "sign-req", "client", "www"];
        world.run(sign.iter().chain(words)).success();
        let shown = shown(&world, "www");
        assert!(shown.contains(&format!("Subject: {subject}")), "{words:?}: {shown}");
    }
}

#[test]
fn nothing_dangerous_is_copied_from_a_request() {
    let world = World::with_ca();
    let make =
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k"];
    let extensions = [
        "-subj",
        "/CN=evil",
        "-out",
        "r",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=keyCertSign",
        "-addext",
        "extendedKeyUsage=codeSigning",
        "-addext",
        "subjectAltName=DNS:e.example.net",
    ];
    world.openssl(make.into_iter().chain(extensions)).success();
    world.run(["import-req", "r", "evil"]).success();
    world.run(["-b", "--copy-ext", "sign-req", "server", "evil"]).success();
    let shown = shown(&world, "evil");
    assert!(shown.contains("CA:FALSE") && shown.contains("DNS:e.example.net"), "{shown}");
    for bad in ["CA:TRUE", "Certificate Sign", "Code Signing"] {
        assert!(!shown.contains(bad), "{bad} in {shown}");
    }
}

#[test]
fn the_passphrase_of_the_ca_may_come_from_five_places() {
    let world = World::with_encrypted_ca("geheim");
    world.write("secret", "geheim\n");
    let arguments = |source: &str, name: &str| {
        vec![
            "-b".to_owned(),
            format!("--passin={source}"),
            "build-client-full".into(),
            name.into(),
            "nopass".into(),
        ]
    };
    world.run(arguments("pass:geheim", "a")).success();
    world.run(arguments("file:secret", "b")).success();
    world.certkeep(arguments("env:P", "c")).env("P", "geheim").run().success();
    world.certkeep(arguments("stdin", "d")).input("geheim\n").run().success();
    world.shell("\"$0\" -b --passin=fd:3 build-client-full e nopass 3<secret").run().success();
    world
        .certkeep(["-b", "build-client-full", "f", "nopass"])
        .env("EASYRSA_PASSIN", "pass:geheim")
        .run()
        .success();
    for source in
        ["pass:wrong", "pass:", "env:NOWHERE", "file:nowhere", "fd:77", "stdin", "file:pki", "fd:x", "geheim"]
    {
        let before = world.snapshot();
        let outcome = world.run(arguments(source, "x")).refused("");
        before.assert_same(&world.snapshot());
        assert!(!outcome.stderr.contains("geheim") || source == "geheim", "{outcome}");
    }
}

#[test]
fn a_wrong_passphrase_is_told_apart_from_a_damaged_key() {
    let world = World::with_encrypted_ca("geheim");
    world.refuses(["--passin=pass:falsch", "gen-crl"], "private/ca.key: wrong passphrase");
    world.refuses(["--passin=pass:falsch", "gen-crl"], "--passin");
}
