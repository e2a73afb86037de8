// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must not leave in the clear: private key material of every format,
//! found by parsing, not by grepping.
//!
//! Like the PKI core this crate is a function of its arguments: bytes in,
//! [`Finding`]s out. Which bytes to look at (index, commits, files) and which
//! paths must be sealed is the store's business; what to tell people is the
//! command line's. No finding carries a secret, only the public half of a key.

mod archive;
mod body;
mod detect;
mod finding;
mod line;
mod public_half;
mod ssh_public;

pub use self::{
    detect::detect,
    finding::{Certainty, Finding, Format, Protection, Wrapping},
    line::{Lines, line_of},
};
