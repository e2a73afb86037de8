// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which terminal this is.

use std::io;

/// The terminal that one of the standard streams is, which gpg's agent cannot guess.
#[must_use]
pub fn name() -> Option<std::ffi::OsString> {
    let name = rustix::termios::ttyname(io::stdin(), Vec::new())
        .or_else(|_| rustix::termios::ttyname(io::stderr(), Vec::new()))
        .or_else(|_| rustix::termios::ttyname(io::stdout(), Vec::new()));
    name.ok().map(|name| std::os::unix::ffi::OsStringExt::from_vec(name.into_bytes()))
}
