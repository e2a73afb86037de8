// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nothing is lost by `sync`, and nobody reads what is not for him: what git, or a
//! hand, has left out or taken back is seen before it is pushed.

use super::{ISSUE, rows, serial, together::two};
use crate::team::{Person, Team};

fn head(person: &Person) -> String {
    person.does("cd work/ca && git rev-parse HEAD")
}

#[test]
fn what_a_merge_commit_itself_says_is_kept() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    let www = serial(&alice, "work/ca", "www");
    bob.does(&format!("cd work/ca && {ISSUE} client b && certkeep sync"));
    alice.does(&format!(
        "cd work/ca && {ISSUE} client a && git fetch -q && git merge -q --no-commit --no-edit origin/main
         CERTKEEP_NO_COMMIT=1 certkeep --batch revoke-issued www keyCompromise
         git add -A && git commit -qm 'Merge, and revoke www'"
    ));
    bob.does(&format!("cd work/ca && {ISSUE} client c && certkeep sync"));
    alice.does("cd work/ca && certkeep sync");
    bob.does("cd work/ca && certkeep sync");
    for person in [&alice, &bob] {
        let rows = rows(person, "work/ca");
        assert!(rows[&www].starts_with("R "), "{rows:?}");
        assert_eq!(rows.len(), 4);
        person.is_clean("work/ca");
    }
    // What has to be decided then, a merge waits for.
    alice.does("cd work/ca && echo one > note && git add note && git commit -qm note && certkeep sync");
    bob.does(
        "cd work/ca && git switch -qc side && echo two > note && git add note && git commit -qm two
         git switch -q main && git merge -q --no-ff --no-edit side",
    );
    let before = head(&bob);
    bob.fails("cd work/ca && certkeep sync", "a file has to be decided by somebody")
        .says("git merge --abort")
        .says("git merge --continue")
        .says("to take the others' file: `git checkout --theirs -- note`");
    bob.does("cd work/ca && git merge --abort");
    assert_eq!(head(&bob), before);
    bob.fails("cd work/ca && certkeep sync", "to be decided");
    bob.does("cd work/ca && git checkout -q --theirs -- note && git add note && GIT_EDITOR=true git merge --continue && certkeep sync");
    assert_eq!(bob.text("work/ca/note"), "one\n");
}

#[test]
fn a_row_without_its_certificate_is_not_pushed() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    bob.does(&format!(
        "cd work/ca && {ISSUE} client lone && git reset -q --soft HEAD~1 && git reset -q
         git add -u && git commit -qm 'The row alone'"
    ));
    let lone = serial(&bob, "work/ca", "lone");
    let file = format!("pki/certs_by_serial/{lone}.pem");
    let before = head(&bob);
    bob.fails("cd work/ca && certkeep sync", &format!("the certificate {lone} of index.txt is missing"))
        .says(&format!("git add -- {file}"));
    assert_eq!(head(&bob), before);
    assert_eq!(bob.does("cd work/ca && git rev-list --count @{u}.."), "1\n");
    // Also where it is to go on top of something.
    alice.does(&format!("cd work/ca && {ISSUE} client a && certkeep sync"));
    bob.fails("cd work/ca && certkeep sync", "is missing").says("your branch is where it was");
    assert_eq!(head(&bob), before);
    bob.does(&format!(
        "cd work/ca && git add -- {file} && git add pki && git commit -qm 'The rest' && certkeep sync"
    ));
    alice.does("cd work/ca && certkeep sync && certkeep verify-cert lone && test -s pki/private/lone.key");
}

#[test]
fn a_revocation_or_row_that_one_branch_takes_back_is_seen_on_both_sides() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    let www = serial(&alice, "work/ca", "www");
    alice.does("cd work/ca && certkeep --batch revoke-issued www keyCompromise && certkeep sync");
    bob.does("cd work/ca && certkeep sync && git revert --no-edit HEAD >/dev/null");
    let before = head(&bob);
    for _ in 0..2 {
        bob.fails("cd work/ca && certkeep sync", &format!("the revocation of {www} was taken back"))
            .says("if it is meant so: `git push`");
    }
    assert_eq!(head(&bob), before);
    bob.does("cd work/ca && git push -q");
    let before = head(&alice);
    for _ in 0..2 {
        alice
            .fails("cd work/ca && certkeep sync", &format!("the revocation of {www} was taken back"))
            .says("your branch is where it was");
    }
    assert_eq!(head(&alice), before);
    alice.is_clean("work/ca");
    // Put in order here, as it is told.
    alice.does(
        "cd work/ca && git rebase -q @{u} && certkeep --batch revoke-issued www keyCompromise && certkeep sync",
    );
    bob.does("cd work/ca && certkeep sync && sed -i '/CN=www/d' pki/index.txt && git commit -qam gone");
    bob.fails("cd work/ca && certkeep sync", &format!("index.txt has lost the row of {www}"));
}

#[test]
fn what_others_took_over_they_may_also_remove() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    bob.does("cd work/ca && echo one > note && git add note && git commit -qm note && echo two > own && git add own && git commit -qm own");
    alice.does(&format!(
        "cd work/ca && git fetch -q {} main && git cherry-pick FETCH_HEAD~1 >/dev/null
         git rm -q note && git commit -qm 'No note' && certkeep sync",
        bob.path("work/ca").display()
    ));
    bob.does("cd work/ca && certkeep sync && no test -e note && test -e own");
    alice.does("cd work/ca && certkeep sync && test -e own");
    bob.is_clean("work/ca");
}

#[test]
fn what_comes_in_is_for_its_owner_alone() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    alice.does("rmdir work/ca/pki/inline/private work/ca/pki/inline 2>/dev/null || :");
    bob.does(&format!(
        "cd work/ca && {ISSUE} client il && certkeep inline il && certkeep export-p12 il nopass 2>/dev/null || :
         test -s pki/inline/private/il.inline && certkeep sync"
    ));
    alice.does(&format!("cd work/ca && umask 022 && {ISSUE} client mine && certkeep sync"));
    let modes =
        |person: &Person, paths: &str| person.does(&format!("cd work/ca/pki && stat -c '%a' {paths}"));
    let secret = "private inline/private reqs";
    assert_eq!(modes(&alice, secret), "700\n700\n700\n");
    assert_eq!(modes(&alice, "inline/private/il.inline private/il.key private/mine.key"), "600\n600\n600\n");
    // What is public is as open as git would have made it.
    assert_eq!(modes(&alice, "issued/il.crt index.txt"), "644\n644\n");
    alice.is_clean("work/ca");

    // A plain pull asks nobody how to write: the next command shuts the door.
    bob.does(
        "cd work/ca && certkeep sync && rm -rf pki/inline && git commit -qam 'No inline' && certkeep sync",
    );
    alice.does("cd work/ca && certkeep sync && no test -e pki/inline");
    bob.does("cd work/ca && certkeep inline il && certkeep sync");
    alice.does("cd work/ca && umask 022 && git pull -q && certkeep store status >/dev/null");
    assert_eq!(modes(&alice, "inline/private"), "700\n");
}

/// Debian 12 has 2.39, and no `git check-attr --source`.
#[test]
fn the_git_of_the_system_does_as_well() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    let alice = alice.with_git_of("/usr/bin");
    alice.does(&format!("cd work/ca && {ISSUE} client a && certkeep sync && certkeep guard --history"));
    bob.does(&format!("cd work/ca && {ISSUE} client b && certkeep sync"));
    alice.does(&format!("cd work/ca && {ISSUE} client c && certkeep sync"));
    assert_eq!(rows(&alice, "work/ca").len(), 4);
    // And it stops what nobody but git's own attributes would let through.
    alice.does("cd work/ca && echo '*.key -filter' > pki/private/.gitattributes && git add -A && git commit -qnm open");
    let said = alice.fails("cd work/ca && git push", "refusing to push");
    assert!(said.stdout.contains("a.key are not certkeep's (filter: unset)"), "{said:#?}");
}
