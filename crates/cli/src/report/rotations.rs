// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to do where two rotations have met.

use super::Failure;
use crate::terminal::{Safe, shell_word};

/// An epoch of this clone that others do not have.
pub(super) fn of_lost_rotation(failure: Failure, begun: Option<&String>) -> Failure {
    let Some(commit) = begun else { return failure };
    let which = if commit.is_empty() { String::new() } else { format!(" of {}", short(commit)) };
    failure.with_hint(format!(
        "only if your own push{which} was rejected, because another rotation came first: \
         `certkeep unlock --discard-rotation`"
    ))
}

/// A branch with a rotation that `unlock --discard-rotation` has forgotten.
pub(super) fn of_forgotten_rotation(failure: Failure) -> Failure {
    failure
        .with_hint(
            "this branch has a rotation of your own that this clone has forgotten (`--discard-rotation`), for \
             another one came first: go on where that one is: `git switch BRANCH`",
        )
        .with_hint(
            "to take work along from here: `git cherry-pick COMMIT` there, of commits other than the rotation, then \
             `certkeep unlock --discard-rotation`, which seals it anew",
        )
}

/// A rotation that others have seen before the one that is there now.
/// `own` may be a branch that nobody else works with: its name is not to be forgotten
/// where it is the shared one.
pub(super) fn of_pushed_rotation(failure: Failure, commit: &str, own: Option<&String>) -> Failure {
    let failure = failure
        .with_hint("what came later is not to be trusted: do not go on before you know who pushed it")
        .with_hint(format!(
            "to put back what was there first: `git restore --source={} --staged --worktree -- .certkeep`, then \
             `git commit`; whoever made the other rotation pulls that and runs `certkeep unlock --discard-rotation`",
            short(commit)
        ));
    let Some(own) = own else { return failure };
    let branch = Safe(shell_word(own.strip_prefix("refs/remotes/").unwrap_or(own))).to_string();
    failure.with_hint(format!(
        "only if {branch} is a branch of your own that nobody merged: `git branch -d -r {branch}`, then again"
    ))
}

/// How two rotations that met become one: the first one stays.
pub fn take_theirs(commit: &str) -> String {
    format!(
        "where two rotations were merged, the one that was there first stays: `git restore --source={} --staged \
         --worktree -- .certkeep`, `git commit`, then `certkeep unlock --discard-rotation`",
        short(commit)
    )
}

/// As many digits of a commit as tell it from others.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
