// SPDX-License-Identifier: MIT OR Apache-2.0
//! Throw-away people with keys of every kind, each in a home of their own.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use certkeep_pki::{
    moment::Moment,
    secret::{Passphrase, SecretBytes},
};
use certkeep_store::{
    prompt::{Prompt, PromptError},
    wrap::gpg::Gpg,
};

/// When every OpenPGP key here is made.
const MADE: &str = "20250101T000000!";

/// A time at which the keys of these tests are looked at: 2026-06-01.
pub(crate) fn now() -> Moment {
    Moment::parse("20260601000000Z").unwrap()
}

/// A home with gpg's and SSH's directories. gpg asks for passphrases with a
/// script, which answers with what [`Home::pin`] said last.
pub(crate) struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        // A short path: gpg-agent's socket lies in it, and may have 107 characters.
        let directory = tempfile::Builder::new().prefix("ck").tempdir_in("/tmp").unwrap();
        let home = Self { directory };
        for name in [".gnupg", ".ssh"] {
            fs::create_dir(home.path().join(name)).unwrap();
            fs::set_permissions(home.path().join(name), fs::Permissions::from_mode(0o700)).unwrap();
        }
        let (pinentry, pin) = (home.path().join("pinentry"), home.path().join("pin"));
        let script = format!(
            "#!/bin/sh
echo 'OK ready'
while read -r line; do
    case \"$line\" in
        GETPIN*)
            echo asked >>'{pin}.log'
            if [ -s '{pin}' ]; then echo \"D $(cat '{pin}')\"; echo OK
            else echo 'ERR 83886179 Operation cancelled <Pinentry>'; fi ;;
        BYE*) echo OK; exit 0 ;;
        *) echo OK ;;
    esac
done
",
            pin = pin.display()
        );
        fs::write(&pinentry, script).unwrap();
        fs::set_permissions(&pinentry, fs::Permissions::from_mode(0o700)).unwrap();
        home.pinentry(&pinentry);
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    fn gnupg(&self) -> PathBuf {
        self.path().join(".gnupg")
    }

    /// The program that gpg-agent asks with.
    pub(crate) fn pinentry(&self, program: &Path) {
        // Few rounds of key derivation: the agent's own measure takes seconds.
        let settings = format!("pinentry-program {}\ns2k-count 65536\n", program.display());
        fs::write(self.gnupg().join("gpg-agent.conf"), settings).unwrap();
        self.forget();
    }

    /// What is typed when gpg asks; `None` is Cancel.
    pub(crate) fn pin(&self, passphrase: Option<&str>) {
        fs::write(self.path().join("pin"), passphrase.unwrap_or_default()).unwrap();
        self.forget();
    }

    /// How often gpg asked so far.
    pub(crate) fn asked(&self) -> usize {
        fs::read_to_string(self.path().join("pin.log")).unwrap_or_default().lines().count()
    }

    /// Stops the agent, with what it remembers.
    pub(crate) fn forget(&self) {
        self.command("gpgconf").args(["--kill", "all"]).status().unwrap();
    }

    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("HOME", self.path())
            .env("GNUPGHOME", self.gnupg())
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env_remove("GPG_TTY")
            .env_remove("DISPLAY");
        command
    }

    /// Runs a program that must succeed, and returns what it printed.
    pub(crate) fn run<I: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = I>,
        input: &[u8],
    ) -> Vec<u8> {
        let output = feed(self.command(program).args(arguments), input);
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    pub(crate) fn gpg<'a>(&self, arguments: impl IntoIterator<Item = &'a str>, input: &[u8]) -> Vec<u8> {
        let always = ["--batch", "--quiet", "--no-tty", "--trust-model", "always"];
        self.run("gpg", always.into_iter().chain(arguments), input)
    }

    /// gpg as certkeep runs it.
    pub(crate) fn program(&self) -> Gpg {
        let mut gpg = Gpg::new("gpg");
        gpg.environment = vec![("GNUPGHOME".into(), self.gnupg().into())];
        gpg
    }

    /// An OpenPGP key that signs and certifies only; its fingerprint.
    pub(crate) fn openpgp(&self, name: &str, algorithm: &str, passphrase: &str) -> String {
        let user = format!("{name} <{name}@example.org>");
        let made = ["--faked-system-time", MADE, "--pinentry-mode", "loopback", "--passphrase", passphrase];
        self.gpg(made.into_iter().chain(["--quick-gen-key", &user, algorithm, "sign", "never"]), b"");
        let listing = self.gpg(["--with-colons", "--list-keys", &user], b"");
        let listing = String::from_utf8(listing).unwrap();
        let line = listing.lines().find(|line| line.starts_with("fpr:")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    /// Adds an encryption subkey that expires after `lifetime`, such as `1m` or `never`.
    pub(crate) fn subkey(&self, fingerprint: &str, algorithm: &str, passphrase: &str, lifetime: &str) {
        let made = ["--faked-system-time", MADE, "--pinentry-mode", "loopback", "--passphrase", passphrase];
        self.gpg(made.into_iter().chain(["--quick-add-key", fingerprint, algorithm, "encr", lifetime]), b"");
    }

    /// A usual OpenPGP key: Ed25519 with one Curve25519 subkey, for ever.
    pub(crate) fn usual(&self, name: &str, passphrase: &str) -> String {
        let fingerprint = self.openpgp(name, "ed25519", passphrase);
        self.subkey(&fingerprint, "cv25519", passphrase, "never");
        fingerprint
    }

    /// Makes `.ssh/NAME` with `ssh-keygen OPTIONS` and returns its path; the
    /// public half is beside it.
    pub(crate) fn ssh(&self, name: &str, options: &[&str], passphrase: &str) -> PathBuf {
        let path = self.path().join(".ssh").join(name);
        let arguments = ["-q", "-C", "bob@laptop", "-N", passphrase, "-f", path.to_str().unwrap()];
        self.run("ssh-keygen", options.iter().copied().chain(arguments), b"");
        path
    }

    /// An age identity file, made if there is none, and its recipient.
    pub(crate) fn age(&self, name: &str) -> (PathBuf, String) {
        let path = self.path().join(name);
        if !path.exists() {
            self.run("age-keygen", ["-o", path.to_str().unwrap()], b"");
        }
        let recipient = self.run("age-keygen", ["-y", path.to_str().unwrap()], b"");
        (path, String::from_utf8(recipient).unwrap().trim().to_owned())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Runs a program with this input.
pub(crate) fn feed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tests need gpg, age and ssh-keygen");
    let mut pipe = child.stdin.take().unwrap();
    // A program that ends early says so by its status.
    let _ = pipe.write_all(input);
    drop(pipe);
    child.wait_with_output().unwrap()
}

pub(crate) fn secret(bytes: &[u8]) -> SecretBytes {
    SecretBytes::new(bytes.to_vec())
}

/// Somebody with prepared answers, who remembers the questions.
#[derive(Default)]
pub(crate) struct Person {
    pub(crate) answers: VecDeque<Result<&'static str, PromptError>>,
    pub(crate) asked: Vec<String>,
}

impl Person {
    /// Nobody: there is no terminal.
    pub(crate) fn absent() -> Self {
        Self::default()
    }

    pub(crate) fn typing<const N: usize>(answers: [&'static str; N]) -> Self {
        Self { answers: answers.into_iter().map(Ok).collect(), asked: Vec::new() }
    }

    pub(crate) fn cancelling() -> Self {
        Self { answers: [Err(PromptError::Cancelled)].into(), asked: Vec::new() }
    }

    fn next(&mut self, question: &str) -> Result<&'static str, PromptError> {
        self.asked.push(question.to_owned());
        self.answers.pop_front().unwrap_or(Err(PromptError::NoTerminal))
    }
}

impl Prompt for Person {
    fn passphrase(&mut self, what: &str) -> Result<Passphrase, PromptError> {
        self.next(what).map(|answer| Passphrase::new(answer.as_bytes().to_vec()))
    }

    fn message(&mut self, text: &str) {
        self.asked.push(text.to_owned());
    }

    fn confirm(&mut self, question: &str) -> Result<bool, PromptError> {
        self.next(question).map(|answer| answer == "yes")
    }

    fn answer(&mut self, question: &str) -> Result<String, PromptError> {
        self.next(question).map(str::to_owned)
    }
}
