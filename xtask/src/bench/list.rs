// SPDX-License-Identifier: MIT OR Apache-2.0
//! The inventory of 10,000 certificates, in every form.
//!
//! One certificate is real; the others are it with another name and another serial
//! number. Their signatures are wrong, which a list does not ask about.

use std::{fs, path::Path, process::Command};

use super::{Limit, Part, Wanted, certkeep, ground::Ground, race};
use crate::{Outcome, process};

const CERTIFICATES: usize = 10_000;
const RUNS: usize = 9;

/// Milliseconds for each form.
const LIMIT: f64 = 300.0;

/// The copies: certificate twice, key and request, as easy-rsa files them.
const COPIES: &str = r#"
import base64, hashlib, os, re, sys
pki, count, name = sys.argv[1], int(sys.argv[2]), "client000000"
read = lambda path: open(os.path.join(pki, path), "rb").read()
pem = re.compile(b"-----BEGIN CERTIFICATE-----(.*?)-----END", re.S)
der = base64.b64decode(pem.search(read(f"issued/{name}.crt"))[1])
key, request = read(f"private/{name}.key"), read(f"reqs/{name}.req")
row = read("index.txt").decode().split("\t")
serial = bytes.fromhex(row[3])
os.remove(os.path.join(pki, "certs_by_serial", row[3] + ".pem"))
rows = []
for number in range(count):
    copy = f"client{number:06}"
    digits = serial[:1] + hashlib.sha256(copy.encode()).digest()[: len(serial) - 1]
    body = base64.encodebytes(der.replace(serial, digits, 1).replace(name.encode(), copy.encode()))
    text = b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
    number = digits.hex().upper()
    for path, contents in [
        (f"issued/{copy}.crt", text),
        (f"certs_by_serial/{number}.pem", text),
        (f"private/{copy}.key", key),
        (f"reqs/{copy}.req", request),
    ]:
        open(os.path.join(pki, path), "wb").write(contents)
    rows.append("\t".join(["V", row[1], "", number, "unknown", f"/CN={copy}"]))
open(os.path.join(pki, "index.txt"), "w").write("\n".join(rows) + "\n")
"#;

/// The forms, as `--format` names them, and what a limit is called.
const FORMS: [(&str, &str); 6] = [
    ("text", "as a table"),
    ("json", "as JSON"),
    ("csv", "as CSV"),
    ("ics", "as a calendar"),
    ("prometheus", "as metrics"),
    ("html", "as a page"),
];

pub(crate) fn run(scratch: &Path) -> Outcome<Part> {
    println!("an inventory of {CERTIFICATES} certificates ...");
    let home = scratch.join("home");
    fs::create_dir(&home)?;
    let ground = Ground::repository(scratch.join("list"), &home)?;
    ground.does(
        "exec 2>/dev/null; export EASYRSA_BATCH=1 EASYRSA_ALGO=ec EASYRSA_CURVE=prime256v1 EASYRSA_NO_PASS=1
         certkeep init-pki; certkeep build-ca; certkeep build-client-full client000000; certkeep gen-crl",
    )?;
    let pki = ground.top.join("pki");
    let mut python = Command::new("python3");
    python.args(["-c", COPIES]).arg(&pki).arg(CERTIFICATES.to_string());
    process::finish(&mut python)?.success()?;
    let listed = ground.does("certkeep list --no-ca --silent | tail -n +2 | wc -l")?;
    if listed.trim() != CERTIFICATES.to_string() {
        return Err(format!("{} certificates are listed", listed.trim()).into());
    }
    let mut limits = Vec::new();
    let mut most: f64 = 0.0;
    for (form, name) in FORMS {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let mut command = Command::new(certkeep());
            command.current_dir(&ground.top).env_clear().env("HOME", &home);
            times.push(race::time(command.args(["list", "--format", form]))?);
        }
        let measured = race::Times::of(times).average(race::Average::Median);
        limits.push(Limit { name, measured, unit: "ms", wanted: Wanted::AtMost(LIMIT) });
        most = most.max(ground.costs(&format!("certkeep list --format {form}"))?.megabytes);
    }
    limits.push(Limit {
        name: "peak memory, the most of them",
        measured: most,
        unit: "MB",
        wanted: Wanted::Anything,
    });
    let about = format!(
        "`certkeep list` of {CERTIFICATES} certificates: reads each of them, compares it with its copy in \
         certs_by_serial, and looks at the beginning of as many keys and requests, {} files in all, on as many \
         threads as there are processors, eight at most. Medians of {RUNS} runs with the files in the system's cache.",
        4 * CERTIFICATES
    );
    Ok(Part { heading: "The inventory", about, races: Vec::new(), limits })
}
