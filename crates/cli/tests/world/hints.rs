// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hint that names a command names one that exists, and so with its options.

use std::sync::OnceLock;

use super::{Outcome, World};

/// What `certkeep help` says.
static HELP: OnceLock<String> = OnceLock::new();

/// Every `certkeep COMMAND` and every `--option` in what was said is known to the help.
#[track_caller]
pub(crate) fn assert_exist(world: &World, outcome: &Outcome) {
    let help = HELP.get_or_init(|| world.run(["--help"]).success().stdout);
    let hints = outcome.stderr.lines().filter_map(|line| line.strip_prefix("hint: "));
    for quoted in hints.flat_map(|hint| hint.split('`').skip(1).step_by(2)) {
        let Some((_, call)) = quoted.split_once("certkeep ") else { continue };
        let mut words = call.split(' ');
        for option in words.clone().filter(|word| word.starts_with("--")) {
            let name = option.split('=').next().unwrap_or_default();
            let known = help.contains(name) || own_help(world, call).contains(name);
            assert!(known, "`{name}` is no option: {outcome}");
        }
        let command = words.find(|word| !word.starts_with('-')).unwrap_or_default();
        // `certkeep ...` and `certkeep [OPTIONS]` stand for any command.
        if !command.is_empty() && command.starts_with(|first: char| first.is_ascii_lowercase()) {
            let listed =
                help.contains(&format!("\n  {command} ")) || help.contains(&format!("alias: {command}]"));
            assert!(listed, "`{command}` is no command: {outcome}");
        }
    }
}

/// The help of the command of a call.
fn own_help(world: &World, call: &str) -> String {
    let command = call.split(' ').find(|word| !word.starts_with('-')).unwrap_or_default();
    world.run([command, "--help"]).success().stdout
}
