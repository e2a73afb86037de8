// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask strike`: the commands of an encrypted store, killed at each of
//! their file operations. The tests do so at some; what they demand of the next
//! run is written there, in `crates/cli/tests/strike_store.rs`.

use std::process::Command;

use crate::{Outcome, process};

/// Runs these tests at every operation, and tells of each command that is through.
pub(crate) fn run() -> Outcome {
    let mut command = Command::new("cargo");
    command.current_dir(process::root()).env("STRIKE_EVERY_OPERATION", "1");
    command.args([
        "test",
        "--locked",
        "--package",
        "certkeep",
        "--test",
        "strike_store",
        "--",
        "by_the_next",
    ]);
    process::show(&mut command)
}
