// SPDX-License-Identifier: MIT OR Apache-2.0
//! Interrupts the program at every file operation, in every way there is, and
//! demands that the PKI is either as before or as after.
//!
//! The operations are real system calls of the real program, struck by the
//! preloaded `strike/strike.c`; power cuts are played on the model of a disk in
//! `strike/power.rs`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "strike/power.rs"]
mod power;
#[path = "strike/world.rs"]
mod world;

use std::{fs, process::Stdio, thread, time::Duration};

use power::{Arrived, Coin, Disk};
use rustix::process::{Pid, Signal, kill_process};
use world::World;

const GEN_REQ: &[&str] = &["gen-req", "new1", "nopass"];
const SIGN_REQ: &[&str] = &["sign-req", "client", "req1"];
const BUILD_FULL: &[&str] = &["build-client-full", "new1", "nopass"];
const REVOKE_ISSUED: &[&str] = &["revoke-issued", "web1", "superseded"];
const GEN_CRL: &[&str] = &["gen-crl"];

/// The operations of one undisturbed run.
fn operations(world: &World) -> Vec<String> {
    world.restore();
    let output = world.strike("none", 0);
    assert!(output.status.success());
    let log = fs::read_to_string(world.log()).unwrap();
    let operations: Vec<_> = log.lines().map(str::to_owned).collect();
    assert!(operations.len() > 20, "a library that sees nothing proves nothing: {operations:#?}");
    operations
}

fn strike_everywhere(arguments: &[&'static str]) {
    let world = World::new(arguments);
    let operations = operations(&world);
    for how in ["kill", "torn", "enospc", "eio", "erofs"] {
        let mut failed = 0;
        for (at, operation) in (1..).zip(&operations) {
            if how == "torn" && !operation.starts_with("write") {
                continue;
            }
            world.restore();
            let output = world.strike(how, at);
            let done = output.status.success();
            failed += usize::from(!done);
            let case = format!("{arguments:?}, {how} at {at}");
            if !matches!(how, "kill" | "torn") {
                // A program that lives tidies up, unless the change is committed.
                let stage = world.pki.join(".transaction");
                assert!(stage.join("journal").exists() || !stage.exists(), "{case}: staged files were left");
                assert!(!world.pki.join("lock.file").exists(), "{case}: the lock file was left");
            }
            world.judge(&format!("{case}: {}", String::from_utf8_lossy(&output.stderr)), done);
        }
        assert!(failed > 3, "{how} did nothing");
    }
}

fn cut_everywhere(arguments: &[&'static str]) {
    let world = World::new(arguments);
    let operations = operations(&world);
    let mut disk = Disk::load(world.base(), &world.pki);
    for done in 0..=operations.len() {
        let mut cuts = vec![Arrived::Nothing, Arrived::NamesAndHalves];
        // An empty lock file takes a moment to be found stale, so not always.
        cuts.extend((done % 3 == 0).then_some(Arrived::Names));
        cuts.extend((0..2).map(|seed| Arrived::Some(u64::try_from(2 * done).unwrap() + seed + 1)));
        for arrived in cuts {
            world.clear();
            disk.cut(arrived, &world.pki);
            let case = format!("{arguments:?}, power cut after {done} operations, arrived: {arrived:?}");
            world.judge(&case, done == operations.len());
        }
        if let Some(operation) = operations.get(done) {
            disk.follow(operation);
        }
    }
}

#[test]
fn gen_req_is_all_or_nothing() {
    strike_everywhere(GEN_REQ);
}

#[test]
fn sign_req_is_all_or_nothing() {
    strike_everywhere(SIGN_REQ);
}

#[test]
fn build_client_full_is_all_or_nothing() {
    strike_everywhere(BUILD_FULL);
}

#[test]
fn revoke_issued_is_all_or_nothing() {
    strike_everywhere(REVOKE_ISSUED);
}

#[test]
fn gen_crl_is_all_or_nothing() {
    strike_everywhere(GEN_CRL);
}

#[test]
fn gen_req_outlives_a_power_cut() {
    cut_everywhere(GEN_REQ);
}

#[test]
fn sign_req_outlives_a_power_cut() {
    cut_everywhere(SIGN_REQ);
}

#[test]
fn build_client_full_outlives_a_power_cut() {
    cut_everywhere(BUILD_FULL);
}

#[test]
fn revoke_issued_outlives_a_power_cut() {
    cut_everywhere(REVOKE_ISSUED);
}

#[test]
fn gen_crl_outlives_a_power_cut() {
    cut_everywhere(GEN_CRL);
}

#[test]
fn a_signal_at_any_moment_leaves_the_old_or_the_new() {
    let world = World::new(BUILD_FULL);
    let mut coin = Coin(0x2545_f491_4f6c_dd1d);
    for run in 0..40 {
        let signals = [Signal::INT, Signal::TERM, Signal::HUP, Signal::PIPE];
        let signal = signals[run % signals.len()];
        world.restore();
        let mut child = world.plain().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let delay = coin.next() % 40_000;
        thread::sleep(Duration::from_micros(delay));
        // It is not waited for yet, so the number is still its own.
        kill_process(Pid::from_child(&child), signal).unwrap();
        let status = child.wait().unwrap();
        world.judge(&format!("{signal:?} after {delay} microseconds"), status.success());
    }
}

#[test]
fn thirty_two_at_once_lose_nothing() {
    let world = World::new(BUILD_FULL);
    world.restore();
    let children: Vec<_> = (0..32)
        .map(|number| {
            let name = format!("client{number}");
            let mut command = world.command(&["build-client-full", &name, "nopass"]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let index = fs::read_to_string(world.pki.join("index.txt")).unwrap();
    for number in 0..32 {
        let subject = format!("/CN=client{number}");
        assert_eq!(index.lines().filter(|line| line.ends_with(&subject)).count(), 1, "{subject}");
        assert!(world.pki.join(format!("issued/client{number}.crt")).exists());
        assert!(world.pki.join(format!("private/client{number}.key")).exists());
    }
    world.check("thirty-two at once");
}
