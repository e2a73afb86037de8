// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads one line without reading ahead, so that passphrases, answers and
//! whoever comes next can take turns on the same pipe, and no copy of a
//! passphrase stays in a buffer.

use std::{
    fs::File,
    io::{self, Read},
};

use thiserror::Error;
use zeroize::Zeroizing;

/// The longest line in bytes, its newline not counted: what openssl takes.
const LINE_LIMIT: usize = 1023;

/// Why there is no line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LineError {
    /// Reading failed.
    #[error("cannot read")]
    Io(#[source] io::Error),
    /// More than 1023 bytes before the newline.
    #[error("a line of more than {LINE_LIMIT} bytes")]
    TooLong,
}

/// The next line without its newline; `None` when the input has ended before it.
///
/// The bytes are zeroised on drop; the buffer never grows and leaves no copy behind.
pub(crate) fn read_line(input: &mut impl Read) -> Result<Option<Zeroizing<Vec<u8>>>, LineError> {
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_LIMIT));
    let mut byte = Zeroizing::new([0]);
    loop {
        match input.read(&mut *byte) {
            Ok(0) => return Ok(if line.is_empty() { None } else { Some(line) }),
            Ok(_) if *byte == *b"\n" => return Ok(Some(line)),
            Ok(_) if line.len() == LINE_LIMIT => return Err(LineError::TooLong),
            Ok(_) => line.extend_from_slice(&*byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(LineError::Io(error)),
        }
    }
}

/// Standard input without the buffer that the standard library keeps for it.
pub(crate) fn standard_input() -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::AsHandle;
        Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
    }
}

/// Standard output, likewise: for bytes that are no text.
pub(crate) fn standard_output() -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::AsHandle;
        Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_behind_the_newline() {
        let mut input = io::Cursor::new(b"one\n\nlast".to_vec());
        let mut next = || read_line(&mut input).expect("readable").map(|line| line.to_vec());
        assert_eq!(next(), Some(b"one".to_vec()));
        assert_eq!(next(), Some(Vec::new()));
        assert_eq!(next(), Some(b"last".to_vec()));
        assert_eq!(next(), None);
    }

    #[test]
    fn a_line_has_a_limit() {
        let longest = vec![b'x'; LINE_LIMIT];
        assert_eq!(
            read_line(&mut longest.as_slice()).expect("readable").map(|line| line.len()),
            Some(LINE_LIMIT)
        );
        let longer = vec![b'x'; LINE_LIMIT + 1];
        assert!(matches!(read_line(&mut longer.as_slice()), Err(LineError::TooLong)));
    }
}
