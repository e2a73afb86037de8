// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trees of values as JSON, written straight into the text: of a list of ten
//! thousand things there is never more than one as a tree.

use std::fmt::Write as _;

use certkeep_pki::x509::describe::Value;

use crate::terminal::Safe;

/// The tree as JSON, indented, with a newline at its end. Characters that a
/// terminal would act on are written as escapes, which JSON readers undo.
#[must_use]
pub fn json(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text.push('\n');
    text
}

/// The same for an object that ends in a list, whose items are made one by one.
#[must_use]
pub fn json_with(
    entries: &[(&str, Value)],
    name: &str,
    items: impl ExactSizeIterator<Item = Value>,
) -> String {
    let mut text = "{\n".to_owned();
    for (key, value) in entries {
        write_key(&mut text, key, 1);
        write(&mut text, value, 1);
        text.push_str(",\n");
    }
    write_key(&mut text, name, 1);
    write_all(&mut text, ['[', ']'], 1, items, |text, item| write(text, &item, 2));
    text.push_str("\n}\n");
    text
}

fn write(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Text(value) => write_text(text, value),
        Value::Number(number) => {
            let _ = write!(text, "{number}");
        }
        Value::Integer(number) => {
            let _ = write!(text, "{number}");
        }
        Value::Flag(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Absent => text.push_str("null"),
        Value::List(values) => {
            write_all(text, ['[', ']'], depth, values.iter(), |text, value| write(text, value, depth + 1));
        }
        Value::Section(entries) => {
            write_all(text, ['{', '}'], depth, entries.iter(), |text, (key, value)| {
                write_text(text, key);
                text.push_str(": ");
                write(text, value, depth + 1);
            });
        }
    }
}

/// Things between two brackets, each on a line of its own.
fn write_all<T>(
    text: &mut String,
    [open, close]: [char; 2],
    depth: usize,
    things: impl ExactSizeIterator<Item = T>,
    mut thing: impl FnMut(&mut String, T),
) {
    text.push(open);
    let empty = things.len() == 0;
    for (number, one) in things.enumerate() {
        text.push_str(if number == 0 { "\n" } else { ",\n" });
        indent(text, depth + 1);
        thing(text, one);
    }
    if !empty {
        text.push('\n');
        indent(text, depth);
    }
    text.push(close);
}

fn write_key(text: &mut String, key: &str, depth: usize) {
    indent(text, depth);
    write_text(text, key);
    text.push_str(": ");
}

fn indent(text: &mut String, depth: usize) {
    (0..depth).for_each(|_| text.push_str("  "));
}

/// A string (RFC 8259 §7) that is nothing a terminal would act on.
fn write_text(text: &mut String, value: &str) {
    text.push('"');
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if value.bytes().all(is_plain) {
        text.push_str(value);
    } else {
        value.chars().for_each(|character| write_character(text, character));
    }
    text.push('"');
}

fn write_character(text: &mut String, character: char) {
    match character {
        '"' => text.push_str("\\\""),
        '\\' => text.push_str("\\\\"),
        '\u{8}' => text.push_str("\\b"),
        '\u{c}' => text.push_str("\\f"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        ' '..='~' => text.push(character),
        _ if !character.is_ascii() && Safe(character).to_string().chars().eq([character]) => {
            text.push(character);
        }
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(value: &Value) -> serde_json::Value {
        match value {
            Value::Text(text) => text.as_str().into(),
            Value::Number(number) => (*number).into(),
            Value::Integer(number) => (*number).into(),
            Value::Flag(flag) => (*flag).into(),
            Value::Absent => serde_json::Value::Null,
            Value::List(values) => values.iter().map(plain).collect(),
            Value::Section(entries) => serde_json::Value::Object(
                entries.iter().map(|(key, value)| ((*key).to_owned(), plain(value))).collect(),
            ),
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<String>().prop_map(Value::Text),
            any::<u64>().prop_map(Value::Number),
            any::<i64>().prop_map(Value::Integer),
            any::<bool>().prop_map(Value::Flag),
            Just(Value::Absent),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                prop::collection::vec(inner, 0..4).prop_map(|values| Value::Section(
                    ["a", "b", "c", "d"].into_iter().zip(values).collect()
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_tree_is_read_back_and_is_written_as_serde_writes_it(value in value()) {
            let text = json(&value);
            let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            prop_assert_eq!(&read, &plain(&value));
            if text.is_ascii() && !text.contains("\\u") {
                let theirs = serde_json::to_string_pretty(&read).expect("a tree of plain values");
                prop_assert_eq!(text, theirs + "\n");
            }
        }

        #[test]
        fn a_list_that_is_made_item_by_item_is_the_same(items in prop::collection::vec(value(), 0..4)) {
            let head = [("a", Value::Absent), ("b", Value::Flag(true))];
            let whole = [&head[..], &[("c", Value::List(items.clone()))]].concat();
            prop_assert_eq!(json_with(&head, "c", items.into_iter()), json(&Value::Section(whole)));
        }
    }
}
