// SPDX-License-Identifier: MIT OR Apache-2.0
//! Interrupts commands of an encrypted store at their file operations, and
//! demands that the same command, given again, finishes them: nothing is lost,
//! nothing lies open, git has nothing to say, and nobody has to repair anything.
//!
//! The operations are those below the work tree, `.git` included, of certkeep
//! and of every git that it runs: one count, and one death for all of them.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "strike/library.rs"]
mod library;
#[path = "strike/repository.rs"]
mod repository;
#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use std::process::Stdio;

use repository::{Case, Repository};

const INIT: Case = Case {
    arguments: "store init --recipient=$RECIPIENT --name=owner --recipient=$BOB --name=bob",
    before: "plain",
    done: "is a store already",
};
const UNLOCK: Case = Case { arguments: "unlock", before: "locked", done: "" };
const LOCK: Case = Case { arguments: "lock", before: "unlocked", done: "" };
const ROTATE: Case = Case { arguments: "store rotate", before: "unlocked", done: "" };
const REMOVE: Case =
    Case { arguments: "member remove bob", before: "unlocked", done: "there is no member `bob`" };
const ISSUE: Case =
    Case { arguments: "--nopass issue client new1", before: "unlocked", done: "exists already" };
const REVOKE: Case = Case { arguments: "revoke-issued jane superseded", before: "unlocked", done: "jane" };

#[expect(clippy::disallowed_methods, reason = "a setting of this test, and none of certkeep's")]
fn every_operation() -> bool {
    std::env::var_os("STRIKE_EVERY_OPERATION").is_some()
}

/// Kills at the first and last operations and at every `step`-th of the rest, and
/// fails in other ways at some of these. `cargo xtask strike` has every one of them
/// killed.
fn strike(case: Case, step: usize) {
    let step = if every_operation() { 1 } else { step };
    let repository = Repository::new(case);
    let count = repository.operations();
    let ways = [("kill", 1, 3), ("torn", 7, 0), ("enospc", 5, 1), ("eio", 11, 0), ("erofs", 11, 1)];
    for (how, rarer, ends) in ways {
        for at in (1..=count).filter(|at| *at <= ends || at + ends > count || at % (rarer * step) == 0) {
            repository.restore();
            let output = repository.strike(how, at);
            let said = String::from_utf8_lossy(&output.stderr);
            let shown = format!("{case:?}, {how} at {at} of {count}: {said}");
            assert!(!said.contains("panicked"), "{shown}");
            repository.judge(&shown, output.status.success(), at % 5 == 0);
        }
    }
}

#[test]
fn store_init_is_finished_by_the_next() {
    strike(INIT, 31);
}

#[test]
fn unlock_is_finished_by_the_next() {
    strike(UNLOCK, 4);
}

#[test]
fn lock_is_finished_by_the_next() {
    strike(LOCK, 2);
}

#[test]
fn store_rotate_is_finished_by_the_next() {
    strike(ROTATE, 19);
}

#[test]
fn member_remove_is_finished_by_the_next() {
    strike(REMOVE, 11);
}

#[test]
fn issue_is_finished_by_the_next() {
    strike(ISSUE, 4);
}

#[test]
fn revoke_is_finished_by_the_next() {
    strike(REVOKE, 9);
}

#[test]
fn two_at_once_wait_for_each_other() {
    const ISSUE_NEW: &str = "--nopass issue client new1";
    let repository = Repository::new(ISSUE);
    for (one, other) in [
        ("store rotate", ISSUE_NEW),
        (ISSUE_NEW, "store rotate"),
        (ISSUE_NEW, "member remove bob"),
        ("member remove bob", ISSUE_NEW),
        ("store rotate", "store rotate"),
        ("store rotate", "unlock"),
        ("unlock", "unlock"),
        ("lock", "unlock"),
        ("lock", "lock"),
    ] {
        repository.restore();
        let both: Vec<_> = [one, other]
            .map(|command| {
                let mut command = repository.shell(&format!("certkeep --batch {command}"));
                command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .into_iter()
            .map(|child| child.wait_with_output().unwrap())
            .collect();
        let case = format!("{one} beside {other}");
        for output in both {
            assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
        }
        repository.does("certkeep unlock");
        repository.sound(&case, true);
        // All of a zone's files are sealed with its present key, whichever came first.
        let sealed = "for key in pki/private/[!c]*.key; do
                git cat-file blob HEAD:$key | tail -c +13 | head -c 16 | od -An -tx1
            done | sort -u | grep -c .";
        assert_eq!(repository.does(sealed), "1\n", "{case}");
    }
}
