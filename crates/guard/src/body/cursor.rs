// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the big-endian fields of the binary formats, one after the other.

/// Where a reader stands. Every reading either moves it or is `None`.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'bytes> {
    rest: &'bytes [u8],
}

impl<'bytes> Cursor<'bytes> {
    pub(super) fn new(bytes: &'bytes [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'bytes [u8] {
        self.rest
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'bytes [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<usize> {
        self.array().map(|bytes| usize::from(u16::from_be_bytes(bytes)))
    }

    pub(super) fn u32(&mut self) -> Option<usize> {
        usize::try_from(u32::from_be_bytes(self.array()?)).ok()
    }

    /// A field behind its length in two bytes.
    pub(super) fn short(&mut self) -> Option<&'bytes [u8]> {
        let length = self.u16()?;
        self.take(length)
    }

    /// A field behind its length in four bytes.
    pub(super) fn long(&mut self) -> Option<&'bytes [u8]> {
        let length = self.u32()?;
        self.take(length)
    }
}
