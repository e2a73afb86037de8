// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptions of other branches, and what a member has taken away.

use super::team::Team;

#[test]
fn a_description_of_another_branch_takes_no_pattern_away_however_late_it_says_it_is() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("");
    bob.does(
        "cd work/ca && certkeep unlock && git checkout -q -b feature
         for pattern in 'x/**' 'y/**' 'z/**'; do certkeep store protect \"$pattern\"; done && git push -q origin feature",
    );
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'secrets/**' && mkdir secrets && echo $CANARY > secrets/old
         git add -A && git commit -qm Secrets && git push -q",
    );
    mallory.does(
        "cd work/ca && git pull -q && git checkout -q origin/feature -- .certkeep .gitattributes
         git commit -qnm Tidy && git push -q --no-verify",
    );
    alice
        .tries("cd work/ca && git pull -q && certkeep --batch unlock")
        .well()
        .says("`secrets/**` is no longer protected by what was pulled, and stays protected in this clone")
        .says("certkeep store unprotect 'secrets/**'");
    alice.does(
        "cd work/ca && test -z \"$(git status --porcelain)\" && echo $CANARY >> secrets/old && echo $CANARY > secrets/new
         git add -A && git commit -qm Work && git push -q && certkeep --batch store rotate --zone=keys && git push -q",
    );
    for file in ["secrets/old", "secrets/new"] {
        alice.does(&format!("cd work/ca && git show HEAD:{file} | head -c 9 | grep -aq CKSEAL"));
    }
    alice.does("cd work/ca && certkeep lock");
    assert!(alice.is_sealed("work/ca/secrets/new"));
    // Not until somebody here has the zone changed again is it in the store.
    alice.does(
        "cd work/ca && certkeep unlock 2>/dev/null && certkeep store protect 'secrets/**' && git push -q && certkeep unlock 2>&1 | no grep stays",
    );
}

#[test]
fn a_pattern_of_a_branch_that_was_visited_stays_when_the_zone_is_as_it_was() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("");
    bob.does(
        "cd work/ca && certkeep unlock && git checkout -q -b feature && certkeep store protect 'b/**'
         mkdir b && echo $CANARY > b/s && git add b && git commit -qm B && git push -q origin feature",
    );
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'a/**' && git push -q && git fetch -q
         git checkout -q feature && certkeep --batch unlock && git checkout -q - && certkeep --batch unlock",
    );
    mallory.does(
        "cd work/ca && git pull -q && git checkout -q origin/feature -- b && git commit -qnm B && git push -q --no-verify",
    );
    alice
        .tries("cd work/ca && git pull -q && certkeep --batch unlock")
        .well()
        .says("`b/**` is no longer protected by what was pulled");
    alice.does("cd work/ca && echo $CANARY >> b/s && git commit -qam Work && git push -q");
    alice.does("cd work/ca && git show HEAD:b/s | head -c 9 | grep -aq CKSEAL");
}

#[test]
fn a_member_takes_a_pattern_away_and_each_clone_is_asked() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'a/**' 'b/**' && mkdir a b && echo open > a/s && echo open > b/s
         git add -A && git commit -qm Files && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock && git clone -q ~/../remote.git ../other && cd ../other && certkeep unlock");
    alice.does("cd work/ca && certkeep --batch store unprotect 'a/**' && git push -q && certkeep unlock 2>&1 | no grep stays");
    alice.is_clean("work/ca");
    // Nobody is there to be asked: all stays, and it says what to type.
    for unlock in ["certkeep --batch unlock", "yes yes | certkeep unlock"] {
        bob.tries(&format!("cd work/ca && git pull -q && {unlock}"))
            .well()
            .says("`a/**` is no longer protected by what was pulled, and stays protected in this clone")
            .says("certkeep store unprotect 'a/**'");
        bob.is_clean("work/ca");
    }
    bob.does("cd work/ca && grep -q '^a/' .git/info/attributes && certkeep --batch store unprotect 'a/**' && no grep '^a/' .git/info/attributes");
    bob.does("cd work/ca && certkeep --batch unlock 2>&1 | no grep stays");
    bob.is_clean("work/ca");
    bob.does(
        "cd work/ca && echo more >> a/s && echo new > a/n && git add a && git commit -qm Open && git push -q
         test \"$(git show HEAD:a/n)\" = new && certkeep store status && certkeep guard --history",
    );
    // At a terminal it is asked.
    let other = "cd work/other && git pull -q";
    bob.does(&format!("{other} && (sleep 1; echo no) | script -qec 'certkeep unlock' /dev/null >~/said && grep -q 'Let go of it here' ~/said && grep -q '^a/' .git/info/attributes"));
    bob.does("cd work/other && (sleep 1; echo yes) | script -qec 'certkeep unlock' /dev/null && no grep '^a/' .git/info/attributes && grep -q '^b/' .git/info/attributes");
    bob.is_clean("work/other");
}

#[test]
fn a_zone_that_was_seen_sealed_stays_so_until_somebody_here_opens_it() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("");
    bob.does("cd work/ca && certkeep unlock");
    alice.does(
        "cd work/ca && certkeep --batch store zone set ca --mode transparent && certkeep unlock && git push -q
         grep -q 'BEGIN' pki/private/ca.key",
    );
    bob.tries("cd work/ca && git pull -q && certkeep --batch unlock")
        .well()
        .says("the zone `ca` is transparent by what was pulled, and stays sealed in this clone")
        .says("certkeep store zone set ca --mode transparent");
    assert!(bob.is_sealed("work/ca/pki/private/ca.key"));
    bob.does("cd work/ca && no grep -q '^zone ca' .git/certkeep/keyring");
    bob.is_clean("work/ca");
    bob.does("cd work/ca && certkeep --batch store zone set ca --mode transparent && certkeep --batch unlock 2>&1 | no grep stays");
    bob.does("cd work/ca && test -z \"$(git log origin/main..)\" && grep -q BEGIN pki/private/ca.key");
    bob.is_clean("work/ca");
}

#[test]
fn what_was_sealed_after_a_member_took_the_pattern_away_is_named() {
    let team = Team::new().that_leaks();
    let (alice, bob, _) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'a/**' && mkdir a && echo one > a/s
         git add a && git commit -qm A && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock");
    alice.does("cd work/ca && certkeep --batch store unprotect 'a/**' && git push -q");
    bob.does(
        "cd work/ca && git pull -q && rm a/s && echo two > a/s && echo new > a/n && git add -A && git commit -qm Work && git push -q",
    );
    alice.does("cd work/ca && git pull -q");
    for clone in ["ca", "fresh"] {
        alice.does(&format!("cd work && test -d {clone} || git clone -q ~/../remote.git {clone}; cd {clone} && certkeep unlock"));
        let said = alice
            .tries(&format!("cd work/{clone} && certkeep store status"))
            .well()
            .says("`certkeep store protect a/n a/s`")
            .says("`certkeep store unprotect a/n a/s`");
        assert!(said.stderr.contains("no zone keeps what git has sealed"), "{said:?}");
        alice.is_clean(&format!("work/{clone}"));
    }
    alice.does(
        "cd work/ca && git checkout -q HEAD~1 && git checkout -q - && certkeep store protect a/n a/s && certkeep unlock && test \"$(cat a/n a/s | tr -d '\\n')\" = newtwo
         certkeep --batch store unprotect a/n a/s && test \"$(git show HEAD:a/n)\" = new && test \"$(git show HEAD:a/s)\" = two
         git push -q && certkeep store status 2>&1 | no grep 'no zone keeps'",
    );
    alice.is_clean("work/ca");
}
