// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git tells its hooks about references that are to move.

use super::GuardError;

/// A reference that is to move, on a server or by a push to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The object that the server has there, as hex; `None` for a new reference.
    pub old: Option<String>,
    /// The object that it is to have, as hex; `None` for a reference that goes.
    pub new: Option<String>,
    /// The full name of the reference on the server, as git's bytes.
    pub name: Vec<u8>,
}

impl Update {
    /// Reads the standard input of pre-push:
    /// `LOCAL-REF LOCAL-OID REMOTE-REF REMOTE-OID` per line (githooks(5)).
    ///
    /// # Errors
    ///
    /// [`GuardError::Update`] for any other line.
    pub fn of_pre_push(input: &[u8]) -> Result<Vec<Self>, GuardError> {
        lines(input)
            .map(|line| {
                match fields(line).as_slice() {
                    // What is pushed may be named in words with blanks: `HEAD@{1 day ago}`.
                    [_, .., new, name, old] => Self::of(old, new, name),
                    _ => None,
                }
                .ok_or_else(|| wrong(line))
            })
            .collect()
    }

    /// Reads the standard input of pre-receive: `OLD NEW REF` per line.
    ///
    /// # Errors
    ///
    /// [`GuardError::Update`] for any other line.
    pub fn of_pre_receive(input: &[u8]) -> Result<Vec<Self>, GuardError> {
        lines(input)
            .map(|line| {
                match fields(line).as_slice() {
                    [old, new, name] => Self::of(old, new, name),
                    _ => None,
                }
                .ok_or_else(|| wrong(line))
            })
            .collect()
    }

    /// Reads the arguments of the update hook: `REF OLD NEW`.
    ///
    /// # Errors
    ///
    /// [`GuardError::Update`] if `old` or `new` is no object name.
    pub fn of_update(name: &[u8], old: &str, new: &str) -> Result<Self, GuardError> {
        Self::of(old.as_bytes(), new.as_bytes(), name)
            .ok_or_else(|| wrong(&[name, b" ", old.as_bytes(), b" ", new.as_bytes()].concat()))
    }

    fn of(old: &[u8], new: &[u8], name: &[u8]) -> Option<Self> {
        Some(Self { old: object(old)?, new: object(new)?, name: name.to_vec() })
    }
}

fn lines(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

fn fields(line: &[u8]) -> Vec<&[u8]> {
    line.split(|&byte| byte == b' ').collect()
}

/// An object's name; zeros are none.
fn object(field: &[u8]) -> Option<Option<String>> {
    let digits =
        matches!(field.len(), 40 | 64) && field.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let text = std::str::from_utf8(field).ok().filter(|_| digits)?;
    Some(Some(text.to_owned()).filter(|text| text.bytes().any(|byte| byte != b'0')))
}

fn wrong(line: &[u8]) -> GuardError {
    GuardError::Update { line: String::from_utf8_lossy(line).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_understood_and_nothing_else() {
        let (one, two, none) = ("1".repeat(40), "2".repeat(64), "0".repeat(40));
        let text =
            format!("HEAD@{{1 day ago}} {one} refs/heads/a {two}\n(delete) {none} refs/heads/b {one}\n");
        let updates = Update::of_pre_push(text.as_bytes()).expect("understood");
        assert_eq!(updates.len(), 2);
        let first = updates.first().expect("there");
        assert_eq!((&first.old, &first.new), (&Some(two), &Some(one.clone())));
        assert_eq!(first.name, b"refs/heads/a");
        assert_eq!(updates.get(1).expect("there").new, None);
        let text = format!("{none} {one} refs/heads/\u{fc}\n");
        let update = Update::of_pre_receive(text.as_bytes()).expect("understood").remove(0);
        assert_eq!(update, Update::of_update("refs/heads/\u{fc}".as_bytes(), &none, &one).expect("one"));
        for text in ["x", "a b c", &format!("{none} {one}"), &format!("{none}0 {one} refs/heads/a")] {
            assert!(Update::of_pre_receive(text.as_bytes()).is_err(), "{text}");
            assert!(Update::of_pre_push(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Update::of_update(b"refs/heads/a", "HEAD", &one).is_err());
    }
}
