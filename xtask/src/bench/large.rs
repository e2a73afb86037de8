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

pub(crate) fn run(scratch: &Path) -> Outcome<Part> {
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
            (name, "openssl ca", AT_LEAST),
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
    let about = "An index.txt of 100,000 rows, 50,000 of them revoked; P-256, no passphrase; the same
directory for both."
        .to_owned();
    Ok(Part { heading: "A large CA", about, races })
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
