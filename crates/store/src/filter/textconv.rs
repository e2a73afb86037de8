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
    match line(bytes) {
        Some(line) => SecretBytes::new(line.into_bytes()),
        None => contents,
    }
}

/// The line that stands for a sealed file; `None` for bytes that are not sealed.
/// `git blame` sends it through the filter again.
pub(super) fn line(bytes: &[u8]) -> Option<String> {
    if !is_sealed(bytes) {
        return None;
    }
    let key = match key_id(bytes) {
        Ok(Some(id)) => id.to_string(),
        _ => "unknown".to_owned(),
    };
    Some(format!("certkeep: sealed, key {key}, {} bytes\n", bytes.len()))
}
