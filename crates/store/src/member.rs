// SPDX-License-Identifier: MIT OR Apache-2.0
//! Members: who they are, by name and public key. Pure.

use std::fmt;

use thiserror::Error;

pub use crate::wrap::Kind;

/// The name of a member: small letters, digits, `.`, `_`, `-`, at most 64; the
/// first is a letter or a digit. Two names never differ in case alone, for not
/// every file system could keep both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberName(String);

/// A text that names no member.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{}` is not a member's name: small letters, digits, `.`, `_` and `-`, at most 64", .0.escape_debug())]
pub struct MemberNameError(String);

/// A member: a public key with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What the key is.
    pub kind: Kind,
    /// The public key as text: `age1...`, `ssh-ed25519 AAAA...`, or an armored certificate.
    pub key: String,
    /// What the key is known by: the recipient itself, `SHA256:...`, or the
    /// hexadecimal fingerprint of an OpenPGP certificate.
    pub fingerprint: String,
}

impl MemberName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// Another character, or too long.
    pub fn parse(text: &str) -> Result<Self, MemberNameError> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
        let well = text.bytes().next().is_some_and(plain)
            && text.len() <= 64
            && text.bytes().all(|byte| plain(byte) || matches!(byte, b'.' | b'_' | b'-'));
        if well { Ok(Self(text.to_owned())) } else { Err(MemberNameError(text.to_owned())) }
    }

    /// The name that a person would expect from an address, a user id or the
    /// comment of an SSH key: `Alice Doe <alice@example.net>` is `alice`.
    #[must_use]
    pub fn suggest(text: &str) -> Option<Self> {
        let address = text.rsplit_once('<').map_or(text, |(_, address)| address);
        let local = address.split(['@', '>']).next().unwrap_or_default().trim().to_lowercase();
        let name: String = local
            .chars()
            .map(|character| if character == ' ' { '-' } else { character })
            .filter(|character| matches!(character, 'a'..='z' | '0'..='9' | '.' | '_' | '-'))
            .take(64)
            .collect();
        Self::parse(name.trim_start_matches(['.', '_', '-'])).ok()
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_file_names_everywhere() {
        for text in ["alice", "bob-2", "ci.deploy_key", "0"] {
            assert!(MemberName::parse(text).is_ok(), "{text}");
        }
        for text in ["", "Alice", ".x", "-x", "a/b", "a b", "..", "\u{e4}", &"x".repeat(65)] {
            assert!(MemberName::parse(text).is_err(), "{text}");
        }
        let suggested = |text| MemberName::suggest(text).map(|name| name.to_string());
        assert_eq!(suggested("Alice Doe <alice@example.net>").as_deref(), Some("alice"));
        assert_eq!(suggested("bob@host").as_deref(), Some("bob"));
        assert_eq!(suggested("Jane Doe").as_deref(), Some("jane-doe"));
        assert_eq!(suggested("\u{4e2d}"), None);
    }
}
