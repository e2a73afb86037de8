// SPDX-License-Identifier: MIT OR Apache-2.0
//! What easy-rsa 3.2 gets wrong, and that certkeep does not.
//!
//! Each defect is a row of [`DEFECTS`] with the tests that show it repaired. Those of
//! this file are for the defects that no other test is about; a test here checks that
//! all of them exist.
#![cfg(unix)]

#[path = "compat/proofs.rs"]
mod proofs;
#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use std::process::Child;

use world::World;

/// What easy-rsa does, and the tests that show that certkeep does not.
const DEFECTS: &[(&str, &[&str])] = &[
    (
        "build-ca asks for a passphrase without end when standard input has ended",
        &[
            "interactive::the_end_of_the_input_ends_the_program",
            "interactive::without_a_terminal_a_missing_passphrase_is_an_error_at_once",
            "defects::half_of_the_passphrase_options_is_enough_or_an_error",
        ],
    ),
    (
        "renew-ca invalidates every certificate, and makes a root of a sub-CA",
        &[
            "renew_ca::a_root_is_renewed_and_its_certificates_stay_valid",
            "renew_ca::a_subordinate_ca_is_renewed_by_the_ca_above",
        ],
    ),
    ("keys of leaves are encrypted with Triple DES", &["defects::every_key_is_encrypted_with_aes"]),
    (
        "export-p8 nopass encrypts with an empty passphrase",
        &["export::keys_are_exported_in_both_forms_and_openssl_has_the_same_key"],
    ),
    (
        "a process that is killed, or whose reader goes away, leaves a lock that blocks all others",
        &[
            "locks::a_killed_writer_leaves_no_lock_behind",
            "locks::a_lock_of_the_dead_is_taken_over",
            "defects::a_reader_that_goes_away_leaves_no_lock",
        ],
    ),
    (
        "commands at the same time fail, and without the lock file they lose certificates",
        &["locks::eight_writers_lose_nothing", "defects::writers_without_a_lock_file_lose_nothing"],
    ),
    (
        "a revocation or renewal leaves NAME.p12-inline, which holds the private key",
        &[
            "renew::a_renewed_certificate_is_revoked_and_its_successor_stays",
            "defects::a_revocation_leaves_no_copy_of_the_key",
        ],
    ),
    (
        "revoke-renewed and revoke-expired remove the inline file of the successor",
        &[
            "renew::a_renewed_certificate_is_revoked_and_its_successor_stays",
            "renew::an_expired_certificate_lets_its_request_be_signed_again",
        ],
    ),
    (
        "show-expire shows the old row with the new date, and misses files not named as their common name",
        &[
            "status::what_expires_was_revoked_or_renewed_is_listed",
            "defects::a_report_does_not_ask_what_a_file_is_called",
        ],
    ),
    (
        "commands that only read want the key of the CA",
        &["bad_input::reading_needs_no_key", "defects::reports_need_no_key"],
    ),
    (
        "verify-cert fails below a sub-CA and never looks at the CRL",
        &["subca::a_leaf_is_verified_up_to_the_root", "show::a_revoked_certificate_is_not_good"],
    ),
    (
        "renew refuses some types, drops extensions, and prints a stray line",
        &[
            "renew::certificates_of_every_type_keep_all_they_say",
            "defects::a_command_that_is_not_asked_for_data_prints_none",
        ],
    ),
    (
        "certificates that begin after their end, have ended, or outlive their CA are signed without a word",
        &[
            "sign_req::what_makes_no_sense_is_refused_and_leaves_no_trace",
            "sign_req::the_easyrsa_set_lets_a_certificate_outlive_its_ca_with_a_warning",
        ],
    ),
    (
        "errors and messages are on standard output, among the data",
        &[
            "show::what_is_asked_for_is_on_standard_output",
            "defects::a_command_that_is_not_asked_for_data_prints_none",
        ],
    ),
    (
        "names lead out of the PKI, and inline files are made for names that do not exist",
        &[
            "requests::names_that_lead_elsewhere_are_refused",
            "inline::an_inline_file_has_the_blocks_that_scripts_look_for",
        ],
    ),
    ("check-serial refuses the digits that index.txt has", &["status::the_small_ones_answer"]),
    ("--keep-tmp makes a junk folder", &["defects::no_command_leaves_anything_that_is_not_its_result"]),
    (
        "--san-crit does nothing beside --san, EASYRSA_SAN nothing in vars, --auto-san makes a DNS name of IPv6",
        &["defects::alternative_names_are_those_that_were_asked_for"],
    ),
    (
        "gen-tls-crypt-v2 makes a key of version 1",
        &[
            "inline::openvpn_connects_under_every_kind_of_tls_key",
            "words::keys_of_openvpn_go_by_every_name_of_their_command",
        ],
    ),
    (
        "import-req refuses DER, export-p1 fails for EC keys, export-p12 overwrites without a question",
        &[
            "requests::a_request_may_come_as_pem_or_der_from_a_file_or_a_pipe",
            "export::keys_are_exported_in_both_forms_and_openssl_has_the_same_key",
            "export::every_word_of_export_p12_means_something",
        ],
    ),
    ("a vars file is run as a shell script, twice", &["options::a_vars_file_is_read_and_never_run"]),
    (
        "files of an installed easy-rsa replace the types silently",
        &["defects::types_are_taken_from_the_pki_and_from_nowhere_else"],
    ),
    (
        "a CRL has no number, and crl.der not the mode it was given",
        &[
            "revoke::a_crl_is_numbered_dated_and_verified",
            "options::a_published_file_keeps_the_mode_it_was_given",
        ],
    ),
    (
        "a damaged line of index.txt makes signing fail, with nothing to find or repair it",
        &[
            "bad_input::a_damaged_index_records_nothing",
            "defects::a_damaged_row_is_named_and_stops_nothing_else",
        ],
    ),
    (
        "the certificate of a sub-CA lasts as long as that of a leaf",
        &["defects::a_subordinate_ca_lasts_longer_than_a_leaf"],
    ),
    (
        "copying extensions of a request lets unknown ones through",
        &[
            "sign_req::nothing_dangerous_is_copied_from_a_request",
            "defects::unknown_extensions_of_a_request_are_left_and_told",
        ],
    ),
];

#[test]
fn every_defect_has_a_test() {
    let proofs = proofs::Proofs::gather();
    let missing: Vec<&str> = DEFECTS
        .iter()
        .flat_map(|(_, tests)| tests.iter().copied())
        .filter(|test| proofs.of(test).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(DEFECTS.iter().all(|(_, tests)| !tests.is_empty()));
}

#[test]
fn half_of_the_passphrase_options_is_enough_or_an_error() {
    let world = World::with_pki();
    // A passphrase to open a key with says nothing about a new one.
    world.refuses(["-b", "--passin=pass:geheim", "build-ca"], "there is no terminal to ask");
    world.run(["-b", "--passout=pass:geheim", "build-ca"]).success();
    world.openssl(["pkey", "-noout", "-passin", "pass:geheim", "-in", "pki/private/ca.key"]).success();
}

#[test]
fn every_key_is_encrypted_with_aes() {
    let world = World::with_ca();
    let pass = "--passout=pass:geheim";
    world.run(["-b", pass, "gen-req", "a"]).success();
    world.run(["-b", pass, "build-client-full", "b"]).success();
    world.run(["-b", pass, "issue", "client", "c"]).success();
    world.run(["-b", pass, "export-p8", "b"]).failed();
    world.run(["-b", "--passin=pass:geheim", pass, "export-p8", "b"]).success();
    world.run(["-b", pass, "set-pass", "ca"]).success();
    let own = World::with_pki();
    own.run(["-b", pass, "self-sign-client", "d"]).success();
    for (world, file) in [
        (&world, "private/a.key"),
        (&world, "private/b.key"),
        (&world, "private/c.key"),
        (&world, "private/b.p8"),
        (&world, "private/ca.key"),
        (&own, "private/d.key"),
    ] {
        let parsed = world.openssl(["asn1parse", "-in", &format!("pki/{file}")]).success().stdout;
        assert!(parsed.contains(":aes-256-cbc") && parsed.contains(":PBKDF2"), "{file}: {parsed}");
        assert!(!parsed.contains("des-ede3"), "{file}: {parsed}");
    }
}

#[test]
fn a_reader_that_goes_away_leaves_no_lock() {
    let world = World::with_certificate();
    for command in ["-v gen-crl 2>&1", "-v -b renew www.example.net 2>&1", "--days=4000 show-expire"] {
        world.shell(&format!("\"$0\" {command} | true")).run().success();
        assert!(!world.exists("pki/lock.file"), "{command}");
    }
    world.run(["-b", "build-client-full", "jane", "nopass"]).success();
    world.run(["verify-cert", "www.example.net"]).success();
}

#[test]
fn writers_without_a_lock_file_lose_nothing() {
    let world = World::with_ca();
    let names: Vec<String> = (0..6).map(|number| format!("client{number}")).collect();
    let start =
        |name: &String| world.certkeep(["-b", "--no-lockfile", "build-client-full", name, "nopass"]).start();
    let writers: Vec<Child> = names.iter().map(start).collect();
    for writer in writers {
        let output = writer.wait_with_output().expect("it ran");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let rows = world.rows();
    for name in &names {
        assert_eq!(rows.iter().filter(|row| row.ends_with(&format!("/CN={name}"))).count(), 1, "{rows:?}");
        world.run(["verify-cert", name]).success();
    }
}

#[test]
fn a_revocation_leaves_no_copy_of_the_key() {
    let world = World::with_certificate();
    let name = "www.example.net";
    let pass = "--passout=pass:geheim";
    world.run(["-b", "inline", name]).success();
    for command in ["export-p12", "export-p8", "export-p1"] {
        world.run(["-b", pass, command, name]).success();
    }
    world.run(["-b", "export-p7", name]).success();
    world.run(["-b", "revoke-issued", name]).success();
    let left: Vec<String> =
        world.snapshot().files("pki/").into_iter().filter(|file| file.contains(name)).collect();
    assert!(left.is_empty(), "{left:?}");
    let keys: Vec<String> = world
        .snapshot()
        .files("pki/")
        .into_iter()
        .filter(|file| file.contains("private_by_serial"))
        .collect();
    assert_eq!(keys.len(), 1, "the archived key alone: {keys:?}");
}

#[test]
fn a_report_does_not_ask_what_a_file_is_called() {
    let world = World::with_ca();
    world.run(["-b", "--req-cn=Jane Doe", "gen-req", "laptop", "nopass"]).success();
    world.run(["-b", "--days=20", "sign-req", "client", "laptop"]).success();
    world.run(["show-expire"]).success().shows("| CN: Jane Doe\n");
    world.remove("pki/issued/laptop.crt");
    world.run(["show-expire"]).success().shows("| CN: Jane Doe\n");
}

#[test]
fn reports_need_no_key() {
    let world = World::with_certificate();
    world.run(["-b", "renew", "www.example.net"]).success();
    world.remove("pki/private/ca.key");
    for command in ["show-expire", "show-revoke", "show-renew", "update-db", "show-ca"] {
        world.run([command]).success();
    }
    world.run(["serial", "01"]).success();
}

#[test]
fn a_command_that_is_not_asked_for_data_prints_none() {
    let world = World::with_ca();
    world.run(["-b", "gen-req", "srv.example.net", "nopass"]).success();
    for command in [
        &["--auto-san", "sign-req", "server", "srv.example.net"][..],
        &["build-client-full", "jane", "nopass"],
        &["renew", "srv.example.net"],
        &["revoke-renewed", "srv.example.net"],
        &["expire", "srv.example.net"],
        &["revoke-expired", "srv.example.net"],
        &["revoke-issued", "jane"],
        &["gen-crl"],
        &["update-db"],
        &["renew-ca"],
        &["gen-tls-crypt-key"],
        &["gen-dh"],
        &["write", "legacy"],
    ] {
        let outcome = world.run(["-b"].iter().chain(command)).success();
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
}

#[test]
fn no_command_leaves_anything_that_is_not_its_result() {
    let world = World::with_certificate();
    world.refuses(["-b", "build-server-full", "www.example.net", "nopass"], "exists already");
    world.run(["-b", "--tmp-dir=tmp", "gen-crl"]).success();
    let known = ["issued", "private", "reqs", "certs_by_serial", "revoked", "inline", "x509-types"];
    for entry in std::fs::read_dir(world.path("pki")).expect("a folder to look into") {
        let entry = entry.expect("an entry of the folder");
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().expect("its kind").is_file();
        assert!(is_file || known.contains(&name.as_str()), "{name}");
    }
    assert!(!world.exists("tmp"));
}

/// The alternative names of a certificate, in openssl's words.
fn alternative_names(world: &World, name: &str) -> String {
    let file = format!("pki/issued/{name}.crt");
    world.openssl(["x509", "-noout", "-ext", "subjectAltName", "-in", &file]).success().stdout
}

#[test]
fn alternative_names_are_those_that_were_asked_for() {
    let world = World::with_ca();
    let san = "--san=DNS:a.example.net,IP:192.0.2.1";
    world.run(["-b", "--san-crit", san, "build-server-full", "a", "nopass"]).success();
    let names = alternative_names(&world, "a");
    assert!(names.contains("Subject Alternative Name: critical"), "{names}");
    assert!(names.contains("DNS:a.example.net, IP Address:192.0.2.1"), "{names}");
    for (name, address) in [("b", "2001:db8::1"), ("c", "::1"), ("d", "192.0.2.7")] {
        let common_name = format!("--req-cn={address}");
        world.run(["-b", &common_name, "gen-req", name, "nopass"]).success();
        world.run(["-b", "--auto-san", "sign-req", "server", name]).success();
        let names = alternative_names(&world, name);
        assert!(names.contains("IP Address:") && !names.contains("DNS:"), "{address}: {names}");
    }
    world.write("pki/vars", "set_var EASYRSA_SAN \"DNS:vars.example.net\"\n");
    world.run(["-b", "build-server-full", "e", "nopass"]).success();
    assert!(alternative_names(&world, "e").contains("DNS:vars.example.net"));
}

#[test]
fn types_are_taken_from_the_pki_and_from_nowhere_else() {
    let world = World::with_ca();
    // Where easy-rsa looks: the working folder, $EASYRSA, and where packages put it.
    let type_of = |number: &str| format!("extendedKeyUsage = 1.2.3.{number}\n");
    world.write("x509-types/client", type_of("1"));
    world.write("easyrsa/x509-types/client", type_of("2"));
    let extensions = |name: &str| {
        let file = format!("pki/issued/{name}.crt");
        world.openssl(["x509", "-noout", "-ext", "extendedKeyUsage", "-in", &file]).success().stdout
    };
    let pki = world.path("pki");
    let build = |name| world.certkeep(["-b", "build-client-full", name, "nopass"]).env("EASYRSA_PKI", &pki);
    build("a").env("EASYRSA", world.path("easyrsa")).run().success();
    assert!(extensions("a").contains("TLS Web Client Authentication"), "{}", extensions("a"));
    world.write("pki/x509-types/client", type_of("3"));
    build("b").run().success();
    assert!(extensions("b").contains("1.2.3.3"), "{}", extensions("b"));
}

#[test]
fn a_damaged_row_is_named_and_stops_nothing_else() {
    let world = World::with_certificate();
    world.run(["gen-crl"]).success();
    let rows = world.text("pki/index.txt");
    world.write("pki/index.txt", format!("{rows}V\tnonsense\n"));
    world.refuses(["-b", "build-client-full", "jane", "nopass"], "line 2 of index.txt");
    for command in [
        &["show-ca"][..],
        &["show-cert", "www.example.net"],
        &["show-crl"],
        &["export-p7", "www.example.net"],
    ] {
        world.run(command).success();
    }
    // The previous generation is a way back.
    world.write("pki/index.txt", &rows);
    world.run(["-b", "build-client-full", "jane", "nopass"]).success();
}

#[test]
fn a_subordinate_ca_lasts_longer_than_a_leaf() {
    let world = World::with_ca();
    world.run(["-b", "gen-req", "sub", "nopass"]).success();
    for set in ["easyrsa", "strict"] {
        world.run(["-b", &format!("--profile-set={set}"), "sign-req", "ca", "sub"]).success();
        // 900 days, where a leaf has 825.
        let at = ["x509", "-noout", "-checkend", "77760000", "-in", "pki/issued/sub.crt"];
        world.openssl(at).success();
        world.remove("pki/issued/sub.crt");
    }
}

#[test]
fn unknown_extensions_of_a_request_are_left_and_told() {
    let world = World::with_ca();
    world.write(
        "request.cnf",
        "[req]\ndistinguished_name=d\nreq_extensions=e\nprompt=no\n[d]\nCN=jane\n[e]\n\
         certificatePolicies=1.2.3.4\n1.2.3.4.5=DER:0500\nsubjectAltName=DNS:jane.example.net\n",
    );
    let make = ["req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", "k", "-config", "request.cnf"];
    world.openssl(make.into_iter().chain(["-out", "jane.req"])).success();
    world.run(["import-req", "jane.req", "jane"]).success();
    world
        .run(["-b", "--copy-ext", "sign-req", "client", "jane"])
        .success()
        .says("certificatePolicies")
        .says("1.2.3.4.5");
    let shown = world.openssl(["x509", "-noout", "-text", "-in", "pki/issued/jane.crt"]).success().stdout;
    assert!(shown.contains("DNS:jane.example.net"), "{shown}");
    assert!(!shown.contains("Policies") && !shown.contains("1.2.3.4.5"), "{shown}");
}
