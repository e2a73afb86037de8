// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grants and member's keys that are brought back, or put in another's place.

use super::team::Team;

#[test]
fn a_former_member_gives_no_key_of_his_to_the_name_of_another() {
    let team = Team::new();
    let (alice, _, _) = team.shared("");
    let mallory = team.person("oscar");
    mallory.does("age-keygen -o identity.txt 2>/dev/null; age-keygen -o evil.txt 2>/dev/null; age-keygen -y identity.txt > public");
    let mallory = mallory.with("CERTKEEP_IDENTITY_FILE", &mallory.path("identity.txt").display().to_string());
    alice.does("cd work/ca && certkeep --batch member add oscar $(cat ~/../oscar/public) && git push -q");
    mallory.does("cd work && git clone -q ~/../remote.git ca && cd ca && certkeep unlock");
    alice.does("cd work/ca && certkeep --batch member remove oscar && git push -q");
    mallory.does(
        "cd work/ca && git rm -q .certkeep/members/bob.toml .certkeep/zones/*/members/bob.toml .certkeep/zones/*/keys/*/bob.age
         git commit -qnm x && certkeep --batch member add bob $(age-keygen -y ~/evil.txt) && git fetch -q
         mine=$(git rev-parse HEAD) && git checkout -q -f --detach origin/main
         git checkout -q $mine -- .certkeep/members/bob.toml '.certkeep/zones/*/members/bob.toml'
         git commit -qnm Laptop && git push -q --no-verify origin HEAD:main",
    );
    alice.does("cd work/ca && git pull -q && certkeep unlock");
    let listed = alice.does("cd work/ca && certkeep member list");
    assert!(listed.contains("keys (forged)") && !listed.contains("to be confirmed"), "{listed}");
    alice.fails("cd work/ca && certkeep --batch store rotate", "the grant of `bob` was given by no member");
    alice.tries("cd work/ca && certkeep --batch member refresh bob").well().says("nobody is to be confirmed");
    alice.does(
        "cd work/ca && git revert --no-edit HEAD >/dev/null && certkeep --batch store rotate && git push -q",
    );
    mallory.fails(
        "cd work/ca && git checkout -q -f origin/main && git pull -q origin main && certkeep --identity ~/evil.txt unlock",
        "nothing here opens the zone",
    );
}

#[test]
fn a_rewritten_history_gives_no_other_key_to_a_name_that_was_seen() {
    let team = Team::new();
    let (alice, _, _) = team.shared("");
    let mallory = team.person("oscar");
    mallory.does("age-keygen -o identity.txt 2>/dev/null; age-keygen -o evil.txt 2>/dev/null; age-keygen -y identity.txt > public");
    let mallory = mallory.with("CERTKEEP_IDENTITY_FILE", &mallory.path("identity.txt").display().to_string());
    alice.does("cd work/ca && certkeep --batch member add oscar $(cat ~/../oscar/public) && git push -q");
    mallory.does("cd work && git clone -q ~/../remote.git ca && cd ca && certkeep unlock");
    alice.does("cd work/ca && certkeep --batch member remove oscar && git push -q");
    // The removal and the other key in one commit, in the place of the removal.
    mallory.does(
        "cd work/ca && git rm -q .certkeep/members/bob.toml .certkeep/zones/*/members/bob.toml .certkeep/zones/*/keys/*/bob.age
         git commit -qnm x && certkeep --batch member add bob $(age-keygen -y ~/evil.txt) && git fetch -q
         mine=$(git rev-parse HEAD) && git checkout -q -f --detach origin/main && git reset -q --soft HEAD~1
         git checkout -q $mine -- .certkeep/members/bob.toml '.certkeep/zones/*/members/bob.toml'
         git commit -qnm 'member remove oscar' && git push -qf --no-verify origin HEAD:main",
    );
    // Also where all that would tell has gone from git.
    for gone in ["", "git reflog expire --expire=now --all && git gc -q --prune=now &&"] {
        alice.does(&format!(
            "cd work/ca && git fetch -q && git reset -q --hard origin/main && {gone} certkeep --batch unlock"
        ));
        let said = alice
            .tries("cd work/ca && certkeep member list")
            .well()
            .says("`bob` had another key when this clone saw it last");
        assert!(
            said.stdout.contains("keys (forged)") && !said.stdout.contains("to be confirmed"),
            "{said:?}"
        );
        alice.fails(
            "cd work/ca && certkeep --batch store rotate",
            "the grant of `bob` was given by no member",
        );
    }
    alice.fails(
        "cd work/ca && certkeep --batch member refresh bob --key $(cat ~/../bob/public)",
        "the store has another key under the name",
    );
    // A clone that has seen nothing, of a part of the history, cannot tell.
    alice.does(
        "cd work && git clone -q --depth 1 file://$HOME/../remote.git part && cd part && certkeep unlock",
    );
    alice
        .fails(
            "cd work/part && certkeep --batch member refresh bob",
            "nobody was asked who is to be confirmed: bob",
        )
        .says("--key KEY");
    alice
        .fails("cd work/part && yes yes | certkeep member refresh bob", "cannot be told here")
        .says("git fetch --unshallow");
}

#[test]
fn a_revision_that_nobody_certified_counts_for_nothing() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("");
    bob.does("cd work/ca && certkeep unlock && age-keygen -o ~/carol.txt 2>/dev/null && age-keygen -y ~/carol.txt > ~/carol.pub");
    mallory.does(
        "cd work/ca && for zone in ca keys reqs; do
             sed 's/^revision.*/revision = 4294967295/' .certkeep/zones/$zone/members/bob.toml > .certkeep/zones/$zone/members/carol.toml
         done && git add .certkeep && git commit -qnm x && git push -q --no-verify",
    );
    alice.does("cd work/ca && git pull -q && certkeep --batch member add carol $(cat ~/../bob/carol.pub) && git push -q");
    for zone in ["ca", "keys", "reqs"] {
        let grant = alice.text(&format!("work/ca/.certkeep/zones/{zone}/members/carol.toml"));
        assert!(grant.contains("revision = 1\n"), "{grant}");
    }
    // What is forged in the place of a genuine grant sets nothing back.
    mallory.does(
        "cd work/ca && git pull -q && sed -i 's/^revision.*/revision = 4294967295/' .certkeep/zones/keys/zone.toml .certkeep/zones/keys/members/*.toml
         git commit -qanm x && git push -q --no-verify",
    );
    alice.does("cd work/ca && git pull -q");
    alice.fails("cd work/ca && certkeep store protect 'x/**'", "was not written by a member");
    alice.does(
        "cd work/ca && git revert --no-edit HEAD >/dev/null && certkeep store protect 'x/**' && certkeep --batch store rotate --zone=keys
         grep -q '^revision = 1$' .certkeep/zones/keys/zone.toml && grep -q '^revision = 1$' .certkeep/zones/keys/members/carol.toml
         certkeep unlock 2>&1 | no grep 'was before'",
    );
}
