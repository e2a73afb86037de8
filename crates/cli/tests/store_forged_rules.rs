// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mallory may push and has no key, or had one until he was removed: he writes
//! rules of his own, or brings old ones back. What git was told stays told, no
//! key seals that he knows, and no file leaves its zone.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use team::{CANARY, Person, Team};

/// What a clone goes by: the rules it told git, its keys, what it has seen.
const LOCAL: &str = "cd work/ca && cat .git/info/attributes .git/certkeep/pins; cat .git/certkeep/keyring 2>/dev/null || true";

/// Every private key of the work tree, put on offer to git, stays out of it.
#[track_caller]
fn nothing_leaks(person: &Person) {
    person.does(
        "cd work/ca && { touch pki/private/* && git add -A; } >/dev/null 2>&1 || true
         for blob in $(git ls-files -s | cut -d' ' -f2); do
             if git cat-file blob $blob | grep -q 'PRIVATE KEY'; then exit 1; fi
         done",
    );
}

/// What Mallory pushes: a store that never was, and this one with other rules.
const FORGED: &[(&str, &str)] = &[
    (
        "rm -r .certkeep .gitattributes && mkdir .certkeep
         printf 'version = 1\\nid = \"%032d\"\\npki = \"other\"\\n' 7 > .certkeep/store.toml",
        "this is the store 00000000000000000000000000000007",
    ),
    (
        "rm .gitattributes && sed -i 's/^pki = .*/pki = \"other\"/' .certkeep/store.toml
         sed -i s/transparent/sealed/ .certkeep/zones/*/zone.toml",
        "the store keeps the PKI in `other`",
    ),
    (
        "rm .gitattributes && rm -r .certkeep/zones/keys && sed -i s/transparent/sealed/ .certkeep/zones/*/zone.toml",
        "zone keys is not described any more",
    ),
    ("sed -i s/transparent/sealed/ .certkeep/zones/*/zone.toml", "was not written by a member"),
    (
        "mkdir .certkeep/zones/aaa && sed s/keys/aaa/ .certkeep/zones/keys/zone.toml > .certkeep/zones/aaa/zone.toml",
        "zone aaa was not there",
    ),
];

#[test]
fn rules_that_nobody_verified_are_not_obeyed() {
    let team = Team::new();
    let (_, bob, mallory) = team.shared("");
    bob.does("cd work/ca && certkeep unlock && cp -r . ../before");
    for (forge, fact) in FORGED {
        mallory.does(&format!("cd work/ca && {forge}\n git add -A && git commit -qm Forge && git push -q"));
        let before = bob.does(LOCAL);
        bob.does("cd work/ca && git pull -q");
        for command in ["unlock", "unlock --check", "store status", "--batch --nopass gen-req foo"] {
            let said = bob.fails(&format!("cd work/ca && certkeep {command}"), fact);
            assert!(said.says("git log -p -- .certkeep").stdout.is_empty());
            assert_eq!(bob.does(LOCAL), before, "{forge}: {command}");
        }
        bob.does("cd work/ca && no ls pki/private/foo.key && grep -q 'PRIVATE KEY' pki/private/www.key");
        nothing_leaks(&bob);
        // Plaintext goes, whatever the store says.
        bob.does("rm -rf work/locking && cp -r work/ca work/locking");
        bob.fails("cd work/locking && certkeep lock", fact).says("git log -p -- .certkeep");
        bob.does(
            "cd work/locking && no ls .git/certkeep/keyring 2>/dev/null && no grep -rq 'PRIVATE KEY' pki",
        );
        // Who is locked has no keys to verify with, and has seen as much.
        bob.does("cp -r work/before work/locked && cd work/locked && certkeep lock && git pull -q");
        bob.fails("cd work/locked && certkeep unlock", fact);
        if !fact.starts_with("was not") {
            bob.fails("cd work/locked && certkeep store status", fact);
        }
        // Who has seen nothing yet opens what would tell.
        bob.fails("cd work && git clone -q ~/../remote.git fresh && cd fresh && certkeep unlock", "");
        bob.does(
            "no ls work/fresh/.git/certkeep/keyring 2>/dev/null; no grep -q certkeep work/fresh/.git/config",
        );
        bob.does(
            "rm -rf work/locked work/fresh && cd work/ca && git reset -q --hard HEAD~ && git push -q -f origin HEAD:main",
        );
        mallory.does("cd work/ca && git reset -q --hard HEAD~");
        bob.does(
            "cd work/ca && certkeep unlock && certkeep store status && certkeep lock && certkeep unlock",
        );
        bob.is_clean("work/ca");
    }
}

#[test]
fn an_old_state_of_the_rules_seals_nothing_new() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("");
    bob.does("cd work/ca && certkeep unlock");
    alice.does("cd work/ca && certkeep --batch member remove bob && git push -q");
    bob.does(
        "cd work/ca && git pull -q 2>/dev/null && git checkout -q HEAD~1 -- .certkeep && git commit -qm Replay && git push -q",
    );
    alice.does("cd work/ca && git pull -q");
    alice
        .fails(
            "cd work/ca && echo $CANARY > pki/private/after.key && git add pki/private/after.key",
            "pki/private/after.key cannot be sealed: zone `keys` is in epoch 1; this clone has seen epoch 2",
        )
        .says("`git merge`");
    alice.fails("cd work/ca && certkeep --batch --nopass gen-req later", "this clone has seen epoch 2");
    alice
        .fails("cd work/ca && certkeep unlock", "this clone has seen epoch 2")
        .says("older branch")
        .says("git log -p -- .certkeep");
    // What is unchanged stays as it was, and can be locked.
    alice.does("cd work/ca && touch pki/private/www.key && git add pki/private/www.key && rm pki/private/after.key && git diff --quiet HEAD -- pki");
    alice.does("cd work/ca && certkeep lock && no grep -rq 'PRIVATE KEY' pki");
    alice.does(
        "cd work/ca && git revert --no-edit HEAD >/dev/null && certkeep unlock
         echo $CANARY > pki/private/after.key && git add pki/private/after.key && git commit -qm After && git push -q",
    );
    alice.is_clean("work/ca");
    bob.does("cd work/ca && git pull -q");
    assert!(bob.is_sealed("work/ca/pki/private/after.key"));
    bob.fails("cd work/ca && certkeep --identity ~/identity.txt unlock", "nothing here opens the zone");
}

#[test]
fn a_branch_from_before_a_rotation_is_read_and_not_added_to() {
    let team = Team::new();
    let alice = team.store("alice");
    let alice = alice
        .with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string())
        .with("CANARY", CANARY);
    alice.does(
        "cd work/ca && echo $CANARY > pki/private/x.key && git add . && git commit -qm x && git branch old
         certkeep --batch store rotate && git switch -q old",
    );
    alice.is_clean("work/ca");
    assert!(alice.text("work/ca/pki/private/x.key").contains(CANARY));
    alice.fails(
        "cd work/ca && echo $CANARY > pki/private/y.key && git add pki/private/y.key",
        "has seen epoch 2",
    );
    alice.does("cd work/ca && git merge -q --no-edit main && git add pki/private/y.key && git commit -qm y");
    alice.is_clean("work/ca");
    assert_eq!(
        alice.does("cd work/ca && for file in x y; do git cat-file blob HEAD:pki/private/$file.key | head -c 28 | sha256sum; done | sort -u | wc -l").trim(),
        "1",
        "both are sealed with the key of epoch 2"
    );
}

#[test]
fn a_pattern_that_only_a_member_could_take_away_stays() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("--zone=keys --zone=reqs");
    alice.does(
        "cd work/ca && mkdir offline && echo $CANARY > offline/old.pem && certkeep store protect --zone=ca 'offline/**' && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock && certkeep store status");
    mallory.does(
        "cd work/ca && git pull -q && sed -i 's/^patterns = .*/patterns = []/' .certkeep/zones/ca/zone.toml
         sed -i /offline/d .gitattributes && git commit -qam 'Drop it' && git push -q",
    );
    // Alice opens the zone, and is told; Bob cannot, and keeps what he was told.
    alice.does("cd work/ca && git pull -q && echo $CANARY > offline/new.pem");
    alice.fails("cd work/ca && certkeep unlock", "the zone `ca` cannot be trusted");
    bob.does("cd work/ca && git pull -q && certkeep unlock && echo $CANARY > offline/new.pem");
    for person in [&alice, &bob] {
        person.does("cd work/ca && grep -q '^offline/[*][*] certkeep' .git/info/attributes");
        person.fails("cd work/ca && git add -A", "offline/new.pem");
        person.does("cd work/ca && no git ls-files --error-unmatch offline/new.pem 2>/dev/null");
    }
    bob.does("cd work/ca && rm offline/new.pem && certkeep store status && certkeep lock");
    // Taken away by a member, it goes.
    alice.does(
        "cd work/ca && rm offline/new.pem && git revert --no-edit HEAD >/dev/null && certkeep unlock
         git rm -q offline/old.pem && git commit -qm Drop && certkeep --batch store unprotect 'offline/**' && git push -q
         no grep offline .git/info/attributes .git/certkeep/pins",
    );
    // Bob cannot tell who did it.
    bob.does("cd work/ca && git pull -q && certkeep unlock && grep -q offline .git/info/attributes");
}

#[test]
fn no_stranger_takes_a_file_out_of_a_rotation() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("--zone=keys");
    alice.does(
        "cd work/ca && certkeep store protect 'sec/**' && mkdir sec && echo $CANARY > sec/a && git add sec && git commit -qm sec && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock && grep -q $CANARY sec/a");
    mallory.does(
        "cd work/ca && git pull -q && sed -i 's,^patterns = .*,patterns = [\"sec/**\"],' .certkeep/zones/ca/zone.toml
         git commit -qam 'Take it' && git push -q",
    );
    alice.does("cd work/ca && git pull -q");
    for command in ["member remove bob", "store rotate --zone=keys"] {
        alice.fails(&format!("cd work/ca && certkeep --batch {command}"), "the zone `ca` cannot be trusted");
    }
    // Bob is no member of it, so he cannot tell.
    bob.does("cd work/ca && git pull -q");
    bob.fails("cd work/ca && certkeep --batch store rotate --zone=keys", "nothing here opens the zone `ca`");
    alice.does("cd work/ca && git revert --no-edit HEAD >/dev/null && certkeep --batch member remove bob && git push -q");
    bob.does("cd work/ca && git pull -q");
    assert!(bob.is_sealed("work/ca/sec/a"), "a key that Bob does not have");
    alice.is_clean("work/ca");
}

#[test]
fn a_link_to_the_pki_or_a_pki_beside_it_is_not_written_to() {
    let team = Team::new();
    let (_, bob, mallory) = team.shared("");
    bob.does("cd work/ca && certkeep unlock");
    mallory.does(
        "cd work/ca && git mv pki store2 && ln -s store2 pki && git add -A && git commit -qm Move && git push -q",
    );
    bob.does("cd work/ca && git pull -q");
    for command in ["--batch --nopass gen-req foo", "unlock", "lock", "store status", "--batch store rotate"]
    {
        bob.fails(&format!("cd work/ca && certkeep {command}"), "pki is a symbolic link")
            .says("git log -- pki");
    }
    nothing_leaks(&bob);
    // Another PKI in the same work tree, of which nothing would be sealed.
    bob.does(
        "cd work/ca && git reset -q --hard HEAD~ && certkeep unlock && certkeep --batch --pki=two init-pki",
    );
    let make = "cd work/ca && certkeep --batch --nopass --pki=two gen-req foo";
    bob.fails(make, "no zone would keep its secrets").says("two/private/foo.key").says("work/ca/pki");
    bob.does(
        "cd work/ca && no ls two/private/foo.key && certkeep store protect 'two/private/**' 'two/reqs/**'",
    );
    bob.does(make);
    nothing_leaks(&bob);
}

#[test]
fn a_zone_that_is_closed_here_gives_no_file_away_to_git() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("--zone=keys");
    alice.does(
        "cd work/ca && certkeep store protect --zone=reqs 'plans/**' && mkdir plans && echo one > plans/a
         git add plans && git commit -qm Plan && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock && mkdir -p plans && echo $CANARY > plans/b");
    bob.fails("cd work/ca && git add plans/b", "its zone `reqs` is locked");
    mallory.does(
        "cd work/ca && git pull -q && sed -i 's/^patterns = .*/patterns = []/' .certkeep/zones/reqs/zone.toml
         sed -i /plans/d .gitattributes && git commit -qam Forge && git push -q",
    );
    bob.does("cd work/ca && git pull -q && { certkeep unlock || true; }");
    bob.fails(
        "cd work/ca && git add plans/b",
        "a pattern of the zone `reqs` for it, which the store does not have",
    )
    .says("git log -p -- .certkeep/zones/reqs/zone.toml");
}

#[test]
fn a_locked_clone_believes_no_other_pki_folder() {
    let team = Team::new();
    let (alice, _, mallory) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && mkdir -p deploy && certkeep store protect 'deploy/**'
         echo one > deploy/vars && git add deploy && git commit -qm Deploy && git push -q && certkeep unlock && certkeep lock",
    );
    mallory.does(
        "cd work/ca && git pull -q && sed -i 's,^pki = .*,pki = \"deploy\",' .certkeep/store.toml
         sed -i 's/^patterns = .*/patterns = []/' .certkeep/zones/*/zone.toml && git commit -qam Forge && git push -q",
    );
    alice.does("cd work/ca && git pull -q && echo $CANARY > deploy/vars");
    alice.fails("cd work/ca && git add deploy/vars", "deploy/vars");
}

#[test]
fn a_former_member_is_not_let_in_by_a_rotation_that_was_rebased() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("");
    alice.does("cd work/ca && certkeep unlock");
    mallory.does("cd work/ca && echo hi > readme && git add readme && git commit -qm Readme && git push -q");
    alice.does(
        "cd work/ca && certkeep --batch member remove bob && no git push -q && git pull -q --rebase && git push -q",
    );
    bob.does("cd work/ca && git pull -q && git checkout -q HEAD~1 -- .certkeep pki && git commit -qnm Replay && git push -q --no-verify");
    alice.does("cd work/ca && git pull -q");
    alice.fails("cd work/ca && certkeep unlock", "this clone has seen epoch 2");
    alice.fails("cd work/ca && certkeep --batch unlock --discard-rotation", "this clone has seen epoch 2");
    alice.fails(
        "cd work/ca && echo $CANARY > pki/private/after.key && git add pki/private/after.key",
        "after.key",
    );
}

#[test]
fn lock_believes_no_linked_work_tree_more_than_its_own() {
    let team = Team::new();
    let (alice, _, _) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && mkdir sec && certkeep store protect 'sec/**' && echo $CANARY > sec/a
         git add sec && git commit -qm Sec && git worktree add -q ../linked -b linked && cd ../linked && certkeep unlock
         sed -i 's/^patterns = .*/patterns = []/' .certkeep/zones/keys/zone.toml && git commit -qnam Forge",
    );
    alice.fails("cd work/ca && certkeep lock", "zone `keys`");
    assert!(alice.is_sealed("work/linked/sec/a"), "by what was seen here");
    alice.does("cd work/linked && git revert --no-edit HEAD >/dev/null && cd ../ca && certkeep unlock && certkeep lock");
    assert!(alice.is_sealed("work/linked/sec/a"), "also where another branch is checked out");
}

#[test]
fn what_another_branch_seals_stays_told() {
    let team = Team::new();
    let (alice, _, mallory) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && git switch -qc feature && mkdir sec && certkeep store protect 'sec/**'
         echo one > sec/a && git add sec && git commit -qm Sec && git push -qu origin feature
         git switch -q main && certkeep unlock && grep -q sec .git/info/attributes",
    );
    mallory.does(
        "cd work/ca && git fetch -q && git switch -q feature && sed -i /sec/d .gitattributes
         sed -i 's/^patterns = .*/patterns = []/' .certkeep/zones/keys/zone.toml && git commit -qam Forge && git push -q",
    );
    alice.does("cd work/ca && git switch -q feature && git pull -q && echo $CANARY > sec/b");
    alice.fails("cd work/ca && git add sec/b", "sec/b is not let through");
    // What a member takes away is taken away, here and where it is pulled.
    alice.does("cd work/ca && rm sec/b && git reset -q --hard HEAD~ && certkeep unlock && git rm -q sec/a && git commit -qm Drop");
    alice.does("cd work/ca && certkeep --batch store unprotect 'sec/**' && no grep sec .git/info/attributes .git/certkeep/pins");
}
