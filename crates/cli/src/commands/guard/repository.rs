// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fronts of a git repository: the index, a push, the history. Gathers what
//! the store finds, and joins it with the certificates of the PKI.

use std::{io::Read as _, path::Path, sync::Mutex};

use certkeep_pki::{
    layout::{PkiDirectory, PkiPath},
    moment::Moment,
};
use certkeep_store::{
    guard::{Breach, Guard, Hit, Progress, Reach, Report, Update},
    store::Store,
    vault::offered::remember_offered,
};

use super::{
    Args, Checked,
    owner::Owners,
    told::{Contents, Front, Level, Told},
};
use crate::{input, report::Failure, session::Session, terminal};

/// The longest list of references that git is believed to have, in bytes.
const LONGEST_LIST: u64 = 256 << 20;

/// Looks at what `front` means, and puts what was found into words.
pub(super) fn check(front: Front, args: &Args, session: &mut Session) -> Result<Checked, Failure> {
    let here = session.settings.machine.here.clone();
    let guard = Guard::from_environment()?.ok_or_else(|| Failure::no_repository(&here))?;
    let updates = updates(front, args)?;
    let report = {
        let progress = Mutex::new(session.terminal.progress("looking for private keys"));
        let watch = |far: Progress| {
            if let Ok(mut progress) = progress.lock() {
                progress.count(far.done, far.total);
            }
        };
        look(&guard, front, args, &updates, &watch)?
    };
    let mut owners = Owners::default();
    if report.hits.iter().chain(report.allowed.iter().map(|(hit, _)| hit)).any(may_have_an_owner) {
        gather(&guard, front, &updates, &mut owners, session);
    }
    let hits: Vec<&Hit> = report.hits.iter().collect();
    let (allowed, reasons): (Vec<&Hit>, Vec<String>) =
        report.allowed.iter().map(|(hit, reason)| (hit, reason.clone())).unzip();
    let told = |hits: &[&Hit]| told(&guard, hits, front, &owners, session.now);
    let found = told(&hits);
    if front == Front::Push && found.iter().all(|told| told.level < Level::Error) {
        remember_offered(&updates)?;
    }
    Ok(Checked {
        found,
        allowed: told(&allowed).into_iter().zip(reasons).collect(),
        unread: Vec::new(),
        blobs: report.blobs,
        bytes: report.bytes,
        commits: report.commits,
    })
}

/// Puts hits into words, with each blob read once for those that stand in it.
fn told(guard: &Guard, hits: &[&Hit], front: Front, owners: &Owners, now: Moment) -> Vec<Told> {
    let mut told = Vec::with_capacity(hits.len());
    for hits in hits.chunk_by(|one, next| one.place.blob == next.place.blob) {
        let blob = hits.iter().find(|hit| is_in_a_blob(hit)).map(|hit| hit.place.blob.as_str());
        let bytes = blob.and_then(|blob| guard.blob(blob).ok());
        let mut contents = bytes.as_deref().map(Contents::new);
        told.extend(hits.iter().map(|hit| {
            let contents = contents.as_mut().filter(|_| is_in_a_blob(hit));
            Told::of(hit, front, contents, owners, now)
        }));
    }
    told
}

/// The certificates of the PKI that this directory has, if it has one. One that
/// cannot be read tells nothing, and a key is none the less a key.
pub(super) fn owners_here(session: &mut Session) -> Owners {
    let mut owners = Owners::default();
    let pki = session.vault().ok().flatten().and_then(|vault| vault.pki());
    of_pki(pki.as_deref().unwrap_or(&session.settings.pki), &mut owners);
    owners
}

/// What git tells its hooks.
fn updates(front: Front, args: &Args) -> Result<Vec<Update>, Failure> {
    match (front, args.mode.receive.as_deref().unwrap_or_default()) {
        (Front::Push, _) => Ok(Update::of_pre_push(&standard_input()?)?),
        (Front::Receive, []) => Ok(Update::of_pre_receive(&standard_input()?)?),
        (Front::Receive, [name, old, new]) => Ok(vec![Update::of_update(name.as_bytes(), old, new)?]),
        (Front::Receive, _) => Err(Failure::not_a_hook("--receive", "nothing, or REF OLD NEW")),
        _ => Ok(Vec::new()),
    }
}

fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = terminal::standard_input()
        .and_then(|input| input.take(LONGEST_LIST + 1).read_to_end(&mut bytes).map(drop));
    read.map_err(|error| Failure::cannot_read("standard input", &error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST_LIST) {
        return Err(Failure::refused("the list of references on standard input does not end"));
    }
    Ok(bytes)
}

fn look(
    guard: &Guard,
    front: Front,
    args: &Args,
    updates: &[Update],
    watch: &(dyn Fn(Progress) + Sync),
) -> Result<Report, Failure> {
    Ok(match front {
        Front::Push => {
            let remote = args.mode.push.iter().flatten().next().map_or("", String::as_str);
            guard.push(updates, remote, watch)?
        }
        Front::Receive => guard.receive(updates, watch)?,
        Front::History => {
            guard.history(if args.all_objects { Reach::AllObjects } else { Reach::References }, watch)?
        }
        Front::Tree => guard.tree(args.mode.tree.as_deref().unwrap_or("HEAD"), watch)?,
        Front::Staged | Front::Files => guard.staged()?,
    })
}

/// Whether it stands in a blob, and may be a key there.
fn is_in_a_blob(hit: &Hit) -> bool {
    matches!(
        &hit.breach,
        Breach::Material(_) | Breach::Unsealed { .. } | Breach::Copied { .. } | Breach::Opened { .. }
    )
}

/// Whether it may be somebody's key.
fn may_have_an_owner(hit: &Hit) -> bool {
    match &hit.breach {
        Breach::Material(finding) => finding.public_key.is_some(),
        Breach::Unsealed { findings, .. } | Breach::Copied { findings, .. } | Breach::Opened { findings } => {
            findings.iter().any(|finding| finding.public_key.is_some())
        }
        _ => false,
    }
}

/// The certificates of the work tree's PKI, of HEAD, and of what is pushed here.
fn gather(guard: &Guard, front: Front, updates: &[Update], owners: &mut Owners, session: &mut Session) {
    if front != Front::Receive && !guard.is_bare() {
        *owners = owners_here(session);
    }
    let pushed =
        updates.iter().filter(|_| front == Front::Receive).filter_map(|update| update.new.as_deref());
    for revision in pushed.chain(["HEAD"]) {
        // A tag of a file has no tree, and a new repository no HEAD.
        let files = guard.files(revision, &|path| Owners::wants(path)).unwrap_or_default();
        owners.next_source();
        for (path, bytes) in files {
            owners.add(&path, &bytes);
        }
    }
}

fn of_pki(pki: &Path, owners: &mut Owners) {
    let Ok(store) = Store::open(pki) else { return };
    for path in [PkiPath::CaCertificate, PkiPath::Index] {
        if let Ok(Some(bytes)) = store.read(&path) {
            owners.add(&path.relative(), &bytes);
        }
    }
    for directory in
        [PkiDirectory::Issued, PkiDirectory::CertificatesBySerial, PkiDirectory::RevokedCertificates]
    {
        for name in store.list(directory).unwrap_or_default() {
            let path = format!("{}/{name}", directory.relative());
            if let Ok(bytes) = input::read_file(&pki.join(&path)) {
                owners.add(&path, &bytes);
            }
        }
    }
}
