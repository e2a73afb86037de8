// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sources and pages that talk of keys and hold none: this project's own, and
//! those of libraries that handle keys. What is found there is a real key, and
//! is listed with the reason why it is there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use certkeep_guard::{Certainty, detect};

/// Keys in this repository, outside of `fixtures/`, which holds throw-away PKIs.
const OURS: [(&str, &str); 2] = [
    ("crates/guard/tests/text.rs", "a key and passphrases in vars, to be found in other wrappings"),
    ("docs/store-format.md", "the zone keys of the published vectors of the file format"),
];

/// Crates whose sources are read.
const LIBRARIES: [&str; 8] =
    ["pkcs8", "rustls-pki-types", "spki", "der", "x509-cert", "rcgen", "age", "sequoia-openpgp"];

/// Keys for tests and documentation in the sources of libraries.
const THEIRS: [(&str, &str); 5] = [
    ("rcgen/src/certificate.rs", "a key in PEM for a test"),
    ("age/src/identity.rs", "an identity for a test"),
    ("age/src/native/x25519.rs", "an identity for a test"),
    ("age/src/ssh/identity.rs", "SSH keys for tests"),
    ("sequoia-openpgp/src/packet/key/v4.rs", "secret keys for tests"),
];

/// Runs a program in the repository and gives its output.
fn output(program: &str, arguments: &[&str]) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(program).args(arguments).current_dir(root).output().expect("it runs");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Names of the files that hold a key for certain, and how many files there are.
fn keys_in(files: impl Iterator<Item = (String, PathBuf)>) -> (Vec<String>, usize) {
    let (mut names, mut count) = (Vec::new(), 0);
    for (name, path) in files {
        count += 1;
        // A link without an end.
        let Ok(bytes) = fs::read(path) else { continue };
        if detect(&bytes).iter().any(|finding| finding.certainty == Certainty::Parsed) {
            names.push(name);
        }
    }
    names.sort();
    (names, count)
}

fn sorted(list: &[(&str, &str)]) -> Vec<String> {
    let mut names: Vec<String> = list.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.sort();
    names
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            files.push(path);
        }
    }
}

#[test]
fn this_repository_has_the_keys_that_are_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let listed = String::from_utf8(output("git", &["ls-files", "-z"])).expect("UTF-8");
    let tracked = listed.split_terminator('\0').filter(|name| !name.starts_with("fixtures/"));
    let (found, count) = keys_in(tracked.map(|name| (name.to_owned(), root.join(name))));
    assert!(count > 200, "{count} files");
    assert_eq!(found, sorted(&OURS));
}

#[test]
fn libraries_have_the_keys_that_are_listed() {
    let metadata = output(env!("CARGO"), &["metadata", "--format-version=1", "--locked", "--offline"]);
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let mut files = Vec::new();
    for library in LIBRARIES {
        let before = files.len();
        for package in packages.iter().filter(|package| package["name"] == library) {
            let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
            let folder = manifest.parent().expect("a folder");
            let mut paths = Vec::new();
            sources(folder, &mut paths);
            files.extend(paths.into_iter().map(|path| {
                let inside = path.strip_prefix(folder).expect("inside");
                (format!("{library}/{}", inside.display()), path.clone())
            }));
        }
        assert!(files.len() > before, "{library} has no sources");
    }
    let (mut found, count) = keys_in(files.into_iter());
    found.dedup();
    assert!(count > 300, "{count} files");
    assert_eq!(found, sorted(&THEIRS));
}
