// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stage two: the opinion of Python's cryptography and of pkilint.
//!
//! This file lists what certkeep made; `second_opinion.py` does the asking.

use std::{fmt::Write as _, fs, process::Command};

use super::{
    Report,
    hierarchy::{self, Hierarchy, LEAVES},
};
use crate::{Outcome, process};

pub(crate) fn run(report: &mut Report) -> Outcome {
    let python = process::root().join("target/python/bin/python");
    if !python.exists() {
        return Err("target/python is missing: `sh xtask/setup.sh` makes it".into());
    }
    let scratch = tempfile::tempdir()?;
    let mut list = String::new();
    for hierarchy in hierarchy::make(scratch.path())? {
        describe(&hierarchy, &mut list)?;
    }
    let path = scratch.path().join("list");
    fs::write(&path, list)?;
    let script = process::root().join("xtask/src/interop/second_opinion.py");
    let said = process::finish(Command::new(python).arg(script).arg(&path).arg(scratch.path()))?.success()?;
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
    report.check(ended, || "the Python script did not come to its end".to_owned());
    Ok(())
}

/// The lines of one hierarchy for the script.
fn describe(hierarchy: &Hierarchy, list: &mut String) -> Outcome {
    let root = hierarchy.root.file("ca.crt");
    let root = root.display();
    write!(list, "chain\t{}\t{root}", hierarchy.name)?;
    if let Some(intermediate) = &hierarchy.intermediate {
        let certificate = intermediate.file("ca.crt");
        writeln!(list, "\t{0}\nca\t{0}\t{root}", certificate.display())?;
        writeln!(list, "crl\t{}\t{root}", hierarchy.root.file("crl.pem").display())?;
    } else {
        writeln!(list)?;
    }
    writeln!(list, "ca\t{root}\t{root}")?;
    let issuing = hierarchy.issuing();
    writeln!(list, "crl\t{}\t{}", issuing.file("crl.pem").display(), issuing.file("ca.crt").display())?;
    for leaf in LEAVES {
        let certificate = hierarchy.certificate(leaf)?;
        let name = leaf.san.map_or_else(|| "-".to_owned(), |_| format!("{}.example.com", leaf.name));
        writeln!(list, "leaf\t{}\t{}\t{name}", leaf.kind, certificate.display())?;
    }
    for path in process::files_under(&issuing.folder)? {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("req") => writeln!(list, "request\t{}", path.display())?,
            Some("key") => writeln!(list, "key\t{}", path.display())?,
            _ => {}
        }
    }
    Ok(())
}
