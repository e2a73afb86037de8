// SPDX-License-Identifier: MIT OR Apache-2.0
//! Findings for people.

use std::fmt::Write as _;

use super::told::{Level, Rule, Told};
use crate::terminal::Safe;

/// One change of an attribute concerns every protected file: so many are shown.
const MOST_ALIKE: usize = 3;
/// Notes that are shown; documentation of keys is full of what looks like one.
const MOST_NOTES: usize = 20;

/// One paragraph for each.
pub(super) fn text(found: &[Told]) -> String {
    let mut output = String::new();
    let (mut alike, mut notes) = (0, 0);
    for told in found {
        if told.rule == Rule::LessProtected {
            alike += 1;
            if alike > MOST_ALIKE {
                continue;
            }
        }
        if told.level == Level::Note {
            notes += 1;
            if notes > MOST_NOTES {
                continue;
            }
        }
        let level = if told.level == Level::Note { "note: " } else { "" };
        let _ = writeln!(output, "{}: {level}{}", Safe(told.place()), Safe(&told.what));
        if let Some(commit) = &told.commit {
            let _ = writeln!(output, "  in commit {commit}");
        }
        for owner in &told.owners {
            let _ = writeln!(output, "  it is the private key of {}", Safe(owner.described()));
        }
        let _ = writeln!(output, "  {}", Safe(&told.why));
        for advice in &told.advice {
            let _ = writeln!(output, "  {}", Safe(advice));
        }
    }
    if alike > MOST_ALIKE {
        let _ = writeln!(output, "and {} more files that are less protected", alike - MOST_ALIKE);
    }
    if notes > MOST_NOTES {
        let _ = writeln!(output, "and {} more notes, which `--format json` has too", notes - MOST_NOTES);
    }
    output
}
