// SPDX-License-Identifier: MIT OR Apache-2.0
//! How far a long work is: one line on standard error that is written over, on a
//! terminal alone, and only once the work has taken a second.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use super::Talk;

/// How long nothing is said.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is written anew.
const INTERVAL: Duration = Duration::from_millis(200);

/// A work that may take long. What was shown is gone when it is dropped.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    /// When the line is due next; `None` where nobody would see it.
    due: Option<Instant>,
    shown: bool,
}

impl Progress {
    pub(super) fn new(what: &'static str, talk: Talk) -> Self {
        let seen = talk == Talk::Full && io::stderr().is_terminal();
        Self { what, due: seen.then(|| Instant::now() + PATIENCE), shown: false }
    }

    /// `done` of `total` are done.
    pub fn reach(&mut self, done: usize, total: usize) {
        self.show(|what| format!("{what}: {done} of {total}"));
    }

    /// `done` are done, and nobody knows of how many.
    pub fn count(&mut self, done: usize) {
        self.show(|what| format!("{what}: {done}"));
    }

    fn show(&mut self, line: impl FnOnce(&str) -> String) {
        let now = Instant::now();
        if self.due.is_some_and(|due| now >= due) {
            self.due = Some(now + INTERVAL);
            self.shown = true;
            put(&format!("\r{}\u{1b}[K", line(self.what)));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            put("\r\u{1b}[K");
        }
    }
}

/// When this fails there is nobody who looks.
fn put(text: &str) {
    let mut stream = io::stderr();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}
