// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every everyday command, against easy-rsa: P-256, no passphrase.
//!
//! Both start from the same directory, which easy-rsa made.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Part, certkeep,
    race::{self, Race},
};
use crate::{Outcome, process};

const EASYRSA: &str = "/usr/share/easy-rsa/easyrsa";
const RUNS: usize = 20;
const AT_LEAST: f64 = 10.0;

/// In which state a command finds the PKI.
#[derive(Clone, Copy)]
enum State {
    Nothing,
    Initialised,
    /// A CA, requests, certificates, one revoked.
    Used,
}

/// A command, as certkeep and as easy-rsa 3.1 spell it.
struct Task {
    name: &'static str,
    state: State,
    ours: &'static [&'static str],
    theirs: &'static [&'static str],
}

const fn same(name: &'static str, state: State, words: &'static [&'static str]) -> Task {
    Task { name, state, ours: words, theirs: words }
}

const TASKS: &[Task] = &[
    same("init-pki", State::Nothing, &["init-pki"]),
    same("build-ca", State::Initialised, &["build-ca", "nopass"]),
    same("gen-req", State::Used, &["--req-cn=new", "gen-req", "new", "nopass"]),
    same("import-req", State::Used, &["import-req", "pki/reqs/asked.req", "imported"]),
    same("sign-req", State::Used, &["sign-req", "server", "asked"]),
    same("build-server-full", State::Used, &["build-server-full", "new", "nopass"]),
    same("build-client-full", State::Used, &["build-client-full", "new", "nopass"]),
    Task {
        name: "revoke-issued",
        state: State::Used,
        ours: &["revoke-issued", "alice", "keyCompromise"],
        theirs: &["revoke", "alice", "keyCompromise"],
    },
    same("renew", State::Used, &["renew", "alice", "nopass"]),
    same("export-p12", State::Used, &["export-p12", "alice", "nopass"]),
    same("gen-crl", State::Used, &["gen-crl"]),
    same("update-db", State::Used, &["update-db"]),
    same("show-req", State::Used, &["show-req", "asked"]),
    same("show-cert", State::Used, &["show-cert", "alice"]),
    same("show-ca", State::Used, &["show-ca"]),
    Task {
        name: "verify-cert",
        state: State::Used,
        ours: &["verify-cert", "alice"],
        theirs: &["verify", "alice"],
    },
];

pub(crate) fn run(scratch: &Path) -> Outcome<Part> {
    let [nothing, initialised, used] = ["nothing", "initialised", "used"].map(|name| scratch.join(name));
    for folder in [&nothing, &initialised, &used] {
        fs::create_dir(folder)?;
    }
    let prepare =
        |folder: &Path, words: &[&str]| process::finish(&mut command(EASYRSA, folder, words))?.success();
    prepare(&initialised, &["init-pki"])?;
    prepare(&used, &["init-pki"])?;
    prepare(&used, &["build-ca", "nopass"])?;
    prepare(&used, &["build-client-full", "alice", "nopass"])?;
    prepare(&used, &["build-client-full", "gone", "nopass"])?;
    prepare(&used, &["revoke", "gone"])?;
    prepare(&used, &["--req-cn=asked", "gen-req", "asked", "nopass"])?;
    prepare(&used, &["gen-crl"])?;
    let template = |state: State| -> &PathBuf {
        match state {
            State::Nothing => &nothing,
            State::Initialised => &initialised,
            State::Used => &used,
        }
    };
    let mut races: Vec<Race> = Vec::new();
    for task in TASKS {
        println!("{} ...", task.name);
        let certkeep = certkeep().display().to_string();
        races.push(race::race(
            (task.name, "easy-rsa", AT_LEAST),
            (RUNS, race::Average::Median),
            template(task.state),
            &|folder| command(&certkeep, folder, task.ours),
            &|folder| command(EASYRSA, folder, task.theirs),
        )?);
    }
    let about = "P-256, no passphrases, `--batch`, on a directory that easy-rsa made.".to_owned();
    Ok(Part { heading: "Everyday commands", about, races, limits: Vec::new() })
}

/// `program` with `words` on the PKI `pki` of `folder`.
fn command(program: &str, folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", folder).env("LC_ALL", "C.UTF-8");
    // easy-rsa 3.1 renews only what ends within so many days.
    command.env("EASYRSA_PKI", folder.join("pki")).env("EASYRSA_CERT_RENEW", "99999");
    command.args(["--batch", "--use-algo=ec", "--curve=prime256v1"]).args(words);
    command
}
