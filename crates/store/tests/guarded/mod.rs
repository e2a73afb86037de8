// SPDX-License-Identifier: MIT OR Apache-2.0
//! A repository under guard: with a store or without, files staged as clients
//! without a filter stage them, and reports in a few words per hit.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use certkeep_store::{
    guard::{Breach, Guard, Hit, Report, Shrunk, Unsealed, Update},
    history::Message,
    vault::{Vault, init},
    wrap::Recipient,
    zone::ZoneName,
};
use rand_core::{OsRng, TryRngCore as _};

use crate::{
    people::{Home, now},
    playground::Playground,
};

/// A repository and a person's home.
pub(crate) struct World {
    pub(crate) ground: Playground,
    pub(crate) home: Home,
}

pub(crate) const WWW: &str = "pki/private/www.key";

impl World {
    /// No store, no commit.
    pub(crate) fn bare_of_store() -> Self {
        Self { ground: Playground::new(), home: Home::new() }
    }

    /// A store with a PKI that has a CA, a key and a request; unlocked.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(options: &[&str]) -> Self {
        let world = Self { ground: Playground::with(options), home: Home::new() };
        world.ground.write("pki/private/ca.key", &key());
        world.ground.write(WWW, "the key of www\n");
        world.ground.write("pki/reqs/www.req", "a request\n");
        world.ground.write("pki/ca.crt", "public\n");
        let (_, recipient) = world.home.age("alice");
        let alice = certkeep_store::member::MemberName::parse("alice").expect("valid");
        let making = init::Making {
            directory: &world.ground.top,
            pki: Some(&world.ground.top.join("pki")),
            program: "certkeep",
            now: now(),
            message: Message::new("a store"),
        };
        let recipient = Recipient::parse(recipient.as_bytes()).expect("a recipient");
        init::init(&making, &[(alice, recipient)], &mut OsRng.unwrap_err()).expect("a store");
        // There is no program behind the filter here, and nothing here goes through it.
        world.ground.git(&["config", "filter.certkeep.process", "false"]);
        world
    }

    pub(crate) fn guard(&self) -> Guard {
        Self::at(&self.ground.top)
    }

    pub(crate) fn at(directory: &Path) -> Guard {
        Guard::discover(directory).expect("readable").expect("a repository")
    }

    pub(crate) fn staged(&self) -> Vec<String> {
        told(&self.guard().staged().expect("checked"))
    }

    /// Runs git as one that knows no filter; gives what it prints.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let none = ["-c", "filter.certkeep.process=", "-c", "filter.certkeep.required=false"];
        self.ground.git(&[&none, arguments].concat())
    }

    /// Stores bytes as a blob, by no filter; gives its name.
    pub(crate) fn blob(&self, bytes: &[u8]) -> String {
        let arguments = ["hash-object", "-w", "--no-filters", "--stdin"];
        self.fed(&arguments, bytes)
    }

    /// What a git prints that is given an input; it must succeed.
    pub(crate) fn fed(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut git = Command::new("git");
        git.args(arguments).current_dir(&self.ground.top);
        let mut git = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git runs");
        git.stdin.take().expect("asked for").write_all(input).expect("written");
        let output = git.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
    }

    /// Stages bytes as a client does that knows no filter.
    pub(crate) fn stage(&self, path: &str, bytes: &[u8]) {
        self.stage_as("100644", path, &self.blob(bytes));
    }

    pub(crate) fn stage_as(&self, mode: &str, path: &str, object: &str) {
        self.git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{object},{path}")]);
    }

    pub(crate) fn unstage(&self, path: &str) {
        self.git(&["update-index", "--force-remove", path]);
    }

    /// Commits what is staged, without hooks; gives the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["commit", "-q", "--no-verify", "--allow-empty", "-m", message]);
        self.head()
    }

    pub(crate) fn head(&self) -> String {
        self.ground.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn vault(&self) -> Vault {
        Vault::find(&self.ground.top).expect("readable").expect("a store")
    }

    /// Bytes sealed for a zone.
    pub(crate) fn sealed(&self, zone: &str, bytes: &[u8]) -> Vec<u8> {
        let (vault, zone) = (self.vault(), zone_name(zone));
        let id = vault.manifest().zones.get(&zone).expect("a zone").key_id;
        vault.keyring().expect("readable").expect("unlocked").seal(&zone, id, bytes).expect("unlocked")
    }

    /// Forgets the keys, as far as the guard can tell.
    pub(crate) fn lock(&self) {
        fs::remove_file(self.ground.top.join(".git/certkeep/keyring")).expect("there");
    }

    /// Forgets what was seen of the store, too.
    pub(crate) fn forget(&self) {
        fs::remove_file(self.ground.top.join(".git/certkeep/pins")).expect("there");
    }

    /// A bare repository beside this one, to which it can push.
    pub(crate) fn server(&self) -> std::path::PathBuf {
        let server = self.ground.beside("server.git");
        let format = self.ground.git(&["rev-parse", "--show-object-format"]);
        let path = server.display().to_string();
        self.ground.git(&["init", "-q", "--bare", "-b", "main", &format!("--object-format={format}"), &path]);
        self.ground.git(&["remote", "add", "origin", &path]);
        server
    }

    /// What pre-push is told when `local` goes to `remote` at the server.
    pub(crate) fn to_push(&self, new: &str, name: &str, old: Option<&str>) -> Vec<Update> {
        let none = "0".repeat(new.len());
        let line = format!("{new} {new} {name} {}\n", old.unwrap_or(&none));
        Update::of_pre_push(line.as_bytes()).expect("understood")
    }
}

pub(crate) fn zone_name(name: &str) -> ZoneName {
    ZoneName::parse(name).expect("valid")
}

/// A new private key, by openssl.
pub(crate) fn key() -> String {
    let output = Command::new("openssl").args(["genpkey", "-algorithm", "ed25519"]).output();
    let output = output.expect("openssl runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("PEM")
}

/// One line per hit: the path and what is wrong with it.
pub(crate) fn told(report: &Report) -> Vec<String> {
    report.hits.iter().map(line).collect()
}

/// As [`told`], with the first digits of the commit in front.
pub(crate) fn told_with_commits(report: &Report) -> Vec<String> {
    let commit = |hit: &Hit| {
        hit.place.commit.clone().map_or_else(|| "-".to_owned(), |hex| hex.chars().take(8).collect())
    };
    report.hits.iter().map(|hit| format!("{} {}", commit(hit), line(hit))).collect()
}

fn line(hit: &Hit) -> String {
    let path = String::from_utf8_lossy(&hit.place.path);
    let what = match &hit.breach {
        Breach::Material(finding) => finding.format.to_string(),
        Breach::Unsealed { zone, what, findings } => {
            let what = match what {
                Unsealed::Plaintext => "plaintext",
                Unsealed::Altered => "altered",
                Unsealed::ForeignKey => "foreign key",
                Unsealed::OtherTool => "other tool",
                Unsealed::Symlink => "symlink",
                Unsealed::Submodule => "submodule",
                Unsealed::CaseVariant => "case variant",
            };
            let keys = if findings.is_empty() { "" } else { " with a key" };
            format!("{what} in {zone}{keys}")
        }
        Breach::Copied { from, .. } => format!("copy of {}", String::from_utf8_lossy(from)),
        Breach::Opened { findings } if findings.is_empty() => "opened".to_owned(),
        Breach::Opened { .. } => "opened with a key".to_owned(),
        Breach::Shrunk(Shrunk::Attributes { path, attribute }) => {
            format!("attributes {} {attribute}", String::from_utf8_lossy(path))
        }
        Breach::Shrunk(Shrunk::Rules { path }) => format!("rules {}", String::from_utf8_lossy(path)),
        Breach::Shrunk(Shrunk::Keys { zone, epoch, .. }) => format!("keys {zone} {epoch}"),
        Breach::Shrunk(Shrunk::Driver) => "driver".to_owned(),
        other => format!("{other:?}"),
    };
    format!("{path}: {what}")
}

/// What a hook is told by the test that runs it.
const ROLE: &str = "CERTKEEP_TEST_ROLE";
const OUTPUT: &str = "CERTKEEP_TEST_OUTPUT";

/// Makes a hook of `repository` that runs the test `name` of this program in its
/// role; what the guard told is in `output` afterwards.
pub(crate) fn hook(repository: &Path, hook: &str, name: &str, output: &Path) {
    let program = std::env::current_exe().expect("this program");
    let script = format!(
        "#!/bin/sh\n{ROLE}={hook} {OUTPUT}='{}' exec '{}' --exact {name} --nocapture -- \"$@\" >&2\n",
        output.display(),
        program.display(),
    );
    fs::create_dir_all(repository.join("hooks")).expect("made");
    let file = repository.join("hooks").join(hook);
    fs::write(&file, script).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("executable");
}

/// Does what the hook is for if this process is one, and tells so; panics to
/// refuse.
#[expect(clippy::disallowed_methods, reason = "a test that is its own hook knows by the environment")]
pub(crate) fn is_hook() -> bool {
    let (Some(role), Some(output)) = (std::env::var_os(ROLE), std::env::var_os(OUTPUT)) else { return false };
    let guard = Guard::from_environment().expect("readable").expect("a repository");
    let mut input = Vec::new();
    let report = match role.to_str() {
        Some("pre-commit" | "pre-merge-commit") => guard.staged(),
        Some("pre-push") => {
            std::io::stdin().read_to_end(&mut input).expect("read");
            guard.push(&Update::of_pre_push(&input).expect("understood"), "origin", &|_| {})
        }
        Some("pre-receive") => {
            std::io::stdin().read_to_end(&mut input).expect("read");
            guard.receive(&Update::of_pre_receive(&input).expect("understood"), &|_| {})
        }
        other => panic!("{other:?}"),
    };
    let text = match &report {
        Ok(report) => told(report).join("\n"),
        Err(error) => format!("error: {error}"),
    };
    fs::write(output, &text).expect("written");
    assert!(text.is_empty(), "{text}");
    true
}
