// SPDX-License-Identifier: MIT OR Apache-2.0
//! Revoking a certificate: its row in the index, and where its files go.

use thiserror::Error;

use super::authority::Database;
use crate::{
    change::ChangeSet,
    index::{ChangeError, Reason, Revocation},
    key::PublicKey,
    layout::{EntryName, PkiPath, PrivateExport},
    moment::Moment,
    x509::certificate::Certificate,
};

/// A certificate that is to be revoked.
#[derive(Clone, Debug)]
pub struct Target {
    /// The certificate.
    pub certificate: Certificate,
    /// Where it is filed.
    pub place: Place,
    /// The public key of the request filed under its name, if there is one.
    pub request_key: Option<PublicKey>,
}

/// Where a certificate is filed, besides `certs_by_serial`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `issued/NAME.crt`: it is the current one of a name.
    Current(EntryName),
    /// `renewed/issued/NAME.crt`: another one took its place.
    Renewed(EntryName, Successor),
    /// `expired/NAME.crt`: it was put aside.
    Expired(EntryName, Successor),
    /// Nowhere else.
    Archive,
}

/// Whether `issued/NAME.crt` is there beside a certificate that was put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Successor {
    /// It is: exports and inline files of the name hold that one.
    Issued,
    /// It is not: they still hold the one that was put aside.
    None,
}

impl Place {
    /// The name under which the certificate is filed, if it is.
    #[must_use]
    pub fn name(&self) -> Option<&EntryName> {
        match self {
            Self::Current(name) | Self::Renewed(name, _) | Self::Expired(name, _) => Some(name),
            Self::Archive => None,
        }
    }
}

/// A revocation that may be recorded.
#[derive(Debug)]
#[must_use = "a proposal is shown and recorded"]
pub struct RevocationProposal {
    /// Which certificate.
    pub certificate: Certificate,
    /// When and why.
    pub revocation: Revocation,
    /// Whether the key and the request of its name are archived with it.
    pub archives_key: bool,
    changes: ChangeSet,
}

/// Why a certificate is not revoked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// The index has no row for it, or it is revoked there already.
    #[error(transparent)]
    Index(#[from] ChangeError),
}

/// Proposes to revoke `target` at `now`.
///
/// The certificate moves to `revoked/certs_by_serial`. If it is the current one
/// of its name, key and request move too, unless the request is for another key:
/// then both belong to the certificate that is to come. If it was renewed or put
/// aside, key and request stay, as the next certificate has the same key. Exports
/// and inline files that hold the certificate are removed, the PKCS#12 inline
/// file that easy-rsa leaves behind included; those of a successor stay. The CA's
/// own key stays whatever a certificate is called.
///
/// # Errors
///
/// [`RevokeError`]. A certificate that has expired can be revoked.
pub fn propose_revocation(
    target: Target,
    reason: Option<Reason>,
    mut database: Database,
    now: Moment,
) -> Result<RevocationProposal, RevokeError> {
    let Target { certificate, place, request_key } = target;
    let serial = certificate.serial_number().to_hex();
    let revocation = Revocation { at: now, reason };
    database.index.revoke(&serial, revocation)?;
    let mut changes = ChangeSet::new();
    database.index_changes(&mut changes);
    let archived = PkiPath::RevokedCertificate(serial.clone());
    let own_key = request_key.is_none_or(|key| key == *certificate.public_key());
    let current = matches!(place, Place::Current(_));
    let archives_key = own_key && current && place.name().is_some_and(|name| !name.is_reserved());
    match place {
        Place::Current(name) => {
            changes.relocate(PkiPath::Issued(name.clone()), archived);
            if archives_key {
                changes.relocate(PkiPath::PrivateKey(name.clone()), PkiPath::RevokedKey(serial.clone()));
                changes.relocate(PkiPath::Request(name.clone()), PkiPath::RevokedRequest(serial));
            }
            remove_copies(&name, &mut changes);
        }
        Place::Renewed(name, successor) => {
            put_away(PkiPath::Renewed(name.clone()), archived, &name, successor, &mut changes);
        }
        Place::Expired(name, successor) => {
            put_away(PkiPath::Expired(name.clone()), archived, &name, successor, &mut changes);
        }
        Place::Archive => changes.create(archived, certificate.to_pem()),
    }
    Ok(RevocationProposal { certificate, revocation, archives_key, changes })
}

/// Takes a certificate that is revoked already out of the files of those that are not,
/// as where two branches have revoked and renewed it. `filed` is whether it lies among
/// the revoked ones, too.
pub fn file_away(target: Target, filed: bool) -> ChangeSet {
    let mut changes = ChangeSet::new();
    let from = match target.place {
        Place::Current(name) => PkiPath::Issued(name),
        Place::Renewed(name, _) => PkiPath::Renewed(name),
        Place::Expired(name, _) => PkiPath::Expired(name),
        Place::Archive => return changes,
    };
    if filed {
        changes.remove(from);
    } else {
        changes.relocate(from, PkiPath::RevokedCertificate(target.certificate.serial_number().to_hex()));
    }
    changes
}

fn put_away(
    from: PkiPath,
    archived: PkiPath,
    name: &EntryName,
    successor: Successor,
    changes: &mut ChangeSet,
) {
    changes.relocate(from, archived);
    if successor == Successor::None {
        remove_copies(name, changes);
    }
}

/// Removes what was made of a certificate and its key: exports and inline files.
/// A reserved name has none of its own.
pub(super) fn remove_copies(name: &EntryName, changes: &mut ChangeSet) {
    if name.is_reserved() {
        return;
    }
    for export in [PrivateExport::Pkcs12, PrivateExport::Pkcs8, PrivateExport::Pkcs1] {
        changes.remove(PkiPath::PrivateExport(name.clone(), export));
    }
    changes.remove(PkiPath::IssuedP7b(name.clone()));
    changes.remove(PkiPath::Inline(name.clone()));
    changes.remove(PkiPath::PrivateInline(name.clone()));
    changes.remove(PkiPath::PrivateInlineP12(name.clone()));
    changes.remove(PkiPath::Credentials(name.clone()));
}

impl RevocationProposal {
    /// What has to be recorded.
    pub fn into_changes(self) -> ChangeSet {
        self.changes
    }
}

#[cfg(test)]
mod tests;
