// SPDX-License-Identifier: MIT OR Apache-2.0
//! zip, also behind other data (programs that unpack themselves). The directory at the end tells the members; where it is missing (a
//! file cut short), the headers before the members do.

use std::ops::Range;

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive};

use super::{Budget, Show};

/// Begins a member's header.
const LOCAL: &[u8] = b"PK\x03\x04";

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// General purpose flag of an encrypted member.
const ENCRYPTED: u16 = 1;
/// General purpose flag of a member whose length stands behind it.
const LENGTH_BEHIND: u16 = 8;

/// Shows the members that are stored or deflated, and not encrypted.
pub(super) fn for_each(file: &[u8], budget: &mut Budget, show: &mut Show<'_>) {
    let Ok(archive) = ZipArchive::from_slice(file) else {
        if file.starts_with(LOCAL) {
            without_directory(file, budget, show);
        }
        return;
    };
    // Members do not overlap, but a bomb's may: what is read of the file is counted too.
    let mut unread = file.len();
    let mut entries = archive.entries();
    while let Ok(Some(header)) = entries.next_entry() {
        if !budget.member() {
            return;
        }
        let method = header.compression_method();
        if header.is_dir() || header.flags().is_encrypted() {
            continue;
        }
        let Ok(entry) = archive.get_entry(header.wayfinder()) else { continue };
        let (start, end) = entry.compressed_data_range();
        let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else { continue };
        let Some(left) = unread.checked_sub(entry.data().len()) else {
            budget.exceeded = true;
            return;
        };
        unread = left;
        let contents = match method {
            CompressionMethod::STORE => budget.read(entry.data()),
            CompressionMethod::DEFLATE => budget.read(DeflateDecoder::new(entry.data())),
            _ => continue,
        };
        let name = String::from_utf8_lossy(header.file_path().as_bytes()).into_owned();
        show(name, start..end, &contents);
    }
}

/// A member's header, as far as it is needed.
struct Local<'file> {
    flags: u16,
    method: u16,
    length: usize,
    name: &'file [u8],
    /// Where its data begin.
    start: usize,
}

impl<'file> Local<'file> {
    fn read(file: &'file [u8], at: usize) -> Option<Self> {
        let fixed = file.get(at..)?.strip_prefix(LOCAL)?.first_chunk::<26>()?;
        let [.., l0, l1, l2, l3, _, _, _, _, n0, n1, e0, e1] = *fixed;
        let [_, _, f0, f1, m0, m1, ..] = *fixed;
        let name = at + 30;
        let extra = name + usize::from(u16::from_le_bytes([n0, n1]));
        Some(Self {
            flags: u16::from_le_bytes([f0, f1]),
            method: u16::from_le_bytes([m0, m1]),
            length: usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?,
            name: file.get(name..extra)?,
            start: extra + usize::from(u16::from_le_bytes([e0, e1])),
        })
    }
}

/// Goes from header to header, as far as lengths are known.
fn without_directory(file: &[u8], budget: &mut Budget, show: &mut Show<'_>) {
    let mut at = 0;
    while let Some(local) = Local::read(file, at) {
        if !budget.member() {
            return;
        }
        let known = local.flags & LENGTH_BEHIND == 0 || local.length > 0;
        let end = if known { local.start.saturating_add(local.length) } else { file.len() };
        let data = file.get(local.start..end.min(file.len())).unwrap_or_default();
        let (contents, used) = match local.method {
            _ if local.flags & ENCRYPTED != 0 => (None, data.len()),
            STORED if known => (Some(budget.read(data)), data.len()),
            DEFLATED => {
                let mut decoder = DeflateDecoder::new(data);
                let contents = budget.read(&mut decoder);
                (Some(contents), usize::try_from(decoder.total_in()).unwrap_or(data.len()))
            }
            _ => (None, data.len()),
        };
        let used = if known { data.len() } else { used };
        let place: Range<usize> = local.start.min(file.len())..(local.start + used).min(file.len());
        if let Some(contents) = contents {
            show(String::from_utf8_lossy(local.name).into_owned(), place.clone(), &contents);
        }
        at = if known { place.end } else { next_header(file, place.end) };
    }
}

/// The next header after a member whose length stands behind it: there is the
/// checksum and both lengths, with a signature or without, in 32 or 64 bits.
fn next_header(file: &[u8], end: usize) -> usize {
    let candidates = [12, 16, 20, 24].map(|length| end.saturating_add(length));
    let begins = |at: &usize| file.get(*at..).is_some_and(|rest| rest.starts_with(LOCAL));
    candidates.into_iter().find(begins).unwrap_or(file.len())
}
