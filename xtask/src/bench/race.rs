// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two programs doing the same, measured in turns.
//!
//! Preparing is not measured; a run that fails is an error, not a fast run.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use crate::{Outcome, process};

/// Milliseconds of each run.
pub(crate) struct Times(Vec<f64>);

/// Which average of the runs is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Average {
    /// Where every run takes its own time, as when primes are looked for.
    Mean,
    /// Where all runs do the same, and only others on the machine make a difference.
    Median,
}

impl Times {
    /// Of runs that were measured elsewhere.
    pub(crate) fn of(milliseconds: Vec<f64>) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds.
    pub(crate) fn average(&self, average: Average) -> f64 {
        match average {
            Average::Mean => self.0.iter().sum::<f64>() / self.0.len() as f64,
            Average::Median => {
                let mut sorted = self.0.clone();
                sorted.sort_by(f64::total_cmp);
                sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
            }
        }
    }

    pub(crate) fn runs(&self) -> usize {
        self.0.len()
    }
}

/// The result of a race.
pub(crate) struct Race {
    pub(crate) name: &'static str,
    pub(crate) other: &'static str,
    pub(crate) ours: Times,
    pub(crate) theirs: Times,
    pub(crate) average: Average,
    pub(crate) at_least: f64,
}

impl Race {
    /// How many times as fast certkeep is.
    pub(crate) fn ratio(&self) -> f64 {
        self.theirs.average(self.average) / self.ours.average(self.average)
    }
}

/// A side of a race: the command for a prepared folder.
pub(crate) type Side<'side> = &'side dyn Fn(&Path) -> Command;

/// Runs both sides `runs` times, each in a fresh copy of `template`, after one run each that does not count.
pub(crate) fn race(
    (name, other, at_least): (&'static str, &'static str, f64),
    (runs, average): (usize, Average),
    template: &Path,
    ours: Side<'_>,
    theirs: Side<'_>,
) -> Outcome<Race> {
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..=runs {
        for (side, times) in [ours, theirs].into_iter().zip(&mut times) {
            // Beside the template: on the same disk, or in the same memory.
            let scratch = tempfile::tempdir_in(template.parent().unwrap_or(template))?;
            copy(template, scratch.path())?;
            // Else the first program that waits for the disk waits for this copy too.
            process::finish(Command::new("sync").arg("-f").arg(scratch.path()))?.success()?;
            let milliseconds = time(&mut side(scratch.path()))?;
            if number > 0 {
                times.push(milliseconds);
            }
        }
    }
    let [ours, theirs] = times.map(Times);
    Ok(Race { name, other, ours, theirs, average, at_least })
}

/// Milliseconds that a program takes to its end, which has to be a good one.
pub(crate) fn time(command: &mut Command) -> Outcome<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    if status.success() {
        return Ok(milliseconds);
    }
    let again = process::finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    Err(format!("{status}, and when tried again: {}", again.complaint()).into())
}

/// Copies a folder with everything in it, empty folders too.
fn copy(from: &Path, to: &Path) -> Outcome {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
