// SPDX-License-Identifier: MIT OR Apache-2.0
//! The questions, by the words that callers wait for.

use crate::world::World;

#[test]
fn every_question_has_the_words_of_easyrsa_and_takes_yes_alone() {
    let world = World::with_certificate();
    world.run(["-b", "gen-req", "jane", "nopass"]).success();
    world.run(["gen-dh"]).success();
    world.run(["write", "legacy"]).success();
    let questions: [(&[&str], &str); 9] = [
        (&["init-pki"], "Confirm removal: "),
        (&["gen-req", "jane", "nopass"], "Confirm request overwrite: "),
        (&["sign-req", "client", "jane"], "Confirm requested details: "),
        (&["build-client-full", "joe", "nopass"], "Confirm requested details: "),
        (&["revoke-issued", "www.example.net"], "Continue with revocation: "),
        (&["expire", "www.example.net"], "Continue with expiry: "),
        (&["renew-ca"], "Install the new CA certificate ? "),
        (&["gen-dh"], "Overwrite?  "),
        (&["write", "legacy-hard"], "Overwrite?  "),
    ];
    let before = world.snapshot();
    for (command, label) in questions {
        for answer in ["no\n", "y\n", "YES\n", "\n", ""] {
            let outcome = world.certkeep(command).input(answer).run().refused("not confirmed");
            outcome.says(label);
        }
    }
    before.assert_same(&world.snapshot());
    world.remove("pki/reqs/jane.req");
    let key = world.certkeep(["gen-req", "jane", "nopass"]).input("no\n").run();
    key.refused("not confirmed").says("Confirm key overwrite: ");
}

#[test]
fn the_passphrase_of_a_new_ca_is_asked_for_in_the_words_of_easyrsa() {
    let world = World::with_pki();
    let mut person = world.converse(["-b", "build-ca"]);
    person.expect("Enter New CA Key Passphrase: ").hidden().answer("geheim");
    person.expect("Confirm New CA Key Passphrase: ").hidden().answer("geheim");
    person.succeeds();
}
