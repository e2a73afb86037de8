// SPDX-License-Identifier: MIT OR Apache-2.0
//! Links, cut-off objects and files of the store that nobody can read.

use super::team::Team;

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
    // Also where the keys in the keyring contradict the rules: by what git was told here.
    alice.does("cd work/other && sed -i 's/^patterns = .*/patterns = []/' .certkeep/zones/keys/zone.toml");
    alice.fails("cd work/other && certkeep lock", "was not written by a member");
    assert!(alice.is_sealed("work/other/sec/a"));
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

#[test]
fn whatever_is_damaged_in_the_store_it_can_be_locked() {
    let team = Team::new();
    let (alice, _, _) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'sec/**' && mkdir sec && echo $CANARY > sec/a
         git add sec && git commit -qm Sec && git worktree add -q ../linked && cd ../linked && certkeep unlock",
    );
    for damage in [
        "echo nonsense >> .certkeep/zones/keys/zone.toml",
        "echo '<<<<<<< HEAD' >> .certkeep/store.toml",
        "rm .certkeep/store.toml",
        "rm -r .certkeep .gitattributes",
        "echo 'patterns = 1' > .certkeep/members/owner.toml",
        // A pattern for what is nobody's secret.
        "sed -i 's/^patterns = .*/patterns = [\"*.txt\"]/' .certkeep/zones/reqs/zone.toml && echo note > note.txt",
        "git rm -q --cached .certkeep/store.toml && git commit -qnm Gone && echo x > .certkeep/store.toml",
    ] {
        let said = alice.tries(&format!("cd work/ca && {damage} && certkeep lock"));
        assert!(said.code != 0 && said.code != 70 && !said.stderr.is_empty(), "{said:?}");
        alice.does("cd work && no ls ca/.git/certkeep/keyring 2>/dev/null && no grep -rq 'PRIVATE KEY' ca/pki linked/pki");
        assert!(alice.is_sealed("work/ca/sec/a") && alice.is_sealed("work/linked/sec/a"), "{damage}");
        alice.does("cd work/ca && rm -f note.txt && git reset -q --hard linked && certkeep unlock && grep -q canary sec/a ../linked/sec/a");
    }
    // What git does not have stays, and the keys with it.
    alice
        .fails(
            "cd work/ca && echo x >> .certkeep/store.toml && echo $CANARY >> sec/a && certkeep lock",
            "sec/a",
        )
        .says("1 protected file");
    alice.does("cd work/ca && ls .git/certkeep/keyring");
}

#[test]
fn a_link_that_was_pulled_is_looked_for_again() {
    let team = Team::new();
    let (alice, _, mallory) = team.shared("");
    alice.does(
        "cd work/ca && certkeep unlock && certkeep store protect 'secrets/**' 'env/*/keys/**' && mkdir -p docs env/a
         echo public > docs/readme && echo x > env/a/note && git add -A && git commit -qm Docs && git push -q",
    );
    for link in ["secrets", "env/a/keys"] {
        let to = if link == "secrets" { "docs" } else { "../../docs" };
        mallory.does(&format!(
            "cd work/ca && git pull -q && ln -s {to} {link} && git add -A && git commit -qnm Tidy && git push -q --no-verify"
        ));
        alice.does(&format!("cd work/ca && git pull -q && cp .git/info/attributes ~ && echo A=$CANARY > {link}/new.env && git add docs"));
        for command in [
            "git commit -qm Work",
            "certkeep guard",
            "certkeep store status",
            "git commit -qnm Work && git push -q",
        ] {
            let said = alice.tries(&format!("cd work/ca && {command}"));
            let all = format!("{}{}", said.stdout, said.stderr);
            assert!(
                said.code != 0 && all.contains(link) && all.contains("a symbolic link"),
                "{command}: {said:?}"
            );
        }
        alice.does(&format!(
            "cd work/ca && git reset -q --hard origin/main && git rm -q {link} && git commit -qm Back && git push -q
             git reflog expire --expire=now --all && git gc -q --prune=now && certkeep store status"
        ));
    }
    // A link of somebody's who has nothing to do with it.
    alice.does("cd work/ca && ln -s docs papers && ln -s note env/a/copy && git add -A && git commit -qm Links && git push -q");
}
