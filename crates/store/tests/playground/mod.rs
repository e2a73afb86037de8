// SPDX-License-Identifier: MIT OR Apache-2.0
//! A git repository in a temporary folder, driven by the real git, whose
//! configuration owes nothing to the machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A repository of somebody called Test, without a commit.
pub(crate) struct Playground {
    folder: tempfile::TempDir,
    pub(crate) top: PathBuf,
}

impl Playground {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// Made by `git init` with these options.
    pub(crate) fn with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let top = folder.path().join("top");
        fs::create_dir(&top).expect("made");
        let top = top.canonicalize().expect("a real path");
        let playground = Self { folder, top };
        playground.git(&[&["init", "-q", "-b", "main"], options].concat());
        for (name, value) in [
            ("user.name", "Test"),
            ("user.email", "test@example.org"),
            ("commit.gpgSign", "false"),
            ("core.autocrlf", "false"),
            ("core.logAllRefUpdates", "true"),
        ] {
            playground.git(&["config", name, value]);
        }
        playground
    }

    /// A place beside the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What git prints; it must succeed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.top, arguments)
    }

    pub(crate) fn git_in(&self, directory: &Path, arguments: &[&str]) -> String {
        let output = self.try_git(directory, arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {error}");
        String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
    }

    pub(crate) fn try_git(&self, directory: &Path, arguments: &[&str]) -> Output {
        let mut git = Command::new("git");
        git.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.folder.path());
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        git.args(["-c", "gc.auto=0"]).args(arguments).current_dir(directory);
        git.output().expect("git runs")
    }

    /// Writes a file of the work tree.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.top.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// Writes files and commits them by git.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.write(path, text);
            self.git(&["add", "--force", path]);
        }
        self.git(&["commit", "-q", "-m", "by git"]);
    }

    /// `git status --porcelain`, and proof that git sees no fault.
    pub(crate) fn status(&self) -> String {
        self.git(&["fsck", "--strict", "--no-dangling"]);
        self.git(&["status", "--porcelain"])
    }
}
