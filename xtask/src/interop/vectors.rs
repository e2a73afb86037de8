// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stage four: the odd files of PyPI's `cryptography-vectors`, fed to every
//! command that reads a file.
//!
//! Nothing is said about what certkeep makes of them, only that it ends: no
//! panic, no signal, no hang, and no raw control character on the terminal.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

use super::{Report, certkeep, pki::clean};
use crate::{Outcome, process};

/// Commands that read the file `v` (or a file of the CA) of a PKI directory and change nothing.
const READING: &[&[&str]] = &[
    &["show-cert", "v"],
    &["show-cert", "v", "full"],
    &["--format=json", "show-cert", "v"],
    &["show-req", "v"],
    &["show-req", "v", "full"],
    &["--format=json", "show-req", "v"],
    &["show-crl"],
    &["--format=json", "show-crl"],
    &["verify-cert", "v"],
];

/// Commands that change the directory; each gets a fresh one.
const CHANGING: &[&[&str]] = &[
    &["import-req", "FILE", "w"],
    &["sign-req", "client", "v"],
    &["--copy-ext", "sign-req", "server", "v"],
    &["revoke-issued", "v"],
    &["gen-crl"],
];

/// Commands for which the file is the CA's certificate.
const AUTHORITY: &[&[&str]] = &[&["show-ca"], &["verify-cert", "v"], &["sign-req", "client", "v"]];

/// What is tried with the folders of [`OTHER_KINDS`]: each parser once.
const EACH_PARSER: &[&[&str]] =
    &[&["show-cert", "v", "full"], &["show-req", "v", "full"], &["show-crl"], &["import-req", "FILE", "w"]];

/// Folders of hundreds of files of one kind that is none of a PKI's: what is wrong with them
/// shows at their first bytes, whatever the command.
const OTHER_KINDS: &[&str] = &["PKITS_data/pkcs12", "PKITS_data/certpairs", "PKITS_data/smime"];

/// Where each copy goes: a file is tried as each kind.
const PLACES: &[&str] = &["issued/v.crt", "reqs/v.req", "crl.pem", "private/v.key"];

/// Seconds until a command counts as hanging.
const PATIENCE: &str = "10";

pub(crate) fn run(report: &mut Report) -> Outcome {
    let files = vectors()?;
    let template = tempfile::tempdir()?;
    prepare(template.path())?;
    let next = Mutex::new(files.iter());
    let results: Mutex<(usize, Vec<String>)> = Mutex::new((0, Vec::new()));
    let work = || -> Result<(), String> {
        loop {
            let Some(file) = next.lock().map_err(|error| error.to_string())?.next() else { return Ok(()) };
            let (checks, findings) = try_file(file, template.path()).map_err(|error| error.to_string())?;
            let mut results = results.lock().map_err(|error| error.to_string())?;
            results.0 += checks;
            results.1.extend(findings);
        }
    };
    let ended: Vec<Result<(), String>> = thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| Err("a worker panicked".into())))
            .collect()
    });
    ended.into_iter().collect::<Result<(), String>>()?;
    let (checks, findings) = results.into_inner().map_err(|error| error.to_string())?;
    report.checks += checks;
    findings.into_iter().for_each(|finding| report.finding(finding));
    Ok(())
}

/// Every file of the package that is no code.
fn vectors() -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for library in fs::read_dir(process::root().join("target/python/lib"))? {
        let package = library?.path().join("site-packages/cryptography_vectors");
        for folder in ["x509", "asymmetric"] {
            files.extend(process::files_under(&package.join(folder))?);
        }
    }
    files.retain(|file| file.extension().is_none_or(|extension| extension != "py" && extension != "pyc"));
    if files.len() < 500 {
        return Err("the test vectors are missing: `sh xtask/setup.sh` installs them".into());
    }
    Ok(files)
}

/// A PKI with a CA, to be copied for every file.
fn prepare(folder: &Path) -> Outcome {
    let pki = super::pki::Pki::new(folder.join("pki"), &["--use-algo=ec", "--curve=prime256v1"]);
    pki.certkeep(&["init-pki"])?;
    pki.certkeep(&["build-ca", "nopass"])?;
    pki.certkeep(&["gen-crl"])?;
    Ok(())
}

fn try_file(file: &Path, template: &Path) -> Outcome<(usize, Vec<String>)> {
    let mut findings = Vec::new();
    let reading = Trial::new(file, template)?;
    if OTHER_KINDS.iter().any(|folder| file.parent().is_some_and(|parent| parent.ends_with(folder))) {
        for words in EACH_PARSER {
            findings.extend(reading.run(words)?);
        }
        return Ok((EACH_PARSER.len(), findings));
    }
    for words in READING {
        findings.extend(reading.run(words)?);
    }
    for words in CHANGING {
        findings.extend(Trial::new(file, template)?.run(words)?);
    }
    let authority = Trial::new(file, template)?;
    fs::copy(file, authority.pki().join("ca.crt"))?;
    for words in AUTHORITY {
        findings.extend(authority.run(words)?);
    }
    Ok((READING.len() + CHANGING.len() + AUTHORITY.len(), findings))
}

/// A PKI directory in which the file stands in every place.
struct Trial<'file> {
    file: &'file Path,
    scratch: tempfile::TempDir,
}

impl<'file> Trial<'file> {
    fn new(file: &'file Path, template: &Path) -> Outcome<Self> {
        let trial = Self { file, scratch: tempfile::tempdir()? };
        let base = trial.scratch.path();
        for path in process::files_under(template)? {
            let copy = base.join(path.strip_prefix(template)?);
            fs::create_dir_all(copy.parent().unwrap_or(base))?;
            fs::copy(&path, &copy)?;
        }
        for folder in ["issued", "reqs", "certs_by_serial", "private"] {
            fs::create_dir_all(trial.pki().join(folder))?;
        }
        for place in PLACES {
            fs::copy(file, trial.pki().join(place))?;
        }
        Ok(trial)
    }

    fn pki(&self) -> PathBuf {
        self.scratch.path().join("pki")
    }

    /// Runs one command and judges how it ended and what it wrote.
    fn run(&self, words: &[&str]) -> Outcome<Vec<String>> {
        let mut command = clean(Path::new("timeout"), self.scratch.path());
        command.args(["--kill-after=1", PATIENCE]).arg(certkeep()).arg("--batch");
        command.arg(format!("--pki={}", self.pki().display()));
        command.args(["--passin=pass:password", "--passout=pass:password"]);
        for word in words {
            command.arg(if *word == "FILE" { self.file.as_os_str() } else { word.as_ref() });
        }
        let finished = process::finish(&mut command)?;
        let complain = |what: &str| format!("{}: {}: {what}", words.join(" "), self.file.display());
        let mut findings = Vec::new();
        match finished.code {
            Some(2) => findings.push(format!("{}\n    {}", complain("not a command"), finished.complaint())),
            Some(101) => findings.push(format!("{}\n    {}", complain("panic"), finished.complaint())),
            Some(124 | 137) => findings.push(complain("no end after 10 s")),
            Some(code) if code >= 128 => findings.push(complain(&format!("signal {}", code - 128))),
            None => findings.push(complain("a signal")),
            Some(_) => {}
        }
        for (stream, bytes) in [("stdout", &finished.stdout), ("stderr", &finished.stderr)] {
            if let Some(control) = raw_control(bytes) {
                findings.push(complain(&format!("{control} on {stream}")));
            }
        }
        Ok(findings)
    }
}

/// A control character (C0, DEL, C1) or invalid UTF-8 that would reach a terminal.
fn raw_control(bytes: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Some("invalid UTF-8".to_owned()) };
    let control =
        text.chars().find(|character| character.is_control() && !matches!(character, '\n' | '\t'))?;
    Some(format!("U+{:04X}", u32::from(control)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_found() {
        assert_eq!(raw_control("a\tb\nü\n".as_bytes()), None);
        assert_eq!(raw_control(b"\x1b[31m").as_deref(), Some("U+001B"));
        assert_eq!(raw_control("\u{9b}31m".as_bytes()).as_deref(), Some("U+009B"));
        assert_eq!(raw_control(b"\r").as_deref(), Some("U+000D"));
        assert_eq!(raw_control(b"\xff").as_deref(), Some("invalid UTF-8"));
    }
}
