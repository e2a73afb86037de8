// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mallory may push: he brings back what members wrote once and have replaced
//! since, with its MACs. Whoever has seen the later state takes nothing away.
#![cfg(unix)]

mod branches;
mod damage;
mod guarded;
mod links;
mod members;
#[path = "../team/mod.rs"]
#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use team::Team;

/// Puts back what `.certkeep` was some commits ago, and pushes it.
fn replay(commits: usize) -> String {
    format!(
        "cd work/ca && git pull -q && git checkout -q HEAD~{commits} -- .certkeep .gitattributes
         git commit -qnm Tidy && git push -q --no-verify"
    )
}

#[test]
fn an_earlier_description_of_the_same_epoch_takes_no_pattern_away() {
    let team = Team::new();
    let (alice, _, mallory) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'secrets/**' pki/expired/note.crt && mkdir -p secrets pki/expired
         echo $CANARY > secrets/old && echo $CANARY > pki/expired/note.crt
         git add -A && git commit -qm Secrets && git push -q",
    );
    mallory.does(&replay(2));
    alice.does(
        "cd work/ca && git pull -q && echo $CANARY >> secrets/old && echo $CANARY >> pki/expired/note.crt && git add -A",
    );
    alice
        .tries("cd work/ca && certkeep --batch unlock")
        .well()
        .says("the zone `keys` is described as it was before this clone saw it last")
        .says("git log -p -- .certkeep/zones/keys");
    alice.tries("cd work/ca && certkeep store status").well().says("the zone `keys` is described as it was");
    alice.does(
        "cd work/ca && grep -q '^secrets/' .git/info/attributes && echo $CANARY > secrets/new
         git add -A && git commit -qm Work && git push -q && certkeep lock",
    );
    for file in ["secrets/old", "secrets/new", "pki/expired/note.crt"] {
        assert!(alice.is_sealed(&format!("work/ca/{file}")), "{file}");
    }
    // The next change of the zone by a member has the pattern again, for all.
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'more/**' && git push -q
         grep -q 'secrets/\\*\\*' .certkeep/zones/keys/zone.toml && certkeep store status",
    );
    // And what a member takes away on top of that goes.
    alice.does(
        "cd work/ca && git rm -rq secrets && git commit -qm Drop && certkeep --batch store unprotect 'secrets/**'
         no grep -q secrets .git/info/attributes .git/certkeep/pins",
    );
}

#[test]
fn an_earlier_description_opens_no_zone_that_was_sealed_since() {
    let team = Team::new();
    let (alice, _, mallory) = team.shared("");
    alice.does(
        "cd work/ca && certkeep --batch store zone set ca --mode transparent
         certkeep --batch store zone set ca --mode sealed && certkeep --batch store zone set ca --mode sealed
         git push -q && test $(git rev-list --count HEAD) = 7",
    );
    alice.does("cd work && git clone -q ~/../remote.git fresh && cd fresh && certkeep unlock");
    mallory.does(&replay(1));
    for clone in ["ca", "fresh"] {
        alice
            .tries(&format!("cd work/{clone} && git pull -q && certkeep unlock"))
            .well()
            .says("the zone `ca` is described as it was");
        assert!(alice.is_sealed(&format!("work/{clone}/pki/private/ca.key")), "{clone}");
        alice.does(&format!("cd work/{clone} && no grep -q '^zone ca' .git/certkeep/keyring"));
    }
}

#[test]
fn the_guard_takes_no_earlier_description_for_a_members_word() {
    let team = Team::new();
    let (alice, bob, _) = team.shared("");
    alice.does(
        "cd work/ca && certkeep store protect 'secrets/**' && mkdir secrets && echo $CANARY > secrets/old
         git add -A && git commit -qm Secrets && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock");
    // Also where nothing of it was seen before: it is the history that tells.
    for state in ["", "mv .git/certkeep/pins ~ &&"] {
        let said = bob.tries(&format!(
            "cd work/ca && rm secrets/old && {state} git checkout -q HEAD~2 -- .certkeep .gitattributes && certkeep guard"
        ));
        assert!(said.stdout.contains("is protected no longer"), "{said:?}");
        assert_eq!(said.code, 6, "{said:?}");
        bob.does("cd work/ca && git checkout -q HEAD -- .certkeep .gitattributes secrets");
    }
}

#[test]
fn only_what_a_key_has_verified_is_vouched_for() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("--zone=keys");
    alice.does(
        "cd work/ca && certkeep store protect --zone=ca 'offline/**' && mkdir offline && echo $CANARY > offline/a
         certkeep store protect --zone=ca 'offline/**' && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock && certkeep guard --history");
    // A pattern that nobody certified, and which is taken away again.
    let add =
        "sed -i 's,^patterns = .*,patterns = [\"offline/**\"\\, \"docs/**\"],' .certkeep/zones/ca/zone.toml";
    mallory.does(&format!("cd work/ca && git pull -q && {add} && git commit -qam Add && git push -q"));
    bob.does("cd work/ca && git pull -q && certkeep unlock && grep -q '^docs/' .git/info/attributes");
    let drop = add.replace("\\, \"docs/**\"", "").replace("offline/**\"]", "docs/**\"]");
    bob.does(&format!("cd work/ca && {drop} && git add .certkeep"));
    bob.does("cd work/ca && certkeep guard >~/said && exit 1 || grep -q 'offline/.* is protected no longer' ~/said");
    bob.does("cd work/ca && git checkout -q HEAD -- .certkeep");
    // What a member has taken out, and Bob cannot tell, is forgotten when he says so.
    mallory.does("cd work/ca && git revert --no-edit HEAD >/dev/null && git push -q");
    alice.does(
        "cd work/ca && git pull -q && git rm -q offline/a && git commit -qm Drop
         certkeep --batch store unprotect 'offline/**' && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock && mkdir -p offline && echo open > offline/b");
    bob.fails("cd work/ca && git add offline/b", "which the store does not have any more")
        .says("certkeep store unprotect PATTERN");
    bob.does("cd work/ca && certkeep --batch store unprotect 'offline/**' 'docs/**' && git add offline/b");
    bob.fails("cd work/ca && certkeep --batch store unprotect 'offline/**'", "no zone has the pattern");
    bob.does(
        "cd work/ca && git commit -qm Open && certkeep unlock && no grep -q offline .git/info/attributes",
    );
}
