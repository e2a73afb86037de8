// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two branches that have changed how one zone is described, or the attributes
//! that follow from that: what of it becomes one, and what to type otherwise.

use std::os::unix::ffi::OsStrExt as _;

use certkeep_store::{
    manifest::Distrust,
    merge::{MergedZone, Side, ZoneConflict},
    plumbing::Plumbing,
    zone::Pattern,
};

use super::Call;
use crate::{
    report::Failure,
    terminal::{Safe, Terminal, shell_word},
};

/// Answers git, if the file is one of these; `None` for every other one.
pub(super) fn answer(
    plumbing: &Plumbing,
    call: &Call<'_>,
    terminal: &mut Terminal,
) -> Result<Option<Result<(), Failure>>, Failure> {
    if call.path == ".gitattributes" {
        return Ok(plumbing.merge_attributes(call.base, call.ours, call.theirs)?.then_some(Ok(())));
    }
    Ok(plumbing.merge_zone(call.path.as_bytes(), call.base, call.ours, call.theirs)?.map(|merged| {
        merged.map(|merged| tell(&merged, call, terminal)).map_err(|conflict| told(&conflict, call))
    }))
}

fn tell(merged: &MergedZone, call: &Call<'_>, terminal: &mut Terminal) {
    let path = call.shown();
    let named = |patterns: &[Pattern]| {
        let shown = patterns.iter().map(|pattern| format!("`{}`", Safe(pattern.as_str())));
        shown.collect::<Vec<_>>().join(", ")
    };
    if !merged.gone.is_empty() {
        let gone = named(&merged.gone);
        terminal.warning(format_args!(
            "{path}: one side has taken {gone} out of the zone, and so it is out of what was merged"
        ));
    }
    if !merged.kept.is_empty() {
        let kept = named(&merged.kept);
        let words: Vec<_> = merged.kept.iter().map(|pattern| shell_word(pattern.as_str())).collect();
        terminal.warning(format_args!(
            "{path}: one side lacks {kept}, and is not the later word on it; it stays. If it is to go: \
             `certkeep store unprotect {}`",
            words.join(" ")
        ));
    }
}

/// Our side stands in the work tree, whole: half of each would have no valid MAC.
fn told(conflict: &ZoneConflict, call: &Call<'_>) -> Failure {
    let word = call.word();
    let again = format!("`git checkout --merge -- {word}`, `git add -- {word}`");
    let mut failure = Failure::refused(format!(
        "both sides have changed {}; our side stands in the work tree",
        call.shown()
    ));
    failure.causes.push(conflict.to_string());
    let failure = match conflict {
        ZoneConflict::NoKey { side: Side::Theirs, .. } => failure
            .with_hint(format!("to have it merged: `git checkout --theirs -- {word}`, `certkeep unlock`"))
            .with_hint(format!("then: {again}")),
        ZoneConflict::Locked { .. } | ZoneConflict::NoKey { .. } => failure.with_hint(format!(
            "to have it merged, where this clone can open the zone: `certkeep unlock`, then {again}"
        )),
        ZoneConflict::TwoKeys { .. } => {
            return failure
                .with_hint("only one of two rotations can stay: `git merge --abort`, or `git rebase --abort`")
                .with_hint(
                    "then `git branch mine`, `git reset --keep @{u}`, `certkeep unlock --discard-rotation`",
                )
                .with_hint("then `git cherry-pick` from `mine` what else there was, and rotate again");
        }
        ZoneConflict::Distrust { source: Distrust::Mac | Distrust::PreviousMac, .. } => {
            return failure
                .with_hint("no member wrote that: to stop, `git merge --abort`, or `git rebase --abort`")
                .with_hint(format!("who it was: `git log --all -p -- {word}`"));
        }
        _ => failure,
    };
    failure
        .with_hint(format!("for one side as it is: `git checkout --theirs -- {word}`, or `--ours`"))
        .with_hint(
            "what the other side protected has to be protected again then: `certkeep store protect PATTERN`",
        )
}
