// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people do to a key before they commit it.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use certkeep_guard::Wrapping;

/// A way to wrap a text, and what must be told to have been taken off.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) wrap: fn(&str) -> Vec<u8>,
    pub(crate) told: &'static [Wrapping],
}

const fn way(name: &'static str, wrap: fn(&str) -> Vec<u8>, told: &'static [Wrapping]) -> Way {
    Way { name, wrap, told }
}

/// Ways that leave the format's own encoding as it is.
pub(crate) const SIMPLE: &[Way] = &[
    way("plain", |key| key.as_bytes().to_vec(), &[]),
    way("CRLF", |key| key.replace('\n', "\r\n").into_bytes(), &[]),
    way("indented", |key| format!("key: |\n{}\nnext: 1\n", before_lines("    ", key)).into_bytes(), &[]),
    way("comment #", |key| before_lines("# ", key).into_bytes(), &[]),
    way("comment //", |key| before_lines("    // ", key).into_bytes(), &[]),
    way("quoted mail", |key| before_lines("> ", key).into_bytes(), &[]),
    way("patch +", |key| patch('+', key).into_bytes(), &[]),
    way("patch -", |key| patch('-', key).into_bytes(), &[]),
    way("prose around", |key| format!("This is it:\n\n{key}\nkeep it safe.\n").into_bytes(), &[]),
    way("element", |key| format!("<key>\n{key}</key>\n<cert>\n").into_bytes(), &[]),
    way("amid binary", |key| [b"\0\x01\xFF\xFE\n", key.as_bytes(), b"\n\0\0\xF0"].concat(), &[]),
];

/// Ways with the ends of lines, or everything, encoded once more.
pub(crate) const ENCODED: &[Way] = &[
    way("JSON", |key| format!("{{\"a\": 1, \"key\": {}}}", json(key)).into_bytes(), ESCAPED),
    way(
        "JSON, CRLF",
        |key| format!("{{\"key\":{}}}", json(&key.replace('\n', "\r\n"))).into_bytes(),
        ESCAPED,
    ),
    way("JSON of PHP", |key| format!("{{\"key\":{}}}", json(key).replace('/', "\\/")).into_bytes(), ESCAPED),
    way("environment", |key| format!("KEY={}\nOTHER=1\n", json(key)).into_bytes(), ESCAPED),
    way("strings with +", |key| concatenated(key, "+").into_bytes(), ESCAPED),
    way("strings in C", |key| concatenated(key, "").into_bytes(), ESCAPED),
    way("UTF-16LE, marked", |key| utf16(&format!("\u{feff}{key}"), u16::to_le_bytes), UTF16),
    way("UTF-16BE, marked", |key| utf16(&format!("\u{feff}Schlüssel\n{key}"), u16::to_be_bytes), UTF16),
    way("UTF-16LE", |key| utf16(key, u16::to_le_bytes), UTF16),
    way("UTF-16BE", |key| utf16(key, u16::to_be_bytes), UTF16),
    way("appended by PowerShell", |key| [b"echo\n".to_vec(), utf16(key, u16::to_le_bytes)].concat(), UTF16),
    way("base64", |key| format!("tls.key: {}\n", STANDARD.encode(key)).into_bytes(), BASE64),
    way("base64, wrapped", |key| wrapped(&STANDARD.encode(key), 76).into_bytes(), BASE64),
    way(
        "base64, indented",
        |key| before_lines("  ", &wrapped(&STANDARD.encode(key), 64)).into_bytes(),
        BASE64,
    ),
    way("base64, CRLF", |key| wrapped(&STANDARD.encode(key), 60).replace('\n', "\r\n").into_bytes(), BASE64),
    way("base64, patch", |key| patch('+', &wrapped(&STANDARD.encode(key), 76)).into_bytes(), BASE64),
    way("base64, strings", |key| concatenated(&wrapped(&STANDARD.encode(key), 70), "+").into_bytes(), BASE64),
    way("base64 without padding", |key| STANDARD_NO_PAD.encode(key).into_bytes(), BASE64),
    way("base64url", |key| format!("?k={}&x=1", URL_SAFE_NO_PAD.encode(key)).into_bytes(), BASE64),
    way("base64, second alignment", |key| STANDARD.encode(format!("\n{key}")).into_bytes(), BASE64),
    way("base64, third alignment", |key| STANDARD.encode(format!("\n\n{key}")).into_bytes(), BASE64),
    way(
        "base64 of JSON",
        |key| STANDARD.encode(format!("{{\"k\":{}}}", json(key))).into_bytes(),
        BASE64_ESCAPED,
    ),
    way("base64 of base64", |key| STANDARD.encode(STANDARD.encode(key)).into_bytes(), BASE64_TWICE),
    way("base64 of UTF-16", |key| STANDARD.encode(utf16(key, u16::to_le_bytes)).into_bytes(), BASE64_UTF16),
    way("UTF-16 of base64", |key| utf16(&STANDARD.encode(key), u16::to_le_bytes), UTF16_BASE64),
];

/// Ways that only make sense for PEM.
pub(crate) const OF_PEM: &[Way] = &[
    way("no last line", |key| without_last_line(key).into_bytes(), &[]),
    way("on one line", |key| format!("KEY=\"{}\"", key.trim_end().replace('\n', " ")).into_bytes(), &[]),
    way("no padding", |key| key.replace('=', "").into_bytes(), &[]),
    way("glued", |key| format!("x{}", STANDARD.encode(key)).into_bytes(), BASE64),
    way("glued in path", |key| format!("certs_a-b/{}", STANDARD.encode(key)).into_bytes(), BASE64),
];

const ESCAPED: &[Wrapping] = &[Wrapping::Escaped];
const UTF16: &[Wrapping] = &[Wrapping::Utf16];
const BASE64: &[Wrapping] = &[Wrapping::Base64];
const BASE64_ESCAPED: &[Wrapping] = &[Wrapping::Base64, Wrapping::Escaped];
const BASE64_TWICE: &[Wrapping] = &[Wrapping::Base64, Wrapping::Base64];
const BASE64_UTF16: &[Wrapping] = &[Wrapping::Base64, Wrapping::Utf16];
const UTF16_BASE64: &[Wrapping] = &[Wrapping::Utf16, Wrapping::Base64];

fn json(key: &str) -> String {
    serde_json::to_string(key).expect("JSON")
}

fn before_lines(mark: &str, key: &str) -> String {
    key.lines().map(|line| format!("{mark}{line}\n")).collect()
}

fn patch(mark: char, key: &str) -> String {
    format!("--- a/key\n+++ b/key\n@@ -0,0 +1,9 @@\n{}", before_lines(&mark.to_string(), key))
}

fn concatenated(key: &str, operator: &str) -> String {
    let lines: Vec<_> = key.lines().map(|line| json(&format!("{line}\n"))).collect();
    format!("static KEY: &str = {};\n", lines.join(&format!(" {operator}\n    ")))
}

fn utf16<const N: usize>(key: &str, order: fn(u16) -> [u8; N]) -> Vec<u8> {
    key.encode_utf16().flat_map(order).collect()
}

fn wrapped(digits: &str, width: usize) -> String {
    let lines = digits.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned() + "\n");
    lines.collect()
}

fn without_last_line(key: &str) -> String {
    let mut lines: Vec<_> = key.lines().collect();
    lines.pop();
    lines.join("\n")
}
