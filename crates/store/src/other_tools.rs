// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ciphertext of other programs that encrypt in git, as far as it tells of itself.

use crate::git_crypt;

/// Ciphertext of other programs, by how it begins.
const OTHER_TOOLS: &[(&[u8], &str)] = &[
    (git_crypt::MAGIC, "git-crypt"),
    (b"\0a8ccrypt", "git-conceal"),
    (b"\0GITXCRYPT\0", "git-xcrypt"),
    (b"U2FsdGVk", "transcrypt"),
    (b"age-encryption.org/v1", "age"),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", "age"),
    (b"-----BEGIN PGP MESSAGE-----", "OpenPGP"),
];

/// The other program whose ciphertext these bytes are, if they are any.
pub(crate) fn other_tool(bytes: &[u8]) -> Option<&'static str> {
    OTHER_TOOLS.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, tool)| *tool)
}
