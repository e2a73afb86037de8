// SPDX-License-Identifier: MIT OR Apache-2.0
//! tar: ustar, GNU's and pax's forms, and the one from before.

use tar::{Archive, Header};

use super::{Budget, Show};

/// Bytes of a header, and of the blocks that a file is padded to.
const BLOCK: usize = 512;

/// Whether the first block is a header whose checksum is right.
pub(super) fn is_tar(file: &[u8]) -> bool {
    let Some(block) = file.first_chunk::<BLOCK>() else { return false };
    let header = Header::from_byte_slice(block);
    let sum = |at: usize, byte: u8| if (148..156).contains(&at) { 32 } else { u32::from(byte) };
    let expected: u32 = block.iter().enumerate().map(|(at, &byte)| sum(at, byte)).sum();
    block.first() != Some(&0) && header.cksum().is_ok_and(|found| found == expected)
}

/// Shows the regular files.
pub(super) fn for_each(file: &[u8], budget: &mut Budget, show: &mut Show<'_>) {
    let mut archive = Archive::new(file);
    let Ok(entries) = archive.entries() else { return };
    for entry in entries {
        // An error does not go away by going on.
        let Ok(mut entry) = entry else { return };
        if !budget.member() {
            return;
        }
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let start = usize::try_from(entry.raw_file_position()).unwrap_or(usize::MAX).min(file.len());
        let contents = budget.read(&mut entry);
        let end = start.saturating_add(contents.len()).min(file.len());
        show(name, start..end, &contents);
    }
}
