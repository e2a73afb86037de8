// SPDX-License-Identifier: MIT OR Apache-2.0
//! age files: for age's own keys, for keys behind its plugins, for SSH keys.
//!
//! Only this file and those under it name the crate age.
//!
//! The format is <https://c2sp.org/age>. What the crate says to people is
//! translated text with invisible marks, so nothing here depends on it: errors
//! become ours, and only a plugin's own words are passed on.

mod plugin;
mod ssh;

use std::{
    io::{self, Write},
    iter,
};

use age::{
    DecryptError, Decryptor, EncryptError, Encryptor, NoCallbacks,
    armor::ArmoredReader,
    plugin::RecipientPluginV1,
    scrypt,
    secrecy::{ExposeSecret as _, SecretString},
    tag, tagpq, x25519,
};
use certkeep_pki::secret::{Passphrase, SecretBytes};
use zeroize::Zeroizing;

pub(crate) use self::ssh::SshKey;
pub use self::ssh::SshRecipient;
use super::{PAYLOAD_LIMIT, RecipientError, UnwrapError, WrapError, read_secret, utf8};
use crate::{identity::ParseError, prompt::Prompt};

/// scrypt's log2(N) up to which a passphrase-protected identity file is opened:
/// some ten seconds. age writes 18; a machine's own measure may be too low.
const MAX_WORK_FACTOR: u8 = 22;

/// An `age1...` text that reads as a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeRecipient(String);

impl AgeRecipient {
    pub(crate) fn parse(text: &str) -> Result<Self, RecipientError> {
        let is_valid = text.parse::<x25519::Recipient>().is_ok()
            || text.parse::<tag::Recipient>().is_ok()
            || text.parse::<tagpq::Recipient>().is_ok()
            || text.parse::<age::plugin::Recipient>().is_ok();
        if is_valid { Ok(Self(text.to_owned())) } else { Err(RecipientError::Invalid("age recipient")) }
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    pub(crate) fn wrap(&self, payload: &SecretBytes) -> Result<Vec<u8>, WrapError> {
        if let Ok(recipient) = self.0.parse::<x25519::Recipient>() {
            wrap(&recipient, payload)
        } else if let Ok(recipient) = self.0.parse::<tag::Recipient>() {
            wrap(&recipient, payload)
        } else if let Ok(recipient) = self.0.parse::<tagpq::Recipient>() {
            wrap(&recipient, payload)
        } else {
            let recipient: age::plugin::Recipient =
                self.0.parse().map_err(|_| WrapError::Failed("not an age recipient".to_owned()))?;
            let plugin = RecipientPluginV1::new(
                recipient.plugin(),
                std::slice::from_ref(&recipient),
                &[],
                NoCallbacks,
            )
            .map_err(|error| WrapError::Plugin(plain(&error.to_string())))?;
            wrap(&plugin, payload)
        }
    }
}

/// A new key, as the text of an identity file, and its public half.
pub(crate) fn generate() -> (SecretBytes, AgeRecipient) {
    let identity = x25519::Identity::generate();
    let public = identity.to_public().to_string();
    let secret = identity.to_string();
    let mut file = Zeroizing::new(Vec::with_capacity(512));
    file.extend_from_slice(format!("# public key: {public}\n").as_bytes());
    file.extend_from_slice(secret.expose_secret().as_bytes());
    file.push(b'\n');
    (SecretBytes::from(file), AgeRecipient(public))
}

fn wrap(recipient: &dyn age::Recipient, payload: &SecretBytes) -> Result<Vec<u8>, WrapError> {
    let failed = |error: io::Error| WrapError::Failed(error.to_string());
    let encryptor = Encryptor::with_recipients(iter::once(recipient)).map_err(|error| match error {
        EncryptError::Plugin(_) | EncryptError::PluginResolve(_) | EncryptError::Io(_) => {
            WrapError::Plugin(plain(&error.to_string()))
        }
        other => WrapError::Failed(plain(&other.to_string())),
    })?;
    let mut wrapped = Vec::new();
    let mut writer = encryptor.wrap_output(&mut wrapped).map_err(failed)?;
    writer.write_all(payload.expose()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(wrapped)
}

/// The keys of an age identity file.
pub(crate) enum AgeKeys {
    Open(Vec<AgeKey>),
    /// The file is itself an age file, under a passphrase.
    Sealed(Vec<u8>),
}

pub(crate) enum AgeKey {
    Native(x25519::Identity),
    Plugin(age::plugin::Identity),
}

impl AgeKeys {
    /// Reads `AGE-SECRET-KEY-1...` and `AGE-PLUGIN-...` lines; comments start with `#`.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<AgeKey> = lines
            .map(|line| {
                let native = line.parse().map(AgeKey::Native);
                native.or_else(|_| line.parse().map(AgeKey::Plugin))
            })
            .collect::<Result<_, _>>()
            .map_err(|_| ParseError::Invalid("age identity file"))?;
        if keys.is_empty() { Err(ParseError::Unknown) } else { Ok(Self::Open(keys)) }
    }

    /// An identity file that `age -p` protected.
    pub(crate) fn sealed(bytes: &[u8]) -> Result<Self, ParseError> {
        match Decryptor::new_buffered(ArmoredReader::new(bytes)) {
            Ok(decryptor) if decryptor.is_scrypt() => Ok(Self::Sealed(bytes.to_vec())),
            _ => Err(ParseError::Invalid("age identity file")),
        }
    }

    /// Whether the member whose recipient is `recipient` may be meant.
    pub(crate) fn fits(&self, recipient: &str) -> bool {
        match self {
            Self::Open(keys) => keys.iter().any(|key| key.fits(recipient)),
            Self::Sealed(_) => true,
        }
    }

    /// Opens a wrap of `recipient`; asks for the passphrase of `place` where it has one.
    pub(crate) fn open(
        &mut self,
        place: &str,
        recipient: &str,
        wrapped: &[u8],
        prompt: &mut dyn Prompt,
    ) -> Result<SecretBytes, UnwrapError> {
        if let Self::Sealed(bytes) = self {
            let passphrase = prompt.passphrase(&format!("the age identity file {place}"))?;
            *self = unseal(bytes, &passphrase)?;
        }
        let Self::Open(keys) = self else { return Err(UnwrapError::OtherKey) };
        let mut result = Err(UnwrapError::OtherKey);
        for key in keys.iter().filter(|key| key.fits(recipient)) {
            result = match key {
                AgeKey::Native(identity) => open(wrapped, identity).map_err(|error| refusal(&error)),
                AgeKey::Plugin(identity) => plugin::open(wrapped, identity, prompt),
            };
            if result.is_ok() {
                break;
            }
        }
        result
    }
}

impl AgeKey {
    fn fits(&self, recipient: &str) -> bool {
        match self {
            Self::Native(identity) => identity.to_public().to_string() == recipient,
            // A plugin does not tell its public key; `age1tag...` recipients belong to any of them.
            Self::Plugin(identity) => {
                recipient.starts_with("age1tag1")
                    || recipient.starts_with("age1tagpq1")
                    || recipient
                        .parse::<age::plugin::Recipient>()
                        .is_ok_and(|recipient| recipient.plugin() == identity.plugin())
            }
        }
    }
}

fn unseal(bytes: &[u8], passphrase: &Passphrase) -> Result<AgeKeys, UnwrapError> {
    let mut identity = scrypt::Identity::new(SecretString::from(utf8(passphrase)?.to_owned()));
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let text = open(bytes, &identity).map_err(|error| match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => UnwrapError::WrongPassphrase,
        other => UnwrapError::IdentityFile(plain(&other.to_string())),
    })?;
    let text =
        str::from_utf8(text.expose()).map_err(|_| UnwrapError::IdentityFile("not a text".to_owned()))?;
    AgeKeys::parse(text).map_err(|error| UnwrapError::IdentityFile(error.to_string()))
}

/// Opens a binary or armored age file.
fn open(wrapped: &[u8], identity: &dyn age::Identity) -> Result<SecretBytes, DecryptError> {
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(wrapped))?;
    let mut reader = decryptor.decrypt(iter::once(identity))?;
    let payload = read_secret(&mut reader, PAYLOAD_LIMIT).map_err(|_| DecryptError::DecryptionFailed)?;
    payload.ok_or(DecryptError::DecryptionFailed)
}

fn refusal(error: &DecryptError) -> UnwrapError {
    match error {
        DecryptError::NoMatchingKeys => UnwrapError::OtherKey,
        DecryptError::Plugin(_) | DecryptError::PluginResolve(_) => {
            UnwrapError::Plugin(plain(&error.to_string()))
        }
        _ => UnwrapError::Altered,
    }
}

/// Without the marks that isolate inserted words in translated text.
fn plain(message: &str) -> String {
    message.chars().filter(|character| !matches!(character, '\u{2066}'..='\u{2069}')).collect()
}
