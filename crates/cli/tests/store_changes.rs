// SPDX-License-Identifier: MIT OR Apache-2.0
//! What changes in the life of a store: branches that let people in, keys that
//! are renewed, a repository that another tool kept, a new PKI in place of an old.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use std::{fs, os::unix::fs::MetadataExt as _};

use team::{Person, Team};

/// A store, and its owner's identity named by the environment.
fn open(team: &Team) -> Person {
    let alice = team.store("alice");
    let file = alice.path("identity.txt").display().to_string();
    alice.with("CERTKEEP_IDENTITY_FILE", &file)
}

#[test]
fn a_member_from_another_branch_is_confirmed_after_a_rotation() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "for who in bob carol dave; do age-keygen -o $who.txt 2>/dev/null; done
         cd work/ca
         git checkout -q -b other && certkeep --batch member add bob $(age-keygen -y ~/bob.txt)
         git checkout -q - && certkeep --batch member add carol $(age-keygen -y ~/carol.txt)
         git merge -q --no-edit other
         cd .. && git clone -q ca fresh && cd fresh
         certkeep --identity ~/bob.txt unlock --check | grep -q 'Member: bob'
         certkeep --identity ~/carol.txt unlock --check | grep -q 'Member: carol'",
    );
    alice.is_clean("work/ca");
    // Dave comes on a branch while the keys are rotated on another.
    alice.does(
        "cd work/ca && git checkout -q -b late && certkeep --batch member add dave $(age-keygen -y ~/dave.txt)
         git checkout -q - && certkeep --batch store rotate && git merge -q --no-edit late",
    );
    let listed = alice.does("cd work/ca && certkeep member list");
    assert!(listed.contains("Name: dave") && listed.contains("keys (to be confirmed)"), "{listed}");
    let dave = alice.with("CERTKEEP_IDENTITY_FILE", "");
    let fresh = |clone: &str| {
        format!("cd work && git clone -q ca {clone} && cd {clone} && certkeep --identity ~/dave.txt unlock")
    };
    dave.fails(&fresh("before"), "nothing here opens the zone");
    alice
        .fails("cd work/ca && certkeep --batch store rotate", "has to be confirmed by a member first")
        .says("certkeep member refresh dave");
    alice
        .fails("cd work/ca && certkeep member refresh dave", "not confirmed")
        .says("let in on another branch");
    alice
        .fails(
            "cd work/ca && certkeep --batch member refresh dave",
            "nobody was asked who is to be confirmed: dave",
        )
        .says("certkeep member refresh NAME --key KEY");
    alice.fails(
        "cd work/ca && certkeep --batch member refresh dave --key $(age-keygen -y ~/bob.txt)",
        "the store has another key under the name",
    );
    alice.does("cd work/ca && certkeep --batch member refresh dave --key $(age-keygen -y ~/dave.txt)");
    dave.does(&fresh("confirmed"));
    alice.does("cd work/ca && certkeep --batch store rotate");
    dave.does(&fresh("rotated"));
    alice.is_clean("work/ca");
    assert!(!alice.does("cd work/ca && certkeep member list").contains("to be confirmed"));
}

#[test]
fn an_openpgp_key_that_has_expired_is_renewed() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "gpg --batch --quiet --passphrase '' --quick-gen-key 'Bob <bob@example.net>' future-default default never
         fingerprint=$(gpg --with-colons --list-keys bob | grep ^fpr | head -1 | cut -d: -f10)
         gpg --batch --quiet --quick-set-expire $fingerprint 2d && gpg --batch --quiet --quick-set-expire $fingerprint 2d '*'
         cd work/ca && certkeep --batch member add bob bob@example.net
         certkeep member list | grep -q 'usable, expires'
         certkeep member refresh 2>&1 | grep -q 'nobody has a newer key'
         gpg --batch --quiet --quick-set-expire $fingerprint 2y '*'
         certkeep --batch member refresh bob
         git log -1 --format=%s | grep -q 'member refresh bob'
         test -z \"$(git status --porcelain)\"
         cd .. && git clone -q ca other && cd other && CERTKEEP_IDENTITY_FILE= certkeep unlock",
    );
    alice.fails("cd work/ca && certkeep --batch member refresh nobody", "there is no member `nobody`");
}

#[test]
fn a_new_pki_in_the_store_takes_the_place_of_the_old_one() {
    let team = Team::new();
    let alice = open(&team);
    alice.does("cd work/ca && certkeep --batch init-pki");
    assert_eq!(alice.does("cd work/ca && git ls-files pki"), "pki/vars.example\n");
    alice.is_clean("work/ca");
    alice.does("cd work && git clone -q ca other && cd other && certkeep --batch --nopass build-ca");
    assert!(alice.is_sealed("work/other/pki/private/ca.key"));
    alice.does("cd work/other && certkeep unlock && certkeep --batch --nopass gen-req x && git pull -q ../ca 2>/dev/null || true");
    alice.is_clean("work/other");
}

#[test]
fn a_repository_of_git_crypt_is_taken_over() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does(
        "gpg --batch --quiet --passphrase '' --quick-gen-key 'Alice <alice@example.net>' future-default default never
         mkdir work/ca && cd work/ca && git init -q
         certkeep --batch init-pki && certkeep --batch --nopass build-ca && certkeep --batch --nopass issue server www
         git-crypt init >/dev/null && git-crypt add-gpg-user --trusted alice@example.net >/dev/null
         printf 'pki/private/** filter=git-crypt diff=git-crypt\npki/reqs/** filter=git-crypt diff=git-crypt\n' > .gitattributes
         git add . && git commit -qm all && git-crypt export-key ~/git-crypt.key",
    );
    alice.does("cd work/ca && certkeep --batch --dry-run store import git-crypt && git status --porcelain | wc -l | grep -qx 0");
    alice.does("cd work/ca && certkeep --batch store import git-crypt --rewrite");
    alice.is_clean("work/ca");
    alice.does(
        "cd work/ca && certkeep store status | grep -q 'Sound: yes' && certkeep member list | grep -q 'Name: alice'
         certkeep --batch --nopass issue client jane
         cd .. && git clone -q ca other && cd other && certkeep unlock && openssl pkey -noout -in pki/private/www.key",
    );
}

#[test]
fn quickstart_takes_the_identity_that_is_there_and_never_writes_over_it() {
    let team = Team::new();
    let alice = team.person("alice");
    alice.does("cd work && certkeep quickstart one");
    let identity = alice.text(".config/certkeep/identity.txt");
    alice
        .does("test $(stat -c %a ~/.config/certkeep/identity.txt) = 600; cd work && certkeep quickstart two");
    assert_eq!(alice.text(".config/certkeep/identity.txt"), identity);
    for folder in ["one", "two"] {
        alice.is_clean(&format!("work/{folder}"));
        alice.does(&format!("cd work/{folder} && certkeep store status && certkeep lock && certkeep unlock && certkeep gen-crl"));
    }
    // In somebody else's repository it is a repository of its own.
    alice.does("cd work && git init -q outer && cd outer && certkeep quickstart inner && test ! -e .certkeep && test -d inner/.git");
    assert_eq!(
        alice.does("cd work/one && git log --format='%an %s'"),
        "alice gen-crl\nalice gen-crl\nalice build-client-full client\nalice build-server-full localhost\nalice build-ca\n\
         alice init-pki\nalice store init\n"
    );
    let nameless = team.person("nameless");
    nameless.does("git config --global --unset user.name && git config --global --unset user.email");
    nameless
        .tries("certkeep quickstart demo")
        .well()
        .says("certkeep <certkeep@localhost>")
        .says("is a new key");
    assert_eq!(
        nameless.does("cd demo && git log -1 --format='%an <%ae>'"),
        "certkeep <certkeep@localhost>\n"
    );
    assert_eq!(nameless.does("git config --global --list | grep -c ^user || true"), "0\n");
}

#[test]
fn a_merge_brings_files_of_an_older_key_and_whoever_has_none_finds_nothing_wrong() {
    let team = Team::new();
    let alice = open(&team);
    alice.does(
        "cd work/ca && git checkout -q -b late && certkeep --batch --nopass gen-req john
         git checkout -q - && certkeep --batch store rotate && git merge -q --no-edit late && certkeep store status
         cd .. && git clone -q ca fresh && cd fresh && certkeep --format=json store status > ~/status.json",
    );
    let status = alice.text("status.json");
    assert!(status.contains("sealed, not opened") && !status.contains("unknown key"), "{status}");
    // With the keyring it can be told whose key it is not.
    alice.does("cd work && mkdir other && cd other && certkeep --batch store init --name=a --recipient $(age-keygen -y ~/identity.txt) && certkeep --batch init-pki && certkeep --batch --nopass build-ca && certkeep --batch --nopass gen-req eve");
    let said = alice.tries(
        "cd work/ca && id=$(git -C ../other cat-file blob HEAD:pki/private/eve.key | git hash-object -w --no-filters --stdin)
         git update-index --add --cacheinfo 100644,$id,pki/private/eve.key && certkeep store status",
    );
    assert_eq!(said.code, 5, "{said:?}");
    said.says("pki/private/eve.key: sealed with an unknown key");
}

#[test]
fn a_commit_that_is_left_away_is_told_of() {
    let team = Team::new();
    let alice = open(&team);
    for (change, path, next) in [
        ("certkeep --batch --nopass issue server two two.example.net", "pki/index.txt", "show-cert www"),
        ("certkeep --batch store rotate --zone keys", ".certkeep/zones/keys/zone.toml", "store status"),
    ] {
        // HEAD cannot move: the files are complete, and the commit is still to come.
        alice.does("cd work/ca && : > .git/refs/heads/main.lock");
        alice.fails(&format!("cd work/ca && {change}"), "could not be completed yet");
        alice.does(&format!(
            "cd work/ca && rm .git/refs/heads/main.lock && cp {path} ~/ours
             echo '# theirs' >> {path} && git commit -qm Theirs -- {path} && cp ~/ours {path}"
        ));
        let said = alice.tries(&format!("cd work/ca && certkeep {next}")).says("is left away").says(path);
        let commit = said.stderr.split("its commit ").nth(1).and_then(|rest| rest.split(' ').next());
        let commit = commit.expect("a commit");
        let hint = format!("git show --stat --format=%s {commit}");
        let shown = alice.does(&format!("cd work/ca && {hint}"));
        assert!(shown.contains(path), "{shown}");
        let again = alice.tries(&format!("cd work/ca && certkeep {next}"));
        assert!(!again.stderr.contains("left away"), "once: {again:?}");
        alice.does("cd work/ca && git add -A && git commit -qm Ours && certkeep store status");
    }
}

#[test]
fn names_need_not_be_utf_8() {
    let team = Team::new();
    let alice = open(&team);
    // `known`: the index remembers the file, nothing is to be looked into again.
    let words = "key=pki/private/$(printf 'd\\351j\\340').key; env=$(printf 'd\\351').env
        known() { git diff-files --quiet -- \"$1\"; clean; }
        clean() { test -z \"$(git status --porcelain)\"; }
        sealed() { head -c 7 | grep -aq CKSEAL; }
        blob() { git cat-file blob \"$1\"; }
        cd work/ca";
    alice.does(&format!(
        "{words}
         openssl genpkey -algorithm ed25519 -out \"$key\"
         touch -d '1 hour ago' \"$key\"
         cp \"$key\" ~/plain
         git add . && git commit -qm Add
         blob \"HEAD:$key\" | sealed
         certkeep --format json store status > ~/status
         grep -q 'private/d.*j.*key' ~/status
         certkeep --batch store rotate
         clean
         cmp \"$key\" ~/plain
         blob \"HEAD~:$key\" > ~/first
         blob \"HEAD:$key\" > ~/second
         sealed < ~/second
         no cmp -s ~/first ~/second
         certkeep lock
         known \"$key\"
         cmp \"$key\" ~/second
         certkeep --batch store rotate
         clean
         no cmp -s \"$key\" ~/second
         sealed < \"$key\"
         certkeep unlock
         known \"$key\"
         cmp \"$key\" ~/plain"
    ));
    // By a pattern: in git already, and not yet.
    alice.does(&format!(
        "{words}
         echo settings > ~/settings
         cp ~/settings \"$env\"
         touch -d '1 hour ago' \"$env\"
         git add . && git commit -qm Env
         cp ~/settings \"x$env\"
         certkeep --batch store protect '*.env'
         git add . && git commit -qm More
         clean
         for file in \"$env\" \"x$env\"; do blob \"HEAD:$file\" | sealed; done
         certkeep lock
         known \"$env\"
         sealed < \"$env\"
         certkeep unlock
         known \"$env\"
         cmp \"$env\" ~/settings
         certkeep --batch store unprotect '*.env'
         clean
         blob \"HEAD:$env\" | cmp - ~/settings"
    ));
    // A store that is made around one.
    alice.does(&format!(
        "{words}
         mkdir -p ../two/pki/private && cd ../two
         git init -q
         cp ~/plain \"$key\"
         certkeep --batch store init --recipient $(age-keygen -y ~/identity.txt) --name owner
         clean
         blob \"HEAD:$key\" | sealed
         cmp \"$key\" ~/plain"
    ));
    alice.is_clean("work/ca");
}

#[test]
fn git_may_keep_its_directory_on_another_file_system() {
    let team = Team::new();
    let alice = team.person("alice");
    let elsewhere = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let device = |path: &std::path::Path| fs::metadata(path).expect("there").dev();
    assert_ne!(device(elsewhere.path()), device(&alice.path("")), "/tmp and /dev/shm are two file systems");
    alice.does(&format!(
        "age-keygen -o identity.txt 2>/dev/null
         git init -q --separate-git-dir {}/git work/ca",
        elsewhere.path().display()
    ));
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string());
    alice.does(
        "cd work/ca
         certkeep --batch store init --recipient $(age-keygen -y ~/identity.txt) --name owner
         certkeep --batch init-pki
         certkeep --batch --nopass build-ca
         certkeep --batch --nopass issue server www www.example.net
         mkdir -p deploy/a && echo settings > deploy/a/x.env && touch -d '1 hour ago' deploy/a/x.env pki/private/www.key
         cp deploy/a/x.env ~/plain
         git add . && git commit -qm Env
         certkeep --batch store protect 'deploy/a/*.env'
         cp -p pki/private/www.key ~/www.key
         certkeep lock
         test -z \"$(git status --porcelain --ignored)\"",
    );
    for file in ["pki/private/www.key", "pki/reqs/www.req", "deploy/a/x.env"] {
        assert!(alice.is_sealed(&format!("work/ca/{file}")), "{file}");
    }
    // What a run that was killed in that moment has left: nothing of it enters git.
    let left = "for folder in pki/private deploy/a .; do
            mkdir -m 700 $folder/.certkeep-stage && echo '*' > $folder/.certkeep-stage/.gitignore
            cp ~/plain $folder/.certkeep-stage/x.env && cp ~/www.key $folder/.certkeep-stage/www.key
        done
        git add -A && git diff --cached --quiet";
    let gone = "test -z \"$(find . -name .certkeep-stage -o -name '.*.[0-9]')\"";
    alice.does(&format!(
        "cd work/ca
         {left}
         certkeep unlock
         {gone}
         git diff-files --quiet -- pki/private/www.key deploy/a/x.env
         cmp pki/private/www.key ~/www.key
         cmp deploy/a/x.env ~/plain
         test \"$(stat -c %a pki/private/www.key deploy/a/x.env | uniq)\" = 600
         {left}
         certkeep lock
         {gone}
         certkeep --batch store rotate
         {gone}
         certkeep unlock
         certkeep --batch store zone set ca --mode=transparent
         certkeep --batch store unprotect 'deploy/a/*.env'
         {gone}"
    ));
    alice.is_clean("work/ca");
}

#[test]
fn who_rotates_second_waits_and_decides_anew() {
    let team = Team::new();
    let alice = team.person("alice");
    // A store without a PKI, and a signature that takes its time: the first rotation
    // is decided then, and not committed.
    alice.does(
        "age-keygen -o identity.txt 2>/dev/null
         mkdir work/ca && cd work/ca && git init -q
         certkeep --batch store init --recipient $(age-keygen -y ~/identity.txt) --name owner
         printf '%s\\n' '#!/bin/sh' 'cat > /dev/null; : > ~/signing; while [ ! -e ~/go ]; do sleep 0.05; done' \
             'printf \"\\n[GNUPG:] SIG_CREATED D 1 8 00 1 0\\n\" >&2' \
             'printf -- \"-----BEGIN PGP SIGNATURE-----\\n\\nAA==\\n-----END PGP SIGNATURE-----\\n\"' > ~/sign
         chmod +x ~/sign
         git config gpg.program ~/sign && git config commit.gpgSign true",
    );
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string());
    alice.does(
        "cd work/ca
         certkeep --batch store rotate & one=$!
         while [ ! -e ~/signing ]; do sleep 0.05; done
         certkeep --batch store rotate 2> ~/second & two=$!
         while ! grep -q 'waiting for .* writing to the store' ~/second; do sleep 0.05; kill -0 $two; done
         : > ~/go
         wait $one
         wait $two
         test \"$(grep -h ^epoch .certkeep/zones/*/zone.toml | sort -u)\" = 'epoch = 3'
         test \"$(git rev-list --count HEAD)\" = 3",
    );
    alice.is_clean("work/ca");
}
