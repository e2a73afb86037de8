// SPDX-License-Identifier: MIT OR Apache-2.0
//! Key databases of NSS: `key4.db`, which is SQLite with a table `nssPrivate`,
//! and its predecessor `key3.db`, a Berkeley DB.
//!
//! Of SQLite's format just enough is read to tell whether the table has a row:
//! a database without a key is made together with every certificate database.

use memchr::memmem;

use super::{Body, cursor::Cursor};
use crate::finding::{Format, Protection};

const SQLITE: &[u8] = b"SQLite format 3\0";
/// Bytes of the file's header, which stands on the first page.
const HEADER: usize = 100;
const TABLE: &[u8] = b"nssPrivate";
/// Pages of the schema that are looked at; NSS fills one or two.
const MOST_PAGES: usize = 256;

/// B-tree pages of tables.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// Magic of the hash of Berkeley DB 1.85, in both byte orders.
const BERKELEY: [&[u8]; 2] = [&[0x00, 0x06, 0x15, 0x61], &[0x61, 0x15, 0x06, 0x00]];

const FOUND: Body = Body { format: Format::Nss, protection: Protection::Passphrase, public_key: None };

pub(super) fn is_sqlite(bytes: &[u8]) -> bool {
    bytes.starts_with(SQLITE)
}

/// A `key4.db` with a key.
pub(super) fn parse(bytes: &[u8]) -> Option<Body> {
    let mut cursor = Cursor::new(bytes.get(SQLITE.len()..)?);
    let size = match cursor.u16()? {
        1 => 1 << 16,
        size if size.is_power_of_two() && size >= 512 => size,
        _ => return None,
    };
    let mut pages = vec![1];
    let mut seen = 0;
    while let Some(number) = pages.pop() {
        seen += 1;
        let page = Page::read(bytes, size, number)?;
        if page.kind == INTERIOR {
            pages.extend(page.children());
        } else if let Some(root) = page.root() {
            let root = Page::read(bytes, size, root)?;
            return (root.kind == INTERIOR || root.cells > 0).then_some(FOUND);
        }
        if seen > MOST_PAGES {
            return None;
        }
    }
    None
}

/// A `key3.db`. Its keys stand beside its salt and cannot be told from other records.
pub(super) fn parse_key3(bytes: &[u8]) -> Option<Body> {
    let berkeley = BERKELEY.iter().any(|magic| bytes.starts_with(magic));
    (berkeley && memmem::find(bytes, b"global-salt").is_some()).then_some(FOUND)
}

/// A page of a table's B-tree.
struct Page<'bytes> {
    bytes: &'bytes [u8],
    /// Where its own header begins.
    start: usize,
    kind: u8,
    cells: usize,
}

impl<'bytes> Page<'bytes> {
    /// Pages are counted from one.
    fn read(file: &'bytes [u8], size: usize, number: usize) -> Option<Self> {
        let offset = number.checked_sub(1)?.checked_mul(size)?;
        let bytes = file.get(offset..offset.checked_add(size)?)?;
        let start = if number == 1 { HEADER } else { 0 };
        let mut cursor = Cursor::new(bytes.get(start..)?);
        let kind = cursor.u8().filter(|kind| matches!(*kind, INTERIOR | LEAF))?;
        cursor.take(2)?;
        Some(Self { bytes, start, kind, cells: cursor.u16()? })
    }

    /// The cells, each from its beginning to the end of the page.
    fn cells(&self) -> impl Iterator<Item = Cursor<'bytes>> {
        let header = if self.kind == INTERIOR { 12 } else { 8 };
        let mut pointers = Cursor::new(self.bytes.get(self.start + header..).unwrap_or_default());
        (0..self.cells)
            .map_while(move |_| pointers.u16())
            .filter_map(|at| self.bytes.get(at..).map(Cursor::new))
    }

    fn children(&self) -> Vec<usize> {
        let last = self.bytes.get(self.start + 8..).and_then(|bytes| Cursor::new(bytes).u32());
        self.cells().filter_map(|mut cell| cell.u32()).take(MOST_PAGES).chain(last).collect()
    }

    /// The root page of the table, if a row of the schema here tells it.
    fn root(&self) -> Option<usize> {
        self.cells().find_map(|mut cell| {
            let (_length, _row) = (varint(&mut cell)?, varint(&mut cell)?);
            let mut columns = cell;
            let header = varint(&mut columns)?;
            let mut values = cell;
            values.take(header)?;
            let [kind, name, _table] = [(); 3].map(|()| text(&mut columns, &mut values));
            if kind? != b"table" || name? != TABLE {
                return None;
            }
            let width @ 1..=4 = varint(&mut columns)? else { return None };
            Some(values.take(width)?.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
        })
    }
}

/// The next value of a record, which is text: its type says how long it is.
fn text<'bytes>(columns: &mut Cursor<'bytes>, values: &mut Cursor<'bytes>) -> Option<&'bytes [u8]> {
    let kind = varint(columns)?;
    let length = kind.checked_sub(13).filter(|twice| twice % 2 == 0)? / 2;
    values.take(length)
}

/// SQLite's numbers of one to nine bytes; those above four are not needed.
fn varint(cursor: &mut Cursor<'_>) -> Option<usize> {
    let mut value = 0;
    for _ in 0..4 {
        let byte = cursor.u8()?;
        value = value << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
