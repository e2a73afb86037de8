// SPDX-License-Identifier: MIT OR Apache-2.0
//! A new PKI directory: whole, in the place of an old one or not at all.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use certkeep_pki::{
    change::ChangeSet,
    layout::{PkiDirectory, PkiPath},
    secret::SecretBytes,
};
use certkeep_store::{
    modes::{LockFile, Modes, Umask},
    store::{CreateError, Existing, OpenError, Store},
};

const MODES: Modes = Modes { umask: Umask::PRIVATE, lock_file: LockFile::Honour };

fn changes() -> ChangeSet {
    let mut changes = ChangeSet::new();
    for directory in [PkiDirectory::Issued, PkiDirectory::Private, PkiDirectory::Requests] {
        changes.directory(directory);
    }
    changes.create(PkiPath::VarsExample, "# vars\n".to_owned());
    changes
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_directory_holds_what_was_asked_for() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("deep/er/pki");
    Store::create(&root, &changes(), Existing::Refuse, MODES).unwrap();
    assert_eq!(names(&root), ["issued", "private", "reqs", "vars.example"]);
    assert_eq!(names(root.parent().unwrap()), ["pki"]);
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&root.join("vars.example")), 0o600);
    let open = Modes { umask: Umask::parse("022").unwrap(), ..MODES };
    let root = parent.path().join("open");
    let mut changes = changes();
    changes.create(PkiPath::CaKey, SecretBytes::new(b"key".to_vec()));
    Store::create(&root, &changes, Existing::Refuse, open).unwrap();
    let modes = ["", "issued", "private", "reqs", "vars.example", "private/ca.key"]
        .map(|name| mode(&root.join(name)));
    assert_eq!(modes, [0o755, 0o755, 0o700, 0o700, 0o644, 0o600]);
    Store::open(&root).unwrap();
}

#[test]
fn an_old_pki_is_replaced_as_a_whole_when_asked() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("pki");
    Store::create(&root, &changes(), Existing::Refuse, MODES).unwrap();
    fs::write(root.join("private/ca.key"), "key").unwrap();
    let error = Store::create(&root, &changes(), Existing::Refuse, MODES).unwrap_err();
    assert!(matches!(error, CreateError::AlreadyExists { .. }), "{error:?}");
    assert!(root.join("private/ca.key").exists());
    Store::create(&root, &changes(), Existing::Replace, MODES).unwrap();
    assert!(!root.join("private/ca.key").exists());
    assert_eq!(names(parent.path()), ["pki"]);
    assert_eq!(names(&root), ["issued", "private", "reqs", "vars.example"]);
}

#[test]
fn an_interrupted_replacement_is_finished_by_opening() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("pki");
    let (new, old) = (parent.path().join(".pki.certkeep-new"), parent.path().join(".pki.certkeep-old"));
    Store::create(&root, &changes(), Existing::Refuse, MODES).unwrap();
    fs::write(root.join("index.txt"), "old").unwrap();
    // Before the first rename: the old one stays, what was built is swept later.
    fs::create_dir_all(new.join("private")).unwrap();
    assert!(Store::open(&root).unwrap().exists(&PkiPath::Index).unwrap());
    fs::remove_dir_all(&new).unwrap();
    // Between the two.
    Store::create(&new, &changes(), Existing::Refuse, MODES).unwrap();
    fs::rename(&root, &old).unwrap();
    assert!(!Store::open(&root).unwrap().exists(&PkiPath::Index).unwrap());
    // The old one is deleted by those who write, not by those who read.
    Store::open(&root).unwrap();
    assert_eq!(names(parent.path()), [".pki.certkeep-old", "pki"]);
    drop(Store::open(&root).unwrap().writer(MODES, &mut |_| {}).unwrap());
    assert_eq!(names(parent.path()), ["pki"]);
    // After the second.
    Store::create(&old, &changes(), Existing::Refuse, MODES).unwrap();
    Store::create(&root, &changes(), Existing::Replace, MODES).unwrap();
    assert_eq!(names(parent.path()), ["pki"]);
    // The new one is gone: better the old one than none.
    fs::rename(&root, &old).unwrap();
    Store::open(&root).unwrap();
    assert_eq!(names(parent.path()), ["pki"]);
}

#[test]
fn a_retired_pki_is_kept_while_something_else_is_in_its_place() {
    let parent = tempfile::tempdir().unwrap();
    let (root, old) = (parent.path().join("pki"), parent.path().join(".pki.certkeep-old"));
    Store::create(&root, &changes(), Existing::Refuse, MODES).unwrap();
    let store = Store::open(&root).unwrap();
    fs::write(root.join("private/ca.key"), "key").unwrap();
    fs::rename(&root, &old).unwrap();
    // A mount point without its mount, or half a PKI.
    for place in [&root, &root.join("private")] {
        fs::create_dir(place).unwrap();
        let error = Store::open(&root).unwrap_err();
        assert!(matches!(&error, OpenError::Displaced { retired, .. } if *retired == old), "{error:?}");
        store.writer(MODES, &mut |_| {}).unwrap_err();
        for existing in [Existing::Refuse, Existing::Replace] {
            Store::create(&root, &changes(), existing, MODES).unwrap_err();
        }
        assert_eq!(fs::read_to_string(old.join("private/ca.key")).unwrap(), "key");
    }
    fs::remove_dir_all(&root).unwrap();
    Store::open(&root).unwrap();
    assert_eq!(fs::read_to_string(root.join("private/ca.key")).unwrap(), "key");
}

#[test]
fn what_is_not_a_pki_is_not_deleted() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("home");
    fs::create_dir(&root).unwrap();
    // Nothing is lost with an empty directory.
    Store::create(&root, &changes(), Existing::Refuse, MODES).unwrap();
    fs::remove_dir(root.join("reqs")).unwrap();
    let error = Store::create(&root, &changes(), Existing::Replace, MODES).unwrap_err();
    assert!(matches!(error, CreateError::NotAPki { .. }), "{error:?}");
    fs::create_dir(root.join("reqs")).unwrap();
    fs::create_dir(root.join(".git")).unwrap();
    let error = Store::create(&root, &changes(), Existing::Replace, MODES).unwrap_err();
    assert!(matches!(error, CreateError::Repository { .. }), "{error:?}");
    let file = parent.path().join("file");
    fs::write(&file, "text").unwrap();
    let error = Store::create(&file, &changes(), Existing::Replace, MODES).unwrap_err();
    assert!(matches!(error, CreateError::NotADirectory { .. }), "{error:?}");
    assert_eq!(names(parent.path()), ["file", "home"]);
}

#[test]
fn paths_that_easyrsa_refuses_are_refused() {
    for path in ["", ".", "..", "./", "../", "/", "//", "//x", ".//x", "..//x", "\\", "C:", "a/..", "a/../.."]
    {
        let error = Store::create(Path::new(path), &changes(), Existing::Replace, MODES).unwrap_err();
        assert!(matches!(error, CreateError::Forbidden { .. }), "{path}: {error:?}");
    }
}

#[test]
fn a_link_stays_a_link() {
    let parent = tempfile::tempdir().unwrap();
    let (root, link) = (parent.path().join("real"), parent.path().join("pki"));
    Store::create(&root, &changes(), Existing::Refuse, MODES).unwrap();
    fs::write(root.join("index.txt"), "old").unwrap();
    std::os::unix::fs::symlink("real", &link).unwrap();
    Store::create(&link, &changes(), Existing::Replace, MODES).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(!root.join("index.txt").exists());
    std::os::unix::fs::symlink("nowhere", parent.path().join("dangling")).unwrap();
    let error =
        Store::create(&parent.path().join("dangling"), &changes(), Existing::Refuse, MODES).unwrap_err();
    assert!(matches!(error, CreateError::NotADirectory { .. }), "{error:?}");
}
