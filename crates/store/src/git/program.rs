// SPDX-License-Identifier: MIT OR Apache-2.0
//! The git program, for what libgit2 cannot do.

use std::{
    ffi::{OsStr, OsString},
    io::Write as _,
    os::unix::{ffi::OsStringExt as _, process::CommandExt as _},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use super::{GitError, Repository};

/// A secret, and none of git's business.
const IDENTITY: &str = "CERTKEEP_IDENTITY";

/// What a git that runs us, as a hook for instance, says about itself in the
/// environment: which repository and index are meant is our own business.
const FOREIGN: [&str; 9] = [
    IDENTITY,
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
];

/// Makes a repository, with the branch that the user's configuration names.
pub(super) fn init(directory: &Path) -> Result<(), GitError> {
    let mut command = Command::new("git");
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.args(["init", "--quiet", "--"]).arg(directory).stdin(Stdio::null());
    let output = command.output().map_err(GitError::Start)?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(GitError::Program { command: "init".to_owned(), message })
}

/// Runs git in a directory; what it says on standard output without the newline
/// at its end, `None` if it ends with 1, which is its way to say no.
pub(crate) fn ask(directory: &Path, arguments: &[&str]) -> Result<Option<OsString>, GitError> {
    let mut command = Command::new("git");
    for name in FOREIGN {
        command.env_remove(name);
    }
    let output = command.current_dir(directory).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(GitError::Start)?;
    match output.status.code() {
        Some(0) => {
            let said = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
            Ok(Some(OsString::from_vec(said.to_vec())))
        }
        Some(1) => Ok(None),
        _ => Err(GitError::Program {
            command: arguments.first().copied().unwrap_or_default().to_owned(),
            message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }),
    }
}

/// Which repository a git that we start works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Environment {
    /// That of the directory it is started in.
    Own,
    /// That which the git that runs us as a hook named in the environment, with
    /// the objects that it holds back until we agree.
    Inherited,
}

/// Runs git in `directory` with `input` on its standard input; gives its output.
pub(super) fn run(
    directory: Option<&Path>,
    inherited: Environment,
    arguments: &[&str],
    environment: &[(&str, &OsStr)],
    input: &[u8],
) -> Result<Vec<u8>, GitError> {
    let mut child = start(directory, inherited, arguments, environment)?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    let output = thread::scope(|scope| {
        // A git that does not read to the end says why on its standard error.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output()
    });
    let output = output.map_err(GitError::Start)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let command = arguments.iter().find(|argument| !argument.starts_with('-') && !argument.contains('='));
    Err(GitError::Program {
        command: command.copied().unwrap_or_default().to_owned(),
        message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// Which processes a signal of the terminal's reaches together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// git as well as us.
    Ours,
    /// Not git.
    Own,
}

/// Starts git in `directory`, with pipes to all its streams.
pub(super) fn start(
    directory: Option<&Path>,
    inherited: Environment,
    arguments: &[&str],
    environment: &[(&str, &OsStr)],
) -> Result<Child, GitError> {
    start_in(Group::Ours, directory, inherited, arguments, environment)
}

/// As [`start`], in a process group.
pub(super) fn start_in(
    group: Group,
    directory: Option<&Path>,
    inherited: Environment,
    arguments: &[&str],
    environment: &[(&str, &OsStr)],
) -> Result<Child, GitError> {
    let mut command = Command::new("git");
    if group == Group::Own {
        command.process_group(0);
    }
    match inherited {
        Environment::Own => {
            for name in FOREIGN {
                command.env_remove(name);
            }
        }
        Environment::Inherited => {
            command.env_remove(IDENTITY);
        }
    }
    if let Some(directory) = directory {
        command.current_dir(directory);
    }
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(GitError::Start)
}

impl Repository {
    /// Runs git in the work tree with `input` on its standard input; gives its output.
    pub(crate) fn git(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, GitError> {
        self.run_git(arguments, &[], input)
    }

    pub(super) fn run_git(
        &self,
        arguments: &[&str],
        environment: &[(&str, &str)],
        input: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| (*name, OsStr::new(*value))).collect();
        run(Some(self.work_tree()), Environment::Own, arguments, &environment, input)
    }
}
