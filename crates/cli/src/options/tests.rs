// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every spelling that easy-rsa's callers use.

use clap::{CommandFactory, Parser, Subcommand};
use proptest::prelude::*;

use super::*;

#[derive(Debug, Parser)]
#[command(name = "certkeep")]
struct Line {
    #[command(flatten)]
    options: GlobalOptions,
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    SignReq { kind: String, name: String },
}

fn parse(arguments: &[&str]) -> Result<Line, clap::Error> {
    Line::try_parse_from(trimmed_arguments(["certkeep"].iter().chain(arguments).map(OsString::from)))
}

/// Parses options before the command `sign-req server web1`, and once more after it.
fn options(options: &[&str]) -> GlobalOptions {
    let command = ["sign-req", "server", "web1"];
    let before = parse(&[options, &command].concat()).expect("before the command");
    let after = parse(&[&command, options].concat()).expect("after the command");
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    before.options
}

#[test]
fn the_definition_is_sound() {
    Line::command().debug_assert();
}

#[test]
fn every_spelling_of_easyrsa_is_taken() {
    for switch in [
        "--batch",
        "-b",
        "--silent",
        "-s",
        "--sbatch",
        "--sb",
        "--silent-batch",
        "--silent-ssl",
        "-S",
        "--verbose",
        "-v",
        "--nopass",
        "--no-pass",
        "--no-lockfile",
        "--nolockfile",
        "--no-inline",
        "--noinline",
        "--no-umask",
        "--noumask",
        "--notext",
        "--no-text",
        "--copy-ext",
        "--auto-san",
        "--san-crit",
        "--san-critical",
        "--bc-crit",
        "--bc-critical",
        "--ku-crit",
        "--ku-critical",
        "--eku-crit",
        "--eku-critical",
    ] {
        let plain = format!("{:?}", options(&[switch]));
        assert!(plain.contains("true"), "{switch}");
        for value in ["", "x", "--", "a=b"] {
            assert_eq!(format!("{:?}", options(&[&format!("{switch}={value}")])), plain, "{switch}={value}");
        }
    }
    for (option, value) in [
        ("--pki", "/a b"),
        ("--pki-dir", "x"),
        ("--vars", "x"),
        ("--tmp-dir", "x"),
        ("--umask", "022"),
        ("--days", "1"),
        ("--startdate", "x"),
        ("--enddate", "x"),
        ("--digest", "x"),
        ("--keysize", "4096"),
        ("--algo", "ec"),
        ("--use-algo", "ed"),
        ("--curve", "x"),
        ("--subca-len", "0"),
        ("--san", "DNS:x"),
        ("--subject-alt-name", "DNS:x"),
        ("--dn-mode", "org"),
        ("--dn-mode", "cn_only"),
        ("--req-cn", "x"),
        ("--req-c", "DE"),
        ("--req-st", "x"),
        ("--req-city", "x"),
        ("--req-org", "x"),
        ("--req-email", "x"),
        ("--req-ou", "x"),
        ("--req-serial", "x"),
        ("--passin", "pass:x"),
        ("--passout", "stdin"),
        ("--profile-set", "easyrsa"),
        ("--format", "json"),
    ] {
        let joined = options(&[&format!("{option}={value}")]);
        assert_eq!(format!("{joined:?}"), format!("{:?}", options(&[option, value])), "{option}");
    }
}

#[test]
fn the_last_of_an_option_counts_and_switches_may_be_repeated() {
    let given = options(&["--days=1", "--batch", "--days=2", "-b"]);
    assert_eq!(given.certificate.days, Some(2));
    assert!(given.conversation.batch);
}

#[test]
fn names_add_up_wherever_they_stand() {
    let line =
        parse(&["--san=DNS:a", "sign-req", "--san", "DNS:b", "server", "web1", "--subject-alt-name=DNS:c"]);
    let line = line.expect("valid");
    assert_eq!(line.options.certificate.san, ["DNS:a", "DNS:b", "DNS:c"]);
    let Verb::SignReq { kind, name } = line.command;
    assert_eq!((kind.as_str(), name.as_str()), ("server", "web1"));
    let line = parse(&["--identity", "a", "sign-req", "--identity=b", "server", "web1", "--identity", "-"]);
    let files = line.expect("valid").options.store.identity;
    assert_eq!(files, ["a", "b", "-"].map(PathBuf::from));
}

#[test]
fn empty_arguments_at_the_end_are_nothing() {
    assert!(parse(&["--batch", "sign-req", "server", "web1", "", ""]).is_ok());
    assert!(parse(&["sign-req", "", "web1"]).is_ok(), "elsewhere they are arguments");
    assert_eq!(trimmed_arguments(["certkeep", ""].map(OsString::from)), ["certkeep"]);
    assert!(trimmed_arguments([]).is_empty());
}

#[test]
fn what_stands_behind_two_dashes_is_not_touched() {
    let given = ["certkeep", "--batch=1", "--", "--san=x", "--batch=1", ""].map(OsString::from);
    assert_eq!(trimmed_arguments(given), ["certkeep", "--batch", "--", "--san=x", "--batch=1", ""]);
}

#[test]
fn wrong_values_are_refused() {
    for option in [
        "--days=01",
        "--days=-1",
        "--days=1d",
        "--days=",
        "--days=4294967296",
        "--keysize=0",
        "--keysize=x",
        "--subca-len=00",
        "--umask=8",
        "--umask=1000",
        "--umask=",
        "--algo=dsa",
        "--algo=",
        "--dn-mode=x",
        "--pki=",
        "--vars=",
        "--digest=",
        "--curve=",
        "--san=",
        "--req-cn=",
        "--format=xml",
        "--profile-set=x",
        "--unknown",
        "--ssl-cnf=",
        "--new-subject=",
        "--keep-tmp=",
        "--quiet",
    ] {
        assert!(parse(&[option, "sign-req", "server", "web1"]).is_err(), "{option}");
        assert!(parse(&["sign-req", "server", "web1", option]).is_err(), "{option} behind the command");
    }
    assert!(parse(&["sign-req", "server", "web1", "--san"]).is_err());
    assert!(parse(&["--san", "sign-req", "server", "web1"]).is_err());
}

#[test]
fn no_error_and_no_debug_repeats_a_passphrase() {
    let given = options(&["--passin=pass:hunter2", "--passout", "pass:hunter2"]);
    assert!(!format!("{given:?}").contains("hunter2"));
    for arguments in
        [&["--passin=pass:hunter2"][..], &["--passn=pass:hunter2"], &["--passin=pass:hunter2", "--days=x"]]
    {
        let error = parse(arguments).expect_err("no command");
        assert!(!error.render().to_string().contains("hunter2"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_arguments_are_taken_or_refused(arguments in proptest::collection::vec("\\PC{0,12}|--(san|batch|days|passin)(=\\PC{0,4})?|--", 0..8)) {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let _ = parse(&arguments);
    }
}
