// SPDX-License-Identifier: MIT OR Apache-2.0
//! git's long-running filter protocol, version 2 (gitattributes(5)): one process
//! for all the files of a git command. Knows nothing of keys.

use std::io::{Read, Write};

use certkeep_pki::secret::SecretBytes;
use thiserror::Error;

use super::packet::{self, PacketError, Packets, Sender};
use crate::read::SIZE_LIMIT;

/// Which way a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the work tree into git.
    Clean,
    /// From git into the work tree.
    Smudge,
}

/// Why the conversation with git ended early.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// No packets, or none any more.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// It is not git, or a git that speaks another version.
    #[error("this is no git that speaks version 2 of the filter protocol")]
    Greeting,
    /// A command without a path, or one that was not offered.
    #[error("git asked for something that was not offered")]
    Command,
}

/// The other form of a file, named relative to the top of the work tree; `None`
/// is a refusal, which the user has been told about.
pub type Answer<'a> = dyn FnMut(Direction, &[u8], SecretBytes) -> Option<SecretBytes> + 'a;

/// Answers git until it closes the connection.
///
/// # Errors
///
/// [`ProcessError`] as soon as the protocol is violated or the pipe breaks.
pub fn run(input: impl Read, output: impl Write, answer: &mut Answer<'_>) -> Result<(), ProcessError> {
    let (mut packets, mut sender) = (Packets::new(input), Sender::new(output));
    greet(&mut packets, &mut sender)?;
    while !packets.is_over()? {
        let (direction, path) = request(&mut packets)?;
        let contents = SecretBytes::from(packets.contents(SIZE_LIMIT)?);
        match answer(direction, &path, contents) {
            Some(filtered) => {
                sender.lines(&["status=success"])?;
                sender.contents(filtered.expose())?;
                // No second thoughts.
                sender.end()?;
            }
            None => sender.lines(&["status=error"])?,
        }
        sender.flush()?;
    }
    Ok(())
}

/// A file on a pipe, whole; of `expected` bytes, if that is known.
///
/// # Errors
///
/// The pipe breaks, or brings more than is read of any file.
pub fn read_to_end(input: impl Read, expected: usize) -> Result<SecretBytes, ProcessError> {
    Ok(packet::whole(input, expected, SIZE_LIMIT)?.into())
}

fn greet(packets: &mut Packets<impl Read>, sender: &mut Sender<impl Write>) -> Result<(), ProcessError> {
    let greeting = list(packets)?;
    let is = |line: &str| greeting.iter().any(|said| said == line.as_bytes());
    if greeting.first().is_none_or(|first| first != b"git-filter-client") || !is("version=2") {
        return Err(ProcessError::Greeting);
    }
    sender.lines(&["git-filter-server", "version=2"])?;
    sender.flush()?;
    let offered = list(packets)?;
    let both = ["capability=clean", "capability=smudge"];
    if both.iter().any(|capability| !offered.iter().any(|said| said == capability.as_bytes())) {
        return Err(ProcessError::Greeting);
    }
    sender.lines(&both)?;
    Ok(sender.flush()?)
}

/// A command and its path; what else git says about the file does not matter.
fn request(packets: &mut Packets<impl Read>) -> Result<(Direction, Vec<u8>), ProcessError> {
    let (mut direction, mut path) = (None, None);
    for line in list(packets)? {
        match line.as_slice() {
            b"command=clean" => direction = Some(Direction::Clean),
            b"command=smudge" => direction = Some(Direction::Smudge),
            line if line.starts_with(b"command=") => return Err(ProcessError::Command),
            line => path = line.strip_prefix(b"pathname=").map(<[u8]>::to_vec).or(path),
        }
    }
    direction.zip(path).ok_or(ProcessError::Command)
}

fn list(packets: &mut Packets<impl Read>) -> Result<Vec<Vec<u8>>, PacketError> {
    let mut lines = Vec::new();
    // git sends a handful; whoever sends more is not git.
    while let Some(line) = packets.next()? {
        if lines.len() == 64 {
            return Err(PacketError::Malformed);
        }
        lines.push(line.strip_suffix(b"\n").unwrap_or(line).to_vec());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lists of packets: a `|` ends a packet, a `.` a list.
    fn said(text: &str) -> String {
        let list = |list: &str| {
            let packets = list.split_terminator('|').map(|line| format!("{:04x}{line}", line.len() + 4));
            packets.collect::<String>() + "0000"
        };
        text.split_terminator('.').map(list).collect()
    }

    fn greeting() -> String {
        said("git-filter-client\n|version=2\n|.capability=clean\n|capability=smudge\n|capability=delay\n|.")
    }

    fn converse(input: &[u8]) -> (Result<(), ProcessError>, String) {
        let mut output = Vec::new();
        let result = run(input, &mut output, &mut |direction, path, contents| {
            let refused = path == b"refused";
            let text = format!("{direction:?} {} {}", path.escape_ascii(), contents.len());
            (!refused).then(|| SecretBytes::new(text.into_bytes()))
        });
        (result, String::from_utf8(output).expect("text"))
    }

    #[test]
    fn git_is_answered() {
        let files = said(
            "command=clean\n|pathname=a\nb\n|.abcd|.\
             command=smudge\n|pathname=refused\n|can-delay=1\n|blob=00112233\n|..",
        );
        let (result, output) = converse((greeting() + &files).as_bytes());
        result.expect("a whole conversation");
        let answers = "git-filter-server\n|version=2\n|.capability=clean\n|capability=smudge\n|.\
                       status=success\n|.Clean a\\nb 4|..status=error\n|.";
        assert_eq!(output, said(answers));
    }

    #[test]
    fn a_violation_ends_the_conversation() {
        for rest in [
            said("command=clean\n|..a|."),
            said("pathname=a\n|.a|."),
            said("command=list_available_blobs\n|."),
            said("command=clean\n|pathname=a\n|."),
            said("command=clean\n|pathname=a\n|.") + "0008ab",
            "junk".to_owned(),
        ] {
            let (result, output) = converse((greeting() + &rest).as_bytes());
            assert!(result.is_err(), "{rest}");
            assert!(!output.contains("status"), "{rest}");
        }
        let other = said("something|version=2|.");
        assert!(matches!(converse(other.as_bytes()).0, Err(ProcessError::Greeting)));
        assert!(converse(b"").0.is_err());
    }

    proptest! {
        #[test]
        fn garbage_never_panics(
            rest in proptest::collection::vec(any::<u8>(), 0..200),
            at in 0..400_usize,
            by in any::<u8>(),
        ) {
            let mut input = (greeting() + &said("command=clean\n|pathname=a\n|.abcd|.")).into_bytes();
            if let Some(byte) = input.get_mut(at) {
                *byte ^= by;
            }
            input.extend_from_slice(&rest);
            let mut output = Vec::new();
            drop(run(&*input, &mut output, &mut |_, _, contents| Some(contents)));
            drop(run(&*rest, &mut output, &mut |_, _, contents| Some(contents)));
        }
    }
}
