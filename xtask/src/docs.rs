// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask docs`: the reference in docs/cli and docs/man, and completions for
//! shells.
//!
//! The pages are made by a test of the command line's crate, out of what the program
//! itself goes by; it is told here whether to write or to compare. mandoc judges the
//! manual pages. Completions are not committed: `certkeep completions` prints them,
//! and for packages they are put into target/completions.

use std::{fs, process::Command};

use crate::{Outcome, process};

/// Tells the test of the reference to write.
const WRITE: &str = "CERTKEEP_WRITE_REFERENCE";

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

/// Writes the reference, and the completions of the program as it is.
pub(crate) fn make() -> Outcome {
    process::finish(reference().env(WRITE, "1"))?.success()?;
    lint()?;
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
    println!("docs: docs/cli, docs/man and target/completions are up to date");
    Ok(())
}

/// Fails if the reference is not that of the program, or a manual page is malformed.
pub(crate) fn check() -> Outcome {
    let compared = process::finish(&mut reference())?;
    if compared.code != Some(0) {
        return Err(format!("docs/cli and docs/man: {}", compared.complaint()).into());
    }
    lint()?;
    println!("docs: docs/cli and docs/man are those of the program");
    Ok(())
}

/// The test that makes the pages.
fn reference() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet", "--locked", "--package", "certkeep", "--lib", "reference::"]);
    cargo.current_dir(process::root()).env_remove(WRITE).env("RUST_BACKTRACE", "0");
    cargo
}

fn lint() -> Outcome {
    let pages = process::files_under(&process::root().join("docs/man"))?;
    if pages.is_empty() {
        return Err("docs/man is empty: run `cargo xtask docs`".into());
    }
    let mut mandoc = Command::new("mandoc");
    let said = process::finish(mandoc.args(["-Tlint", "-Wwarning"]).args(pages))?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let findings: Vec<&str> = said.lines().filter(|line| !line.contains(NO_DATE)).collect();
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n").into()) }
}
