// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who a zone's keys are wrapped for, and the wrapping.
//!
//! A wrap is a file that one member opens with a key that he has anyway: an
//! age file for an age or SSH key, an OpenPGP message for an OpenPGP key. The
//! programs `age` and `gpg` open it too. Anybody can make one, so a wrap that
//! opens proves nothing about who made it.

mod age;
mod error;
pub mod gpg;
mod openpgp;

use std::{
    fmt,
    io::{self, Read},
};

use certkeep_pki::{
    moment::Moment,
    secret::{Passphrase, SecretBytes},
};
use zeroize::Zeroizing;

pub(crate) use self::{
    age::{AgeKeys, SshKey},
    openpgp::{OpenPgpKey, inspect},
};
pub use self::{
    age::{AgeRecipient, SshRecipient},
    error::{RecipientError, UnwrapError, WrapError},
    openpgp::{KeyState, OpenPgpCertificate, Subkey},
};

/// The longest payload of a wrap in bytes, far above a thousand epochs.
const PAYLOAD_LIMIT: usize = 256 * 1024;

/// What a member's key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A native age key, or one behind an age plugin.
    Age,
    /// An SSH key, `ssh-ed25519` or `ssh-rsa`.
    Ssh,
    /// An OpenPGP certificate.
    OpenPgp,
}

impl Kind {
    /// The word in a member's file: `age`, `ssh`, `openpgp`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Ssh => "ssh",
            Self::OpenPgp => "openpgp",
        }
    }

    /// The kind that [`Self::as_str`] writes as `word`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Age, Self::Ssh, Self::OpenPgp].into_iter().find(|kind| kind.as_str() == word)
    }

    /// How a file is called that is wrapped for such a key.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Age | Self::Ssh => "age",
            Self::OpenPgp => "pgp",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The public key of a member.
#[derive(Clone, Debug)]
pub enum Recipient {
    /// `age1...`
    Age(AgeRecipient),
    /// `ssh-ed25519 AAAA...` or `ssh-rsa AAAA...`
    Ssh(SshRecipient),
    /// An OpenPGP certificate.
    OpenPgp(OpenPgpCertificate),
}

/// Makes an age key: the text of an identity file, which is for its owner alone,
/// and its public half.
#[must_use]
pub fn generate_identity() -> (SecretBytes, Recipient) {
    let (file, recipient) = age::generate();
    (file, Recipient::Age(recipient))
}

impl Recipient {
    /// Reads an `age1...` text, one line of an SSH public key file, or an
    /// OpenPGP certificate, armored or not.
    ///
    /// # Errors
    ///
    /// What is not exactly one key, or one that cannot be encrypted to by its kind.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecipientError> {
        let Ok(text) = str::from_utf8(bytes) else {
            return OpenPgpCertificate::parse(bytes).map(Self::OpenPgp);
        };
        let text = text.trim();
        if text.contains("PGP PUBLIC KEY BLOCK") || text.contains("PGP PRIVATE KEY BLOCK") {
            return OpenPgpCertificate::parse(bytes).map(Self::OpenPgp);
        }
        let upper = text.to_ascii_uppercase();
        if text.contains("PRIVATE KEY-----")
            || upper.contains("AGE-SECRET-KEY-")
            || upper.contains("AGE-PLUGIN-")
        {
            return Err(RecipientError::Private);
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let line = lines.next().ok_or(RecipientError::Unknown)?;
        let others: Vec<&str> = lines.collect();
        if !others.is_empty() {
            let fingerprints = std::iter::once(line)
                .chain(others)
                .map(|line| Self::parse_line(line).map(|recipient| recipient.fingerprint()))
                .collect::<Result<_, _>>()?;
            return Err(RecipientError::Ambiguous { fingerprints });
        }
        Self::parse_line(line)
    }

    fn parse_line(line: &str) -> Result<Self, RecipientError> {
        if line.starts_with("age1") {
            AgeRecipient::parse(line).map(Self::Age)
        } else {
            SshRecipient::parse(line).map(Self::Ssh)
        }
    }

    /// What the key is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Age(_) => Kind::Age,
            Self::Ssh(_) => Kind::Ssh,
            Self::OpenPgp(_) => Kind::OpenPgp,
        }
    }

    /// The key as a member's file keeps it; [`Self::parse`] reads it again.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Age(recipient) => recipient.text().to_owned(),
            Self::Ssh(recipient) => recipient.text().to_owned(),
            Self::OpenPgp(certificate) => certificate.armored(),
        }
    }

    /// What a person compares: 40 or 64 hex digits for OpenPGP, `SHA256:...`
    /// as `ssh-keygen -lf` prints it for SSH, the recipient itself for age.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Age(recipient) => recipient.text().to_owned(),
            Self::Ssh(recipient) => recipient.fingerprint().to_owned(),
            Self::OpenPgp(certificate) => certificate.fingerprint(),
        }
    }

    /// The comment of an SSH key or the user id of an OpenPGP key, as its
    /// owner wrote it: whoever shows it escapes it.
    #[must_use]
    pub fn comment(&self) -> Option<String> {
        match self {
            Self::Age(_) => None,
            Self::Ssh(recipient) => recipient.comment().map(str::to_owned),
            Self::OpenPgp(certificate) => certificate.user_id(),
        }
    }

    /// The encryption subkeys of an OpenPGP key and their state at `now`; an
    /// age or SSH key has none and does not expire.
    #[must_use]
    pub fn subkeys(&self, now: Moment) -> Vec<Subkey> {
        match self {
            Self::Age(_) | Self::Ssh(_) => Vec::new(),
            Self::OpenPgp(certificate) => certificate.subkeys(now),
        }
    }

    /// Whether [`Self::wrap`] works at `now` without `allow_expired`.
    #[must_use]
    pub fn is_usable(&self, now: Moment) -> bool {
        match self {
            Self::Age(_) | Self::Ssh(_) => true,
            Self::OpenPgp(_) => self.subkeys(now).iter().any(|subkey| subkey.state == KeyState::Usable),
        }
    }

    /// Wraps `payload`: a binary age file, or a binary OpenPGP message for
    /// every usable encryption subkey.
    ///
    /// # Errors
    ///
    /// When the certificate has no usable subkey at `now`; with
    /// `allow_expired`, expired subkeys are used where no other is left. When
    /// an age plugin is missing or refuses.
    pub fn wrap(
        &self,
        payload: &SecretBytes,
        now: Moment,
        allow_expired: bool,
    ) -> Result<Vec<u8>, WrapError> {
        match self {
            Self::Age(recipient) => recipient.wrap(payload),
            Self::Ssh(recipient) => recipient.wrap(payload),
            Self::OpenPgp(certificate) => certificate.wrap(payload, now, allow_expired),
        }
    }
}

/// Reads to the end and leaves no copy behind, as a growing `Vec` does;
/// `None` when there are more than `limit` bytes.
pub(crate) fn read_secret(reader: &mut impl Read, limit: usize) -> io::Result<Option<SecretBytes>> {
    let most = limit.saturating_add(1);
    let mut buffer = Zeroizing::new(vec![0; most.min(8192)]);
    let mut length = 0;
    loop {
        if length == buffer.len() {
            if length == most {
                return Ok(None);
            }
            let mut larger = Zeroizing::new(vec![0; most.min(length.saturating_mul(2))]);
            larger[..length].copy_from_slice(&buffer);
            buffer = larger;
        }
        match reader.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(length);
    Ok(Some(SecretBytes::from(buffer)))
}

/// The passphrase as age and OpenPGP libraries want it.
pub(crate) fn utf8(passphrase: &Passphrase) -> Result<&str, UnwrapError> {
    str::from_utf8(passphrase.expose()).map_err(|_| UnwrapError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_up_to_its_limit() {
        for length in [0, 1, 8191, 8192, 8193, 20_000] {
            let bytes = vec![7; length];
            let read = |limit| read_secret(&mut &bytes[..], limit).expect("memory is readable");
            assert_eq!(read(20_000).expect("within the limit").expose(), bytes);
            assert_eq!(read(length).expect("at the limit").expose(), bytes);
            assert!(length == 0 || read(length - 1).is_none());
        }
    }
}
