// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person at a terminal is asked, and what comes of each answer.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use std::time::{Duration, Instant};

use world::World;

/// Ctrl-C and Ctrl-D as a keyboard sends them.
const INTERRUPT: &str = "\u{3}";
const END_OF_INPUT: &str = "\u{4}";

#[test]
fn build_ca_asks_for_the_passphrase_twice_and_then_for_the_name() {
    let world = World::with_pki();
    let mut person = world.converse(["build-ca"]);
    person.expect("Enter New CA Key Passphrase: ").hidden().answer("geheim");
    person.expect("Confirm New CA Key Passphrase: ").hidden().answer("geheim");
    person.expect("Common Name").expect("[Easy-RSA CA]: ").answer("Acme Root");
    let screen = person.succeeds();
    assert!(!screen.contains("geheim"), "the passphrase is on the screen:\n{screen}");
    let shown = world.openssl(["x509", "-noout", "-subject", "-in", "pki/ca.crt"]).success();
    assert_eq!(shown.stdout, "subject=CN = Acme Root\n");
    world.openssl(["pkey", "-noout", "-passin", "pass:geheim", "-in", "pki/private/ca.key"]).success();
}

#[test]
fn every_field_is_asked_for_in_org_mode() {
    let world = World::with_pki();
    let mut person = world.converse(["--dn-mode=org", "build-ca", "nopass"]);
    for (label, answer) in [
        ("Country Name", "DE"),
        ("State or Province", "."),
        ("Locality", ""),
        ("Organization Name", "Acme"),
        ("Organizational Unit", "."),
        ("Common Name", "Acme Root"),
        ("Email", "."),
        ("Serial Number", ""),
    ] {
        person.expect(label).expect("]: ").answer(answer);
    }
    person.succeeds();
    let shown = world.openssl(["x509", "-noout", "-subject", "-in", "pki/ca.crt"]).success();
    assert_eq!(shown.stdout, "subject=C = DE, L = San Francisco, O = Acme, CN = Acme Root\n");
}

#[test]
fn passphrases_that_differ_or_are_short_are_refused() {
    let world = World::with_pki();
    let before = world.snapshot();
    for (first, second, fact) in
        [("geheim", Some("geheimer"), "differ"), ("abc", None, "at least 4"), ("", None, "at least 4")]
    {
        let mut person = world.converse(["build-ca"]);
        person.expect("Enter New CA Key Passphrase: ").hidden().answer(first);
        if let Some(second) = second {
            person.expect("Confirm New CA Key Passphrase: ").hidden().answer(second);
        }
        person.refuses(fact);
        assert!(person.echoes());
        before.assert_same(&world.snapshot());
    }
}

#[test]
fn sign_req_shows_what_it_signs_and_wants_a_yes() {
    let world = World::with_request();
    let sign = ["--san=DNS:www.example.net", "--days=30", "sign-req", "server", "www.example.net"];
    let before = world.snapshot();
    for answer in ["no", "y", "Yes", "", "yes yes"] {
        let mut person = world.converse(sign);
        person.expect("Confirm requested details: ").answer(answer);
        person.refuses("not confirmed");
        before.assert_same(&world.snapshot());
    }
    let mut person = world.converse(sign);
    for detail in
        ["server", "CN=www.example.net", "secp384r1", "Serial number: ", "Not after: ", "DNS:www.example.net"]
    {
        person.expect(detail);
    }
    person.expect("Confirm requested details: ").answer("yes");
    person.succeeds();
    assert!(world.exists("pki/issued/www.example.net.crt"));
}

#[test]
fn what_was_shown_is_what_is_signed() {
    let world = World::with_request();
    let mut person = world.converse(["--auto-san", "sign-req", "server", "www.example.net"]);
    person.expect("Confirm requested details: ");
    let screen = person.answer("yes").succeeds();
    let number = screen.split("Serial number: ").nth(1).and_then(|rest| rest.split_whitespace().next());
    assert_eq!(number.expect("it is shown").replace(':', ""), world.last_serial());
}

#[test]
fn the_end_of_the_input_ends_the_program() {
    let world = World::with_encrypted_ca("geheim");
    world.run(["-b", "gen-req", "www", "nopass"]).success();
    world.run(["-b", "--pki=other", "init-pki"]).success();
    let before = world.snapshot();
    for (arguments, prompt) in [
        (&["init-pki"][..], "Confirm removal: "),
        (&["--auto-san", "sign-req", "client", "www"], "Confirm requested details: "),
        (&["--pki=other", "build-ca"], "Enter New CA Key Passphrase: "),
        (&["--pki=other", "build-ca", "nopass"], "[Easy-RSA CA]: "),
        (&["gen-req", "new"], "Passphrase: "),
        (&["gen-req", "new", "nopass"], "[new]: "),
        (&["gen-crl"], "Passphrase of the CA's private key: "),
    ] {
        let mut person = world.converse(arguments);
        person.expect(prompt);
        if prompt.contains("Passphrase") {
            person.hidden();
        }
        person.press(END_OF_INPUT).refuses("");
        assert!(person.echoes(), "{arguments:?}");
        before.assert_same(&world.snapshot());
    }
}

#[test]
fn an_interrupt_leaves_nothing_behind_and_the_echo_on() {
    let world = World::with_encrypted_ca("geheim");
    world.run(["-b", "gen-req", "www", "nopass"]).success();
    world.run(["-b", "--pki=other", "init-pki"]).success();
    for (arguments, prompt) in [
        ("--pki=other build-ca", "Enter New CA Key Passphrase: "),
        ("gen-crl", "Passphrase of the CA's private key: "),
        ("gen-req new", "Enter New Key Passphrase: "),
        ("sign-req client www", "Confirm requested details: "),
        ("init-pki", "Confirm removal: "),
    ] {
        let before = world.snapshot();
        // The shell outlives the interrupt and, not being interactive, does not mend the terminal.
        let script = format!("trap : INT; \"$0\" {arguments}; echo \"ended with $?\"");
        let mut person = world.converse_in_shell(&script);
        person.expect(prompt);
        if prompt.contains("Passphrase") {
            person.hidden();
        }
        person.press(INTERRUPT).expect("ended with 130");
        person.end();
        assert!(person.echoes(), "the echo is off after an interrupt of {arguments}");
        before.assert_same(&world.snapshot());
    }
}

#[test]
fn a_passphrase_is_asked_for_even_in_batch() {
    let world = World::with_encrypted_ca("geheim");
    let mut person = world.converse(["--batch", "gen-crl"]);
    person.expect("Passphrase of the CA's private key: ").hidden().answer("geheim");
    person.succeeds();
    let mut person = world.converse(["--batch", "gen-crl"]);
    person.expect("Passphrase of the CA's private key: ").hidden().answer("falsch");
    person.refuses("wrong passphrase");
}

#[test]
fn without_a_terminal_a_missing_passphrase_is_an_error_at_once() {
    let world = World::with_encrypted_ca("geheim");
    world.run(["-b", "--pki=other", "init-pki"]).success();
    for arguments in [
        &["--batch", "gen-crl"][..],
        &["gen-crl"],
        &["--batch", "build-client-full", "jane", "nopass"],
        &["--batch", "gen-req", "jane"],
        &["--batch", "--pki=other", "build-ca"],
        &["--batch", "--pki=other", "--passin=pass:geheim", "build-ca"],
    ] {
        let began = Instant::now();
        world.refuses(arguments, "there is no terminal to ask");
        assert!(began.elapsed() < Duration::from_secs(2), "{arguments:?} took {:?}", began.elapsed());
    }
}

#[test]
fn a_yes_may_come_through_a_pipe() {
    let world = World::with_request();
    world.shell("echo yes | \"$0\" --auto-san sign-req server www.example.net").run().success();
    world.shell("echo yes | \"$0\" revoke www.example.net").run().success();
    world.shell("printf 'Jane Doe\\n' | \"$0\" gen-req jane nopass").run().success();
    let shown = world.openssl(["req", "-noout", "-subject", "-in", "pki/reqs/jane.req"]).success();
    assert_eq!(shown.stdout, "subject=CN = Jane Doe\n");
    let before = world.snapshot();
    for answer in ["yes\0", "yes\u{e9}", "ye", "\n\nyes"] {
        world.certkeep(["sign-req", "client", "jane"]).input(answer).run().refused("");
    }
    world.shell("\"$0\" sign-req client jane </dev/zero").run().refused("");
    world.shell("yes no | \"$0\" sign-req client jane").run().refused("not confirmed");
    before.assert_same(&world.snapshot());
    world.shell("yes yes | \"$0\" sign-req client jane").run().success();
}

#[test]
fn colour_is_for_terminals() {
    let world = World::with_pki();
    let mut person = world.converse_in_shell(
        "unset NO_COLOR; TERM=xterm \"$0\" show-ca; NO_COLOR=1 TERM=xterm \"$0\" show-crl",
    );
    let (_, screen) = person.end();
    let first = screen.lines().next().unwrap_or_default();
    assert!(first.contains('\u{1b}'), "{screen:?}");
    let last = screen.split("there is no CA").nth(1).unwrap_or_default();
    assert!(last.contains("error: there is no CRL"), "{screen:?}");
}
