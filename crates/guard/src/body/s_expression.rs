// SPDX-License-Identifier: MIT OR Apache-2.0
//! S-expressions as libgcrypt writes them: canonical (`3:rsa`), and advanced
//! (`rsa`, `"rsa"`, `#00AB#`).

use zeroize::Zeroizing;

/// Lists in lists; keys have five.
const DEEPEST: usize = 32;
/// Lists and strings of one expression; keys have some dozens.
const MOST_NODES: usize = 4096;

/// A string of bytes, or a list.
pub(super) enum Node {
    Atom(Zeroizing<Vec<u8>>),
    List(Vec<Self>),
}

impl Node {
    /// Reads one expression and gives what follows it.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let mut open: Vec<Vec<Self>> = Vec::new();
        let mut rest = bytes.trim_ascii_start();
        for _ in 0..MOST_NODES {
            let node = match *rest.first()? {
                b'(' => {
                    if open.len() == DEEPEST {
                        return None;
                    }
                    open.push(Vec::new());
                    rest = skip(rest, 1)?;
                    continue;
                }
                b')' => {
                    rest = rest.get(1..)?;
                    Self::List(open.pop()?)
                }
                _ => {
                    let (atom, after) = atom(rest)?;
                    rest = after;
                    Self::Atom(atom)
                }
            };
            let Some(list) = open.last_mut() else { return Some((node, rest)) };
            list.push(node);
            rest = rest.trim_ascii_start();
        }
        None
    }

    pub(super) fn atom(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(bytes) => Some(bytes),
            Self::List(_) => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::Atom(_) => None,
            Self::List(nodes) => Some(nodes),
        }
    }

    /// The string at the head of a list: what the list is.
    pub(super) fn name(&self) -> Option<&[u8]> {
        self.list()?.first()?.atom()
    }

    /// The string after `name` in the list of this name inside.
    pub(super) fn value(&self, name: &[u8]) -> Option<&[u8]> {
        let named = self.list()?.iter().find(|node| node.name() == Some(name))?;
        named.list()?.get(1)?.atom()
    }
}

fn skip(bytes: &[u8], count: usize) -> Option<&[u8]> {
    bytes.get(count..).map(<[u8]>::trim_ascii_start)
}

/// One string in any of its forms.
fn atom(bytes: &[u8]) -> Option<(Zeroizing<Vec<u8>>, &[u8])> {
    match *bytes.first()? {
        b'#' => {
            let end = memchr::memchr(b'#', bytes.get(1..)?)? + 1;
            let digits: Zeroizing<Vec<u8>> = Zeroizing::new(
                bytes.get(1..end)?.iter().filter(|byte| !byte.is_ascii_whitespace()).copied().collect(),
            );
            if !digits.len().is_multiple_of(2) {
                return None;
            }
            let mut value = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
            for pair in digits.chunks_exact(2) {
                let text = std::str::from_utf8(pair).ok()?;
                value.push(u8::from_str_radix(text, 16).ok()?);
            }
            Some((value, bytes.get(end + 1..)?))
        }
        // Escapes stand in comments and names only, which nobody reads here.
        b'"' => {
            let mut end = 1;
            loop {
                match *bytes.get(end)? {
                    b'"' => break,
                    b'\\' => end += 2,
                    _ => end += 1,
                }
            }
            Some((Zeroizing::new(bytes.get(1..end)?.to_vec()), bytes.get(end + 1..)?))
        }
        b'0'..=b'9' => {
            let digits = bytes.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
            let length: usize = std::str::from_utf8(bytes.get(..digits)?).ok()?.parse().ok()?;
            let data = bytes.get(digits..)?.strip_prefix(b":")?;
            let (value, rest) = data.split_at_checked(length)?;
            Some((Zeroizing::new(value.to_vec()), rest))
        }
        _ => {
            let token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-./_:*+=".contains(byte);
            let length = bytes.iter().take_while(token).count();
            let (value, rest) = bytes.split_at_checked(length).filter(|(value, _)| !value.is_empty())?;
            Some((Zeroizing::new(value.to_vec()), rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_read_alike() {
        for text in ["(3:key(1:n2:\x01\x23)(1:c3:a b))", "(key (n #01 23#)\n  (c \"a b\"))"] {
            let (node, rest) = Node::read(text.as_bytes()).expect("an expression");
            assert!(rest.is_empty());
            assert_eq!(node.name(), Some(&b"key"[..]));
            assert_eq!(node.value(b"n"), Some(&[1, 0x23][..]));
            assert_eq!(node.value(b"c"), Some(&b"a b"[..]));
        }
    }

    #[test]
    fn what_has_no_end_is_none() {
        for text in
            ["", "(", "(a", "(9:a)", "(#0#)", "(#00)", "(\"a\\", "(a))", ")", "(a#00", "(999999999:a)"]
        {
            let read = Node::read(text.as_bytes());
            assert!(read.is_none_or(|(_, rest)| !rest.is_empty()), "{text}");
        }
        assert!(Node::read("(".repeat(1 << 20).as_bytes()).is_none());
    }
}
