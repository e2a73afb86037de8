// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask fuzz --seconds N`: every target of `fuzz/` for N seconds, two at a time.
//!
//! Built with `cargo fuzz` and the pinned stable toolchain. No sanitizer: our
//! code has no `unsafe`, so what is looked for is panics, hangs and memory,
//! with debug assertions and overflow checks on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use crate::{Outcome, process};

/// Files of the fixtures that a target begins with, by the end of their names.
const SEEDS: &[(&str, &[&str])] =
    &[("csr", &[".req"]), ("index", &["index.txt"]), ("pem", &[".crt", ".key", ".req", "crl.pem"])];

/// Builds all targets once and runs each for `seconds`.
pub(crate) fn run(seconds: &str) -> Outcome {
    let seconds: u32 = seconds.parse().map_err(|_| format!("`{seconds}` is not a number of seconds"))?;
    build()?;
    let targets = targets()?;
    let mut failures = Vec::new();
    for pair in targets.chunks(2) {
        println!("fuzz {} ({seconds} s) ...", pair.join(" and "));
        thread::scope(|scope| {
            let running: Vec<_> = pair
                .iter()
                .map(|target| scope.spawn(move || fuzz(target, seconds).map_err(|error| error.to_string())))
                .collect();
            for run in running {
                match run.join() {
                    Ok(Ok(summary)) => println!("  {summary}"),
                    Ok(Err(failure)) => failures.push(failure),
                    Err(_) => failures.push("a thread of the fuzzer panicked".to_owned()),
                }
            }
        });
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

fn folder() -> PathBuf {
    process::root().join("fuzz")
}

/// Installs cargo-fuzz below `target/` when it is nowhere, and builds.
fn build() -> Outcome {
    let tools = process::root().join("target/tools");
    let path = std::env::var("PATH")?;
    let path = format!("{}/bin:{path}", tools.display());
    let cargo = || {
        let mut command = Command::new("cargo");
        command.current_dir(folder()).env("PATH", &path);
        command
    };
    if process::finish(cargo().args(["fuzz", "--version"]))?.code != Some(0) {
        process::show(cargo().args(["install", "cargo-fuzz", "--locked", "--quiet", "--root"]).arg(&tools))?;
    }
    process::finish(cargo().args(["fuzz", "build", "--sanitizer", "none"]))?.success()?;
    Ok(())
}

/// The names of all targets, from their files.
fn targets() -> Outcome<Vec<String>> {
    let files = process::files_under(&folder().join("fuzz_targets"))?;
    let names = files.iter().filter_map(|file| file.file_stem());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// Runs one target; gives its last word.
fn fuzz(target: &str, seconds: u32) -> Outcome<String> {
    let corpus = folder().join("corpus").join(target);
    let artifacts = folder().join("artifacts").join(target);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let seeds = tempfile::tempdir()?;
    plant(target, seeds.path())?;
    let mut command = Command::new(binary(target)?);
    command.arg(&corpus).arg(seeds.path());
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.arg(format!("-max_total_time={seconds}")).args(["-timeout=10", "-rss_limit_mb=1024"]);
    let finished = process::finish(&mut command)?;
    if finished.code == Some(0) {
        let said = String::from_utf8_lossy(&finished.stderr).into_owned();
        let last = said.lines().rev().find(|line| line.starts_with("Done ")).unwrap_or("done").to_owned();
        return Ok(format!("{target}: {last}"));
    }
    Err(format!("fuzz target {target}: {}", finished.complaint()).into())
}

/// cargo-fuzz builds below the name of the host.
fn binary(target: &str) -> Outcome<PathBuf> {
    for entry in fs::read_dir(folder().join("target"))? {
        let binary = entry?.path().join("release").join(target);
        if binary.is_file() {
            return Ok(binary);
        }
    }
    Err(format!("fuzz target {target} was not built: is it in fuzz/Cargo.toml?").into())
}

fn plant(target: &str, folder: &Path) -> Outcome {
    let ends = SEEDS.iter().find(|(name, _)| *name == target).map_or(&[] as &[&str], |(_, ends)| ends);
    for (number, file) in process::files_under(&process::root().join("fixtures/easyrsa"))?.iter().enumerate()
    {
        let name = file.to_string_lossy();
        if ends.iter().any(|end| name.ends_with(end)) {
            fs::copy(file, folder.join(format!("{number}")))?;
        }
    }
    Ok(())
}
