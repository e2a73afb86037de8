// SPDX-License-Identifier: MIT OR Apache-2.0
//! Findings for people.

use std::fmt::Write as _;

use super::told::{Level, Told};
use crate::terminal::Safe;

/// One paragraph for each.
pub(super) fn text(found: &[Told]) -> String {
    let mut output = String::new();
    for told in found {
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
    output
}
