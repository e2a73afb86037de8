// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stage three: easy-rsa and certkeep take turns on one PKI directory.
//!
//! Each story is a list of turns. After it, what must have happened is
//! compared with what index.txt, the CRL, the files, openssl and certkeep say.

use std::{collections::BTreeMap, fs, process::Command};

use super::{
    Report,
    pki::{
        Pki,
        Program::{self, Certkeep, Easyrsa},
        openssl,
    },
};
use crate::{Outcome, process};

/// One command of one program.
struct Turn(Program, &'static [&'static str]);

/// A PKI that both programs work on.
struct Story {
    name: &'static str,
    options: &'static [&'static str],
    turns: &'static [Turn],
}

const STORIES: &[Story] = &[
    Story {
        name: "easy-rsa begins, certkeep builds the CA",
        options: &["--use-algo=ec", "--curve=prime256v1"],
        turns: &[
            Turn(Easyrsa, &["init-pki"]),
            Turn(Certkeep, &["--req-cn=Turns", "build-ca", "nopass"]),
            Turn(Easyrsa, &["build-server-full", "s1", "nopass"]),
            Turn(Certkeep, &["build-server-full", "s2", "nopass"]),
            Turn(Easyrsa, &["build-client-full", "c1", "nopass"]),
            Turn(Certkeep, &["build-client-full", "c2", "nopass"]),
            Turn(Certkeep, &["revoke-issued", "s1", "keyCompromise"]),
            Turn(Easyrsa, &["gen-crl"]),
            Turn(Easyrsa, &["revoke", "c2", "superseded"]),
            Turn(Certkeep, &["gen-crl"]),
            Turn(Easyrsa, &["--req-cn=r1", "gen-req", "r1", "nopass"]),
            Turn(Certkeep, &["--san=DNS:r1.example.com", "sign-req", "server", "r1"]),
            Turn(Certkeep, &["--req-cn=r2", "gen-req", "r2", "nopass"]),
            Turn(Easyrsa, &["--san=DNS:r2.example.com", "sign-req", "server", "r2"]),
            Turn(Certkeep, &["show-cert", "r2"]),
            Turn(Easyrsa, &["show-cert", "r1"]),
            Turn(Easyrsa, &["show-req", "r2"]),
            Turn(Certkeep, &["show-req", "r1"]),
            Turn(Certkeep, &["show-crl"]),
            Turn(Easyrsa, &["revoke", "r1"]),
            Turn(Certkeep, &["revoke-issued", "r2"]),
            Turn(Easyrsa, &["update-db"]),
            Turn(Certkeep, &["update-db"]),
            Turn(Certkeep, &["build-client-full", "c2", "nopass"]),
            Turn(Easyrsa, &["build-server-full", "s1", "nopass"]),
            Turn(Easyrsa, &["gen-crl"]),
            Turn(Certkeep, &["gen-crl"]),
            Turn(Easyrsa, &["gen-crl"]),
        ],
    },
    Story {
        name: "certkeep begins, easy-rsa builds the CA under a passphrase",
        options: &["--use-algo=rsa", "--keysize=2048", "--passin=pass:turn and turn"],
        turns: &[
            Turn(Certkeep, &["init-pki"]),
            Turn(Easyrsa, &["--passout=pass:turn and turn", "--req-cn=Turns", "build-ca"]),
            Turn(Certkeep, &["build-server-full", "s1", "nopass"]),
            Turn(Easyrsa, &["build-server-full", "s2", "nopass"]),
            Turn(Certkeep, &["--passout=pass:leaf word", "build-client-full", "c1"]),
            Turn(Easyrsa, &["--passout=pass:leaf word", "build-client-full", "c2"]),
            Turn(Easyrsa, &["revoke", "c1", "cessationOfOperation"]),
            Turn(Certkeep, &["revoke-issued", "c2", "affiliationChanged"]),
            Turn(Certkeep, &["gen-crl"]),
            Turn(Easyrsa, &["gen-crl"]),
            Turn(Certkeep, &["--req-cn=sub", "gen-req", "sub", "nopass"]),
            Turn(Easyrsa, &["--subca-len=0", "sign-req", "ca", "sub"]),
            Turn(Easyrsa, &["--req-cn=sub2", "gen-req", "sub2", "nopass"]),
            Turn(Certkeep, &["--subca-len=0", "sign-req", "ca", "sub2"]),
            Turn(Certkeep, &["--req-cn=both", "gen-req", "both", "nopass"]),
            Turn(Certkeep, &["sign-req", "serverClient", "both"]),
            Turn(Easyrsa, &["--req-cn=mail", "gen-req", "mail", "nopass"]),
            Turn(Certkeep, &["--san=email:mail@example.com", "sign-req", "email", "mail"]),
            Turn(Easyrsa, &["revoke", "both", "keyCompromise"]),
            Turn(Certkeep, &["revoke-issued", "mail"]),
            Turn(Certkeep, &["update-db"]),
            Turn(Easyrsa, &["gen-crl"]),
            Turn(Certkeep, &["gen-crl"]),
        ],
    },
    Story {
        name: "certkeep builds the CA under a passphrase, easy-rsa goes on",
        options: &["--use-algo=ec", "--curve=secp384r1", "--passin=pass:other turn"],
        turns: &[
            Turn(Easyrsa, &["init-pki"]),
            Turn(Certkeep, &["--passout=pass:other turn", "--req-cn=Turns", "build-ca"]),
            Turn(Easyrsa, &["build-client-full", "c1", "nopass"]),
            Turn(Certkeep, &["build-client-full", "c2", "nopass"]),
            Turn(Easyrsa, &["build-client-full", "c3", "nopass"]),
            Turn(Easyrsa, &["revoke", "c2"]),
            Turn(Certkeep, &["revoke-issued", "c1", "certificateHold"]),
            Turn(Easyrsa, &["gen-crl"]),
            Turn(Certkeep, &["gen-crl"]),
            Turn(Certkeep, &["show-ca"]),
        ],
    },
];

/// Says where openssl's tool finds the database.
const CONFIGURATION: &str = "[ca]
default_ca = pki
[pki]
database = PKI/index.txt
serial = PKI/serial
new_certs_dir = PKI/certs_by_serial
certificate = PKI/ca.crt
private_key = PKI/private/ca.key
default_md = sha256
default_days = 1
policy = any
[any]
commonName = supplied
";

pub(crate) fn run(report: &mut Report) -> Outcome {
    for story in STORIES {
        let scratch = tempfile::tempdir()?;
        let pki = Pki::new(scratch.path().join("pki"), story.options);
        let mut expected = Expected::default();
        for (number, Turn(program, words)) in (1..).zip(story.turns) {
            let finished = pki.run(*program, words)?;
            let good = finished.code == Some(0);
            report.check(good, || format!("{}, turn {number}: {}", story.name, finished.complaint()));
            if good {
                expected.happened(words);
            }
        }
        compare(story, &pki, &expected, report)?;
    }
    Ok(())
}

/// What the directory must hold after the turns.
#[derive(Default)]
struct Expected {
    /// Names of valid certificates; a name can be issued again after its revocation.
    valid: Vec<String>,
    /// Names of revoked certificates with the reason word.
    revoked: Vec<(String, String)>,
}

impl Expected {
    fn happened(&mut self, words: &[&str]) {
        let words: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
        match words.as_slice() {
            ["build-server-full" | "build-client-full", name, ..] | ["sign-req", _, name] => {
                self.valid.push((*name).to_owned());
            }
            ["revoke" | "revoke-issued", name, reason @ ..] => {
                self.valid.retain(|valid| valid != name);
                self.revoked.push(((*name).to_owned(), reason.concat()));
            }
            _ => {}
        }
    }
}

/// A row of index.txt as far as this stage looks at it.
struct Row {
    revoked: bool,
    reason: String,
    serial: String,
    name: String,
}

fn rows(index: &str) -> Vec<Row> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [status, _, revocation, serial, _, subject] = fields.as_slice() else { return None };
        let reason = revocation.split_once(',').map_or("", |(_, reason)| reason);
        let name = subject.rsplit_once("CN=").map_or(*subject, |(_, name)| name);
        Some(Row {
            revoked: *status == "R",
            reason: reason.to_owned(),
            serial: (*serial).to_owned(),
            name: name.to_owned(),
        })
    };
    index.lines().filter_map(row).collect()
}

fn compare(story: &Story, pki: &Pki, expected: &Expected, report: &mut Report) -> Outcome {
    let index = fs::read_to_string(pki.file("index.txt"))?;
    let rows = rows(&index);
    let place = story.name;
    report.check(rows.len() == index.lines().count(), || {
        format!("{place}: index.txt has rows of another form")
    });

    let mut valid: Vec<&str> = rows.iter().filter(|row| !row.revoked).map(|row| row.name.as_str()).collect();
    let mut wanted: Vec<&str> = expected.valid.iter().map(String::as_str).collect();
    valid.sort_unstable();
    wanted.sort_unstable();
    report.check(valid == wanted, || format!("{place}: valid are {valid:?}, expected {wanted:?}"));

    let pair = |row: &Row| (row.name.clone(), row.reason.clone());
    let mut revoked: Vec<(String, String)> = rows.iter().filter(|row| row.revoked).map(pair).collect();
    let mut wanted = expected.revoked.clone();
    revoked.sort();
    wanted.sort();
    report.check(revoked == wanted, || format!("{place}: revoked are {revoked:?}, expected {wanted:?}"));

    files(place, pki, &rows, report)?;
    database(place, pki, &rows, report)?;
    certkeeps_view(place, pki, &rows, report)
}

/// Every certificate is where it belongs and verifies; the CRL lists the revoked.
fn files(place: &str, pki: &Pki, rows: &[Row], report: &mut Report) -> Outcome {
    let authority = pki.file("ca.crt").display().to_string();
    for row in rows {
        // easy-rsa 3.1: revoke - the copy in certs_by_serial goes.
        let (filed, key) = if row.revoked {
            (format!("revoked/certs_by_serial/{}.crt", row.serial), "revoked/private_by_serial/SERIAL.key")
        } else {
            report.check(pki.file(&format!("certs_by_serial/{}.pem", row.serial)).is_file(), || {
                format!("{place}: certs_by_serial/{}.pem is missing", row.serial)
            });
            (format!("issued/{}.crt", row.name), "private/NAME.key")
        };
        let key = key.replace("SERIAL", &row.serial).replace("NAME", &row.name);
        report.check(pki.file(&key).is_file(), || format!("{place}: {key} is missing"));
        let filed = pki.file(&filed).display().to_string();
        let said = report.take(openssl(&["x509", "-noout", "-serial", "-in", &filed]));
        report.check(said.is_none_or(|said| said.trim() == format!("serial={}", row.serial)), || {
            format!("{place}: {filed} holds another certificate")
        });
        report.take(openssl(&["verify", "-CAfile", &authority, &filed]));
    }
    let crl = pki.file("crl.pem").display().to_string();
    let text = openssl(&["crl", "-noout", "-text", "-in", &crl])?;
    let mut listed: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("Serial Number:")).map(str::trim).collect();
    let mut wanted: Vec<&str> =
        rows.iter().filter(|row| row.revoked).map(|row| row.serial.as_str()).collect();
    listed.sort_unstable();
    wanted.sort_unstable();
    report.check(listed == wanted, || format!("{place}: the CRL lists {listed:?}, index.txt {wanted:?}"));
    Ok(())
}

/// `openssl ca` reads the database and agrees on each row.
fn database(place: &str, pki: &Pki, rows: &[Row], report: &mut Report) -> Outcome {
    let configuration = pki.file("../openssl.cnf");
    fs::write(&configuration, CONFIGURATION.replace("PKI", &pki.folder.display().to_string()))?;
    for row in rows {
        let mut command = Command::new("openssl");
        command.args(["ca", "-config"]).arg(&configuration).args(["-status", &row.serial]);
        let said = process::finish(&mut command)?;
        let status = if row.revoked { "Revoked (R)" } else { "Valid (V)" };
        report.check(said.complaint().contains(&format!("{}={status}", row.serial)), || {
            format!("{place}: expected {status}: {}", said.complaint())
        });
    }
    let serial = fs::read_to_string(pki.file("serial"))?;
    let digits = serial.trim_end();
    let hexadecimal = digits.len() % 2 == 0 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    report.check(hexadecimal && !digits.is_empty(), || format!("{place}: the serial file holds {serial:?}"));
    Ok(())
}

/// certkeep reads everything that is there, whoever made it.
fn certkeeps_view(place: &str, pki: &Pki, rows: &[Row], report: &mut Report) -> Outcome {
    let shown = pki.certkeep(&["show-crl"])?.to_uppercase().replace(':', "");
    let mut names: BTreeMap<&str, &Row> = BTreeMap::new();
    for row in rows {
        if row.revoked {
            report.check(shown.contains(&row.serial), || format!("{place}: show-crl omits {}", row.serial));
        } else {
            names.insert(&row.name, row);
        }
    }
    for (name, row) in names {
        let Some(shown) = report.take(pki.certkeep(&["show-cert", name])) else { continue };
        report.check(shown.to_uppercase().replace(':', "").contains(&row.serial), || {
            format!("{place}: show-cert {name} does not show serial number {}", row.serial)
        });
        report.take(pki.certkeep(&["verify-cert", name]));
    }
    Ok(())
}
