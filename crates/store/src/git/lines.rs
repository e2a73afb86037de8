// SPDX-License-Identifier: MIT OR Apache-2.0
//! Three versions of a text, merged line by line in memory: git's own program would
//! want files to read.

use certkeep_pki::secret::SecretBytes;
use git2::{MergeFileInput, MergeFileOptions, MergeFileResult};

use super::GitError;

/// How many characters the marks of a conflict have unless git says otherwise.
const MARKER: u16 = 7;

/// What came of a merge line by line.
#[derive(Debug)]
pub struct Lines {
    /// The text, with marks where both sides have changed the same lines.
    pub text: SecretBytes,
    /// Whether there are no such places.
    pub clean: bool,
}

/// Merges two texts that began as `base`; `labels` name ours and theirs in the marks.
pub(crate) fn merge_lines(
    base: &[u8],
    ours: &[u8],
    theirs: &[u8],
    labels: [&str; 2],
    marker: Option<u16>,
) -> Result<Lines, GitError> {
    let [base, ours, theirs] = [base, ours, theirs].map(|content| {
        let mut input = MergeFileInput::new();
        input.content(content);
        input
    });
    let [ours_label, theirs_label] = labels.map(|label| label.replace('\0', ""));
    let mut options = MergeFileOptions::new();
    options.our_label(ours_label).their_label(theirs_label).marker_size(marker.unwrap_or(MARKER));
    let merged: MergeFileResult = git2::merge_file(&base, &ours, &theirs, Some(&mut options))
        .map_err(GitError::library("merge a text line by line"))?;
    let text = SecretBytes::new(merged.content().to_vec());
    Ok(Lines { text, clean: merged.is_automergeable() })
}
