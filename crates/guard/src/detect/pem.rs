// SPDX-License-Identifier: MIT OR Apache-2.0
//! Blocks between `-----BEGIN …-----` and `-----END …-----` whose label says
//! that a key is inside: PEM (RFC 7468, RFC 1421), OpenPGP's armor (RFC 9580
//! section 6), ssh.com's and OpenVPN's own. A label alone is no finding.

mod label;

use std::ops::Range;

use self::label::{named, opening};
use super::{
    found,
    reader::{Alphabet, Gap, Reader, Taken},
};
use crate::{
    body,
    finding::{Certainty, Finding, Format, Protection, Wrapping},
    ssh_public,
};

/// Shorter bodies are examples.
const LEAST_BYTES: usize = 32;
/// A shorter run of digits is a word, unless it ends the block.
const LEAST_TOKEN: usize = 16;
/// More headers than any block has.
const MOST_HEADERS: usize = 32;
/// More digits than any key has; what is beyond them is not kept.
const MOST_DIGITS: usize = 16 << 20;

/// Reads the block in whose first line `name`, the end of a label, stands.
pub(crate) fn block(bytes: &[u8], name: &Range<usize>) -> Option<Finding> {
    let opening = opening(bytes, name)?;
    let mut reader = Reader::new(bytes, opening.start, opening.end);
    let contents = Contents::read(&mut reader, alphabet(opening.label))?;
    let verdict = match opening.label {
        b"OpenVPN Static key V1" => contents.static_key(),
        label => contents.key(label)?,
    };
    let (certainty, format, protection, public_key) = match verdict {
        Verdict::Key(body) => (Certainty::Parsed, body.format, body.protection, body.public_key),
        Verdict::Opaque(format, protection) => (Certainty::Parsed, format, protection, None),
        Verdict::Nothing => {
            if !contents.looks_like_a_block(bytes) {
                return None;
            }
            let (format, protection) = named(opening.label);
            (Certainty::Suspected, format, protection, None)
        }
    };
    let end = contents.closing(bytes, certainty);
    let mut finding = found(format, certainty, opening.start..end);
    finding.protection = protection;
    finding.public_key = public_key;
    if contents.escaped {
        finding.wrappings.push(Wrapping::Escaped);
    }
    Some(finding)
}

fn alphabet(label: &[u8]) -> Alphabet {
    match label {
        b"OpenVPN Static key V1" => Alphabet::Hex,
        _ => Alphabet::Standard,
    }
}

/// What became of a body.
enum Verdict {
    /// A key that was parsed.
    Key(body::Body),
    /// A key whose encoding is its maker's own, or ciphertext.
    Opaque(Format, Protection),
    /// No key.
    Nothing,
}

/// What follows the first line of a block.
struct Contents {
    digits: Taken,
    /// Between the first line and what follows it.
    first: Gap,
    /// Some end of a line was written `\n`.
    escaped: bool,
    /// `Proc-Type: 4,ENCRYPTED` (RFC 1421 section 4.6.1.1).
    encrypted: bool,
    /// The digits end where a block may end.
    clean: bool,
    /// A string ends with the first line: what follows may be a program's.
    code: bool,
    /// Behind the last digit.
    last: usize,
    /// Where reading stopped.
    stop: usize,
}

impl Contents {
    /// Reads headers and digits up to the first thing that is neither. `None`
    /// if the first line is a word of a text.
    fn read(reader: &mut Reader<'_>, alphabet: Alphabet) -> Option<Self> {
        let first = reader.gap();
        let mut escaped = first.escaped;
        let mut encrypted = false;
        for _ in 0..MOST_HEADERS {
            let Some(header) = header(reader) else { break };
            encrypted |= header.starts_with(b"Proc-Type") && header.ends_with(b"ENCRYPTED");
            escaped |= reader.gap().escaped;
        }
        let (mut digits, mut last, mut stop) = (Taken::default(), reader.at, reader.at);
        let mut skipped = Taken::default();
        let mut clean = true;
        loop {
            let token = reader.at;
            // A body that is no body any more is read on, so that its end is found, but not kept.
            let into = match digits.len() < MOST_DIGITS {
                true => &mut digits,
                false => &mut skipped,
            };
            let length = reader.digits(alphabet, into);
            skipped = Taken::default();
            if length == 0 {
                break;
            }
            if !first.line && digits.len() == length && length < LEAST_TOKEN {
                return None;
            }
            let padded = reader.padding();
            last = reader.at;
            let gap = reader.gap();
            escaped |= gap.escaped;
            stop = reader.at;
            if padded {
                break;
            }
            if length < LEAST_TOKEN && reader.rest().first().is_some_and(|byte| alphabet_has(*byte)) {
                // Words.
                clean = false;
                stop = token;
                break;
            }
        }
        // OpenPGP's checksum of 24 bits.
        if let Some((b'=', rest)) = reader.rest().split_first()
            && rest.iter().take(4).all(|byte| alphabet_has(*byte))
            && rest.len() >= 4
        {
            reader.at += 5;
            escaped |= reader.gap().escaped;
            stop = reader.at;
        }
        clean &= match reader.rest() {
            [] | [b'<' | b'}' | b']', ..] => true,
            rest => rest.starts_with(b"----"),
        };
        let code = first.quote;
        Some(Self { digits, first, escaped, encrypted, clean, code, last, stop })
    }

    /// What the base64 digits are, in a block of this label. `None` for bodies
    /// that are known to hold no secret.
    fn key(&self, label: &[u8]) -> Option<Verdict> {
        let Some(decoded) = self.digits.decode(0..self.digits.len()) else { return Some(Verdict::Nothing) };
        let (format, protection) = named(label);
        let enough = decoded.len() >= LEAST_BYTES;
        Some(match format {
            _ if self.encrypted && enough && decoded.len() % 8 == 0 => {
                Verdict::Opaque(format, Protection::Passphrase)
            }
            Format::Ssh2 => match enough.then(|| ssh2(&decoded)).flatten() {
                Some(protection) => Verdict::Opaque(format, protection),
                None => Verdict::Nothing,
            },
            Format::OpenVpn if enough && self.clean => Verdict::Opaque(format, protection),
            _ => match body::parse(&decoded) {
                Some(body) => Verdict::Key(body),
                // A smartcard's stubs: packets, but no secret among them.
                None if format == Format::OpenPgp && enough && is_secret_packet(decoded[0]) => return None,
                None if format == Format::OtherPem && enough && self.clean && varied(&decoded) => {
                    Verdict::Opaque(format, protection)
                }
                None => Verdict::Nothing,
            },
        })
    }

    /// 2048 bits in hexadecimal.
    fn static_key(&self) -> Verdict {
        match self.digits.len() {
            512 => Verdict::Opaque(Format::OpenVpn, Protection::None),
            _ => Verdict::Nothing,
        }
    }

    /// Whether a block without a key is one all the same: an example, a
    /// template, or a key cut short, and not a label that a program or a text
    /// speaks of.
    fn looks_like_a_block(&self, bytes: &[u8]) -> bool {
        // A program has long names behind its strings, but not that long.
        if self.digits.len() >= if self.code { 64 } else { 24 } {
            return true;
        }
        if !self.first.line || self.code {
            return false;
        }
        let rest = &bytes[self.stop.min(bytes.len())..];
        let window = &rest[..rest.len().min(2048)];
        let Some(dashes) = memchr::memmem::find(window, b"----") else { return false };
        let between = window[..dashes].trim_ascii();
        let written = self.digits.len() > 0 || !between.is_empty();
        let end = window[dashes..].iter().position(|byte| !matches!(byte, b'-' | b' ')).unwrap_or_default();
        let by_program = between.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'{' | b'$' | b'%'));
        written && !by_program && window[dashes + end..].starts_with(b"END ")
    }

    /// Behind the last line, if that is there, or behind the last digit.
    fn closing(&self, bytes: &[u8], certainty: Certainty) -> usize {
        let rest = &bytes[self.stop.min(bytes.len())..];
        let far = match certainty {
            Certainty::Parsed => 0,
            Certainty::Suspected => 2048,
        };
        let window = &rest[..rest.len().min(far + 128)];
        let closing = memchr::memmem::find(window, b"----").filter(|start| *start <= far).and_then(|start| {
            let label = start + memchr::memmem::find(&window[start..], b"END ").filter(|at| *at <= 6)?;
            let dashes = label + memchr::memmem::find(&window[label..], b"----")?;
            Some(dashes + window[dashes..].iter().take(5).take_while(|byte| **byte == b'-').count())
        });
        closing.map_or(self.last, |length| self.stop + length)
    }
}

fn alphabet_has(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Goes past a header (`Proc-Type: 4,ENCRYPTED`, `Comment: …`) and returns it.
fn header<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let rest = reader.rest();
    let name = rest.iter().take(40).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    if name == 0 || rest.get(name) != Some(&b':') || rest.starts_with(b"----") {
        return None;
    }
    // In a block on one line these two are followed by the digits.
    if rest.starts_with(b"Proc-Type:") || rest.starts_with(b"DEK-Info:") {
        let value = name + 1 + rest[name + 1..].iter().take_while(|byte| **byte == b' ').count();
        let is_value = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b',' | b'-');
        let length = value + rest[value..].iter().take(128).take_while(is_value).count();
        reader.at += length;
        return Some(&rest[..length]);
    }
    let line = reader.line()?;
    if let Some(dashes) = memchr::memmem::find(line, b"-----") {
        reader.at -= line.len() - dashes;
        return Some(&line[..dashes]);
    }
    // ssh.com goes on in the next line behind a backslash.
    let mut last = line;
    while last.ends_with(b"\\") && reader.rest().starts_with(b"\n") && !reader.rest().starts_with(b"\n----") {
        reader.at += 1;
        last = reader.line()?;
    }
    Some(line)
}

/// ssh.com's own encoding: a magic number, the length, the type of the key, the
/// cipher. Tells the protection.
fn ssh2(decoded: &[u8]) -> Option<Protection> {
    let mut rest = decoded.strip_prefix(b"\x3f\x6f\xf9\xeb")?.get(4..)?;
    ssh_public::string(&mut rest)?;
    Some(match ssh_public::string(&mut rest)? {
        b"none" => Protection::None,
        _ => Protection::Passphrase,
    })
}

/// Secret key packets, of either packet format (RFC 9580 section 4.2).
fn is_secret_packet(byte: u8) -> bool {
    matches!(byte, 0x94..=0x97 | 0xC5)
}

/// Whether bytes may be a key and not an example of one.
fn varied(bytes: &[u8]) -> bool {
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count() >= 16
}
