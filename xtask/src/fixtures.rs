// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask fixtures`: PKI directories made by Debian's easy-rsa, for the golden tests.
//!
//! Each story of [`story::STORIES`] is played with the real tool; what the tests
//! read is copied to `fixtures/easyrsa/VERSION/STORY/`, with a `story.toml` that
//! tells which options made which certificate. Nothing of easy-rsa itself (its
//! script, vars, configuration or x509-types) is kept. Keys are random, so
//! `--check` cannot compare with a new run: it compares with the manifest.

mod play;
mod story;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{Outcome, process};

const MANIFEST: &str = "manifest.txt";

/// Plays every story again and replaces `fixtures/easyrsa/` and the manifest.
pub(crate) fn make() -> Outcome {
    let version = play::version()?;
    let folder = folder().join("easyrsa").join(&version);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for story in story::STORIES {
        println!("{} ...", story.name);
        play::play(story, &folder.join(story.name), &version)?;
    }
    let mut manifest = format!("# made by: easy-rsa {version}, {}\n", play::openssl_version()?);
    for (path, digest) in digests()? {
        writeln!(manifest, "{digest}  {path}")?;
    }
    fs::write(self::folder().join(MANIFEST), manifest)?;
    Ok(())
}

/// Compares every file of `fixtures/` with the manifest.
pub(crate) fn check() -> Outcome {
    let manifest = fs::read_to_string(folder().join(MANIFEST))?;
    let listed: BTreeMap<String, String> = manifest
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(digest, path)| (path.to_owned(), digest.to_owned()))
        .collect();
    let present = digests()?;
    let mut differences = String::new();
    for path in listed.keys().chain(present.keys().filter(|path| !listed.contains_key(*path))) {
        match (listed.get(path), present.get(path)) {
            (Some(before), Some(now)) if before == now => {}
            (Some(_), Some(_)) => writeln!(differences, "  altered: {path}")?,
            (Some(_), None) => writeln!(differences, "  missing: {path}")?,
            _ => writeln!(differences, "  not in the manifest: {path}")?,
        }
    }
    if differences.is_empty() {
        println!("fixtures: {} files as listed", listed.len());
        return Ok(());
    }
    Err(format!("fixtures/ is not what `cargo xtask fixtures` made:\n{differences}").into())
}

fn folder() -> PathBuf {
    process::root().join("fixtures")
}

/// SHA-256 of every made file, by its path below `fixtures/`.
fn digests() -> Outcome<BTreeMap<String, String>> {
    let base = folder();
    let mut digests = BTreeMap::new();
    for path in process::files_under(&base.join("easyrsa"))? {
        let digest = Sha256::digest(fs::read(&path)?).iter().map(|byte| format!("{byte:02x}")).collect();
        digests.insert(below(&path, &base), digest);
    }
    Ok(digests)
}

fn below(path: &Path, base: &Path) -> String {
    path.strip_prefix(base).unwrap_or(path).to_string_lossy().into_owned()
}
