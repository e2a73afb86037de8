// SPDX-License-Identifier: MIT OR Apache-2.0
//! One writer at a time: certkeep waits for certkeep and for easy-rsa, and not
//! for the dead.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use world::World;

/// A process that does nothing, to be named in a lock file.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        let mut command = Command::new("sleep");
        Self(
            command
                .arg("600")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .expect("sleep can be started"),
        )
    }

    fn end(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it is ours");
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_lock_of_the_dead_is_taken_over() {
    let world = World::with_ca();
    let mut sleeper = Sleeper::start();
    sleeper.end();
    for text in [format!("{}\n", sleeper.0.id()), "4194303\n".into(), String::new(), "frobnicate\n".into()] {
        world.write("pki/lock.file", &text);
        world.run(["-b", "gen-crl"]).success();
        assert!(!world.exists("pki/lock.file"), "{text:?}");
    }
}

#[test]
fn a_lock_of_the_living_makes_us_wait() {
    let world = World::with_ca();
    let sleeper = Sleeper::start();
    world.write("pki/lock.file", format!("{}\n", sleeper.0.id()));
    let mut person = world.converse(["-b", "gen-crl"]);
    person.expect(&format!("waiting for easy-rsa, process {}", sleeper.0.id()));
    assert!(!world.exists("pki/crl.pem"));
    world.remove("pki/lock.file");
    person.succeeds();
    assert!(world.exists("pki/crl.pem"));
}

#[test]
fn reading_and_no_lockfile_do_not_wait() {
    let world = World::with_certificate();
    let sleeper = Sleeper::start();
    world.write("pki/lock.file", format!("{}\n", sleeper.0.id()));
    for arguments in
        [&["show-ca"][..], &["show-cert", "www.example.net"], &["verify-cert", "www.example.net"], &[]]
    {
        world.run(arguments).success();
    }
    world.run(["-b", "--dry-run", "gen-crl"]).success();
    world.run(["-b", "--no-lockfile", "gen-crl"]).success();
    assert_eq!(world.text("pki/lock.file"), format!("{}\n", sleeper.0.id()));
}

#[test]
fn easyrsa_keeps_away_while_certkeep_writes() {
    let world = World::with_request();
    let mut person = world.converse(["--auto-san", "sign-req", "server", "www.example.net"]);
    person.expect("Confirm requested details: ");
    assert!(world.text("pki/lock.file").lines().next().is_some_and(|line| line.parse::<u32>().is_ok()));
    person.answer("yes").succeeds();
    assert!(!world.exists("pki/lock.file"));
}

#[test]
fn two_writers_wait_for_each_other() {
    let world = World::with_request();
    let mut person = world.converse(["--auto-san", "sign-req", "server", "www.example.net"]);
    person.expect("Confirm requested details: ");
    let mut second = world.converse(["-b", "build-client-full", "jane", "nopass"]);
    second.expect("waiting for another certkeep");
    thread::sleep(Duration::from_millis(200));
    assert_eq!(world.rows().len(), 0);
    person.answer("yes").succeeds();
    second.succeeds();
    assert_eq!(world.rows().len(), 2);
}

#[test]
fn a_killed_writer_leaves_no_lock_behind() {
    let world = World::with_request();
    let mut person = world.converse(["--auto-san", "sign-req", "server", "www.example.net"]);
    person.expect("Confirm requested details: ");
    drop(person);
    world.run(["-b", "--auto-san", "sign-req", "server", "www.example.net"]).success();
    assert!(!world.exists("pki/lock.file"));
}

#[test]
fn eight_writers_lose_nothing() {
    let world = World::with_ca();
    let names: Vec<String> = (0..8).map(|number| format!("client{number}")).collect();
    let children: Vec<Child> = names
        .iter()
        .map(|name| world.certkeep(["-b", "-s", "build-client-full", name, "nopass"]).start())
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("it ran");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let rows = world.rows();
    assert_eq!(rows.len(), 8);
    for name in names {
        assert!(rows.iter().any(|row| row.ends_with(&format!("/CN={name}"))), "{name} in {rows:?}");
        world.run(["verify-cert", &name]).success();
    }
}
