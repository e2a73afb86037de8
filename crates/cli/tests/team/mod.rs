// SPDX-License-Identifier: MIT OR Apache-2.0
//! People who share a store: each has a home of his own, git, gpg and ssh with
//! throw-away keys, and certkeep on the path. What they do is a shell script,
//! as they would type it.
//!
//! When a team goes, every object, reference, index, note and temporary file
//! that it left is searched for the secrets that it worked with.

mod canary;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Seconds after which a script is taken for stuck.
const LIMIT: &str = "300";

/// What every file of these tests holds that git must never see in the clear.
pub(crate) const CANARY: &str = "certkeep-canary-plaintext";

/// A folder with everybody's home in it, `bin`, and `tmp`.
pub(crate) struct Team {
    root: TempDir,
    leaks: bool,
}

/// One of them.
#[derive(Clone)]
pub(crate) struct Person {
    root: PathBuf,
    home: PathBuf,
    environment: Vec<(String, String)>,
}

/// What a script said.
#[derive(Debug)]
pub(crate) struct Said {
    script: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Team {
    /// Nobody yet. The path is short: sockets of gpg-agent lie below it.
    pub(crate) fn new() -> Self {
        Self::below("/tmp")
    }

    /// As [`Team::new`], where nothing waits for a disk.
    pub(crate) fn in_memory() -> Self {
        Self::below(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" })
    }

    fn below(folder: &str) -> Self {
        let root = tempfile::Builder::new().prefix("ck").tempdir_in(folder).expect("a temporary folder");
        for folder in ["bin", "tmp"] {
            fs::create_dir(root.path().join(folder)).expect("a folder in it");
        }
        symlink(env!("CARGO_BIN_EXE_certkeep"), root.path().join("bin/certkeep")).expect("a link");
        Self { root, leaks: false }
    }

    /// The same, whose members put private keys into git on purpose.
    pub(crate) fn that_leaks(self) -> Self {
        let mut team = self;
        team.leaks = true;
        team
    }

    /// A path that everybody can reach.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Somebody with an empty home, who is known to git. `CERTKEEP_TEST_GIT` names the
    /// folder of the git to work with, if it is not the first one on the path.
    pub(crate) fn person(&self, name: &str) -> Person {
        let home = self.path(name);
        fs::create_dir(&home).expect("a home");
        let person = Person { root: self.root.path().to_owned(), home, environment: Vec::new() };
        #[expect(clippy::disallowed_methods, reason = "it is whoever runs the tests who names it")]
        let other_git = std::env::var("CERTKEEP_TEST_GIT");
        let person = other_git.map_or_else(|_| person.clone(), |folder| person.with_git_of(&folder));
        person.does(&format!(
            "mkdir -m 700 .gnupg .ssh work
             git config --global user.name {name}
             git config --global user.email {name}@example.net
             git config --global init.defaultBranch main
             git config --global protocol.file.allow always"
        ));
        person
    }

    /// A store in `work/ca` of a new home with a CA and the server certificate `www`,
    /// made by somebody with an age identity in `identity.txt`.
    pub(crate) fn store(&self, name: &str) -> Person {
        let person = self.person(name);
        person.does(
            "age-keygen -o identity.txt 2>/dev/null
             mkdir work/ca && cd work/ca
             git init -q
             certkeep --batch store init --recipient \"$(age-keygen -y ../../identity.txt)\" --name owner
             export CERTKEEP_IDENTITY_FILE=~/identity.txt; certkeep --batch init-pki
             certkeep --batch --nopass build-ca
             certkeep --batch --nopass issue server www www.example.net",
        );
        person
    }

    /// A store of Alice's in `work/ca` as [`Team::store`] makes it, a clone of Bob's
    /// there, who is a member of `zones` (arguments of `member add`), and one of
    /// Mallory's, who is none; a bare repository in between. Alice and Bob have
    /// their identities and `$CANARY` in the environment.
    pub(crate) fn shared(&self, zones: &str) -> (Person, Person, Person) {
        let named = |person: Person| {
            let identity = person.path("identity.txt").display().to_string();
            person.with("CERTKEEP_IDENTITY_FILE", &identity).with("CANARY", CANARY)
        };
        let (alice, bob) = (named(self.store("alice")), named(self.person("bob")));
        let mallory = self.person("mallory");
        bob.does("age-keygen -o identity.txt 2>/dev/null && age-keygen -y identity.txt > public");
        alice.does(&format!(
            "git init -q --bare ../remote.git && cd work/ca && git remote add origin ~/../remote.git
             certkeep --batch member add bob $(cat ~/../bob/public) {zones}
             git push -q -u origin HEAD:main"
        ));
        for person in [&bob, &mallory] {
            person.does("cd work && git clone -q ~/../remote.git ca");
        }
        (alice, bob, mallory)
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        for home in fs::read_dir(self.root.path()).into_iter().flatten().flatten() {
            let gnupg = home.path().join(".gnupg");
            if gnupg.is_dir() {
                let mut stop = Command::new("gpgconf");
                let _ = stop.args(["--kill", "all"]).env("GNUPGHOME", gnupg).stderr(Stdio::null()).status();
            }
        }
        if !self.leaks && !std::thread::panicking() {
            canary::assert_nowhere(self.root.path());
        }
    }
}

impl Person {
    /// The same person with a variable in the environment.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut person = self.clone();
        person.environment.push((name.to_owned(), value.to_owned()));
        person
    }

    /// The same person with the git of a folder.
    pub(crate) fn with_git_of(&self, folder: &str) -> Self {
        let bin = self.root.join("bin");
        self.with("PATH", &format!("{folder}:{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", bin.display()))
    }

    /// A path in this home.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.home.join(relative)
    }

    /// A file in this home.
    #[track_caller]
    pub(crate) fn text(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative))
            .unwrap_or_else(|error| panic!("cannot read {relative}: {error}"))
    }

    /// Whether a file in this home begins as every sealed file does.
    #[track_caller]
    pub(crate) fn is_sealed(&self, relative: &str) -> bool {
        let bytes =
            fs::read(self.path(relative)).unwrap_or_else(|error| panic!("cannot read {relative}: {error}"));
        bytes.starts_with(b"\0CKSEAL\0")
    }

    /// Runs a script at home, which ends at the first command that fails.
    #[must_use = "say whether it was to succeed"]
    pub(crate) fn tries(&self, script: &str) -> Said {
        let output = self.shell(&["--wait"], script).stdin(Stdio::null()).output().expect("a shell");
        Said {
            script: script.to_owned(),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// A script, to be run at home in a session of its own; `how` is for `setsid`.
    pub(crate) fn shell(&self, how: &[&str], script: &str) -> Command {
        let bin = self.root.join("bin");
        let mut command = Command::new("setsid");
        // `! command` never ends a shell; `no command` does.
        let script = format!("no() {{ if \"$@\"; then return 1; fi; }}\n{script}");
        command.args(how).args(["timeout", "--kill-after=1", LIMIT, "sh", "-euc", &script]);
        command.current_dir(&self.home).env_clear().envs([
            ("HOME", self.home.as_os_str()),
            ("GNUPGHOME", self.home.join(".gnupg").as_os_str()),
            ("TMPDIR", self.root.join("tmp").as_os_str()),
        ]);
        command.envs([
            ("LC_ALL", "C.UTF-8"),
            ("PATH", &format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", bin.display())),
            ("TERM", "dumb"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a script that has to succeed; gives what it printed.
    #[track_caller]
    pub(crate) fn does(&self, script: &str) -> String {
        self.tries(script).well().stdout
    }

    /// Runs a script that has to fail, with `fact` on its standard error.
    #[track_caller]
    pub(crate) fn fails(&self, script: &str, fact: &str) -> Said {
        let said = self.tries(script);
        assert!(said.code != 0, "it was to fail: {said:#?}");
        assert!(said.stderr.contains(fact), "`{fact}` is not said: {said:#?}");
        assert!(!said.stderr.contains("panicked") && said.code != 70, "{said:#?}");
        said
    }

    /// git has nothing to say about the work tree at `folder`, not even after
    /// every file's date has changed.
    #[track_caller]
    pub(crate) fn is_clean(&self, folder: &str) {
        let script = format!(
            "cd {folder}
             git status --porcelain
             git ls-files -z | xargs -0 -r touch -h --
             git status --porcelain"
        );
        assert_eq!(self.does(&script), "", "in {folder}");
    }
}

impl Said {
    /// `fact` is on its standard error.
    #[track_caller]
    pub(crate) fn says(self, fact: &str) -> Self {
        assert!(self.stderr.contains(fact), "`{fact}` is not said: {}\n{}", self.script, self.stderr);
        self
    }

    /// It succeeded.
    #[track_caller]
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, 0, "{}\n--- stdout\n{}\n--- stderr\n{}", self.script, self.stdout, self.stderr);
        self
    }
}

/// The files below a folder, links not followed.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(self::files(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}
