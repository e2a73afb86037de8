// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zones that change: files that come into them, go into another or leave, and
//! how they lie in the work tree.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use team::{CANARY, Person, Team};

/// A store, its owner's identity named by the environment, and a canary.
fn open(team: &Team) -> Person {
    let alice = team.store("alice");
    let file = alice.path("identity.txt").display().to_string();
    alice.with("CERTKEEP_IDENTITY_FILE", &file).with("CANARY", CANARY)
}

/// The key of a blob, as the diff of a locked clone tells it.
fn key_of(person: &Person, path: &str) -> String {
    person.does(&format!("cd work/ca && git cat-file blob HEAD:{path} | head -c 28 | od -An -tx1 -j12 -N16"))
}

#[test]
fn the_name_of_a_folder_is_no_pattern() {
    let team = Team::new();
    let alice = open(&team);
    alice.does("cd work/ca && mkdir -p secrets/x && echo a > secrets/x/y");
    // As a shell hands it over where nobody has quoted it.
    let said = alice.tries("cd work/ca && certkeep store protect secrets/**");
    assert_eq!(said.code, 1, "{said:?}");
    said.says("secrets/x").says("certkeep store protect 'secrets/x/**'");
    alice.does("cd work/ca && git diff --quiet HEAD && certkeep store protect 'secrets/**' && git add secrets && git commit -qm x && git cat-file blob HEAD:secrets/x/y | head -c 7 | grep -q CKSEAL");
}

#[test]
fn a_file_of_two_zones_stays_sealed_when_one_lets_it_go() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "cd work/ca && certkeep store protect 'deploy/**' --zone=reqs && certkeep store protect '*.secret' --zone=keys
         mkdir deploy && echo $CANARY > deploy/x.secret && echo $CANARY > deploy/other
         git add deploy && git commit -qm deploy
         certkeep --batch store unprotect '*.secret'
         git cat-file blob HEAD:deploy/x.secret | head -c 7 | grep -q CKSEAL
         grep -q $CANARY deploy/x.secret",
    );
    assert_eq!(key_of(&alice, "deploy/x.secret"), key_of(&alice, "deploy/other"));
    alice.is_clean("work/ca");
    alice.does("cd work/ca && certkeep store status && certkeep lock && certkeep unlock && grep -q $CANARY deploy/x.secret");
}

#[test]
fn a_file_that_goes_into_another_zone_is_sealed_with_its_key() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "cd work/ca && certkeep store protect 'deploy/**' --zone=reqs && mkdir deploy
         echo $CANARY > deploy/x.secret && echo $CANARY > deploy/y && git add deploy && git commit -qm deploy",
    );
    let before = key_of(&alice, "deploy/x.secret");
    alice.does("cd work/ca && certkeep store protect '*.secret' --zone=ca");
    assert_ne!(key_of(&alice, "deploy/x.secret"), before);
    assert_eq!(key_of(&alice, "deploy/x.secret"), key_of(&alice, "pki/private/ca.key"));
    assert!(alice.is_sealed("work/ca/deploy/x.secret"), "the zone is sealed in the work tree, too");
    alice.is_clean("work/ca");
    alice
        .does("cd work/ca && certkeep store unprotect '*.secret' --batch && grep -q $CANARY deploy/x.secret");
    assert_eq!(key_of(&alice, "deploy/x.secret"), before);
    alice.is_clean("work/ca");
}

#[test]
fn what_git_does_not_have_is_not_written_over() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "cd work/ca && mkdir deploy && echo harmless > deploy/a && echo harmless > deploy/b
         git add deploy && git commit -qm deploy && echo $CANARY >> deploy/a && git log -1 --format=%H > ~/head",
    );
    let unchanged = || {
        alice.does(
            "cd work/ca && git log -1 --format=%H | cmp - ~/head
             printf 'harmless\n%s\n' $CANARY | cmp - deploy/a && echo harmless | cmp - deploy/b",
        )
    };
    alice
        .fails("cd work/ca && certkeep store protect 'deploy/**' --zone=ca", "holds what git does not have")
        .says("deploy/a");
    unchanged();
    alice
        .fails(
            "cd work/ca && certkeep lock && certkeep store protect 'deploy/**'",
            "holds what git does not have",
        )
        .says("deploy/a");
    unchanged();
    // Unlocked, the file stays plaintext, and so does its change.
    alice.does("cd work/ca && certkeep unlock && certkeep store protect 'deploy/**' && tail -n 1 deploy/a | grep -q $CANARY");
    assert_eq!(alice.does("cd work/ca && git status --porcelain"), " M deploy/a\n");
}

#[test]
fn a_zone_that_is_to_be_sealed_leaves_no_plaintext_behind() {
    let team = Team::new();
    let alice = open(&team);
    let sealing = "cd work/ca && certkeep store zone set keys --mode=sealed";
    alice.does("cd work/ca && certkeep store protect '*.secret' && echo $CANARY > new.secret");
    alice.fails(sealing, "1 protected file holds what git does not have").says("new.secret");
    alice.does("cd work/ca && rm new.secret && git worktree add -q ../other -b other && test -s ../other/pki/private/www.key");
    alice.fails(sealing, "in the clear in another work tree").says("other/pki/private/www.key");
    assert!(!alice.is_sealed("work/ca/pki/private/www.key"), "nothing was done");
    alice.does(&format!(
        "grep -q transparent work/ca/.certkeep/zones/keys/zone.toml; (cd work/ca && certkeep lock); {sealing}"
    ));
    assert!(
        alice.is_sealed("work/ca/pki/private/www.key") && alice.is_sealed("work/other/pki/private/www.key")
    );
    alice.is_clean("work/ca");
}

#[test]
fn a_sealed_zone_takes_in_what_git_does_not_have() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "cd work/ca && mkdir deploy && echo $CANARY > deploy/root.pass && echo $CANARY > deploy/web.pass
         echo harmless > deploy/README && certkeep store protect --zone=ca deploy/root.pass",
    );
    assert!(alice.is_sealed("work/ca/deploy/root.pass"));
    assert_eq!(alice.does("cd work/ca && git ls-files deploy"), "deploy/root.pass\n");
    assert_eq!(key_of(&alice, "deploy/root.pass"), key_of(&alice, "pki/private/ca.key"));
    assert_eq!(
        alice.does("cd work/ca && git status --porcelain -uall"),
        "?? deploy/README\n?? deploy/web.pass\n"
    );
    // What a transparent zone protects, its owner adds.
    alice.does("cd work/ca && certkeep store protect 'deploy/*.pass' && grep -q $CANARY deploy/web.pass");
    assert_eq!(alice.does("cd work/ca && git ls-files deploy"), "deploy/root.pass\n");
    alice.does("cd work/ca && echo $CANARY > other.root && certkeep store protect --zone=ca '*.root'");
    // The next file under a pattern that is known.
    alice.does("cd work/ca && echo $CANARY > new.root && certkeep store protect --zone=ca '*.root'");
    assert!(alice.is_sealed("work/ca/other.root") && alice.is_sealed("work/ca/new.root"));
    assert_eq!(alice.does("cd work/ca && git ls-files '*.root'"), "new.root\nother.root\n");
}
