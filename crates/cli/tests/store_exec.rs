// SPDX-License-Identifier: MIT OR Apache-2.0
//! `exec`: a program sees the PKI in the clear, and nothing of it stays behind,
//! however the program and certkeep end.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use team::{Person, Team};

/// A store, locked; its owner's identity is named by the environment.
fn locked(team: &Team) -> Person {
    let alice = team.store("alice");
    alice.does("cd work/ca && certkeep lock");
    let file = alice.path("identity.txt").display().to_string();
    alice.with("CERTKEEP_IDENTITY_FILE", &file)
}

/// The folder that a script has written into `where`.
fn folder(alice: &Person) -> PathBuf {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !alice.path("where").exists() {
        assert!(Instant::now() < deadline, "the program does not start");
        thread::sleep(Duration::from_millis(10));
    }
    PathBuf::from(alice.text("where").trim())
}

#[test]
fn a_program_sees_the_pki_in_the_clear_and_nothing_stays() {
    let team = Team::new();
    let alice = locked(&team);
    let before =
        alice.does("cd work/ca && git status --porcelain --ignored && find pki | sort | xargs ls -ld");
    let seen = alice.does(
        "cd work/ca && certkeep exec -- sh -euc '
             openssl pkey -noout -in \"$EASYRSA_PKI/private/ca.key\"
             openssl pkey -noout -in \"$EASYRSA_PKI/private/www.key\"
             openssl req -noout -verify -in \"$EASYRSA_PKI/reqs/www.req\" 2>/dev/null
             stat -c \"%a %n\" \"$CERTKEEP_DIR\" \"$EASYRSA_PKI/private\" \"$EASYRSA_PKI/private/ca.key\"
             stat -f -c %T \"$CERTKEEP_DIR\"
             certkeep verify-cert www | grep Status
             echo \"$CERTKEEP_DIR\" > ~/where
             echo left > \"$CERTKEEP_DIR/left\"'",
    );
    let place = folder(&alice);
    let shown = place.display();
    assert_eq!(
        seen,
        format!(
            "700 {shown}\n700 {shown}/pki/private\n600 {shown}/pki/private/ca.key\ntmpfs\n  Status: GOOD\n"
        )
    );
    assert!(!place.exists());
    let after =
        alice.does("cd work/ca && git status --porcelain --ignored && find pki | sort | xargs ls -ld");
    assert_eq!(before, after);
}

#[test]
fn the_exit_code_is_the_programs_and_so_are_its_arguments() {
    let team = Team::new();
    let alice = locked(&team);
    let said = alice.tries("cd work/ca && certkeep exec -- sh -c 'exit 7'");
    assert_eq!((said.code, said.stderr.as_str()), (7, ""));
    let said = alice.does("cd work/ca && certkeep exec -- printf '%s|' --san=x -b --dry-run ''");
    assert_eq!(said, "--san=x|-b|--dry-run||");
    alice.fails("cd work/ca && certkeep exec -- /no/such/program", "cannot run /no/such/program");
    alice.fails("cd work && certkeep exec -- true", "is not in a certkeep repository");
    alice.fails("cd work/ca && certkeep exec", "COMMAND");
    alice.fails("cd work/ca && certkeep exec true", "unexpected argument");
    let secret = alice.text("identity.txt");
    let secret = secret.lines().find(|line| line.starts_with("AGE-SECRET-KEY")).expect("an identity");
    let environment = alice.with("CERTKEEP_IDENTITY_FILE", "").with("CERTKEEP_IDENTITY", secret);
    let seen = environment.does("cd work/ca && certkeep exec -- env");
    assert!(seen.contains("EASYRSA_PKI=") && !seen.contains("AGE-SECRET-KEY"), "{seen}");
}

#[test]
fn what_nobody_here_opens_is_left_out() {
    let team = Team::new();
    let alice = locked(&team);
    let nobody = alice.with("CERTKEEP_IDENTITY_FILE", "");
    nobody
        .fails("cd work/ca && certkeep exec -- true", "nothing here opens the zone")
        .says("certkeep --identity=FILE");
    alice.does(
        "age-keygen -o ci.txt 2>/dev/null
         cd work/ca && certkeep --batch member add ci $(age-keygen -y ~/ci.txt) --zone=keys",
    );
    let file = alice.path("ci.txt").display().to_string();
    let said = alice
        .with("CERTKEEP_IDENTITY_FILE", &file)
        .tries("cd work/ca && certkeep exec -- sh -c 'cd $EASYRSA_PKI && ls private reqs'");
    let said = said.well().says("no key here opens the zones ca, reqs");
    assert_eq!(said.stdout, "private:\nwww.key\n\nreqs:\n");
}

#[test]
fn signals_reach_the_program_and_nothing_stays() {
    let team = Team::new();
    for (signal, program, code) in [
        (Signal::TERM, "trap \"echo got >~/got; exit 3\" TERM", Some(3)),
        (Signal::INT, "trap \"echo got >~/got; exit 4\" INT", Some(4)),
        (Signal::HUP, ":", None),
    ] {
        let name = format!("p{}", signal.as_raw());
        let alice = team.store(&name);
        let file = alice.path("identity.txt").display().to_string();
        let alice = alice.with("CERTKEEP_IDENTITY_FILE", &file);
        let script = format!(
            "cd work/ca && exec certkeep exec -- sh -c '{program}; echo \"$CERTKEEP_DIR\" > ~/new; mv ~/new ~/where; \
             while :; do sleep 0.1; done'"
        );
        // A job in a shell's background has SIGINT ignored, and so have its children.
        let mut command = Command::new("env");
        let shell = alice.shell(&[], &script);
        command.args(["--default-signal=INT", "sh", "-euc", &script]).current_dir(alice.path("")).env_clear();
        command.envs(shell.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell");
        let place = folder(&alice);
        assert!(place.join("pki/private/ca.key").exists());
        kill_process(Pid::from_child(&child), signal).expect("it runs");
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), code, "{status}");
        assert!(code.is_some() || status.signal() == Some(signal.as_raw()), "{status}");
        assert_eq!(alice.path("got").exists(), code.is_some(), "the program may put things in order");
        assert!(!place.exists(), "{}", place.display());
    }
}

#[test]
fn what_a_killed_run_left_is_swept_by_the_next_one() {
    let team = Team::new();
    let alice = locked(&team);
    let script = "cd work/ca && exec certkeep exec -- sh -c 'echo \"$CERTKEEP_DIR\" > ~/new; mv ~/new ~/where; \
                  echo $$ > ~/pid; while :; do sleep 0.1; done'";
    let shell = alice.shell(&[], script);
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(alice.path("")).env_clear();
    command.envs(shell.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell");
    let place = folder(&alice);
    alice.does("cd work/ca && certkeep exec -- true");
    assert!(place.exists(), "its run lives");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(place.exists(), "nobody could put anything in order");
    alice.does(
        "cd work/ca && certkeep exec -- true; while [ ! -s ~/pid ]; do sleep 0.1; done; kill $(cat ~/pid)",
    );
    assert!(!place.exists());
}

/// A folder on a disk: the first of these places that is on one.
fn on_a_disk() -> tempfile::TempDir {
    let places = ["/tmp", env!("CARGO_TARGET_TMPDIR"), "/var/tmp"];
    let in_memory = |folder: &&str| {
        let answer = Command::new("stat").args(["-f", "-c", "%T", folder]).output().expect("stat");
        ["tmpfs", "ramfs"].contains(&String::from_utf8_lossy(&answer.stdout).trim())
    };
    let place = places.into_iter().find(|place| !in_memory(place));
    let place = place.unwrap_or_else(|| panic!("none of {places:?} is on a disk, which this test needs"));
    tempfile::tempdir_in(place).expect("a folder")
}

#[test]
fn a_disk_is_used_on_request_alone() {
    let team = Team::new();
    let alice = locked(&team);
    let disk = on_a_disk();
    let shown = disk.path().display();
    // A machine without a folder in memory: this one, with the folder on a disk in its place.
    let hidden = |script: &str| {
        let script = format!("mount --bind '{shown}' /dev/shm; cd work/ca; {script}");
        format!("unshare --map-root-user --mount sh -euc '{script}'")
    };
    let possible = alice.tries(&hidden("stat -f -c %T /dev/shm"));
    assert_eq!(
        possible.code, 0,
        "this test needs a mount namespace, of a user namespace (sysctl kernel.unprivileged_userns_clone, \
         kernel.apparmor_restrict_unprivileged_userns) or of root: {possible:?}"
    );
    alice
        .fails(&hidden("certkeep exec -- true"), "there is no folder in memory here")
        .says("certkeep exec --allow-disk");
    let seen = alice.does(&format!(
        "export TMPDIR='{shown}'; {}",
        hidden(
            "certkeep exec --allow-disk -- sh -c \"echo \\$CERTKEEP_DIR; cat \\$EASYRSA_PKI/private/ca.key\""
        )
    ));
    let (place, key) = seen.split_once('\n').expect("two things");
    assert!(Path::new(place).starts_with(disk.path()), "{place}");
    assert!(key.contains("PRIVATE KEY"), "{key}");
    assert_eq!(fs::read_dir(disk.path()).expect("a folder").count(), 0);
}
