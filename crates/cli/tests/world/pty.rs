// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program at a terminal, and a person who waits for a text and types.

use std::{
    ffi::OsStr,
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::ffi::OsStrExt as _,
    process::{Child, Command, ExitStatus},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, tcgetattr},
};

/// How long the program may think. Opening an encrypted key takes seconds in a
/// build without optimisation on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program with a terminal of its own. Ended when dropped.
pub(crate) struct Conversation {
    child: Child,
    keyboard: File,
    terminal: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    /// Where in `seen` the next text is looked for.
    read: usize,
}

impl Conversation {
    /// Starts `command`, which is to take its standard input for its terminal.
    pub(crate) fn start(mut command: Command) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).expect("the terminal is ours");
        unlockpt(&master).expect("the terminal can be opened");
        let name = ptsname(&master, Vec::new()).expect("the terminal has a name");
        let open = OpenOptions::new().read(true).write(true).open(OsStr::from_bytes(name.as_bytes()));
        let terminal = open.expect("the terminal can be opened");
        let copy = || terminal.try_clone().expect("one more handle");
        let child =
            command.stdin(copy()).stdout(copy()).stderr(copy()).spawn().expect("the program can be started");
        let keyboard = File::from(master);
        let mut eyes = keyboard.try_clone().expect("one more handle");
        let (sender, screen) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal that nobody has open any more reads as an error.
            while let Ok(length @ 1..) = eyes.read(&mut bytes) {
                if sender.send(bytes.iter().take(length).copied().collect()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, terminal, screen, seen: String::new(), read: 0 }
    }

    /// Waits until `text` is on the screen, behind what was waited for before.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let unread = self.seen.get(self.read..).unwrap_or_default();
            if let Some(position) = unread.find(text) {
                self.read += position + text.len();
                return self;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("`{text}` did not come up in:\n{}", self.seen),
            }
        }
    }

    /// Types text, and the return key.
    pub(crate) fn answer(&mut self, text: &str) -> &mut Self {
        self.press(&format!("{text}\n"))
    }

    /// Types text as it is, such as `\u{3}` for Ctrl-C.
    pub(crate) fn press(&mut self, text: &str) -> &mut Self {
        self.keyboard.write_all(text.as_bytes()).expect("somebody is at the other end");
        self
    }

    /// Waits until typing is not shown, as at a prompt for a passphrase.
    #[track_caller]
    pub(crate) fn hidden(&mut self) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        while self.echoes() {
            assert!(Instant::now() < deadline, "what is typed is still shown:\n{}", self.seen);
            thread::sleep(Duration::from_millis(5));
        }
        self
    }

    /// Whether the terminal shows what is typed.
    pub(crate) fn echoes(&self) -> bool {
        let settings = tcgetattr(&self.terminal).expect("the terminal has settings");
        settings.local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub(crate) fn end(&mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the program is ours") {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.all());
            thread::sleep(Duration::from_millis(5));
        };
        (status, self.all())
    }

    /// Waits for the end of the program, which is to be exit code 0.
    #[track_caller]
    pub(crate) fn succeeds(&mut self) -> String {
        let (status, screen) = self.end();
        assert_eq!(status.code(), Some(0), "this was to succeed:\n{screen}");
        screen
    }

    /// Waits for the end of the program, which is to be exit code 1 with `fact` on the screen.
    #[track_caller]
    pub(crate) fn refuses(&mut self, fact: &str) -> String {
        let (status, screen) = self.end();
        assert_eq!(status.code(), Some(1), "this was to be refused:\n{screen}");
        assert!(screen.contains("error: "), "there is no error:\n{screen}");
        assert!(screen.contains(fact), "`{fact}` was to be said:\n{screen}");
        screen
    }

    /// Everything that has come up on the screen.
    fn all(&mut self) -> String {
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_millis(50)) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        self.seen.clone()
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // It may have ended long ago.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
