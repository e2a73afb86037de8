// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a blob is, whatever its path: sealed, somebody else's ciphertext,
//! plaintext, with which private keys in it. Each blob is looked at once.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use certkeep_guard::{Finding, detect};

use super::{Guard, GuardError, Progress, Watch, change::Change, judge};
use crate::{
    git::{GitError, Objects, Oid},
    git_crypt,
    keyring::Keyring,
    other_tools::other_tool,
    seal::{self, KeyId},
};

/// Fewer blobs than this are not worth another thread, which opens the
/// repository for itself.
const PER_THREAD: usize = 64;

/// A blob that was looked at.
#[derive(Debug, Clone)]
pub(super) struct Looked {
    pub(super) content: Content,
    /// By rule B.
    pub(super) findings: Vec<Finding>,
    /// The sealed blob whose plaintext this is.
    pub(super) copy_of: Option<Oid>,
    pub(super) size: u64,
}

/// What the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Empty,
    /// Sealed, and opened with a key of the keyring.
    Authentic,
    /// Sealed with a key that is not in the keyring.
    Sealed(KeyId),
    /// A header of ours before bytes that no key of ours made.
    Altered,
    /// git-crypt's, and no key that was taken over opens it.
    GitCrypt,
    OtherTool,
    Plaintext,
}

/// What was found out about many blobs. Most are plaintext with no key in it,
/// of which only the name is kept.
#[derive(Debug, Default)]
pub(super) struct Looks {
    remarkable: HashMap<Oid, Looked>,
    plain: HashSet<Oid>,
    pub(super) count: u64,
    pub(super) bytes: u64,
}

static PLAIN: Looked = Looked { content: Content::Plaintext, findings: Vec::new(), copy_of: None, size: 0 };

impl Looks {
    pub(super) fn add(&mut self, oid: Oid, looked: Looked) {
        let plain =
            looked.content == Content::Plaintext && looked.findings.is_empty() && looked.copy_of.is_none();
        let size = looked.size;
        let new = if plain { self.plain.insert(oid) } else { self.remarkable.insert(oid, looked).is_none() };
        if new {
            self.count += 1;
            self.bytes += size;
        }
    }

    /// What was found out about a blob; `None` if nobody looked at it.
    pub(super) fn find(&self, oid: Oid) -> Option<&Looked> {
        self.remarkable.get(&oid).or_else(|| self.plain.contains(&oid).then_some(&PLAIN))
    }

    /// What was found out about a blob, which must be there.
    pub(super) fn get(&self, oid: Oid) -> Result<&Looked, GitError> {
        self.find(oid).ok_or_else(|| GitError::Missing { oid: oid.to_string() })
    }

    /// The blobs that are anything else than plaintext without a key.
    pub(super) fn remarkable(&self) -> impl Iterator<Item = Oid> {
        self.remarkable.keys().copied()
    }
}

/// The sealed blobs of a commit, among which a plaintext is looked for.
#[derive(Debug, Default)]
pub(super) struct SealedBlobs {
    blobs: HashSet<Oid>,
    sizes: HashSet<u64>,
}

impl SealedBlobs {
    pub(super) fn add(&mut self, blob: Oid, size: u64) {
        self.blobs.insert(blob);
        self.sizes.insert(size);
    }

    fn original(&self, bytes: &[u8], keyring: &Keyring, objects: &Objects) -> Option<Oid> {
        let forms = keyring
            .sealed_forms(bytes, |size| u64::try_from(size).is_ok_and(|size| self.sizes.contains(&size)));
        let mut hashes = forms.filter_map(|form| objects.hash_blob(&form).ok());
        hashes.find(|hash| self.blobs.contains(hash))
    }
}

/// Looks at the bytes of one blob.
pub(super) fn look_at(bytes: &[u8], keyring: Option<&Keyring>) -> Looked {
    let content = content(bytes, keyring);
    // What is authentic is not read any further: it is ciphertext all through.
    let hidden = matches!(content, Content::Empty | Content::Authentic);
    let findings = if hidden { Vec::new() } else { detect(bytes) };
    Looked { content, findings, copy_of: None, size: u64::try_from(bytes.len()).unwrap_or(u64::MAX) }
}

pub(super) fn content(bytes: &[u8], keyring: Option<&Keyring>) -> Content {
    if bytes.is_empty() {
        return Content::Empty;
    }
    let opened = || keyring.map_or(Ok(None), |keyring| keyring.open(bytes));
    if bytes.starts_with(git_crypt::MAGIC) {
        return if matches!(opened(), Ok(Some(_))) { Content::Authentic } else { Content::GitCrypt };
    }
    match seal::key_id(bytes) {
        Ok(Some(id)) => match opened() {
            Ok(Some(_)) => Content::Authentic,
            Ok(None) => Content::Sealed(id),
            Err(_) => Content::Altered,
        },
        Ok(None) if other_tool(bytes).is_some() => Content::OtherTool,
        Ok(None) => Content::Plaintext,
        // A newer format too: nobody here can tell what it is.
        Err(_) => Content::Altered,
    }
}

impl Guard {
    /// Looks at blobs, with more than one thread if there are many.
    ///
    /// They are those that `changes` bring and those that stand `alone`. One that
    /// is too large is told by its path before anything is read.
    pub(super) fn look(
        &self,
        changes: &[Change],
        alone: &[Oid],
        sealed: &SealedBlobs,
        watch: Watch<'_>,
    ) -> Result<Looks, GuardError> {
        let entries = changes.iter().flat_map(|change| &change.entries).map(|changed| &changed.entry);
        let mut entries = entries.filter(|entry| judge::has_blob(entry));
        let mut blobs: BTreeSet<_> = entries.clone().map(|entry| entry.oid).collect();
        blobs.extend(alone);
        let blobs: Vec<_> = blobs.into_iter().collect();
        if let Some((oid, bytes)) = self.objects.too_large(&blobs)? {
            let path = entries.find(|entry| entry.oid == oid).map(|entry| entry.path.clone());
            return Err(GuardError::TooLarge {
                path: path.unwrap_or_default(),
                blob: oid.to_string(),
                bytes,
            });
        }
        let (done, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        let (total, keyring) = (u64::try_from(blobs.len()).ok(), self.keyring.as_ref());
        let part = |objects: &Objects, blobs: &[Oid]| -> Result<Vec<(Oid, Looked)>, GuardError> {
            let empty = objects.hash_blob(b"")?;
            let mut found = Vec::with_capacity(blobs.len());
            for &oid in blobs {
                // git knows the empty blob without having it.
                let blob = if oid == empty { Vec::new() } else { objects.blob(oid)? };
                let mut looked = look_at(&blob, keyring);
                if let (Content::Plaintext, Some(keyring)) = (looked.content, keyring) {
                    looked.copy_of = sealed.original(&blob, keyring, objects);
                }
                let bytes = bytes.fetch_add(looked.size, Ordering::Relaxed) + looked.size;
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                watch(Progress { done, total, bytes });
                found.push((oid, looked));
            }
            Ok(found)
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = blobs.len().div_ceil(threads).max(PER_THREAD);
        let mut shares = blobs.chunks(share);
        let first = shares.next().unwrap_or_default();
        let found = thread::scope(|scope| {
            let mut others = Vec::new();
            for share in shares {
                let (objects, part) = (self.objects.reopen()?, &part);
                others.push(scope.spawn(move || part(&objects, share)));
            }
            let mut found = part(&self.objects, first);
            for other in others {
                let other = other.join().expect("it does not panic");
                found = found.and_then(|mut found| {
                    found.extend(other?);
                    Ok(found)
                });
            }
            found
        });
        let mut looks = Looks::default();
        for (oid, looked) in found? {
            looks.add(oid, looked);
        }
        Ok(looks)
    }
}
