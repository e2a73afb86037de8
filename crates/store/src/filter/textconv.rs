// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `git diff` and `git log -p` show of a sealed file.

use certkeep_pki::secret::SecretBytes;

use crate::{
    keyring::Keyring,
    seal::{is_sealed, key_id},
};

/// What `git diff` shows of a file: itself, what was sealed, or one line about it.
#[must_use]
pub fn textconv(keyring: Option<&Keyring>, contents: SecretBytes) -> SecretBytes {
    let bytes = contents.expose();
    if let Some(keyring) = keyring
        && let Ok(Some(opened)) = keyring.open(bytes)
    {
        return opened.plaintext;
    }
    if !is_sealed(bytes) {
        return contents;
    }
    let key = match key_id(bytes) {
        Ok(Some(id)) => id.to_string(),
        _ => "unknown".to_owned(),
    };
    let line = format!("{LINE_BEGIN}{key}, {} bytes\n", bytes.len());
    SecretBytes::new(line.into_bytes())
}

/// How the line begins that stands for a sealed file.
const LINE_BEGIN: &str = "certkeep: sealed, key ";

/// Whether bytes are the line that [`textconv`] shows: `git blame` sends that
/// through the filter again.
pub(super) fn is_line(bytes: &[u8]) -> bool {
    let line = bytes.strip_prefix(LINE_BEGIN.as_bytes()).and_then(|rest| rest.strip_suffix(b" bytes\n"));
    line.is_some_and(|rest| rest.len() < 64 && !rest.contains(&b'\n'))
}
