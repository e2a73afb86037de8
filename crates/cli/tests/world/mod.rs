// SPDX-License-Identifier: MIT OR Apache-2.0
//! A world of its own for a test of the command line: a temporary folder, an
//! empty environment, a home of its own, no terminal, nothing on standard
//! input, and a limit to how long a program may take.
//!
//! Knows how to run programs and to look at what they left; what is right is
//! said by the tests.

mod hints;
pub(crate) mod mount;
mod outcome;
mod pty;
mod snapshot;

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

pub(crate) use self::{outcome::Outcome, pty::Conversation, snapshot::Snapshot};

/// The program under test.
const CERTKEEP: &str = env!("CARGO_BIN_EXE_certkeep");
/// Where Debian puts easy-rsa.
const EASYRSA: &str = "/usr/share/easy-rsa/easyrsa";
/// Seconds after which a program is taken for stuck. Encrypting a key takes a
/// few of them in a build without optimisation on a busy machine.
const LIMIT: &str = "60";

/// A temporary folder with `work` in it, where programs run, and `home`.
pub(crate) struct World {
    root: TempDir,
}

impl World {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let root = TempDir::new().expect("a temporary folder");
        for folder in ["work", "home"] {
            fs::create_dir(root.path().join(folder)).expect("a folder in it");
        }
        Self { root }
    }

    /// An empty PKI in `work/pki`.
    pub(crate) fn with_pki() -> Self {
        let world = Self::empty();
        world.run(["--batch", "init-pki"]).success();
        world
    }

    /// A CA whose key is not encrypted.
    pub(crate) fn with_ca() -> Self {
        let world = Self::with_pki();
        world.run(["--batch", "build-ca", "nopass"]).success();
        world
    }

    /// A CA, and a request filed as `www.example.net`.
    pub(crate) fn with_request() -> Self {
        let world = Self::with_ca();
        world.run(["--batch", "gen-req", "www.example.net", "nopass"]).success();
        world
    }

    /// A CA that has issued to `www.example.net`.
    pub(crate) fn with_certificate() -> Self {
        let world = Self::with_ca();
        world.run(["--batch", "build-server-full", "www.example.net", "nopass"]).success();
        world
    }

    /// A CA whose key is encrypted with `passphrase`.
    pub(crate) fn with_encrypted_ca(passphrase: &str) -> Self {
        let world = Self::with_pki();
        world.certkeep(["--batch", "--passout=env:P", "build-ca"]).env("P", passphrase).run().success();
        world
    }

    /// A path in the folder where programs run.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join("work").join(relative)
    }

    /// The bytes of a file.
    pub(crate) fn read(&self, relative: &str) -> Vec<u8> {
        fs::read(self.path(relative)).unwrap_or_else(|error| panic!("cannot read {relative}: {error}"))
    }

    /// The text of a file.
    pub(crate) fn text(&self, relative: &str) -> String {
        String::from_utf8(self.read(relative)).expect("a text file")
    }

    /// Writes a file, and the folders it is in.
    pub(crate) fn write(&self, relative: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder");
        fs::write(path, contents).expect("the file");
    }

    /// Removes a file.
    pub(crate) fn remove(&self, relative: &str) {
        fs::remove_file(self.path(relative)).expect("a file to remove");
    }

    /// Copies a file.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        self.write(to, self.read(from));
    }

    /// Whether there is such a file or folder.
    pub(crate) fn exists(&self, relative: &str) -> bool {
        self.path(relative).exists()
    }

    /// The permission bits of a file or folder.
    pub(crate) fn mode(&self, relative: &str) -> u32 {
        let metadata = fs::metadata(self.path(relative));
        metadata.unwrap_or_else(|error| panic!("no {relative}: {error}")).permissions().mode() & 0o777
    }

    /// What every file holds now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.path(""))
    }

    /// The rows of index.txt.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.text("pki/index.txt").lines().map(str::to_owned).collect()
    }

    /// The serial number of the last certificate in index.txt.
    pub(crate) fn last_serial(&self) -> String {
        let rows = self.rows();
        let row = rows.last().expect("a row in index.txt");
        row.split('\t').nth(3).expect("a serial number in the row").to_owned()
    }

    /// Runs certkeep.
    #[must_use = "say whether it was to succeed"]
    pub(crate) fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Outcome {
        self.certkeep(arguments).run()
    }

    /// Runs certkeep and expects that it refuses with `fact` in its error, that
    /// its hints can be obeyed, and that every file is as it was before.
    #[track_caller]
    pub(crate) fn refuses(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, fact: &str) {
        let before = self.snapshot();
        let outcome = self.run(arguments).refused(fact);
        before.assert_same(&self.snapshot());
        hints::assert_exist(self, &outcome);
    }

    /// certkeep, to be run.
    pub(crate) fn certkeep(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        self.program(CERTKEEP, arguments)
    }

    /// Runs openssl.
    #[must_use = "say whether it was to succeed"]
    pub(crate) fn openssl(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Outcome {
        self.program("openssl", arguments).run()
    }

    /// Runs easy-rsa with its own support files.
    #[must_use = "say whether it was to succeed"]
    pub(crate) fn easyrsa(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Outcome {
        self.easyrsa_run(arguments).run()
    }

    /// easy-rsa with its own support files, to be run.
    pub(crate) fn easyrsa_run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        // easy-rsa 3.1 looks for these in the PKI, where its own init-pki puts them.
        let support = Path::new(EASYRSA).parent().expect("it is in a folder");
        let run = self.program(EASYRSA, arguments).env("EASYRSA_EXT_DIR", support.join("x509-types"));
        run.env("EASYRSA_SSL_CONF", support.join("openssl-easyrsa.cnf"))
    }

    /// certkeep at a terminal of its own, with a person who types.
    pub(crate) fn converse(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Conversation {
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", CERTKEEP]).args(arguments);
        self.settle(&mut command);
        Conversation::start(command)
    }

    /// A shell script at a terminal of its own; `"$0"` is certkeep.
    pub(crate) fn converse_in_shell(&self, script: &str) -> Conversation {
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", "sh", "-c", script, CERTKEEP]);
        self.settle(&mut command);
        Conversation::start(command)
    }

    /// A shell script, to be run; `"$0"` is certkeep.
    pub(crate) fn shell(&self, script: &str) -> Run {
        self.program("sh", ["-c", script, CERTKEEP])
    }

    /// A program of any name, to be run in a session of its own: there is no
    /// terminal to ask at, not even that of whoever runs the tests.
    fn program(&self, program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        let mut command = Command::new("setsid");
        command.args(["--wait", "timeout", "--kill-after=1", LIMIT, program]).args(arguments);
        self.settle(&mut command);
        Run { command, input: Vec::new() }
    }

    fn settle(&self, command: &mut Command) {
        command.current_dir(self.path("")).env_clear().envs([
            ("LC_ALL", "C"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
            ("TERM", "dumb"),
        ]);
        command.env("HOME", self.root.path().join("home"));
    }
}

/// A program that is about to be run.
#[must_use = "nothing happens before `run`"]
pub(crate) struct Run {
    command: Command,
    input: Vec<u8>,
}

impl Run {
    /// With a variable in its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With `input` on its standard input.
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// In another folder.
    pub(crate) fn within(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it to its end.
    #[must_use = "say whether it was to succeed"]
    pub(crate) fn run(self) -> Outcome {
        let shown = format!("{:?}", self.command);
        Outcome::new(shown, self.start().wait_with_output().expect("the program ran"))
    }

    /// Starts it; its input is all there, and ends.
    pub(crate) fn start(mut self) -> Child {
        let piped = |command: &mut Command| {
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program can be started")
        };
        if self.input.is_empty() {
            self.command.stdin(Stdio::null());
            return piped(&mut self.command);
        }
        // A file, not a pipe: nobody has to write while the program runs.
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&self.input).expect("the input");
        std::io::Seek::rewind(&mut file).expect("a file has a beginning");
        self.command.stdin(file);
        piped(&mut self.command)
    }
}
