// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask setup`: the script of the README, for those who are already inside.
//!
//! The script is the one place that knows what to install; this only calls it.

use std::process::Command;

use crate::{Outcome, process};

/// Installs what tests, interop and bench need.
pub(crate) fn run() -> Outcome {
    process::show(Command::new("sh").current_dir(process::root()).arg("xtask/setup.sh"))
}
