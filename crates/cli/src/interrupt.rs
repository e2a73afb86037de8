// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens on SIGINT, SIGTERM, SIGHUP and SIGQUIT: a transaction that is
//! being recorded is finished, the terminal gets its echo back, easy-rsa's
//! `lock.file` is taken away, and the process ends by the signal.
//!
//! A signal concerns the whole process, so its state is the only global one.

use std::{
    fs::File,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
    low_level,
};

/// What has to be put in order before the process may end.
struct Unfinished {
    /// The terminal while a passphrase is typed, and how it was before.
    terminal: Option<(File, Termios)>,
    /// The PKI whose lock this process holds.
    locked: Option<PathBuf>,
}

static UNFINISHED: Mutex<Unfinished> = Mutex::new(Unfinished { terminal: None, locked: None });

/// Held while a transaction is recorded: it takes milliseconds, and to be half
/// recorded is a state that easy-rsa does not know how to finish.
static RECORDING: Mutex<()> = Mutex::new(());

/// Begins to watch for signals. Where that is not possible they do what the
/// system does by default, which loses no data either.
pub fn watch() {
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let _recorded = enter(&RECORDING);
            let mut unfinished = enter(&UNFINISHED);
            if let Some((terminal, before)) = unfinished.terminal.take() {
                let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
            }
            if let Some(root) = unfinished.locked.take() {
                certkeep_store::lock::release(&root);
            }
            let _ = low_level::emulate_default_handler(signal);
        }
    });
}

/// Puts signals off until the guard is dropped.
pub fn put_off() -> MutexGuard<'static, ()> {
    enter(&RECORDING)
}

/// Remembers that this process holds the lock of the PKI at `root`, or is about to.
pub fn may_hold_lock(root: PathBuf) {
    enter(&UNFINISHED).locked = Some(root);
}

/// Runs `ask`, which takes the echo off the terminal; a signal gives it back.
pub fn with_hidden_input<T>(ask: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
    let saved = File::open("/dev/tty").ok().and_then(|terminal| {
        let before = tcgetattr(&terminal).ok()?;
        Some((terminal, before))
    });
    enter(&UNFINISHED).terminal = saved;
    let answer = ask();
    enter(&UNFINISHED).terminal = None;
    if answer.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::Interrupted) {
        // Ctrl-C was typed: the signal is on its way to the watching thread.
        std::thread::sleep(Duration::from_secs(1));
    }
    answer
}

fn enter<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    // What is behind these locks is put in order whatever panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
