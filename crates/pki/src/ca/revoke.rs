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
    /// The name under which it is the current one, if it is.
    pub name: Option<EntryName>,
    /// The public key of the request filed under that name, if there is one.
    pub request_key: Option<PublicKey>,
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
/// The certificate moves to `revoked/certs_by_serial`, and so do key and request
/// of its name, unless the request is for another key: then both belong to the
/// certificate that is to come. Exports and inline files that hold the key are
/// removed, the PKCS#12 inline file that easy-rsa leaves behind included. The
/// CA's own key stays whatever a certificate is called.
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
    let Target { certificate, name, request_key } = target;
    let serial = certificate.serial_number().to_hex();
    let revocation = Revocation { at: now, reason };
    database.index.revoke(&serial, revocation)?;
    let mut changes = ChangeSet::new();
    database.index_changes(&mut changes);
    let archived = PkiPath::RevokedCertificate(serial.clone());
    let own_key = request_key.is_none_or(|key| key == *certificate.public_key());
    let archives_key = own_key && name.as_ref().is_some_and(|name| !name.is_reserved());
    match name {
        Some(name) if name.is_reserved() => changes.relocate(PkiPath::Issued(name), archived),
        Some(name) => {
            changes.relocate(PkiPath::Issued(name.clone()), archived);
            if archives_key {
                changes.relocate(PkiPath::PrivateKey(name.clone()), PkiPath::RevokedKey(serial.clone()));
                changes.relocate(PkiPath::Request(name.clone()), PkiPath::RevokedRequest(serial));
            }
            for export in [PrivateExport::Pkcs12, PrivateExport::Pkcs8, PrivateExport::Pkcs1] {
                changes.remove(PkiPath::PrivateExport(name.clone(), export));
            }
            changes.remove(PkiPath::IssuedP7b(name.clone()));
            changes.remove(PkiPath::Inline(name.clone()));
            changes.remove(PkiPath::PrivateInline(name.clone()));
            changes.remove(PkiPath::PrivateInlineP12(name));
        }
        None => changes.create(archived, certificate.to_pem()),
    }
    Ok(RevocationProposal { certificate, revocation, archives_key, changes })
}

impl RevocationProposal {
    /// What has to be recorded.
    pub fn into_changes(self) -> ChangeSet {
        self.changes
    }
}

#[cfg(test)]
mod tests;
