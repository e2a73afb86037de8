// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads everything that the doctor looks at. Keys and requests are read where
//! they lie in the clear; nothing is opened for it, and nobody is asked.

use certkeep_pki::{
    doctor::{Books, CertificateFile, Evidence, KeyFile, KeyState, Unreadable},
    inventory::Kept,
    key::{LoadError, PrivateKey, PublicKey, Signer as _},
    layout::{PkiDirectory, PkiPath},
    x509::{certificate::Certificate, request::Request},
};
use certkeep_store::{
    read::ReadError,
    survey::{Buffer, Folder, Survey},
};

use super::super::list::gather::{ARCHIVE, FOLDERS, each};
use crate::{report::Failure, session::Session};

/// The folders of keys and of requests; the flag says whether files are named after
/// serial numbers there.
const KEYS: [(PkiDirectory, bool); 3] =
    [(PkiDirectory::Private, false), (PkiDirectory::RevokedKeys, true), (PkiDirectory::RenewedKeys, true)];
const REQUESTS: [(PkiDirectory, bool); 3] = [
    (PkiDirectory::Requests, false),
    (PkiDirectory::RevokedRequests, true),
    (PkiDirectory::RenewedRequests, true),
];

/// OpenVPN's own key, which lies among the others (easy-rsa 3.2: gen-tls-auth-key).
const OPENVPN_KEY: &str = "easyrsa-tls.key";

/// What the doctor looks at, and what he cannot look at.
pub(super) struct Gathered {
    pub(super) evidence: Evidence,
    pub(super) skipped: Vec<String>,
    /// Why a file of the CA's books cannot be read: nothing may be decided without it.
    pub(super) unread: Option<Failure>,
}

/// As [`gather`], for whoever is to mend it.
///
/// # Errors
///
/// As [`gather`]; and a file of the CA's books that cannot be read.
pub(super) fn gather_all(session: &Session) -> Result<Evidence, Failure> {
    let gathered = gather(session)?;
    gathered.unread.map_or(Ok(gathered.evidence), Err)
}

/// Reads it all. A file that cannot be read is no failure: it is told.
pub(super) fn gather(session: &Session) -> Result<Gathered, Failure> {
    let survey = session.store()?.survey()?;
    let mut skipped = Vec::new();
    let mut unread = None;
    let store = session.store()?;
    let mut read = |path: PkiPath| match store.read_at_once(&path) {
        Ok(bytes) => Ok(bytes),
        Err(
            error @ (ReadError::Directory { .. } | ReadError::NoFile { .. } | ReadError::TooLarge { .. }),
        ) => {
            skipped.push(error.to_string());
            unread.get_or_insert(Failure::from(error));
            // Something is there, and nothing can be read in it.
            Ok(Some(Vec::new()))
        }
        Err(error) => Err(Failure::from(error)),
    };
    let authority = read(PkiPath::CaCertificate)?;
    let committed =
        session.committed(&PkiPath::CaCertificate)?.filter(|other| Some(other) == authority.as_ref());
    let books = Books {
        index: read(PkiPath::Index)?,
        index_old: read(PkiPath::IndexOld)?,
        index_committed: committed.and(session.committed(&PkiPath::Index)?),
        attributes: read(PkiPath::IndexAttributes)?,
        serial: read(PkiPath::Serial)?,
        crl_number: read(PkiPath::CrlNumber)?,
        crl: read(PkiPath::CrlPem)?,
        crl_der: read(PkiPath::CrlDer)?,
        authority,
    };
    // In an encrypted store its own checks look at modes: what is sealed may be open.
    let exposed = if session.is_kept()? { Vec::new() } else { survey.exposed()? };
    let evidence = Evidence {
        now: session.now,
        numbering: session.serial_mode(),
        books,
        certificates: certificates(&survey)?,
        keys: files(&survey, KEYS, ".key", &key_of, &mut skipped)?,
        requests: files(&survey, REQUESTS, ".req", &requested, &mut skipped)?,
        exposed,
        stale_lock: survey.has_stale_lock(),
        leftovers: survey.leftovers()?,
        self_signed: session.exists(&PkiPath::PeerFingerprintMode)?,
    };
    Ok(Gathered { evidence, skipped, unread })
}

fn certificates(survey: &Survey) -> Result<Vec<CertificateFile>, Failure> {
    let mut opened = Vec::new();
    for (directory, folder, extensions) in FOLDERS.into_iter().chain([ARCHIVE]) {
        let mut listed = survey.list(directory)?;
        listed.retain(|file| extensions.iter().any(|end| file.ends_with(end)));
        opened.push((survey.open(directory)?, folder, listed));
    }
    let files = opened
        .iter()
        .flat_map(|(place, folder, listed)| listed.iter().map(move |file| (place, *folder, file.clone())));
    let read = each(files.collect(), |buffer: &mut Buffer, (place, folder, file)| {
        let read = match place.read(&file, buffer) {
            Ok(true) => Certificate::read(buffer.as_bytes()).map(Box::new).map_err(Unreadable::Certificate),
            Ok(false) => return None,
            Err(error) => Err(Unreadable::File(error.to_string())),
        };
        Some(CertificateFile { folder, file, read })
    });
    Ok(read.into_iter().flatten().collect())
}

fn files(
    survey: &Survey,
    folders: [(PkiDirectory, bool); 3],
    extension: &str,
    tells: &(dyn Fn(&Folder<'_>, &str) -> KeyState + Sync),
    skipped: &mut Vec<String>,
) -> Result<Vec<KeyFile>, Failure> {
    let mut opened = Vec::new();
    for (directory, by_serial) in folders {
        let listed = survey.list(directory)?.into_iter().filter(|file| file != OPENVPN_KEY);
        let named = listed.filter_map(|file| Some((file.strip_suffix(extension)?.to_owned(), file)));
        opened.push((survey.open(directory)?, directory, by_serial, named.collect::<Vec<_>>()));
    }
    let files = opened.iter().flat_map(|(place, directory, by_serial, named)| {
        named.iter().map(move |(name, file)| (place, directory, *by_serial, name.clone(), file))
    });
    let read = each(files.collect(), |(): &mut (), (place, directory, by_serial, name, file)| {
        let state = match place.kept(file) {
            None => return None,
            Some(Kept::Plaintext) => tells(place, file),
            Some(Kept::Empty) => KeyState::Unreadable("the file is empty".to_owned()),
            Some(_) => KeyState::Closed,
        };
        Some(KeyFile { path: format!("{}/{file}", directory.relative()), name, by_serial, state })
    });
    let read: Vec<KeyFile> = read.into_iter().flatten().collect();
    let closed = read.iter().filter(|file| matches!(file.state, KeyState::Closed)).count();
    if closed > 0 {
        let plural = if closed == 1 { "" } else { "s" };
        skipped.push(format!("{closed} {extension} file{plural}, sealed or under a passphrase"));
    }
    Ok(read)
}

fn key_of(place: &Folder<'_>, file: &str) -> KeyState {
    match place.read_secret(file) {
        Ok(None) | Err(_) => KeyState::Closed,
        Ok(Some(bytes)) => match PrivateKey::load(&bytes, None) {
            Ok(key) => KeyState::Read(Box::new(key.public_key().clone())),
            // A key that somebody else can read.
            Err(LoadError::PassphraseNeeded | LoadError::Unsupported(_)) => KeyState::Closed,
            Err(error) => KeyState::Unreadable(error.to_string()),
        },
    }
}

fn requested(place: &Folder<'_>, file: &str) -> KeyState {
    let read = |key: &PublicKey| KeyState::Read(Box::new(key.clone()));
    match place.read_secret(file) {
        Ok(None) | Err(_) => KeyState::Closed,
        Ok(Some(bytes)) => match Request::read(bytes.expose()) {
            Ok(request) => read(request.public_key()),
            Err(error) => KeyState::Unreadable(error.to_string()),
        },
    }
}
