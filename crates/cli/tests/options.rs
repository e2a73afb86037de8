// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options and settings in all their spellings and places, umask, `--dry-run`,
//! `quickstart`.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use std::fs;

use world::World;

/// Ways to make a CA that is called Acme and says nothing.
const SPELLINGS: &[&[&str]] = &[
    &["--batch", "--silent", "--nopass", "--req-cn=Acme", "build-ca"],
    &["-b", "-s", "--no-pass", "--req-cn", "Acme", "build-ca"],
    &["-b", "-s", "-S", "build-ca", "nopass", "--req-cn=Acme"],
    &["-bsS", "build-ca", "--nopass", "--req-cn", "Acme"],
    &["--sbatch", "--req-cn=Acme", "build-ca", "nopass"],
    &["--sb", "--req-cn=Acme", "build-ca", "nopass"],
    &["build-ca", "nopass", "--silent-batch", "--req-cn=Acme"],
    &["--batch=1", "--silent=yes", "--nopass=x", "--req-cn=Acme", "build-ca"],
    &["--sbatch=", "--req-cn=Acme", "build-ca", "nopass"],
    &["--sbatch", "--silent-ssl", "--req-cn=Acme", "build-ca", "nopass", "", ""],
    &["--sbatch", "--req-cn=Beta", "--req-cn=Acme", "build-ca", "nopass"],
    &["--sbatch", "--pki=pki", "--req-cn=Acme", "build-ca", "nopass"],
    &["--sbatch", "--pki-dir=pki", "--req-cn=Acme", "build-ca", "nopass"],
    &[
        "--sbatch",
        "--req-cn=Acme",
        "--no-lockfile",
        "--nolockfile",
        "--no-inline",
        "--noinline",
        "build-ca",
        "nopass",
    ],
    &["--sbatch", "--req-cn=Acme", "--tmp-dir=/nowhere", "--notext", "--no-text", "build-ca", "nopass"],
];

#[test]
fn an_option_may_be_spelled_in_many_ways() {
    for arguments in SPELLINGS {
        let world = World::with_pki();
        let outcome = world.run(*arguments).success();
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""), "{outcome}");
        let shown = world.openssl(["x509", "-noout", "-subject", "-in", "pki/ca.crt"]).success();
        assert_eq!(shown.stdout, "subject=CN = Acme\n", "{arguments:?}");
    }
}

#[test]
fn verbose_says_more_and_silent_nothing() {
    for verbose in ["-v", "--verbose", "--verbose=1"] {
        let world = World::with_pki();
        world
            .run(["-b", verbose, "build-ca", "nopass"])
            .success()
            .says("wrote ca.crt")
            .says("wrote private/ca.key");
    }
    let world = World::with_ca();
    let silent = world.run(["-b", "-s", "gen-req", "x", "nopass"]).success();
    assert_eq!(silent.stderr, "");
    world.run(["-s", "show-req", "nobody"]).refused("there is no request");
}

#[test]
fn empty_arguments_at_the_end_say_nothing() {
    let world = World::with_ca();
    for arguments in [
        &["-b", "gen-req", "www", "nopass", "", ""][..],
        &["-b", "--san=DNS:www.example.net", "sign-req", "server", "www", "", ""],
        &["-b", "build-client-full", "jane", "nopass", "", ""],
        &["show-cert", "jane", "", ""],
        &["verify-cert", "jane", "", ""],
        &["-b", "revoke", "jane", "", ""],
        &["gen-crl", "", ""],
        &["update-db", "", ""],
        &["show-ca", "", ""],
        &["show-crl", "", ""],
        &["version", "", ""],
        &["help", "", ""],
        &["", ""],
    ] {
        world.run(arguments).success();
    }
}

/// Umask of the shell and options, then the modes of a public file, a folder of
/// public files, and the CA's key.
const UMASKS: &[(&str, &[&str], u32, u32)] = &[
    ("022", &[], 0o600, 0o700),
    ("077", &["--umask=022"], 0o644, 0o755),
    ("077", &["--umask", "0027"], 0o640, 0o750),
    ("022", &["--no-umask"], 0o644, 0o755),
    ("027", &["--noumask"], 0o640, 0o750),
    ("000", &["--no-umask"], 0o666, 0o777),
    ("000", &[], 0o600, 0o700),
];

#[test]
fn public_files_follow_the_umask_and_keys_do_not() {
    for (shell, options, file, folder) in UMASKS {
        let world = World::empty();
        for command in ["init-pki", "build-ca nopass", "build-server-full www.example.net nopass", "gen-crl"]
        {
            let script = format!("umask {shell}; exec \"$0\" -b {} {command}", options.join(" "));
            world.shell(&script).run().success();
        }
        for public in ["ca.crt", "issued/www.example.net.crt", "crl.pem", "crl.der", "vars.example"] {
            assert_eq!(world.mode(&format!("pki/{public}")), *file, "{shell} {options:?} {public}");
        }
        for public in ["", "issued", "certs_by_serial"] {
            assert_eq!(world.mode(&format!("pki/{public}")), *folder, "{shell} {options:?} {public}");
        }
        for secret in ["ca", "www.example.net"] {
            assert_eq!(
                world.mode(&format!("pki/private/{secret}.key")),
                0o600,
                "{shell} {options:?} {secret}"
            );
        }
        assert_eq!(world.mode("pki/private"), 0o700, "{shell} {options:?}");
    }
}

#[test]
fn a_published_file_keeps_the_mode_it_was_given() {
    let world = World::with_certificate();
    world.run(["gen-crl"]).success();
    world.shell("chmod 0644 pki/crl.pem pki/crl.der && \"$0\" gen-crl").run().success();
    assert_eq!((world.mode("pki/crl.pem"), world.mode("pki/crl.der")), (0o644, 0o644));
}

/// The common name of a new CA: files to write, environment, options, and who wins.
type Case = (
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    &'static str,
);
const PRECEDENCE: &[Case] = &[
    (&[], &[], &[], "Easy-RSA CA"),
    (&[("pki/vars", "set_var EASYRSA_REQ_CN pki-vars\n")], &[], &[], "pki-vars"),
    (&[("vars", "set_var EASYRSA_REQ_CN here-vars\n")], &[], &[], "here-vars"),
    (
        &[("pki/vars", "set_var EASYRSA_REQ_CN pki-vars\n"), ("vars", "set_var EASYRSA_REQ_CN here-vars\n")],
        &[],
        &[],
        "pki-vars",
    ),
    (&[("pki/vars", "set_var EASYRSA_REQ_CN pki-vars\n")], &[("EASYRSA_REQ_CN", "env")], &[], "env"),
    (
        &[("pki/vars", "set_var EASYRSA_REQ_CN pki-vars\n")],
        &[("EASYRSA_REQ_CN", "env")],
        &["--req-cn=opt"],
        "opt",
    ),
    (&[("pki/vars", "set_var EASYRSA_REQ_CN pki-vars\n")], &[], &["--req-cn=opt"], "opt"),
    (
        &[("other", "set_var EASYRSA_REQ_CN other\n"), ("pki/vars", "set_var EASYRSA_REQ_CN pki-vars\n")],
        &[],
        &["--vars=other"],
        "other",
    ),
    (
        &[("other", "set_var EASYRSA_REQ_CN other\n"), ("pki/vars", "set_var EASYRSA_REQ_CN pki-vars\n")],
        &[("EASYRSA_VARS_FILE", "other")],
        &[],
        "other",
    ),
    (&[("pki/vars", "set_var EASYRSA_REQ_CN pki-vars\n")], &[("EASYRSA_NO_VARS", "1")], &[], "Easy-RSA CA"),
    (&[("pki/vars", "set_var EASYRSA_REQ_CN 'Jane''s CA'\n")], &[], &[], "Janes CA"),
    (&[("pki/vars", "set_var EASYRSA_REQ_CN pki-vars\r\n")], &[], &[], "pki-vars"),
    (
        &[(
            "pki/vars",
            "if [ -z \"$EASYRSA_CALLER\" ]; then\n  echo no >&2\n  return 1\nfi\nset_var EASYRSA_REQ_CN guarded\n",
        )],
        &[],
        &[],
        "guarded",
    ),
];

#[test]
fn an_option_outweighs_the_environment_which_outweighs_vars() {
    for (files, environment, options, name) in PRECEDENCE {
        let world = World::with_pki();
        for (file, text) in *files {
            world.write(file, text);
        }
        let build = ["-b", "build-ca", "nopass"];
        let run = world.certkeep(build.iter().chain(*options));
        environment.iter().fold(run, |run, (name, value)| run.env(name, value)).run().success();
        let shown = world.openssl(["x509", "-noout", "-subject", "-in", "pki/ca.crt"]).success().stdout;
        assert_eq!(shown, format!("subject=CN = {name}\n"), "{files:?} {environment:?} {options:?}");
    }
}

#[test]
fn the_environment_says_where_the_pki_is() {
    let world = World::empty();
    fs::create_dir(world.path("ca")).expect("a folder");
    fs::create_dir(world.path("elsewhere")).expect("a folder");
    world.certkeep(["-b", "init-pki"]).env("EASYRSA_PKI", world.path("there")).run().success();
    assert!(world.exists("there/private") && !world.exists("pki"));
    world
        .certkeep(["-b", "init-pki"])
        .env("EASYRSA", world.path("ca"))
        .within(world.path("elsewhere"))
        .run()
        .success();
    assert!(world.exists("ca/pki/private"));
    world.write("ca/vars", "set_var EASYRSA_REQ_CN ca-vars\n");
    let build = world.certkeep(["-b", "build-ca", "nopass"]).env("EASYRSA", world.path("ca"));
    build.within(world.path("elsewhere")).run().success();
    let shown = world.openssl(["x509", "-noout", "-subject", "-in", "ca/pki/ca.crt"]).success();
    assert_eq!(shown.stdout, "subject=CN = ca-vars\n");
    let both = world
        .certkeep(["--format=json", "--pki=there"])
        .env("EASYRSA_PKI", world.path("ca/pki"))
        .run()
        .json();
    assert!(both["pki"].as_str().is_some_and(|pki| pki.ends_with("/there")), "{both}");
}

#[test]
fn a_misspelt_variable_is_told_and_no_obstacle() {
    let world = World::with_pki();
    world.write("pki/vars", "set_var EASYRSA_CRT_EXPIRE 90\n");
    let told = world.run(["-b", "build-ca", "nopass"]).success();
    told.says("warning: EASYRSA_CRT_EXPIRE in the vars file is unknown");
    assert!(!world.run(["--silent", "show-ca"]).success().stderr.contains("EASYRSA_CRT_EXPIRE"));
}

/// Vars files that are not read, and what is said.
const BAD_VARS: &[(&str, &str)] = &[
    ("EASYRSA_REQ_CN=x\n", "set_var"),
    ("export EASYRSA_REQ_CN=x\n", "set_var"),
    ("set_var EASYRSA_REQ_CN $(id)\n", "line 1"),
    ("set_var EASYRSA_REQ_CN `id`\n", "line 1"),
    ("\n\nset_var EASYRSA_REQ_CN \"open\n", "is not closed"),
    ("set_var EASYRSA_PASSIN pass:geheim\n", "EASYRSA_PASSIN"),
    ("set_var EASYRSA_REQ_CN one two\n", "quotes"),
    ("touch pki/owned\n", "touch"),
    ("set_var EASYRSA_ALGO dsa\n", "dsa"),
    ("set_var EASYRSA_CA_EXPIRE soon\n", "soon"),
    ("set_var EASYRSA_CERT_EXPIRE -1\n", "-1"),
    ("set_var EASYRSA_PKI /tmp\n", "EASYRSA_PKI"),
    ("set_var\n", "set_var"),
    ("set_var EASYRSA_REQ_CN \u{1b}[2J; id\n", ""),
    ("\0\0\0", ""),
];

#[test]
fn a_vars_file_is_read_and_never_run() {
    for (text, fact) in BAD_VARS {
        let world = World::with_pki();
        world.write("pki/vars", text);
        world.refuses(["-b", "build-ca", "nopass"], fact);
    }
    let world = World::with_pki();
    world.write("pki/vars", [0xff, 0xfe, 0x00]);
    world.refuses(["-b", "build-ca", "nopass"], "UTF-8");
    world.remove("pki/vars");
    fs::create_dir(world.path("pki/vars")).expect("a folder");
    world.refuses(["-b", "--vars=pki/vars", "build-ca", "nopass"], "pki/vars");
}

#[test]
fn an_endless_vars_file_is_refused() {
    let world = World::with_pki();
    world.refuses(["-b", "--vars=/dev/zero", "build-ca", "nopass"], "longer than 16 MiB");
}

/// Arguments that change something, on a PKI with a CA, `www.example.net` and a request `jane`.
const WRITING: &[&[&str]] = &[
    &["gen-req", "new", "nopass"],
    &["import-req", "pki/reqs/jane.req", "new"],
    &["sign-req", "client", "jane"],
    &["build-client-full", "new", "nopass"],
    &["build-server-full", "new", "nopass"],
    &["build-serverClient-full", "new", "nopass"],
    &["--nopass", "issue", "server", "new", "10.0.0.1"],
    &["revoke", "www.example.net", "kc"],
    &["revoke-issued", "www.example.net"],
    &["gen-crl"],
    &["update-db"],
    &["init-pki"],
    &["--pki=new", "init-pki"],
    &["--pki=other", "build-ca", "nopass"],
    &["--pki=other", "build-ca", "subca", "nopass"],
    &["quickstart", "demo"],
];

#[test]
fn a_dry_run_writes_nothing() {
    let world = World::with_certificate();
    world.run(["-b", "gen-req", "jane", "nopass"]).success();
    world.run(["-b", "--pki=other", "init-pki"]).success();
    let row = world.text("pki/index.txt");
    let past = row.replace(row.split('\t').nth(1).expect("a date"), "200101000000Z");
    world.write("pki/index.txt", format!("{row}{}", past.replace("\t\t", "\t\tAB")));
    let before = world.snapshot();
    for arguments in WRITING {
        let outcome = world.run(["-b", "--dry-run"].iter().chain(*arguments)).success();
        assert!(outcome.stderr.contains("would "), "{outcome}");
        before.assert_same(&world.snapshot());
    }
    for arguments in WRITING {
        let world = World::with_certificate();
        world.run(["-b", "gen-req", "jane", "nopass"]).success();
        world.run(["-b", "--pki=other", "init-pki"]).success();
        world.write(
            "pki/index.txt",
            format!("{row}{}", past.replace("\t\t", "\t\tAB"))
                .replace(row.split('\t').nth(3).expect("a serial number"), &world.last_serial()),
        );
        let before = world.snapshot();
        world.run(["-b"].iter().chain(*arguments)).success();
        assert_ne!(
            before.changed(&world.snapshot()),
            Vec::<String>::new(),
            "{arguments:?} writes nothing anyway"
        );
    }
}

#[test]
fn a_dry_run_of_update_db_claims_nothing() {
    let world = World::with_certificate();
    let row = world.text("pki/index.txt");
    world.write("pki/index.txt", row.replace(row.split('\t').nth(1).expect("a date"), "200101000000Z"));
    let dry = world.run(["--dry-run", "update-db"]).success().says("would mark 1 certificate as expired");
    assert!(!dry.stderr.contains("marked"), "{dry}");
    world.run(["update-db"]).success().says("\nmarked 1 certificate as expired");
}

#[test]
fn a_dry_run_is_refused_for_the_same_reasons() {
    let world = World::with_certificate();
    for (arguments, fact) in [
        (&["sign-req", "server", "nobody"][..], "there is no request"),
        (&["build-server-full", "www.example.net", "nopass"], "exists already"),
        (&["revoke", "nobody"], "nobody"),
        (&["build-ca", "nopass"], "there is a CA"),
        (&["--days=99999", "build-client-full", "x", "nopass"], "after its CA"),
    ] {
        world.refuses(["-b", "--dry-run"].iter().chain(arguments), fact);
    }
}

#[test]
fn a_form_that_a_command_does_not_print_in_is_refused() {
    let world = World::empty();
    world.run(["init-pki"]).success();
    for (form, command, maker) in [
        ("csv", "doctor", "certkeep list"),
        ("html", "show-ca", "certkeep list"),
        ("sarif", "list", "certkeep guard"),
        ("github", "version", "certkeep guard"),
        ("ics", "guard", "certkeep list"),
    ] {
        world.run([&format!("--format={form}"), command]).refused("does not print in that form").says(maker);
    }
}

#[test]
fn a_curve_of_another_algorithm_is_explained() {
    let world = World::with_pki();
    let gen_req = ["gen-req", "x", "nopass"];
    let ed =
        world.certkeep(["-b", "--algo=ec"].into_iter().chain(gen_req)).env("EASYRSA_CURVE", "ed25519").run();
    ed.refused("`ed25519` belongs to the algorithm ed").says("`--algo=ed --curve=ed25519`");
    let ec = world.run(["-b", "--algo=ed", "--curve=prime256v1"].into_iter().chain(gen_req));
    ec.refused("`prime256v1` belongs to the algorithm ec").says("`--algo=ec --curve=prime256v1`");
    let rsa = world.run(["-b", "--algo=rsa", "--curve=prime256v1"].into_iter().chain(gen_req)).success();
    rsa.says("an rsa key has no curve: `prime256v1` is not used");
}

#[test]
fn quickstart_makes_a_whole_ca() {
    let world = World::empty();
    fs::create_dir(world.path("empty")).expect("a folder");
    for folder in ["demo", "empty"] {
        let value = world.run(["--format=json", "quickstart", folder]).success().json();
        let keys: Vec<&String> = value.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["repository", "member", "ca", "server", "client", "crl"]);
        let option = format!("--pki={folder}/pki");
        for name in ["localhost", "client"] {
            world.run([&option, "verify-cert", name]).success().shows("Status: GOOD");
            let (ca, leaf) = (format!("{folder}/pki/ca.crt"), format!("{folder}/pki/issued/{name}.crt"));
            world.openssl(["verify", "-x509_strict", "-CAfile", &ca, &leaf]).success();
        }
    }
    let text = world.run(["quickstart", "third"]).success();
    text.shows("Next, for example:").says("until `certkeep lock`");
}

#[test]
fn quickstart_refuses_what_is_not_empty() {
    let world = World::with_ca();
    world.refuses(["quickstart", "pki"], "is not empty");
    world.refuses(["quickstart", "."], "is not empty");
    world.refuses(["quickstart", "no/such/place"], "cannot make the folder");
    world.write("file", "");
    world.refuses(["quickstart", "file"], "file");
    world.refuses(["quickstart"], "<DIRECTORY>");
    world.refuses(["quickstart", "demo", "--curve=soft"], "`soft`");
    assert!(!world.exists("demo"));
}

#[test]
fn quickstart_takes_no_passphrase() {
    let world = World::empty();
    for options in
        [&["--passout=pass:geheim"][..], &["--passin=pass:geheim"], &["--passin=stdin", "--passout=stdin"]]
    {
        world.refuses(options.iter().chain(&["quickstart", "demo"]), "keys that are not encrypted");
    }
    let variable = world.certkeep(["quickstart", "demo"]).env("EASYRSA_PASSOUT", "pass:geheim").run();
    variable.refused("keys that are not encrypted").says("unset EASYRSA_PASSIN EASYRSA_PASSOUT");
    assert!(!world.exists("demo"));
}

#[test]
fn a_dry_quickstart_only_looks() {
    let world = World::with_pki();
    // A folder that is made and removed again leaves another time behind.
    let changed =
        |world: &World| fs::metadata(world.path("")).and_then(|folder| folder.modified()).expect("a time");
    let before = changed(&world);
    world.run(["--dry-run", "quickstart", "demo"]).success().says("would make a CA in ");
    assert_eq!(changed(&world), before);
    world.write("file", "");
    for (folder, fact) in [
        ("pki", "is not empty"),
        ("no/such/place", "cannot make the folder"),
        ("file", "cannot make the folder"),
    ] {
        world.refuses(["--dry-run", "quickstart", folder], fact);
    }
    world.refuses(["--dry-run", "quickstart", "demo", "--curve=soft"], "`soft`");
}

#[test]
fn what_quickstart_tells_to_do_next_works() {
    for folder in ["demo", "Jane's demo; exit 3 #"] {
        let world = World::empty();
        let told = world.run(["quickstart", folder]).success().stdout;
        let next = told.split("Next, for example:\n").nth(1).expect("it is told");
        let script = next.replace("certkeep ", "\"$0\" --batch ");
        world.shell(&format!("set -e\n{script}")).run().success();
        assert!(world.exists(&format!("{folder}/pki/issued/www.example.net.crt")), "{folder}");
        let rows = world.text(&format!("{folder}/pki/index.txt"));
        let client = rows.lines().find(|row| row.ends_with("/CN=client")).expect("a row of the client");
        assert!(client.starts_with("R\t"), "{client}");
    }
}
