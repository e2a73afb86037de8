// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readers who are not the owner of the PKI, and what stands in its directories.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::Command,
};

use certkeep_pki::layout::{PkiDirectory, PkiPath};
use certkeep_store::{
    lock::LockError,
    modes::{LockFile, Modes, Umask},
    store::Store,
};

const MODES: Modes = Modes { umask: Umask::PRIVATE, lock_file: LockFile::Honour };

/// Where the PKI is, for the process that reads it as somebody else.
const ROOT: &str = "CERTKEEP_TEST_ROOT";
/// Somebody who owns nothing.
const NOBODY: u32 = 65534;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn pki() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in ["private", "reqs", "issued"] {
        fs::create_dir(directory.path().join(name)).unwrap();
        set_mode(&directory.path().join(name), 0o755);
    }
    set_mode(directory.path(), 0o755);
    directory
}

/// Reads and lists where `.transaction` is closed to this process.
fn read_beside_a_writer(root: &Path) {
    let refused = fs::read_dir(root.join(".transaction")).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
    let store = Store::open(root).unwrap();
    assert_eq!(store.read(&PkiPath::Index).unwrap(), Some(b"row".to_vec()));
    assert_eq!(store.list(PkiDirectory::Issued).unwrap(), ["web1.crt"]);
    let error = store.writer(Modes { lock_file: LockFile::Ignore, ..MODES }, &mut |_| {}).unwrap_err();
    assert!(matches!(error, LockError::Recover(_)), "{error:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test has no settings, and tells itself apart by this")]
fn a_write_of_another_user_does_not_stop_readers() {
    if let Some(root) = env::var_os(ROOT) {
        return read_beside_a_writer(Path::new(&root));
    }
    let pki = pki();
    let stage = pki.path().join(".transaction");
    for (path, text) in [("index.txt", "row"), ("issued/web1.crt", "certificate")] {
        fs::write(pki.path().join(path), text).unwrap();
        set_mode(&pki.path().join(path), 0o644);
    }
    fs::create_dir(&stage).unwrap();
    set_mode(&stage, 0o000);
    if fs::read_dir(&stage).is_err() {
        return read_beside_a_writer(pki.path());
    }
    // Nothing is closed to root, so this very test is run again by nobody,
    // from where nobody may run it.
    let program = pki.path().join("test");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    set_mode(&program, 0o755);
    let output = Command::new(&program)
        .args(["--exact", "a_write_of_another_user_does_not_stop_readers"])
        .env(ROOT, pki.path())
        .current_dir(pki.path())
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn only_regular_files_are_listed() {
    let pki = pki();
    let issued = pki.path().join("issued");
    fs::write(issued.join("file.crt"), "certificate").unwrap();
    fs::create_dir(issued.join("directory.crt")).unwrap();
    assert!(Command::new("mkfifo").arg(issued.join("pipe.crt")).status().unwrap().success());
    for (target, link) in [
        ("file.crt", "to-file.crt"),
        ("pipe.crt", "to-pipe.crt"),
        ("directory.crt", "to-directory.crt"),
        ("nothing", "to-nothing.crt"),
    ] {
        std::os::unix::fs::symlink(target, issued.join(link)).unwrap();
    }
    let listed = Store::open(pki.path()).unwrap().list(PkiDirectory::Issued).unwrap();
    assert_eq!(listed, ["file.crt", "to-file.crt"]);
}
