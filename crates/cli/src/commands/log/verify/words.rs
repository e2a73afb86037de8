// SPDX-License-Identifier: MIT OR Apache-2.0
//! What messages tell of certificates, against what their commits have and did.

use std::collections::{HashMap, HashSet};

use certkeep_pki::{
    index::Index,
    layout::{PkiPath, SerialHex},
    ledger::{Fingerprint, Named, text::shown},
    x509::certificate::Certificate,
};
use certkeep_store::chronicle::Commit;

use super::{
    super::trailers::Trailer,
    finding::{Finding, Kind},
    replay::Replay,
};
use crate::terminal::Safe;

/// What each commit did, by its number.
#[derive(Default)]
pub(super) struct Done<'a> {
    pub(super) brought: HashMap<(usize, Fingerprint), &'a Named>,
    pub(super) revoked: HashSet<(usize, &'a SerialHex)>,
}

/// A subject as a line of an event or a message holds it.
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

/// What a message tells of a certificate and its commit does not bear out. Squashes and
/// conflicts leave words in messages whose deeds another commit did: where an event names
/// the certificate, that tells of it.
pub(super) fn forged(
    replay: &Replay<'_>,
    events: &HashMap<Fingerprint, Named>,
    done: &Done<'_>,
    number: usize,
    commit: &Commit,
    trailer: &Trailer,
) -> Option<Finding> {
    let finding = |what: String| Some(Finding::of(Kind::TrailerForged, commit, what));
    if trailer.garbled {
        return finding(format!("`{}` names no certificate that could be looked for", trailer.command));
    }
    let named = trailer.named.as_ref()?;
    let brought = done.brought.get(&(number, named.fingerprint)).copied();
    let told = events.get(&named.fingerprint);
    let about = format!("`{}` names {}, {}", trailer.command, named.serial, shown(&named.fingerprint));
    let certificate = brought.cloned().or_else(|| find(replay, commit, named)).or_else(|| told.cloned());
    let Some(certificate) = certificate.filter(|one| one.serial == named.serial) else {
        return finding(format!("{about}, and the commit has no such certificate"));
    };
    let subject = &certificate.subject;
    if plain(subject) != plain(&named.subject) && Safe(subject).to_string().trim() != named.subject.trim() {
        return finding(format!("{about} as {}, and it is {subject}", named.subject));
    }
    if trailer.issues() && brought.is_none() && told.is_none() && !commit.cut {
        return finding(format!("{about}, and the commit does not bring it"));
    }
    let revoked =
        || done.revoked.contains(&(number, &named.serial)) || is_revoked(replay, commit, &named.serial);
    if trailer.revokes() && !revoked() {
        return finding(format!("{about}, and it is not revoked in this commit"));
    }
    None
}

/// The certificate that a message names, in the tree of its commit.
fn find(replay: &Replay<'_>, commit: &Commit, named: &Named) -> Option<Named> {
    let folder = replay.folder.as_deref()?;
    let mut places = vec![
        PkiPath::CertificateBySerial(named.serial.clone()).relative(),
        PkiPath::RevokedCertificate(named.serial.clone()).relative(),
        "ca.crt".to_owned(),
    ];
    // One that signed itself lies under its name alone.
    let name = named.subject.split(", ").find_map(|part| part.strip_prefix("CN="));
    places.extend(name.map(|name| format!("issued/{name}.crt")));
    places.into_iter().find_map(|place| {
        let blob = replay.chronicle.blob_at(&commit.tree, &format!("{folder}{place}")).ok()??;
        let all = Certificate::read_all(&replay.chronicle.bytes(&blob).ok()?).ok()?;
        all.iter().map(Named::of).find(|one| one.fingerprint == named.fingerprint)
    })
}

fn is_revoked(replay: &Replay<'_>, commit: &Commit, serial: &SerialHex) -> bool {
    let Some(folder) = replay.folder.as_deref() else { return false };
    let blob = replay.chronicle.blob_at(&commit.tree, &format!("{folder}index.txt")).ok().flatten();
    let index = blob.and_then(|blob| replay.chronicle.bytes(&blob).ok());
    let index = index.and_then(|bytes| Index::from_bytes(bytes).ok());
    index.is_some_and(|index| index.find(serial).is_some_and(|row| row.revocation().is_some()))
}
