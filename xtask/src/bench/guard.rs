// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guard: a commit of a thousand files against the two scanners that
//! Python projects use, a long history, and what each of the three finds.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use super::{
    Limit, Part, Wanted, certkeep,
    ground::Ground,
    race::{self, Average, Race, Times},
};
use crate::{Outcome, process};

/// Files of the commit.
const FILES: usize = 1_000;
/// Versions of each file in the history, and how many files there are.
const VERSIONS: usize = 100;
const HISTORY_FILES: usize = 250;
const RUNS: usize = 11;

/// Files that hold a private key, and how they are made.
const LEAKS: &[(&str, &str)] = &[
    ("PKCS#8 in PEM", "openssl genpkey -quiet -algorithm ed25519 -out leak"),
    ("PKCS#8 under a passphrase", "openssl genpkey -quiet -algorithm ed25519 -aes256 -pass pass:x -out leak"),
    ("PKCS#1 in PEM", "openssl genrsa -traditional -out leak 2048 2>/dev/null"),
    ("OpenSSH", "ssh-keygen -q -t ed25519 -N '' -f leak"),
    ("DER", "openssl genpkey -quiet -algorithm ed25519 -outform DER -out leak"),
    (
        "PKCS#12",
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -subj /CN=x 2>/dev/null
         openssl pkcs12 -export -inkey k -in c -passout pass:x -out leak",
    ),
    (
        "PEM in a JSON string",
        "openssl genpkey -quiet -algorithm ed25519 |
             python3 -c 'import json, sys; print(json.dumps({\"key\": sys.stdin.read()}))' >leak",
    ),
    ("PEM in UTF-16", "openssl genpkey -quiet -algorithm ed25519 | iconv -t UTF-16 >leak"),
    ("PEM in base64", "openssl genpkey -quiet -algorithm ed25519 | base64 >leak"),
    ("PEM in a tar.gz", "openssl genpkey -quiet -algorithm ed25519 -out k; tar czf leak k"),
    ("age", "age-keygen -o leak 2>/dev/null"),
    (
        "OpenPGP, binary",
        "gpg -q --batch --passphrase '' --quick-gen-key leak ed25519 default never 2>/dev/null
         gpg -q --batch --export-secret-keys leak >leak",
    ),
];

/// Files with the words and without a key.
const INNOCENT: &[(&str, &str)] = &[
    ("source code with the words", "echo 'if text.startswith(\"-----BEGIN PRIVATE KEY-----\"):' >innocent"),
    (
        "documentation with dots for a key",
        "printf -- '-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----\\n' >innocent",
    ),
    (
        "a certificate",
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out innocent -subj /CN=x 2>/dev/null",
    ),
];

/// A scanner and how it is asked about files; it says so by its exit status.
struct Scanner {
    name: &'static str,
    command: String,
}

pub(crate) fn run(scratch: &Path) -> Outcome<Part> {
    let home = scratch.join("home");
    fs::create_dir(&home)?;
    let python = process::root().join("target/python/bin");
    let others = [
        Scanner {
            name: "detect-private-key of pre-commit",
            command: format!("{}/detect-private-key", python.display()),
        },
        Scanner { name: "detect-secrets", command: format!("{}/detect-secrets-hook", python.display()) },
    ];
    println!("a commit of {FILES} files ...");
    let commit = Ground::repository(scratch.join("commit"), &home)?;
    write_sources(&commit.top)?;
    commit.does("git add .")?;
    let races = races(&commit, &others)?;
    println!("a history of {} files ...", VERSIONS * HISTORY_FILES);
    let history = Ground::repository(scratch.join("history"), &home)?;
    let bytes = write_history(&history)?;
    let mut limits = vec![Limit {
        name: "a commit of 1,000 files",
        measured: races.first().map_or(f64::NAN, |race| race.ours.average(Average::Median)),
        unit: "ms",
        wanted: Wanted::AtMost(150.0),
    }];
    let costs = history.costs("certkeep guard --history --all-objects")?;
    let start = race::time(&mut history.command("certkeep guard --history --all-objects"))?;
    let limit = |name, measured, unit, wanted| Limit { name, measured, unit, wanted };
    let megabytes = bytes as f64 / 1e6;
    limits.push(limit(
        "history, per second of one core",
        megabytes / costs.processor_seconds,
        "MB/s",
        Wanted::AtLeast(200.0),
    ));
    limits.push(limit("history, as it is waited for", megabytes / start * 1000.0, "MB/s", Wanted::Anything));
    limits.push(limit("history, peak memory", costs.megabytes, "MB", Wanted::Anything));
    println!("what is found ...");
    let found = found(&Ground::repository(scratch.join("leaks"), &home)?, &others)?;
    let about = format!(
        "{FILES} staged files of this project's source code and documentation, {:.1} MB, without a key; the \
         others are given the same files by name. The history is {:.0} MB of blobs in one pack.\n\n{found}",
        size(&commit.top)? / 1e6,
        megabytes,
    );
    Ok(Part { heading: "The guard", about, races, limits })
}

fn races(commit: &Ground, others: &[Scanner]) -> Outcome<Vec<Race>> {
    let mut races = Vec::new();
    for other in others {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            ours.push(commit.time(":", "certkeep guard")?);
            theirs.push(commit.time(":", &format!("{} $(git ls-files) || true", other.command))?);
        }
        let (ours, theirs) = (Times::of(ours), Times::of(theirs));
        races.push(Race {
            name: "a commit of 1,000 files",
            other: other.name,
            ours,
            theirs,
            average: Average::Median,
            at_least: 1.0,
        });
    }
    Ok(races)
}

/// Copies of this project's own files, each a little different.
fn write_sources(folder: &Path) -> Outcome {
    let sources = sources()?;
    for (number, (path, text)) in sources.iter().cycle().take(FILES).enumerate() {
        let name = path.rsplit('/').next().unwrap_or("file");
        fs::write(folder.join(format!("{number:04}-{name}")), format!("{text}\n{number}\n"))?;
    }
    Ok(())
}

fn sources() -> Outcome<Vec<(String, String)>> {
    let mut git = Command::new("git");
    git.current_dir(process::root()).args(["ls-files", "crates/*/src/*.rs", "docs/*.md"]);
    let paths = process::finish(&mut git)?.success()?;
    let read = |path: &str| Ok((path.to_owned(), fs::read_to_string(process::root().join(path))?));
    paths.lines().map(read).collect()
}

/// A history in one pack; the bytes of its blobs.
fn write_history(ground: &Ground) -> Outcome<u64> {
    let sources = sources()?;
    let mut stream = Vec::new();
    let mut bytes = 0;
    for version in 0..VERSIONS {
        let message = format!("version {version}");
        stream.extend_from_slice(b"commit refs/heads/main\n");
        stream.extend_from_slice(format!("committer x <x@example.net> {version} +0000\n").as_bytes());
        stream.extend_from_slice(format!("data {}\n{message}\n", message.len()).as_bytes());
        for (number, (_, text)) in sources.iter().cycle().take(HISTORY_FILES).enumerate() {
            let text = text.replacen('\n', &format!("\n// {version} {number}\n"), 1 + version % 7);
            bytes += u64::try_from(text.len())?;
            stream
                .extend_from_slice(format!("M 100644 inline {number}.rs\ndata {}\n", text.len()).as_bytes());
            stream.extend_from_slice(text.as_bytes());
            stream.push(b'\n');
        }
    }
    fs::write(ground.top.join("stream"), stream)?;
    ground.does("git fast-import --quiet <stream; rm stream; git repack -adfq; git prune-packed")?;
    Ok(bytes)
}

fn size(folder: &Path) -> Outcome<f64> {
    let sizes = fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?)).collect::<Outcome<Vec<_>>>()?;
    Ok(sizes.iter().filter(|metadata| metadata.is_file()).map(|metadata| metadata.len() as f64).sum())
}

/// The table of what each scanner says of leaks and of what is none.
fn found(ground: &Ground, others: &[Scanner]) -> Outcome<String> {
    let ours = Scanner { name: "certkeep", command: format!("{} guard", certkeep().display()) };
    let scanners: Vec<&Scanner> = std::iter::once(&ours).chain(others).collect();
    let mut text = String::from("| a file with | certkeep guard |");
    for other in others {
        write!(text, " {} |", other.name)?;
    }
    write!(text, "\n|---|{}\n", "---|".repeat(scanners.len()))?;
    for (files, name, leaks) in [(LEAKS, "leak", true), (INNOCENT, "innocent", false)] {
        for (what, made) in files {
            ground.does(&format!("rm -rf scene ~/.gnupg; mkdir scene; cd scene; {made}; git add {name}"))?;
            write!(text, "| {what} |")?;
            for scanner in &scanners {
                let said = process::finish(
                    &mut ground.command(&format!("cd scene; exec {} {name}", scanner.command)),
                )?;
                let flagged = said.code != Some(0);
                let verdict = match (flagged, leaks) {
                    (true, true) => "found",
                    (false, true) => "**missed**",
                    (true, false) => "**false alarm**",
                    (false, false) => "silent",
                };
                write!(text, " {verdict} |")?;
                if scanner.name == "certkeep" && flagged != leaks {
                    return Err(format!("certkeep guard: {what}: {verdict}").into());
                }
            }
            text.push('\n');
        }
    }
    Ok(text)
}
