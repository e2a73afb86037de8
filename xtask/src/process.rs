// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting other programs, and the few places of the source tree that chores share.
//!
//! Every program runs without stdin. It does not decide what a failure means:
//! [`Finished::success`] is for callers to whom any failure is fatal.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::Outcome;

/// A program that has ended, with what it said.
pub(crate) struct Finished {
    /// The command line, for messages.
    pub(crate) line: String,
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Everything written to stdout.
    pub(crate) stdout: Vec<u8>,
    /// Everything written to stderr.
    pub(crate) stderr: Vec<u8>,
}

impl Finished {
    /// Stdout as text, when the program succeeded.
    pub(crate) fn success(self) -> Outcome<String> {
        if self.code == Some(0) {
            return Ok(String::from_utf8_lossy(&self.stdout).into_owned());
        }
        Err(self.complaint().into())
    }

    /// What happened, with the last lines the program wrote.
    pub(crate) fn complaint(&self) -> String {
        let said = [self.stdout.as_slice(), self.stderr.as_slice()].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(12)..].join("\n    ");
        let end = self.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        format!("`{}` ended with {end}\n    {last}", self.line)
    }
}

/// Runs `command` to its end without stdin and keeps what it wrote.
pub(crate) fn finish(command: &mut Command) -> Outcome<Finished> {
    let line = line(command);
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run `{line}`: {error}"))?;
    Ok(Finished { line, code: output.status.code(), stdout: output.stdout, stderr: output.stderr })
}

/// Runs `command` on this terminal (without stdin); any failure is an error.
pub(crate) fn show(command: &mut Command) -> Outcome {
    let line = line(command);
    let status =
        command.stdin(Stdio::null()).status().map_err(|error| format!("cannot run `{line}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` ended with {status}").into()) }
}

fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The top folder of the source tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Every file under `folder`, sorted; a folder that does not exist holds none.
pub(crate) fn files_under(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let list = if entry.file_type()?.is_dir() { &mut folders } else { &mut files };
            list.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
