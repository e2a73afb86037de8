// SPDX-License-Identifier: MIT OR Apache-2.0
//! docs/benchmarks.md: an introduction, and a section for each part.

use std::{fmt::Write as _, fs, path::PathBuf, process::Command};

use super::Part;
use crate::{Outcome, process};

/// The page, as it is to be written.
pub(super) struct Page {
    introduction: String,
    /// Each begins with its heading.
    sections: Vec<String>,
}

impl Page {
    /// One without sections.
    pub(super) fn new() -> Outcome<Self> {
        Ok(Self { introduction: introduction()?, sections: Vec::new() })
    }

    /// The sections that were measured before, under an introduction of today.
    pub(super) fn read() -> Outcome<Self> {
        let present = fs::read_to_string(path())?;
        let sections = present.split("\n## ").skip(1).map(|section| format!("## {}", section.trim_end()));
        Ok(Self { sections: sections.collect(), ..Self::new()? })
    }

    /// Puts a section in the place of the one with the same heading, or at the end.
    pub(super) fn put(&mut self, section: String) {
        let heading = |section: &str| section.lines().next().map(str::to_owned);
        match self.sections.iter_mut().find(|present| heading(present) == heading(&section)) {
            Some(present) => *present = section,
            None => self.sections.push(section),
        }
    }

    pub(super) fn write(&self) -> Outcome {
        let sections: String = self.sections.iter().map(|section| format!("\n{section}\n")).collect();
        Ok(fs::write(path(), format!("{}{sections}", self.introduction))?)
    }
}

fn path() -> PathBuf {
    process::root().join("docs/benchmarks.md")
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
everyday`, `expiry`, `rsa`, `large`, `disk`, `sealed`, `guard`, `list` or `sync` measures one part and replaces
its section.

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

/// The section of a part: its tables, and what was not fast enough.
pub(super) fn section(part: &Part, missed: &[String]) -> Outcome<String> {
    let mut text = format!("## {}\n\n{}\n\n", part.heading, part.about);
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
    if !missed.is_empty() {
        writeln!(text, "\nNot met in this run:\n")?;
        missed.iter().try_for_each(|line| writeln!(text, "* {line}"))?;
    }
    Ok(text.trim_end().to_owned())
}
