// SPDX-License-Identifier: MIT OR Apache-2.0
//! PuTTY's .ppk files, versions 1 to 3 (PuTTY manual, appendix C).

use std::ops::Range;

use super::{
    found,
    reader::{Alphabet, Reader, Taken},
};
use crate::{
    finding::{Certainty, Finding, Format, Protection, Wrapping},
    ssh_public,
};

/// What a file begins with; the version follows.
pub(crate) const MARK: &str = "PuTTY-User-Key-File-";

/// More lines than any file has outside its two blobs.
const MOST_FIELDS: usize = 16;
/// More lines than any key has.
const MOST_LINES: usize = 10_000;

/// Reads the file that begins with `mark`. Without its private part it is a
/// suspicion, without anything a mention.
pub(crate) fn key(bytes: &[u8], mark: &Range<usize>) -> Option<Finding> {
    let mut reader = Reader::new(bytes, mark.start, mark.end);
    let [b'1'..=b'3', b':', b' ', ..] = reader.rest() else { return None };
    reader.at += 3;
    let algorithm = reader.line()?.trim_ascii_end();
    if !algorithm.starts_with(b"ssh-") && !algorithm.starts_with(b"ecdsa-") {
        return None;
    }
    let mut file = File::default();
    let mut end = reader.at;
    for _ in 0..MOST_FIELDS {
        let gap = reader.gap();
        file.escaped |= gap.escaped;
        if !gap.line || file.field(&mut reader).is_none() {
            break;
        }
        end = reader.at;
    }
    let encryption = file.encryption?;
    let read = file.private > 0;
    let certainty = if read { Certainty::Parsed } else { Certainty::Suspected };
    let mut finding = found(Format::Putty, certainty, mark.start..end);
    finding.protection = encryption;
    finding.public_key = file.public.and_then(|wire| ssh_public::public_key(&wire));
    if file.escaped {
        finding.wrappings.push(Wrapping::Escaped);
    }
    Some(finding)
}

#[derive(Default)]
struct File {
    encryption: Option<Protection>,
    public: Option<zeroize::Zeroizing<Vec<u8>>>,
    /// Bytes of the private part.
    private: usize,
    escaped: bool,
}

impl File {
    /// Reads one field; `None` at the end of the file, or if it is not one.
    fn field(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        if self.private > 0
            && !reader.rest().starts_with(b"Private-MAC:")
            && !reader.rest().starts_with(b"Private-Hash:")
        {
            return None;
        }
        let line = reader.line()?.trim_ascii_end();
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        match name {
            b"Encryption" => {
                self.encryption = Some(match value.starts_with(b"none") {
                    true => Protection::None,
                    false => Protection::Passphrase,
                });
            }
            b"Public-Lines" => self.public = Some(self.blob(reader, value)?),
            b"Private-Lines" => self.private = self.blob(reader, value)?.len(),
            b"Private-MAC" | b"Private-Hash" => return None,
            name if name.len() > 32 => return None,
            _ => {}
        }
        Some(())
    }

    /// Reads as many lines of base64 as `count` says.
    fn blob(&mut self, reader: &mut Reader<'_>, count: &[u8]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        let count: usize = std::str::from_utf8(count).ok()?.trim_matches(['"', '\'', ',']).parse().ok()?;
        let mut digits = Taken::default();
        for _ in 0..count.min(MOST_LINES) {
            let gap = reader.gap();
            self.escaped |= gap.escaped;
            if !gap.line || reader.digits(Alphabet::Standard, &mut digits) == 0 {
                return None;
            }
            reader.padding();
        }
        digits.decode(0..digits.len())
    }
}
