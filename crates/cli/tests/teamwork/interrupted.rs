// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sync` that is interrupted: by Ctrl-C it is well, by anything worse there is one
//! way back that works.

use super::{ISSUE, rows, together::two};
use crate::team::{Person, Team};

/// Certificates that Bob has issued, and nobody else has yet.
const HIS: usize = 6;

/// Alice and Bob are apart; a rebase of Bob's takes a while.
fn apart(team: &Team) -> (Person, Person, String) {
    let (alice, bob) = two(team);
    alice.does(&format!("cd work/ca && for name in a b c; do {ISSUE} client $name; done && certkeep sync"));
    bob.does(&format!("cd work/ca && for name in $(seq {HIS}); do {ISSUE} client m$name; done"));
    let head = bob.does("cd work/ca && git rev-parse HEAD");
    (alice, bob, head)
}

fn nothing_is_lost(alice: &Person, bob: &Person) {
    bob.does("cd work/ca && certkeep sync");
    alice.does("cd work/ca && certkeep sync");
    for person in [alice, bob] {
        person.is_clean("work/ca");
        assert_eq!(rows(person, "work/ca").len(), 4 + HIS);
        person.does(&format!(
            "cd work/ca && for name in $(seq {HIS}); do
                 certkeep verify-cert m$name && test -s pki/private/m$name.key
             done
             test -z \"$(git status --porcelain -uall)\""
        ));
    }
}

/// Rebases until the third of his commits is about to be made, then stops for long.
const SLOW: &str = "mkdir -p .git/hooks; printf '#!/bin/sh\\nn=$(cat ~/picks 2>/dev/null || echo 0); n=$((n+1)); echo $n > ~/picks\\ntest $n != 3 || { touch ~/slow; sleep $(cat ~/long); }\\n' > .git/hooks/prepare-commit-msg; chmod 700 .git/hooks/prepare-commit-msg; rm -f ~/picks ~/slow";

/// Runs `sync` in a session of its own, and kills of it, when it has stopped.
fn strike(bob: &Person, long: u32, kill: &str) {
    bob.does(&format!(
        "cd work/ca && echo {long} > ~/long && {SLOW}
         setsid certkeep sync > ~/said 2>&1 & pid=$!
         while ! test -e ~/slow; do sleep 0.05; done
         {kill}
         wait $pid || :
         rm -f .git/hooks/prepare-commit-msg"
    ));
}

#[test]
fn ctrl_c_ends_nothing_halfway() {
    let team = Team::new();
    let (alice, bob, _) = apart(&team);
    // As the terminal does it: to all of the group.
    strike(&bob, 1, "kill -INT -$pid");
    bob.does("cd work/ca && no test -e .git/rebase-merge && git symbolic-ref -q HEAD");
    assert_eq!(bob.does("cd work/ca && git status --porcelain -uall"), "");
    nothing_is_lost(&alice, &bob);
}

#[test]
fn a_sync_that_was_killed_is_given_up_whole() {
    let team = Team::new();
    let (alice, bob, head) = apart(&team);
    let kill = "pkill -KILL -s $pid";
    strike(&bob, 300, kill);
    bob.does("cd work/ca && test -e .git/rebase-merge && touch .merge_file_x && rm -f .git/index.lock");
    // Files of the commit that was picked lie there untracked, as after an earlier moment.
    bob.does("cd work/ca && git reset -q");
    let said = bob
        .fails("cd work/ca && certkeep sync", "a sync was interrupted in the midst of git's rebase")
        .says("certkeep sync --abort");
    assert!(!said.stderr.contains("--continue"), "{said:#?}");
    bob.does("cd work/ca && certkeep sync --abort");
    assert_eq!(
        bob.does("cd work/ca && git rev-parse HEAD && git symbolic-ref HEAD"),
        format!("{head}refs/heads/main\n")
    );
    assert_eq!(bob.does("cd work/ca && git status --porcelain -uall"), "");
    bob.fails("cd work/ca && certkeep sync --abort", "no sync under way");

    // Whoever goes on by hand has left out what was being picked: it is not pushed.
    strike(&bob, 300, kill);
    bob.does(
        "cd work/ca && rm -f .git/index.lock && git reset -q --hard && GIT_EDITOR=true git rebase --continue",
    );
    bob.fails("cd work/ca && certkeep sync", "the branch lacks files")
        .says(&format!("git reset --keep {}", head.trim()));
    assert_ne!(bob.does("cd work/ca && git rev-list --count @{u}.."), "0\n");
    bob.does(&format!("cd work/ca && git reset -q --keep {head}"));
    nothing_is_lost(&alice, &bob);
}

#[test]
fn what_waits_for_somebody_can_be_given_up_too() {
    let team = Team::new();
    let (alice, bob) = two(&team);
    alice.does("cd work/ca && echo one > note && git add note && git commit -qm one && certkeep sync");
    bob.does("cd work/ca && echo two > note && git add note && git commit -qm two");
    let head = bob.does("cd work/ca && git rev-parse HEAD");
    bob.fails("cd work/ca && certkeep sync", "to be decided by somebody");
    bob.does("cd work/ca && certkeep sync --abort");
    assert_eq!(bob.does("cd work/ca && git rev-parse HEAD"), head);
    bob.is_clean("work/ca");
    bob.fails("cd work/ca && certkeep sync", "to be decided by somebody");
    bob.does("cd work/ca && certkeep sync --abort");
    // What is nobody's but his stays, and is never taken for git's.
    alice.does("cd work/ca && echo theirs > own && git add own && git commit -qm own && certkeep sync");
    bob.does("cd work/ca && echo mine > own");
    bob.fails("cd work/ca && certkeep sync", "stand where git has to write").says("mv -- own");
    assert_eq!(bob.does("cd work/ca && cat own && rm own && git rev-parse HEAD"), format!("mine\n{head}"));
    bob.fails("cd work/ca && certkeep sync", "to be decided by somebody");
    // Put in order by hand, but with a row less than there was.
    bob.does(
        "cd work/ca && git checkout -q --theirs -- note && git add note
         sed -i '/CN=www/d' pki/index.txt && git add pki/index.txt && GIT_EDITOR=true git rebase --continue",
    );
    bob.fails("cd work/ca && certkeep sync", "index.txt has lost the row of");
}
