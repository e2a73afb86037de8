// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gen-req` and `import-req`: requests of our own and of others.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

#[test]
fn a_request_comes_with_its_key() {
    let world = World::with_pki();
    world.run(["-b", "gen-req", "www.example.net", "nopass"]).success().says("pki/reqs/www.example.net.req");
    assert_eq!(world.mode("pki/private/www.example.net.key"), 0o600);
    let request = ["req", "-noout", "-verify", "-subject", "-pubkey", "-in", "pki/reqs/www.example.net.req"];
    let shown = world.openssl(request).success().stdout;
    assert!(shown.contains("subject=CN = www.example.net"), "{shown}");
    let key = world.openssl(["pkey", "-pubout", "-in", "pki/private/www.example.net.key"]).success().stdout;
    assert!(shown.contains(&key), "the request is for another key: {shown}\n{key}");
}

#[test]
fn its_names_are_those_of_the_options() {
    let world = World::with_pki();
    let options = ["-b", "--req-cn=Jane Doe", "--san=DNS:a.example.net", "--subject-alt-name=IP:192.0.2.1"];
    world
        .run(options.into_iter().chain(["gen-req", "jane", "--san", "DNS:b.example.net", "nopass"]))
        .success();
    let shown = world.openssl(["req", "-noout", "-text", "-in", "pki/reqs/jane.req"]).success().stdout;
    assert!(shown.contains("CN = Jane Doe"), "{shown}");
    assert!(shown.contains("DNS:a.example.net, IP Address:192.0.2.1, DNS:b.example.net"), "{shown}");
}

#[test]
fn its_key_is_encrypted_unless_told_otherwise() {
    let world = World::with_pki();
    world.refuses(["-b", "gen-req", "www"], "there is no terminal to ask");
    world.certkeep(["-b", "--passout=env:P", "gen-req", "www"]).env("P", "geheim").run().success();
    assert!(world.text("pki/private/www.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    world.openssl(["pkey", "-noout", "-passin", "pass:geheim", "-in", "pki/private/www.key"]).success();
}

#[test]
fn a_key_that_exists_is_not_lost_to_batch() {
    let world = World::with_request();
    world.refuses(["-b", "gen-req", "www.example.net", "nopass"], "reqs/www.example.net.req");
    world.refuses(["gen-req", "www.example.net", "nopass"], "not confirmed");
    world.remove("pki/reqs/www.example.net.req");
    world.refuses(["-b", "gen-req", "www.example.net", "nopass"], "private/www.example.net.key");
}

#[test]
fn two_times_yes_overwrites_a_request_and_its_key() {
    let world = World::with_request();
    let before = world.read("pki/private/www.example.net.key");
    let again = ["--req-cn=www.example.net", "gen-req", "www.example.net", "nopass"];
    let outcome = world.certkeep(again).input("yes\nyes\nwww.example.net\n").run().success();
    outcome.says("Confirm request overwrite: ").says("Confirm key overwrite: ");
    assert_ne!(before, world.read("pki/private/www.example.net.key"));
    let before = world.snapshot();
    world.certkeep(again).input("yes\nno\n").run().refused("not confirmed");
    world.certkeep(again).input("yes\nyes\n").run().refused("standard input ended");
    before.assert_same(&world.snapshot());
}

/// Names that no file may have, and what is said of them.
fn bad_names() -> Vec<(String, &'static str)> {
    let holds = ["../x", "a/b", "/etc/x", "a\nb", "a\u{1b}[2J", "a\tb", "a\u{7f}"];
    let mut names: Vec<(String, &str)> = holds.map(|name| (name.to_owned(), "the name `")).to_vec();
    names.extend(["..", ".", ".hidden"].map(|name| (name.to_owned(), "the name `")));
    names.push(("n".repeat(300), "the name is "));
    names.push(("\u{4e2d}".repeat(90), "the name is "));
    names
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let world = World::with_certificate();
    world.write("outside.req", world.read("pki/reqs/www.example.net.req"));
    for (name, fact) in bad_names() {
        let commands: [&[&str]; 12] = [
            &["gen-req", &name, "nopass"],
            &["import-req", "outside.req", &name],
            &["sign-req", "server", &name],
            &["build-server-full", &name, "nopass"],
            &["build-client-full", &name, "nopass"],
            &["build-serverClient-full", &name, "nopass"],
            &["--nopass", "issue", "server", &name],
            &["revoke", &name],
            &["revoke-issued", &name, "superseded"],
            &["show-req", &name],
            &["show-cert", &name],
            &["verify-cert", &name],
        ];
        for command in commands {
            world.refuses(["-b"].iter().chain(command), fact);
        }
    }
}

#[test]
fn an_empty_name_or_one_that_looks_like_an_option_is_refused() {
    let world = World::with_request();
    for (name, fact) in
        [("", "the name is empty"), ("-x", "unexpected argument '-x'"), ("-", "the name `-` starts with `-`")]
    {
        world.refuses(["-b", "gen-req", name, "nopass"], fact);
        // An empty argument at the end is none, as for easy-rsa.
        let at_the_end = if name.is_empty() { "<NAME>" } else { fact };
        world.refuses(["-b", "sign-req", "server", name], at_the_end);
        world.refuses(["-b", "show-req", name, "full"], fact);
    }
    world.refuses(["-b", "sign-req", "server", "--"], "<NAME>");
    world.refuses(["-b", "show-req", "--"], "<NAME>");
    world.refuses(["-b", "gen-req", "--", "-x", "nopass"], "the name `-x` starts with `-`");
}

#[test]
fn the_name_of_the_ca_is_not_for_others() {
    let world = World::with_ca();
    for command in
        [["gen-req", "ca", "nopass"], ["build-server-full", "ca", "nopass"], ["issue", "client", "ca"]]
    {
        world.refuses(["-b", "--nopass"].iter().chain(&command), "the name `ca` is reserved");
    }
    world.run(["-b", "--nopass", "gen-req", "sub"]).success();
    world.refuses(["-b", "import-req", "pki/reqs/sub.req", "ca"], "the name `ca` is reserved");
    world.refuses(["-b", "sign-req", "ca", "CA"], "the name `ca` is reserved");
}

/// easy-rsa files a sub-CA's request under the name of its file.
#[test]
fn revoking_a_certificate_called_ca_leaves_the_key_of_the_ca() {
    let world = World::with_ca();
    world.run(["-b", "--nopass", "gen-req", "sub"]).success();
    world.shell("mv pki/reqs/sub.req pki/reqs/ca.req").run().success();
    world.easyrsa(["--batch", "sign-req", "client", "ca"]).success();
    let key = world.text("pki/private/ca.key");
    world.run(["-b", "revoke", "ca", "superseded"]).success();
    assert_eq!(world.text("pki/private/ca.key"), key);
    world.run(["-b", "gen-crl"]).success();
}

#[test]
fn two_requests_of_one_name_at_once_are_one_request_and_one_refusal() {
    let world = World::with_pki();
    let command = "\"$0\" -b --algo=rsa --keysize=3072 gen-req race nopass";
    let script = format!("{command} & first=$!; {command}; second=$?; wait $first; echo $? $second");
    let ended = world.shell(&script).run().success().stdout;
    let codes: Vec<&str> = ended.split_whitespace().collect();
    assert!(codes.contains(&"0") && codes.contains(&"1"), "{codes:?}");
    let of_key = world.openssl(["pkey", "-pubout", "-in", "pki/private/race.key"]).success().stdout;
    let of_request = world.openssl(["req", "-noout", "-pubkey", "-in", "pki/reqs/race.req"]).success().stdout;
    assert_eq!(of_key, of_request);
}

#[test]
fn a_request_may_come_as_pem_or_der_from_a_file_or_a_pipe() {
    let world = World::with_request();
    let pem = world.read("pki/reqs/www.example.net.req");
    let der = ["req", "-outform", "der", "-in", "pki/reqs/www.example.net.req", "-out", "request.der"];
    world.openssl(der).success();
    let der = world.read("request.der");
    let text = ["req", "-text", "-in", "pki/reqs/www.example.net.req", "-out", "request.txt"];
    world.openssl(text).success();
    world.write("request.pem", &pem);
    let crlf = String::from_utf8(pem.clone()).expect("PEM is text").replace('\n', "\r\n");
    world.write("request.crlf", crlf);
    for (file, input, name) in [
        ("request.pem", &[][..], "a"),
        ("request.der", &[], "b"),
        ("request.txt", &[], "c"),
        ("request.crlf", &[], "d"),
        ("-", &pem, "e"),
        ("-", &der, "f"),
    ] {
        let outcome = world.certkeep(["import-req", file, name]).input(input).run().success();
        outcome.says("filed the request of CN=www.example.net");
        assert_eq!(world.read(&format!("pki/reqs/{name}.req")), pem, "{file} {name}");
    }
}

#[test]
fn a_request_that_is_there_is_not_imported_over() {
    let world = World::with_request();
    world.copy("pki/reqs/www.example.net.req", "in.req");
    world.refuses(["-b", "import-req", "in.req", "www.example.net"], "exists already");
}

#[test]
fn what_is_no_request_is_not_imported() {
    let world = World::with_certificate();
    let good = world.text("pki/reqs/www.example.net.req");
    world.write("empty", "");
    world.write("text", "dear jane\n");
    world.write("armour", "-----BEGIN CERTIFICATE REQUEST-----\n@@@@\n-----END CERTIFICATE REQUEST-----\n");
    world.write("cut", &good[..good.len() / 2]);
    world.write("zeros", [0; 4096]);
    world.write("sequence", [0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30]);
    world.write("deep", [0x30, 0x80].repeat(50_000));
    world.copy("pki/ca.crt", "certificate");
    world.copy("pki/private/ca.key", "key");
    for file in [
        "empty",
        "text",
        "armour",
        "cut",
        "zeros",
        "sequence",
        "deep",
        "certificate",
        "key",
        "nowhere",
        "pki",
    ] {
        world.refuses(["-b", "import-req", file, "new"], file);
    }
    world.refuses(["-b", "import-req", "-", "new"], "-: it is not a certificate signing request");
}

#[test]
fn an_endless_file_is_refused() {
    let world = World::with_pki();
    world.refuses(["-b", "import-req", "/dev/zero", "new"], "longer than 16 MiB");
}

#[test]
fn a_request_whose_maker_has_no_key_is_refused() {
    let world = World::with_request();
    world
        .openssl(["req", "-outform", "der", "-in", "pki/reqs/www.example.net.req", "-out", "r.der"])
        .success();
    let mut forged = world.read("r.der");
    let last = forged.last_mut().expect("a request is not empty");
    *last ^= 1;
    world.write("forged.der", &forged);
    world.openssl(["req", "-inform", "der", "-in", "forged.der", "-out", "forged.pem"]).success();
    world.refuses(["-b", "import-req", "forged.der", "forged"], "signature");
    world.copy("forged.pem", "pki/reqs/forged.req");
    world.refuses(["-b", "sign-req", "server", "forged"], "signature");
}

#[test]
fn a_hostile_subject_does_not_reach_the_terminal() {
    let world = World::with_ca();
    let subject = "/CN=evil\u{1b}]0;owned\u{7}\u{202e}\r\nerror: all is well\u{9b}2J";
    let make = ["req", "-new", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    world.openssl(make.into_iter().chain(["-keyout", "k", "-out", "evil.req", "-subj", subject])).success();
    world.run(["-b", "import-req", "evil.req", "evil"]).success().harmless();
    for arguments in [&["show-req", "evil"][..], &["show-req", "evil", "--format=json"]] {
        world.run(arguments).success().harmless();
    }
    world
        .certkeep(["--san=DNS:e.example.net", "sign-req", "server", "evil"])
        .input("no\n")
        .run()
        .refused("not confirmed");
    world.run(["-b", "--san=DNS:e.example.net", "sign-req", "server", "evil"]).success().harmless();
    for arguments in
        [&["show-cert", "evil"][..], &["verify-cert", "evil"], &["-b", "revoke", "evil"], &["gen-crl"]]
    {
        world.run(arguments).success().harmless();
    }
    for row in world.rows() {
        assert!(row.is_ascii() && row.split('\t').count() == 6, "{row:?}");
    }
}

#[test]
fn a_key_on_secp256k1_is_made_and_certified() {
    let world = World::with_pki();
    let curve = ["-b", "--algo=ec", "--curve=secp256k1"];
    world.run(curve.iter().chain(&["build-ca", "nopass"])).success();
    world.run(curve.iter().chain(&["build-client-full", "jane", "nopass"])).success();
    world.run(["-b", "gen-crl"]).success();
    world.refuses(["-b", "--digest=sha512", "gen-crl"], "EC secp256k1 cannot sign with sha512");
    let foreign = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:secp256k1",
        "-nodes",
        "-keyout",
        "k",
        "-subj",
        "/CN=joe",
    ];
    world.openssl(["req", "-new", "-out", "joe.csr"].iter().chain(&foreign)).success();
    world.run(["import-req", "joe.csr", "joe"]).success();
    world.run(["-b", "sign-req", "client", "joe"]).success();
    for name in ["jane", "joe"] {
        let file = format!("pki/issued/{name}.crt");
        world
            .openssl(["verify", "-crl_check", "-CAfile", "pki/ca.crt", "-CRLfile", "pki/crl.pem", &file])
            .success();
        world.run(["verify-cert", name]).success();
    }
}

#[test]
fn a_request_for_a_key_that_nobody_here_has_says_what_to_use() {
    let world = World::with_ca();
    for (kind, option, named) in [
        ("ed448", "", "Ed448"),
        ("ec", "ec_paramgen_curve:brainpoolP256r1", "EC brainpoolP256r1"),
        ("ec", "ec_paramgen_curve:brainpoolP512r1", "EC brainpoolP512r1"),
    ] {
        let mut arguments = vec!["req", "-new", "-newkey", kind, "-nodes", "-keyout", "k", "-subj", "/CN=x"];
        arguments.extend(["-out", "x.csr"]);
        if !option.is_empty() {
            arguments.extend(["-pkeyopt", option]);
        }
        world.openssl(arguments).success();
        world.refuses(["import-req", "x.csr", "x"], named);
        let refused = world.run(["import-req", "x.csr", "x"]).refused("cannot be checked");
        refused.says("use a key that it has: RSA");
    }
}
