// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands in archives: zip (and what is a zip under another name: jar,
//! wheel, apk, docx), tar, gzip, and tar under gzip. One level: an archive in
//! an archive is not opened.
//!
//! Archives are read for what can be read. A damaged one gives the members
//! before the damage, an encrypted member nothing, and one that inflates
//! without end as much as [`MOST_BYTES`]; that it was not read to its end is a
//! finding of its own.

mod gzip;
mod tape;
mod zip;

use std::{io::Read, ops::Range};

use zeroize::Zeroizing;

use crate::finding::{Certainty, Finding, Format, Protection, Wrapping};

/// Members of one archive that are read.
const MOST_MEMBERS: usize = 10_000;
/// Bytes that are inflated out of one archive, all members together.
const MOST_BYTES: usize = 64 << 20;

/// One member, or what a compressed file holds.
struct Member<'name> {
    /// What was taken off: gzip, a member's name, or both.
    wrappings: &'name [Wrapping],
    /// Where it stands in the file, as it is there: compressed, without its header.
    place: Range<usize>,
    /// The bytes in it.
    contents: &'name [u8],
}

/// Adds to `found`, the findings in the bytes of `file` as they are, those of
/// `detect` in its members. A key in a member that is stored, not compressed,
/// is seen both ways; it is told as the member's.
pub(crate) fn add_members(file: &[u8], found: &mut Vec<Finding>, detect: fn(&[u8]) -> Vec<Finding>) {
    let mut inside = Vec::new();
    let whole = for_each_member(file, &mut |member| {
        inside.extend(detect(member.contents).into_iter().map(|mut finding| {
            finding.wrappings.splice(0..0, member.wrappings.iter().cloned());
            finding.place = member.place.clone();
            finding
        }));
    });
    inside.sort_by_key(|finding| finding.place.start);
    found.retain(|finding| {
        let after = inside.partition_point(|member| member.place.start <= finding.place.start);
        let before = after.checked_sub(1).and_then(|last| inside.get(last));
        before.is_none_or(|member| member.place.end < finding.place.end)
    });
    found.append(&mut inside);
    if !whole {
        found.push(Finding {
            format: Format::UnreadArchive,
            certainty: Certainty::Suspected,
            protection: Protection::None,
            place: 0..file.len(),
            wrappings: Vec::new(),
            public_key: None,
            allowed: None,
        });
    }
    found.sort_by_key(|finding| finding.place.start);
}

/// Shows the members of `file` one after the other, each of them zeroised
/// before the next is read. A file that is no archive has none. `false` if the
/// budget was not enough for all of them.
fn for_each_member(file: &[u8], act: &mut dyn FnMut(&Member<'_>)) -> bool {
    let mut budget = Budget { members: MOST_MEMBERS, bytes: MOST_BYTES, exceeded: false };
    if gzip::is_gzip(file) {
        let contents = gzip::inflate(file, &mut budget);
        if contents.is_empty() {
            return true;
        }
        if tape::is_tar(&contents) {
            // What is read out of the tar is a copy of what was inflated.
            budget.bytes = MOST_BYTES;
            tape::for_each(&contents, &mut budget, &mut |name, _, contents| {
                let wrappings = [Wrapping::Gzip, Wrapping::Member(name)];
                act(&Member { wrappings: &wrappings, place: 0..file.len(), contents });
            });
        } else {
            act(&Member { wrappings: &[Wrapping::Gzip], place: 0..file.len(), contents: &contents });
        }
        return !budget.exceeded;
    }
    let mut show = |name: String, place: Range<usize>, contents: &[u8]| {
        act(&Member { wrappings: &[Wrapping::Member(name)], place, contents });
    };
    if tape::is_tar(file) {
        // Nothing is inflated.
        budget.bytes = file.len().max(MOST_BYTES);
        tape::for_each(file, &mut budget, &mut show);
    } else {
        zip::for_each(file, &mut budget, &mut show);
    }
    !budget.exceeded
}

/// What takes a member: its name, its place, its contents.
type Show<'act> = dyn FnMut(String, Range<usize>, &[u8]) + 'act;

/// What may still be read.
struct Budget {
    members: usize,
    bytes: usize,
    /// There was more than may be read.
    exceeded: bool,
}

impl Budget {
    /// Counts a member; `false` when there were enough.
    fn member(&mut self) -> bool {
        let more = self.members > 0 && self.bytes > 0;
        self.members = self.members.saturating_sub(1);
        self.exceeded |= !more;
        more
    }

    /// Reads to the end, to an error, or to the end of the budget.
    fn read(&mut self, reader: impl Read) -> Zeroizing<Vec<u8>> {
        let limit = u64::try_from(self.bytes).unwrap_or(u64::MAX);
        let mut reader = reader.take(limit);
        let mut contents = Zeroizing::new(Vec::new());
        let mut piece = Zeroizing::new([0; 1 << 14]);
        while let Ok(count @ 1..) = reader.read(&mut *piece) {
            grow(&mut contents, count);
            contents.extend_from_slice(piece.get(..count).unwrap_or_default());
        }
        self.bytes -= contents.len();
        if reader.limit() == 0 {
            self.exceeded |=
                matches!(reader.into_inner().read(piece.get_mut(..1).unwrap_or_default()), Ok(1..));
        }
        contents
    }
}

/// Makes room for `count` bytes more. A vector that grows by itself would
/// leave its old contents behind.
fn grow(bytes: &mut Zeroizing<Vec<u8>>, count: usize) {
    if bytes.capacity() - bytes.len() < count {
        let mut larger = Vec::with_capacity((bytes.len() + count).next_power_of_two());
        larger.extend_from_slice(bytes);
        *bytes = Zeroizing::new(larger);
    }
}
