// SPDX-License-Identifier: MIT OR Apache-2.0
//! What callers' scripts throw at easy-rsa, and what people type: odd names, odd
//! subjects, odd passphrases, options where they say nothing. Where easy-rsa takes
//! it, certkeep does, and what comes of it is the same.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::{Outcome, World};

/// Names that both take.
const NAMES: &[&str] = &[
    "two words",
    "a.b.c",
    "jane@example.net",
    "*.example.net",
    "it's",
    "say \"hi\"",
    "$HOME",
    "a=b",
    "a,b",
    "a;b",
    "a&b|c",
    "(paren)",
    "50%",
    "#comment",
    "a#b",
    "a:b",
    "<tag>",
    "[x] {y}?",
    "~home",
    "`id`",
    "$(id)",
    "a+b",
    "'quoted'",
    "\u{fc}n\u{ef}",
    "\u{65e5}\u{672c}",
    "\u{1f512}",
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
];

/// easy-rsa, in a PKI of its own, quick.
fn easyrsa(world: &World, arguments: &[&str]) -> Outcome {
    let quick = ["--batch", "--pki-dir=theirs", "--use-algo=ec", "--curve=prime256v1"];
    world.easyrsa(quick.iter().chain(arguments))
}

/// Two PKIs side by side: `pki`, and `theirs` of easy-rsa.
fn side_by_side() -> World {
    let world = World::with_ca();
    easyrsa(&world, &["init-pki"]).success();
    easyrsa(&world, &["build-ca", "nopass"]).success();
    world
}

/// The subject of a certificate, with the encoding of each value.
fn subject(world: &World, file: &str) -> String {
    let shown = ["x509", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,show_type", "-in", file];
    world.openssl(shown).success().stdout
}

/// The subject as index.txt has it.
fn row(world: &World, index: &str) -> String {
    let rows = world.text(index);
    let last = rows.lines().last().expect("a row").to_owned();
    last.split('\t').nth(5).expect("a subject").to_owned()
}

#[test]
fn odd_names_become_the_subjects_that_easyrsa_makes_of_them() {
    let world = side_by_side();
    for name in NAMES {
        world.run(["-b", "build-client-full", name, "nopass"]).success();
        easyrsa(&world, &["build-client-full", name, "nopass"]).success();
        let [ours, theirs] =
            ["pki", "theirs"].map(|pki| subject(&world, &format!("{pki}/issued/{name}.crt")));
        assert_eq!(ours, theirs, "{name}");
        assert_eq!(row(&world, "pki/index.txt"), row(&world, "theirs/index.txt"), "{name}");
    }
}

#[test]
fn odd_names_live_a_whole_life() {
    let world = World::with_ca();
    for name in ["two words", "it's \"it\"", "$(id)=1", "a,b+c", "\u{65e5}\u{672c}", "'quoted'", "*.%#"] {
        world.run(["-b", "gen-req", name, "nopass"]).success();
        for command in [
            &["show-req", name][..],
            &["sign-req", "client", name],
            &["show-cert", name],
            &["verify-cert", name],
            &["inline", name],
            &["--passout=pass:geheim", "export-p12", name],
            &["export-p7", name],
            &["renew", name],
            &["revoke-renewed", name, "superseded"],
            &["show-expire", name],
            &["expire", name],
            &["sign-req", "client", name],
            &["revoke-expired", name],
            &["revoke-issued", name],
        ] {
            world.run(["-b"].iter().chain(command)).success();
        }
        let left = world.snapshot().files("pki/");
        assert!(!left.iter().any(|file| file.contains(name)), "{left:?}");
    }
}

/// PKCS#12 knows 65,536 characters; openssl gives up on the others too.
#[test]
fn a_name_that_pkcs12_cannot_write_can_be_replaced() {
    let world = World::with_ca();
    let name = "\u{1f512}";
    world.run(["-b", "build-client-full", name, "nopass"]).success();
    let export = ["-b", "--passout=pass:geheim", "export-p12", name];
    world.refuses(export, "has characters that PKCS#12 cannot write");
    world.run(export.iter().chain(&["nofn"])).success();
    world.run(export.iter().chain(&["--usefn=lock"])).success();
}

#[test]
fn easyrsa_goes_on_with_odd_names() {
    let world = World::with_ca();
    let names = ["two words", "a=b", "it's", "$HOME", "\u{65e5}\u{672c}"];
    for name in names {
        world.run(["-b", "build-client-full", name, "nopass"]).success();
    }
    let quick = ["--batch", "--pki-dir=pki", "--use-algo=ec", "--curve=prime256v1"];
    world.easyrsa(quick.iter().chain(&["build-client-full", "jane", "nopass"])).success();
    for name in names {
        world.easyrsa(quick.iter().chain(&["revoke", name])).success();
    }
    world.easyrsa(quick.iter().chain(&["gen-crl"])).success();
    world.run(["verify-cert", "jane"]).success().shows("Status: GOOD");
}

/// Names that are no names of files, or lead elsewhere; easy-rsa takes some of them.
const REFUSED: &[&str] = &[
    "",
    "-x",
    "--batch",
    ".hidden",
    "..",
    "a/b",
    "../x",
    "/abs",
    "a\\b",
    " x",
    "x ",
    "a\nb",
    "a\tb",
    "x\u{200b}",
];

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let world = World::with_ca();
    for name in REFUSED {
        // Behind `--` nothing is an option.
        world.refuses(["-b", "gen-req", "--", name, "nopass"], "name");
        world.refuses(["-b", "build-client-full", "--", name, "nopass"], "name");
    }
    world.refuses(["-b", "gen-req", &"n".repeat(201), "nopass"], "the name is ");
    // A common name has 64 characters at most (RFC 5280, ub-common-name); a file name may have more.
    world.refuses(["-b", "gen-req", &"n".repeat(65), "nopass"], "64");
    world.run(["-b", "--req-cn=short", "gen-req", &"n".repeat(200), "nopass"]).success();
}

#[test]
fn odd_values_stand_in_a_subject_as_easyrsa_writes_them() {
    for values in [
        ["DE", "Nordrhein-Westfalen", "K\u{f6}ln, Altstadt", "Acme, Inc.", "Ops = Dev", "ca@example.net"],
        ["US", "a; b", "x: y", "It's \"ours\"", "50% off", "a.b@example.net"],
        ["FR", "#1", "a<b>c", "back", "(x) [y] {z}", "jane@example.net"],
    ] {
        let world = World::empty();
        let [c, st, city, org, ou, email] = values;
        let options = [
            "--dn-mode=org".to_owned(),
            format!("--req-c={c}"),
            format!("--req-st={st}"),
            format!("--req-city={city}"),
            format!("--req-org={org}"),
            format!("--req-ou={ou}"),
            format!("--req-email={email}"),
        ];
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        for command in [&["init-pki"][..], &["build-ca", "nopass"], &["build-client-full", "jane", "nopass"]]
        {
            world.run(["-b"].iter().chain(&options).chain(command)).success();
            easyrsa(&world, &[&options[..], command].concat()).success();
        }
        for file in ["ca.crt", "issued/jane.crt"] {
            let [ours, theirs] = ["pki", "theirs"].map(|pki| subject(&world, &format!("{pki}/{file}")));
            assert_eq!(ours, theirs, "{file}");
        }
        assert_eq!(row(&world, "pki/index.txt"), row(&world, "theirs/index.txt"));
    }
}

/// Passphrases, as they stand in a file or a variable.
const PASSPHRASES: &[&str] = &[
    "geheim",
    "geheim\n",
    "geheim\r\n",
    "geheim\nmore\n",
    " leading and trailing ",
    "tab\tinside",
    "it's \"quoted\"",
    "$HOME `id` \\n",
    "a=b#c",
    "-dash",
    "\u{fc}n\u{ef}c\u{f6}d\u{e9}",
    "pass:geheim",
];

#[test]
fn odd_passphrases_are_those_that_openssl_reads() {
    for passphrase in PASSPHRASES {
        let world = World::with_pki();
        world.write("secret", passphrase);
        let opens = |source: &str, key: &str| {
            let run = world.shell(&format!("openssl pkey -noout -passin {source} -in {key} <secret"));
            run.env("SECRET", passphrase).run().success();
        };
        // Only where lines end do the places differ.
        let sources = ["file:secret", "stdin", "env:SECRET"];
        let sources = if passphrase.contains("geheim") { &sources[..] } else { &sources[..1] };
        for (name, source) in ["a", "b", "c"].into_iter().zip(sources) {
            let passout = format!("--passout={source}");
            let run = world.certkeep(["-b", &passout, "gen-req", name]).env("SECRET", passphrase);
            run.input(*passphrase).run().success();
            opens(source, &format!("pki/private/{name}.key"));
        }
        // And those that openssl protects a key with are read by us from the same place.
        for source in sources {
            let protect =
                format!("openssl pkey -aes256 -passout {source} -in plain.key -out theirs.key <secret");
            world.openssl(["genpkey", "-algorithm", "ed25519", "-out", "plain.key"]).success();
            world.shell(&protect).env("SECRET", passphrase).run().success();
            let passin = format!("--passin={source}");
            let run = world.certkeep(["-b", &passin, "set-pass", "theirs.key", "file", "nopass"]);
            run.env("SECRET", passphrase).input(*passphrase).run().success();
            assert_eq!(world.text("theirs.key"), world.text("plain.key"), "{passphrase:?} {source}");
        }
    }
}

/// A life in which every command has two empty arguments behind it, and passphrases
/// before it that most have no use for.
const EVERY_COMMAND: &[&[&str]] = &[
    &["init-pki"],
    &["build-ca", "nopass"],
    &["gen-tls-crypt-key"],
    &["gen-dh"],
    &["gen-req", "srv", "nopass"],
    &["show-req", "srv"],
    &["--san=DNS:srv.example.net", "sign-req", "server", "srv"],
    &["--san=IP:0.0.0.0", "--san=IP:255.255.255.255", "build-server-full", "any", "nopass"],
    &["build-client-full", "cli", "nopass"],
    &["build-serverClient-full", "both.example.net", "nopass"],
    &["show-cert", "cli"],
    &["show-ca"],
    &["verify-cert", "cli"],
    &["inline", "cli"],
    &["renew", "srv"],
    &["revoke-renewed", "srv"],
    &["expire", "srv"],
    &["--san=DNS:srv.example.net", "sign-req", "server", "srv", "nopass"],
    &["revoke-expired", "srv"],
    &["renew", "srv", "nopass"],
    &["revoke", "cli"],
    &["gen-crl"],
    &["show-crl"],
    &["update-db"],
    &["show-expire"],
    &["show-revoke"],
    &["show-renew"],
    &["export-p7", "srv"],
    &["export-p12", "srv"],
    &["export-p8", "srv"],
    &["export-p1", "srv"],
    &["set-pass", "srv"],
    &["import-req", "pki/reqs/srv.req", "other"],
    &["import-ca", "pki/ca.crt"],
    &["show-eku", "srv"],
    &["display-dn", "x509", "pki/ca.crt"],
    &["serial", "01"],
    &["rand", "8"],
    &["show-host"],
    &["write", "vars"],
    &["write", "legacy"],
    &["renew-ca"],
    &["version"],
    &["help"],
    &[],
];

#[test]
fn every_command_takes_empty_arguments_and_passphrases_without_a_use() {
    let world = World::empty();
    for command in EVERY_COMMAND {
        let front = ["-b", "--passin=pass:unneeded", "--passout=pass:unneeded"];
        // A passphrase for a new key outweighs `nopass`, as for easy-rsa.
        let passphrases = if command.contains(&"nopass") { &front[..2] } else { &front[..] };
        world.run(passphrases.iter().chain(*command).chain(&["", ""])).success();
    }
    let shown = world.openssl(["x509", "-noout", "-ext", "subjectAltName", "-in", "pki/issued/any.crt"]);
    shown.success().shows("IP Address:0.0.0.0, IP Address:255.255.255.255");
}

#[test]
fn a_pki_may_lie_in_a_folder_with_an_odd_name() {
    for folder in ["my pki", "it's", "a=b", "$HOME", "#1", "\u{fc}", "-dash", "a/b c/d"] {
        let world = World::empty();
        std::fs::create_dir_all(world.path("a/b c")).expect("folders");
        let pki = format!("--pki={folder}");
        for command in [
            &["init-pki"][..],
            &["--req-cn=My Own CA", "build-ca", "nopass"],
            &["--req-cn=Jane Doe", "gen-req", "jane", "nopass"],
            &["sign-req", "client", "jane"],
            &["gen-crl"],
            &["verify-cert", "jane"],
        ] {
            world.run(["-b", &pki].iter().chain(command)).success();
        }
        assert!(world.exists(&format!("{folder}/issued/jane.crt")));
    }
}

#[test]
fn a_leaf_may_outlive_its_ca_where_easyrsa_lets_it() {
    let world = World::with_pki();
    let set = "--profile-set=easyrsa";
    world.run(["-b", set, "--days=1", "build-ca", "nopass"]).success();
    world
        .run(["-b", set, "--days=365", "build-client-full", "jane", "nopass"])
        .success()
        .says("outlives its CA");
    let strict = world.run(["-b", "--days=365", "build-client-full", "joe", "nopass"]);
    strict.refused("after its CA on");
}

#[test]
fn a_ca_file_may_hold_a_chain() {
    let world = World::empty();
    for command in [
        &["--pki=root", "init-pki"][..],
        &["--pki=root", "--req-cn=Root", "build-ca", "nopass"],
        &["--pki=sub", "init-pki"],
        &["--pki=sub", "--req-cn=Sub", "build-ca", "subca", "nopass"],
        &["--pki=root", "import-req", "sub/reqs/ca.req", "sub"],
        &["--pki=root", "sign-req", "ca", "sub"],
    ] {
        world.run(["-b"].iter().chain(command)).success();
    }
    let chain = world.text("root/issued/sub.crt") + &world.text("root/ca.crt");
    // easy-rsa leaves a text in front of each.
    world.write("sub/ca.crt", format!("Certificate:\n    Data:\n{chain}"));
    world.run(["-b", "--pki=sub", "build-client-full", "jane", "nopass"]).success();
    world.run(["--pki=sub", "verify-cert", "jane"]).success().shows("CN=Root");
    world.run(["--pki=sub", "show-ca"]).success().shows("CN=Sub");
    world.run(["-b", "--pki=sub", "inline", "jane"]).success();
    let inline = world.text("sub/inline/private/jane.inline");
    let block = inline.split("<ca>").nth(1).and_then(|rest| rest.split("</ca>").next()).expect("a block");
    assert_eq!(block.matches("BEGIN CERTIFICATE").count(), 2, "{inline}");
}

#[test]
fn switches_come_from_the_environment_too() {
    let world = World::with_ca();
    let build = ["--san=DNS:a.example.net", "build-server-full", "a", "nopass"];
    let crit = world.certkeep(build).env("EASYRSA_SAN_CRIT", "critical,").env("EASYRSA_BATCH", "1");
    crit.run().success();
    let shown = world.openssl(["x509", "-noout", "-ext", "subjectAltName", "-in", "pki/issued/a.crt"]);
    shown.success().shows("Subject Alternative Name: critical");
    world.certkeep(["revoke", "a"]).env("EASYRSA_BATCH", "").run().refused("not confirmed");
    world.certkeep(["revoke", "a"]).env("EASYRSA_BATCH", "1").run().success();
}

#[test]
fn a_vars_file_may_hold_what_scripts_put_there() {
    let world = World::with_pki();
    world.write(
        "pki/vars",
        "# comment with 'quotes' and \"more\"\n#set_var EASYRSA_ALGO ec\n\n\
         \tset_var\tEASYRSA_ALGO\t\tec # behind a value\n\
         set_var EASYRSA_CURVE\t\"prime256v1\"\n\
         set_var EASYRSA_DN \"org\"\n\
         set_var EASYRSA_REQ_ORG \"M\u{fc}ller & S\u{f6}hne #1\"\n\
         set_var EASYRSA_REQ_OU 'It costs 5\\$'\n\
         set_var EASYRSA_REQ_CITY \"$TOWN\"\n\
         set_var EASYRSA_REQ_EMAIL \"\"\n\
         set_var EASYRSA_REQ_CN \"${TOWN} CA\"\n",
    );
    world.certkeep(["-b", "build-ca", "nopass"]).env("TOWN", "Bremen").run().success();
    let shown = subject(&world, "pki/ca.crt");
    for part in
        ["M\u{fc}ller & S\u{f6}hne #1", "L=UTF8STRING:Bremen", "CN=UTF8STRING:Bremen CA", "It costs 5$"]
    {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("emailAddress"), "{shown}");
}
