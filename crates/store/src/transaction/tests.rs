// SPDX-License-Identifier: MIT OR Apache-2.0
//! Interrupted at any point and run again, a transaction is done or undone.

use std::{fs, os::unix::fs::PermissionsExt as _};

use certkeep_pki::{
    layout::{EntryName, PkiDirectory, SerialHex},
    secret::SecretBytes,
};

use super::*;
use crate::{
    modes::{LockFile, Modes},
    store::Store,
};

const UMASK: Umask = Umask::PRIVATE;

fn pki() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for name in ["private", "reqs", "issued"] {
        fs::create_dir(directory.path().join(name)).expect("made");
    }
    for (path, text) in [
        ("index.txt", "row 1\n"),
        ("issued/web1.crt", "certificate 1"),
        ("private/web1.key", "key 1"),
        ("reqs/web1.req", "request 1"),
        ("crl.pem", "crl 1"),
    ] {
        fs::write(directory.path().join(path), text).expect("written");
    }
    directory
}

fn web1() -> EntryName {
    EntryName::parse("web1").expect("a name")
}

/// A revocation and a new certificate of the same name at once: files are
/// moved away from paths that are written again.
fn changes() -> ChangeSet {
    let serial = SerialHex::parse("0A").expect("a serial");
    let mut changes = ChangeSet::new();
    changes.keep(PkiPath::Index, PkiPath::IndexOld);
    changes.replace(PkiPath::Index, "row 1\nrow 2\n".to_owned());
    changes.relocate(PkiPath::Issued(web1()), PkiPath::RevokedCertificate(serial.clone()));
    changes.relocate(PkiPath::PrivateKey(web1()), PkiPath::RevokedKey(serial));
    changes.create(PkiPath::PrivateKey(web1()), SecretBytes::new(b"key 2".to_vec()));
    changes.create(PkiPath::Issued(web1()), "certificate 2".to_owned());
    changes.remove(PkiPath::Request(web1()));
    changes.directory(PkiDirectory::RevokedRequests);
    changes
}

fn before() -> Vec<(String, String)> {
    state(pki().path())
}

fn after() -> Vec<(String, String)> {
    [
        ("crl.pem", "crl 1"),
        ("index.txt", "row 1\nrow 2\n"),
        ("index.txt.old", "row 1\n"),
        ("issued/web1.crt", "certificate 2"),
        ("private/web1.key", "key 2"),
        ("revoked/certs_by_serial/0A.crt", "certificate 1"),
        ("revoked/private_by_serial/0A.key", "key 1"),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .to_vec()
}

fn state(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let relative = path.strip_prefix(root).expect("below").to_str().expect("UTF-8");
                found.push((relative.to_owned(), fs::read_to_string(&path).expect("text")));
            }
        }
    }
    found.sort();
    found
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("present").permissions().mode() & 0o7777
}

/// Everything up to the commit, and nothing of what follows.
fn committed(root: &Path, changes: &ChangeSet) -> Journal {
    let (plan, site) = (Plan::of(root, changes).expect("possible"), Site::pki(root));
    let journal = prepare(&site, &plan, UMASK, None, &mut Vec::new()).expect("prepared");
    commit(&site).expect("committed");
    journal.expect("not empty")
}

#[test]
fn a_transaction_does_what_its_changes_say() {
    let pki = pki();
    let recorded = record(&Site::pki(pki.path()), &changes(), UMASK, None, None).expect("recorded");
    assert_eq!(state(pki.path()), after());
    assert!(pki.path().join("revoked/reqs_by_serial").is_dir());
    assert!(!pki.path().join(".transaction").exists());
    assert_eq!(recorded.written.len(), 4);
    assert_eq!(recorded.moved.len(), 2);
    assert_eq!(recorded.removed, [PkiPath::Request(web1())]);
}

#[test]
fn a_transaction_that_stops_after_any_step_is_completed_and_seen_as_done() {
    let steps = committed(pki().path(), &changes()).steps.len();
    assert!(steps > 8);
    for done in 0..=steps {
        let pki = pki();
        let journal = committed(pki.path(), &changes());
        for step in journal.steps.iter().take(done) {
            step.apply(&Site::pki(pki.path())).expect("applied");
        }
        // A reader that cannot lock, as the writer still does.
        let lock = fs::File::open(pki.path()).expect("open");
        lock.lock().expect("locked");
        let store = Store::open(pki.path()).expect("a PKI");
        let read = |path: PkiPath| store.read(&path).expect("readable");
        assert_eq!(read(PkiPath::Index), Some(b"row 1\nrow 2\n".to_vec()), "{done}");
        assert_eq!(read(PkiPath::IndexOld), Some(b"row 1\n".to_vec()));
        assert_eq!(read(PkiPath::PrivateKey(web1())), Some(b"key 2".to_vec()));
        assert_eq!(read(PkiPath::Request(web1())), None);
        assert!(!store.exists(&PkiPath::Request(web1())).expect("known"));
        assert_eq!(store.list(PkiDirectory::Issued).expect("listed"), ["web1.crt"]);
        assert_eq!(store.list(PkiDirectory::RevokedKeys).expect("listed"), ["0A.key"]);
        assert!(store.list(PkiDirectory::Requests).expect("listed").is_empty());
        lock.unlock().expect("unlocked");
        // Anybody who can lock completes it by opening.
        Store::open(pki.path()).expect("a PKI");
        assert_eq!(state(pki.path()), after(), "{done}");
        assert!(!pki.path().join(".transaction").exists());
    }
}

#[test]
fn steps_may_be_repeated_and_reversed() {
    let pki = pki();
    let journal = committed(pki.path(), &changes());
    for step in journal.steps.iter().rev().chain(&journal.steps).chain(&journal.steps) {
        step.apply(&Site::pki(pki.path())).expect("applied");
    }
    recover(&Site::pki(pki.path()), Patience::Wait).expect("recovered");
    assert_eq!(state(pki.path()), after());
}

#[test]
fn what_is_not_committed_is_swept_by_the_next_writer() {
    let pki = pki();
    let (changes, modes) = (changes(), Modes { umask: UMASK, lock_file: LockFile::Honour });
    let plan = Plan::of(pki.path(), &changes).expect("possible");
    prepare(&Site::pki(pki.path()), &plan, UMASK, None, &mut Vec::new()).expect("prepared");
    let store = Store::open(pki.path()).expect("a PKI");
    assert_eq!(store.read(&PkiPath::IndexOld).expect("readable"), None);
    drop(store.writer(modes, &mut |_| {}).expect("the lock"));
    assert_eq!(state(pki.path()), before());
}

#[test]
fn a_failure_before_the_commit_leaves_no_trace() {
    let pki = pki();
    // A key to be moved that vanishes between the plan and its staging.
    let changes = changes();
    let plan = Plan::of(pki.path(), &changes).expect("possible");
    fs::remove_file(pki.path().join("private/web1.key")).expect("removed");
    let mut made = Vec::new();
    let error = prepare(&Site::pki(pki.path()), &plan, UMASK, None, &mut made).expect_err("refused");
    assert!(matches!(&error, RecordError::File(error) if error.is_absence()), "{error:?}");
    undo(&Site::pki(pki.path()), &made);
    assert!(!pki.path().join("revoked").exists());
    let expected: Vec<_> = before().into_iter().filter(|(path, _)| path != "private/web1.key").collect();
    assert_eq!(state(pki.path()), expected);
}

#[test]
fn modes_follow_sensitivity() {
    let pki = pki();
    let set = |path: &str, mode| {
        fs::set_permissions(pki.path().join(path), fs::Permissions::from_mode(mode)).expect("set");
    };
    set("private/web1.key", 0o644);
    set("crl.pem", 0o640);
    let mut changes = changes();
    changes.replace(PkiPath::CrlPem, "crl 2".to_owned());
    changes.create(PkiPath::Request(EntryName::parse("web2").expect("a name")), "request 2".to_owned());
    record(&Site::pki(pki.path()), &changes, Umask::parse("022").expect("a umask"), None, None)
        .expect("recorded");
    for (path, expected) in [
        ("crl.pem", 0o640),
        ("index.txt", 0o644),
        ("private/web1.key", 0o600),
        ("reqs/web2.req", 0o600),
        ("revoked", 0o755),
        ("revoked/certs_by_serial", 0o755),
        ("revoked/private_by_serial", 0o700),
        ("revoked/private_by_serial/0A.key", 0o600),
        ("revoked/reqs_by_serial", 0o700),
    ] {
        assert_eq!(mode(&pki.path().join(path)), expected, "{path}");
    }
    changes = ChangeSet::new();
    changes.create(PkiPath::CrlDer, "der".to_owned());
    record(&Site::pki(pki.path()), &changes, Umask::PRIVATE, None, None).expect("recorded");
    assert_eq!(mode(&pki.path().join("crl.der")), 0o600);
}

#[test]
fn what_must_not_be_is_refused_and_changes_nothing() {
    let pki = pki();
    let root = pki.path();
    let name = |text| EntryName::parse(text).expect("a name");
    std::os::unix::fs::symlink(root.join("crl.pem"), root.join("crl.der")).expect("linked");
    std::os::unix::fs::symlink(root.join("issued"), root.join("certs_by_serial")).expect("linked");
    fs::create_dir(root.join("serial")).expect("made");
    fs::write(root.join("x509-types"), "a file").expect("written");
    let expected = state(root);
    let refused = |change: &dyn Fn(&mut ChangeSet)| {
        let mut changes = ChangeSet::new();
        changes.replace(PkiPath::Index, "row 9".to_owned());
        change(&mut changes);
        let error = record(&Site::pki(root), &changes, UMASK, None, None).expect_err("refused");
        assert_eq!(state(root), expected, "{error}");
        assert!(!root.join(".transaction").exists());
        error
    };
    let secret = || SecretBytes::new(b"key".to_vec());
    let error = refused(&|changes| changes.replace(PkiPath::CaCertificate, secret()));
    assert!(matches!(error, RecordError::SecretInPublicFile { .. }), "{error:?}");
    let error = refused(&|changes| changes.relocate(PkiPath::PrivateKey(web1()), PkiPath::IssuedP7b(web1())));
    assert!(matches!(error, RecordError::SecretInPublicFile { .. }), "{error:?}");
    let error = refused(&|changes| changes.keep(PkiPath::PrivateKey(web1()), PkiPath::IndexOld));
    assert!(matches!(error, RecordError::SecretInPublicFile { .. }), "{error:?}");
    let error = refused(&|changes| changes.create(PkiPath::PrivateKey(web1()), secret()));
    assert!(matches!(error, RecordError::AlreadyExists { .. }), "{error:?}");
    let error = refused(&|changes| {
        changes.create(PkiPath::PrivateKey(name("a")), secret());
        changes.create(PkiPath::PrivateKey(name("a")), secret());
    });
    assert!(matches!(error, RecordError::AlreadyExists { .. }), "{error:?}");
    let error = refused(&|changes| changes.relocate(PkiPath::CrlPem, PkiPath::Issued(web1())));
    assert!(matches!(error, RecordError::AlreadyExists { .. }), "{error:?}");
    let error = refused(&|changes| changes.replace(PkiPath::CrlDer, "x".to_owned()));
    assert!(matches!(error, RecordError::SymbolicLink { .. }), "{error:?}");
    let serial = SerialHex::parse("0A").expect("a serial");
    let error = refused(&|changes| {
        changes.create(PkiPath::CertificateBySerial(serial.clone()), "x".to_owned());
    });
    assert!(matches!(error, RecordError::SymbolicLink { .. }), "{error:?}");
    let error = refused(&|changes| changes.replace(PkiPath::Serial, "01".to_owned()));
    assert!(matches!(error, RecordError::NotAFile { .. }), "{error:?}");
    let error = refused(&|changes| changes.create(PkiPath::X509Type(name("x")), "x".to_owned()));
    assert!(matches!(error, RecordError::NotADirectory { .. }), "{error:?}");
}

#[test]
fn what_is_moved_or_kept_in_place_stays_as_it_is() {
    let pki = pki();
    let mut changes = ChangeSet::new();
    changes.relocate(PkiPath::CrlPem, PkiPath::CrlDer);
    changes.relocate(PkiPath::CrlDer, PkiPath::CrlPem);
    changes.keep(PkiPath::Index, PkiPath::IndexOld);
    changes.relocate(PkiPath::Serial, PkiPath::SerialOld);
    changes.remove(PkiPath::CrlNumber);
    record(&Site::pki(pki.path()), &changes, UMASK, None, None).expect("recorded");
    let mut expected = before();
    expected.insert(2, ("index.txt.old".to_owned(), "row 1\n".to_owned()));
    assert_eq!(state(pki.path()), expected);
    // Two files, not two names of one: easy-rsa writes into some in place.
    fs::write(pki.path().join("index.txt.old"), "changed").expect("written");
    assert_eq!(fs::read_to_string(pki.path().join("index.txt")).expect("text"), "row 1\n");
}
