// SPDX-License-Identifier: MIT OR Apache-2.0
//! Interrupts the recording of a commit at every file operation, in the PKI
//! and in git's directory, and demands that the next command finds the old
//! state or makes the new one. With the tools of the command line's own
//! strike tests.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod playground;
#[path = "../../cli/tests/strike/power.rs"]
mod power;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use certkeep_pki::{
    change::{ChangeSet, Contents},
    layout::{EntryName, PkiPath, SerialHex},
    secret::SecretBytes,
};
use certkeep_store::{
    history::{History, Message, SealRefusal, Sealer, Stored},
    modes::{LockFile, Modes, Umask},
    store::Store,
};
use playground::Playground;
use power::{Arrived, Disk};

const MODES: Modes = Modes { umask: Umask::PRIVATE, lock_file: LockFile::Ignore };
/// The PKI for [`the_one_that_is_struck`].
const PKI: &str = "CERTKEEP_TEST_STRUCK_PKI";

struct AsItIs;

impl Sealer for AsItIs {
    fn stored(&self, _: &str, contents: &Contents, _: Option<&[u8]>) -> Result<Stored, SealRefusal> {
        let bytes = match contents {
            Contents::Public(bytes) => bytes.as_slice(),
            Contents::Secret(bytes) => bytes.expose(),
        };
        let work_tree = Contents::Secret(SecretBytes::new(bytes.to_vec()));
        Ok(Stored { work_tree, blob: bytes.to_vec() })
    }
}

fn open(pki: &Path) -> Store {
    let history = History::of(pki, Box::new(AsItIs)).unwrap().unwrap();
    Store::open(pki).unwrap().with_history(history)
}

/// Records a change, in a process of its own.
#[test]
#[ignore = "the others run it"]
#[expect(clippy::disallowed_methods, reason = "it is told where")]
fn the_one_that_is_struck() {
    let pki = PathBuf::from(std::env::var_os(PKI).unwrap());
    let name = EntryName::parse("web1").unwrap();
    let mut changes = ChangeSet::new();
    changes.keep(PkiPath::Index, PkiPath::IndexOld);
    changes.replace(PkiPath::Index, "row 1\nrow 2\n".to_owned());
    changes.relocate(
        PkiPath::Issued(name.clone()),
        PkiPath::RevokedCertificate(SerialHex::parse("0A").unwrap()),
    );
    changes.create(PkiPath::PrivateKey(name), SecretBytes::new(b"key\n".to_vec()));
    open(&pki).writer(MODES, &mut |_| {}).unwrap().record(&changes, &Message::new("a change")).unwrap();
}

/// A repository, a place for its copies, and what may be found there.
struct World {
    playground: Playground,
    base: PathBuf,
    old: String,
    new: String,
}

impl World {
    fn new() -> Self {
        let playground = Playground::new();
        playground.commit(&[
            (".gitignore", "pki/.transaction/\n"),
            ("notes", "one\n"),
            ("README", "read me\n"),
            ("pki/index.txt", "row 1\n"),
            ("pki/issued/web1.crt", "certificate\n"),
        ]);
        for name in ["pki/private", "pki/reqs"] {
            fs::create_dir(playground.top.join(name)).unwrap();
        }
        // The user is in the middle of something.
        playground.write("notes", "staged\n");
        playground.git(&["add", "notes"]);
        playground.write("README", "edited\n");
        fs::remove_dir_all(playground.top.join(".git/hooks")).unwrap();
        let base = playground.beside("base");
        fs::rename(&playground.top, &base).unwrap();
        let mut world = Self { playground, base, old: String::new(), new: String::new() };
        world.restore();
        world.old = world.state("before");
        world.restore();
        assert!(world.strike("none", 0));
        world.new = world.state("after");
        assert_ne!(world.old, world.new);
        world
    }

    fn clear(&self) {
        if self.playground.top.exists() {
            fs::remove_dir_all(&self.playground.top).unwrap();
        }
    }

    fn restore(&self) {
        self.clear();
        let copied = Command::new("cp").arg("-a").args([&self.base, &self.playground.top]).status();
        assert!(copied.unwrap().success());
    }

    fn log(&self) -> PathBuf {
        self.playground.beside("log")
    }

    /// Whether the change was recorded, according to its process.
    fn strike(&self, how: &str, at: usize) -> bool {
        drop(fs::remove_file(self.log()));
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_one_that_is_struck", "--ignored"])
            .env_clear()
            .env("HOME", self.playground.beside("home"))
            .env(PKI, self.playground.top.join("pki"))
            .env("LD_PRELOAD", library())
            .env("STRIKE_ROOT", &self.playground.top)
            .env("STRIKE_HOW", how)
            .env("STRIKE_AT", at.to_string())
            .env("STRIKE_LOG", self.log())
            .output()
            .unwrap();
        output.status.success()
    }

    fn operations(&self) -> Vec<String> {
        self.restore();
        assert!(self.strike("none", 0));
        let log = fs::read_to_string(self.log()).unwrap();
        let operations: Vec<_> = log.lines().map(str::to_owned).collect();
        assert!(operations.iter().any(|line| line.contains("/.git/objects/")), "{operations:#?}");
        operations
    }

    /// Lets the next command come, and gives what is there then.
    fn state(&self, case: &str) -> String {
        let top = &self.playground.top;
        let writer = open(&top.join("pki")).writer(MODES, &mut |_| {});
        drop(writer.unwrap_or_else(|error| panic!("{case}: {error:?}")));
        for left in ["pki/.transaction", ".git/index.lock", ".git/HEAD.lock", ".git/refs/heads/main.lock"] {
            assert!(!top.join(left).exists(), "{case}: {left} was left");
        }
        if let Ok(own) = fs::read_dir(top.join(".git/certkeep")) {
            let left: Vec<_> = own.map(|entry| entry.unwrap().file_name()).collect();
            assert!(left.is_empty(), "{case}: {left:?}");
        }
        let status = self.playground.status();
        let git = |arguments: &[&str]| self.playground.git(arguments);
        let commits = git(&["log", "--format=%s %T"]);
        format!("{commits}\n{status}\n{}", git(&["show", ":notes"]))
    }

    fn judge(&self, case: &str, reported_done: bool) {
        let found = self.state(case);
        assert!(
            found == self.new || found == self.old && !reported_done,
            "{case}: reported done: {reported_done}\n{found}\nold:\n{}\nnew:\n{}",
            self.old,
            self.new
        );
    }
}

/// The preloaded library, compiled anew by each test: they are processes.
fn library() -> &'static Path {
    static LIBRARY: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/strike/strike.c");
        let library =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("strike-{}.so", std::process::id()));
        let compiled = Command::new("cc")
            .args(["-Wall", "-Werror", "-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .args([source, "-ldl", "-lpthread"])
            .status();
        assert!(compiled.unwrap().success());
        library
    })
}

fn strike_everywhere(how: &str) {
    let world = World::new();
    let mut failed = 0;
    for (at, operation) in (1..).zip(world.operations()) {
        if how == "torn" && !operation.starts_with("write") {
            continue;
        }
        world.restore();
        let done = world.strike(how, at);
        failed += usize::from(!done);
        world.judge(&format!("{how} at {at}, {operation:.200}"), done);
    }
    assert!(failed > 3, "{how} did nothing");
}

#[test]
fn a_kill_leaves_the_old_or_the_new() {
    strike_everywhere("kill");
}

#[test]
fn a_torn_write_leaves_the_old_or_the_new() {
    strike_everywhere("torn");
}

#[test]
fn a_full_disk_leaves_the_old_or_the_new() {
    strike_everywhere("enospc");
}

#[test]
fn a_power_cut_leaves_the_old_or_the_new() {
    let world = World::new();
    let operations = world.operations();
    let mut disk = Disk::load(&world.base, &world.playground.top);
    for done in 0..=operations.len() {
        let seed = u64::try_from(done).unwrap() + 1;
        let third = if done % 3 == 0 { Arrived::Names } else { Arrived::Some(seed) };
        for arrived in [Arrived::Nothing, Arrived::NamesAndHalves, third] {
            world.clear();
            disk.cut(arrived, &world.playground.top);
            world.judge(
                &format!("power cut after {done} operations, arrived: {arrived:?}"),
                done == operations.len(),
            );
        }
        if let Some(operation) = operations.get(done) {
            disk.follow(operation);
        }
    }
}
