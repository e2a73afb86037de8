// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commits that are signed, by the right ones and by others: gpg's keys and ssh's.

use crate::{ISSUE, found, owner, proved, team::Team};

#[test]
fn unsigned_commits_and_foreign_signers_are_found_with_gpg() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(&format!(
        "for who in alice eve; do gpg --batch --quiet --passphrase '' --quick-gen-key $who@example.net ed25519 sign never 2>/dev/null; done
         cd work/ca && git config commit.gpgSign true && git config user.signingKey alice@example.net
         git config certkeep.signatures required && git config certkeep.signaturesSince $(git rev-parse HEAD)
         git config certkeep.signer $(gpg --list-keys --with-colons alice@example.net | grep -m1 ^fpr | cut -d: -f10)
         {ISSUE} server a"
    ));
    proved(&alice, "work/ca");
    let log = alice.does("cd work/ca && certkeep log --signatures a");
    assert!(log.contains("signed by alice@example.net"), "{log}");
    alice.does(&format!("cd work/ca && git config user.signingKey eve@example.net && {ISSUE} server b"));
    let told = found(&alice, "work/ca", &["foreign-signer"]);
    assert!(told.contains("eve@example.net"), "{told}");
    alice.does(&format!("cd work/ca && git config commit.gpgSign false && {ISSUE} server c"));
    found(&alice, "work/ca", &["unsigned", "foreign-signer"]);
    // Names that a push can move exempt nothing.
    alice.does("cd work/ca && git tag v1 && git rev-parse HEAD > ../here");
    for name in ["v1", "HEAD", "main", "$(cut -c-12 ../here)"] {
        alice.does(&format!("cd work/ca && git config certkeep.signaturesSince {name}"));
        alice
            .fails("cd work/ca && certkeep log --verify", "not the whole name of a commit")
            .says("git config certkeep.signaturesSince $(git rev-parse ");
    }
    alice.does("cd work/ca && git config certkeep.signaturesSince $(git rev-parse HEAD~2)");
    // Nobody who pushes can switch it off; and what stands there is no guess.
    alice.does("cd work/ca && git config certkeep.signatures yes");
    alice.fails("cd work/ca && certkeep log --verify", "certkeep.signatures is `yes`");
    alice.does("cd work/ca && git config --unset certkeep.signatures");
    proved(&alice, "work/ca");
    let asked = alice.tries("cd work/ca && certkeep log --verify --signatures");
    assert_eq!(asked.code, 9, "{asked:#?}");
}

#[test]
fn unsigned_commits_and_foreign_signers_are_found_with_ssh() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(&format!(
        "for who in alice eve; do ssh-keygen -q -t ed25519 -N '' -C $who -f .ssh/$who; done
         echo \"alice@example.net $(cat .ssh/alice.pub)\" > .ssh/allowed
         cd work/ca && git config gpg.format ssh && git config gpg.ssh.allowedSignersFile ~/.ssh/allowed
         git config commit.gpgSign true && git config user.signingKey ~/.ssh/alice
         git config certkeep.signatures required && git config certkeep.signaturesSince $(git rev-parse HEAD)
         {ISSUE} server a"
    ));
    proved(&alice, "work/ca");
    alice.does(&format!("cd work/ca && git config user.signingKey ~/.ssh/eve && {ISSUE} server b"));
    found(&alice, "work/ca", &["foreign-signer"]);
    // A list of signers decides alone.
    alice.does(
        "cd work/ca && git config certkeep.signer \"$(ssh-keygen -lf ~/.ssh/eve.pub | cut -d' ' -f2)\"",
    );
    found(&alice, "work/ca", &["foreign-signer"]);
    alice.does("cd work/ca && git config --add certkeep.signer \"$(ssh-keygen -lf ~/.ssh/alice.pub | cut -d' ' -f2)\"");
    proved(&alice, "work/ca");
}
