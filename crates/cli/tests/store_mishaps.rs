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
    let pushed = bob.does("cd work/ca && git rev-parse --short=10 HEAD@{1}");
    let merge = format!("git merge {}", pushed.trim());
    bob.fails("cd work/ca && certkeep --batch unlock --discard-rotation", "this clone has seen epoch 3")
        .says(&merge);
    bob.does(&format!("cd work/ca && {merge} >/dev/null && certkeep unlock && git push -q"));
    bob.is_clean("work/ca");
}

/// Alice has rotated and pushed, Bob has rotated and not; each has a new key
/// sealed under his own epoch.
fn two_rotations(team: &Team) -> (Person, Person) {
    let (alice, bob, _) = team.shared("");
    for (person, name) in [(&alice, "al"), (&bob, "bo")] {
        person.does(&format!(
            "cd work/ca && certkeep unlock && certkeep --batch store rotate
             echo $CANARY-{name} > pki/private/{name}.key && git add -A && git commit -qm {name}"
        ));
    }
    alice.does("cd work/ca && git push -q");
    bob.fails("cd work/ca && git push -q", "rejected");
    (alice, bob)
}

/// What both wrote is there for both, and neither has anything to complain of.
#[track_caller]
fn all_is_well(people: [&Person; 2]) {
    for person in people {
        person.does("cd work/ca && git pull -q && certkeep unlock && certkeep store status");
        for name in ["al", "bo"] {
            person.does(&format!("cd work/ca && grep -q $CANARY-{name} pki/private/{name}.key"));
        }
        person.is_clean("work/ca");
        person.does("cd work/ca && certkeep --batch --nopass gen-req again && git reset -q --hard HEAD~ && certkeep lock && certkeep unlock");
    }
    let tips = people.map(|person| person.does("cd work/ca && git rev-parse HEAD"));
    assert_eq!(tips[0], tips[1]);
}

const RESOLVE: &str = "{ git add -A && GIT_EDITOR=true git -c core.commentChar=';'";

#[test]
fn two_rotations_that_were_merged_to_the_first_one_become_one() {
    for (pull, side) in [("--no-rebase", "--theirs"), ("--rebase", "--ours")] {
        let team = Team::new();
        let (alice, bob) = two_rotations(&team);
        let end = if pull == "--rebase" { "rebase --continue" } else { "commit -qm merged" };
        bob.fails(
            &format!("cd work/ca && git pull -q {pull} 2>&1 | tee /dev/stderr | no grep CONFLICT"),
            "CONFLICT",
        );
        bob.does(&format!("cd work/ca && git checkout {side} . && {RESOLVE} {end}; }}"));
        bob.fails("cd work/ca && certkeep unlock", "when this clone saw it first")
            .says("certkeep unlock --discard-rotation");
        bob.fails("cd work/ca && certkeep --batch --no-commit unlock --discard-rotation", "is a commit");
        let said = bob.tries("cd work/ca && certkeep --batch unlock --discard-rotation").well();
        // Of the side that lost: one file, which only its key opened.
        said.says("(store rotate): what it was for has to be done again").says("1 file\n");
        bob.does("cd work/ca && git push -q");
        all_is_well([&alice, &bob]);
    }
}

#[test]
fn two_rotations_that_were_merged_to_the_second_one_do_not_shut_others_out() {
    for (pull, side) in [("--no-rebase", "--ours"), ("--rebase", "--theirs")] {
        let team = Team::new();
        let (alice, bob) = two_rotations(&team);
        let first = alice.does("cd work/ca && git rev-parse --short=10 HEAD");
        let back = format!("git restore --source={} --staged --worktree -- .certkeep", first.trim());
        let end = if pull == "--rebase" { "rebase --continue" } else { "commit -qm merged" };
        bob.does(&format!(
            "cd work/ca && {{ git pull -q {pull} >/dev/null 2>&1 || true; }}
             git checkout {side} . && {RESOLVE} {end}; }}"
        ));
        bob.tries("cd work/ca && certkeep unlock").well().says("--discard-rotation");
        bob.fails("cd work/ca && certkeep --batch unlock --discard-rotation", "had another key of the zone")
            .says(&back);
        bob.fails("cd work/ca && git push -q >&2", "in epoch 2 than the branch had first").says(&back);
        bob.does(&format!("cd work/ca && {back} && git commit -qm Back"));
        bob.does("cd work/ca && certkeep --batch unlock --discard-rotation && git push -q");
        all_is_well([&alice, &bob]);
    }
}

#[test]
fn a_second_rotation_that_was_forced_on_others_is_taken_back_by_them() {
    let team = Team::new();
    let (alice, bob) = two_rotations(&team);
    bob.does(&format!(
        "cd work/ca && {{ git pull -q --no-rebase >/dev/null 2>&1 || true; }}
         git checkout --ours . && {RESOLVE} commit -qm merged; }} && git push -q --no-verify"
    ));
    alice.does("cd work/ca && git pull -q");
    alice.fails("cd work/ca && certkeep unlock", "when this clone saw it first");
    let began =
        alice.does("cd work/ca && git log -1 --format=%h --abbrev=10 --author=alice --grep='^store rotate'");
    let back = format!("git restore --source={} --staged --worktree -- .certkeep", began.trim());
    alice
        .fails("cd work/ca && certkeep --batch unlock --discard-rotation", "and no other one before it")
        .says(&back)
        .says("whoever made the other rotation");
    alice.does(&format!("cd work/ca && {back} && git commit -qm Back && certkeep unlock && git push -q"));
    bob.does("cd work/ca && git pull -q");
    bob.fails("cd work/ca && certkeep unlock", "when this clone saw it first").says("--discard-rotation");
    bob.does("cd work/ca && certkeep --batch unlock --discard-rotation && git push -q");
    all_is_well([&alice, &bob]);
}

#[test]
fn a_lost_rotation_is_discarded_although_its_branch_was_pushed_and_without_its_keyring() {
    let team = Team::new();
    let (alice, bob) = two_rotations(&team);
    bob.does(&format!(
        "cd work/ca && certkeep lock && git push -q origin HEAD:mine && git fetch -q
         {{ git pull -q --no-rebase origin main >/dev/null 2>&1 || true; }}
         git checkout --theirs . && {RESOLVE} commit -qm merged; }}"
    ));
    bob.fails(
        "cd work/ca && certkeep --batch unlock --discard-rotation",
        "refs/remotes/origin/mine has, or had",
    )
    .says("git branch -d -r origin/mine");
    bob.does("cd work/ca && git branch -q -d -r origin/mine");
    // What nobody opens here is not forgotten.
    bob.fails(
        "cd work/ca && CERTKEEP_IDENTITY_FILE=/dev/null certkeep --batch unlock --discard-rotation",
        "is still needed",
    )
    .says("pki/private/bo.key");
    bob.does("cd work/ca && certkeep --batch unlock --discard-rotation && git push -q");
    all_is_well([&alice, &bob]);
}

#[test]
fn what_a_forgotten_rotation_has_sealed_can_be_picked_later() {
    let team = Team::new();
    let (alice, bob) = two_rotations(&team);
    // A second one on top: both are lost at once.
    bob.does("cd work/ca && git branch mine && certkeep --batch store rotate && git fetch -q && git reset -q --hard origin/main");
    bob.fails("cd work/ca && certkeep unlock", "--discard-rotation");
    bob.does("cd work/ca && certkeep --batch unlock --discard-rotation && git cherry-pick mine >/dev/null");
    bob.tries("cd work/ca && certkeep unlock").well().says("bo.key stays sealed").says("--discard-rotation");
    bob.does("cd work/ca && certkeep --batch unlock --discard-rotation && git push -q");
    all_is_well([&alice, &bob]);
    // Back on the branch with the rotation, what leads out is said.
    bob.does("cd work/ca && git checkout -q -f mine");
    bob.fails("cd work/ca && certkeep unlock", "when this clone saw it first")
        .says("a rotation of your own that this clone has forgotten")
        .says("git switch BRANCH")
        .says("git cherry-pick COMMIT");
    bob.does("cd work/ca && git switch -q -f main && certkeep unlock");
    all_is_well([&alice, &bob]);
}

#[test]
fn a_rotation_that_was_rebased_and_pushed_is_not_given_up() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("");
    alice.does("cd work/ca && certkeep unlock");
    mallory.does("cd work/ca && echo hi > readme && git add readme && git commit -qm Readme && git push -q");
    alice.does(
        "cd work/ca && certkeep --batch member remove bob && no git push -q && git pull -q --rebase && git push -q",
    );
    // Bob begins an epoch of his own in its place.
    bob.does("cd work/ca && certkeep --batch store rotate && git push -q -f --no-verify");
    alice.does("cd work/ca && git fetch -q && git reset -q --hard origin/main");
    alice.fails("cd work/ca && certkeep unlock", "when this clone saw it first");
    alice.fails("cd work/ca && certkeep --batch unlock --discard-rotation", "and no other one before it");
    alice.fails("cd work/ca && certkeep unlock", "when this clone saw it first");
    alice.does("cd work/ca && certkeep lock");
}

#[test]
fn an_epoch_is_known_for_ones_own_before_its_commit() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("");
    // Whatever signs the commit sees what a run that is killed there would leave.
    bob.does(
        "printf '#!/bin/sh\ncat >/dev/null; cp .git/certkeep/pins ~/pins; printf \"\\n[GNUPG:] SIG_CREATED \" >&2\necho signature\n' > sign
         chmod 700 sign && cd work/ca && certkeep unlock
         git -c commit.gpgSign=true -c gpg.program=$HOME/sign config --list >/dev/null
         git config commit.gpgSign true && git config gpg.program ~/sign && certkeep --batch store rotate
         git config --unset commit.gpgSign && cp ~/pins .git/certkeep/pins && certkeep unlock",
    );
    alice.does("cd work/ca && certkeep --batch store rotate && git push -q");
    bob.does("cd work/ca && git fetch -q && git reset -q --hard origin/main");
    bob.fails("cd work/ca && certkeep unlock", "when this clone saw it first").says("--discard-rotation");
    bob.does("cd work/ca && certkeep --batch unlock --discard-rotation && certkeep store status");
    bob.is_clean("work/ca");
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
    for command in ["unlock", "store status"] {
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
    // The keys go from anywhere.
    alice.fails("cd work/ca && certkeep lock", "has a store, but not in this commit");
    alice.does("cd work/ca && no ls .git/certkeep/keyring 2>/dev/null && git switch -q main && certkeep unlock && certkeep lock && certkeep unlock");
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

/// Alice takes Oscar out, and he begins an epoch of his own with the key that he still has.
fn oscar_comes_back(team: &Team, push: &str, force: &str) -> Person {
    let (alice, _, _) = team.shared("");
    let oscar = team.person("oscar");
    oscar.does("age-keygen -o identity.txt 2>/dev/null; age-keygen -y identity.txt > public");
    let oscar = oscar.with("CERTKEEP_IDENTITY_FILE", &oscar.path("identity.txt").display().to_string());
    alice.does("cd work/ca && certkeep --batch member add oscar $(cat ~/../oscar/public) && git push -q && certkeep unlock");
    oscar.does("cd work && git clone -q ~/../remote.git ca && cd ca && certkeep unlock && certkeep --batch store rotate");
    alice.does(&format!("cd work/ca && certkeep --batch member remove oscar && {push}"));
    let [first, second] = force.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
        panic!("two steps")
    };
    oscar.does(&format!("cd work/ca && {first}"));
    if first != "true" {
        alice.does(
            "cd work/ca && git fetch -q --prune && no ls .git/logs/refs/remotes/origin/main 2>/dev/null",
        );
    }
    oscar.does(&format!("cd work/ca && {second}"));
    alice.does("cd work/ca && git fetch -q && git reset -q --hard origin/main");
    alice
}

#[test]
fn a_rotation_that_was_offered_is_not_forgotten_whatever_became_of_the_branch() {
    for (push, force) in [
        (
            "git push -q",
            "git -C ../../../remote.git config receive.denyDeleteCurrent ignore; git push -q origin :main | git push -q origin HEAD:main",
        ),
        (
            "git push -q file://$HOME/../remote.git HEAD:main",
            "true | git push -qf --no-verify origin HEAD:main",
        ),
    ] {
        let team = Team::new();
        let alice = oscar_comes_back(&team, push, force);
        let said = alice.fails(
            "cd work/ca && certkeep --batch unlock --discard-rotation",
            "was offered to refs/heads/main of a remote",
        );
        assert!(!said.stderr.contains("branch -d -r"), "{said:?}");
        said.says("do not go on before you know who pushed it").says("rule offered ");
    }
}

#[test]
fn a_branch_of_ones_own_is_pushed_again_after_its_rotation_was_lost() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("");
    bob.does("cd work/ca && certkeep unlock && certkeep --batch store rotate && git push -q");
    alice.does(
        "cd work/ca && certkeep unlock && git checkout -q -b feature && certkeep --batch store rotate
         echo f > f && git add f && git commit -qm f && git push -q origin feature && git fetch -q
         git reset -q --hard origin/main && git cherry-pick ORIG_HEAD >/dev/null",
    );
    alice
        .fails("cd work/ca && certkeep --batch unlock --discard-rotation", "origin/feature has")
        .says("git branch -d -r origin/feature");
    alice.does(
        "cd work/ca && git branch -q -d -r origin/feature && certkeep --batch unlock --discard-rotation
         git fetch -q && git push -qf origin feature && certkeep unlock && certkeep store status",
    );
    // Unlocked where the new key is, what is older can be read.
    alice.does("cd work/ca && git branch release HEAD~3 && certkeep lock && git switch -q release");
    alice
        .fails("cd work/ca && certkeep unlock", "is in epoch 1")
        .says("`git switch NEWER-BRANCH`, `certkeep unlock`, `git switch -`");
    alice.does("cd work/ca && git switch -q feature && certkeep unlock && git switch -q - && grep -q 'PRIVATE KEY' pki/private/www.key");
    alice.is_clean("work/ca");
}
