// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two branches that have changed how one zone is described.

use super::{
    Team,
    team::{CANARY, Person},
};

/// Alice and Bob, unlocked, with `base/**` protected; Mallory has no key.
fn shared(team: &Team) -> (Person, Person, Person) {
    let (alice, bob, mallory) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'base/**' 'other/**'
         mkdir base && echo $CANARY > base/s && git add base && git commit -qm Base && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock && git config pull.rebase true");
    (alice, bob, mallory)
}

/// Protects a pattern and seals a file under it.
fn protect(folder: &str) -> String {
    format!(
        "cd work/ca && certkeep store protect '{folder}/**' && mkdir {folder} && echo $CANARY > {folder}/s
         git add {folder} && git commit -qm {folder}"
    )
}

#[track_caller]
fn has(person: &Person, patterns: &[&str]) {
    let described = person.text("work/ca/.certkeep/zones/keys/zone.toml");
    let attributes = person.text("work/ca/.gitattributes");
    for pattern in ["a/**", "b/**", "base/**", "other/**"] {
        let wanted = patterns.contains(&pattern);
        assert_eq!(described.contains(&format!("\"{pattern}\"")), wanted, "{pattern}: {described}");
        assert_eq!(attributes.contains(&format!("\n{pattern} ")), wanted, "{pattern}: {attributes}");
    }
}

#[test]
fn patterns_of_both_sides_are_kept_by_every_kind_of_merge() {
    for how in [
        "git pull -q && git push -q",
        "git pull -q --no-rebase --no-edit && git push -q",
        "certkeep --batch sync",
    ] {
        let team = Team::new();
        let (alice, bob, _) = shared(&team);
        alice.does(&protect("a"));
        alice.does("cd work/ca && git push -q");
        bob.does(&protect("b"));
        bob.does(&format!("cd work/ca && {how}"));
        has(&bob, &["a/**", "b/**", "base/**", "other/**"]);
        bob.is_clean("work/ca");
        bob.does("cd work/ca && certkeep store status && certkeep guard --history && certkeep unlock 2>&1 | no grep -E 'stays|was before'");
        assert_eq!(bob.text("work/ca/a/s"), format!("{CANARY}\n"));
        alice.does("cd work/ca && git pull -q && certkeep unlock 2>&1 | no grep -E 'stays|was before'");
        alice.does("cd work/ca && test -z \"$(git status --porcelain)\" && certkeep lock");
        assert!(alice.is_sealed("work/ca/b/s"));
        alice.does("cd work && git clone -q ~/../remote.git fresh && cd fresh && certkeep unlock && grep -q canary a/s b/s base/s");
    }
}

#[test]
fn what_one_side_takes_away_goes_and_an_earlier_state_takes_nothing() {
    let team = Team::new().that_leaks();
    let (alice, bob, mallory) = shared(&team);
    alice.does("cd work/ca && certkeep --batch store unprotect 'other/**' && git push -q");
    bob.does(&protect("b"));
    bob.tries("cd work/ca && git pull -q").well().says("has taken `other/**` out of the zone");
    has(&bob, &["b/**", "base/**"]);
    bob.does("cd work/ca && git push -q");
    // Mallory has what a member wrote before `base/**` was protected.
    let first = "$(git log --format=%H --reverse -- .certkeep/zones/keys/zone.toml | head -1)";
    mallory.does(&format!(
        "cd work/ca && git pull -q && git checkout -q {first} -- .certkeep/zones/keys/zone.toml
         git commit -qnm Tidy && git push -q --no-verify"
    ));
    bob.does("cd work/ca && certkeep store protect 'a/**'");
    bob.tries("cd work/ca && git pull -q --no-rebase --no-edit").well().says("it stays. If it is to go");
    let described = bob.text("work/ca/.certkeep/zones/keys/zone.toml");
    assert!(["a/**", "b/**", "base/**"].iter().all(|pattern| described.contains(pattern)), "{described}");
    bob.does("cd work/ca && certkeep store status");
}

#[test]
fn a_rotation_and_a_pattern_come_together_once_the_new_key_is_here() {
    for (how, again) in [
        ("git pull -q --rebase", "GIT_EDITOR=true git rebase --continue"),
        ("git pull -q --no-rebase --no-edit", "git commit -q --no-edit"),
    ] {
        let team = Team::new();
        let (alice, bob, _) = shared(&team);
        alice.does("cd work/ca && certkeep --batch store rotate --zone=keys && git push -q");
        bob.does("cd work/ca && certkeep store protect 'b/**'");
        let said =
            bob.fails(&format!("cd work/ca && {how}"), "in epoch 2, whose key is not unlocked in this clone");
        let theirs = if said.stderr.contains("their side has the zone") {
            said.says("git checkout --theirs -- .certkeep/zones/keys/zone.toml");
            "git checkout -q --theirs -- .certkeep/zones/keys/zone.toml &&"
        } else {
            ""
        };
        bob.does(&format!(
            "cd work/ca && no grep '<<<' .certkeep/zones/keys/zone.toml && {theirs} certkeep unlock
             git checkout -q --merge -- .certkeep/zones/keys/zone.toml && git add -- .certkeep/zones/keys/zone.toml && {again}"
        ));
        has(&bob, &["b/**", "base/**", "other/**"]);
        assert!(bob.text("work/ca/.certkeep/zones/keys/zone.toml").contains("epoch = 2"));
        bob.is_clean("work/ca");
        bob.does("cd work/ca && certkeep store status && git push -q origin HEAD:main");
    }
}

#[test]
fn what_cannot_be_verified_is_a_conflict_and_stays_whole() {
    let team = Team::new();
    let (alice, bob, mallory) = shared(&team);
    alice.does(&protect("a"));
    alice.does("cd work/ca && git push -q");
    bob.does(&protect("b"));
    // No key at hand.
    let before = bob.does("cd work/ca && certkeep lock && cat .certkeep/zones/keys/zone.toml");
    bob.fails(
        "cd work/ca && git pull -q --no-rebase",
        "the keys of the zone `keys` are not unlocked in this clone",
    )
    .says("certkeep unlock");
    assert_eq!(bob.does("cd work/ca && cat .certkeep/zones/keys/zone.toml"), before);
    bob.does(
        "cd work/ca && certkeep unlock && git checkout -q --merge -- .certkeep/zones/keys/zone.toml
         git add .certkeep && git commit -q --no-edit && git push -q",
    );
    has(&bob, &["a/**", "b/**", "base/**", "other/**"]);
    // Somebody without a key says that he is later.
    mallory.does(
        "cd work/ca && git pull -q && sed -i '/patterns/d; s/^revision.*/revision = 4294967295\\npatterns = []/' .certkeep/zones/keys/zone.toml
         git commit -qanm Tidy && git push -q --no-verify",
    );
    alice.does("cd work/ca && certkeep store protect 'c/**'");
    alice
        .fails("cd work/ca && git pull -q --no-rebase", "zone.toml or store.toml was not written by a member")
        .says("no member wrote that");
    alice.does("cd work/ca && git merge --abort && certkeep store status");
}

#[test]
fn a_merge_that_takes_one_side_is_not_pushed() {
    let team = Team::new();
    let (alice, bob, _) = shared(&team);
    alice.does(&protect("a"));
    alice.does("cd work/ca && git push -q");
    bob.does("cd work/ca && git config pull.rebase false");
    bob.does(&protect("b"));
    // As a program does that knows no merge driver.
    bob.does(
        "cd work/ca && { git -c merge.certkeep-store.driver=false pull -q --no-edit || true; }
         git checkout -q --theirs -- .certkeep .gitattributes && git add .certkeep .gitattributes && git commit -q --no-edit",
    );
    has(&bob, &["a/**", "base/**", "other/**"]);
    let said = bob.tries("cd work/ca && git push -q");
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(said.code != 0 && all.contains("b/**"), "{said:?}");
    bob.does("cd work/ca && certkeep unlock; certkeep store protect 'b/**' && git push -q");
    has(&bob, &["a/**", "b/**", "base/**", "other/**"]);
    // Nor is anything said of what a member has taken away on one side.
    alice.does("cd work/ca && git pull -q && certkeep unlock && certkeep --batch store unprotect 'other/**' && git push -q");
    bob.does("cd work/ca && echo x > note && git add note && git commit -qm Note && git pull -q --no-edit && git push -q");
}

#[test]
fn what_was_sealed_before_a_removal_goes_out_under_the_new_key() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("--zone=ca --zone=keys --zone=reqs");
    let oscar = team.person("oscar");
    oscar.does("age-keygen -o identity.txt 2>/dev/null; age-keygen -y identity.txt > public");
    let oscar = oscar.with("CERTKEEP_IDENTITY_FILE", &oscar.path("identity.txt").display().to_string());
    alice.does("cd work/ca && certkeep unlock && certkeep --batch member add oscar $(cat ~/../oscar/public) && git push -q");
    oscar.does("cd work && git clone -q ~/../remote.git ca && cd ca && certkeep unlock");
    bob.does("cd work/ca && git pull -q && certkeep unlock && certkeep --batch --nopass issue server late");
    alice.does("cd work/ca && certkeep --batch member remove oscar && git push -q");
    bob.tries("cd work/ca && certkeep --batch sync")
        .well()
        .says("sealed anew with the present keys: 2 files")
        .says("the zone `keys` has a new key, which this clone has not unlocked yet: `certkeep unlock`");
    bob.is_clean("work/ca");
    bob.does("cd work/ca && certkeep unlock && grep -q 'PRIVATE KEY' pki/private/late.key && certkeep --batch sync 2>&1 | no grep anew");
    alice.does("cd work/ca && certkeep --batch sync && grep -q 'PRIVATE KEY' pki/private/late.key pki/private/www.key && certkeep store status");
    alice.is_clean("work/ca");
    oscar.does("cd work/ca && git pull -q && git show HEAD:pki/private/www.key > www && git show HEAD:pki/private/late.key > late");
    // The key ids of both are those of the new epoch.
    let id = |file: &str| oscar.does(&format!("cd work/ca && head -c 28 {file} | tail -c 16 | od -An -tx1"));
    assert_eq!(id("www"), id("late"));
}
