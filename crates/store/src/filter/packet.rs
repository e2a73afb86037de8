// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets as git's long-running filters speak them: four hexadecimal digits
//! that count themselves and what follows; `0000` ends a list. Knows nothing
//! of what is said.

use std::io::{self, Read, Write};

use thiserror::Error;
use zeroize::Zeroizing;

/// The longest packet, digits included, in bytes.
const LONGEST: usize = 65520;
/// The digits.
const DIGITS: usize = 4;
/// What a sealed file may have more than its plaintext, in bytes: a header and
/// the filling of a bucket.
const SEALED_MORE: usize = 8192;

/// Bytes that are no packets, or a pipe that broke.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PacketError {
    /// The pipe to or from git broke.
    #[error("the connection with git broke")]
    Io(#[from] io::Error),
    /// Not four hexadecimal digits, or a length that is not allowed.
    #[error("git sent something that is no packet")]
    Malformed,
    /// The end in the middle of something.
    #[error("git stopped in the middle of a message")]
    Cut,
    /// More than fits into memory.
    #[error("a file has more than {0} bytes")]
    TooLarge(u64),
}

/// Reads packets. Its buffer has held secrets, so it is zeroised.
pub(crate) struct Packets<R> {
    input: R,
    buffer: Zeroizing<Vec<u8>>,
    start: usize,
    end: usize,
}

impl<R: Read> Packets<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, buffer: Zeroizing::new(vec![0; LONGEST]), start: 0, end: 0 }
    }

    /// The next packet's payload; `None` is the end of a list.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, PacketError> {
        if !self.fill(DIGITS)? {
            return Err(PacketError::Cut);
        }
        let length = match self.take(DIGITS).and_then(length) {
            Some(0) => return Ok(None),
            Some(length) if (DIGITS..=LONGEST).contains(&length) => length - DIGITS,
            _ => return Err(PacketError::Malformed),
        };
        if !self.fill(length)? {
            return Err(PacketError::Cut);
        }
        self.take(length).ok_or(PacketError::Malformed).map(Some)
    }

    /// Whether the other side has closed the connection, between two packets.
    pub(crate) fn is_over(&mut self) -> Result<bool, PacketError> {
        Ok(!self.fill(1)?)
    }

    /// Everything up to the end of the list, as one file of at most `limit` bytes.
    pub(crate) fn contents(&mut self, limit: u64) -> Result<Zeroizing<Vec<u8>>, PacketError> {
        let mut contents = Zeroizing::new(Vec::new());
        while let Some(payload) = self.next()? {
            let needed = contents.len() + payload.len();
            if !u64::try_from(needed).is_ok_and(|needed| needed <= limit) {
                return Err(PacketError::TooLarge(limit));
            }
            append(&mut contents, payload);
        }
        Ok(contents)
    }

    /// Makes sure that `count` bytes are in the buffer; false at the end of the
    /// input if nothing of them has come.
    fn fill(&mut self, count: usize) -> Result<bool, PacketError> {
        if self.end - self.start >= count {
            return Ok(true);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < count {
            let room = self.buffer.get_mut(self.end..).ok_or(PacketError::Malformed)?;
            match self.input.read(room) {
                Ok(0) if self.end == 0 => return Ok(false),
                Ok(0) => return Err(PacketError::Cut),
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let start = self.start;
        self.start += count;
        self.buffer.get(start..start + count)
    }
}

/// Everything up to the end of the input, of at most `limit` bytes. With
/// `expected` bytes or fewer, no byte is copied on the way.
pub(crate) fn whole(
    mut input: impl Read,
    expected: usize,
    limit: u64,
) -> Result<Zeroizing<Vec<u8>>, PacketError> {
    // A page more: the end of the file is seen without growing, and sealing in
    // place finds its room.
    let mut contents = Zeroizing::new(vec![0; expected.saturating_add(2 * SEALED_MORE)]);
    let mut filled = 0;
    loop {
        if filled == contents.len() {
            let mut larger = Zeroizing::new(vec![0; 2 * filled]);
            if let Some(front) = larger.get_mut(..filled) {
                front.copy_from_slice(&contents);
            }
            contents = larger;
        }
        match input.read(contents.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        if !u64::try_from(filled).is_ok_and(|length| length <= limit) {
            return Err(PacketError::TooLarge(limit));
        }
    }
    contents.truncate(filled);
    Ok(contents)
}

/// A buffer that proves too small is zeroised when it is exchanged for one of
/// twice its size.
fn append(contents: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let needed = contents.len() + bytes.len();
    if needed > contents.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * contents.capacity())));
        larger.extend_from_slice(contents);
        *contents = larger;
    }
    contents.extend_from_slice(bytes);
}

fn length(digits: &[u8]) -> Option<usize> {
    digits.iter().try_fold(0, |length, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some(length * 16 + usize::try_from(value).ok()?)
    })
}

/// Writes packets, as many as fit with one call.
pub(crate) struct Sender<W> {
    output: W,
    buffer: Zeroizing<Vec<u8>>,
}

impl<W: Write> Sender<W> {
    pub(crate) fn new(output: W) -> Self {
        Self { output, buffer: Zeroizing::new(Vec::with_capacity(2 * LONGEST)) }
    }

    /// A list of lines and its end.
    pub(crate) fn lines(&mut self, lines: &[&str]) -> Result<(), PacketError> {
        for line in lines {
            self.packet(&[line.as_bytes(), b"\n"])?;
        }
        self.end()
    }

    /// A file as a list of packets.
    pub(crate) fn contents(&mut self, contents: &[u8]) -> Result<(), PacketError> {
        for part in contents.chunks(LONGEST - DIGITS) {
            self.packet(&[part])?;
        }
        self.end()
    }

    /// The end of a list.
    pub(crate) fn end(&mut self) -> Result<(), PacketError> {
        self.push(&[b"0000"])
    }

    /// Lets the other side have all of it.
    pub(crate) fn flush(&mut self) -> Result<(), PacketError> {
        self.output.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(self.output.flush()?)
    }

    fn packet(&mut self, parts: &[&[u8]]) -> Result<(), PacketError> {
        let length = DIGITS + parts.iter().map(|part| part.len()).sum::<usize>();
        self.push(&[format!("{length:04x}").as_bytes()])?;
        self.push(parts)
    }

    fn push(&mut self, parts: &[&[u8]]) -> Result<(), PacketError> {
        for part in parts {
            // Never beyond its capacity: a grown buffer would leave a copy behind.
            if self.buffer.len() + part.len() > self.buffer.capacity() {
                self.output.write_all(&self.buffer)?;
                self.buffer.clear();
            }
            self.buffer.extend_from_slice(part);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what it has in pieces of `size` bytes.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(buffer.len());
            let (now, later) = self.0.split_at(count);
            buffer.get_mut(..count).expect("shorter").copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    #[test]
    fn files_of_every_size_come_through_in_any_pieces() {
        for size in [0, 1, 65515, 65516, 65517, 400_000] {
            let file: Vec<u8> = (0..size).map(|position: usize| position.to_le_bytes()[0]).collect();
            let mut sent = Vec::new();
            let mut sender = Sender::new(&mut sent);
            sender.contents(&file).and_then(|()| sender.flush()).expect("written");
            for piece in [1, 7, 65520, 1 << 20] {
                let mut packets = Packets::new(Pieces(&sent, piece));
                assert_eq!(*packets.contents(1 << 20).expect("read"), file, "{size} {piece}");
                assert!(packets.is_over().expect("no error"));
            }
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for bytes in [&b"000"[..], b"0001", b"0003", b"fff1", b"ffff", b"xxxx0000", b"0005", b"+005a", b""] {
            let mut packets = Packets::new(bytes);
            assert!(packets.next().is_err(), "{}", bytes.escape_ascii());
        }
        let mut packets = Packets::new(&b"0006ab0006cd0000"[..]);
        assert!(matches!(packets.contents(3), Err(PacketError::TooLarge(3))));
    }
}
