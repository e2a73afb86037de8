// SPDX-License-Identifier: MIT OR Apache-2.0
//! Somebody has changed the keys or the rules of the store while somebody else went
//! on: nothing is lost, nothing slips through, and what is to be typed is said.

use super::{ISSUE, rows, serial, together::two};
use crate::team::Team;

/// Goes on with a rebase as a person does who has decided.
const GO_ON: &str = "GIT_EDITOR=true git rebase --continue";

#[test]
fn a_certificate_that_was_issued_meanwhile_keeps_its_row() {
    for how in ["certkeep --batch sync", "git pull -q --no-rebase --no-edit", "git pull -q --rebase"] {
        let team = Team::new();
        let (alice, bob) = two(&team);
        bob.does(&format!("cd work/ca && {ISSUE} server b"));
        alice.does(&format!(
            "cd work/ca && certkeep --batch store rotate --zone=keys && {ISSUE} server a && git push -q"
        ));
        bob.does(&format!("cd work/ca && {how} && certkeep unlock && certkeep --batch sync"));
        alice.does("cd work/ca && certkeep --batch sync");
        for person in [&alice, &bob] {
            assert_eq!(rows(person, "work/ca").len(), 3);
            person.is_clean("work/ca");
            person.does("cd work/ca && certkeep verify-cert a && certkeep verify-cert b && grep -q 'PRIVATE KEY' pki/private/a.key pki/private/b.key");
        }
    }
}

#[test]
fn of_the_database_no_side_is_offered() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    let (alice, bob) = (alice.with("EASYRSA_RAND_SN", "no"), bob.with("EASYRSA_RAND_SN", "no"));
    alice.does(&format!("cd work/ca && {ISSUE} client one && certkeep sync"));
    bob.does(&format!("cd work/ca && {ISSUE} client two"));
    let said = bob
        .fails("cd work/ca && certkeep sync", "both sides have issued a certificate")
        .says("never take one side")
        .says("git checkout --merge -- ");
    for side in ["git checkout --ours -- pki/", "git checkout --theirs -- pki/"] {
        let offered = said.stderr.lines().any(|line| line.contains(side) && line.contains("index.txt"));
        assert!(!offered, "{said:#?}");
    }
    bob.does("cd work/ca && certkeep sync --abort");

    // Somebody has taken one nevertheless.
    let www = serial(&bob, "work/ca", "www");
    bob.does(&format!(
        "cd work/ca && git reset -q --keep @{{u}} && certkeep sync
         sed -i /{www}/d pki/index.txt && git commit -qam 'One side'"
    ));
    let said = bob
        .fails("cd work/ca && certkeep sync", "has lost the row of")
        .says("certkeep doctor --rebuild-index");
    assert!(!said.stderr.contains("git push"), "{said:#?}");
    bob.does("cd work/ca && certkeep --batch doctor --rebuild-index && certkeep sync");
    alice.does("cd work/ca && certkeep sync");
    assert!(rows(&alice, "work/ca").contains_key(&www));
}

#[test]
fn nothing_is_issued_while_git_is_in_the_midst_of_something() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    alice.does("cd work/ca && echo one > note && git add note && git commit -qm One && certkeep sync");
    bob.does("cd work/ca && echo two > note && git add note && git commit -qm Two && git branch two");
    let conflict = |begin: &str, what: &str, abort: &str| {
        bob.does(&format!("cd work/ca && git fetch -q && no {begin} 2>/dev/null"));
        let before = bob.does("cd work/ca && git rev-parse HEAD && git status --porcelain");
        for command in [
            format!("{ISSUE} client c"),
            "certkeep --batch revoke-issued www".to_owned(),
            "certkeep gen-crl".to_owned(),
            "certkeep --dry-run gen-crl".to_owned(),
        ] {
            let said = bob
                .fails(&format!("cd work/ca && {command}"), &format!("a {what} is under way"))
                .says(&format!("git {what} --continue"))
                .says(abort);
            assert_eq!(said.stdout, "");
        }
        assert_eq!(bob.does("cd work/ca && git rev-parse HEAD && git status --porcelain"), before);
        // Who wants it for the merge's own commit says so.
        bob.does(
            "cd work/ca && certkeep --no-commit gen-crl && git clean -qfd && git checkout -q HEAD -- pki",
        );
        bob.does("cd work/ca && certkeep unlock && certkeep store status >/dev/null");
        bob.does(&format!("cd work/ca && {abort}"));
        bob.is_clean("work/ca");
    };
    conflict("certkeep sync", "rebase", "certkeep sync --abort");
    conflict("git rebase origin/main", "rebase", "git rebase --abort");
    conflict("git merge origin/main", "merge", "git merge --abort");
    conflict("git cherry-pick origin/main", "cherry-pick", "git cherry-pick --abort");
    bob.does("cd work/ca && echo three > note && git commit -qam Three");
    conflict("git revert --no-edit HEAD~1", "revert", "git revert --abort");
    bob.does(&format!("cd work/ca && {ISSUE} client c"));
    assert_eq!(rows(&bob, "work/ca").len(), 2);
}

#[test]
fn a_pattern_that_comes_back_is_no_loss_and_hides_none() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    alice.does("cd work/ca && certkeep --batch store protect --zone=ca 'offline/**' && git push -q");
    bob.does("cd work/ca && certkeep --batch store rotate && git tag rotated");
    let followed = "git checkout -q --theirs -- .certkeep/zones/ca/zone.toml && git add .certkeep";
    let protected = "certkeep --batch store protect --zone=ca 'offline/**'";
    bob.fails("cd work/ca && certkeep --batch sync", "to be decided by somebody");
    bob.does(&format!("cd work/ca && {followed} && {GO_ON}"));
    // What is committed in the clear meanwhile stays here.
    bob.does(&format!(
        "cd work/ca && git branch good && mkdir offline && echo secret > offline/k
         git -c filter.certkeep.process= -c filter.certkeep.clean= -c filter.certkeep.required=false add offline/k
         git commit -qnm Slip && git rm -q offline/k && git commit -qnm Tidy && {protected}"
    ));
    let said = bob.tries("cd work/ca && git push");
    assert!(said.code != 0 && said.stdout.contains("offline/k is protected no longer"), "{said:#?}");
    bob.does(&format!("cd work/ca && git reset -q --hard good && {protected} && certkeep --batch sync"));
    alice.does("cd work/ca && git pull -q && certkeep unlock && certkeep store status && grep -q offline .certkeep/zones/ca/zone.toml .gitattributes");
}

#[test]
fn what_was_pulled_and_is_not_unlocked_yet_is_no_damage() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    alice.does(&format!(
        "cd work/ca && certkeep --batch store rotate --zone=keys && {ISSUE} server a && git push -q"
    ));
    bob.does("cd work/ca && git pull -q");
    let said = bob.tries("cd work/ca && certkeep store status").well().says("certkeep unlock");
    assert!(!said.stdout.contains("unknown key") && said.stdout.contains("not opened"), "{said:#?}");
    let said = bob.tries("cd work/ca && certkeep doctor");
    assert!(
        said.stdout.contains("keyring-behind") && !said.stdout.contains("sealed-unknown-key"),
        "{said:#?}"
    );
    bob.does("cd work/ca && certkeep unlock && certkeep store status 2>&1 | no grep 'not unlocked yet'");
    bob.does("cd work/ca && certkeep doctor --format json | no grep keyring-behind");
}

#[test]
fn a_clone_that_knows_a_later_state_already_gets_it() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    alice.does("cd work/ca && certkeep --batch store rotate --zone=keys && git push -q");
    bob.does("cd work/ca && certkeep --batch store protect 'b/**'");
    bob.fails("cd work/ca && certkeep --batch sync", "to be decided by somebody");
    bob.does(
        "cd work/ca && git checkout -q --ours -- .certkeep/zones/keys/zone.toml && certkeep unlock && certkeep sync --abort",
    );
    bob.fails("cd work/ca && certkeep store status", "this clone has seen epoch 2");
    bob.does("cd work/ca && certkeep --batch sync && certkeep store status");
    bob.is_clean("work/ca");
    assert!(bob.text("work/ca/.certkeep/zones/keys/zone.toml").contains("\"b/**\""));
    alice.does("cd work/ca && certkeep --batch sync && certkeep store status");
}

#[test]
fn a_pattern_in_two_zones_is_not_pushed_and_finds_one() {
    for (leaves, keeps) in [("reqs", "keys"), ("keys", "reqs")] {
        let team = Team::new();
        let (alice, bob) = two(&team);
        let protect = |zone: &str, file: &str| {
            format!(
                "cd work/ca && certkeep --batch store protect --zone={zone} 'secrets/**' && mkdir secrets
                 echo of-{file} > secrets/{file} && git add secrets && git commit -qm {file}"
            )
        };
        alice.does(&protect("keys", "a"));
        alice.does("cd work/ca && git push -q");
        bob.does(&protect("reqs", "b"));
        for _ in 0..2 {
            bob.fails("cd work/ca && certkeep --batch sync", "two zones have the same pattern")
                .says("certkeep store unprotect --zone=reqs 'secrets/**'");
        }
        // Both are to be read meanwhile, here and after a lock.
        bob.does("cd work/ca && certkeep unlock && certkeep lock && certkeep unlock && grep -q of-a secrets/a && grep -q of-b secrets/b");
        bob.is_clean("work/ca");
        bob.does(&format!(
            "cd work/ca && certkeep --batch store unprotect --zone={leaves} 'secrets/**' && certkeep --batch sync && certkeep store status"
        ));
        bob.is_clean("work/ca");
        alice.does("cd work/ca && certkeep --batch sync && certkeep unlock && grep -q of-a secrets/a && grep -q of-b secrets/b && certkeep store status");
        alice.is_clean("work/ca");
        assert!(
            alice.text(&format!("work/ca/.certkeep/zones/{keeps}/zone.toml")).contains("secrets/**"),
            "{keeps}"
        );
        alice.does("cd work/ca && git grep -q of-b HEAD -- secrets && exit 1; certkeep lock");
        assert!(alice.is_sealed("work/ca/secrets/b"));
    }
}
