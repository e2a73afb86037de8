// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to do where the guard could not look, or git could not be told to ask it.

use std::path::Path;

use certkeep_store::{
    guard::GuardError,
    history::GitError,
    hooks::{HookError, Keeper},
};

use super::Failure;
use crate::terminal::shell_word;

impl Failure {
    /// Neither a repository to look into nor files.
    pub fn no_repository(folder: &Path) -> Self {
        Self::refused(format!("{} is in no git repository", folder.display())).with_hint(
            "to look into files: `certkeep guard FILE...`, or `certkeep guard -` for standard input",
        )
    }

    /// Words behind an option that is used by git's hooks.
    pub fn not_a_hook(option: &str, takes: &str) -> Self {
        Self::refused(format!("`{option}` takes {takes}"))
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        Self::from_error(&error).of_git(&error)
    }
}

impl From<HookError> for Failure {
    fn from(error: HookError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            HookError::Kept { keeper: Keeper::Lefthook, .. } => failure
                .with_hint("add this to its file, then `lefthook install`:")
                .with_hint("  pre-commit: { jobs: [{ name: certkeep, run: certkeep guard }] }")
                .with_hint("  pre-merge-commit: { jobs: [{ name: certkeep, run: certkeep guard }] }")
                .with_hint(
                    "  pre-push: { jobs: [{ name: certkeep, run: 'certkeep guard --push {1} {2}', use_stdin: true }] }",
                ),
            HookError::Kept { keeper: Keeper::Overcommit, .. } => failure
                .with_hint("add this to its file, then `overcommit --sign`:")
                .with_hint("  PreCommit: { CertkeepGuard: { enabled: true, command: ['certkeep', 'guard'] } }")
                .with_hint(
                    "  PrePush: { CertkeepGuard: { enabled: true, command: ['certkeep', 'guard', '--push'] } }",
                ),
            HookError::Hidden { folder, .. } => failure
                .with_hint(format!(
                    "add this line to the scripts pre-commit and pre-merge-commit in {}: `certkeep guard || exit`",
                    shell_word(&folder.display().to_string())
                ))
                .with_hint("and this one to pre-push: `certkeep guard --push \"$@\" || exit`")
                .with_hint(
                    "or give this repository its own hooks: `git config core.hooksPath \"$(git rev-parse --git-common-dir)/hooks\"`",
                ),
            HookError::Occupied { hook, before } => failure
                .with_hint("make one of the two, or remove the one that is not wanted, then try again:")
                .with_hint(format!(
                    "  `mv {} {}`",
                    shell_word(&hook.display().to_string()),
                    shell_word(&before.display().to_string())
                )),
            HookError::NoScript(file) => failure.with_hint(format!(
                "have it call `certkeep guard` (pre-push: `certkeep guard --push REMOTE URL`), and fail if that fails: {}",
                shell_word(&file.display().to_string())
            )),
            HookError::NoRepository(_) => failure.with_hint("make one: `git init`"),
            HookError::Git(git) => failure.of_git(git),
            _ => failure,
        }
    }
}

impl From<GuardError> for Failure {
    fn from(error: GuardError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            GuardError::Git(git) => failure.of_git(git),
            GuardError::Shallow => failure
                .with_hint("to get the rest: `git fetch --unshallow`")
                .with_hint("to look at one commit alone: `certkeep guard --tree HEAD`"),
            GuardError::Rules { .. } => failure.with_hint("who changed them: `git log -p -- .certkeep`"),
            GuardError::AllowList { .. } => failure.with_hint(
                "an entry is `[[allow]]` with the lines `blob = \"...\"`, `path = \"...\"` and `reason = \"...\"`",
            ),
            GuardError::Update { .. } => {
                failure.with_hint("git writes to pre-push `REF OID REF OID` and to pre-receive `OID OID REF`")
            }
            GuardError::TooLarge { .. } => failure
                .with_hint("keep so large a file elsewhere, by Git LFS for instance, and its pointer here"),
            GuardError::Bare => failure
                .with_hint("what it has: `certkeep guard --history`, or `certkeep guard --tree HEAD`"),
            _ => failure,
        }
    }
}
