// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong between a key and a wrap.

use thiserror::Error;

use super::{gpg::GpgError, openpgp::Subkey};
use crate::prompt::PromptError;

/// Why a text is nobody that something could be wrapped for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecipientError {
    /// Not a public key of a known kind.
    #[error("not an age recipient, an SSH public key or an OpenPGP certificate")]
    Unknown,
    /// It looks like one of the kinds, but does not read as one.
    #[error("not a valid {0}")]
    Invalid(&'static str),
    /// A private key stands where a public key belongs.
    #[error("a private key, where a public key is needed")]
    Private,
    /// An SSH key of a type that age does not encrypt to.
    #[error("{0} keys cannot be encrypted to, only ssh-ed25519 and ssh-rsa")]
    SshType(String),
    /// An SSH key that lives in a security key, which signs and never decrypts.
    #[error("{0} keys live in a security key, which signs only")]
    SecurityKey(String),
    /// An RSA key of an SSH user of less than 2048 bits.
    #[error("an RSA key of less than 2048 bits")]
    RsaTooSmall,
    /// An RSA key of an SSH user of more than 4096 bits, which age refuses.
    #[error("an RSA key of more than 4096 bits")]
    RsaTooLarge,
    /// More than one key.
    #[error("{} keys, where one is needed", .fingerprints.len())]
    Ambiguous {
        /// Their fingerprints.
        fingerprints: Vec<String>,
    },
    /// gpg's keyring has no such key.
    #[error("gpg knows no key `{0}`")]
    NotInGpg(String),
    /// gpg could not be asked.
    #[error(transparent)]
    Gpg(#[from] GpgError),
}

/// Why nothing was wrapped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WrapError {
    /// The certificate has no subkey that may be encrypted to now.
    #[error("OpenPGP key {fingerprint} has no usable encryption subkey")]
    NoUsableSubkey {
        /// Fingerprint of the certificate.
        fingerprint: String,
        /// Its encryption subkeys and what is wrong with each.
        subkeys: Vec<Subkey>,
    },
    /// The program of an age plugin is missing or refused.
    #[error("age plugin: {0}")]
    Plugin(String),
    /// The library that encrypts failed.
    #[error("cannot encrypt: {0}")]
    Failed(String),
}

/// Why a wrap was not opened with a key that is at hand.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnwrapError {
    /// The wrap was made for another key.
    #[error("the wrap was made for another key")]
    OtherKey,
    /// The wrap is not what its name says, or was changed.
    #[error("the wrap is damaged or altered")]
    Altered,
    /// An OpenPGP message without protection against changes.
    #[error("the wrap has no integrity protection")]
    NoIntegrity,
    /// An OpenPGP message that hides for whom it is, so that every secret key had to be tried.
    #[error("the wrap hides its recipient")]
    HiddenRecipient,
    /// Nobody gave the passphrase of the key.
    #[error("its passphrase: {0}")]
    Prompt(#[from] PromptError),
    /// The passphrase does not open the key.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// age takes passphrases in UTF-8 only.
    #[error("a passphrase that is not UTF-8")]
    NotUtf8,
    /// An age identity file is unlocked, but is none inside.
    #[error("its identity file: {0}")]
    IdentityFile(String),
    /// An age plugin is missing, or said no.
    #[error("age plugin: {0}")]
    Plugin(String),
}
