// SPDX-License-Identifier: MIT OR Apache-2.0
//! Links in the place of what is protected, and what was moved out of such a place.

use super::team::{Person, Team};

/// Every one of `commands` fails in `work/ca`, for there is a link at `place`.
#[track_caller]
fn stopped_by_link(person: &Person, commands: &[&str], place: &str) {
    for command in commands {
        let said = person.tries(&format!("cd work/ca && {command}"));
        let all = format!("{}{}", said.stdout, said.stderr);
        assert!(
            said.code != 0 && said.code != 70 && all.contains(place) && all.contains("a symbolic link"),
            "{command}: {said:?}"
        );
    }
}

#[test]
fn a_folder_that_wildcards_name_is_no_link() {
    let team = Team::new();
    let (alice, bob, mallory) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'services/*/secrets/*.env' '**/cfg/db.*' '*.pem'
         mkdir -p docs services/web && echo public > docs/readme && echo x > services/web/note
         git add -A && git commit -qm Docs && git push -q",
    );
    bob.does("cd work/ca && git pull -q && certkeep unlock");
    for (link, to, file) in [
        ("services/web/secrets", "../../docs", "b.env"),
        ("app/cfg", "../docs", "db.conf"),
        ("services/api", "../docs", "secrets/b.env"),
        // In the place of a protected file.
        ("services/a/secrets/b.env", "../../../docs/b.env", ""),
    ] {
        mallory.does(&format!(
            "cd work/ca && git pull -q && mkdir -p $(dirname {link}) && ln -s {to} {link} && git add -A && git commit -qnm Tidy && git push -q --no-verify"
        ));
        let write = if file.is_empty() { link.to_owned() } else { format!("{link}/{file}") };
        alice.does(&format!(
            "cd work/ca && git pull -q && mkdir -p docs/secrets && echo A=$CANARY > {write} && git add docs"
        ));
        let mut commands =
            vec!["git commit -qm Work", "certkeep guard", "git commit -qnm Work && git push -q"];
        if file.is_empty() {
            commands.push("certkeep --format=json store status");
        } else {
            commands.extend([
                "certkeep store status",
                "certkeep unlock",
                "certkeep --batch --nopass gen-req x",
            ]);
        }
        stopped_by_link(&alice, &commands, link);
        // Nothing stands in the way of `lock`.
        alice.does("cd work/ca && { certkeep lock || true; } && no ls .git/certkeep/keyring 2>/dev/null");
        alice.does(&format!(
            "cd work/ca && git reset -q --hard origin/main && git rm -q {link} && git commit -qm Back && git push -q
             git reflog expire --expire=now --all && git gc -q --prune=now && certkeep unlock && certkeep store status"
        ));
    }
    // Behind which there is what is protected there as well, or nothing of it.
    bob.does(
        "cd work/ca && git pull -q && ln -s docs papers && ln -s ../docs app && git add -A && git commit -qm Links
         certkeep store status && git push -q",
    );
}

#[test]
fn no_list_lets_a_link_through() {
    let team = Team::new();
    let (alice, _, mallory) = team.shared("");
    alice.does("cd work/ca && certkeep unlock && certkeep store protect 'secrets/**' && git push -q");
    mallory.does(
        "cd work/ca && git pull -q && mkdir docs && echo x > docs/a && ln -s docs secrets
         printf '[[allow]]\\nblob = \"%s\"\\npath = \"secrets\"\\nreason = \"moved\"\\n' \
           $(printf docs | git hash-object --stdin) > .certkeep/guard.toml
         git add -A && git commit -qm Link && git push -q",
    );
    alice.does("cd work/ca && git pull -q && echo A=$CANARY > secrets/n && git add -A");
    stopped_by_link(
        &alice,
        &["git commit -qm Work", "certkeep guard", "git commit -qnm Work && git push -q"],
        "secrets",
    );
    alice.does("cd work/ca && git reset -q --hard origin/main && git reflog expire --expire=now --all && git gc -q --prune=now");
}

#[test]
fn a_pki_that_was_exchanged_for_a_link_is_locked_all_the_same() {
    for more in
        ["", "&& git rm -rq .certkeep", "&& sed -i 's/^pki = .*/pki = \"other\"/' .certkeep/store.toml"]
    {
        for to in ["$HOME/outside", "docs"].into_iter().take(if more.is_empty() { 2 } else { 1 }) {
            let team = Team::new();
            let (alice, _, mallory) = team.shared("");
            alice.does(
                "cd work/ca && certkeep unlock && certkeep store protect 'secrets/**' && mkdir secrets docs
                 echo $CANARY > secrets/a && echo 1 > docs/1 && git add -A && git commit -qm Work && git push -q",
            );
            mallory.does(&format!(
                "cd work/ca && git pull -q && git rm -rq pki && ln -s {} pki {more}
                 git add -A && git commit -qnm Tidy && git push -q --no-verify",
                to.replace("$HOME", "~/../alice")
            ));
            alice.does(&format!("mkdir -p outside; cd work/ca && git pull -q && test -L pki && ls -d {to}"));
            let commands = [
                "unlock",
                "store status",
                "--batch --nopass gen-req x",
                "--batch init-pki",
                "doctor",
                "lock",
            ];
            for command in commands {
                // Without the store nothing says that a PKI there is none of its.
                if command == "--batch init-pki" && !more.is_empty() {
                    continue;
                }
                let said = alice.tries(&format!("cd work/ca && certkeep {command}"));
                let all = format!("{}{}", said.stdout, said.stderr);
                assert!(said.code != 0 && said.code != 70, "{more} {command}: {said:?}");
                if more.is_empty() {
                    assert!(all.contains("pki"), "{command}: {said:?}");
                    assert!(all.contains("symbolic link"), "{command}: {said:?}");
                }
                assert!(!all.contains("store init"), "{more} {command}: {said:?}");
            }
            assert!(alice.is_sealed("work/ca/secrets/a"), "{more} {to}");
            alice
                .does("cd work/ca && no ls .git/certkeep/keyring 2>/dev/null && test -z \"$(ls ~/outside)\"");
        }
    }
}

#[test]
fn what_was_moved_out_of_its_zone_is_named_and_locked() {
    let team = Team::new();
    let alice = team.store("alice");
    let alice = alice.with("CERTKEEP_IDENTITY_FILE", &alice.path("identity.txt").display().to_string());
    alice.does(
        "cd work/ca && certkeep unlock && certkeep --batch --nopass gen-req www2
         git worktree add -q ../linked -b linked && git mv pki/private elsewhere",
    );
    for command in ["git commit -qm Move", "certkeep guard"] {
        let said = alice.tries(&format!("cd work/ca && {command}"));
        let all = format!("{}{}", said.stdout, said.stderr);
        for name in ["ca", "www", "www2"] {
            let told = format!(
                "elsewhere/{name}.key: the sealed file pki/private/{name}.key, where no zone keeps it"
            );
            assert!(said.code != 0 && all.contains(&told), "{told}: {said:?}");
        }
        assert!(all.contains("git mv -- elsewhere/ca.key pki/private/ca.key"), "{said:?}");
    }
    alice.does("cd work/ca && git -c certkeep.allowUnprotect=true commit -qm Move");
    for command in ["--format=json store status", "doctor"] {
        let said = alice.tries(&format!("cd work/ca && certkeep {command}"));
        for name in ["ca", "www", "www2"] {
            assert!(said.stdout.contains(&format!("elsewhere/{name}.key")), "{name}: {said:?}");
        }
    }
    // What was changed since is nobody's secret that git has.
    alice.does("cd work/ca && echo note > elsewhere/note && git add elsewhere/note && git commit -qm Note");
    alice.does("cd work/ca && grep -q PRIVATE elsewhere/www.key && certkeep lock");
    for name in ["ca", "www", "www2"] {
        assert!(alice.is_sealed(&format!("work/ca/elsewhere/{name}.key")), "{name}");
    }
    alice.is_clean("work/ca");
    alice.does(
        "cd work/ca && grep -q note elsewhere/note && git mv elsewhere/*.key pki/private/ 2>/dev/null || { mkdir -p pki/private && git mv elsewhere/*.key pki/private/; }
         git commit -qm Back && certkeep unlock && grep -q PRIVATE pki/private/www.key && certkeep --batch --nopass gen-req www3",
    );
}
