// SPDX-License-Identifier: MIT OR Apache-2.0
//! A CA with 100,000 rows in index.txt, half of them revoked, against `openssl ca`.
//!
//! The rows are made up; the CA, one certificate and one request are real.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use sha2::{Digest, Sha256};

use super::{Part, certkeep, race};
use crate::{Outcome, process};

const ROWS: u32 = 100_000;
const RUNS: usize = 10;
const AT_LEAST: f64 = 5.0;

const CONFIGURATION: &str = "[ca]
default_ca = pki
[pki]
database = pki/index.txt
serial = pki/serial
new_certs_dir = pki/certs_by_serial
certificate = pki/ca.crt
private_key = pki/private/ca.key
default_md = sha256
default_days = 825
default_crl_days = 180
unique_subject = no
policy = any
x509_extensions = client
crl_extensions = crl
[any]
commonName = supplied
[client]
basicConstraints = CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
extendedKeyUsage = clientAuth
keyUsage = digitalSignature
[crl]
authorityKeyIdentifier = keyid
";

/// In memory, so that programs are compared: `openssl ca` does not wait for its
/// disk, certkeep calls nothing done before it is there.
pub(crate) fn in_memory(scratch: &Path) -> Outcome<Part> {
    const SHARED_MEMORY: &str = "/dev/shm";
    let about = "An index.txt of 100,000 rows, 50,000 of them revoked; P-256, no passphrase; the same
directory for both, on a file system in memory.";
    if !Path::new(SHARED_MEMORY).is_dir() {
        return run(scratch, "A large CA", about, AT_LEAST);
    }
    let memory = tempfile::tempdir_in(SHARED_MEMORY)?;
    run(memory.path(), "A large CA", about, AT_LEAST)
}

/// On the disk, for the record: what it costs that nothing is lost.
pub(crate) fn on_disk(scratch: &Path) -> Outcome<Part> {
    let about = "The same on a disk. certkeep waits until the new index.txt of 8 MB is on it, openssl does
not; so there is no limit here.";
    run(scratch, "A large CA on a disk", about, 0.0)
}

fn run(scratch: &Path, heading: &'static str, about: &str, at_least: f64) -> Outcome<Part> {
    let template = scratch.join("template");
    fs::create_dir(&template)?;
    let prepare = |words: &[&str]| process::finish(&mut ours(&template, words))?.success();
    prepare(&["init-pki"])?;
    prepare(&["build-ca", "nopass"])?;
    prepare(&["build-client-full", "victim", "nopass"])?;
    prepare(&["--req-cn=asked", "gen-req", "asked", "nopass"])?;
    let index = template.join("pki/index.txt");
    fs::write(&index, rows(&fs::read_to_string(&index)?)?)?;
    fs::write(template.join("ca.cnf"), CONFIGURATION)?;

    let tasks: [(&str, &[&str], &[&str]); 3] = [
        (
            "sign-req",
            &["sign-req", "client", "asked"],
            &["-batch", "-in", "pki/reqs/asked.req", "-out", "new.crt"],
        ),
        (
            "revoke-issued",
            &["revoke-issued", "victim", "keyCompromise"],
            &["-revoke", "pki/issued/victim.crt", "-crl_reason", "keyCompromise"],
        ),
        ("gen-crl", &["gen-crl"], &["-gencrl", "-out", "pki/crl.pem"]),
    ];
    let mut races = Vec::new();
    for (name, our_words, their_words) in tasks {
        println!("{name} with {ROWS} rows ...");
        races.push(race::race(
            (name, "openssl ca", at_least),
            (RUNS, race::Average::Median),
            &template,
            &|folder| ours(folder, our_words),
            &|folder| {
                let mut command = Command::new("openssl");
                command.current_dir(folder).args(["ca", "-config", "ca.cnf"]).args(their_words);
                command
            },
        )?);
    }
    Ok(Part { heading, about: about.to_owned(), races, limits: Vec::new() })
}

/// The real rows with made-up ones before them.
fn rows(real: &str) -> Outcome<String> {
    let mut text = String::new();
    for number in 0..ROWS - 1 {
        let digest = Sha256::digest(number.to_be_bytes());
        let serial: String = digest.iter().take(15).map(|byte| format!("{byte:02X}")).collect();
        match number % 4 {
            0 | 2 => write!(text, "V\t290101000000Z\t\t")?,
            1 => write!(text, "R\t290101000000Z\t261001000000Z\t")?,
            _ => write!(text, "R\t290101000000Z\t261001000000Z,superseded\t")?,
        }
        writeln!(text, "4A{serial}\tunknown\t/CN=client{number}")?;
    }
    text.push_str(real);
    Ok(text)
}

fn ours(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(certkeep());
    command.current_dir(folder).env_clear().env("HOME", folder);
    command.args(["--batch", "--pki=pki", "--use-algo=ec", "--curve=prime256v1"]).args(words);
    command
}
