// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mallory may push: he brings back what members wrote once and have replaced
//! since, with its MACs. Whoever has seen the later state takes nothing away.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use team::{Person, Team};

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
fn a_folder_of_a_pattern_is_no_link() {
    let team = Team::new();
    let (alice, _, mallory) = team.shared("");
    alice.does("cd work/ca && certkeep unlock && certkeep store protect 'deploy/secrets/**' && git push -q");
    mallory.does(
        "cd work/ca && git pull -q && mkdir -p deploy docs && echo x > docs/a && ln -s ../docs deploy/secrets
         git add -A && git commit -qm Link && git push -q",
    );
    alice.does("cd work/ca && git pull -q");
    for command in ["unlock", "store status", "--batch store rotate"] {
        alice
            .fails(&format!("cd work/ca && certkeep {command}"), "deploy/secrets is a symbolic link")
            .says("git log -- deploy/secrets");
    }
    let said = alice.tries("cd work/ca && certkeep guard --history");
    assert!(said.code == 6 && said.stdout.contains("deploy/secrets"), "{said:?}");
}

#[test]
fn a_clone_that_cannot_read_what_it_has_seen_is_locked_all_the_same() {
    let team = Team::new();
    let (alice, _, _) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'sec/**' && mkdir sec && echo $CANARY > sec/a
         git add sec && git commit -qm Sec && git push -q && echo nonsense >> .git/certkeep/pins && cp -r . ../other",
    );
    alice
        .fails("cd work/ca && certkeep store status", "of the pins cannot be understood")
        .says("move that file away");
    let said = alice.tries("cd work/ca && certkeep store status");
    assert!(said.stdout.contains("Sound: yes"), "{said:?}");
    alice
        .fails("cd work/ca && certkeep lock", "of the pins cannot be understood")
        .says("move that file away");
    alice.does("cd work/ca && no grep -rq 'PRIVATE KEY' pki && no ls .git/certkeep/keyring 2>/dev/null");
    assert!(alice.is_sealed("work/ca/sec/a"));
    alice.does("cd work/ca && mv .git/certkeep/pins ~ && certkeep unlock && certkeep store status");
    // Not by rules that the keys in the keyring contradict.
    alice.does("cd work/other && sed -i 's/^patterns = .*/patterns = []/' .certkeep/zones/keys/zone.toml");
    alice.fails("cd work/other && certkeep lock", "was not written by a member");
}

#[test]
fn a_locked_clone_notices_that_a_mode_was_altered() {
    let team = Team::new();
    let (alice, _, mallory) = team.shared("");
    alice.does("cd work/ca && certkeep unlock && certkeep lock");
    mallory.does(
        "cd work/ca && git pull -q && sed -i s/sealed/transparent/ .certkeep/zones/ca/zone.toml
         git commit -qam Flip && git push -q",
    );
    alice.does("cd work/ca && git pull -q");
    alice.tries("cd work/ca && certkeep store status").well().says("the zone `ca` is described");
    alice.fails("cd work/ca && certkeep unlock", "the zone `ca` cannot be trusted");
    assert!(alice.is_sealed("work/ca/pki/private/ca.key"));
}

#[test]
fn exec_leaves_no_name_out_that_is_no_text() {
    let team = Team::new();
    let (alice, _, _) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && name=$(printf 'pki/private/\\377.key') && echo $CANARY > \"$name\"
         git add -A && git commit -qm Odd && certkeep lock && git push -q",
    );
    alice.does("cd work/ca && certkeep exec -- sh -c 'grep -q $CANARY \"$EASYRSA_PKI\"/private/*[!a-z].key'");
}

#[test]
fn an_object_that_was_cut_off_is_an_error_and_no_end_of_all_things() {
    let team = Team::new();
    let (alice, _, _) = team.shared("");
    alice.does("cd work/ca && certkeep unlock && touch pki/private/www.key");
    for object in ["HEAD", "HEAD^{tree}", "HEAD:pki", "HEAD:pki/private", "HEAD:pki/private/www.key"] {
        alice.does(&format!(
            "cd work/ca && rm -rf ../cut && cp -r . ../cut && cd ../cut && name=$(git rev-parse {object})
             file=.git/objects/$(echo $name | cut -c1-2)/$(echo $name | cut -c3-) && chmod u+w $file
             head -c 20 $file > ../head && cat ../head > $file"
        ));
        for command in [
            "certkeep store rotate --batch",
            "certkeep --batch store rotate",
            "certkeep lock",
            "git add pki/private/new.key",
        ] {
            let said = alice.tries(&format!(
                "cd work/cut && echo $CANARY > pki/private/new.key && timeout 60 {command}; code=$?; rm -f pki/private/new.key; exit $code"
            ));
            assert!(![124, 137, 70].contains(&said.code), "{object}: {said:?}");
        }
    }
}

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
