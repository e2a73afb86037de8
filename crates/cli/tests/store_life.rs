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

/// Called as easyrsa: sealed as ever, and no commit unless one is asked for.
#[test]
fn called_as_easyrsa_nothing_is_committed_and_everything_is_sealed() {
    let team = Team::new();
    let alice = team.store("alice");
    let file = alice.path("identity.txt").display().to_string();
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &file);
    alice.does(
        "ln -s certkeep ../bin/easyrsa
         cd work/ca && before=$(git rev-parse HEAD)
         easyrsa --batch build-client-full jane nopass
         easyrsa --batch revoke www && easyrsa gen-crl
         test $before = $(git rev-parse HEAD)
         grep -q 'PRIVATE KEY-----' pki/inline/private/jane.inline
         git add -A && git commit -qm 'by hand' && certkeep store status && certkeep guard --tree HEAD
         git add -A && test -z \"$(git status --porcelain)\"",
    );
    alice.is_clean("work/ca");
    let sealed = "for file in inline/private/jane.inline private/jane.key reqs/jane.req; do
             git cat-file blob HEAD:pki/$file | head -c 8 | grep -aq CKSEAL || { echo $file is in the clear; exit 1; }
         done";
    alice.does(&format!("cd work/ca; {sealed}"));
    // A setting of the PKI, or of one call.
    alice.does(&format!(
        "cd work/ca
         echo 'set_var CERTKEEP_COMMIT yes' >> pki/vars && git add pki/vars && git commit -qm vars
         easyrsa --batch renew jane
         git log -1 --format=%s | grep -q '^renew jane$'
         git show --stat --name-only --format= HEAD | grep -q '^pki/inline/private/jane.inline$'
         {sealed}
         before=$(git rev-parse HEAD)
         CERTKEEP_NO_COMMIT=1 easyrsa gen-crl
         test $before = $(git rev-parse HEAD) && git add -A && git commit -qm crl
         test -z \"$(git status --porcelain)\""
    ));
    // Who cannot seal writes nothing: the zone is locked, and there is no identity.
    alice.does("cd work/ca && certkeep lock");
    let nobody = alice.with("CERTKEEP_IDENTITY_FILE", "");
    let before = alice.does("cd work/ca && git status --porcelain");
    nobody.fails("cd work/ca && easyrsa --batch build-client-full joe nopass", "`easyrsa ");
    assert_eq!(alice.does("cd work/ca && git status --porcelain"), before);
    // What changes the store itself is nothing without its commit.
    alice.does(
        "cd work/ca && age-keygen -o ~/bob.txt 2>/dev/null
         easyrsa --batch member add bob $(age-keygen -y ~/bob.txt)
         git log -1 --format=%s | grep -q '^member add bob'",
    );
}

/// An inline file is a matter of the zone `keys`, a signature is not.
#[test]
fn who_has_no_key_of_the_zone_keys_signs_without_an_inline_file() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("--zone ca --zone reqs");
    alice.does(
        "cd work/ca && certkeep --batch --nopass gen-req joe && certkeep --batch --nopass gen-req max
         git rm -q pki/private/max.key && git commit -qm 'not here' && git push -q",
    );
    bob.does("ln -s certkeep ../bin/easyrsa; cd work/ca && git pull -q");
    let said =
        bob.fails("cd work/ca && easyrsa --batch sign-req client joe", "nothing here opens the zone `keys`");
    said.says("`easyrsa --no-inline ...`");
    // Without a key there is less to hide, and what is made is sealed all the same.
    bob.fails("cd work/ca && easyrsa --batch sign-req client max", "nothing here opens the zone `keys`");
    bob.is_clean("work/ca");
    bob.does(
        "cd work/ca && for name in joe max; do easyrsa --batch --no-inline sign-req client $name; done
         test ! -e pki/inline
         git add -A && git commit -qm signed && certkeep guard --tree HEAD",
    );
}
