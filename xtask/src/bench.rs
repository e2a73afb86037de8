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
mod page;
mod race;
mod rsa;
mod sealed;
mod sync;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use page::Page;
use race::Race;

use crate::{Outcome, process};

/// One table of the page: a heading, what was done, and the races.
pub(crate) struct Part {
    pub(crate) heading: &'static str,
    pub(crate) about: String,
    pub(crate) races: Vec<Race>,
    pub(crate) limits: Vec<Limit>,
}

impl Part {
    /// What was not fast enough, a line each.
    fn missed(&self) -> Vec<String> {
        let races = self.races.iter().filter(|race| race.ratio() < race.at_least).map(|race| {
            let (ratio, wanted) = (race.ratio(), race.at_least);
            format!("{}: {ratio:.1} times as fast as {}, at least {wanted} is wanted", race.name, race.other)
        });
        let limits = self.limits.iter().filter(|limit| !limit.holds()).map(|limit| {
            format!("{}: {:.1} {}, {} is wanted", limit.name, limit.measured, limit.unit, limit.wanted())
        });
        races.chain(limits).collect()
    }
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

/// Builds the release, runs the parts named in `wanted` or all of them, and puts what they measure into the page.
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
    let mut page = if wanted.is_empty() { Page::new()? } else { Page::read()? };
    let mut slow = Vec::new();
    for (_, part) in parts.into_iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        let scratch = tempfile::tempdir()?;
        let part = part(scratch.path())?;
        let missed = part.missed();
        let section = page::section(&part, &missed)?;
        println!("{section}");
        page.put(section);
        // Each time: one part takes minutes, and another may fail.
        page.write()?;
        slow.extend(missed);
    }
    if slow.is_empty() { Ok(()) } else { Err(format!("too slow:\n{}", slow.join("\n")).into()) }
}

/// The binary that is measured.
pub(crate) fn certkeep() -> PathBuf {
    process::root().join("target/release/certkeep")
}
