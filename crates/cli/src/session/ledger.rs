// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a change does, for the journal of the store: found by comparing what is about
//! to be written with what is there, so that no command can forget to say it.

use certkeep_pki::{
    change::{Change, ChangeSet, Contents},
    layout::{PkiDirectory, PkiPath},
    ledger,
    merge::check,
};
use certkeep_store::{event::Event, history::Message};

use super::Session;
use crate::report::Failure;

/// The folders in which the certificates of a PKI lie.
const FOLDERS: [PkiDirectory; 5] = [
    PkiDirectory::CertificatesBySerial,
    PkiDirectory::Issued,
    PkiDirectory::RevokedCertificates,
    PkiDirectory::Renewed,
    PkiDirectory::Expired,
];

impl Session {
    /// The message with what `changes` do. Where there is no store, nobody will read it.
    pub(super) fn with_deeds(&self, changes: &ChangeSet, message: &Message) -> Result<Message, Failure> {
        let before = self.read(&PkiPath::Index)?.unwrap_or_default();
        let mut after = None;
        let mut files = Vec::new();
        for change in changes.as_slice() {
            let (Change::Create(path, Contents::Public(bytes))
            | Change::Replace(path, Contents::Public(bytes))) = change
            else {
                continue;
            };
            if *path == PkiPath::Index {
                after = Some(bytes);
            } else if ledger::is_told(path) {
                files.push((path.clone(), bytes.clone()));
            }
        }
        self.told(&before, after.unwrap_or(&before), &files, message)
    }

    /// The message with everything that the PKI holds, all of which comes in at once.
    ///
    /// # Errors
    ///
    /// The PKI is there and cannot be read.
    pub fn with_everything(&self, message: &Message) -> Result<Message, Failure> {
        let mut files = Vec::new();
        let Ok(store) = self.store() else { return self.told(b"", b"", &files, message) };
        let mut paths = vec![PkiPath::CaCertificate, PkiPath::CrlPem, PkiPath::CrlDer];
        for folder in FOLDERS {
            let names = store.list(folder)?;
            paths.extend(
                names
                    .iter()
                    .filter_map(|name| check::certificate_at(&format!("{}/{name}", folder.relative()))),
            );
        }
        for path in paths {
            if let Some(bytes) = store.read(&path)? {
                files.push((path, bytes));
            }
        }
        let index = store.read(&PkiPath::Index)?.unwrap_or_default();
        self.told(b"", &index, &files, message)
    }

    fn told(
        &self,
        before: &[u8],
        after: &[u8],
        files: &[(PkiPath, Vec<u8>)],
        message: &Message,
    ) -> Result<Message, Failure> {
        let deeds = ledger::deeds(before, after, files)?;
        // A merge that is put right, a request, a passphrase: nothing that has to be proved.
        if deeds.is_empty() {
            return Ok(message.clone());
        }
        Ok(message.clone().with_event(Event {
            command: message.subject.clone(),
            actor: String::new(),
            when: self.now,
            lines: deeds.iter().map(ledger::Deed::to_line).collect(),
        }))
    }
}
