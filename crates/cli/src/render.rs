// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns the core's trees of values into text for people and JSON for programs.
//!
//! Both escape what a terminal would act on: names in certificates are written
//! by whoever asked for them.

mod json;

use std::fmt::Write;

use certkeep_pki::x509::describe::Value;

pub use self::json::{json, json_with};
use crate::terminal::Safe;

/// Hexadecimal digits of a key or a signature on one line of text.
const HEX_PER_LINE: usize = 64;

/// The tree as indented text, one labelled value a line.
#[must_use]
pub fn text(title: &str, value: &Value) -> String {
    let mut output = format!("{title}:\n");
    write_text(&mut output, value, 1);
    output
}

fn write_text(output: &mut String, value: &Value, depth: usize) {
    let Value::Section(entries) = value else {
        let _ = writeln!(output, "{}{}", "  ".repeat(depth), scalar(value));
        return;
    };
    for (key, value) in entries {
        let _ = write!(output, "{}{}:", "  ".repeat(depth), label(key));
        write_value(output, value, depth);
    }
}

fn write_value(output: &mut String, value: &Value, depth: usize) {
    match value {
        Value::List(values) if values.is_empty() => output.push_str(" none\n"),
        Value::List(values) if values.iter().all(is_scalar) => {
            let items: Vec<String> = values.iter().map(scalar).collect();
            let _ = writeln!(output, " {}", items.join(", "));
        }
        Value::List(values) => {
            output.push('\n');
            for value in values {
                write_item(output, value, depth + 1);
            }
        }
        // A name is shown by its text; its attributes are for programs.
        Value::Section(entries) => match entries.first() {
            Some(("text", text)) => {
                let _ = writeln!(output, " {}", scalar(text));
            }
            _ => {
                output.push('\n');
                write_text(output, value, depth + 1);
            }
        },
        Value::Text(digits) if digits.len() > HEX_PER_LINE && is_hex(digits) => {
            output.push('\n');
            let indent = "  ".repeat(depth + 1);
            for start in (0..digits.len()).step_by(HEX_PER_LINE) {
                let line = &digits[start..digits.len().min(start + HEX_PER_LINE)];
                let _ = writeln!(output, "{indent}{line}");
            }
        }
        _ => {
            let _ = writeln!(output, " {}", scalar(value));
        }
    }
}

/// An element of a list of sections: an extension by its name, others with a dash.
fn write_item(output: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Section(entries) => match &entries[..] {
            [("name", name), ("oid", _), ("critical", critical), ("value", value)] => {
                let mark = if *critical == Value::Flag(true) { " (critical)" } else { "" };
                let _ = write!(output, "{indent}{}{mark}:", scalar(name));
                write_value(output, value, depth);
            }
            entries => {
                let shown = entries.iter().filter(|(_, value)| *value != Value::Absent);
                let items: Vec<String> =
                    shown.map(|(key, value)| format!("{}: {}", label(key), inline(value))).collect();
                let _ = writeln!(output, "{indent}- {}", items.join(", "));
            }
        },
        _ => {
            let _ = writeln!(output, "{indent}- {}", scalar(value));
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::List(values) => values.iter().map(inline).collect::<Vec<_>>().join(", "),
        Value::Section(entries) => {
            let items = entries.iter().map(|(key, value)| format!("{}: {}", label(key), inline(value)));
            items.collect::<Vec<_>>().join(", ")
        }
        _ => scalar(value),
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::List(_) | Value::Section(_))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Text(text) => Safe(text).to_string(),
        Value::Number(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Flag(true) => "yes".to_owned(),
        Value::Flag(false) => "no".to_owned(),
        Value::Absent | Value::List(_) | Value::Section(_) => "none".to_owned(),
    }
}

/// `not_before` as `Not before`, `ca_not_after` as `CA not after`.
fn label(key: &str) -> String {
    const ABBREVIATIONS: [(&str, &str); 8] = [
        ("ca", "CA"),
        ("crl", "CRL"),
        ("der", "DER"),
        ("oid", "OID"),
        ("pki", "PKI"),
        ("sha1", "SHA-1"),
        ("sha256", "SHA-256"),
        ("url", "URL"),
    ];
    let word = |word: &str| {
        let known = ABBREVIATIONS.iter().find(|(short, _)| *short == word);
        known.map_or_else(|| word.to_owned(), |(_, spelled)| (*spelled).to_owned())
    };
    let words = key.split('_').map(word).collect::<Vec<_>>().join(" ");
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Value {
        Value::Section(vec![
            ("version", Value::Number(3)),
            ("subject", Value::Section(vec![("text", "CN=a\u{1b}[2J\u{7f}\u{202e}".into())])),
            (
                "extensions",
                Value::List(vec![Value::Section(vec![
                    ("name", "keyUsage".into()),
                    ("oid", "2.5.29.15".into()),
                    ("critical", Value::Flag(true)),
                    ("value", Value::List(vec!["cRLSign".into()])),
                ])]),
            ),
            ("revoked", Value::List(vec![])),
            ("number", Value::Absent),
        ])
    }

    #[test]
    fn text_is_indented_and_escaped() {
        assert_eq!(
            text("Certificate", &tree()),
            "Certificate:\n  Version: 3\n  Subject: CN=a\\u{1b}[2J\\u{7f}\\u{202e}\n  Extensions:\n    \
             keyUsage (critical): cRLSign\n  Revoked: none\n  Number: none\n"
        );
    }

    #[test]
    fn json_holds_nothing_a_terminal_would_act_on() {
        let output = json(&tree());
        assert!(output.chars().all(|character| character == '\n' || !character.is_control()), "{output}");
        assert!(!output.contains('\u{202e}'));
        let read: serde_json::Value = serde_json::from_str(&output).expect("valid JSON");
        assert_eq!(read["subject"]["text"], "CN=a\u{1b}[2J\u{7f}\u{202e}");
    }
}
