// SPDX-License-Identifier: MIT OR Apache-2.0
//! Elements of BER (X.690): tag, length, contents. Real PKCS#12 files have
//! indefinite lengths and octet strings in pieces, and keys of old programs
//! have numbers that DER forbids; a reader that insists on DER would let them
//! pass as something else.

use zeroize::Zeroizing;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// What a hostile file may make us keep in memory: elements of one list.
const MOST_CHILDREN: usize = 1 << 16;
/// Pieces of pieces of octet strings.
const DEEPEST_STRING: usize = 8;

/// The identifier octet of the constructed context-specific tag `[number]`.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// One element. Tags above 30 are not read; no key has one.
#[derive(Clone, Copy)]
pub(super) struct Element<'bytes> {
    /// The identifier octet: class, whether it is constructed, number.
    pub(super) tag: u8,
    /// What is inside, without the end of an indefinite length.
    pub(super) contents: &'bytes [u8],
    /// The element with its header.
    pub(super) whole: &'bytes [u8],
}

/// A header: identifier octet, length (`None` if it is indefinite), and the bytes both take.
fn header(bytes: &[u8]) -> Option<(u8, Option<usize>, usize)> {
    let (&tag, &first) = (bytes.first()?, bytes.get(1)?);
    if tag & 0x1f == 0x1f {
        return None;
    }
    match first {
        0..=0x7f => Some((tag, Some(usize::from(first)), 2)),
        0x80 => (tag & 0x20 != 0).then_some((tag, None, 2)),
        0x81..=0x84 => {
            let end = 2 + usize::from(first & 0x7f);
            let digits = bytes.get(2..end)?;
            let length = digits.iter().fold(0_u64, |sum, &digit| sum << 8 | u64::from(digit));
            Some((tag, Some(usize::try_from(length).ok()?), end))
        }
        _ => None,
    }
}

/// How many bytes the contents of an indefinite length take, without its end.
/// Linear, however deep they are nested.
fn indefinite(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut open) = (0_usize, 1_usize);
    loop {
        let rest = bytes.get(at..)?;
        if rest.starts_with(&[0, 0]) {
            open -= 1;
            if open == 0 {
                return Some(at);
            }
            at += 2;
            continue;
        }
        let (_, length, header) = header(rest)?;
        at += header;
        match length {
            Some(length) => at = at.checked_add(length)?,
            None => open += 1,
        }
    }
}

impl<'bytes> Element<'bytes> {
    /// Reads the first element of `bytes`; what is left follows it.
    pub(super) fn read(bytes: &'bytes [u8]) -> Option<(Self, &'bytes [u8])> {
        let (tag, length, start) = header(bytes)?;
        let body = bytes.get(start..)?;
        let (length, end) = match length {
            Some(length) => (length, 0),
            None => (indefinite(body)?, 2),
        };
        let contents = body.get(..length)?;
        let (whole, rest) = bytes.split_at_checked(start + length + end)?;
        Some((Self { tag, contents, whole }, rest))
    }

    /// Reads the elements inside, to the last byte.
    pub(super) fn children(&self) -> Option<Vec<Self>> {
        let mut children = Vec::new();
        let mut rest = self.contents;
        while !rest.is_empty() {
            let (child, after) = Self::read(rest)?;
            children.push(child);
            rest = after;
            if children.len() > MOST_CHILDREN {
                return None;
            }
        }
        Some(children)
    }

    /// The elements of a SEQUENCE.
    pub(super) fn sequence(&self) -> Option<Vec<Self>> {
        if self.tag == SEQUENCE { self.children() } else { None }
    }

    /// The bytes of a number, without zeros in front; `None` if it is no
    /// number. The sign is ignored: some writers leave out the zero octet that
    /// makes a number positive.
    pub(super) fn integer(&self) -> Option<&'bytes [u8]> {
        if self.tag != INTEGER || self.contents.is_empty() {
            return None;
        }
        let zeros = self.contents.iter().take_while(|&&byte| byte == 0).count();
        self.contents.get(zeros..)
    }

    /// A number below 128: versions.
    pub(super) fn small(&self) -> Option<u8> {
        match (self.tag, self.contents) {
            (INTEGER, &[value @ 0..=0x7f]) => Some(value),
            _ => None,
        }
    }

    /// The encoded arcs of an object identifier.
    pub(super) fn identifier(&self) -> Option<&'bytes [u8]> {
        let whole = self.contents.last().is_some_and(|last| last & 0x80 == 0);
        (self.tag == OBJECT_IDENTIFIER && whole && self.contents.len() <= 64).then_some(self.contents)
    }

    /// The bytes of a BIT STRING without unused bits.
    pub(super) fn bits(&self) -> Option<&'bytes [u8]> {
        if self.tag == BIT_STRING { self.contents.strip_prefix(&[0]) } else { None }
    }

    /// The bytes of an OCTET STRING, put together from its pieces.
    pub(super) fn octets(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.contents.len()));
        self.add_octets(&mut bytes, DEEPEST_STRING)?;
        Some(bytes)
    }

    fn add_octets(&self, bytes: &mut Vec<u8>, depth: usize) -> Option<()> {
        if self.tag == OCTET_STRING {
            bytes.extend_from_slice(self.contents);
            return Some(());
        }
        if self.tag != OCTET_STRING | 0x20 {
            return None;
        }
        let deeper = depth.checked_sub(1)?;
        let mut rest = self.contents;
        while !rest.is_empty() {
            let (piece, after) = Self::read(rest)?;
            piece.add_octets(bytes, deeper)?;
            rest = after;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indefinite_lengths_end_where_their_own_end_is() {
        let bytes = [0x30, 0x80, 0x24, 0x80, 0x04, 1, 7, 0x04, 2, 8, 9, 0, 0, 0x02, 1, 5, 0, 0, 0xff];
        let (outer, rest) = Element::read(&bytes).expect("an element");
        assert_eq!((outer.tag, rest), (SEQUENCE, &[0xff][..]));
        let children = outer.sequence().expect("children");
        assert_eq!(children.len(), 2);
        assert_eq!(children[0].octets().expect("octets").as_slice(), [7, 8, 9]);
        assert_eq!(children[1].small(), Some(5));
    }

    #[test]
    fn what_does_not_fit_is_no_element() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 2, 0],
            &[0x30, 0x80],
            &[0x30, 0x80, 0, 1],
            &[0x04, 0x80, 0, 0],
            &[0x1f, 1, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
        ] {
            assert!(Element::read(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn a_deep_nest_takes_no_stack() {
        let mut bytes = [0x24, 0x80].repeat(1 << 20);
        bytes.extend([0, 0].repeat(1 << 20));
        let (outer, rest) = Element::read(&bytes).expect("well formed");
        assert!(rest.is_empty());
        assert!(outer.octets().is_none());
    }
}
