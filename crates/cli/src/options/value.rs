// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values that options take, as easy-rsa reads them, and which options
//! take none.

use std::{convert::Infallible, fmt};

use clap::{ArgAction, Args, Command};
use zeroize::Zeroizing;

use super::GlobalOptions;

/// The text of an option that may hold a secret: zeroised on drop, not in `Debug`.
#[derive(Clone)]
pub struct Hidden(Zeroizing<String>);

impl Hidden {
    /// Shows the text to the code that parses it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hidden(..)")
    }
}

/// Takes any text, so that no error of clap's ever repeats it.
pub(super) fn hidden(text: &str) -> Result<Hidden, Infallible> {
    Ok(Hidden(Zeroizing::new(text.to_owned())))
}

/// A number from 0 on without leading zeros.
pub(crate) fn zero_or_count(text: &str) -> Result<u32, &'static str> {
    const WANTED: &str = "a whole number without leading zeros is wanted";
    if !text.bytes().all(|byte| byte.is_ascii_digit()) || (text.starts_with('0') && text != "0") {
        return Err(WANTED);
    }
    text.parse().map_err(|_| WANTED)
}

/// A number from 1 on without leading zeros.
pub(crate) fn count(text: &str) -> Result<u32, &'static str> {
    match zero_or_count(text)? {
        0 => Err("a number greater than zero is wanted"),
        number => Ok(number),
    }
}

/// A number of days; 0 is for `show-expire` alone, which nobody knows here.
pub(crate) fn days(text: &str) -> Result<u32, &'static str> {
    zero_or_count(text).map_err(|_| "a number of days is wanted, at least 1, without leading zeros")
}

/// A umask: up to four octal digits, at most 077. What takes the owner's own
/// rights would let nothing be recorded.
pub(crate) fn octal(text: &str) -> Result<u32, &'static str> {
    const WANTED: &str = "an octal number up to 077 is wanted";
    if text.len() > 4 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'7')) {
        return Err(WANTED);
    }
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o077).ok_or(WANTED)
}

/// Every spelling of every option without a value, dashes included.
pub(super) fn switches() -> Vec<String> {
    let command = GlobalOptions::augment_args(Command::new(""));
    let switches = command.get_arguments().filter(|option| matches!(option.get_action(), ArgAction::SetTrue));
    switches
        .flat_map(|option| {
            let short = option.get_short().map(|short| format!("-{short}"));
            let long = option.get_long().map(|long| format!("--{long}"));
            let aliases = option.get_all_aliases().unwrap_or_default();
            short.into_iter().chain(long).chain(aliases.into_iter().map(|alias| format!("--{alias}")))
        })
        .collect()
}
