// SPDX-License-Identifier: MIT OR Apache-2.0
//! A PKI to strike at, and what must hold of it afterwards.

mod library;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use certkeep_pki::{key::PrivateKey, secret::SecretBytes};
use library::library;

/// A prepared PKI and a place for its copies.
pub(crate) struct World {
    folder: tempfile::TempDir,
    base: PathBuf,
    /// Where a copy is struck.
    pub(crate) pki: PathBuf,
    /// What `summary` says when a command did nothing, and when it did all.
    old: BTreeSet<String>,
    new: BTreeSet<String>,
    arguments: Vec<&'static str>,
}

impl World {
    /// A PKI with a CA, an issued certificate `web1`, a request `req1` and a
    /// CRL; and the command that will be struck.
    pub(crate) fn new(arguments: &[&'static str]) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = folder.path().canonicalize().unwrap();
        let mut world = Self {
            base: path.join("base"),
            pki: path.join("pki"),
            folder,
            old: BTreeSet::new(),
            new: BTreeSet::new(),
            arguments: arguments.to_vec(),
        };
        for arguments in [
            &["init-pki"][..],
            &["build-ca", "nopass"],
            &["build-client-full", "web1", "nopass"],
            &["gen-req", "req1", "nopass"],
            &["gen-crl"],
            &["gen-crl"],
        ] {
            world.succeed(arguments);
        }
        fs::rename(&world.pki, &world.base).unwrap();
        world.restore();
        world.old = world.check("before");
        world.restore();
        world.succeed(arguments);
        world.new = world.check("after");
        assert_ne!(world.old, world.new, "the command must do something");
        world
    }

    /// Puts a fresh copy of the prepared PKI in its place.
    pub(crate) fn restore(&self) {
        self.clear();
        copy(&self.base, &self.pki);
    }

    /// Removes the copy.
    pub(crate) fn clear(&self) {
        if self.pki.exists() {
            fs::remove_dir_all(&self.pki).unwrap();
        }
    }

    /// The prepared PKI.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// Where operations are logged.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A call of the program on the copy.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_certkeep"));
        command.arg("--batch").arg(format!("--pki={}", self.pki.display()));
        if arguments.first() != Some(&"init-pki") {
            command.arg("--use-algo=ec");
        }
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path());
        command
    }

    /// The command of this world, struck at operation number `at`.
    pub(crate) fn strike(&self, how: &str, at: usize) -> Output {
        drop(fs::remove_file(self.log()));
        self.command(&self.arguments)
            .env("LD_PRELOAD", library())
            .env("STRIKE_ROOT", &self.pki)
            .env("STRIKE_HOW", how)
            .env("STRIKE_AT", at.to_string())
            .env("STRIKE_LOG", self.log())
            .output()
            .unwrap()
    }

    /// The command of this world, not struck.
    pub(crate) fn plain(&self) -> Command {
        self.command(&self.arguments)
    }

    fn succeed(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Whatever happened: the next command works, and finds either the old
    /// state or the new one, the new one if the command had reported success.
    pub(crate) fn judge(&self, case: &str, reported_done: bool) {
        for (relative, path) in files(&self.pki) {
            let secret = ["private/", "reqs/", ".transaction/", "revoked/private_by_serial/"];
            if secret.iter().any(|start| relative.starts_with(start)) {
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{case}: {relative} has mode {mode:o}");
            }
        }
        let found = self.check(case);
        assert!(
            found == self.new || (found == self.old && !reported_done),
            "{case}: reported done: {reported_done}\nbeyond the new state: {:#?}\nlacking: {:#?}",
            found.difference(&self.new).collect::<Vec<_>>(),
            self.new.difference(&found).collect::<Vec<_>>(),
        );
    }

    /// Runs the next command, and checks that the PKI is sound; gives its state.
    pub(crate) fn check(&self, case: &str) -> BTreeSet<String> {
        let output = self.command(&["gen-crl"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{case}: gen-crl: {}: {said}", output.status);
        let contents: BTreeMap<_, _> = files(&self.pki)
            .into_iter()
            .map(|(relative, path)| (relative, fs::read(path).unwrap()))
            .collect();
        let index = String::from_utf8(contents["index.txt"].clone()).unwrap();
        let rows: Vec<Vec<_>> = index.lines().map(|line| line.split('\t').collect()).collect();
        let serials: BTreeSet<_> = rows.iter().map(|row| row[3].to_owned()).collect();
        assert_eq!(serials.len(), rows.len(), "{case}: a serial number twice");
        for row in rows.iter().filter(|row| row[0] == "V") {
            let path = format!("certs_by_serial/{}.pem", row[3]);
            assert!(contents.contains_key(&path), "{case}: no {path}");
        }
        let by_serial: BTreeMap<_, _> =
            contents.iter().filter(|(path, _)| path.starts_with("certs_by_serial/")).collect();
        let mut state = BTreeSet::new();
        for (relative, bytes) in &contents {
            let text = String::from_utf8_lossy(bytes);
            let stem = relative.rsplit('/').next().unwrap().split('.').next().unwrap();
            assert!(!stem.is_empty() && stem != "lock", "{case}: {relative} was left");
            if relative.starts_with("certs_by_serial/") {
                assert!(serials.contains(stem), "{case}: {relative} is not in index.txt");
                assert!(text.ends_with("-----END CERTIFICATE-----\n"), "{case}: {relative}");
            }
            if relative.starts_with("issued/") {
                assert!(by_serial.values().any(|other| *other == bytes), "{case}: {relative} stands alone");
            }
            if relative.ends_with(".key") {
                let loaded = PrivateKey::load(&SecretBytes::new(bytes.clone()), None);
                assert!(loaded.is_ok(), "{case}: {relative}: {:?}", loaded.err());
            }
            let masked =
                if serials.contains(stem) { relative.replace(stem, "SERIAL") } else { relative.clone() };
            state.insert(masked);
        }
        state.extend(rows.iter().map(|row| format!("{} {}", row[0], row[5])));
        state.insert(format!("crlnumber {}", String::from_utf8_lossy(&contents["crlnumber"])));
        state.insert(format!("{} certificates by serial", by_serial.len()));
        for directory in [".transaction", "lock.file"] {
            assert!(!self.pki.join(directory).exists(), "{case}: {directory} was left");
        }
        state
    }
}

/// All files below a directory, by relative path.
fn files(root: &Path) -> Vec<(String, PathBuf)> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push((path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), path));
            }
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
