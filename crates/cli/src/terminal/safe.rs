// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one way to show text that somebody else wrote: a name from a request, a
//! file name, a value from the environment.
//!
//! Not for text that is stored or parsed again; the escapes are for eyes.

use std::fmt::{self, Display, Write as _};

use certkeep_pki::layout::is_invisible;

/// Shows `T` with every character escaped that a terminal would act on or that
/// hides or reorders its neighbours: C0 and C1 controls, DEL, line separators,
/// bidirectional controls and characters without width.
///
/// ```
/// # use certkeep::terminal::Safe;
/// assert_eq!(Safe("web1\u{1b}[2J").to_string(), r"web1\u{1b}[2J");
/// assert_eq!(Safe("Jürgen Müller").to_string(), "Jürgen Müller");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Safe<T>(pub T);

impl<T: Display> Display for Safe<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(formatter), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '\n' | '\r' | '\t' => write!(self.0, "{}", character.escape_default())?,
                _ if is_invisible(character) => write!(self.0, "{}", character.escape_unicode())?,
                _ => self.0.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// `text` as one word of a shell command that is to be pasted: in single quotes
/// where a shell would take a character of it for syntax, and unchanged else.
/// What a terminal would act on is left to [`Safe`].
///
/// ```
/// # use certkeep::terminal::shell_word;
/// assert_eq!(shell_word("www.example.net"), "www.example.net");
/// assert_eq!(shell_word("Jane's laptop"), r"'Jane'\''s laptop'");
/// ```
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "@%+=:,./_-".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A path of any bytes as one word of a command for an interactive shell: as
/// [`shell_word`] has it, but with what a terminal would act on and what is no
/// UTF-8 written out, so that it can be shown and pasted (`$'...'`, POSIX 2024;
/// not for scripts of older shells).
#[must_use]
pub fn shell_path(path: &[u8]) -> String {
    let is_hidden = |character: char| character.is_control() || is_invisible(character);
    match std::str::from_utf8(path) {
        Ok(text) if !text.contains(is_hidden) => return shell_word(text),
        _ => {}
    }
    let mut word = String::from("$'");
    let octal = |word: &mut String, bytes: &[u8]| {
        bytes.iter().for_each(|byte| word.push_str(&format!("\\{byte:03o}")));
    };
    for chunk in path.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => word.push_str("\\n"),
                '\\' | '\'' => word.extend(['\\', character]),
                _ if is_hidden(character) => octal(&mut word, character.encode_utf8(&mut [0; 4]).as_bytes()),
                _ => word.push(character),
            }
        }
        octal(&mut word, chunk.invalid());
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        for (text, shown) in [
            ("a\u{1b}]0;x\u{7}b", r"a\u{1b}]0;x\u{7}b"),
            ("a\nerror: b", r"a\nerror: b"),
            ("\u{9b}2J", r"\u{9b}2J"),
            ("\u{7f}", r"\u{7f}"),
            ("gpj.\u{202e}exe", r"gpj.\u{202e}exe"),
            ("pay\u{200b}pal", r"pay\u{200b}pal"),
            ("\u{2066}x\u{2069}", r"\u{2066}x\u{2069}"),
            ("Zoë 東京 e\u{301}", "Zoë 東京 e\u{301}"),
        ] {
            assert_eq!(Safe(text).to_string(), shown);
        }
    }

    #[test]
    fn a_shell_reads_one_word() {
        for (text, word) in [
            ("", "''"),
            ("/srv/my ca", "'/srv/my ca'"),
            ("$(id)", "'$(id)'"),
            ("a;b", "'a;b'"),
            ("~root", "'~root'"),
            ("*", "'*'"),
            ("it's", r"'it'\''s'"),
            ("Jürgen", "Jürgen"),
            ("a=b:/c_d-e.f", "a=b:/c_d-e.f"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn a_path_of_any_bytes_can_be_pasted() {
        for path in [&b"a\n'b\\"[..], b"\xff\xc3\xbc", b"plain", b"a b", "gpj.\u{202e}exe\u{9b}7".as_bytes()]
        {
            let word = shell_path(path);
            assert_eq!(Safe(&word).to_string(), word);
            let script = format!("printf %s {word}");
            let said = std::process::Command::new("bash").args(["-c", &script]).output().expect("bash");
            assert_eq!(said.stdout, path, "{word}");
        }
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in any::<String>()) {
            prop_assert!(!Safe(&text).to_string().chars().any(is_invisible));
        }
    }
}
