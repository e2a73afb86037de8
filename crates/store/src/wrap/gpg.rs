// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program gpg: it has the secret keys, the agent, the smartcards and the
//! way to ask for a PIN.
//!
//! Its messages are translated and for people; what it did is read from its
//! status lines (doc/DETAILS of GnuPG), which come on stderr between them.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    process::{Command, Stdio},
    thread,
};

use certkeep_pki::secret::{Passphrase, SecretBytes};
use thiserror::Error;

use super::{PAYLOAD_LIMIT, Recipient, RecipientError, openpgp::OpenPgpCertificate, read_secret};

/// The most that gpg is listened to: certificates of keys with many signatures are large.
const OUTPUT_LIMIT: usize = 64 * 1024 * 1024;
const MESSAGES_LIMIT: u64 = 64 * 1024;

/// How gpg is run.
#[derive(Debug)]
pub struct Gpg {
    /// Its name or path; git has a setting for it, `gpg.program`.
    pub program: OsString,
    /// What it finds in its environment beside ours, such as `GPG_TTY` for
    /// the PIN entry. Nothing secret.
    pub environment: Vec<(OsString, OsString)>,
    /// Given to gpg instead of asking a person.
    pub passphrase: Option<Passphrase>,
}

/// Why gpg did not do it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GpgError {
    /// There is no such program.
    #[error("{} is not installed", .program.display())]
    Missing {
        /// What was looked for.
        program: OsString,
    },
    /// The program did not run.
    #[error("cannot run {}", .program.display())]
    Run {
        /// What was run.
        program: OsString,
        /// What the system said.
        source: io::Error,
    },
    /// gpg has none of the secret keys that the wrap is for.
    #[error("gpg has no secret key for it (needed: {})", .key_ids.join(", "))]
    NoSecretKey {
        /// The long ids of the keys that would open it.
        key_ids: Vec<String>,
    },
    /// The passphrase or PIN was wrong too often.
    #[error("gpg: wrong passphrase or PIN")]
    WrongPassphrase,
    /// Whoever was asked for the passphrase or PIN gave up.
    #[error("gpg: cancelled")]
    Cancelled,
    /// Nobody could be asked: no pinentry program, or no terminal for it.
    #[error("gpg cannot ask for the passphrase: no pinentry, or no terminal for it")]
    NoPinentry,
    /// The wrap was changed or cut short, or is not an encrypted message.
    #[error("gpg: the wrap is damaged or altered")]
    Altered,
    /// The wrap is not protected against changes.
    #[error("gpg: the wrap has no integrity protection")]
    NoIntegrity,
    /// Something else.
    #[error("gpg failed: {}", .messages.join("; "))]
    Other {
        /// What gpg said.
        messages: Vec<String>,
    },
}

/// What gpg did, as far as it could be run at all.
struct Answer {
    output: Option<SecretBytes>,
    /// Status lines, without their mark.
    status: Vec<String>,
    messages: Vec<String>,
    success: bool,
}

impl Gpg {
    /// gpg with nothing special about it.
    #[must_use]
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), environment: Vec::new(), passphrase: None }
    }

    /// Opens an OpenPGP message. The agent may ask a person.
    ///
    /// # Errors
    ///
    /// Unless gpg says that it decrypted the whole message and that the
    /// message is protected against changes.
    pub fn decrypt(&self, wrapped: &[u8]) -> Result<SecretBytes, GpgError> {
        let answer = match &self.passphrase {
            None => self.run(&["--decrypt"], &[wrapped], PAYLOAD_LIMIT)?,
            // gpg reads the first line of its input as the passphrase, and the rest as the message.
            Some(passphrase) => self.run(
                &["--pinentry-mode", "loopback", "--passphrase-fd", "0", "--decrypt"],
                &[passphrase.expose(), b"\n", wrapped],
                PAYLOAD_LIMIT,
            )?,
        };
        answer.into_payload()
    }

    /// Whether gpg has a secret encryption key of the certificate with this
    /// fingerprint, in a file or on a smartcard. Asks nobody.
    ///
    /// # Errors
    ///
    /// When gpg cannot be run.
    pub fn has_secret_key(&self, fingerprint: &str) -> Result<bool, GpgError> {
        let answer =
            self.run(&["--with-colons", "--list-secret-keys", "--", fingerprint], &[], OUTPUT_LIMIT)?;
        let listing = answer.output.as_ref().map_or(&[][..], SecretBytes::expose);
        Ok(String::from_utf8_lossy(listing).lines().any(is_secret_encryption_key))
    }

    /// The fingerprints of the keys whose owner can decrypt with this gpg, but
    /// for those that have expired or were revoked. Asks nobody.
    ///
    /// # Errors
    ///
    /// When gpg cannot be run.
    pub fn secret_keys(&self) -> Result<Vec<String>, GpgError> {
        let answer = self.run(&["--with-colons", "--list-secret-keys"], &[], OUTPUT_LIMIT)?;
        let listing = answer.output.as_ref().map_or(&[][..], SecretBytes::expose);
        let listing = String::from_utf8_lossy(listing);
        let lines: Vec<&str> = listing.lines().collect();
        // A key begins with its `sec` line; the first `fpr` line behind it is its own.
        let keys = lines.chunk_by(|_, next| !next.starts_with("sec:"));
        let own = keys.filter(|key| key.iter().any(|line| is_secret_encryption_key(line) && is_valid(line)));
        let fingerprints = own.filter_map(|key| key.iter().find_map(|line| line.strip_prefix("fpr:")));
        Ok(fingerprints.filter_map(|fields| fields.split(':').nth(8).map(str::to_owned)).collect())
    }

    fn run(&self, arguments: &[&str], input: &[&[u8]], limit: usize) -> Result<Answer, GpgError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => GpgError::Missing { program: self.program.clone() },
            _ => GpgError::Run { program: self.program.clone(), source },
        };
        let mut child = Command::new(&self.program)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("CERTKEEP_IDENTITY")
            .args(["--batch", "--no-tty", "--no-auto-key-locate", "--status-fd", "2"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (mut to, mut from, said) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (output, text) = thread::scope(|scope| {
            scope.spawn(move || {
                // A gpg that ends early says why by other means.
                for piece in input {
                    let _ = to.as_mut().map(|pipe| pipe.write_all(piece));
                }
            });
            let listener = scope.spawn(move || {
                let mut text = Vec::new();
                if let Some(pipe) = said {
                    let _ = pipe.take(MESSAGES_LIMIT).read_to_end(&mut text);
                }
                text
            });
            let output = from.as_mut().map_or(Ok(None), |pipe| read_secret(pipe, limit));
            // Whoever says more than is listened to finds the pipe closed, and ends.
            drop(from);
            (output, listener.join().unwrap_or_default())
        });
        let success = child.wait().map_err(failed)?.success();
        let (mut status, mut messages) = (Vec::new(), Vec::new());
        for line in String::from_utf8_lossy(&text).lines() {
            match line.strip_prefix("[GNUPG:] ") {
                Some(line) => status.push(line.to_owned()),
                None => messages.push(line.strip_prefix("gpg: ").unwrap_or(line).trim().to_owned()),
            }
        }
        Ok(Answer { output: output.map_err(failed)?, status, messages, success })
    }
}

impl Answer {
    fn has(&self, keyword: &str) -> bool {
        self.values(keyword).next().is_some()
    }

    /// The arguments of each status line that begins with `keyword`.
    fn values<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = Vec<&'a str>> {
        self.status.iter().filter_map(move |line| {
            let mut words = line.split(' ');
            (words.next() == Some(keyword)).then(|| words.collect())
        })
    }

    fn into_payload(self) -> Result<SecretBytes, GpgError> {
        let is_protected = self.has("GOODMDC")
            || self.values("DECRYPTION_INFO").any(|words| {
                words.first().is_some_and(|mdc| *mdc != "0") || words.get(2).is_some_and(|aead| *aead != "0")
            });
        let is_bad = self.has("BADMDC") || self.has("DECRYPTION_FAILED");
        if self.success && self.has("DECRYPTION_OKAY") && is_protected && !is_bad {
            return self.output.ok_or(GpgError::Altered);
        }
        Err(self.into_error(is_protected))
    }

    fn into_error(self, is_protected: bool) -> GpgError {
        let code = self.values("ERROR").find_map(|words| match words[..] {
            ["pkdecrypt_failed", code] => code.parse::<u32>().ok(),
            _ => None,
        });
        if let Some(error) = code.and_then(agent_error) {
            return error;
        }
        let key_ids: Vec<String> =
            self.values("NO_SECKEY").filter_map(|words| words.first().map(|id| (*id).to_owned())).collect();
        if code.is_none() && !key_ids.is_empty() && !self.has("DECRYPTION_KEY") {
            return GpgError::NoSecretKey { key_ids };
        }
        if self.has("DECRYPTION_INFO") {
            return if is_protected { GpgError::Altered } else { GpgError::NoIntegrity };
        }
        if !self.has("ENC_TO") {
            return GpgError::Altered;
        }
        GpgError::Other { messages: self.messages }
    }
}

/// libgpg-error: the code in the low 16 bits, who says it from bit 24 on.
fn agent_error(error: u32) -> Option<GpgError> {
    const PINENTRY: u32 = 5;
    const SYSTEM_ERROR: u32 = 1 << 15;
    let (source, code) = (error >> 24 & 0x7f, error & 0xffff);
    match code {
        // BAD_PASSPHRASE, BAD_PIN, PIN_BLOCKED
        11 | 87 | 129 => Some(GpgError::WrongPassphrase),
        // TIMEOUT, CANCELED, NOT_CONFIRMED, FULLY_CANCELED
        62 | 99 | 114 | 198 => Some(GpgError::Cancelled),
        // NO_PIN_ENTRY, PIN_ENTRY
        85 | 86 => Some(GpgError::NoPinentry),
        // Such as ENOTTY.
        code if source == PINENTRY && code & SYSTEM_ERROR != 0 => Some(GpgError::NoPinentry),
        _ => None,
    }
}

/// A line of `--with-colons` (doc/DETAILS): field 12 tells what the key may be
/// used for, field 15 is `#` where the secret part is elsewhere.
fn is_secret_encryption_key(line: &str) -> bool {
    let fields: Vec<&str> = line.split(':').collect();
    matches!(fields[..], ["sec" | "ssb", ..])
        && fields.get(11).is_some_and(|uses| uses.contains('e'))
        && fields.get(14).is_some_and(|token| *token != "#")
}

/// Field 2: expired, revoked, disabled and invalid keys are no use.
fn is_valid(line: &str) -> bool {
    !matches!(line.split(':').nth(1), Some("e" | "r" | "d" | "i"))
}

/// The one key that gpg's keyring has under `id`: a fingerprint, a key id, an
/// address or a part of a name.
///
/// # Errors
///
/// When there is none or more than one, and when gpg cannot be run.
pub fn recipient_from_gpg(gpg: &Gpg, id: &str) -> Result<Recipient, RecipientError> {
    let answer = gpg.run(&["--export", "--", id], &[], OUTPUT_LIMIT)?;
    let exported = answer.output.as_ref().map_or(&[][..], SecretBytes::expose);
    let mut certificates = OpenPgpCertificate::parse_all(exported)?;
    match (certificates.pop(), certificates.is_empty()) {
        (None, _) => Err(RecipientError::NotInGpg(id.to_owned())),
        (Some(certificate), true) => Ok(Recipient::OpenPgp(certificate)),
        (Some(last), false) => {
            certificates.push(last);
            let fingerprints = certificates.iter().map(OpenPgpCertificate::fingerprint).collect();
            Err(RecipientError::Ambiguous { fingerprints })
        }
    }
}
