// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose key was found: the certificates of a PKI, by public key.
//!
//! A function of the files that it is given, as paths and bytes: they may come
//! from a PKI directory or from the tree of a commit.

use std::collections::BTreeMap;

use certkeep_pki::{
    index::{Index, Revocation, Status},
    key::PublicKey,
    moment::Moment,
    x509::certificate::Certificate,
};

use crate::terminal::shell_word;

/// The longest file that is taken for a certificate or an index, in bytes.
pub(super) const LIMIT: usize = 16 << 20;

/// The certificates that a key may belong to.
#[derive(Debug, Default)]
pub(super) struct Owners {
    certificates: Vec<Held>,
    /// By the PKI's folder, with a slash at its end unless it is empty.
    indexes: BTreeMap<(usize, String), Index>,
    /// How many sources were taken; what an earlier one says outweighs a later one.
    sources: usize,
}

#[derive(Debug)]
struct Held {
    certificate: Certificate,
    /// The source, and the folder of the PKI there.
    folder: (usize, String),
    /// Where in its PKI it is; a current name outweighs a serial number.
    role: Role,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// `ca.crt`.
    Authority,
    /// `issued/NAME.crt`.
    Issued(String),
    /// `certs_by_serial/` or `revoked/certs_by_serial/`.
    BySerial,
    /// A certificate that lies elsewhere.
    Elsewhere,
}

/// A certificate whose private key was found.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub(super) subject: String,
    pub(super) serial: String,
    /// The name by which it is the current one.
    pub(super) name: Option<String>,
    pub(super) is_authority: bool,
    /// Whether it is the CA of the PKI itself.
    is_own_authority: bool,
    pub(super) state: State,
}

/// Whether there is still something to revoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Valid,
    Expired,
    Revoked(Option<Revocation>),
    /// No index has it.
    Unknown,
}

impl Owners {
    /// Begins with another source, such as a commit behind the work tree.
    pub(super) fn next_source(&mut self) {
        self.sources += 1;
    }

    /// Takes a file, by its path with slashes; what is no certificate and no
    /// index is passed over.
    pub(super) fn add(&mut self, path: &str, bytes: &[u8]) {
        if bytes.len() > LIMIT {
            return;
        }
        let Some((folder, role)) = role(path) else {
            if let Some(folder) = path.strip_suffix("index.txt").filter(|folder| is_folder(folder))
                && let Ok(index) = Index::parse(bytes)
            {
                self.indexes.insert((self.sources, folder.to_owned()), index);
            }
            return;
        };
        for certificate in Certificate::read_all(bytes).unwrap_or_default() {
            self.certificates.push(Held {
                certificate,
                folder: (self.sources, folder.to_owned()),
                role: role.clone(),
            });
        }
    }

    /// Whether [`Owners::add`] would look into a file.
    pub(super) fn wants(path: &str) -> bool {
        role(path).is_some() || path.strip_suffix("index.txt").is_some_and(is_folder)
    }

    /// The certificates of a key, each once.
    pub(super) fn of(&self, key: &PublicKey, now: Moment) -> Vec<Owner> {
        let mut found: Vec<&Held> = Vec::new();
        for held in &self.certificates {
            if held.certificate.public_key().key_identifier() != key.key_identifier() {
                continue;
            }
            match found.iter_mut().find(|other| other.certificate.as_der() == held.certificate.as_der()) {
                Some(other) if (held.folder.0, &held.role) < (other.folder.0, &other.role) => *other = held,
                Some(_) => {}
                None => found.push(held),
            }
        }
        found.into_iter().map(|held| self.owner(held, now)).collect()
    }

    fn owner(&self, held: &Held, now: Moment) -> Owner {
        let serial = held.certificate.serial_number().to_hex();
        let row = self.indexes.get(&held.folder).and_then(|index| index.find(&serial));
        let over = held.certificate.not_after() < now;
        let state = match row.map(|row| (row.status(), row.revocation())) {
            Some((Status::Revoked, revocation)) => State::Revoked(revocation),
            Some((Status::Expired, _)) => State::Expired,
            _ if over => State::Expired,
            Some(_) => State::Valid,
            None => State::Unknown,
        };
        Owner {
            subject: held.certificate.subject().to_string(),
            serial: serial.to_string(),
            name: match &held.role {
                Role::Issued(name) => Some(name.clone()),
                _ => None,
            },
            is_authority: held.certificate.is_ca(),
            is_own_authority: held.role == Role::Authority,
            state,
        }
    }
}

impl Owner {
    /// What it is and how it stands, as part of a sentence.
    pub(super) fn described(&self) -> String {
        let kind = if self.is_authority { "the CA" } else { "the certificate" };
        format!("{kind} {} (serial number {}, {})", self.subject, self.serial, self.state.described())
    }

    /// The command that revokes it, where that is still to be done here.
    pub(super) fn revocation(&self) -> Option<String> {
        if self.is_own_authority || matches!(self.state, State::Revoked(_) | State::Expired) {
            return None;
        }
        if self.state == State::Unknown && self.name.is_none() {
            return None;
        }
        let reason = if self.is_authority { "CACompromise" } else { "keyCompromise" };
        let name = shell_word(self.name.as_deref().unwrap_or(&self.serial));
        Some(format!("certkeep revoke-issued {name} {reason}"))
    }
}

impl State {
    /// One word for programs.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked(_) => "revoked",
            Self::Unknown => "unknown",
        }
    }

    fn described(self) -> String {
        match self {
            Self::Valid => "valid".to_owned(),
            Self::Expired => "expired".to_owned(),
            Self::Unknown => "in no index".to_owned(),
            Self::Revoked(None) => "revoked already".to_owned(),
            Self::Revoked(Some(Revocation { at, reason: None })) => format!("revoked already on {at}"),
            Self::Revoked(Some(Revocation { at, reason: Some(reason) })) => {
                format!("revoked already on {at}: {reason}")
            }
        }
    }
}

/// What a path says of a certificate, and the folder of its PKI.
fn role(path: &str) -> Option<(&str, Role)> {
    if let Some(folder) = path.strip_suffix("ca.crt").filter(|folder| is_folder(folder)) {
        return Some((folder, Role::Authority));
    }
    let (above, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = [".crt", ".pem", ".cer"].into_iter().find_map(|end| file.strip_suffix(end))?;
    let folder = |end: &str| above.strip_suffix(end).filter(|folder| is_folder(folder));
    if let Some(folder) = folder("issued") {
        return Some((folder, Role::Issued(stem.to_owned())));
    }
    let by_serial = folder("revoked/certs_by_serial").or_else(|| folder("certs_by_serial"));
    Some(by_serial.map_or(("", Role::Elsewhere), |folder| (folder, Role::BySerial)))
}

fn is_folder(text: &str) -> bool {
    text.is_empty() || text.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_what_a_certificate_is() {
        for (path, expected) in [
            ("ca.crt", Some(("", Role::Authority))),
            ("a/pki/ca.crt", Some(("a/pki/", Role::Authority))),
            ("pki/issued/www.crt", Some(("pki/", Role::Issued("www".to_owned())))),
            ("issued/www.crt", Some(("", Role::Issued("www".to_owned())))),
            ("pki/certs_by_serial/0A.pem", Some(("pki/", Role::BySerial))),
            ("pki/revoked/certs_by_serial/0A.crt", Some(("pki/", Role::BySerial))),
            ("my-ca.crt", Some(("", Role::Elsewhere))),
            ("pki/index.txt", None),
            ("pki/private/www.key", None),
        ] {
            assert_eq!(role(path), expected, "{path}");
        }
        assert!(Owners::wants("pki/index.txt") && !Owners::wants("pki/old-index.txt"));
    }
}
