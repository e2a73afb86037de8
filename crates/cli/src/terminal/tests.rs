// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands on which stream, and which answers count.

use std::{cell::RefCell, rc::Rc};

use super::*;

/// What a terminal wrote.
#[derive(Clone, Default)]
pub(crate) struct Captured(Rc<RefCell<Vec<u8>>>);

impl Captured {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).expect("UTF-8")
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal whose streams are kept: standard output, then standard error.
pub(crate) fn captured(prompt: Scripted) -> (Terminal, Captured, Captured) {
    let (output, talk_output) = (Captured::default(), Captured::default());
    let terminal = Terminal {
        output: Box::new(output.clone()),
        talk_output: Box::new(talk_output.clone()),
        prompt: Box::new(prompt),
        colour: Colour::Never,
        page: Page { width: None, colour: Colour::Never },
        talk: Talk::Full,
        consent: Consent::Asked,
        called: Called::Certkeep,
    };
    (terminal, output, talk_output)
}

struct Failing(io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

#[test]
fn data_and_talk_do_not_mix() {
    let (mut terminal, output, talk) = captured(Scripted::default());
    terminal.data("-----BEGIN\n").expect("written");
    terminal.notice("made web1");
    terminal.warning("it outlives its CA");
    terminal.failure(&Failure::refused("no such entry"));
    assert_eq!(output.text(), "-----BEGIN\n");
    assert_eq!(talk.text(), "made web1\nwarning: it outlives its CA\nerror: no such entry\n");
}

#[test]
fn silence_keeps_errors_and_questions() {
    let (mut terminal, output, talk) = captured(Scripted::new(["yes"], []));
    terminal.talk = Talk::Silent;
    terminal.notice("made web1");
    terminal.warning("it outlives its CA");
    terminal.data("data").expect("written");
    terminal.confirm("Remove it?", "Confirm removal: ").expect("confirmed");
    terminal.failure(&Failure::refused("no such entry"));
    assert_eq!(output.text(), "data");
    assert_eq!(
        talk.text(),
        "Remove it?\n\nType `yes` to go on, anything else to stop.\nConfirm removal: error: no such entry\n"
    );
}

#[test]
fn only_yes_confirms() {
    for answer in ["y", "YES", "yes ", " yes", "", "no", "yesyes"] {
        let (mut terminal, ..) = captured(Scripted::new([answer], []));
        assert!(matches!(terminal.confirm("", ""), Err(ConfirmError::Declined)), "{answer}");
    }
    let (mut terminal, ..) = captured(Scripted::default());
    assert!(matches!(terminal.confirm("", ""), Err(ConfirmError::Declined)), "end of input");
}

#[test]
fn batch_asks_for_nothing_but_passphrases() {
    let (mut terminal, _, talk) = captured(Scripted::new([], ["hunter2"]));
    terminal.consent = Consent::Given;
    terminal.confirm("Remove it?", "Confirm removal: ").expect("accepted");
    assert_eq!(terminal.ask("Country", "US").expect("answered"), "US");
    assert_eq!(terminal.passphrase("Passphrase: ").expect("typed").expose(), b"hunter2");
    assert_eq!(talk.text(), "");
}

#[test]
fn fields_are_asked_as_openssl_asks() {
    let (mut terminal, _, talk) = captured(Scripted::new(["", ".", "DE"], []));
    let mut country = || terminal.ask("Country", "US\u{1b}").expect("answered");
    assert_eq!(country(), "US\u{1b}");
    assert_eq!(country(), "");
    assert_eq!(country(), "DE");
    assert!(matches!(terminal.ask("Country", "US"), Err(AskError::EndOfInput(label)) if label == "Country"));
    assert!(talk.text().starts_with(r"Country [US\u{1b}]: "));
}

#[test]
fn a_new_passphrase_is_typed_twice() {
    let typed = |entries: [&str; 2]| captured(Scripted::new([], entries)).0.new_passphrase("CA Key");
    assert_eq!(typed(["hunter2", "hunter2"]).expect("equal").expose(), b"hunter2");
    assert!(matches!(typed(["hunter2", "hunter3"]), Err(PassphraseError::Mismatch)));
    assert!(matches!(typed(["abc", "abc"]), Err(PassphraseError::TooShort)));
    let (mut nobody, ..) = captured(Scripted::default());
    assert!(matches!(nobody.new_passphrase("CA Key"), Err(PassphraseError::NoTerminal(_))));
}

#[test]
fn a_reader_that_left_is_no_error() {
    let (mut terminal, ..) = captured(Scripted::default());
    terminal.output = Box::new(Failing(io::ErrorKind::BrokenPipe));
    assert!(terminal.data("data").is_ok());
    terminal.output = Box::new(Failing(io::ErrorKind::StorageFull));
    assert!(terminal.data("data").is_err());
    terminal.talk_output = Box::new(Failing(io::ErrorKind::BrokenPipe));
    terminal.notice("nobody hears this");
}

#[test]
fn colour_is_on_the_first_word_alone() {
    let (mut terminal, _, talk) = captured(Scripted::default());
    terminal.colour = Colour::Always;
    terminal.warning("careful");
    assert_eq!(talk.text(), "\u{1b}[1;33mwarning:\u{1b}[0m careful\n");
}
