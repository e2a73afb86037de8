// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bare words that easy-rsa takes behind a command, such as `nopass`.

use crate::{report::Failure, terminal::Safe};

/// Checks that `words` are among `known` and says which of those are there.
/// An empty word ends the list (easy-rsa 3.2: every command).
///
/// # Errors
///
/// A word that the command does not know.
pub(super) fn present<const N: usize>(words: &[String], known: [&str; N]) -> Result<[bool; N], Failure> {
    let mut present = [false; N];
    for word in words.iter().take_while(|word| !word.is_empty()) {
        match known.iter().position(|known| known == word) {
            Some(position) => present[position] = true,
            None => {
                return Err(Failure::refused(format!("unknown command option `{}`", Safe(word)))
                    .with_hint(format!("this command knows: {}", known.join(", "))));
            }
        }
    }
    Ok(present)
}
