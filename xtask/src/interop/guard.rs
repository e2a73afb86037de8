// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stage five: the guard's engine on the files of PyPI's
//! `cryptography-vectors`, against the opinion of Python's cryptography.
//!
//! A file with a private key has a finding, and the finding's public half is
//! that of the key; a file without one has none. Where the two disagree, the
//! file is listed here with the reason.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::Report;
use crate::{Outcome, process};

/// Private keys that cryptography does not load: the engine finds a key whether
/// or not somebody can use it.
const KEYS: [(&str, &str); 28] = [
    ("asymmetric/DH/dh_key_256.pem", "a group that is too small"),
    ("asymmetric/EC/ec-missing-curve.pem", "the curve is not told"),
    ("asymmetric/EC/ec_private_key_non_zero_unused_bits.der", "the public half is damaged"),
    ("asymmetric/EC/explicit_parameters_private_key.pem", "the curve is told in numbers"),
    ("asymmetric/EC/explicit_parameters_wap_wsg_idm_ecid_wtls11_private_key.pem", "the same"),
    ("asymmetric/EC/secp128r1_private_key.pem", "another curve"),
    ("asymmetric/EC/secp256k1-explicit-no-seed.pem", "the curve is told in numbers"),
    ("asymmetric/EC/truncated-private-key.der", "a number that is too short"),
    ("asymmetric/MLDSA/mldsa65_noseed_priv.der", "the expanded key without its seed"),
    ("asymmetric/OpenSSH/sk-ecdsa-nopsw.key", "a key in a token"),
    ("asymmetric/OpenSSH/sk-ecdsa-psw.key", "a key in a token"),
    ("asymmetric/OpenSSH/sk-ed25519-nopsw.key", "a key in a token"),
    ("asymmetric/OpenSSH/sk-ed25519-psw.key", "a key in a token"),
    ("asymmetric/PKCS8/bad-oid-dsa-key.pem", "another algorithm's identifier"),
    ("asymmetric/PKCS8/ec-inconsistent-curve.pem", "two curves are told"),
    ("asymmetric/PKCS8/ec-inconsistent-curve2.pem", "two curves are told"),
    ("asymmetric/PKCS8/ec-invalid-private-scalar.pem", "a number above the group's order"),
    ("asymmetric/PKCS8/ec-invalid-version.pem", "the version of the inner structure"),
    ("asymmetric/PKCS8/ec_oid_not_in_reg_private_2.pkcs8.pem", "another curve"),
    ("asymmetric/PKCS8/invalid-version.der", "version 1 without what it brings"),
    ("asymmetric/PKCS8/nodompar_private.pkcs8.pem", "a GOST key"),
    ("asymmetric/PKCS8/private.pem", "a GOST key"),
    ("asymmetric/PKCS8/unknown-oid.der", "an unknown algorithm"),
    ("asymmetric/PKCS8/withdompar_private.pkcs8.pem", "a GOST key"),
    ("asymmetric/PKCS8/wrong-pem-delimiter-rsa.pem", "PKCS#8 under the label of PKCS#1"),
    (
        "asymmetric/Traditional_OpenSSL_Serialization/key1-malformed-dek-info.pem",
        "encrypted in a way that is not told",
    ),
    (
        "asymmetric/Traditional_OpenSSL_Serialization/key1-no-dek-info.pem",
        "encrypted in a way that is not told",
    ),
    ("x509/cryptography.io.with_headers.pem", "a key after certificates"),
];

/// Keys of cryptography's that the engine only suspects.
const SUSPECTED: [(&str, &str); 2] = [
    ("asymmetric/DSA/custom/nilpotent.pem", "made to hang a verifier: a modulus of 5 bits"),
    ("asymmetric/PKCS8/bad-encryption-oid.pem", "encrypted by an algorithm that does not encrypt"),
];

/// Files that count as locked or clear for one of the two only.
const OTHER_PROTECTION: [(&str, &str); 2] = [
    ("pkcs12/cert-none-key-none.p12", "the key is in the clear, the passphrase is that of the MAC"),
    ("pkcs12/no-password.p12", "encrypted under the empty passphrase, which is not tried"),
];

/// Bundles of keys, of which cryptography reads the first.
const BUNDLES: [&str; 1] = ["asymmetric/ECDSA/RFC6979/evppkey_ecdsa_rfc6979.txt"];

/// Keys in the clear whose public half both tell; those of DH, Montgomery curves
/// and the like have it only in numbers that the engine does not work with.
const LEAST_AGREED: usize = 40;

/// A line of the engine's.
struct Found {
    parsed: bool,
    locked: bool,
    public_key: String,
}

pub(crate) fn run(report: &mut Report) -> Outcome {
    let root = root()?;
    let files: String = process::files_under(&root)?
        .into_iter()
        .filter(|file| file.extension().is_none_or(|extension| extension != "py" && extension != "pyc"))
        .map(|file| format!("{}\n", file.display()))
        .collect();
    report.check(files.lines().count() > 2000, || "the test vectors are not complete".to_owned());

    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "--locked", "--package", "certkeep-guard", "--example", "detect"]);
    let mut found: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    for line in ask(&mut cargo, &files)?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [path, certainty, protection, _, _, public_key, _] = fields.as_slice() else {
            return Err(format!("not a line of the engine: {line}").into());
        };
        found.entry((*path).to_owned()).or_default().push(Found {
            parsed: *certainty == "Parsed",
            locked: *protection == "Passphrase",
            public_key: (*public_key).to_owned(),
        });
    }

    let mut agreed = 0;
    let mut python = Command::new(process::root().join("target/python/bin/python"));
    python.arg(process::root().join("xtask/src/interop/private_keys.py"));
    for line in ask(&mut python, &files)?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [path, kind, public_key] = fields.as_slice() else {
            return Err(format!("not a line of the script: {line}").into());
        };
        let name = Path::new(path).strip_prefix(&root)?.display().to_string();
        let found = found.get(*path).map_or(&[][..], Vec::as_slice);
        judge(report, &name, kind, public_key, found);
        agreed +=
            usize::from(found.iter().any(|found| !public_key.is_empty() && found.public_key == *public_key));
    }
    report.check(agreed >= LEAST_AGREED, || format!("the public half was told of {agreed} keys only"));
    Ok(())
}

fn judge(report: &mut Report, name: &str, kind: &str, public_key: &str, found: &[Found]) {
    let listed = |list: &[(&str, &str)]| list.iter().any(|(file, _)| *file == name);
    let parsed: Vec<&Found> = found.iter().filter(|found| found.parsed).collect();
    let suspected = listed(&SUSPECTED);
    let expected = (kind != "none" && !suspected) || listed(&KEYS);
    report.check(parsed.is_empty() != expected, || {
        let what = if expected { "no finding" } else { "a finding" };
        format!("{name}: {what}, but for cryptography it is `{kind}`")
    });
    report.check(!suspected || !found.is_empty(), || format!("{name}: not even a note"));
    if kind == "none" || BUNDLES.contains(&name) {
        return;
    }
    let other = listed(&OTHER_PROTECTION);
    for finding in parsed {
        report.check((finding.locked == (kind == "locked")) != other, || {
            format!("{name}: locked is {}, but for cryptography it is `{kind}`", finding.locked)
        });
        // Without a passphrase and without a public half in the file nothing can be told.
        let told = finding.public_key.as_str();
        report.check(public_key.is_empty() || told.is_empty() || told == public_key, || {
            format!("{name}: public key {told}, but for cryptography {public_key}")
        });
    }
}

/// Runs a program with something to read, and gives what it wrote.
fn ask(command: &mut Command, input: &str) -> Outcome<String> {
    let mut child =
        command.current_dir(process::root()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut pipe = child.stdin.take().ok_or("no pipe")?;
    let input = input.to_owned();
    let writer = std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().map_err(|_| "the writer panicked")??;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Where the vectors are.
fn root() -> Outcome<PathBuf> {
    for library in std::fs::read_dir(process::root().join("target/python/lib"))? {
        let package = library?.path().join("site-packages/cryptography_vectors");
        if package.is_dir() {
            return Ok(package);
        }
    }
    Err("the test vectors are missing: `sh xtask/setup.sh` installs them".into())
}
