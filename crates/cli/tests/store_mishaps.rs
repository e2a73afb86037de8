// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes wrong among people who mean well: two rotations at once, one that
//! failed half-way, a commit from before the store, a member who takes himself
//! out, a pattern that is taken. Each is told by its name, with a way out.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use team::{CANARY, Person, Team};

/// Somebody with a store of his own and an identity.
fn owner(team: &Team) -> Person {
    let alice = team.store("alice");
    let identity = alice.path("identity.txt").display().to_string();
    alice.with("CERTKEEP_IDENTITY_FILE", &identity).with("CANARY", CANARY)
}

#[test]
fn a_rotation_that_lost_the_race_is_forgotten_when_its_maker_says_so() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("");
    bob.does("cd work/ca && certkeep unlock && certkeep --batch store rotate");
    alice.does("cd work/ca && certkeep --batch store rotate && git push -q");
    bob.fails("cd work/ca && git push -q", "rejected");
    bob.fails(
        "cd work/ca && certkeep --batch unlock --discard-rotation",
        "no epoch that the present commit does not have",
    );
    let lost = bob.does("cd work/ca && git rev-parse --short=10 HEAD");
    bob.does("cd work/ca && git fetch -q && git reset -q --hard origin/main 2>/dev/null || true");
    bob.fails("cd work/ca && certkeep unlock", "when this clone saw it first")
        .says("certkeep unlock --discard-rotation")
        .says(lost.trim());
    bob.does("cd work/ca && certkeep --batch unlock --discard-rotation && git checkout -q -f . && certkeep unlock && certkeep store status");
    bob.is_clean("work/ca");
    bob.does(
        "cd work/ca && echo $CANARY > pki/private/x.key && git add . && git commit -qm x && git push -q",
    );
    alice.does("cd work/ca && git pull -q && grep -q $CANARY pki/private/x.key");
    alice.is_clean("work/ca");

    // What was pushed once is no lost one, whatever the remote says now.
    bob.does("cd work/ca && certkeep --batch store rotate && git push -q && git push -q -f origin HEAD~:main && git reset -q --hard HEAD~ 2>/dev/null || true");
    bob.fails("cd work/ca && certkeep unlock", "this clone has seen epoch 3");
    bob.fails("cd work/ca && certkeep --batch unlock --discard-rotation", "a remote has, or had, the commit");
}

#[test]
fn a_rotation_that_failed_stands_in_nobodys_way() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("");
    bob.does("cd work/ca && certkeep unlock");
    bob.fails(
        "cd work/ca && git config commit.gpgSign true && git config user.signingKey nobody@example.net && certkeep --batch store rotate",
        "",
    );
    bob.does("cd work/ca && git config --unset commit.gpgSign && test -z \"$(git status --porcelain)\"");
    bob.does(
        "cd work/ca && echo $CANARY > pki/private/one.key && git add . && git commit -qm one && git push -q",
    );
    alice.does("cd work/ca && git pull -q && certkeep --batch store rotate && git push -q");
    bob.does("cd work/ca && git pull -q");
    bob.fails("cd work/ca && echo $CANARY > pki/private/two.key && git add .", "which is not unlocked yet");
    bob.does("cd work/ca && certkeep unlock && git add . && git commit -qm two && certkeep --batch store rotate && git push -q");
    bob.is_clean("work/ca");
    alice.does("cd work/ca && git pull -q && certkeep unlock && grep -q $CANARY pki/private/two.key");
    alice.is_clean("work/ca");
}

#[test]
fn a_commit_from_before_the_store_is_told_from_a_repository_without_one() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does(
        "age-keygen -o identity.txt 2>/dev/null && mkdir work/ca && cd work/ca && git init -q
         echo one > README && git add README && git commit -qm one && git tag v1",
    );
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string());
    alice.does(
        "cd work/ca && certkeep --batch store init --recipient $(age-keygen -y ~/identity.txt) --name owner
         certkeep --batch init-pki && certkeep --batch --nopass build-ca && git checkout -q v1",
    );
    let state = "cd work/ca && cat .git/certkeep/* .git/info/attributes";
    let before = alice.does(state);
    for command in ["lock", "unlock", "store status"] {
        let said =
            alice.fails(&format!("cd work/ca && certkeep {command}"), "has a store, but not in this commit");
        assert!(!said.says("git switch").stderr.contains("store init"));
    }
    alice
        .fails(
            "cd work/ca && certkeep --batch store init --recipient $(age-keygen -y ~/identity.txt) --name owner",
            "has a store in commits that are not checked out",
        )
        .says("git switch");
    assert_eq!(alice.does(state), before);
    alice.does("cd work/ca && git switch -q main && certkeep lock && certkeep unlock");
    alice.is_clean("work/ca");
}

#[test]
fn nobody_takes_himself_out_and_keeps_the_keys() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("");
    bob.does("cd work/ca && certkeep unlock");
    let before = bob.does("cd work/ca && git rev-parse HEAD && cat .git/certkeep/keyring");
    bob.fails("cd work/ca && certkeep --batch member remove bob", "cannot make new keys for those who stay")
        .says("another member has to do it");
    assert_eq!(bob.does("cd work/ca && git rev-parse HEAD && cat .git/certkeep/keyring"), before);
    // Who exchanges a key of his own has the new one, too.
    alice.does(
        "age-keygen -o new.txt 2>/dev/null; cd work/ca && certkeep --batch member add alice2 $(age-keygen -y ~/new.txt)
         certkeep --identity ~/identity.txt --identity ~/new.txt --batch member remove owner",
    );
    alice.does("cd work/ca && certkeep --identity ~/new.txt unlock && git push -q");
    alice.is_clean("work/ca");
}

#[test]
fn a_pattern_that_another_zone_has_is_refused() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does("cd work/ca && mkdir sec && echo words > sec/a && echo words > top && git add sec top && git commit -qm sec && certkeep store protect 'sec/**'");
    let head = "cd work/ca && git rev-parse HEAD";
    let before = alice.does(head);
    alice
        .fails(
            "cd work/ca && certkeep store protect --zone=ca 'sec/**'",
            "the zone `keys` has the pattern `sec/**` already",
        )
        .says("certkeep store unprotect 'sec/**'");
    alice.fails(
        "cd work/ca && certkeep store protect --zone=reqs sec/a",
        "the zone `keys` has `sec/**`, which takes all that `sec/a` names already",
    );
    assert_eq!(alice.does(head), before);
    // Of a zone that comes before, it takes what it names.
    alice.does("cd work/ca && certkeep store protect --zone=ca sec/a && certkeep store protect 'sec/**'");
    assert!(alice.is_sealed("work/ca/sec/a"));
    alice.is_clean("work/ca");
}

#[test]
fn a_pki_folder_that_no_rule_could_name_is_refused_at_once() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does("age-keygen -o identity.txt 2>/dev/null && mkdir work/ca && cd work/ca && git init -q");
    for folder in ["'p\\k'", "\"$(printf 'p\\tk')\""] {
        alice
            .fails(
                &format!("cd work/ca && certkeep --pki={folder} --batch store init --recipient $(age-keygen -y ~/identity.txt) --name owner"),
                "cannot be kept in a store",
            );
        alice.does("cd work/ca && no ls .certkeep .git/certkeep/pins 2>/dev/null");
    }
}

#[test]
fn keys_that_no_commit_has_any_more_are_told_of() {
    let team = Team::new();
    let alice = team.person("alice");
    let said = alice
        .tries(
            "age-keygen -o identity.txt 2>/dev/null && mkdir work/ca && cd work/ca && git init -q
             openssl genpkey -quiet -algorithm ED25519 -out a.key && git add a.key && git commit -qm one
             git rm -q a.key && echo x > README && git add README && git commit -q --amend -m one
             certkeep --batch store init --recipient $(age-keygen -y ~/identity.txt) --name owner",
        )
        .well();
    said.says("git still has 1 object with a private key in the clear").says("git gc --prune=now");
    alice.does("cd work/ca && git reflog expire --expire=now --all && git gc -q --prune=now");
}
