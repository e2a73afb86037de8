// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a failure looks like.

use std::{io::ErrorKind, time::Duration};

use certkeep_pki::{
    layout::{EntryName, PkiPath},
    vars,
};
use certkeep_store::{
    create::CreateError,
    lock::LockError,
    transaction::{FileError, RecordError},
};
use clap::{Arg, Command};

use super::*;
use crate::settings::{SettingsError, Variables};

#[test]
fn facts_first_then_causes_then_hints() {
    let failure = Failure {
        message: "refusing to commit 1 unsealed secret\nprivate/web1.key is staged as plain text".to_owned(),
        causes: vec!["no zone".to_owned(), "no store".to_owned()],
        hints: vec!["run `certkeep store init`".to_owned(), "or wait".to_owned()],
        exit: ExitCode::Refused,
    };
    assert_eq!(
        failure.to_string(),
        "error: refusing to commit 1 unsealed secret\n  private/web1.key is staged as plain text\n  no zone\n  \
         no store\n\nhint: run `certkeep store init`\nhint: or wait\n"
    );
    let painted = failure.rendered(Colour::Always);
    assert!(painted.starts_with("\u{1b}[1;31merror:\u{1b}[0m refusing to commit"), "{painted}");
}

#[test]
fn text_of_others_cannot_act_on_the_terminal() {
    let failure = Failure::refused("`\u{1b}[2J\r` is no name").with_hint("a\u{202e}b");
    assert_eq!(failure.to_string(), "error: `\\u{1b}[2J\\r` is no name\n\nhint: a\\u{202e}b\n");
}

#[test]
fn an_error_is_shown_with_all_that_is_behind_it_and_a_way_out() {
    let source = vars::apply("export X=1", &mut Variables::default()).expect_err("refused");
    let failure = Failure::from(SettingsError::Vars { path: "/srv/vars".into(), source });
    assert_eq!(
        failure.to_string(),
        "error: the vars file `/srv/vars` cannot be used\n  line 1, column 1: `export` is not a command of a vars \
         file\n\nhint: write `set_var NAME VALUE`\n"
    );
}

#[test]
fn a_name_in_a_hint_is_one_word_of_a_shell() {
    let name = EntryName::parse("Jane Doe; id").expect("a name");
    let hints = Failure::no_request(&name).hints.join("\n");
    assert!(hints.contains("`certkeep gen-req 'Jane Doe; id'`"), "{hints}");
    let hints = Failure::exists(&PkiPath::Issued(name)).hints.join("\n");
    assert!(hints.contains("`certkeep show-cert 'Jane Doe; id'`"), "{hints}");
}

#[test]
fn a_failure_that_changed_something_says_what_to_do() {
    let source = |action| FileError { action, path: "/srv/old ca".into(), source: ErrorKind::Other.into() };
    let failure = Failure::from(RecordError::Unfinished(source("rename").into()));
    assert!(failure.message.contains("is committed"), "{failure}");
    assert!(failure.hints.join("").contains("the next command that writes"), "{failure}");
    let leftover = CreateError::Leftover { path: "/srv/old ca".into(), source: source("remove") };
    let failure = Failure::from(leftover);
    assert!(failure.hints.join("").contains("`rm -r '/srv/old ca'`"), "{failure}");
}

#[test]
fn exit_codes_are_those_that_are_published() {
    let codes: Vec<u8> = ExitCode::ALL.iter().map(|(exit, _)| exit.code()).collect();
    assert_eq!(codes, [0, 1, 5, 6, 7, 8, 9, 17, 70]);
    assert_eq!(Failure::refused("").exit, ExitCode::Refused);
    assert_eq!(Failure::internal("").exit, ExitCode::Internal);
    assert_eq!(Failure::refused("").with_exit(ExitCode::LockHeld).exit.code(), 17);
}

#[test]
fn a_lock_that_others_hold_has_an_exit_code_of_its_own() {
    let held = |pid| LockError::Held { pid, path: "/pki".into(), waited: Duration::from_secs(300) };
    let easyrsa = || LockError::HeldByEasyrsa { pid: 7, path: "/pki/lock.file".into() };
    let failures: [Failure; 6] = [
        held(Some(7)).into(),
        held(None).into(),
        easyrsa().into(),
        CreateError::Lock(held(Some(7))).into(),
        CreateError::Lock(easyrsa()).into(),
        CreateError::Busy { path: "/pki".into() }.into(),
    ];
    for failure in failures {
        assert_eq!(failure.exit, ExitCode::LockHeld, "{failure}");
        assert_eq!(failure.hints.len(), 1, "{failure}");
    }
    let other = Failure::from(CreateError::AlreadyExists { path: "/pki".into() });
    assert_eq!(other.exit, ExitCode::Refused);
    assert_eq!(
        Failure::from(held(Some(7))).message,
        "another certkeep, process 7, has been holding the lock of /pki for 300 seconds"
    );
}

#[test]
fn arguments_that_are_not_understood_take_our_form() {
    let command = || Command::new("certkeep").version("1").arg(Arg::new("days").long("days"));
    let outcome = |argument| {
        Outcome::from(&command().try_get_matches_from(["certkeep", argument]).expect_err("refused"))
    };
    let Outcome::Failure(failure) = outcome("--day") else { panic!("an unknown option is a failure") };
    assert_eq!(failure.message, "unexpected argument '--day' found");
    assert_eq!(failure.exit, ExitCode::Refused);
    let hints = failure.hints.join("\n");
    assert!(hints.contains("a similar argument exists: '--days'"), "{hints}");
    assert!(!hints.contains("usage: "), "what was typed is no help: {hints}");
    let wanting = command().arg(Arg::new("name").required(true)).try_get_matches_from(["certkeep"]);
    let Outcome::Failure(failure) = Outcome::from(&wanting.expect_err("refused")) else {
        panic!("a missing argument is a failure")
    };
    assert!(failure.hints.contains(&"usage: `certkeep <name>`".to_owned()), "{:?}", failure.hints);
    assert!(matches!(outcome("--version"), Outcome::Version));
    assert!(matches!(outcome("--help"), Outcome::Text(text) if text.contains("Usage")));
}
