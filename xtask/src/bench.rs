// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask bench`: how fast certkeep is, against easy-rsa and openssl.
//!
//! The parts, each in its own file, write one page, docs/benchmarks.md. The
//! two programs always take turns, run by run, so that whatever else happens
//! on the machine slows both. What falls below a limit is an error.

mod everyday;
mod expiry;
mod ground;
mod guard;
mod large;
mod list;
mod race;
mod rsa;
mod sealed;
mod sync;

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
    pub(crate) limits: Vec<Limit>,
}

/// Something that has no peer to race with.
pub(crate) struct Limit {
    pub(crate) name: &'static str,
    pub(crate) measured: f64,
    pub(crate) unit: &'static str,
    pub(crate) wanted: Wanted,
}

/// On which side of a limit a measurement has to be.
pub(crate) enum Wanted {
    AtLeast(f64),
    AtMost(f64),
    /// It is only told.
    Anything,
}

impl Limit {
    fn holds(&self) -> bool {
        match self.wanted {
            Wanted::AtLeast(limit) => self.measured >= limit,
            Wanted::AtMost(limit) => self.measured <= limit,
            Wanted::Anything => true,
        }
    }

    fn wanted(&self) -> String {
        match self.wanted {
            Wanted::AtLeast(limit) => format!("at least {limit} {}", self.unit),
            Wanted::AtMost(limit) => format!("at most {limit} {}", self.unit),
            Wanted::Anything => String::new(),
        }
    }
}

/// Builds the release, runs the parts named in `wanted` (or all of them, and then writes the page).
pub(crate) fn run(wanted: &[&str]) -> Outcome {
    type Measure = fn(&Path) -> Outcome<Part>;
    let parts: [(&str, Measure); 9] = [
        ("everyday", everyday::run),
        ("expiry", expiry::run),
        ("rsa", rsa::run),
        ("large", large::in_memory),
        ("disk", large::on_disk),
        ("sealed", sealed::run),
        ("guard", guard::run),
        ("list", list::run),
        ("sync", sync::run),
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
                "  {}: {:.1} times as fast as {}, at least {} is wanted",
                race.name,
                race.ratio(),
                race.other,
                race.at_least
            )
        }));
        slow.extend(part.limits.iter().filter(|limit| !limit.holds()).map(|limit| {
            format!("  {}: {:.1} {}, {} is wanted", limit.name, limit.measured, limit.unit, limit.wanted())
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
limit. To repeat: `sh xtask/setup.sh && cargo xtask bench` (Debian 12, half an hour); `cargo xtask bench
everyday`, `expiry`, `rsa`, `large`, `disk`, `sealed`, `guard`, `list` or `sync` does one part and leaves this
page alone.

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
    for races in part.races.chunk_by(|one, next| one.other == next.other) {
        let other = races.first().map_or("", |race| race.other);
        writeln!(text, "| | runs | {other}, ms | certkeep, ms | ratio | at least |")?;
        writeln!(text, "|---|---:|---:|---:|---:|---:|")?;
        for race in races {
            let (ours, theirs) = (race.ours.average(race.average), race.theirs.average(race.average));
            let row = (race.name, race.ours.runs(), race.ratio(), race.at_least);
            writeln!(
                text,
                "| {} | {} | {theirs:.1} | {ours:.1} | **{:.1}** | {} |",
                row.0, row.1, row.2, row.3
            )?;
        }
        writeln!(text)?;
    }
    if !part.limits.is_empty() {
        writeln!(text, "| | measured | wanted |")?;
        writeln!(text, "|---|---:|---:|")?;
    }
    for limit in &part.limits {
        writeln!(text, "| {} | {:.1} {} | {} |", limit.name, limit.measured, limit.unit, limit.wanted())?;
    }
    Ok(text)
}
