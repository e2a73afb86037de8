// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text in UTF-16, with a byte order mark or without, also amid other bytes
//! (PowerShell appends it to whatever is there).

use std::ops::Range;

use zeroize::Zeroizing;

/// How far apart probes are; the shortest text that is found has twice as many bytes.
const STEP: usize = 64;

/// Text in UTF-16, one byte for each unit.
pub(crate) struct Text {
    /// The units; what is not ASCII is 0xFF.
    pub(crate) units: Zeroizing<Vec<u8>>,
    /// Where the first unit stands.
    start: usize,
}

impl Text {
    fn new(bytes: &[u8], start: usize, little_endian: bool) -> Self {
        let unit = |pair: &[u8]| match (pair, little_endian) {
            ([unit @ 0..0x80, 0], true) | ([0, unit @ 0..0x80], false) => *unit,
            _ => 0xFF,
        };
        Self { units: Zeroizing::new(bytes.chunks_exact(2).map(unit).collect()), start }
    }

    /// The units that begin before `offset`.
    pub(crate) fn units_before(&self, offset: usize) -> &[u8] {
        let units = offset.saturating_sub(self.start).div_ceil(2);
        &self.units[..units.min(self.units.len())]
    }

    /// Where the units `range` stand.
    pub(crate) fn place(&self, range: &Range<usize>) -> Range<usize> {
        self.start + 2 * range.start..self.start + 2 * range.end
    }
}

/// A file that is UTF-16 as a whole: it begins with a byte order mark, or with
/// units that are all ASCII.
pub(crate) fn whole(file: &[u8]) -> Option<Text> {
    match file {
        [0xFF, 0xFE, text @ ..] => Some(Text::new(text, 2, true)),
        [0xFE, 0xFF, text @ ..] => Some(Text::new(text, 2, false)),
        _ => {
            let head = &file[..file.len().min(STEP)];
            let little_endian = order(head)?;
            (head.len() >= 8).then(|| Text::new(file, 0, little_endian))
        }
    }
}

/// The texts amid `bytes`, in order.
pub(crate) fn texts(bytes: &[u8]) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut from = 0;
    let mut probe = 0;
    while let Some(pairs) = bytes.get(probe..probe + 8) {
        let Some(little_endian) = order(pairs) else {
            probe += STEP;
            continue;
        };
        let is_unit = |pair: &&[u8]| order(pair) == Some(little_endian);
        let before = bytes[from..probe].rchunks_exact(2).take_while(is_unit).count();
        let after = bytes[probe..].chunks_exact(2).take_while(is_unit).count();
        let (start, end) = (probe - 2 * before, probe + 2 * after);
        let (start, end, little_endian) = match shifted(bytes, start.max(from + 1)..end, little_endian) {
            true if start > from => (start - 1, end + 1, !little_endian),
            _ => (start, end, little_endian),
        };
        if end - start >= STEP {
            texts.push(Text::new(&bytes[start..end], start, little_endian));
        }
        from = end;
        probe = end;
    }
    texts
}

/// Whether the pairs of `range` are better paired one byte earlier, in the other order.
fn shifted(bytes: &[u8], range: Range<usize>, little_endian: bool) -> bool {
    match (bytes.get(range.start - 1), bytes.get(range.end)) {
        (Some(0), Some(last)) => little_endian && is_text(*last),
        (Some(first), Some(0)) => !little_endian && is_text(*first),
        _ => false,
    }
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Whether all pairs are printable ASCII or the end of a line, and the lower
/// byte comes first.
fn order(pairs: &[u8]) -> Option<bool> {
    let first = *pairs.first()?;
    let little_endian = first != 0;
    let fits = |pair: &[u8]| match little_endian {
        true => is_text(pair[0]) && pair[1] == 0,
        false => pair[0] == 0 && is_text(pair[1]),
    };
    (pairs.len() >= 2 && pairs.chunks_exact(2).all(fits)).then_some(little_endian)
}
