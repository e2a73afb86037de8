// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a writer writes: the file modes that easy-rsa's `--umask` asks for, and
//! whether easy-rsa's `lock.file` counts.
//!
//! The umask is a value here, never the one of the process: what a file may be
//! read by does not depend on the shell that started us.

use thiserror::Error;

/// The permission bits that public files and directories do not get.
///
/// Secret files are 0600 and their directories 0700 whatever this says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Umask(u32);

/// A text that is no umask.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{}` is not a umask: one to four octal digits, at most 077", .0.escape_debug())]
pub struct UmaskError(String);

impl Umask {
    /// 077: nothing for group and others, which is what easy-rsa sets.
    pub const PRIVATE: Self = Self(0o077);

    /// The umask with these bits; `None` for one that takes the owner's own right
    /// to read or write, and for bits beyond 0777: nothing could be recorded
    /// after that.
    #[must_use]
    pub const fn new(bits: u32) -> Option<Self> {
        if bits & !0o077 == 0 { Some(Self(bits)) } else { None }
    }

    /// Reads octal digits such as `077` or `0022`.
    ///
    /// # Errors
    ///
    /// [`UmaskError`] for anything else, also for bits that [`Umask::new`] refuses.
    pub fn parse(text: &str) -> Result<Self, UmaskError> {
        let error = || UmaskError(text.to_owned());
        if text.is_empty() || text.len() > 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        let bits = u32::from_str_radix(text, 8).map_err(|_| error())?;
        Self::new(bits).ok_or_else(error)
    }

    /// The mode of a new public file: 0666 without these bits.
    #[must_use]
    pub const fn file_mode(self) -> u32 {
        0o666 & !self.0
    }

    /// The mode of a new directory that holds public files: 0777 without these bits.
    #[must_use]
    pub const fn directory_mode(self) -> u32 {
        0o777 & !self.0
    }
}

/// Whether easy-rsa's `lock.file` is honoured and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockFile {
    /// Wait while easy-rsa holds it, hold it while writing.
    Honour,
    /// Leave it alone (`--no-lockfile`). Other certkeep processes still wait for each other.
    Ignore,
}

/// How a writer writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// Permissions of public files.
    pub umask: Umask,
    /// The agreement with easy-rsa.
    pub lock_file: LockFile,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_umask_is_octal_and_leaves_the_owner_alone() {
        assert_eq!(Umask::parse("077"), Ok(Umask::PRIVATE));
        assert_eq!(Umask::parse("0022").map(Umask::file_mode), Ok(0o644));
        assert_eq!(Umask::parse("27").map(Umask::directory_mode), Ok(0o750));
        for text in ["", "8", "+22", "07777", "1000", "0x22", "777", "200", "-22"] {
            assert_eq!(Umask::parse(text), Err(UmaskError(text.to_owned())), "{text}");
        }
        assert_eq!(Umask::new(0o022).map(Umask::file_mode), Some(0o644));
        for bits in [0o100, 0o200, 0o777, 0o1000, u32::MAX] {
            assert_eq!(Umask::new(bits), None, "{bits:o}");
        }
    }
}
