// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads everything that the inventory is made of: the index, every certificate
//! file once, the CRL, and of keys and requests the first bytes.
//!
//! On a few threads, for most of the time is the system's, opening files. A copy
//! in `certs_by_serial` is compared and not parsed again. A file that cannot be
//! read is no failure: it is listed as one.

use std::{collections::HashMap, thread};

use certkeep_pki::{
    inventory::{self, Contents, Facts, Folder, Found, Kept},
    layout::{PkiDirectory, PkiPath},
    x509::crl::Crl,
};
use certkeep_store::survey::{Buffer, Folder as Opened, Survey};

use crate::{
    lookup,
    report::{
        Failure,
        list::{CrlDates, Listing},
    },
    session::Session,
    terminal::Safe,
};

/// The most threads that read; a disk answers no faster to more.
const THREADS: usize = 8;

/// The folders whose certificates are parsed, and the extensions of their files.
pub(in crate::commands) const FOLDERS: [(PkiDirectory, Folder, &[&str]); 5] = [
    (PkiDirectory::Issued, Folder::Issued, &[".crt"]),
    (PkiDirectory::Renewed, Folder::Renewed, &[".crt"]),
    (PkiDirectory::Expired, Folder::PutAside, &[".crt"]),
    (PkiDirectory::RevokedCertificates, Folder::Revoked, &[".crt", ".pem"]),
    (PkiDirectory::RenewedCertificates, Folder::RenewedBySerial, &[".crt", ".pem"]),
];

/// The folder of copies.
pub(in crate::commands) const ARCHIVE: (PkiDirectory, Folder, &[&str]) =
    (PkiDirectory::CertificatesBySerial, Folder::Archive, &[".pem"]);

/// The folders of keys and requests.
const SECRETS: [(PkiDirectory, &str); 6] = [
    (PkiDirectory::Private, ".key"),
    (PkiDirectory::Requests, ".req"),
    (PkiDirectory::RevokedKeys, ".key"),
    (PkiDirectory::RevokedRequests, ".req"),
    (PkiDirectory::RenewedKeys, ".key"),
    (PkiDirectory::RenewedRequests, ".req"),
];

/// Everything that is listed.
pub(super) fn listing(session: &mut Session) -> Result<Listing, Failure> {
    let index = lookup::index(session)?;
    let authorities = session.read(&PkiPath::CaCertificate)?;
    let crl = session.read(&PkiPath::CrlPem)?;
    let survey = session.store()?.survey()?;
    let mut found = authorities.as_deref().map(read_authorities).unwrap_or_default();
    found.extend(certificates(&survey)?);
    let secrets = secrets(&survey)?;
    let inventory = inventory::join(index.as_ref(), found, session.now, &|path| secrets.kept(path));
    let crl = match crl.map(|bytes| Crl::read(&bytes)) {
        None => None,
        Some(Ok(crl)) => Some(CrlDates { this_update: crl.this_update(), next_update: crl.next_update() }),
        Some(Err(error)) => {
            session.terminal.warning(format_args!("{}: {}", PkiPath::CrlPem, Safe(error)));
            None
        }
    };
    Ok(Listing { inventory, crl, pki: session.settings.pki.display().to_string() })
}

/// The certificates of `ca.crt`: the CA's, and its chain.
fn read_authorities(file: &[u8]) -> Vec<Found> {
    let found = |contents| Found { folder: Folder::Authority, file: "ca.crt".to_owned(), contents };
    match Facts::read_all(file) {
        Ok(all) => all.into_iter().map(|facts| found(Contents::Certificate(Box::new(facts)))).collect(),
        Err(error) => vec![found(Contents::Unreadable(error.to_string()))],
    }
}

fn certificates(survey: &Survey) -> Result<Vec<Found>, Failure> {
    let archive = survey.open(PkiDirectory::CertificatesBySerial)?;
    let mut opened = Vec::with_capacity(FOLDERS.len());
    for (directory, folder, extensions) in FOLDERS {
        opened.push((survey.open(directory)?, folder, survey.list(directory)?, extensions));
    }
    let mut files = Vec::new();
    for (place, folder, listed, extensions) in &mut opened {
        let wanted = std::mem::take(listed).into_iter();
        let wanted = wanted.filter(|file| extensions.iter().any(|end| file.ends_with(end)));
        files.extend(wanted.map(|file| (&*place, *folder, file)));
    }
    let read = each(files, |buffers: &mut Buffers, (place, folder, file)| {
        certificate(place, folder, file, Some(&archive), buffers)
    });
    let mut compared: HashMap<String, Found> = HashMap::with_capacity(read.len());
    let mut found = Vec::with_capacity(2 * read.len());
    for (one, copy) in read.into_iter().flatten() {
        compared.extend(copy.map(|copy| (copy.file.clone(), copy)));
        found.push(one);
    }
    // What is left has no other file, or a different one.
    let archived = survey.list(PkiDirectory::CertificatesBySerial)?;
    let rest = archived.into_iter().filter(|file| file.ends_with(".pem") && !compared.contains_key(file));
    let read = each(rest.collect(), |buffers: &mut Buffers, file| {
        certificate(&archive, Folder::Archive, file, None, buffers)
    });
    found.extend(compared.into_values());
    found.extend(read.into_iter().flatten().map(|(one, _)| one));
    Ok(found)
}

/// What a thread reads to, again and again.
#[derive(Default)]
struct Buffers {
    file: Buffer,
    copy: Buffer,
}

/// What is in a certificate file, and its copy in the archive if that is the very
/// same. `None` if the file has gone meanwhile.
fn certificate(
    place: &Opened<'_>,
    folder: Folder,
    file: String,
    archive: Option<&Opened<'_>>,
    buffers: &mut Buffers,
) -> Option<(Found, Option<Found>)> {
    match place.read(&file, &mut buffers.file) {
        Ok(true) => {}
        Ok(false) => return None,
        Err(error) => {
            let contents = Contents::Unreadable(error.to_string());
            return Some((Found { folder, file, contents }, None));
        }
    }
    let facts = match Facts::read(buffers.file.as_bytes()) {
        Ok(facts) => facts,
        Err(error) => {
            let contents = Contents::Unreadable(error.to_string());
            return Some((Found { folder, file, contents }, None));
        }
    };
    let copy = archive.and_then(|archive| {
        let copy = format!("{}.pem", facts.serial);
        let is_there = archive.read(&copy, &mut buffers.copy).is_ok_and(|there| there);
        (is_there && buffers.copy.as_bytes() == buffers.file.as_bytes()).then_some(copy)
    });
    let contents = Contents::CopyOf(facts.sha256);
    let copy = copy.map(|file| Found { folder: Folder::Archive, file, contents });
    Some((Found { folder, file, contents: Contents::Certificate(Box::new(facts)) }, copy))
}

/// How every key and request lies: of each directory the files in order.
struct Secrets(Vec<(&'static str, Vec<(String, Kept)>)>);

impl Secrets {
    /// That of a path relative to the PKI directory.
    fn kept(&self, path: &str) -> Kept {
        let find = || {
            let (folder, file) = path.rsplit_once('/')?;
            let (_, files) = self.0.iter().find(|(directory, _)| *directory == folder)?;
            let at = files.binary_search_by(|(name, _)| name.as_str().cmp(file)).ok()?;
            files.get(at).map(|(_, kept)| kept.clone())
        };
        find().unwrap_or(Kept::Absent)
    }
}

fn secrets(survey: &Survey) -> Result<Secrets, Failure> {
    let mut secrets = Vec::with_capacity(SECRETS.len());
    for (directory, extension) in SECRETS {
        let opened = survey.open(directory)?;
        let files = survey.list(directory)?.into_iter().filter(|file| file.ends_with(extension));
        let kept = each(files.collect(), |(): &mut (), file: String| {
            let kept = opened.kept(&file)?;
            Some((file, kept))
        });
        secrets.push((directory.relative(), kept.into_iter().flatten().collect()));
    }
    Ok(Secrets(secrets))
}

/// Does something with each of many things, on a few threads, in order. Each thread
/// has something of its own to do it with.
pub(in crate::commands) fn each<T: Send, R: Send, O: Default>(
    things: Vec<T>,
    work: impl Fn(&mut O, T) -> R + Sync,
) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let share = things.len().div_ceil(threads).max(1);
    // A thread costs more than a few files.
    if threads == 1 || things.len() < 64 {
        let mut own = O::default();
        return things.into_iter().map(|thing| work(&mut own, thing)).collect();
    }
    let mut shares = Vec::with_capacity(threads);
    let mut rest = things;
    while rest.len() > share {
        let later = rest.split_off(share);
        shares.push(std::mem::replace(&mut rest, later));
    }
    shares.push(rest);
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = shares
            .into_iter()
            .map(|share| {
                scope.spawn(move || {
                    let mut own = O::default();
                    share.into_iter().map(|thing| work(&mut own, thing)).collect::<Vec<R>>()
                })
            })
            .collect();
        let done = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        done.flatten().collect()
    })
}
