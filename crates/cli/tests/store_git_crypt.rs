// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store import git-crypt` on repositories that Debian's git-crypt made, with
//! two OpenPGP users and two keys.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use team::{CANARY, Person, Team};

/// Alice and Bob, who know each other's OpenPGP key.
fn people(team: &Team) -> (Person, Person) {
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    for (person, name) in [(&alice, "Alice"), (&bob, "Bob")] {
        person.does(&format!(
            "gpg --batch --quiet --pinentry-mode loopback --passphrase '' \
                 --quick-gen-key '{name} <{name}@example.net>' future-default default never
             gpg --batch --quiet --armor --export > public.asc"
        ));
    }
    for person in [&alice, &bob] {
        person.does("cat ~/../alice/public.asc ~/../bob/public.asc | gpg --batch --quiet --import");
    }
    (alice, bob)
}

/// Alice's repository `work/vault`: what `*.secret` and `notes/` and one file of
/// `nested/` hold is under git-crypt's default key, which both have, and
/// `special/` under a named key, which is hers. Three commits; Bob has a clone.
fn repository(alice: &Person, bob: &Person) {
    alice.does(&format!(
        "mkdir work/vault && cd work/vault && git init -q
         git-crypt init && git-crypt init -k special
         printf '%s\n' '# what is secret' '*.secret filter=git-crypt diff=git-crypt' \
             'notes/*.txt  whitespace=trailing-space filter=git-crypt eol=lf diff=git-crypt' \
             'special/** filter=git-crypt-special diff=git-crypt-special' '*.md text' > .gitattributes
         mkdir notes special nested nested/deeper
         printf '%s\n' '/own.* filter=git-crypt diff=git-crypt' 'plain.* -diff' > nested/.gitattributes
         git add . && git commit -qm 'Say what is secret'
         git-crypt add-gpg-user --trusted Alice@example.net
         git-crypt add-gpg-user --trusted Bob@example.net
         git-crypt add-gpg-user --trusted -k special Alice@example.net
         for file in a.secret notes/n.txt special/s nested/own.key nested/deeper/d.secret; do
             echo \"first $file {CANARY}\" > $file
         done
         echo public > README.md && echo plain > nested/plain.key && echo plain > nested/deeper/own.key
         git add . && git commit -qm first
         echo 'second {CANARY}' > a.secret && git commit -qam second
         git init -q --bare ~/../remote.git
         git remote add origin ~/../remote.git && git push -q -u origin main"
    ));
    bob.does("git clone -q ~/../remote.git work/vault && cd work/vault && git-crypt unlock");
    assert_eq!(bob.text("work/vault/a.secret"), format!("second {CANARY}\n"));
}

/// The blobs of the files that git-crypt sealed.
fn blobs(person: &Person) -> String {
    person.does(
        "cd work/vault && git ls-files -s -- a.secret notes special nested/own.key nested/deeper/d.secret",
    )
}

#[test]
fn users_keys_and_attributes_are_taken_over_and_no_file_is_sealed_anew() {
    let team = Team::new();
    let (alice, bob) = people(&team);
    repository(&alice, &bob);
    let before = blobs(&alice);
    alice.does("cd work/vault && certkeep --batch store import git-crypt && rm -r .git/git-crypt");
    assert_eq!(blobs(&alice), before);
    alice.is_clean("work/vault");
    let attributes = alice.text("work/vault/.gitattributes");
    assert!(!attributes.contains("git-crypt"), "{attributes}");
    for line in ["# what is secret\n", "notes/*.txt whitespace=trailing-space eol=lf\n", "*.md text\n"] {
        assert!(attributes.contains(line), "{attributes}");
    }
    assert_eq!(alice.text("work/vault/nested/.gitattributes"), "plain.* -diff\n");
    let filtered = alice.does(
        "cd work/vault && find .git-crypt -type f 2>/dev/null | no grep .
         git ls-files | git check-attr --stdin filter | sed -n 's/: filter: certkeep$//p'",
    );
    assert_eq!(filtered, "a.secret\nnested/deeper/d.secret\nnested/own.key\nnotes/n.txt\nspecial/s\n");
    let members = alice.does("cd work/vault && certkeep member list --format json");
    for fact in [r#""name": "alice""#, r#""name": "bob""#] {
        assert!(members.contains(fact), "{members}");
    }

    // What changes, and only that, is sealed by us.
    alice.does(&format!(
        "cd work/vault && echo 'third {CANARY}' > a.secret && git commit -qam third
         git show HEAD:a.secret && test \"$(git diff --name-only HEAD~)\" = a.secret
         git cat-file blob HEAD:a.secret | head -c 8 | od -An -c | grep -q 'C   K   S   E   A   L'
         git push -q"
    ));
    alice.is_clean("work/vault");

    // Bob's clone, which git-crypt unlocked, goes on with certkeep alone.
    bob.does("cd work/vault && git pull -q && certkeep unlock && rm -r .git/git-crypt");
    bob.is_clean("work/vault");
    assert_eq!(bob.text("work/vault/a.secret"), format!("third {CANARY}\n"));
    bob.does(&format!(
        "cd work/vault && git cat-file blob HEAD:special/s | cmp - special/s
         git log -p -- a.secret | grep '^+first a.secret {CANARY}$'
         git checkout -q HEAD~2 && grep -q '^second' a.secret && test -z \"$(git status --porcelain)\"
         git checkout -q HEAD~1 && grep -q '^first' a.secret nested/own.key nested/deeper/d.secret notes/n.txt
         test -z \"$(git status --porcelain)\"
         git checkout -q main && grep -q '^third' a.secret
         certkeep lock"
    ));
    bob.is_clean("work/vault");
    // A fresh clone, without git-crypt.
    bob.does(
        "git clone -q ~/../remote.git work/fresh && cd work/fresh && certkeep unlock
         grep -q '^third' a.secret && grep -q '^first' notes/n.txt nested/own.key",
    );
    bob.is_clean("work/fresh");
}

#[test]
fn a_locked_repository_is_unlocked_and_rewrite_seals_everything_anew() {
    let team = Team::new();
    let (alice, bob) = people(&team);
    repository(&alice, &bob);
    let before = blobs(&alice);
    alice.does("cd work/vault && git-crypt lock -a && certkeep --batch store import git-crypt");
    assert_eq!(blobs(&alice), before);
    assert_eq!(alice.text("work/vault/a.secret"), format!("second {CANARY}\n"));
    alice.is_clean("work/vault");
    alice.does(
        "cd work/vault && certkeep --batch lock && grep -q GITCRYPT a.secret special/s
         certkeep unlock && certkeep store status",
    );
    alice.is_clean("work/vault");
    // By now git-crypt is of no use: the folder with its keys is gone.
    alice.does("cd work/vault && git push -q && certkeep store status");

    let rewritten = Team::new();
    let (alice, bob) = people(&rewritten);
    repository(&alice, &bob);
    alice.does(
        "cd work/vault && certkeep --batch store import git-crypt --rewrite && git push -q
         for file in a.secret notes/n.txt special/s nested/own.key nested/deeper/d.secret; do
             git cat-file blob HEAD:$file | head -c 8 | od -An -c | grep -q 'C   K   S   E   A   L'
         done
         git checkout -q HEAD~3 && grep -q '^first' a.secret && git checkout -q main",
    );
    alice.is_clean("work/vault");
    bob.does(
        "cd work/vault && git-crypt lock && git pull -q && certkeep unlock && grep -q '^second' a.secret",
    );
    bob.is_clean("work/vault");
    assert!(bob.is_sealed("work/vault/special/s"), "the named key was Alice's alone");
}

#[test]
fn what_stands_in_the_way_is_said_and_nothing_changes() {
    let team = Team::new();
    let (alice, bob) = people(&team);
    repository(&alice, &bob);
    let refuses = |person: &Person, script: &str, fact: &str| {
        let state = "cd work/vault && git rev-parse HEAD && git status --porcelain --ignored
                     git config --list --local && cat .gitattributes && find . -path ./.git -prune -o -print | sort";
        let before = person.does(state);
        person
            .fails(&format!("cd work/vault && {script}"), "git-crypt repository cannot be taken over")
            .says(fact);
        assert_eq!(person.does(state), before);
    };
    // Bob has the default key only.
    refuses(&bob, "certkeep --batch store import git-crypt", "its key `special` is not here");
    // Somebody with neither a key nor a secret key in gpg.
    let carol = team.person("carol");
    carol.does("git clone -q ~/../remote.git work/vault && gpg --batch -q --import ~/../alice/public.asc");
    refuses(&carol, "certkeep --batch store import git-crypt", "no key of it is here");
    refuses(
        &carol,
        "PATH=$HOME/../bin:/nowhere certkeep --batch store import git-crypt",
        "gpg is not installed",
    );
    alice.does("cd work/vault && git-crypt export-key ~/../default.key");
    refuses(
        &carol,
        "certkeep --batch store import git-crypt --key ~/../default.key",
        "its key `special` is not here",
    );
    // A key of some other repository.
    carol.does("git-crypt keygen other.key");
    carol.does(
        "cd work/vault && sed -i '/git-crypt-special/d' .gitattributes && git commit -qam 'One key only'",
    );
    refuses(
        &carol,
        "certkeep --batch store import git-crypt --key ~/other.key",
        "its key `default` does not open",
    );
    refuses(&carol, "certkeep --batch store import git-crypt --key README.md", "not a key file");

    // What only git's language of attributes can say.
    for (line, fact) in [
        (
            "README.md filter=git-crypt diff=git-crypt\\nREADME.md !filter !diff",
            "README.md is not encrypted, but a pattern",
        ),
        (
            "[attr]crypt filter=git-crypt diff=git-crypt\\nREADME.md crypt",
            "README.md has the key `default`, but no pattern",
        ),
        ("special/s filter=git-crypt diff=git-crypt", "its key `default` does not open special/s"),
        (
            "a.secret filter=git-crypt-special diff=git-crypt-special",
            "its key `special` does not open a.secret",
        ),
        ("* filter=git-crypt diff=git-crypt", "takes in files that must stay readable"),
        ("special/ filter=git-crypt", "names a folder"),
    ] {
        alice.does(&format!("cd work/vault && printf '{line}\\n' >> .gitattributes"));
        refuses(&alice, "certkeep --batch store import git-crypt", fact);
        alice.does("cd work/vault && git checkout -q .gitattributes");
    }
    let nothing =
        "mkdir -p work/other && cd work/other && git init -q && certkeep --batch store import git-crypt";
    alice.fails(nothing, "names git-crypt");
}

#[test]
fn a_repository_without_users_is_taken_over_with_a_key_file() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does(&format!(
        "age-keygen -o identity.txt 2>/dev/null && mkdir work/vault && cd work/vault && git init -q
         git-crypt init && git-crypt export-key ../key
         printf '\"with blank.txt\" filter=git-crypt diff=git-crypt\\n*.key filter=git-crypt diff=git-crypt\\n' > .gitattributes
         echo 'first {CANARY}' > 'with blank.txt' && echo 'first {CANARY}' > a.key && : > empty.key
         git add . && git commit -qm first && git-crypt lock"
    ));
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string());
    alice.does(&format!(
        "cd work/vault
         certkeep --batch store import git-crypt --key ../key --recipient $(age-keygen -y ~/identity.txt) --name alice
         grep '^first {CANARY}$' 'with blank.txt' a.key
         certkeep lock && certkeep unlock && grep '^first {CANARY}$' 'with blank.txt' a.key"
    ));
    alice.is_clean("work/vault");
    // Not one that could open it.
    alice.does(
        "mkdir work/nobody && cd work/nobody && git init -q && git-crypt init
         echo '*.key filter=git-crypt diff=git-crypt' > .gitattributes && git add . && git commit -qm first",
    );
    alice.fails("cd work/nobody && certkeep --batch store import git-crypt", "nobody could open the zone");
}

#[test]
fn a_ca_that_git_crypt_kept_goes_on() {
    for locked in [false, true] {
        let team = Team::new();
        let (alice, bob) = people(&team);
        alice.does(
            "mkdir work/vault && cd work/vault && git init -q && git-crypt init
             printf 'pki/private/** filter=git-crypt diff=git-crypt\\npki/reqs/** filter=git-crypt diff=git-crypt\\n' \
                 > .gitattributes
             git-crypt add-gpg-user --trusted Alice@example.net && git-crypt add-gpg-user --trusted Bob@example.net
             certkeep --batch init-pki && certkeep --batch --nopass build-ca
             certkeep --batch --nopass issue server www www.example.net
             git add . && git commit -qm 'A CA' && git rm -qr --cached pki/reqs && git reset -q && git status",
        );
        let key = alice.text("work/vault/pki/private/www.key");
        if locked {
            alice.does("cd work/vault && git-crypt lock && grep -q GITCRYPT pki/private/ca.key");
        }
        let before = alice.does("cd work/vault && git ls-files -s pki/private/www.key pki/reqs");
        alice.does("cd work/vault && certkeep --batch store import git-crypt && certkeep store status");
        assert_eq!(alice.does("cd work/vault && git ls-files -s pki/private/www.key pki/reqs"), before);
        assert_eq!(alice.text("work/vault/pki/private/www.key"), key);
        assert!(alice.is_sealed("work/vault/pki/private/ca.key"), "the CA's key is out of the clear at once");
        alice.is_clean("work/vault");
        alice.does(
            "git clone -q --bare work/vault ../remote.git && cd work/vault
             certkeep --batch --nopass issue client jane && certkeep --batch revoke-issued www superseded
             certkeep gen-crl && certkeep verify-cert jane
             git push -q ~/../remote.git main",
        );
        alice.is_clean("work/vault");
        bob.does(
            "git clone -q ~/../remote.git work/vault && cd work/vault && certkeep unlock
             certkeep --batch --nopass issue client joe && certkeep show-crl
             git checkout -q HEAD~5 && grep -q 'PRIVATE KEY' pki/private/www.key
             grep -q 'CERTIFICATE REQUEST' pki/reqs/www.req && test -z \"$(git status --porcelain)\"
             git checkout -q main",
        );
        bob.is_clean("work/vault");
    }
}

#[test]
fn a_user_whose_key_has_expired_stands_in_nobodys_way() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does(&format!(
        "key() {{ gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key \"$@\"; }}
         key 'Alice <alice@example.net>' future-default default never
         key 'Bob <bob@example.net>' future-default default seconds=4
         mkdir work/vault && cd work/vault && git init -q && git-crypt init
         echo '*.secret filter=git-crypt diff=git-crypt' > .gitattributes
         git-crypt add-gpg-user --trusted alice@example.net && git-crypt add-gpg-user --trusted bob@example.net
         echo 'first {CANARY}' > a.secret && git add . && git commit -qm first
         until gpg --batch --with-colons --list-keys bob | grep -q '^sub:e:'; do sleep 1; done"
    ));
    let said = alice.tries("cd work/vault && certkeep --batch store import git-crypt").well();
    said.says("not wrapped for bob").says("`certkeep member refresh bob`");
    alice.does("cd work/vault && certkeep lock && certkeep unlock && certkeep member list | grep -q 'no key wrapped'");
    alice.is_clean("work/vault");
}
