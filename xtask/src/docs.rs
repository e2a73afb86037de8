// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask docs`: the reference in docs/cli, and for packages manual pages and
//! completions for shells.
//!
//! The pages are made by tests of the command line's crate, out of what the program
//! itself goes by; they are told here whether to write or to compare. mandoc judges the
//! manual pages. What `certkeep` and `man` can print is not committed.

use std::{fs, path::Path, process::Command};

use crate::{Outcome, process};

/// Tells the tests of the reference to write docs/cli, and in which folder to put the manual pages.
const WRITE: &str = "CERTKEEP_WRITE_REFERENCE";
const MANUAL: &str = "CERTKEEP_WRITE_MANUAL";

/// Shells, and the file that each looks for.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "certkeep"),
    ("elvish", "certkeep.elv"),
    ("fish", "certkeep.fish"),
    ("powershell", "_certkeep.ps1"),
    ("zsh", "_certkeep"),
];

/// What mandoc says of a page without a date, which would change from day to day.
const NO_DATE: &str = "missing date";

/// Writes the reference, the manual pages, and the completions of the program as it is.
pub(crate) fn make() -> Outcome {
    let manual = process::root().join("target/man");
    fs::create_dir_all(&manual)?;
    process::finish(reference(&manual).env(WRITE, "1"))?.success()?;
    lint(&manual)?;
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--locked", "--package", "certkeep"]);
    process::show(build.current_dir(process::root()))?;
    let folder = process::root().join("target/completions");
    fs::create_dir_all(&folder)?;
    for (shell, file) in COMPLETIONS {
        let mut certkeep = Command::new(process::root().join("target/debug/certkeep"));
        let script = process::finish(certkeep.args(["completions", shell]))?.success()?;
        fs::write(folder.join(file), script)?;
    }
    println!("docs: docs/cli, target/man and target/completions are up to date");
    Ok(())
}

/// Fails if the reference is not that of the program, or a manual page is malformed.
pub(crate) fn check() -> Outcome {
    let manual = tempfile::tempdir()?;
    let compared = process::finish(&mut reference(manual.path()))?;
    if compared.code != Some(0) {
        return Err(format!("docs/cli: {}", compared.complaint()).into());
    }
    lint(manual.path())?;
    println!("docs: docs/cli is that of the program, and its manual pages are well-formed");
    Ok(())
}

/// The tests that make the pages.
fn reference(manual: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet", "--locked", "--package", "certkeep", "--lib", "reference::"]);
    cargo.current_dir(process::root()).env_remove(WRITE).env(MANUAL, manual).env("RUST_BACKTRACE", "0");
    cargo
}

fn lint(manual: &Path) -> Outcome {
    let pages = process::files_under(manual)?;
    if pages.is_empty() {
        return Err("no manual page was written".into());
    }
    let mut mandoc = Command::new("mandoc");
    let said = process::finish(mandoc.args(["-Tlint", "-Wwarning"]).args(pages))?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let findings: Vec<&str> = said.lines().filter(|line| !line.contains(NO_DATE)).collect();
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n").into()) }
}
