// SPDX-License-Identifier: MIT OR Apache-2.0
//! SSH keys, which age files can be encrypted to.

use std::io::BufReader;

use age::{secrecy::SecretString, ssh};
use aws_lc_rs::digest;
use base64ct::{Base64, Base64Unpadded, Encoding};
use certkeep_pki::secret::SecretBytes;

use super::{open, refusal, wrap};
use crate::{
    identity::ParseError,
    prompt::Prompt,
    wrap::{RecipientError, UnwrapError, WrapError, utf8},
};

/// An `ssh-ed25519` or `ssh-rsa` public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshRecipient {
    text: String,
    fingerprint: String,
    comment: Option<String>,
}

impl SshRecipient {
    /// Reads `TYPE BASE64 [COMMENT]`, one line.
    pub(crate) fn parse(line: &str) -> Result<Self, RecipientError> {
        let recipient: ssh::Recipient = line.parse().map_err(|error| match error {
            ssh::ParseRecipientKeyError::RsaModulusTooSmall => RecipientError::RsaTooSmall,
            ssh::ParseRecipientKeyError::RsaModulusTooLarge => RecipientError::RsaTooLarge,
            ssh::ParseRecipientKeyError::Unsupported(kind) if kind.starts_with("sk-") => {
                RecipientError::SecurityKey(kind)
            }
            ssh::ParseRecipientKeyError::Unsupported(kind) => RecipientError::SshType(kind),
            _ if line.starts_with("ssh-") => RecipientError::Invalid("SSH public key"),
            _ => RecipientError::Unknown,
        })?;
        let text = recipient.to_string();
        let blob = text
            .split_once(' ')
            .and_then(|(_, blob)| Base64::decode_vec(blob).ok())
            .ok_or(RecipientError::Invalid("SSH public key"))?;
        let fingerprint = Base64Unpadded::encode_string(digest::digest(&digest::SHA256, &blob).as_ref());
        let comment = line.splitn(3, ' ').nth(2).map(str::trim).filter(|comment| !comment.is_empty());
        Ok(Self { text, fingerprint: format!("SHA256:{fingerprint}"), comment: comment.map(str::to_owned) })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(crate) fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    pub(crate) fn wrap(&self, payload: &SecretBytes) -> Result<Vec<u8>, WrapError> {
        let recipient: ssh::Recipient =
            self.text.parse().map_err(|_| WrapError::Failed("not an SSH public key".to_owned()))?;
        wrap(&recipient, payload)
    }
}

/// An SSH private key.
pub(crate) struct SshKey {
    key: ssh::Identity,
    public: String,
}

impl SshKey {
    /// Reads the OpenSSH form, or the old PEM form of an RSA key.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseError> {
        let key = ssh::Identity::from_buffer(BufReader::new(text.as_bytes()), None)
            .map_err(|_| ParseError::Invalid("SSH private key"))?;
        if let ssh::Identity::Unsupported(unsupported) = key {
            return Err(match unsupported {
                ssh::UnsupportedKey::EncryptedPem => ParseError::EncryptedPem,
                ssh::UnsupportedKey::EncryptedSsh(cipher) => ParseError::SshCipher(cipher),
                ssh::UnsupportedKey::Hardware(kind) => ParseError::SecurityKey(kind),
                ssh::UnsupportedKey::Type(kind) => ParseError::SshType(kind),
            });
        }
        let public = ssh::Recipient::try_from(key.clone()).map_err(|error| match error {
            ssh::ParseRecipientKeyError::Unsupported(kind) if kind.starts_with("sk-") => {
                ParseError::SecurityKey(kind)
            }
            ssh::ParseRecipientKeyError::Unsupported(kind) => ParseError::SshType(kind),
            _ => ParseError::Invalid("SSH private key"),
        })?;
        Ok(Self { key, public: public.to_string() })
    }

    /// Whether this is the private half of the public key `recipient`.
    pub(crate) fn fits(&self, recipient: &str) -> bool {
        self.public == recipient
    }

    /// Opens a wrap; asks for the passphrase of `place` where it has one.
    pub(crate) fn open(
        &mut self,
        place: &str,
        wrapped: &[u8],
        prompt: &mut dyn Prompt,
    ) -> Result<SecretBytes, UnwrapError> {
        if let ssh::Identity::Encrypted(encrypted) = &self.key {
            let passphrase = prompt.passphrase(&format!("the SSH key {place}"))?;
            let passphrase = SecretString::from(utf8(&passphrase)?.to_owned());
            let key = encrypted.decrypt(passphrase).map_err(|_| UnwrapError::WrongPassphrase)?;
            self.key = ssh::Identity::from(key);
        }
        open(wrapped, &self.key).map_err(|error| refusal(&error))
    }
}
