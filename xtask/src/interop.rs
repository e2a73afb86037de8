// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask interop`: what other people's programs think of certkeep.
//!
//! Six stages, each in its own file: openssl verifies and reads what we make;
//! Python's cryptography and pkilint give a second opinion; easy-rsa and
//! certkeep take turns on one directory; cryptography's collection of odd files
//! is fed to every command that reads, and to the guard, who must find the keys
//! among them; spreadsheet, calendar, monitoring and browser read the forms of the
//! inventory. A stage goes on after a finding, so one run shows them all.

mod guard;
mod hierarchy;
mod list;
mod openssl;
mod pki;
mod python;
mod turns;
mod vectors;

use std::{env, path::PathBuf, process::Command, time::Instant};

use crate::{Outcome, process};

/// Names another binary to test, instead of the one of this source tree.
const BINARY: &str = "CERTKEEP";

/// What the stages found.
pub(crate) struct Report {
    checks: usize,
    findings: Vec<String>,
}

impl Report {
    /// Counts a check; `false` is a finding.
    pub(crate) fn check(&mut self, good: bool, finding: impl FnOnce() -> String) {
        self.checks += 1;
        if !good {
            self.finding(finding());
        }
    }

    /// Counts a check that gives a value when it is good.
    pub(crate) fn take<T>(&mut self, outcome: Outcome<T>) -> Option<T> {
        self.checks += 1;
        outcome.map_err(|failure| self.finding(failure.to_string())).ok()
    }

    fn finding(&mut self, finding: String) {
        println!("  {finding}");
        self.findings.push(finding);
    }
}

/// Builds certkeep and runs the stages named in `wanted`, or all of them.
pub(crate) fn run(wanted: &[&str]) -> Outcome {
    type Stage = fn(&mut Report) -> Outcome;
    let stages: [(&str, Stage); 6] = [
        ("openssl", openssl::run),
        ("python", python::run),
        ("turns", turns::run),
        ("vectors", vectors::run),
        ("guard", guard::run),
        ("list", list::run),
    ];
    if let Some(unknown) = wanted.iter().find(|name| !stages.iter().any(|(stage, _)| stage == *name)) {
        return Err(format!("interop has no stage `{unknown}`").into());
    }
    if env::var_os(BINARY).is_none() {
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--quiet", "--locked", "--package", "certkeep"]);
        process::show(cargo.current_dir(process::root()))?;
    }
    let mut findings = 0;
    for (name, stage) in stages.into_iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        println!("interop {name} ...");
        let start = Instant::now();
        let mut report = Report { checks: 0, findings: Vec::new() };
        stage(&mut report)?;
        findings += report.findings.len();
        let seconds = start.elapsed().as_secs();
        println!("interop {name}: {} checks, {} findings, {seconds} s", report.checks, report.findings.len());
    }
    if findings == 0 { Ok(()) } else { Err(format!("{findings} findings").into()) }
}

/// The binary under test.
pub(crate) fn certkeep() -> PathBuf {
    env::var_os(BINARY).map_or_else(|| process::root().join("target/debug/certkeep"), PathBuf::from)
}
