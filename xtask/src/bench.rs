// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask bench`: how fast certkeep is, against easy-rsa and openssl.
//!
//! Three parts, each in its own file, write one page, docs/benchmarks.md. The
//! two programs always take turns, run by run, so that whatever else happens
//! on the machine slows both. What falls below a limit is an error.

mod everyday;
mod large;
mod race;
mod rsa;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use race::Race;

use crate::{Outcome, process};

/// One table of the page: a heading, what was done, and the races.
pub(crate) struct Part {
    pub(crate) heading: &'static str,
    pub(crate) about: String,
    pub(crate) races: Vec<Race>,
}

/// Builds the release, runs the parts named in `wanted` (or all of them, and then writes the page).
pub(crate) fn run(wanted: &[&str]) -> Outcome {
    type Measure = fn(&Path) -> Outcome<Part>;
    let parts: [(&str, Measure); 4] = [
        ("everyday", everyday::run),
        ("rsa", rsa::run),
        ("large", large::in_memory),
        ("disk", large::on_disk),
    ];
    if let Some(unknown) = wanted.iter().find(|name| !parts.iter().any(|(part, _)| part == *name)) {
        return Err(format!("bench has no part `{unknown}`").into());
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--release", "--locked", "--package", "certkeep"]);
    process::show(cargo.current_dir(process::root()))?;
    let mut page = introduction()?;
    let mut slow = Vec::new();
    for (_, part) in parts.into_iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        let scratch = tempfile::tempdir()?;
        let part = part(scratch.path())?;
        let table = table(&part)?;
        println!("{table}");
        page.push_str(&table);
        slow.extend(part.races.iter().filter(|race| race.ratio() < race.at_least).map(|race| {
            format!(
                "  {}: {:.1} times as fast, at least {} is wanted",
                race.name,
                race.ratio(),
                race.at_least
            )
        }));
    }
    if wanted.is_empty() {
        if !slow.is_empty() {
            page.push_str(&format!("\n## Limits that this run did not meet\n\n{}\n", as_list(&slow)));
        }
        fs::write(process::root().join("docs/benchmarks.md"), page)?;
    }
    if slow.is_empty() { Ok(()) } else { Err(format!("too slow:\n{}", slow.join("\n")).into()) }
}

fn as_list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("* {}", line.trim())).collect::<Vec<_>>().join("\n")
}

/// The binary that is measured.
pub(crate) fn certkeep() -> PathBuf {
    process::root().join("target/release/certkeep")
}

fn introduction() -> Outcome<String> {
    let said = |words: &[&str]| process::finish(Command::new("sh").arg("-c").args(words))?.success();
    let processor = said(&["sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1"])?;
    let cores = said(&["nproc"])?;
    let openssl = said(&["openssl version | cut -d' ' -f1,2"])?;
    let easyrsa = said(&["/usr/share/easy-rsa/easyrsa --version | sed -n 's/^Version: *//p'"])?;
    Ok(format!(
        "# Benchmarks

Written by `cargo xtask bench`, which builds the release, measures, and fails when a ratio is below its
limit. To repeat: `sh xtask/setup.sh && cargo xtask bench` (Debian 12, ten minutes); `cargo xtask bench
everyday`, `rsa`, `large` or `disk` does one part and leaves this page alone.

Milliseconds are wall-clock time of whole processes, start-up included: medians where every run does the
same, means for RSA keys. The two programs take turns,
run by run, on a machine that nobody guarantees to be quiet: trust the ratios, not the milliseconds.

Measured on: {} ({} cores), {}, easy-rsa {}.
",
        processor.trim(),
        cores.trim(),
        openssl.trim(),
        easyrsa.trim(),
    ))
}

fn table(part: &Part) -> Outcome<String> {
    let mut text = format!("\n## {}\n\n{}\n\n", part.heading, part.about);
    let other = part.races.first().map_or("", |race| race.other);
    writeln!(text, "| | runs | {other}, ms | certkeep, ms | ratio | at least |")?;
    writeln!(text, "|---|---:|---:|---:|---:|---:|")?;
    for race in &part.races {
        let (ours, theirs) = (race.ours.average(race.average), race.theirs.average(race.average));
        let row = (race.name, race.ours.runs(), race.ratio(), race.at_least);
        writeln!(text, "| {} | {} | {theirs:.1} | {ours:.1} | **{:.1}** | {} |", row.0, row.1, row.2, row.3)?;
    }
    Ok(text)
}
