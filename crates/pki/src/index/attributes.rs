// SPDX-License-Identifier: MIT OR Apache-2.0
//! `index.txt.attr`, the file beside the database.

use std::fmt;

/// `index.txt.attr`: whether two valid certificates may have the same subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueSubject {
    /// `unique_subject = yes`: old PKIs refuse a second certificate for a subject.
    Yes,
    /// `unique_subject = no`: what every easy-rsa since 3.0.6 writes.
    No,
}

impl UniqueSubject {
    /// Whether the file says it at all.
    #[must_use]
    pub fn is_said(text: &str) -> bool {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.any(|(name, value)| name.trim() == "unique_subject" && !value.trim().is_empty())
    }

    /// Reads the file. As with openssl, a line that says nothing about
    /// `unique_subject` is skipped and `y`, `t` and `1` begin a yes.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut value = text.lines().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == "unique_subject").then(|| value.trim())
        });
        match value.next_back().and_then(|value| value.chars().next()) {
            Some('y' | 'Y' | 't' | 'T' | '1') => Self::Yes,
            _ => Self::No,
        }
    }
}

/// The whole file, as openssl writes it.
impl fmt::Display for UniqueSubject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Yes => "unique_subject = yes\n",
            Self::No => "unique_subject = no\n",
        })
    }
}
