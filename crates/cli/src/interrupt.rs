// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens on SIGINT, SIGTERM, SIGHUP and SIGQUIT: a transaction that is
//! being recorded is finished, the terminal gets its echo back, easy-rsa's
//! `lock.file` and a folder with plaintext are taken away, and the process ends by
//! the signal. While a program of the user's runs (`exec`), it is handed the
//! signal and decides itself.
//!
//! A signal concerns the whole process, so its state is the only global one.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, ExitStatus},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::{
    process::{Pid, Signal, getpgrp, kill_process},
    termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};
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
    /// A folder that holds plaintext for a while.
    plaintext: Option<PathBuf>,
    /// The program that gets the signals in our place.
    heir: Option<Pid>,
}

static UNFINISHED: Mutex<Unfinished> =
    Mutex::new(Unfinished { terminal: None, locked: None, plaintext: None, heir: None });

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
            if let Some(heir) = unfinished.heir {
                pass_on(heir, signal);
                continue;
            }
            if let Some((terminal, before)) = unfinished.terminal.take() {
                let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
            }
            if let Some(root) = unfinished.locked.take() {
                certkeep_store::lock::release(&root);
            }
            if let Some(folder) = unfinished.plaintext.take() {
                let _ = std::fs::remove_dir_all(folder);
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

/// Remembers a folder that has to be removed whatever happens; `None` when it is gone.
pub fn holds_plaintext(folder: Option<PathBuf>) {
    enter(&UNFINISHED).plaintext = folder;
}

/// Waits for a program of the user's, which gets the signals meanwhile.
///
/// # Errors
///
/// What the system says.
pub fn wait_for(child: &mut Child) -> std::io::Result<ExitStatus> {
    enter(&UNFINISHED).heir = Some(Pid::from_child(child));
    let status = child.wait();
    enter(&UNFINISHED).heir = None;
    status
}

/// Ends the process by a signal, as a program has ended that it stands for.
pub fn end_by(signal: i32) {
    let _ = low_level::emulate_default_handler(signal);
}

/// Hands a signal down. What was typed at the terminal has reached the program
/// already: it is in the same process group.
fn pass_on(heir: Pid, signal: i32) {
    let typed = matches!(signal, SIGINT | SIGQUIT)
        && File::open("/dev/tty").is_ok_and(|terminal| tcgetpgrp(&terminal).ok() == Some(getpgrp()));
    if let Some(signal) = Signal::from_named_raw(signal).filter(|_| !typed) {
        let _ = kill_process(heir, signal);
    }
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
