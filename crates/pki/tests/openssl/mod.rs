// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the `openssl` program for tests: arguments and bytes in, bytes out.

use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
    thread,
};

use tempfile::TempDir;

/// What openssl prints on its standard output; a failure fails the test.
pub(crate) fn openssl(arguments: &[&str]) -> Vec<u8> {
    with_input(arguments, b"")
}

/// As [`openssl`], with `input` on its standard input.
pub(crate) fn with_input(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run(arguments, input, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {}: {said}", arguments.join(" "));
    output.stdout
}

/// How openssl ends, with `environment` added to its own.
pub(crate) fn run(arguments: &[&str], input: &[u8], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new("openssl");
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program openssl is in the PATH");
    let mut stdin = child.stdin.take().expect("it is piped");
    thread::scope(|scope| {
        // A command that does not read its input closes the pipe, which is no failure.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("openssl ends")
    })
}

/// A temporary folder for the commands that read more than one file.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Writes a file and says where it is.
    pub(crate) fn write(&self, name: &str, contents: &[u8]) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, contents).expect("written");
        path.to_string_lossy().into_owned()
    }
}
