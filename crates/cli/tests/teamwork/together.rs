// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sync`: clones of one bare repository come together, or say what is to be decided.

use std::thread;

use super::{ISSUE, rows, serial};
use crate::team::{Person, Team};

const EVERY_ZONE: &str = "--zone=ca --zone=keys --zone=reqs";

/// Alice and Bob, who can both sign, each with an unlocked clone in `work/ca`.
pub(super) fn two(team: &Team) -> (Person, Person) {
    let (alice, bob, _) = team.shared(EVERY_ZONE);
    bob.does("cd work/ca && certkeep unlock");
    (alice, bob)
}

#[test]
fn two_who_issue_and_revoke_at_the_same_time_come_together() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    alice.does(&format!("cd work/ca && {ISSUE} server a && certkeep gen-crl && certkeep sync"));
    bob.does(&format!(
        "cd work/ca && {ISSUE} server b && certkeep sync && certkeep --batch revoke-issued a superseded && {ISSUE} client c"
    ));
    alice.does(&format!(
        "cd work/ca && {ISSUE} client d && certkeep --batch revoke-issued www && certkeep gen-crl"
    ));
    bob.does("cd work/ca && certkeep sync");
    let account = alice.does("cd work/ca && certkeep --format json sync --crl");
    for part in [
        "\"branch\": \"main\"",
        "\"pulled\": 3",
        "\"remote\": \"origin\"",
        "\"attempts\": 1",
        "\"crl\": \"signed\"",
    ] {
        assert!(account.contains(part), "{part} in {account}");
    }
    let account = bob.does("cd work/ca && certkeep --format json sync");
    assert!(
        account.contains("\"pulled\": 4")
            && account.contains("\"pushed\": 0")
            && account.contains("\"crl\": \"current\""),
        "{account}"
    );
    assert_eq!(alice.text("work/ca/pki/index.txt"), bob.text("work/ca/pki/index.txt"));
    assert_eq!(
        alice.does("cd work/ca && git rev-parse HEAD"),
        bob.does("cd work/ca && git rev-parse HEAD @{u} | uniq")
    );
    assert_eq!(rows(&alice, "work/ca").len(), 5);
    for person in [&alice, &bob] {
        person.is_clean("work/ca");
        person.does("cd work/ca && certkeep verify-cert d && certkeep verify-cert c && test -s pki/private/c.key && test -s pki/private/d.key");
    }
    let listed = bob.does("cd work/ca && openssl crl -noout -text -in pki/crl.pem | grep -c 'Serial Number'");
    assert_eq!(listed.trim(), "2");
}

#[test]
fn what_stands_against_it_is_said_before_anything_is_done() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    alice.does(&format!("cd work/ca && {ISSUE} server a"));
    let head = alice.does("cd work/ca && git rev-parse HEAD");
    let refused = |script: &str, fact: &str| {
        let said = alice.fails(&format!("cd work/ca && {script}"), fact);
        assert!(said.stderr.contains("hint: "), "{said:#?}");
        assert_eq!(said.stdout, "");
    };
    alice.does("cd work/ca && git switch -q --detach");
    refused("certkeep sync", "HEAD is detached");
    alice.does("cd work/ca && git switch -qc alone");
    refused("certkeep sync", "the branch alone has no upstream");
    alice.does("cd work/ca && git switch -q main && echo x >> pki/vars.example");
    refused("certkeep sync", "the work tree has changes that are not committed");
    alice.does("cd work/ca && git restore pki/vars.example && git remote set-url origin /nowhere");
    refused("certkeep sync", "cannot fetch from origin");
    alice.does("cd work/ca && git remote set-url origin ~/../remote.git && no git rebase -q --exec false HEAD~1 2>/dev/null");
    refused("certkeep sync", "a rebase is under way");
    alice.does("cd work/ca && git rebase --abort");
    assert_eq!(alice.does("cd work/ca && git rev-parse HEAD"), head);
    alice.tries("cd work/ca && certkeep --dry-run sync").well().says("would merge 0 and push 1 commits");

    // A hook of the server's says no: that is no race.
    alice.does("printf '#!/bin/sh\\necho not today >&2; exit 1\\n' > ~/../remote.git/hooks/pre-receive && chmod 700 ~/../remote.git/hooks/pre-receive");
    refused("certkeep sync", "not today");
    alice.does("rm ~/../remote.git/hooks/pre-receive && cd work/ca && certkeep sync");

    // Who has an older certkeep's settings gets those of today, without a key.
    bob.does("cd work/ca && git config --unset merge.certkeep-pki.driver && certkeep sync");
    assert!(bob.does("cd work/ca && git config merge.certkeep-pki.driver").contains("git-merge"));
    // Whoever has no key synchronises what others may see, too.
    let guest = team.person("guest");
    guest.does("cd work && git clone -q ~/../remote.git ca && cd ca && certkeep sync && echo hello > README && git add README && git commit -qm README && certkeep sync");
    alice.does("cd work/ca && certkeep sync && grep -q hello README");
    alice.is_clean("work/ca");
}

#[test]
fn what_somebody_has_to_decide_is_told_and_can_be_taken_back() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    alice.does("cd work/ca && certkeep --batch revoke-issued www keyCompromise && certkeep sync");
    bob.does(&format!("cd work/ca && certkeep --batch renew www && {ISSUE} client later"));
    let head = bob.does("cd work/ca && git rev-parse HEAD");
    let said = bob
        .fails("cd work/ca && certkeep sync", "a file has to be decided by somebody")
        .says("pki/issued/www.crt: the others have taken it away, your commit has changed it")
        .says("git rebase --abort")
        .says("git rebase --continue");
    assert_eq!(said.stdout, "");
    bob.fails("cd work/ca && certkeep sync", "a rebase is under way");
    bob.does("cd work/ca && git rebase --abort");
    assert_eq!(bob.does("cd work/ca && git rev-parse HEAD"), head);
    bob.is_clean("work/ca");
    // As he was told, and then the key that is compromised is not used any more.
    bob.fails("cd work/ca && certkeep sync", "a file has to be decided by somebody");
    bob.does(
        "cd work/ca && git add -- pki/issued/www.crt && GIT_EDITOR=true git rebase --continue && certkeep sync
         certkeep --batch revoke-issued www keyCompromise && certkeep gen-crl && certkeep sync",
    );
    alice.does("cd work/ca && certkeep sync");
    assert!(
        rows(&alice, "work/ca")
            .values()
            .filter(|row| row.ends_with("/CN=www"))
            .all(|row| row.starts_with("R "))
    );
    for person in [&alice, &bob] {
        person.is_clean("work/ca");
    }
}

#[test]
fn what_does_not_fit_together_is_not_pushed() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    // Somebody without the driver has let git take one for the other.
    let www = serial(&alice, "work/ca", "www");
    alice.does(&format!(
        "cd work/ca && cp pki/ca.crt pki/certs_by_serial/{www}.pem && git commit -qam mixed && git push -q"
    ));
    bob.does(&format!("cd work/ca && {ISSUE} client c"));
    bob.fails("cd work/ca && certkeep sync", "does not fit together")
        .says(&format!("pki/certs_by_serial/{www}.pem").replace("pki/", ""));
    assert_eq!(bob.does("cd work/ca && git rev-list --count @{u}..").trim(), "1");
    // Nor is what somebody has mixed up himself on top of it, however often he tries.
    bob.does("cd work/ca && git rebase -q @{u}");
    let later = serial(&bob, "work/ca", "c");
    bob.does(&format!(
        "cd work/ca && git tag good && cp pki/ca.crt pki/certs_by_serial/{later}.pem && git commit -qam mixed"
    ));
    for _ in 0..2 {
        bob.fails("cd work/ca && certkeep sync", "does not fit together").says(&later);
    }
    bob.does("cd work/ca && git reset -q --keep good");
    alice.does("cd work/ca && git revert --no-edit HEAD >/dev/null && git push -q");
    bob.does("cd work/ca && certkeep sync");
    assert_eq!(rows(&bob, "work/ca").len(), 2);

    // Numbers that are counted meet.
    let (alice, bob) = (alice.with("EASYRSA_RAND_SN", "no"), bob.with("EASYRSA_RAND_SN", "no"));
    alice.does(&format!("cd work/ca && certkeep sync && {ISSUE} client one && certkeep sync"));
    bob.does(&format!("cd work/ca && {ISSUE} client two"));
    bob.fails("cd work/ca && certkeep sync", "both sides have issued a certificate with the serial number")
        .says("whoever revokes");
    // Issued again on top of what the others have, as the hint says.
    bob.does(&format!(
        "cd work/ca && git rebase --abort && git reset -q --keep @{{u}} && certkeep sync && {ISSUE} client two && certkeep sync"
    ));
    assert_eq!(rows(&bob, "work/ca").len(), 4);
}

/// More of them at a time: `cargo xtask bench sync`.
#[test]
fn many_at_once_lose_nothing() {
    const CLONES: usize = 4;
    const EACH: usize = 5;
    let team = Team::in_memory();
    let (alice, _) = two(&team);
    for clone in 0..CLONES {
        alice.does(&format!(
            "cd work && git clone -q ~/../remote.git clone-{clone} && cd clone-{clone} && certkeep unlock"
        ));
    }
    thread::scope(|scope| {
        for clone in 0..CLONES {
            let alice = &alice;
            scope.spawn(move || {
                for number in 0..EACH {
                    alice.does(&format!(
                        "cd work/clone-{clone} && {ISSUE} client c-{clone}-{number} && certkeep sync --attempts 60"
                    ));
                }
            });
        }
    });
    alice.does("cd work/ca && certkeep sync");
    alice.is_clean("work/ca");
    assert_eq!(rows(&alice, "work/ca").len(), 1 + CLONES * EACH);
    for clone in 0..CLONES {
        for number in 0..EACH {
            alice.does(&format!("cd work/ca && test -s pki/issued/c-{clone}-{number}.crt && test -s pki/private/c-{clone}-{number}.key"));
        }
    }
}
