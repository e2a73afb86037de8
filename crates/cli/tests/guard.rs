// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git is stopped from by the guard: every way on which a private key gets
//! into a commit, a push and a server, with real git.

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use std::fs;

use team::{Person, Team};

/// A private key that nobody uses.
const MAKE_KEY: &str = "openssl genpkey -algorithm ed25519";

/// Somebody with a plain git repository in `work/app`, with hooks, and a bare one to push to.
fn plain(team: &Team) -> Person {
    let alice = team.person("alice");
    alice.does(
        "git init -q --bare hub.git
         git init -q work/app && cd work/app
         git remote add origin ~/hub.git
         certkeep guard install
         echo hello >README && git add . && git commit -qm 'Begin' && git push -q -u origin main",
    );
    alice
}

/// As a hook stops it: not done, and the key is named.
#[track_caller]
fn stopped(person: &Person, script: &str, fact: &str) {
    let said = person.tries(script);
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(said.code != 0 && all.contains(fact), "it was to be stopped for `{fact}`: {said:#?}");
    assert!(all.contains("must not leave in the clear") && !all.contains("panicked"), "{said:#?}");
}

#[test]
fn a_plain_key_is_stopped_before_the_commit_the_push_and_the_server() {
    let team = Team::new().that_leaks();
    let alice = plain(&team);
    alice.does(&format!("cd work/app && mkdir deploy && {MAKE_KEY} -out deploy/web.key && git add ."));
    stopped(&alice, "cd work/app && git commit -qm 'Add a key'", "deploy/web.key:1: PKCS#8 private key");
    assert_eq!(alice.does("cd work/app && git rev-list --count HEAD").trim(), "1");
    alice.does("cd work/app && git commit -qm 'Add a key' --no-verify");
    stopped(&alice, "cd work/app && git push -q", "deploy/web.key:1");
    stopped(&alice, "cd work/app && git push -q origin HEAD:refs/heads/other", "deploy/web.key:1");
    // Without a hook of its own the server takes it; with one it does not.
    alice.does("cd hub.git && certkeep guard install");
    stopped(&alice, "cd work/app && git push -q --no-verify", "deploy/web.key:1");
    alice.fails("cd hub.git && git rev-parse -q --verify other", "");
    alice.does("(cd hub.git && certkeep guard uninstall) && cd work/app && git push -q --no-verify");
}

#[test]
fn what_is_told_to_type_fits_the_path_and_the_tag() {
    let team = Team::new().that_leaks();
    let alice = plain(&team);
    alice.does(&format!("cd work/app && {MAKE_KEY} >\"$(printf 'a\\nb.key')\" && git add ."));
    let said = alice.tries("cd work/app && certkeep guard");
    let command =
        said.stdout.split("to take it out of the commit: `").nth(1).and_then(|rest| rest.split('`').next());
    let command = command.unwrap_or_else(|| panic!("no command: {said:#?}"));
    fs::write(alice.path("command"), command).expect("written");
    alice.does("cd work/app && bash ~/command && [ -z \"$(git diff --cached)\" ] && rm a*b.key");
    alice.does(&format!("cd work/app && {MAKE_KEY} >k && git tag blob $(git hash-object -w k) && rm k"));
    stopped(&alice, "cd work/app && git push -q origin blob", "delete the tag");
}

#[test]
fn a_key_that_the_next_commit_removes_is_stopped_all_the_same() {
    let team = Team::new().that_leaks();
    let alice = plain(&team);
    alice.does(&format!(
        "(cd hub.git && certkeep guard install)
         cd work/app && {MAKE_KEY} -out a.key && git add . && git commit -qnm 'Add'
         git rm -q a.key && git commit -qm 'Remove'"
    ));
    stopped(&alice, "cd work/app && git push -q", "in commit");
    stopped(&alice, "cd work/app && git push -q --no-verify", "in commit");
    assert_eq!(alice.does("cd hub.git && git rev-list --count main").trim(), "1");
    // What is no leak passes both.
    alice.does(
        "cd work/app && git reset -q --hard origin/main && echo more >>README
         git commit -qam 'Write more' && git push -q",
    );
}

#[test]
fn the_update_hook_stops_its_own_reference_alone() {
    let team = Team::new().that_leaks();
    let alice = plain(&team);
    alice.does(&format!(
        "printf '#!/bin/sh\\nexec certkeep guard --receive \"$@\"\\n' >hub.git/hooks/update
         chmod +x hub.git/hooks/update
         cd work/app && git checkout -q -b good && echo x >x && git add . && git commit -qm 'Good'
         git checkout -q -b bad && {MAKE_KEY} -out a.key && git add . && git commit -qnm 'Bad'"
    ));
    stopped(&alice, "cd work/app && git push -q --no-verify origin good bad", "a.key:1");
    let heads = alice.does("cd hub.git && git for-each-ref --format='%(refname:short)' refs/heads");
    assert_eq!(heads, "good\nmain\n");
}

#[test]
fn a_merge_is_asked_about_too() {
    let team = Team::new().that_leaks();
    let alice = plain(&team);
    alice.does(&format!(
        "cd work/app && git checkout -q -b side && {MAKE_KEY} -out side.key && git add . && git commit -qnm 'Side'
         git checkout -q main && echo main >main && git add . && git commit -qm 'Main'"
    ));
    stopped(&alice, "cd work/app && git merge -q --no-edit side", "side.key:1");
}

#[test]
fn what_is_committed_past_the_index_is_what_is_looked_at() {
    let team = Team::new().that_leaks();
    let alice = plain(&team);
    alice.does(&format!("cd work/app && {MAKE_KEY} >key && cat key >>README && rm key"));
    stopped(&alice, "cd work/app && git commit -qam 'All of it'", "README:2");
    stopped(&alice, "cd work/app && git commit -qm 'This one' README", "README:2");
    alice.does("cd work/app && git commit -qm 'Nothing of it' --allow-empty");
    stopped(&alice, "cd work/app && git commit -q --amend --no-edit -a", "README:2");
}

#[test]
fn plaintext_under_a_protected_path_is_stopped() {
    let team = Team::new().that_leaks();
    let alice = team.store("alice");
    // A program that runs no filters, such as one built on libgit2.
    alice.does(&format!(
        "cd work/ca && {MAKE_KEY} >../new.key
         blob=$(git hash-object -w --no-filters ../new.key)
         git update-index --add --cacheinfo 100644,$blob,pki/private/new.key"
    ));
    stopped(&alice, "cd work/ca && git commit -qm 'Past the filter'", "pki/private/new.key");
    stopped(&alice, "cd work/ca && git commit -qm 'Past the filter'", "plaintext under a protected path");
    let said = alice.tries("cd work/ca && certkeep guard");
    assert_eq!(said.code, 6, "{said:#?}");
}

#[test]
fn a_clone_without_the_filter_is_stopped() {
    let team = Team::new().that_leaks();
    let alice = team.store("alice");
    alice.does(&format!(
        "cd work && git clone -q ca plain && cd plain && certkeep guard install
         mkdir -p pki/private && {MAKE_KEY} -out pki/private/new.key && git add ."
    ));
    stopped(&alice, "cd work/plain && git commit -qm 'No filter'", "pki/private/new.key");
}

#[test]
fn attributes_that_take_the_filter_away_are_stopped() {
    for (file, line) in [
        (".gitattributes", "pki/private/* !filter"),
        ("pki/.gitattributes", "private/* -filter"),
        ("pki/private/.gitattributes", "*.key filter=lfs"),
    ] {
        let team = Team::new().that_leaks();
        let alice = team.store("alice");
        alice.does(&format!(
            "cd work/ca && certkeep unlock && mkdir -p $(dirname {file})
             rm -f .git/info/attributes && echo '{line}' >>{file}
             git add {file}"
        ));
        stopped(&alice, "cd work/ca && git commit -qm 'Attributes'", "attributes for");
    }
}

#[test]
fn a_renamed_folder_of_secrets_is_stopped() {
    let team = Team::new().that_leaks();
    let alice = team.store("alice");
    alice.does(
        "cd work/ca && certkeep unlock && git mv pki/private keys
         find keys -type f -exec touch {} + && git add -A",
    );
    stopped(&alice, "cd work/ca && git commit -qm 'Rename'", "keys/www.key");
    stopped(&alice, "cd work/ca && git commit -qm 'Rename'", "CN=www");
}

#[test]
fn links_and_other_cases_of_a_protected_path_are_stopped() {
    let team = Team::new().that_leaks();
    let alice = team.store("alice");
    alice.does(
        "cd work/ca && certkeep unlock && rm pki/private/www.key
         ln -s /etc/ssl/private/www.key pki/private/www.key && git add -A",
    );
    stopped(&alice, "cd work/ca && git commit -qm 'Link'", "a symbolic link under a protected path");
    alice.does(&format!(
        "cd work/ca && git reset -q --hard && mkdir -p PKI/private && {MAKE_KEY} -out PKI/private/web.key
         git add -f PKI"
    ));
    stopped(
        &alice,
        "cd work/ca && git commit -qm 'Case'",
        "plaintext under a path that is a protected one where case does not count",
    );
}

#[test]
fn the_commits_of_a_store_pass_every_hook() {
    let team = Team::new();
    let alice = team.store("alice");
    alice.does(
        "git init -q --bare hub.git && (cd hub.git && certkeep guard install)
         cd work/ca && certkeep guard status | grep -q pre-commit
         git remote add origin ~/hub.git && git push -q -u origin main
         export CERTKEEP_IDENTITY_FILE=~/identity.txt
         certkeep unlock && certkeep --batch --nopass issue client bob
         openssl genpkey -algorithm ed25519 -out pki/private/own.key && git add . && git commit -qm 'A key of my own'
         certkeep --batch revoke-issued bob keyCompromise && certkeep --batch gen-crl
         certkeep store rotate --batch
         git push -q
         certkeep guard --history --all-objects
         cd ~/hub.git && certkeep guard --history",
    );
}

#[test]
fn a_key_is_allowed_by_blob_path_and_reason_alone() {
    let team = Team::new().that_leaks();
    let alice = plain(&team);
    alice.does(&format!(
        "cd work/app && mkdir tests .certkeep && {MAKE_KEY} -out tests/server.key
         printf '[[allow]]\\nblob = \"%s\"\\npath = \"tests/server.key\"\\nreason = \"a key of the tests\"\\n' \
           $(git hash-object tests/server.key) >.certkeep/guard.toml
         git add . && git commit -qm 'Allow' && git push -q
         git mv tests/server.key tests/other.key"
    ));
    stopped(&alice, "cd work/app && git commit -qm 'Elsewhere'", "tests/other.key:1");
    alice.does("cd work/app && git reset -q --hard && echo 'path = 1' >.certkeep/guard.toml && git add .");
    alice.fails("cd work/app && git commit -qm 'No list'", ".certkeep/guard.toml of the index, line 1");
}

#[test]
fn an_allow_list_comes_to_a_server_before_the_key_does() {
    let team = Team::new().that_leaks();
    let alice = team.person("alice");
    alice.does(&format!(
        "git init -q --bare hub.git && (cd hub.git && certkeep guard install)
         git init -q work/app && cd work/app && git remote add origin ~/hub.git
         mkdir .certkeep && {MAKE_KEY} -out server.key
         printf '[[allow]]\\nblob = \"%s\"\\npath = \"server.key\"\\nreason = \"a key of the tests\"\\n' \
           $(git hash-object server.key) >.certkeep/guard.toml
         git add .certkeep && git commit -qm 'Allow' && git add . && git commit -qm 'A key for the tests'"
    ));
    stopped(&alice, "cd work/app && git push -q origin main", "push that alone first");
    alice.does("cd work/app && git push -q origin HEAD^:refs/heads/main && git push -q origin main");
}

#[test]
fn where_nothing_can_be_checked_nothing_passes() {
    let team = Team::new().that_leaks();
    let alice = plain(&team);
    alice.fails("certkeep guard", "is in no git repository").says("certkeep guard FILE");
    alice.fails("cd hub.git && certkeep guard", "a bare repository has no index");
    alice.fails(
        "cd work/app && echo nonsense | certkeep guard --push origin x",
        "is no update of a reference",
    );
    alice.fails("cd work/app && certkeep guard --receive a b", "takes nothing, or REF OLD NEW");
    alice.fails("cd work/app && certkeep guard --history --tree HEAD", "cannot be used with");
    alice.fails("cd work/app && certkeep guard --tree nowhere", "nowhere");
    // certkeep is gone: the hook says so, and stops.
    alice.does("cd work/app && sed -i 's|^certkeep=.*|certkeep=/nowhere/certkeep|' .git/hooks/pre-commit && echo x >>README");
    let without = alice.with("PATH", "/usr/bin:/bin");
    without
        .fails("cd work/app && git commit -qam 'No guard'", "certkeep is not installed")
        .says("rm '.git/hooks/pre-commit'");
    // A certkeep that is found elsewhere will do.
    alice.does("cd work/app && git commit -qam 'Moved'");
}
