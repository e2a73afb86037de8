// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whom somebody means: from a KEY on the command line, or from nothing but the
//! machine, to a public key and a name for its owner.

use std::{fs, io, path::PathBuf};

use certkeep_store::{
    member::MemberName,
    wrap::{
        Recipient,
        gpg::{Gpg, recipient_from_gpg},
    },
};

use crate::{identities, input, report::Failure, settings::Machine, terminal::Safe};

/// A public key that was found.
#[derive(Debug)]
pub struct Found {
    /// The key.
    pub recipient: Recipient,
    /// Where it was found, for the question: `gpg's keyring`, or a file.
    pub place: String,
    /// Whether the key itself was named, so that there is nothing to ask about.
    pub exact: bool,
}

impl Found {
    /// One line for a person who compares.
    #[must_use]
    pub fn shown(&self) -> String {
        let recipient = &self.recipient;
        let comment = recipient.comment().map_or_else(String::new, |comment| format!(" ({})", Safe(comment)));
        format!("{} key {}{comment}, from {}", recipient.kind().as_str(), recipient.fingerprint(), self.place)
    }

    /// The name that its owner would expect.
    #[must_use]
    pub fn suggested_name(&self) -> Option<MemberName> {
        self.recipient.comment().and_then(|comment| MemberName::suggest(&comment))
    }
}

/// The public key that `text` is or names: `age1...`, a line of an SSH public
/// key, a file with one of them or with an OpenPGP certificate, or what gpg's
/// keyring knows by that text.
///
/// # Errors
///
/// It is none, or more than one.
pub fn find(text: &str, machine: &Machine) -> Result<Found, Failure> {
    if text.starts_with("age1") || text.starts_with("ssh-") || text.contains(" AAAA") {
        let recipient =
            Recipient::parse(text.as_bytes()).map_err(|error| Failure::no_recipient(text, &error))?;
        return Ok(Found { recipient, place: "the command line".to_owned(), exact: true });
    }
    let path = machine.here.join(text);
    if path.is_file() {
        return Ok(Found { exact: true, ..of_file(path, text)? });
    }
    if text.contains('/') || text.ends_with(".pub") || text.ends_with(".asc") {
        return Err(Failure::cannot_read(text, &io::ErrorKind::NotFound.into()));
    }
    let gpg = identities::gpg(machine);
    let recipient = recipient_from_gpg(&gpg, text).map_err(|error| Failure::no_recipient(text, &error))?;
    let typed: String = text.trim_start_matches("0x").chars().filter(|character| *character != ' ').collect();
    let exact = typed.eq_ignore_ascii_case(&recipient.fingerprint());
    Ok(Found { recipient, place: "gpg's keyring".to_owned(), exact })
}

/// The key of whoever runs the program: the one secret key of gpg that can
/// decrypt, else an SSH key, else the age key of certkeep's own identity file.
/// `None` when the machine has none of them.
///
/// # Errors
///
/// gpg has several keys, or a public key of the user's cannot be used.
pub fn own(machine: &Machine) -> Result<Option<Found>, Failure> {
    // Asked without a folder, gpg would make one.
    let has_gpg = machine.gnupg.as_ref().is_some_and(|folder| folder.is_dir());
    if has_gpg && let Some(found) = own_of_gpg(&identities::gpg(machine))? {
        return Ok(Some(found));
    }
    let ssh = machine.home.as_ref().map(|home| home.join(".ssh"));
    for name in ["id_ed25519.pub", "id_rsa.pub"] {
        let Some(path) = ssh.as_ref().map(|folder| folder.join(name)) else { break };
        // The private half makes it this user's own.
        if path.is_file() && path.with_extension("").is_file() {
            let shown = path.display().to_string();
            return of_file(path, &shown).map(Some);
        }
    }
    of_identity_file(machine)
}

/// The age key in the identity file of certkeep's own, whose public half a comment
/// in it tells, as `age-keygen` writes it.
///
/// # Errors
///
/// The file cannot be read, or tells no public key.
fn of_identity_file(machine: &Machine) -> Result<Option<Found>, Failure> {
    let Some(path) = machine.identity_file() else { return Ok(None) };
    let shown = path.display().to_string();
    let text = match fs::read_to_string(&path).map(zeroize::Zeroizing::new) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::cannot_read(&shown, &error)),
    };
    let public = text.lines().find_map(|line| line.strip_prefix("# public key: "));
    let public = public.ok_or_else(|| Failure::identity_without_public_key(&shown))?;
    let recipient =
        Recipient::parse(public.as_bytes()).map_err(|error| Failure::no_recipient(&shown, &error))?;
    Ok(Some(Found { recipient, place: shown, exact: false }))
}

fn of_file(path: PathBuf, shown: &str) -> Result<Found, Failure> {
    let bytes = input::read(&path)?;
    let recipient = Recipient::parse(&bytes).map_err(|error| Failure::no_recipient(shown, &error))?;
    Ok(Found { recipient, place: path.display().to_string(), exact: false })
}

/// gpg's own keys that can decrypt: one of them is the user's, several are a question.
fn own_of_gpg(gpg: &Gpg) -> Result<Option<Found>, Failure> {
    let mut fingerprints = gpg.secret_keys().unwrap_or_default();
    match (fingerprints.pop(), fingerprints.is_empty()) {
        (None, _) => Ok(None),
        (Some(fingerprint), true) => {
            let recipient = recipient_from_gpg(gpg, &fingerprint)
                .map_err(|error| Failure::no_recipient(&fingerprint, &error))?;
            Ok(Some(Found { recipient, place: "gpg's keyring".to_owned(), exact: false }))
        }
        (Some(last), false) => {
            fingerprints.push(last);
            Err(Failure::several_own_keys(&fingerprints))
        }
    }
}
