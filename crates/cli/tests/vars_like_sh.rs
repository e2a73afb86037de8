// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values of a vars file are those that a real shell finds.
//!
//! `sh` sources each line with a `set_var` that expands its value a second
//! time between double quotes, which is what easy-rsa 3.2 does.
#![cfg(unix)]

use std::{
    ffi::OsString,
    io::Write,
    process::{Command, Stdio},
};

use certkeep::{
    settings::{Algo, Origin, Variables},
    vars_example,
};
use certkeep_pki::vars;
use proptest::prelude::*;

const HARNESS: &str = r#"
set_var() { eval "export $1=\"\${$1-$2}\""; }
force_set_var() { unset -v "$1"; set_var "$@"; }
. "$0" || exit 9
printf '%s' "${X-unset}"
"#;

const ENVIRONMENT: [(&str, &str); 5] =
    [("HOME", "/home/jane"), ("SPACED", "two words"), ("EMPTY", ""), ("DOLLAR", "$HOME"), ("GIVEN", "kept")];

/// Lines (or files of a few lines) that both must read the same way.
const LINES: &[&str] = &[
    "set_var X rsa",
    "set_var X \t 2048   ",
    "set_var X \"San Francisco\"",
    "set_var X 'Copyleft Certificate Co'",
    "set_var X a'b c'd\"e f\"g",
    "set_var X \"it's\"",
    "set_var X foo#bar",
    "set_var X foo # bar",
    "set_var X ''",
    "set_var X \"\"",
    "set_var X",
    "set_var X $EMPTY",
    "set_var X \"$EMPTY\"",
    "set_var X $HOME/pki",
    "set_var X ${HOME}_x",
    "set_var X \"${SPACED}\"",
    "set_var X \"$UNSET_NAME\"",
    "set_var X '$HOME'",
    "set_var X '${SPACED}'",
    "set_var X \"\\$HOME\"",
    "set_var X \\\\\\$HOME",
    "set_var X \"\\\\\\$HOME\"",
    "set_var X \"$DOLLAR\"",
    "set_var X 'a\\$b'",
    "set_var X 'a\\\\b'",
    "set_var X \"a\\\\b\"",
    "set_var X \"a\\nb\"",
    "set_var X a\\nb",
    "set_var X 'a\\nb'",
    "set_var X C:\\\\\\\\dir",
    "set_var X \"a\\\\\\`b\\\\\\`\"",
    "set_var X 'say \\\"hi\\\"'",
    "set_var X '{x\\}'",
    "set_var X '{x'",
    "set_var X a$",
    "set_var X \"a$ b\"",
    "set_var X 'a$ b'",
    "set_var X 'a$/b'",
    "set_var X $/x",
    "set_var X ~/pki",
    "set_var X ~",
    "set_var X a~",
    "set_var X \"~/pki\"",
    "set_var X \"one\ntwo\"",
    "set_var X one\\\ntwo",
    "set_var X \"one\\\ntwo\"",
    "set_var X 'one\\\ntwo'",
    "set_var X \\\n   three",
    "set_var X Zürich",
    "set_var X \"DNS:*.example.net, IP:192.0.2.1\"",
    "set_var X 'a & b | c ; d < e > f ( g )'",
    "set_var X \"a!b\"",
    "set_var X a=b",
    "set_var GIVEN new\nset_var X \"$GIVEN\"",
    "force_set_var GIVEN new\nset_var X \"$GIVEN\"",
    "set_var X 1\nset_var X 2",
    "set_var X 1\nforce_set_var X \"$X$X\"",
    "set_var \"X\" quoted",
    "  \"set_var\" X 1",
    "# set_var X 1",
    "if [ -z \"$EASYRSA_CALLER\" ]; then\n\techo no >&2\n\treturn 1\nfi\nset_var X guarded",
];

#[test]
fn values_are_those_of_sh() {
    for line in LINES {
        assert_eq!(ours(line), theirs(line), "{line}");
    }
}

fn ours(text: &str) -> String {
    accepted(text).unwrap_or_else(|| panic!("{text}: refused"))
}

/// The value of X; `None` if the text is refused.
fn accepted(text: &str) -> Option<String> {
    let environment = ENVIRONMENT.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let mut variables = Variables::from_environment(environment);
    variables.set("EASYRSA_CALLER", "1".to_owned(), Origin::Environment);
    vars::apply(text, &mut variables).ok()?;
    Some(variables.value("X").unwrap_or("unset").to_owned())
}

fn theirs(text: &str) -> String {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("written");
    let output = Command::new("sh")
        .args(["-c", HARNESS])
        .arg(file.path())
        .env_clear()
        .envs(ENVIRONMENT)
        .env("EASYRSA_CALLER", "1")
        .stderr(Stdio::inherit())
        .output()
        .expect("sh runs");
    assert!(output.status.success(), "{text}: sh refuses it");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_vars_file_that_we_write_can_be_sourced() {
    let written = vars_example::vars(Algo::Ed, "ed25519") + "set_var X \"$EASYRSA_ALGO $EASYRSA_CURVE\"\n";
    assert_eq!(theirs(&written), "ed ed25519");
    assert_eq!(ours(&written), "ed ed25519");
}

#[test]
fn the_vars_file_that_we_write_complains_when_sourced_by_hand() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(vars_example::VARS_EXAMPLE.as_bytes()).expect("written");
    let output =
        Command::new("sh").args(["-c", ". \"$0\""]).arg(file.path()).env_clear().output().expect("sh runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no need to source it"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_not_refused_is_read_as_by_sh(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                " ", "\t", "\n", "\\\n", "\"", "'", "\\", "\\\\", "$", "$HOME", "${SPACED}", "$EMPTY", "$DOLLAR", "{",
                "}", "\\}", "#", "~", "/", "a", "Z9", "_", "=", ",", ":", "!", "%", "^", "é", "set_var X ",
            ]),
            0..14,
        )
    ) {
        let text = format!("set_var X {}", pieces.concat());
        if let Some(ours) = accepted(&text) {
            prop_assert_eq!(ours, theirs(&text), "{}", text);
        }
    }
}
