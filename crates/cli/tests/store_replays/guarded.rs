// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was sealed stays so, whatever the rules say: the guard.

use super::{
    replay,
    team::{Person, Team},
};

/// Alice has two files sealed by patterns, one of them a file of the PKI that is
/// public otherwise; Bob has them, unlocked.
fn with_two_patterns(team: &Team) -> (Person, Person, Person) {
    let (alice, bob, mallory) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'secrets/**' pki/expired/note.crt
         mkdir -p secrets pki/expired && echo one > secrets/old && echo a > pki/expired/note.crt
         git add -A && git commit -qm Secrets && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock");
    (alice, bob, mallory)
}

/// The guard stops what `script` does to `file`, because it was sealed.
#[track_caller]
fn stopped(person: &Person, script: &str, file: &str) {
    let said = person.tries(&format!("cd work/ca && {script}"));
    let all = format!("{}{}", said.stdout, said.stderr);
    let told = format!("{file}: it was sealed, and would be plaintext now");
    assert!(said.code != 0 && all.contains(&told), "{told}: {said:?}");
    assert!(all.contains("certkeep.allowUnprotect=true"), "{said:?}");
}

#[test]
fn no_rules_that_somebody_brings_back_get_plaintext_past_the_guard() {
    let team = Team::new();
    let (alice, bob, mallory) = with_two_patterns(&team);
    mallory.does(&replay(2));
    let change = "rm -f .git/info/attributes && for file in secrets/old pki/expired/note.crt; do
                      rm -f $file; echo two of $file > $file; done && git add secrets pki/expired";
    for (person, forget) in [(&alice, ""), (&bob, "rm .git/certkeep/pins && certkeep unlock &&")] {
        person.does(&format!("cd work/ca && git pull -q && {forget} {change}"));
        for file in ["secrets/old", "pki/expired/note.crt"] {
            assert_eq!(
                person.does(&format!("cd work/ca && git show :{file}")),
                format!("two of {file}\n"),
                "git stages plaintext"
            );
            stopped(person, "git commit -qm Open", file);
            stopped(person, "certkeep guard", file);
        }
        person.does("cd work/ca && git commit -qnm Open");
        stopped(person, "git push -q", "secrets/old");
        // A leak that a later commit takes back is on its way all the same; and so is what goes and comes.
        person.does("cd work/ca && git rm -q secrets/old && git commit -qnm Gone");
        stopped(person, "git push -q", "secrets/old");
        person.does(
            "cd work/ca && git reset -q --hard origin/main && rm .git/info/attributes && git rm -q secrets/old && git commit -qm Gone
             mkdir -p secrets && echo two > secrets/old && git add secrets && git commit -qnm Again",
        );
        stopped(person, "git push -q", "secrets/old");
        // Without any key, too.
        person.does(&format!("cd work/ca && git reset -q --hard origin/main && certkeep lock && {change}"));
        stopped(person, "certkeep guard", "secrets/old");
        // Whoever knows says so; what is renamed, or goes, was never in the way.
        person.does(
            "cd work/ca && git -c certkeep.allowUnprotect=true commit -qm Open
             git reset -q --hard HEAD^ && git mv secrets/old secrets/moved && git rm -q pki/expired/note.crt
             git commit -qm Move && git reset -q --hard HEAD^",
        );
    }
}

#[test]
fn a_store_that_is_taken_away_takes_no_protection_along() {
    let team = Team::new().that_leaks();
    let (_, bob, mallory) = with_two_patterns(&team);
    mallory.does(
        "cd work/ca && git pull -q && git rm -rq .certkeep .gitattributes && git commit -qnm Tidy && git push -q",
    );
    bob.does(
        "cd work/ca && git pull -q && rm -r .git/certkeep .git/info/attributes && echo two > secrets/old
         openssl genpkey -algorithm ed25519 -out pki/private/www.key && git add secrets pki/private",
    );
    stopped(&bob, "git commit -qm Open", "secrets/old");
    stopped(&bob, "git commit -qm Open", "pki/private/www.key:1");
    bob.does(
        "cd work/ca && git reset -q && rm pki/private/www.key && mkdir .certkeep
         printf '[[allow]]\\nblob = \"%s\"\\npath = \"secrets/old\"\\nreason = \"a test\"\\n' \
           $(git hash-object secrets/old) > .certkeep/guard.toml
         git add secrets .certkeep && git commit -qm Allowed",
    );
}

#[test]
fn what_a_member_unprotects_goes_through() {
    let team = Team::new();
    let (alice, bob, mallory) = with_two_patterns(&team);
    bob.does(
        "cd work/ca && git checkout -qb mine && echo 1 > secrets/new && git add secrets && git commit -qm New",
    );
    // Also where the zone has changed since, before anything of it was pushed.
    alice.does(
        "cd work/ca && certkeep --batch store unprotect 'secrets/**' && echo two >> secrets/old
         git commit -qam Work && certkeep store protect 'more/**' && certkeep --batch store unprotect pki/expired/note.crt
         git push -q && git log -1 --format=%H -- pki/expired/note.crt
         git init -q --bare ../../../second.git && git push -q ~/../second.git HEAD:refs/heads/main",
    );
    // What his branch has sealed meanwhile is public after the merge and his word, and sealed no more at its next change.
    bob.does(
        "cd work/ca && git pull -q --no-rebase origin main && git show HEAD:secrets/new | head -c 8 | grep -q SEAL
         certkeep unlock && certkeep --batch store unprotect 'secrets/**' pki/expired/note.crt
         rm secrets/new && echo two > secrets/new && echo three >> secrets/old
         git add -A && git commit -qm Open && git push -q origin HEAD:main
         test \"$(git show HEAD:secrets/new)\" = two
         git init -q --bare ../../../third.git && git push -q ~/../third.git HEAD:refs/heads/main",
    );
    // Without keys it cannot be told, unless it was there before.
    mallory.does(
        "cd work/ca && git pull -q && echo four >> secrets/old && git add -A && certkeep guard && git commit -qnm More",
    );
    let push = "printf 'refs/heads/main %s refs/heads/main %s\\n' $(git rev-parse HEAD) 0000000000000000000000000000000000000000 |";
    mallory.fails(&format!("cd work/ca && {push} certkeep guard --push nowhere"), "refusing to push");
    mallory.does(&format!(
        "cd work/ca && git config certkeep.allowUnprotect true && {push} certkeep guard --push nowhere"
    ));
}
