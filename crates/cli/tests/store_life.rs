// SPDX-License-Identifier: MIT OR Apache-2.0
//! Renewals, exports and OpenVPN's files in a store: each command is one commit,
//! and whatever holds a key is ciphertext in it.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use team::Team;

#[test]
fn every_command_is_one_commit_and_no_key_is_in_the_clear() {
    let team = Team::new();
    let alice = team.store("alice");
    let file = alice.path("identity.txt").display().to_string();
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &file);
    let commands = [
        "renew www",
        "revoke-renewed www superseded",
        "gen-dh",
        "gen-tls-crypt-key",
        "gen-tls-crypt-v2-key",
        "inline www",
        "export-p12 www",
        "export-p8 www nopass",
        "export-p7 www",
        "set-pass www",
        "set-pass ca",
        "expire www",
        "write legacy",
    ];
    let before: usize =
        alice.does("cd work/ca && git rev-list --count HEAD").trim().parse().expect("a number");
    for command in commands {
        alice.does(&format!("cd work/ca && certkeep --batch --passout=pass:geheim {command}"));
        alice.is_clean("work/ca");
    }
    alice.does("cd work/ca && certkeep --batch --passin=pass:geheim renew-ca");
    alice.is_clean("work/ca");
    let after: usize =
        alice.does("cd work/ca && git rev-list --count HEAD").trim().parse().expect("a number");
    assert_eq!(after - before, commands.len() + 1);
    let subjects = alice.does("cd work/ca && git log -2 --format=%s");
    assert_eq!(subjects, "renew-ca\nwrite legacy\n");
    alice.does(
        "cd work/ca && for file in inline/private/www.inline inline/private/www.p12-inline private/www.p12 \\
             private/www.p8 private/www.key private/ca.key private/easyrsa-tls.key private/easyrsa-tls.tls-crypt-v2-server; do
             git cat-file blob HEAD:pki/$file | head -c 8 | grep -aq CKSEAL || { echo $file is in the clear; exit 1; }
         done
         for file in dh.pem expired/www.crt issued/www.p7b expired-ca.list openssl-easyrsa.cnf x509-types/server; do
             git cat-file -e HEAD:pki/$file && ! git cat-file blob HEAD:pki/$file | head -c 8 | grep -aq CKSEAL
         done
         certkeep store status",
    );
}
