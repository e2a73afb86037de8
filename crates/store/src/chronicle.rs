// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commits that HEAD leads to, what each of them changed, and who signed it; and
//! up to where this clone has proved them. Reads objects alone and needs no key.
//!
//! long: one handle, whose questions all end in git's objects.

mod memory;

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use certkeep_pki::moment::Moment;

pub use self::memory::Memory;
use crate::{
    event,
    git::{GitError, Objects, Oid},
    zone,
};

/// How git names a folder without anything in it.
const EMPTY: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const EMPTY_SHA256: &str = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321";

/// The folder of the event files, from the top of the work tree.
#[must_use]
pub fn events() -> String {
    format!("{}/{}", zone::FOLDER, event::FOLDER)
}

/// The file that makes a repository a store, from the top of the work tree.
#[must_use]
pub fn mark() -> String {
    format!("{}/store.toml", zone::FOLDER)
}

/// The history of a repository.
#[derive(Debug)]
pub struct Chronicle {
    objects: Objects,
    /// Commits whose parents a shallow clone lacks.
    cut: HashSet<String>,
}

/// A commit. Names of objects are hexadecimal digits, texts are foreign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its name.
    pub id: String,
    /// Its tree.
    pub tree: String,
    /// Its parents, as far as they are here.
    pub parents: Vec<String>,
    /// `Name <address>` of the author.
    pub author: String,
    /// When it was written.
    pub when: Moment,
    /// The whole message.
    pub message: String,
    /// Whether it has parents that a shallow clone lacks.
    pub cut: bool,
}

/// What a commit makes of one file; blobs by name, `None` where there is no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// From the top of the work tree.
    pub path: String,
    /// Before.
    pub before: Option<String>,
    /// Afterwards.
    pub after: Option<String>,
    /// Whether a link or a submodule is there afterwards.
    pub is_elsewhere: bool,
}

/// What git says of the signature of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The letter of git's `%G?`: `G` is good, `N` is none.
    pub verdict: char,
    /// Fingerprints of the key: its own, and that of the primary key.
    pub keys: Vec<String>,
    /// Who git says the signer is.
    pub signer: String,
}

impl Chronicle {
    /// The history of the repository that `directory` is in.
    ///
    /// # Errors
    ///
    /// The repository cannot be read.
    pub fn of(directory: &Path) -> Result<Option<Self>, GitError> {
        let existing = directory.ancestors().find(|ancestor| ancestor.is_dir());
        let Some(objects) = existing.map(Objects::discover).transpose()?.flatten() else { return Ok(None) };
        let shallow = objects.state().with_file_name("shallow");
        let cut = fs::read_to_string(shallow).unwrap_or_default().lines().map(str::to_owned).collect();
        Ok(Some(Self { objects, cut }))
    }

    /// The commit of HEAD, if there is one.
    ///
    /// # Errors
    ///
    /// HEAD cannot be read.
    pub fn head(&self) -> Result<Option<String>, GitError> {
        Ok(self.objects.head()?.map(|oid| oid.to_string()))
    }

    /// The full name of the branch; `HEAD` when it is detached.
    #[must_use]
    pub fn branch(&self) -> String {
        let said = self.objects.git(&["symbolic-ref", "-q", "HEAD"], &[], &[]);
        said.map_or_else(|_| "HEAD".to_owned(), |name| String::from_utf8_lossy(&name).trim().to_owned())
    }

    /// The reference of the upstream that this branch has, and where that was seen:
    /// now, and before, the youngest first.
    ///
    /// # Errors
    ///
    /// The reference cannot be read.
    pub fn upstream(&self) -> Result<Option<(String, Vec<String>)>, GitError> {
        let said = self.objects.git(&["rev-parse", "--symbolic-full-name", "@{upstream}"], &[], &[]);
        let Ok(name) = said else { return Ok(None) };
        let name = String::from_utf8_lossy(&name).trim().to_owned();
        let Ok(now) = self.revision(&name) else { return Ok(None) };
        let mut been = vec![now];
        been.extend(self.objects.reflog(&name)?.iter().map(ToString::to_string));
        Ok(Some((name, been)))
    }

    /// Whether some commits lack their parents here.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.objects.is_shallow()
    }

    /// Whether an object is here.
    #[must_use]
    pub fn is_here(&self, id: &str) -> bool {
        self.objects.oid(id).is_some_and(|oid| self.objects.holds(oid))
    }

    /// The names of all commits that `tip` leads to, and of itself.
    ///
    /// # Errors
    ///
    /// git cannot tell.
    pub fn ancestry(&self, tip: &str) -> Result<HashSet<String>, GitError> {
        let said = self.objects.git(&["rev-list", tip, "--"], &[], &[])?;
        Ok(String::from_utf8_lossy(&said).lines().map(str::to_owned).collect())
    }

    /// The commits that `tip` leads to, children first.
    ///
    /// # Errors
    ///
    /// One of them is missing or damaged.
    pub fn commits(&self, tip: &str) -> Result<Vec<Commit>, GitError> {
        let format = "--format=%H%n%T%n%P%n%an <%ae>%n%at%n%B";
        let words = ["log", "-z", "--topo-order", "--no-patch", "--no-show-signature", "--no-color", format];
        let output = self.objects.git(&[&words[..], &[tip, "--"]].concat(), &[], &[])?;
        let text = String::from_utf8_lossy(&output);
        Ok(text.split('\0').filter_map(|record| self.commit(record)).collect())
    }

    fn commit(&self, record: &str) -> Option<Commit> {
        let mut lines = record.splitn(6, '\n');
        let mut line = || lines.next();
        let (id, tree, parents) = (line()?.to_owned(), line()?.to_owned(), line()?);
        let parents = parents.split_whitespace().map(str::to_owned).collect();
        let author = line()?.to_owned();
        let seconds = line()?.parse::<i64>().ok().and_then(|seconds| u64::try_from(seconds).ok());
        let when = Moment::from_unix(seconds.unwrap_or_default()).or_else(|| Moment::from_unix(0))?;
        let message = line().unwrap_or_default().to_owned();
        let cut = self.cut.contains(&id);
        Some(Commit { id, tree, parents, author, when, message, cut })
    }

    /// What trees differ by at some paths: for each pair the one before, if there is
    /// one, and the one afterwards.
    ///
    /// # Errors
    ///
    /// One of them is missing or damaged.
    pub fn changes(
        &self,
        pairs: &[(Option<&str>, &str)],
        paths: &[&str],
    ) -> Result<Vec<Vec<Change>>, GitError> {
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let empty = if self.objects.is_sha1() { EMPTY } else { EMPTY_SHA256 };
        let input: String =
            pairs.iter().map(|(before, after)| format!("{} {after}\n", before.unwrap_or(empty))).collect();
        let words = ["diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--"];
        let paths: Vec<String> = paths.iter().map(|path| format!(":(top,literal){path}")).collect();
        let words: Vec<&str> = words.into_iter().chain(paths.iter().map(String::as_str)).collect();
        let output = self.objects.git(&words, &[], input.as_bytes())?;
        let mut all: Vec<Vec<Change>> = Vec::with_capacity(pairs.len());
        let mut rest = output.as_slice();
        while !rest.is_empty() {
            if rest.first() != Some(&b':') {
                all.push(Vec::new());
                rest = after(rest, b'\n').1;
                continue;
            }
            let (raw, behind) = after(rest, 0);
            let (path, behind) = after(behind, 0);
            rest = behind;
            let raw = String::from_utf8_lossy(raw);
            let words: Vec<&str> = raw.trim_start_matches(':').split(' ').collect();
            let blob = |mode: usize, object: usize| {
                let file = words.get(mode).is_some_and(|mode| mode.starts_with("100"));
                words.get(object).filter(|_| file).map(|object| (*object).to_owned())
            };
            let change = Change {
                path: String::from_utf8_lossy(path).into_owned(),
                before: blob(0, 2),
                after: blob(1, 3),
                is_elsewhere: words.get(1).is_some_and(|mode| *mode != "000000" && !mode.starts_with("100")),
            };
            if let Some(changes) = all.last_mut() {
                changes.push(change);
            }
        }
        Ok(all)
    }

    /// The blob that a tree has at a path.
    ///
    /// # Errors
    ///
    /// A tree is missing or damaged.
    pub fn blob_at(&self, tree: &str, path: &str) -> Result<Option<String>, GitError> {
        let names: Vec<&str> = path.split('/').collect();
        Ok(self.objects.entry(self.name(tree)?, &names)?.map(|(oid, _)| oid.to_string()))
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    ///
    /// It is missing, damaged, or no blob.
    pub fn bytes(&self, blob: &str) -> Result<Vec<u8>, GitError> {
        self.objects.blob(self.name(blob)?)
    }

    fn name(&self, id: &str) -> Result<Oid, GitError> {
        self.objects.oid(id).ok_or_else(|| GitError::Missing { oid: id.to_owned() })
    }

    /// What git says of the signatures of the commits that `tip` leads to, by commit.
    /// It asks gpg or ssh-keygen for each that has one.
    ///
    /// # Errors
    ///
    /// git cannot be run.
    pub fn signatures(&self, tip: &str) -> Result<HashMap<String, Signature>, GitError> {
        let format = "--format=%H%n%G?%n%GF%n%GP%n%GS";
        let words = ["log", "-z", "--no-patch", "--no-show-signature", "--no-color", format, tip, "--"];
        let output = self.objects.git(&words, &[], &[])?;
        let text = String::from_utf8_lossy(&output);
        let records = text.split('\0').filter_map(|record| {
            let mut lines = record.split('\n');
            let id = lines.next()?.to_owned();
            let verdict = lines.next()?.chars().next()?;
            let keys: Vec<String> = lines.by_ref().take(2).map(str::to_owned).collect();
            let keys = keys.into_iter().filter(|key| !key.is_empty()).collect();
            Some((id, Signature { verdict, keys, signer: lines.next().unwrap_or_default().to_owned() }))
        });
        Ok(records.collect())
    }

    /// A value of this clone's configuration, which nobody can push.
    ///
    /// # Errors
    ///
    /// The configuration cannot be read.
    pub fn config(&self, name: &str) -> Result<Option<String>, GitError> {
        self.objects.config(name)
    }

    /// All values of this clone's configuration for a name.
    #[must_use]
    pub fn config_all(&self, name: &str) -> Vec<String> {
        let said = self.objects.git(&["config", "--get-all", name], &[], &[]).unwrap_or_default();
        String::from_utf8_lossy(&said).lines().map(str::to_owned).collect()
    }

    /// Whether a text is the whole name of an object, which no tag or branch can take away.
    #[must_use]
    pub fn is_whole_name(&self, text: &str) -> bool {
        let length = if self.objects.is_sha1() { 40 } else { 64 };
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// The commit that a revision names.
    ///
    /// # Errors
    ///
    /// It names none.
    pub fn revision(&self, revision: &str) -> Result<String, GitError> {
        let named = self.objects.revision(&format!("{revision}^{{commit}}"))?;
        Ok(named.to_string())
    }

    /// Up to where this clone has proved its history.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn memory(&self) -> Result<Memory, GitError> {
        Memory::read(&self.objects.state())
    }

    /// Keeps that in mind.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn remember(&self, memory: &Memory) -> Result<(), GitError> {
        memory.write(&self.objects.state())
    }
}

/// What stands before a byte, and what behind it.
fn after(bytes: &[u8], end: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|&byte| byte == end) {
        Some(position) => {
            (bytes.get(..position).unwrap_or_default(), bytes.get(position + 1..).unwrap_or_default())
        }
        None => (bytes, &[]),
    }
}
