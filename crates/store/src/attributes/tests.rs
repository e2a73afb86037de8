// SPDX-License-Identifier: MIT OR Apache-2.0
//! git itself is asked what it makes of the block.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use proptest::prelude::*;

use super::*;
use crate::zone::{Pattern, Protection, ZoneName};

fn rules(pki: Option<&str>, patterns: &[&str]) -> Rules {
    let zone = ZoneName::parse("keys").expect("valid");
    let pattern = |text: &&str| (Pattern::parse(text).expect("valid"), zone.clone());
    Rules::new(pki, patterns.iter().map(pattern).collect())
}

fn git(directory: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.current_dir(directory)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    git
}

/// The values of some attributes of paths, as `git check-attr -z` prints them.
fn ask(directory: &Path, attributes: &[&str], paths: &[Vec<u8>]) -> Vec<Vec<String>> {
    let arguments = [&["check-attr", "-z", "--stdin"], attributes].concat();
    let mut child =
        git(directory, &arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut input = paths.join(&0);
    input.push(0);
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("git ends");
    writer.join().expect("joined").expect("git reads");
    let fields: Vec<_> = output.stdout.split(|&byte| byte == 0).collect();
    let values = fields.chunks_exact(3).map(|field| String::from_utf8_lossy(field[2]).into_owned());
    let values: Vec<_> = values.collect();
    assert_eq!(values.len(), paths.len() * attributes.len());
    values.chunks(attributes.len()).map(<[String]>::to_vec).collect()
}

/// Asserts that git filters exactly what a zone keeps.
fn agree(rules: &Rules, paths: &[Vec<u8>]) {
    let directory = tempfile::tempdir().expect("a folder");
    assert!(git(directory.path(), &["init", "-q"]).status().expect("git runs").success());
    fs::write(directory.path().join(".gitattributes"), apply_block(b"* text=auto\n", &block(rules)))
        .expect("written");
    for (path, values) in paths.iter().zip(ask(directory.path(), &["filter"], paths)) {
        let protected = matches!(rules.protection(path), Protection::Zone(_));
        let filtered = values == ["certkeep"];
        assert_eq!(filtered, protected, "{} {}", path.escape_ascii(), block(rules));
        let told = Block::of(block(rules).as_bytes()).protects(path);
        assert_eq!(told, protected, "{} {}", path.escape_ascii(), block(rules));
    }
}

const PATHS: &[&str] = &[
    "README",
    "a b.key",
    "a.key",
    "x/y/a.key",
    "x/y/a.keys",
    "deploy",
    "deploy/a",
    "deploy/a/b/c",
    "deploy/.gitattributes",
    "deploy/sub/.gitignore",
    "deploy/{a,b}",
    "deploy/brace/a",
    "top.pem",
    "x/top.pem",
    "with space/a b.txt",
    "with space/c",
    "sets/a1",
    "sets/b1",
    "sets/-1",
    "sets/x/a1",
    "q/ab",
    "q/a/b",
    ".gitattributes",
    ".gitignore",
    ".gitmodules",
    ".gitlab-ci.yml",
    ".github/workflows/a.yml",
    ".certkeep/store.toml",
    ".certkeep/members/a.key",
    ".certkeep/zones/keys/keys/1/bob.age",
    ".certkeepx",
    "sub/.certkeep/a",
    "ca.crt",
    "private/ca.key",
    "private/web 1.key",
    "private/ü.key",
    "private/a/b/c",
    "private/.gitattributes",
    "issued/a.crt",
    "issued/ü é.crt",
    "issued/a/b.crt",
    "issued/a.key",
    "issued",
    "reqs/a.req",
    "revoked/certs_by_serial/01.crt",
    "revoked/private_by_serial/01.key",
    "issued/a.p7b",
    "issued/a.pem",
    "inline/external-ca.list",
    "inline/a.inline",
    "inline/private/a.inline",
    "index.txt",
    "index.txt.attr.old",
    "serial.new",
    "vars",
    "x509-types/server",
    "x509-types/a/b",
    "anything",
    "1/2/3/4/5",
];

fn paths(folder: &str) -> Vec<Vec<u8>> {
    let inside = PATHS.iter().map(|path| format!("{folder}/{path}").trim_start_matches('/').to_owned());
    let mut paths: Vec<Vec<u8>> =
        inside.chain(PATHS.iter().map(|&path| path.to_owned())).map(String::into_bytes).collect();
    paths.push([folder.as_bytes(), b"/private/\xff.key"].concat().trim_ascii_start().to_vec());
    paths.push([folder.as_bytes(), b"x/private/a.key"].concat());
    paths.retain(|path| !path.starts_with(b"/"));
    paths
}

const PATTERNS: &[&str] = &[
    "*.key",
    "deploy/**",
    "deploy/{a,b}",
    "/top.pem",
    "with space/*.txt",
    "sets/[!ab]?",
    "sets/**/a1",
    "q/a**b",
    "\\#odd",
];

#[test]
fn git_filters_exactly_what_a_zone_keeps() {
    for pki in ["", "pki", "with space/pki", "ü/[x]*", "a/b/c", "#x", "!x", "\"x\"", "{a,b}"] {
        agree(&rules(Some(pki), &[]), &paths(pki));
        agree(&rules(Some(pki), PATTERNS), &paths(pki));
    }
    agree(&rules(None, PATTERNS), &paths("pki"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn git_follows_any_pattern_as_we_do(
        patterns in proptest::collection::vec("[ab/*?\\[\\]!^{},-]{1,8}", 1..12),
        names in proptest::collection::vec("[ab{},-]{1,3}(/[ab{},!^-]{1,3}){0,3}", 300),
    ) {
        let valid: Vec<&str> = patterns
            .iter()
            .map(String::as_str)
            .filter(|text| Pattern::parse(text).is_ok() && !text.contains("//"))
            .collect();
        let names: Vec<Vec<u8>> = names.into_iter().map(String::into_bytes).collect();
        agree(&rules(Some("b"), &valid), &names);
    }
}

#[test]
fn nothing_converts_a_sealed_file_and_certificates_keep_their_attributes() {
    let directory = tempfile::tempdir().expect("a folder");
    assert!(git(directory.path(), &["init", "-q"]).status().expect("git runs").success());
    let user = b"* text eol=crlf ident working-tree-encoding=UTF-16 diff=mine\n";
    let file = apply_block(user, &block(&rules(Some("pki"), &[])));
    fs::write(directory.path().join(".gitattributes"), &file).expect("written");
    let names =
        ["filter", "diff", "merge", "text", "delta", "ident", "working-tree-encoding", "export-ignore"];
    let paths =
        ["pki/private/a.key", "pki/issued/a.crt", "pki/index.txt", "pki/vars", ".certkeep/store.toml"]
            .map(|path| path.as_bytes().to_vec());
    let values = ask(directory.path(), &names, &paths);
    let sealed = ["certkeep", "certkeep", "certkeep", "unset", "unset", "unset", "unset", "set"];
    // What is half one certificate and half another is none; the database has its own driver.
    let public =
        |merge, text| ["unspecified", "mine", merge, text, "unspecified", "set", "UTF-16", "unspecified"];
    let others = [("unset", "set"), ("certkeep-pki", "set"), ("unspecified", "set"), ("unset", "unset")]
        .map(|(merge, text)| public(merge, text));
    assert_eq!(values, [&[sealed][..], &others].concat());

    // A file further down cannot overrule what stands in info/attributes.
    fs::create_dir_all(directory.path().join("pki/private")).expect("made");
    fs::write(directory.path().join("pki/private/.gitattributes"), "* -filter text\n").expect("written");
    let nested = ask(directory.path(), &["filter", "text"], &paths[..1]);
    assert_eq!(nested, [["unset", "set"]]);
    fs::write(directory.path().join(".git/info/attributes"), block(&rules(Some("pki"), &[])))
        .expect("written");
    assert_eq!(ask(directory.path(), &["filter", "text"], &paths[..1]), [["certkeep", "unset"]]);
}

#[test]
fn the_users_lines_stay() {
    let block = block(&rules(Some("pki"), &[]));
    let once = apply_block(b"*.png binary\r\n\n# mine", &block);
    assert_eq!(once, format!("*.png binary\r\n\n# mine\n{block}").into_bytes());
    assert_eq!(apply_block(&once, &block), once);
    assert_eq!(apply_block(b"", &block), block.as_bytes());
    let moved = [&once[..], b"*.txt text\n"].concat();
    assert_eq!(
        apply_block(&moved, &block),
        format!("*.png binary\r\n\n# mine\n*.txt text\n{block}").into_bytes()
    );
    let broken = b"a\n# certkeep: begin\nb\n";
    assert_eq!(apply_block(broken, &block), format!("a\nb\n{block}").into_bytes());
}

#[test]
fn a_line_is_a_pattern_and_attributes() {
    let pattern = |line| split(line).map(|(pattern, rest)| (pattern, rest.trim().to_owned()));
    let some = |pattern: &str, rest: &str| Some((pattern.to_owned(), rest.to_owned()));
    assert_eq!(pattern("*.key  filter=x -text\n"), some("*.key", "filter=x -text"));
    assert_eq!(pattern("\"a \\\"b\\\\\" filter=x"), some("a \"b\\", "filter=x"));
    for line in ["", "# a", "[attr]a filter=x", "\"a filter=x", "\"a\\n\" filter=x"] {
        assert_eq!(pattern(line), None, "{line}");
    }
    for (folder, own, all) in [
        ("", "*.key", "*.key"),
        ("a/", "*.key", "a/**/*.key"),
        ("a/", "/x", "a/x"),
        ("a*/b/", "x/y", "a\\*/b/x/y"),
    ] {
        assert_eq!(from_top(folder, own), all);
    }
}
