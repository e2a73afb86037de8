// SPDX-License-Identifier: MIT OR Apache-2.0
//! What standard output shows, for data that is a table.

use std::io;

use super::Colour;

/// What standard output shows.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The columns of the terminal; `None` where it is none, and lines may be of any length.
    pub width: Option<usize>,
    /// Whether it takes colour.
    pub colour: Colour,
}

impl Page {
    /// That of this process. What is no terminal has no size.
    pub(super) fn of_output(colour: Colour) -> Self {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
        // Some terminals do not know, and say 0.
        let width = size.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
        Self { width, colour }
    }
}
