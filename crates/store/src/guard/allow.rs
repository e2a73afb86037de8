// SPDX-License-Identifier: MIT OR Apache-2.0
//! The allow-list: `.certkeep/guard.toml`. An entry names one blob at one path,
//! so that what was looked at once is let through and nothing else.
//!
//! ```text
//! [[allow]]
//! blob = "9c2bbd0b58d5…"
//! path = "tests/data/example.key"
//! reason = "made for the tests, used nowhere"
//! ```

use std::collections::HashMap;

use serde::Deserialize;
use toml::Spanned;

use super::GuardError;

/// What is let through, with the reason, by blob and path.
#[derive(Debug, Default)]
pub(super) struct AllowList(HashMap<(String, Vec<u8>), String>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    allow: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    blob: Spanned<String>,
    path: Spanned<String>,
    reason: Spanned<String>,
}

impl AllowList {
    /// Reads the file.
    pub(super) fn parse(file: &[u8], whose: &str) -> Result<Self, GuardError> {
        let refused = |at: usize, what: &str| GuardError::AllowList {
            whose: whose.to_owned(),
            line: 1 + file.iter().take(at).filter(|&&byte| byte == b'\n').count(),
            what: what.to_owned(),
        };
        let text = std::str::from_utf8(file).map_err(|error| refused(error.valid_up_to(), "is not UTF-8"))?;
        let file: File = toml::from_str(text).map_err(|error| {
            refused(error.span().map_or(0, |span| span.start), error.message().trim_end())
        })?;
        let mut entries = HashMap::new();
        for Entry { blob, path, reason } in file.allow {
            let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if !matches!(blob.get_ref().len(), 40 | 64) || !hex(blob.get_ref()) {
                return Err(refused(blob.span().start, "blob is not the whole name of an object"));
            }
            if path.get_ref().is_empty() {
                return Err(refused(path.span().start, "path is empty"));
            }
            if reason.get_ref().trim().is_empty() {
                return Err(refused(reason.span().start, "reason is empty"));
            }
            entries.insert((blob.into_inner(), path.into_inner().into_bytes()), reason.into_inner());
        }
        Ok(Self(entries))
    }

    /// Lets through what another list lets through, too.
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The reason for which this blob may stand at this path.
    pub(super) fn reason(&self, blob: &str, path: &[u8]) -> Option<&str> {
        self.0.get(&(blob.to_owned(), path.to_vec())).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> usize {
        match AllowList::parse(text.as_bytes(), "the index") {
            Err(GuardError::AllowList { line, .. }) => line,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn an_entry_is_for_one_blob_at_one_path() {
        let blob = "0123456789abcdef0123456789abcdef01234567";
        let text = format!("[[allow]]\nblob = \"{blob}\"\npath = \"a/b\"\nreason = \"a test\"\n");
        let list = AllowList::parse(text.as_bytes(), "the index").expect("understood");
        assert_eq!(list.reason(blob, b"a/b"), Some("a test"));
        assert_eq!(list.reason(blob, b"a/c"), None);
        assert_eq!(list.reason(&blob.replace('0', "1"), b"a/b"), None);
        assert!(AllowList::parse(b"", "the index").expect("nothing").0.is_empty());
    }

    #[test]
    fn what_is_missing_or_not_known_is_told_with_its_line() {
        let blob = format!("blob = \"{}\"", "0".repeat(40));
        assert_eq!(line(&format!("\n[[allow]]\n{blob}\npath = \"a\"\nreason = \" \"\n")), 5);
        assert_eq!(line(&format!("[[allow]]\n{blob}\npath = \"\"\nreason = \"x\"\n")), 3);
        assert_eq!(line("[[allow]]\nblob = \"12\"\npath = \"a\"\nreason = \"x\"\n"), 2);
        assert_eq!(line(&format!("[[allow]]\n{blob}\npath = \"a\"\nreason = \"x\"\nmore = 1\n")), 5);
        assert_eq!(line(&format!("\n\n[[allow]]\n{blob}\npath = \"a\"\n")), 3);
        assert_eq!(line("x = 1\n"), 1);
    }
}
