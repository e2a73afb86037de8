// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stage six: the forms of `certkeep list`, read by those for whom they are made.
//!
//! A CA below another one, with names that somebody chose to do harm, lists itself
//! in every form. `inventory.py` reads them with Python's csv and cryptography, the
//! icalendar library and Prometheus's own parser; `browser.py` has Chromium show
//! the page, type into its search, and say what it complains about or fetches. With
//! a folder in CERTKEEP_PICTURES, pictures of the page go there.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use super::{Report, pki::Pki};
use crate::{Outcome, process};

/// Common names, at most 64 characters long.
const HOSTILE: [&str; 11] = [
    "<script>window.harmed = 1</script>",
    "\"><img src=x onerror=window.harmed=1>",
    "'-alert(1)-'",
    "=HYPERLINK(\"http://x.example\";\"x\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "a,b;c\\d:e\\nEND:VEVENT",
    "gpj.\u{202e}exe",
    "שלום.example",
    "مثال إختبار",
    "東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京",
    "www.averyveryveryverylongnamewithoutanyplacetobreakit.example.net",
];

const FORMS: [&str; 5] = ["json", "csv", "ics", "prometheus", "html"];

pub(crate) fn run(report: &mut Report) -> Outcome {
    let scratch = tempfile::tempdir()?;
    let pki = hostile(scratch.path())?;
    for form in FORMS {
        let text = pki.certkeep(&["list", "--format", form])?;
        fs::write(scratch.path().join(format!("list.{form}")), text)?;
    }
    let path = |name: &str| scratch.path().join(name);
    ask(report, "inventory.py", &[&pki.folder, scratch.path()])?;
    let pictures = env::var_os("CERTKEEP_PICTURES").map(PathBuf::from);
    let (page, json, folder) = (path("list.html"), path("list.json"), path(""));
    let paths = [&page, &json, &folder].into_iter().chain(&pictures);
    ask(report, "browser.py", &paths.map(PathBuf::as_path).collect::<Vec<_>>())
}

/// A CA below a root, which has issued to everybody above and revoked, renewed and
/// put aside some.
fn hostile(folder: &Path) -> Outcome<Pki> {
    let options = ["--use-algo=ec", "--curve=prime256v1"];
    let (root, below) = (Pki::new(folder.join("root"), &options), Pki::new(folder.join("pki"), &options));
    for (pki, words) in [
        (&root, &["init-pki"][..]),
        (&root, &["--req-cn=Root & <b>Sons</b>", "build-ca", "nopass"]),
        (&below, &["init-pki"]),
        (&below, &["--req-cn=Issuing CA", "build-ca", "nopass", "subca"]),
    ] {
        pki.certkeep(words)?;
    }
    let request = below.file("reqs/ca.req").display().to_string();
    root.certkeep(&["import-req", &request, "below"])?;
    root.certkeep(&["sign-req", "ca", "below"])?;
    let chain = [root.file("issued/below.crt"), root.file("ca.crt")].map(fs::read).into_iter();
    fs::write(below.file("ca.crt"), chain.collect::<Result<Vec<_>, _>>()?.concat())?;
    for (number, name) in HOSTILE.iter().enumerate() {
        let name: String = name.chars().take(64).collect();
        let file = format!("name{number}");
        below.certkeep(&[&format!("--req-cn={name}"), "gen-req", &file, "nopass"])?;
        let days = format!("--days={}", 3 + 60 * number);
        below.certkeep(&[&days, "sign-req", "client", &file])?;
    }
    for name in ["web", "gone", "twice", "aside"] {
        below.certkeep(&[
            "--days=100",
            "--nopass",
            "issue",
            "server",
            name,
            &format!("{name}.example.net"),
        ])?;
    }
    // Nothing is issued that has ended, so this one has to be waited for.
    let soon = process::finish(Command::new("date").args(["-u", "-d", "3 seconds", "+%Y%m%d%H%M%SZ"]))?;
    let end = format!("--enddate={}", soon.success()?.trim());
    below.certkeep(&[&end, "--nopass", "issue", "server", "over"])?;
    thread::sleep(Duration::from_secs(5));
    below.certkeep(&["revoke-issued", "gone", "keyCompromise"])?;
    below.certkeep(&["renew", "twice"])?;
    below.certkeep(&["expire", "aside"])?;
    below.certkeep(&["gen-crl"])?;
    Ok(below)
}

/// Runs a script, which writes its findings, a line each, and how much it checked.
fn ask(report: &mut Report, script: &str, paths: &[&Path]) -> Outcome {
    let python = process::root().join("target/python/bin/python");
    if !python.exists() {
        return Err("target/python is missing: `sh xtask/setup.sh` makes it".into());
    }
    let script = process::root().join("xtask/src/interop").join(script);
    let said = process::finish(Command::new(python).arg(&script).args(paths))?.success()?;
    let mut ended = false;
    for line in said.lines() {
        match line.strip_prefix("checks ").map(str::parse::<usize>) {
            Some(Ok(checks)) => {
                report.checks += checks;
                ended = true;
            }
            _ => report.finding(line.to_owned()),
        }
    }
    report.check(ended, || format!("{} did not come to its end", script.display()));
    Ok(())
}
