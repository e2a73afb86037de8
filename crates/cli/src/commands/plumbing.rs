// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands that git runs by its configuration: `git-filter process`,
//! `git-filter clean PATH`, `git-filter smudge PATH`, `git-textconv FILE` and
//! `git-merge BASE OURS THEIRS LENGTH PATH [OURS' NAME THEIRS' NAME]`. No person types them, so they are
//! in no help; they read no vars file, and an argument is never an option but
//! for a leading `--keyring FILE`.

mod merge;

use std::{
    ffi::{OsStr, OsString},
    io::Write as _,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use certkeep_pki::secret::SecretBytes;
use certkeep_store::{
    filter::{
        FilterError,
        process::{Direction, ProcessError},
    },
    plumbing::{Plumbing, PlumbingError},
};

use crate::{
    report::{Failure, OLDER_BRANCH},
    settings::Variables,
    terminal::{self, Terminal},
};

/// Carries out what git asks for; `None` if the arguments, the first being the
/// program's own name, are not git's.
pub fn run(
    arguments: &[OsString],
    variables: &Variables,
    terminal: &mut Terminal,
) -> Option<Result<(), Failure>> {
    let (command, rest) = arguments.get(1..)?.split_first()?;
    let command =
        command.to_str().filter(|name| ["git-filter", "git-textconv", "git-merge"].contains(name))?;
    Some(answer(command, rest, variables, terminal))
}

fn answer(
    command: &str,
    arguments: &[OsString],
    variables: &Variables,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let (keyring, arguments) = match arguments {
        [option, file, rest @ ..] if option == "--keyring" => (Some(Path::new(file)), rest),
        all => (None, all),
    };
    let words: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    let index = variables.value("GIT_INDEX_FILE").map(PathBuf::from);
    let plumbing = Plumbing::open(index, keyring)?;
    let direction = |word: &OsStr| match word.to_str() {
        Some("clean") => Some(Direction::Clean),
        Some("smudge") => Some(Direction::Smudge),
        _ => None,
    };
    match (command, words.as_slice()) {
        ("git-filter", [word]) if *word == "process" => process(&plumbing, terminal),
        ("git-filter", [word, path]) if direction(word).is_some() => {
            let direction = direction(word).unwrap_or(Direction::Clean);
            let input = terminal::standard_input().map_err(|error| broken(&error))?;
            write(&plumbing.filter_one(direction, path.as_bytes(), input)?)
        }
        ("git-textconv", [file]) => write(&plumbing.textconv(Path::new(file))?),
        ("git-merge", [base, ours, theirs, length, path, labels @ ..]) => {
            let label = |place: usize| labels.get(place).and_then(|label| label.to_str());
            let call = merge::Call {
                base: Path::new(base),
                ours: Path::new(ours),
                theirs: Path::new(theirs),
                marker: length.to_str().and_then(|length| length.parse().ok()),
                path,
                labels: [label(0), label(1)],
            };
            merge::answer(&plumbing, &call, terminal)
        }
        _ => Err(Failure::refused(format!("git does not call `{command}` like that"))),
    }
}

fn process(plumbing: &Plumbing, terminal: &mut Terminal) -> Result<(), Failure> {
    let input = terminal::standard_input().map_err(|error| broken(&error))?;
    let output = terminal::standard_output().map_err(|error| broken(&error))?;
    let mut refused = |error: FilterError| terminal.failure(&Failure::from(error));
    Ok(plumbing.process(input, output, &mut refused)?)
}

fn write(contents: &SecretBytes) -> Result<(), Failure> {
    let written = terminal::standard_output().and_then(|mut output| output.write_all(contents.expose()));
    written.map_err(|error| broken(&error))
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::from_error(error)
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            FilterError::Locked { .. } => failure.with_hint("to unlock it: `certkeep unlock`"),
            FilterError::Remembered { zone, .. } => failure
                .with_hint(format!("who took it out: `git log -p -- .certkeep/zones/{zone}/zone.toml`"))
                .with_hint(
                    "if that was a member, to forget it here, too: `certkeep store unprotect PATTERN`",
                ),
            FilterError::Untrusted { .. } => {
                failure.with_hint("do not go on before you know who changed it: `git log -p -- .certkeep`")
            }
            FilterError::OtherEpoch { .. } => failure.with_hint("to get the new key: `certkeep unlock`"),
            FilterError::OlderEpoch { .. } => failure.with_hint(OLDER_BRANCH),
            FilterError::OtherStore { .. } => {
                failure.with_hint("to forget those keys: `certkeep lock`, then `certkeep unlock`")
            }
            FilterError::SealedZone { zone, .. } => failure.with_hint(format!(
                "to work with its files in the clear: `certkeep store zone set {zone} --mode transparent`"
            )),
            FilterError::Unnamed { .. } => {
                failure.with_hint("to have it sealed: `certkeep store protect PATTERN`")
            }
            FilterError::NoStore { .. } => {
                failure.with_hint("is this commit older than the store? check out a newer one first")
            }
            FilterError::Broken { .. } => {
                failure.with_hint("look for the last good version: `git log -- PATH`")
            }
            _ => failure,
        }
    }
}

impl From<PlumbingError> for Failure {
    fn from(error: PlumbingError) -> Self {
        match error {
            PlumbingError::Filter(error) => error.into(),
            PlumbingError::Process(error @ (ProcessError::Greeting | ProcessError::Command)) => {
                Self::from_error(&error).with_hint("only git runs `git-filter process`")
            }
            error => Self::from_error(&error),
        }
    }
}
