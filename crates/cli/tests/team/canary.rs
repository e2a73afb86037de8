// SPDX-License-Identifier: MIT OR Apache-2.0
//! Searches everything that git and certkeep left for plaintext: every object
//! of every repository, reachable or not, and every file of the git folders and
//! of `tmp`. The keyring is the one place that may hold secrets of its own kind.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::{CANARY, files};

/// Private keys in PEM, and what tests write into protected files.
const TELLTALES: &[&str] = &["PRIVATE KEY-----", CANARY];

/// Panics with the place of the first plaintext that was found.
pub(super) fn assert_nowhere(root: &Path) {
    let all = files(root);
    for git in all
        .iter()
        .filter_map(|file| file.strip_prefix(root).ok()?.ends_with("HEAD").then(|| file.parent())?)
    {
        if git.join("objects").is_dir() {
            assert_no_object(git);
            for file in files(git).iter().filter(|file| !file.starts_with(git.join("objects"))) {
                assert_clean(file);
            }
        }
    }
    for file in files(&root.join("tmp")) {
        assert_clean(&file);
    }
}

fn assert_no_object(git: &Path) {
    let mut command = Command::new("git");
    command.args(["cat-file", "--batch-all-objects", "--unordered", "--buffer", "--batch"]);
    // No object is fetched to be looked at: a partial clone has what it has.
    command.env("GIT_DIR", git).env("GIT_NO_LAZY_FETCH", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.stderr(Stdio::null()).output().expect("git");
    assert_absent(&output.stdout, &format!("an object of {}", git.display()));
}

fn assert_clean(file: &Path) {
    if let Ok(bytes) = fs::read(file) {
        assert_absent(&bytes, &file.display().to_string());
    }
}

fn assert_absent(bytes: &[u8], place: &str) {
    for telltale in TELLTALES {
        let found = bytes.windows(telltale.len()).position(|window| window == telltale.as_bytes());
        if let Some(at) = found {
            let around = bytes.get(at.saturating_sub(80)..bytes.len().min(at + 80)).unwrap_or_default();
            panic!("`{telltale}` is in {place}: {}", String::from_utf8_lossy(around));
        }
    }
}
