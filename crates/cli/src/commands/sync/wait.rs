// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long whoever lost a race waits before the next one.

use std::{thread, time::Duration};

use rand_core::RngCore as _;

use crate::session::Session;

/// How long is waited before the second attempt, at most, if the first took no longer:
/// else as long as that one. Each further attempt may wait twice as long.
const WAIT: Duration = Duration::from_millis(100);
/// How often that doubles.
const DOUBLINGS: u32 = 3;
/// The longest that is waited, whatever an attempt has taken.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Waits for a random while, so that those who have met once do not meet again: others
/// have to get through in it with what took this clone as long as `attempt`.
pub(super) fn back_off(attempts: u32, attempt: Duration) {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1).min(DOUBLINGS));
    let longest = (WAIT.max(attempt) * doubled).min(LONGEST_WAIT);
    let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    thread::sleep(Duration::from_millis(Session::rng().next_u64() % longest.max(1)));
}
