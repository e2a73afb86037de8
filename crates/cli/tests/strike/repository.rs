// SPDX-License-Identifier: MIT OR Apache-2.0
//! A store to strike at, and what must hold of it afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::{
    library::library,
    team::{CANARY, Person, Said, Team, files},
};

/// What is in a file that must not be read by others.
const TELLTALES: [&str; 2] = ["PRIVATE KEY-----", CANARY];
/// Where such a file may lie in the clear while the work tree is unlocked; the
/// last is ignored by git, and protected by its attributes besides.
const PROTECTED: [&str; 6] = [
    "pki/private/",
    "pki/reqs/",
    "pki/revoked/private_by_serial/",
    "pki/revoked/reqs_by_serial/",
    "pki/.transaction/",
    "notes/canary.secret",
];
/// What the user has staged: it stays as it is.
const STAGED: &str = "A  added\n";

/// What is struck, and how it is told that it was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// The command.
    pub(crate) arguments: &'static str,
    /// The state before: `plain` is a PKI in a repository that is no store yet,
    /// `locked` a fresh clone of a store, `unlocked` the same unlocked.
    pub(crate) before: &'static str,
    /// What the command says when it is done already; empty if it does it again.
    pub(crate) done: &'static str,
}

/// Somebody with a store, and a place for its copies.
pub(crate) struct Repository {
    case: Case,
    team: Team,
    owner: Person,
    /// Where a copy is struck.
    work: PathBuf,
    /// What every member reads.
    plaintexts: BTreeMap<String, Vec<u8>>,
    /// What `state` says when a command did all.
    new: BTreeSet<String>,
}

impl Repository {
    /// A PKI with a CA, two issued certificates and a CRL, as a `case` wants it.
    pub(crate) fn new(case: Case) -> Self {
        let team = Team::in_memory();
        let owner = team.person("owner");
        owner.does("age-keygen -o identity.txt 2>/dev/null && age-keygen -o bob.txt 2>/dev/null");
        let owner = owner
            .with("CERTKEEP_IDENTITY_FILE", &owner.path("identity.txt").display().to_string())
            .with("RECIPIENT", owner.does("age-keygen -y identity.txt").trim())
            .with("BOB", owner.does("age-keygen -y bob.txt").trim())
            .with("EASYRSA_ALGO", "ec");
        owner.does(&format!(
            "mkdir work/base && cd work/base && git init -q && echo readme > README && git add . && git commit -qm readme
             {{ [ {before} = plain ] || certkeep --batch store init --recipient $RECIPIENT --name owner; }}
             certkeep --batch init-pki && certkeep --batch --nopass build-ca
             certkeep --batch --nopass issue server www www.example.net
             certkeep --batch --nopass issue client jane && certkeep gen-crl
             if [ {before} != plain ]; then
                 certkeep --batch member add bob $BOB
                 certkeep --batch store protect '*.secret'
                 mkdir notes && echo {CANARY} > notes/canary.secret && git add notes && git commit -qm notes
             fi
             if [ {before} = locked ]; then
                 git clone -q . ../clone && rm -rf ../base && mv ../clone ../base && cd ../base
             fi
             echo added > added && git add added",
            before = case.before
        ));
        let mut repository = Self {
            case,
            work: owner.path("work/ca"),
            plaintexts: BTreeMap::new(),
            new: BTreeSet::new(),
            team,
            owner,
        };
        repository.restore();
        if case.before == "locked" {
            repository.owner.does("cd work/ca && certkeep unlock");
        }
        for file in files(&repository.work) {
            let name = file.strip_prefix(&repository.work).unwrap().to_str().unwrap().to_owned();
            let bytes = fs::read(&file).unwrap();
            if PROTECTED.iter().any(|folder| name.starts_with(folder)) && !bytes.starts_with(b"\0CKSEAL\0") {
                repository.plaintexts.insert(name, bytes);
            }
        }
        repository.restore();
        repository.again().well();
        repository.new = repository.sound("undisturbed", true);
        repository
    }

    /// A script in the work tree that has to succeed; gives what it printed.
    pub(crate) fn does(&self, script: &str) -> String {
        self.owner.does(&format!("cd work/ca && {script}"))
    }

    /// Puts a fresh copy of the prepared store in its place.
    pub(crate) fn restore(&self) {
        let (base, copy) = (self.owner.path("work/base"), &self.work);
        if copy.exists() {
            fs::remove_dir_all(copy).unwrap();
        }
        let copied = Command::new("cp").arg("-a").args([&base, copy]).status().unwrap();
        assert!(copied.success());
    }

    /// The number of operations of one undisturbed run.
    pub(crate) fn operations(&self) -> usize {
        self.restore();
        let output = self.strike("none", 0);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let log = fs::read_to_string(self.team.path("log")).unwrap();
        let operations = log.lines().count();
        assert!(operations > 20, "a library that sees nothing proves nothing: {log}");
        operations
    }

    /// The command of this case, struck at operation number `at`: its own, or of
    /// a git that it runs.
    pub(crate) fn strike(&self, how: &str, at: usize) -> Output {
        let (log, count) = (self.team.path("log"), self.team.path("count"));
        drop(fs::remove_file(&log));
        fs::write(&count, [0; 8]).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_certkeep"));
        let shell = self.owner.shell(&[], "");
        let inherited: Vec<(OsString, OsString)> =
            shell.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        let variable = |name: &str| {
            let value = inherited.iter().find(|(known, _)| *known == *name).map(|(_, value)| value);
            value.unwrap().to_str().unwrap()
        };
        command
            .arg("--batch")
            .args(self.case.arguments.split(' ').map(|word| match word.split_once('$') {
                Some((option, name)) => format!("{option}{}", variable(name)),
                None => word.to_owned(),
            }))
            .current_dir(&self.work)
            .env_clear()
            .envs(inherited.iter().cloned())
            .env("LD_PRELOAD", library())
            .env("STRIKE_ROOT", self.work.canonicalize().unwrap())
            .env("STRIKE_HOW", how)
            .env("STRIKE_AT", at.to_string())
            .env("STRIKE_LOG", log)
            .env("STRIKE_COUNT", count)
            .process_group(0)
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    /// The command of this case once more, not struck.
    pub(crate) fn again(&self) -> Said {
        self.owner.tries(&format!("cd work/ca && certkeep --batch {}", self.case.arguments))
    }

    /// A script in the work tree, to be run beside others.
    pub(crate) fn shell(&self, script: &str) -> Command {
        self.owner.shell(&["--wait"], &format!("cd work/ca && {script}"))
    }

    /// Whatever happened: nothing lies open, the same command finishes what was
    /// begun, and nobody has lost anything. `thorough` asks every member.
    pub(crate) fn judge(&self, case: &str, reported_done: bool, thorough: bool) {
        self.nothing_open(case);
        if thorough && self.case.before != "plain" {
            // Somebody who does not know that a command died goes on with git.
            self.owner
                .does("cp -a work/ca work/aside && cd work/aside && { git add -A || true; } 2>/dev/null");
            Self::no_object(case, &self.owner.path("work/aside/.git"));
            fs::remove_dir_all(self.owner.path("work/aside")).unwrap();
        }
        let said = self.again();
        let done = !self.case.done.is_empty() && said.code != 0 && said.stderr.contains(self.case.done);
        assert!(said.code == 0 || done, "{case}: again: {said:#?}");
        assert!(!reported_done || done || self.case.done.is_empty(), "{case}: it was not done: {said:#?}");
        self.nothing_open(case);
        let found = self.sound(case, thorough);
        assert!(
            found == self.new,
            "{case}\nbeyond the new state: {:#?}\nlacking: {:#?}",
            found.difference(&self.new).collect::<Vec<_>>(),
            self.new.difference(&found).collect::<Vec<_>>(),
        );
    }

    /// No plaintext where git would take it as it is, or others could read it.
    fn nothing_open(&self, case: &str) {
        let git = self.work.join(".git");
        for file in files(&self.work) {
            let name = file.strip_prefix(&self.work).unwrap().to_str().unwrap();
            if name.starts_with(".git/objects/") {
                continue;
            }
            let Ok(bytes) = fs::read(&file) else { continue };
            let secret = TELLTALES.iter().any(|telltale| contains(&bytes, telltale.as_bytes()))
                || contains(&bytes, b"certkeep zone keys");
            let own = file.starts_with(git.join("certkeep"));
            if secret && (own || self.case.before != "plain") {
                assert!(
                    own || PROTECTED.iter().any(|folder| name.starts_with(folder)),
                    "{case}: {name} is open"
                );
                let mode = fs::metadata(&file).unwrap().permissions().mode();
                assert!(
                    mode & 0o077 == 0 || name == "notes/canary.secret",
                    "{case}: {name} has mode {mode:o}"
                );
            }
        }
        Self::no_object(case, &git);
    }

    fn no_object(case: &str, git: &Path) {
        let output = Command::new("git")
            .args(["cat-file", "--batch-all-objects", "--unordered", "--buffer", "--batch"])
            .env("GIT_DIR", git)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        for telltale in TELLTALES {
            assert!(
                !contains(&output.stdout, telltale.as_bytes()),
                "{case}: plaintext in an object of git's"
            );
        }
    }

    /// Checks that git and every member find all in order; gives the state.
    pub(crate) fn sound(&self, case: &str, thorough: bool) -> BTreeSet<String> {
        let said = self.owner.tries(
            "cd work/ca && git fsck --no-dangling --no-progress && git status --porcelain
             find . -name '*.lock' -o -name .transaction -o -name 'stage*' \\
                 -o -name '*.new' -o -name 'scratch-*' -o -name 'lock-*' -o -name '*certkeep-new'",
        );
        assert_eq!((said.code, &*said.stdout, &*said.stderr), (0, STAGED, ""), "{case}: git or leftovers");
        let state = self.state(case);
        if thorough {
            self.everybody_reads(case);
        }
        state
    }

    fn state(&self, case: &str) -> BTreeSet<String> {
        let listed = self.owner.does("cd work/ca && git log --format='commit %s' && git ls-tree -r --name-only HEAD | sed 's/^/in HEAD: /'");
        let mut state: BTreeSet<String> = listed.lines().map(masked).collect();
        let git = self.work.join(".git");
        for file in files(&self.work) {
            let name = file.strip_prefix(&self.work).unwrap().to_str().unwrap();
            // Who finds a command done takes no lock, and leaves the one of the dead.
            if !file.starts_with(&git) && name != "pki/lock.file" {
                let sealed = fs::read(&file).unwrap().starts_with(b"\0CKSEAL\0");
                state.insert(masked(&format!("{name}{}", if sealed { " sealed" } else { "" })));
            }
        }
        if git.join("certkeep/keyring").exists() {
            state.insert("a keyring".to_owned());
        }
        // Their names are masked: one more would not be seen.
        let events = files(&self.work.join(".certkeep/journal")).len();
        state.insert(format!("{events} events"));
        let index = fs::read_to_string(self.work.join("pki/index.txt")).unwrap();
        for row in index.lines().map(|line| line.split('\t').collect::<Vec<_>>()) {
            state.insert(format!("{} {}", row[0], row[5]));
            let key = row[5].trim_start_matches("/CN=");
            if row[0] == "V" {
                assert!(self.work.join(format!("pki/private/{key}.key")).exists(), "{case}: no key of {key}");
                assert!(
                    self.work.join(format!("pki/certs_by_serial/{}.pem", row[3])).exists(),
                    "{case}: {key}"
                );
            }
        }
        state
    }

    /// Every member opens every file that was there before, in a fresh clone.
    fn everybody_reads(&self, case: &str) {
        for identity in ["identity.txt", "bob.txt"] {
            self.owner.does("rm -rf work/clone && git clone -q work/ca work/clone");
            let is_member = self.work.join(".certkeep/members/bob.toml").exists() || identity != "bob.txt";
            let unlock = format!("cd work/clone && certkeep --identity=$HOME/{identity} unlock");
            if !is_member {
                self.owner.with("CERTKEEP_IDENTITY_FILE", "").fails(&unlock, "nothing here opens");
                continue;
            }
            self.owner.does(&unlock);
            for (name, plaintext) in &self.plaintexts {
                let file = self.owner.path("work/clone").join(name);
                // What was revoked meanwhile is under its serial number.
                let Ok(bytes) = fs::read(&file) else {
                    assert!(name.contains("jane"), "{case}: {name} is lost");
                    continue;
                };
                if !name.ends_with("ca.key") {
                    assert!(bytes == *plaintext, "{case}: {name} is not what it was");
                }
            }
            // That needs the CA's key, which lies sealed.
            self.owner.does(&format!("cd work/clone && certkeep --identity=$HOME/{identity} gen-crl"));
        }
        fs::remove_dir_all(self.owner.path("work/clone")).unwrap();
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// A line without what is different each time: serial numbers, epochs, the names of
/// events.
fn masked(line: &str) -> String {
    let words = line.split('/').map(|word| {
        let stem = word.split('.').next().unwrap_or_default();
        let random = stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
        let epoch = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let event = line.contains(".certkeep/journal/") && word.len() == 33 && word.get(15..17) == Some("Z-");
        if random || epoch || event { word.replace(stem, "N") } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join("/")
}
