// SPDX-License-Identifier: MIT OR Apache-2.0
//! `show-expire` with 10,000 certificates that end soon, against easy-rsa.
//!
//! easy-rsa starts several programs for each certificate, so it is measured
//! with 200 of them, and its time is multiplied by 50.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use super::{
    Part, certkeep,
    race::{Average, Race, Times, time},
};
use crate::{Outcome, process};

const EASYRSA: &str = "/usr/share/easy-rsa/easyrsa";
const OURS: u32 = 10_000;
const THEIRS: u32 = 200;
const RUNS: usize = 5;
const AT_LEAST: f64 = 500.0;

pub(crate) fn run(scratch: &Path) -> Outcome<Part> {
    println!("show-expire with {OURS} certificates ...");
    let [large, small] = ["large", "small"].map(|name| scratch.join(name));
    prepare(&large, OURS)?;
    prepare(&small, THEIRS)?;
    let binary = certkeep().display().to_string();
    for (program, folder, rows) in [(binary.as_str(), &large, OURS), (EASYRSA, &small, THEIRS)] {
        let said = process::finish(&mut command(program, folder, &["show-expire"]))?.success()?;
        let listed = said.lines().filter(|line| line.starts_with("V | Serial: ")).count();
        if listed != usize::try_from(rows)? {
            return Err(format!("{program} lists {listed} of {rows} certificates").into());
        }
    }
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..RUNS {
        ours.push(time(&mut command(&binary, &large, &["show-expire"]))?);
        theirs.push(time(&mut command(EASYRSA, &small, &["show-expire"]))? * f64::from(OURS / THEIRS));
    }
    let race = Race {
        name: "show-expire",
        other: "easy-rsa",
        ours: Times::of(ours),
        theirs: Times::of(theirs),
        average: Average::Median,
        at_least: AT_LEAST,
    };
    Ok(Part {
        heading: "What expires",
        about: "`show-expire` with 10,000 certificates, all of them listed; easy-rsa with 200, its time\ntimes 50."
            .to_owned(),
        races: vec![race],
        limits: Vec::new(),
    })
}

/// A PKI with `count` certificates that end in 60 days: rows and files are copies of one real certificate's.
fn prepare(folder: &Path, count: u32) -> Outcome {
    fs::create_dir(folder)?;
    let binary = certkeep().display().to_string();
    for words in [&["init-pki"][..], &["build-ca", "nopass"], &["build-client-full", "client", "nopass"]] {
        process::finish(&mut command(&binary, folder, words))?.success()?;
    }
    let pki = folder.join("pki");
    // Debian's easy-rsa 3.1 works with its own settings of openssl, or not at all.
    fs::copy("/usr/share/easy-rsa/openssl-easyrsa.cnf", pki.join("openssl-easyrsa.cnf"))?;
    let row = fs::read_to_string(pki.join("index.txt"))?;
    let [status, end, revoked, _, file, _] =
        row.trim_end().split('\t').collect::<Vec<_>>().try_into().map_err(|_| "a row has six fields")?;
    let certificate = fs::read(pki.join("issued/client.crt"))?;
    let mut index = String::new();
    for number in 0..count {
        writeln!(index, "{status}\t{end}\t{revoked}\t4A{number:030X}\t{file}\t/CN=client{number}")?;
        fs::write(pki.join(format!("issued/client{number}.crt")), &certificate)?;
    }
    fs::write(pki.join("index.txt"), index)?;
    Ok(())
}

fn command(program: &str, folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", folder).env("LC_ALL", "C.UTF-8");
    command.env("EASYRSA_PKI", folder.join("pki")).env("EASYRSA_CERT_EXPIRE", "60");
    // The window of easy-rsa 3.1, which is 30 days unless it is told.
    command.env("EASYRSA_CERT_RENEW", "90");
    command.args(["--batch", "--use-algo=ec", "--curve=prime256v1"]).args(words);
    command
}
