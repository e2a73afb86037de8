// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everyday work of several people is no finding.

use crate::{
    ISSUE, found, owner, proved,
    team::{Person, Team},
};

/// Alice and Bob, who can both sign.
fn two(team: &Team) -> (Person, Person) {
    let (alice, bob, _) = team.shared("--zone=ca --zone=keys --zone=reqs");
    bob.does("cd work/ca && certkeep unlock");
    (alice, bob)
}

#[test]
fn rebases_merges_and_syncs_are_accounted_for() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    proved(&alice, "work/ca");
    alice.does(&format!("cd work/ca && {ISSUE} server a && certkeep gen-crl && certkeep sync"));
    bob.does(&format!(
        "cd work/ca && {ISSUE} server b && certkeep --batch revoke-issued www && certkeep gen-crl"
    ));
    // A branch of one's own that was proved may still be rebased.
    proved(&bob, "work/ca");
    bob.does("cd work/ca && certkeep sync --crl");
    let said = proved(&bob, "work/ca");
    assert!(said.contains("all that it had is still there"), "{said}");
    alice.does(&format!(
        "cd work/ca && {ISSUE} client c && certkeep --batch revoke-issued a keyCompromise
         git fetch -q && git merge -q --no-edit @{{u}} && echo hello > README && git add README && git commit -qm 'a file'
         git push -q"
    ));
    proved(&alice, "work/ca");
    bob.does("cd work/ca && certkeep sync --crl");
    proved(&bob, "work/ca");
    bob.does("cd work/ca && certkeep --batch renew b && certkeep --batch expire c && certkeep sync");
    proved(&bob, "work/ca");
    let log = bob.does("cd work/ca && certkeep log");
    for who in ["alice <alice@example.net>  issue server a", "bob <bob@example.net>  issue server b"] {
        assert!(log.contains(who), "{who} in {log}");
    }
}

#[test]
fn a_squash_keeps_who_did_what() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(&format!(
        "cd work/ca && git switch -qc side
         {ISSUE} server a
         git -c user.name=Carol -c user.email=carol@example.net commit -q --allow-empty -m x
         GIT_AUTHOR_NAME=Carol GIT_AUTHOR_EMAIL=carol@example.net {ISSUE} server b
         certkeep --batch revoke-issued a keyCompromise
         certkeep gen-crl && certkeep gen-crl
         git switch -q main
         git merge -q --squash side && git commit -qm 'Work of a week'"
    ));
    proved(&alice, "work/ca");
    let commit = alice.does("cd work/ca && git rev-parse --short=10 HEAD");
    let log = alice.does("cd work/ca && certkeep log b");
    assert!(
        log.contains("Carol <carol@example.net>  issue server b") && log.contains(commit.trim()),
        "{log}"
    );
    // With the words of all commits, as git proposes them.
    alice.does(&format!(
        "cd work/ca && git switch -qc more && {ISSUE} server c && {ISSUE} server d
         git switch -q main && git merge -q --squash more && git commit -q --no-edit"
    ));
    proved(&alice, "work/ca");
    assert_eq!(alice.does("cd work/ca && certkeep log --format json d").matches("\"command\"").count(), 1);
}

#[test]
fn a_cherry_pick_and_a_rebase_take_the_events_along() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(&format!(
        "cd work/ca && git switch -qc side && {ISSUE} server a && git switch -q main
         git commit -q --allow-empty -m between && git cherry-pick side >/dev/null
         git switch -qc other HEAD~2 && {ISSUE} server b && git rebase -q main && git switch -q main
         git merge -q --ff-only other"
    ));
    proved(&alice, "work/ca");
    let log = alice.does("cd work/ca && certkeep log a b --format json");
    assert_eq!(log.matches("\"source\": \"event\"").count(), 2, "{log}");
}

#[test]
fn two_who_revoke_the_same_are_no_finding() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    bob.does("cd work/ca && certkeep --batch revoke-issued www superseded");
    alice.does(
        "sleep 1.1; cd work/ca && certkeep --batch revoke-issued www superseded && certkeep --batch sync",
    );
    bob.does("cd work/ca && certkeep --batch sync");
    proved(&bob, "work/ca");
    alice.does("cd work/ca && certkeep --batch sync");
    proved(&alice, "work/ca");
    // An earlier date that no event tells of is one.
    alice.does("cd work/ca && sed -i '/CN=www/s/\\t[0-9]*Z,superseded/\\t260101000000Z,superseded/' pki/index.txt && git commit -qam x");
    found(&alice, "work/ca", &["revocation-without-operation"]);
}

#[test]
fn words_that_come_once_more_are_no_finding() {
    let team = Team::new();
    let alice = owner(&team);
    alice.does(&format!(
        "cd work/ca && git switch -qc side && {ISSUE} server one && certkeep --batch renew-ca && certkeep --batch renew-ca
         git switch -q main && git merge -q --squash side && git commit -q --no-edit
         git switch -q side && {ISSUE} server two
         git switch -q main && git merge -q --squash side && git commit -q --no-edit
         {ISSUE} server three && echo note > note && git add note && git commit -q -C HEAD
         openssl req -newkey ed25519 -nodes -keyout /dev/null -subj '/CN=sp ' -out ../sp.req 2>/dev/null
         certkeep --batch import-req ../sp.req sp && certkeep --batch sign-req client sp"
    ));
    proved(&alice, "work/ca");
}
