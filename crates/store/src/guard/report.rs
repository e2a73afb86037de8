// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the guard found, in values.

use certkeep_guard::Finding;

use crate::zone::{Epoch, ZoneName};

/// One breach at one place.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Where.
    pub place: Place,
    /// What.
    pub breach: Breach,
}

/// Where a blob stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The commit that brought it, as hex; `None` for the index and for objects
    /// that no commit reaches.
    pub commit: Option<String>,
    /// Its path from the repository's root, as git's bytes; empty for an object
    /// that nothing names.
    pub path: Vec<u8>,
    /// The blob's object id, as hex; where a message holds it, that of the commit or the tag.
    pub blob: String,
}

/// What is wrong.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Breach {
    /// Rule B: private key material.
    Material(Finding),
    /// Rule A: what stands under a protected path is not sealed.
    Unsealed {
        /// The zone whose rules protect the path.
        zone: ZoneName,
        /// What stands there.
        what: Unsealed,
        /// The private keys in it, if any, found as by rule B.
        findings: Vec<Finding>,
    },
    /// The plaintext of a file that is sealed elsewhere in this repository.
    Copied {
        /// The sealed file's path.
        from: Vec<u8>,
        /// The private keys in it, if any, found as by rule B.
        findings: Vec<Finding>,
    },
    /// A sealed file of HEAD under another path, which no zone keeps: nothing opens it
    /// there, and the next version of it would be plaintext.
    Moved {
        /// Its path in HEAD.
        from: Vec<u8>,
    },
    /// What was sealed at this path would be plaintext, by rules that no member
    /// vouches for.
    Opened {
        /// The private keys in it, if any, found as by rule B.
        findings: Vec<Finding>,
    },
    /// A change after which less is protected than before.
    Shrunk(Shrunk),
}

/// What stands under a protected path instead of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unsealed {
    /// Plaintext.
    Plaintext,
    /// A header of ours, but the bytes are not authentic.
    Altered,
    /// Sealed with a key that this repository does not know.
    ForeignKey,
    /// Ciphertext of another tool, such as git-crypt.
    OtherTool,
    /// A symbolic link.
    Symlink,
    /// A submodule.
    Submodule,
    /// Plaintext under a path that differs from a protected one in case alone,
    /// so that it is the protected one on a file system that ignores case.
    CaseVariant,
}

/// How a change makes less protected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Shrunk {
    /// `.gitattributes` or `info/attributes` no longer give a protected path
    /// our filter, or change its bytes.
    Attributes {
        /// The protected path that shows it.
        path: Vec<u8>,
        /// The attribute and what it resolves to, such as `filter: unset`.
        attribute: String,
    },
    /// The zones' rules protect a path no longer, and no member's MAC vouches
    /// for that.
    Rules {
        /// The path that lost its protection.
        path: Vec<u8>,
    },
    /// A branch of a server is to have another key of an epoch than it had first:
    /// whoever has seen that one refuses the other.
    Keys {
        /// The zone.
        zone: ZoneName,
        /// The epoch that was begun twice.
        epoch: Epoch,
        /// A commit that has the first key, as hex.
        first: String,
    },
    /// git is not told to run our filter (`filter.certkeep.*` is missing).
    Driver,
}

/// What a check looked at and found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What is wrong, in the order of commits and paths.
    pub hits: Vec<Hit>,
    /// What would be wrong but for an entry of the allow-list or an inline
    /// marker, with the reason given there.
    pub allowed: Vec<(Hit, String)>,
    /// Blobs looked at.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Commits walked.
    pub commits: u64,
}

impl Report {
    /// Adds what another check looked at and found.
    pub(super) fn add(&mut self, other: Self) {
        self.hits.extend(other.hits);
        self.allowed.extend(other.allowed);
        self.blobs += other.blobs;
        self.bytes += other.bytes;
        self.commits += other.commits;
    }
}

/// Whether a hit tells that rules have shrunk.
pub(super) fn is_about_rules(hit: &Hit) -> bool {
    matches!(hit.breach, Breach::Shrunk(Shrunk::Rules { .. }))
}

/// How far a long check has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Objects looked at.
    pub done: u64,
    /// Objects to look at, once it is known.
    pub total: Option<u64>,
    /// Bytes looked at.
    pub bytes: u64,
}
