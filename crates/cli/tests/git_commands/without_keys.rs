// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trees that are locked, and clones that never had a key.

use super::*;

#[test]
fn a_locked_tree_takes_no_plaintext_and_does_everything_else() {
    let team = Team::new();
    let alice = with_secrets(&team);
    alice.does(
        "cd work/ca
         certkeep lock",
    );
    assert!(alice.is_sealed("work/ca/secrets/1.txt") && alice.is_sealed("work/ca/pki/private/www.key"));
    alice.is_clean("work/ca");
    alice.fails(
        &format!(
            "cd work/ca
         echo {CANARY} >secrets/new.txt
         git add ."
        ),
        "locked",
    );
    alice.fails(
        &format!(
            "cd work/ca
         echo {CANARY} >pki/private/new.key
         git add -A"
        ),
        "locked",
    );
    alice.does(
        "cd work/ca
         rm secrets/new.txt pki/private/new.key",
    );
    alice.does(
        "cd work/ca
         echo more >>README
         git commit -qam public
         git mv secrets/2.txt secrets/two.txt
         git commit -qm rename
         git rm -q secrets/3.txt
         git commit -qm remove
         echo x >>README
         git stash -q
         git stash pop -q
         git commit -qam stashed
         git switch -qc side HEAD~1
         git switch -q main
         git merge -q --no-edit side
         git rebase -q side
         git log -p >/dev/null
         git blame secrets/1.txt >/dev/null
         git revert --no-edit HEAD >/dev/null
         git gc -q
         git clean -qfd
         git diff HEAD~2 >/dev/null
         git archive HEAD >/dev/null",
    );
    alice.is_clean("work/ca");
    alice.does(
        "cd work/ca
         certkeep --identity ~/identity.txt unlock",
    );
    assert!(alice.text("work/ca/secrets/two.txt").starts_with(CANARY));
    alice.is_clean("work/ca");
}

/// A new clone of somebody who has the driver for all repositories, and no key.
#[test]
fn a_driver_that_is_configured_for_everybody_refuses_plaintext() {
    let team = Team::new();
    let alice = with_secrets(&team);
    let bob = team.person("bob");
    bob.does(&format!(
        "cd work
         git config --global filter.certkeep.process 'certkeep git-filter process'
         git config --global filter.certkeep.required true
         git clone -q {} ca",
        alice.path("work/ca").display()
    ));
    bob.is_clean("work/ca");
    bob.fails(
        &format!(
            "cd work/ca
         echo {CANARY} >pki/private/new.key
         git add ."
        ),
        "locked",
    );
    bob.does(
        "cd work/ca
         rm pki/private/new.key
         echo x >x
         git add .
         git commit -qm x",
    );
    bob.is_clean("work/ca");
}
