// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of a section for those who read settings of openssl rather than extensions.

use super::{Entry, Extensions, ExtfileError, Problem, Source};

/// A line `name = value`, variables expanded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    sources: &'a [Source<'a>],
    entry: &'a Entry,
}

impl<'a> Line<'a> {
    pub(crate) fn name(&self) -> &'a str {
        self.entry.name.as_str()
    }

    pub(crate) fn value(&self) -> &'a str {
        self.entry.value.as_str()
    }

    /// What is wrong with the name.
    pub(crate) fn refused(&self, problem: Problem) -> ExtfileError {
        ExtfileError::new(self.sources, self.entry.name.word().position(), problem)
    }

    /// What is wrong with the value.
    pub(crate) fn bad(&self, problem: Problem) -> ExtfileError {
        ExtfileError::new(self.sources, self.entry.value.word().position(), problem)
    }
}

impl Extensions<'_> {
    /// The lines of a section; `None` if there is no such section. `default` is
    /// what stands in front of every header.
    pub(crate) fn lines(&self, section: &str) -> Option<Vec<Line<'_>>> {
        let section = self.sections.section(section)?;
        Some(section.entries().map(|entry| Line { sources: self.sources, entry }).collect())
    }
}
