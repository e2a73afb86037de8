// SPDX-License-Identifier: MIT OR Apache-2.0
//! Findings as the workflow commands of GitHub Actions, which shows them in the
//! files of a pull request.

use super::told::{Level, Told};
use crate::terminal::Safe;

/// One command a line.
pub(super) fn github(found: &[Told]) -> String {
    found.iter().map(command).collect()
}

fn command(told: &Told) -> String {
    let level = if told.level == Level::Error { "error" } else { "notice" };
    let mut properties = vec![format!("title={}", property(&format!("certkeep guard: {}", told.rule.id())))];
    if !told.path.is_empty() {
        properties.insert(0, format!("file={}", property(&told.shown_path())));
        if let Some(line) = told.line {
            properties.insert(1, format!("line={line}"));
        }
    }
    let mut message = vec![told.what.clone(), told.why.clone()];
    message.extend(told.commit.iter().map(|commit| format!("in commit {commit}")));
    let owners = told.owners.iter();
    message.extend(owners.map(|owner| format!("it is the private key of {}", owner.described())));
    message.extend(told.advice.iter().cloned());
    let message: Vec<String> = message.iter().map(|line| escaped(line)).collect();
    format!("::{level} {}::{}\n", properties.join(","), message.join("%0A"))
}

/// The runner ends a command with its line, and takes `%` for the beginning of an escape.
fn escaped(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    Safe(text).to_string()
}

fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_path_ends_the_command() {
        assert_eq!(property("a,b:c\n::error::%.key"), "a%2Cb%3Ac%0A%3A%3Aerror%3A%3A%25.key");
    }
}
