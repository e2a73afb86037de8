// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writers wait for each other and for easy-rsa, and for nobody who is dead.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    process::{self, Command},
    thread,
    time::{Duration, Instant},
};

use certkeep_pki::{change::ChangeSet, layout::PkiPath};
use certkeep_store::{
    history::Message,
    lock::{Holder, LockError, Waiting},
    modes::{LockFile, Modes, Umask},
    store::{OpenError, Store},
};

const MODES: Modes = Modes { umask: Umask::PRIVATE, lock_file: LockFile::Honour };

fn pki() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in ["private", "reqs"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    directory
}

fn silent(_: &Waiting) {}

/// A number that no process has: one that lived a moment ago.
fn dead_pid() -> u32 {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

fn add_one(root: &Path) {
    let mut writer = Store::open(root).unwrap().writer(MODES, &mut silent).unwrap();
    let count = writer.read(&PkiPath::Serial).unwrap().unwrap_or_else(|| b"0".to_vec());
    let count: u32 = String::from_utf8(count).unwrap().parse().unwrap();
    let mut changes = ChangeSet::new();
    changes.keep(PkiPath::Serial, PkiPath::SerialOld);
    changes.replace(PkiPath::Serial, (count + 1).to_string());
    writer.record(&changes, &Message::new("add one")).unwrap();
}

#[test]
fn writers_take_turns_and_lose_nothing() {
    let pki = pki();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..10).for_each(|_| add_one(pki.path())));
        }
    });
    assert_eq!(fs::read_to_string(pki.path().join("serial")).unwrap(), "80");
    assert_eq!(fs::read_to_string(pki.path().join("serial.old")).unwrap(), "79");
    assert!(!pki.path().join("lock.file").exists());
}

#[test]
fn a_long_wait_is_told_with_the_holder() {
    let pki = pki();
    let store = Store::open(pki.path()).unwrap();
    let writer = store.writer(MODES, &mut silent).unwrap();
    let text = fs::read_to_string(pki.path().join("lock.file")).unwrap();
    assert_eq!(text, format!("{}\ncertkeep\n", process::id()));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut told = Vec::new();
            store.writer(MODES, &mut |waiting| told.push(waiting.holder)).unwrap();
            told
        });
        thread::sleep(Duration::from_millis(900));
        drop(writer);
        assert_eq!(waiter.join().unwrap(), [Holder::Certkeep(Some(process::id()))]);
    });
}

#[test]
fn a_stale_lock_file_is_taken_over() {
    let pki = pki();
    let path = pki.path().join("lock.file");
    for text in [
        format!("{}\n", dead_pid()),
        format!("{}\ncertkeep\n", dead_pid()),
        // Somebody else has the number by now, but it cannot hold our lock.
        "1\ncertkeep\n".to_owned(),
        format!("{}\n", process::id()),
        "99999999999\n".to_owned(),
        String::new(),
    ] {
        fs::write(&path, &text).unwrap();
        let began = Instant::now();
        let writer = Store::open(pki.path()).unwrap().writer(MODES, &mut silent).unwrap();
        assert!(began.elapsed() < Duration::from_secs(5), "{text:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\ncertkeep\n", process::id()));
        drop(writer);
        assert!(!path.exists());
    }
}

#[test]
fn easyrsa_is_waited_for_while_it_lives() {
    let pki = pki();
    let path = pki.path().join("lock.file");
    let mut easyrsa = Command::new("sleep").arg("1.2").spawn().unwrap();
    let pid = easyrsa.id();
    fs::write(&path, format!("{pid}\n")).unwrap();
    let reaper = thread::spawn(move || easyrsa.wait().unwrap());
    let store = Store::open(pki.path()).unwrap();
    let mut told = Vec::new();
    let began = Instant::now();
    let writer = store.writer(MODES, &mut |waiting| told.push(waiting.holder)).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(900));
    assert_eq!(told, [Holder::Easyrsa(pid)]);
    drop(writer);
    reaper.join().unwrap();
}

#[test]
fn the_lock_file_is_left_alone_on_demand() {
    let pki = pki();
    let path = pki.path().join("lock.file");
    // Process 1 always lives.
    fs::write(&path, "1\n").unwrap();
    let modes = Modes { lock_file: LockFile::Ignore, ..MODES };
    drop(Store::open(pki.path()).unwrap().writer(modes, &mut silent).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
}

#[test]
fn a_directory_that_is_replaced_meanwhile_is_opened_anew() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("pki");
    for name in ["pki/private", "pki/reqs", "new/private", "new/reqs"] {
        fs::create_dir_all(parent.path().join(name)).unwrap();
    }
    let store = Store::open(&root).unwrap();
    let writer = store.writer(Modes { lock_file: LockFile::Ignore, ..MODES }, &mut silent).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| add_one(&root));
        thread::sleep(Duration::from_millis(100));
        fs::rename(&root, parent.path().join("old")).unwrap();
        fs::rename(parent.path().join("new"), &root).unwrap();
        drop(writer);
        waiter.join().unwrap();
    });
    assert_eq!(fs::read_to_string(root.join("serial")).unwrap(), "1");
    assert!(!parent.path().join("old/serial").exists());
}

#[test]
fn a_directory_that_is_no_pki_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("private")).unwrap();
    let error = Store::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotAPki { missing: "reqs", .. }), "{error:?}");
    let pki = pki();
    let store = Store::open(pki.path()).unwrap();
    fs::remove_dir(pki.path().join("reqs")).unwrap();
    assert!(matches!(store.writer(MODES, &mut silent), Err(LockError::Open(_))));
}
