// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why something could not be done with a store.
//!
//! long: one variant for each cause, with its words.

use thiserror::Error;

use crate::{
    driver::DriverError,
    durable::FileError,
    git::GitError,
    identity::IdentityError,
    keyring::KeyringError,
    manifest::{Distrust, LastRevision, ManifestError},
    member::MemberName,
    pins::PinError,
    read::ReadError,
    seal::{KeyId, SealError},
    transaction::{RecordError, RecoverError},
    worktree::WorkTreeError,
    wrap::WrapError,
    zone::{Epoch, ZoneName},
    zone_keys::ZoneKeysError,
};

/// One variant per cause.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VaultError {
    /// git could not do or tell something.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file of `.certkeep` cannot be understood.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The keyring cannot be read or written.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// What was seen of a zone before speaks against what it is now.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The filter could not be configured.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// Files could not be unlocked or locked.
    #[error(transparent)]
    WorkTree(#[from] WorkTreeError),
    /// Nothing was recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// An interrupted change could not be completed.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// A link where a file of the store belongs.
    #[error("{path} is a symbolic link")]
    Symlink {
        /// Relative to the top of the work tree.
        path: String,
    },
    /// No file of a store is so large.
    #[error("{path} is too large for a file of a store")]
    TooLarge {
        /// Relative to the top of the work tree.
        path: String,
    },
    /// There is a store already.
    #[error("{} is a store already", .0)]
    Exists(String),
    /// This clone has a store in other commits.
    #[error("{} has a store in commits that are not checked out", .0)]
    Elsewhere(String),
    /// A pattern that another zone has, or whose files another zone keeps.
    #[error("the zone `{zone}` has {} already", if pattern == by { format!("the pattern `{pattern}`") } else { format!("`{by}`, which takes all that `{pattern}` names") })]
    PatternTaken {
        /// The pattern that was to be added.
        pattern: String,
        /// The pattern that is in its way.
        by: String,
        /// The zone that has it.
        zone: ZoneName,
    },
    /// No rotation of this clone is to be forgotten.
    #[error("this clone has begun no epoch that the present commit does not have")]
    NothingToDiscard,
    /// A rotation that others have is no lost one.
    #[error(
        "{reference} has, or had, the epoch that the commit {} began, and no other one before it",
        commit.get(..10).unwrap_or(commit)
    )]
    Pushed {
        /// The commit, in hexadecimal digits.
        commit: String,
        /// Where a remote has it, such as `refs/remotes/origin/main`.
        reference: String,
        /// Whether that is a branch that others take for the shared one.
        shared: bool,
    },
    /// A rotation of this clone that was offered to a branch which others use.
    #[error("the key {key} of the zone `{zone}` was offered to {branch} of a remote: others may have it")]
    Offered {
        /// The zone.
        zone: ZoneName,
        /// The key of this clone's epoch.
        key: KeyId,
        /// The branch there, such as `refs/heads/main`.
        branch: String,
        /// The commit that began the epoch, in hexadecimal digits; empty if it is not known.
        commit: String,
    },
    /// A merge of two rotations took the side of the one that came later.
    #[error("{reference} had another key of the zone `{zone}` in epoch {epoch} before the one that is here")]
    OthersFirst {
        /// The zone.
        zone: ZoneName,
        /// The epoch that was begun twice.
        epoch: Epoch,
        /// Where a remote had it, such as `refs/remotes/origin/main`.
        reference: String,
        /// A commit that has it, in hexadecimal digits.
        commit: String,
    },
    /// Files that nobody could open any more.
    #[error(
        "a key of the zone `{zone}` that would go is still needed, and nothing here opens all that would seal the files anew"
    )]
    StillNeeded {
        /// The zone.
        zone: ZoneName,
        /// The files that it seals.
        paths: Vec<String>,
    },
    /// Who runs the command would not be able to open what it seals.
    #[error("whoever goes cannot make new keys for those who stay")]
    LeavesHimself,
    /// There is no such zone.
    #[error("there is no zone `{zone}`")]
    NoZone {
        /// The zone.
        zone: ZoneName,
    },
    /// There is no such member.
    #[error("there is no member `{member}`")]
    NoMember {
        /// The member.
        member: MemberName,
    },
    /// The name is taken.
    #[error("there is a member `{member}` with another key already")]
    MemberExists {
        /// The member.
        member: MemberName,
    },
    /// The key is another member's.
    #[error("that key is the one of the member `{member}` already")]
    KeyExists {
        /// The member.
        member: MemberName,
    },
    /// A zone that nobody could open any more.
    #[error("nobody but {} is a member of the zone `{zone}`", names(members))]
    LastMember {
        /// Who was to go.
        members: Vec<MemberName>,
        /// The zone.
        zone: ZoneName,
    },
    /// Nobody was named.
    #[error("a store needs at least one member")]
    NoRecipient,
    /// The repository holds no wrapped keys of the present epoch.
    #[error("the keys of the zone `{zone}` are wrapped for nobody")]
    NobodyCanOpen {
        /// The zone.
        zone: ZoneName,
    },
    /// No identity opens the zone.
    #[error("the zone `{zone}` could not be opened")]
    Identity {
        /// The zone.
        zone: ZoneName,
        /// What was tried.
        #[source]
        source: IdentityError,
    },
    /// The wrapped keys cannot be understood.
    #[error("the wrapped keys of the zone `{zone}` cannot be understood")]
    ZoneKeys {
        /// The zone.
        zone: ZoneName,
        /// Why.
        #[source]
        source: ZoneKeysError,
    },
    /// Somebody who is no member changed the zone.
    #[error("the zone `{zone}` cannot be trusted: {source}")]
    Distrust {
        /// The zone.
        zone: ZoneName,
        /// What is wrong.
        source: Distrust,
    },
    /// Nothing that a member wrote says what is to be protected.
    #[error("no zone of this store can be verified")]
    Unverified,
    /// The keys are not those that the zone's files were sealed with.
    #[error(
        "the keys of the zone `{zone}`, which this clone sees for the first time, do not open {}",
        if paths.len() == 1 { "one of its files" } else { "all of its files" }
    )]
    DoesNotOpen {
        /// The zone.
        zone: ZoneName,
        /// The files, relative to the top of the work tree.
        paths: Vec<String>,
    },
    /// A sealed file could not be opened.
    #[error("{path} could not be opened: {source}")]
    Open {
        /// Relative to the top of the work tree.
        path: String,
        /// Why.
        source: SealError,
    },
    /// Ciphertext where no rule expects it.
    #[error("{path} is sealed, but no zone keeps it")]
    OutOfPlace {
        /// Relative to the top of the work tree.
        path: String,
    },
    /// The user has staged changes that a change of the store would sweep along.
    #[error("{} protected {} staged and not committed yet", paths.len(), if paths.len() == 1 { "file is" } else { "files are" })]
    Staged {
        /// Relative to the top of the work tree.
        paths: Vec<String>,
    },
    /// Another work tree holds plaintext that is not to lie anywhere.
    #[error("{} protected {} in the clear in another work tree", paths.len(), if paths.len() == 1 { "file is" } else { "files are" })]
    InTheClear {
        /// With the path of that work tree in front.
        paths: Vec<String>,
    },
    /// Private keys where everybody may read.
    #[error("{} a private key under a name that is public", if paths.len() == 1 { "1 file holds".to_owned() } else { format!("{} files hold", paths.len()) })]
    KeysInPublic {
        /// Relative to the top of the work tree.
        paths: Vec<String>,
    },
    /// Nothing can be wrapped for a member.
    #[error("the keys could not be wrapped for `{member}`")]
    Wrap {
        /// The member.
        member: MemberName,
        /// Why.
        #[source]
        source: WrapError,
    },
    /// The key in a member's file is not the one that the grant is for.
    #[error("the key in the file of the member `{member}` is not the one that was granted")]
    KeyReplaced {
        /// The member.
        member: MemberName,
    },
    /// Grants that no member gave, or whose members have other keys now.
    #[error(
        "the grant{} of {} {} given by no member, or for another key",
        if members.len() == 1 { "" } else { "s" },
        names(members),
        if members.len() == 1 { "was" } else { "were" }
    )]
    Forged {
        /// Everybody of whom this can be told without asking for a key.
        members: Vec<MemberName>,
        /// Who was to go, forged or not.
        leaving: Vec<MemberName>,
    },
    /// Members whose grants have to be confirmed first.
    #[error("the grant of {} has to be confirmed by a member first", names(members))]
    Unconfirmed {
        /// The members.
        members: Vec<MemberName>,
    },
    /// There can be no further epoch.
    #[error("the zone `{zone}` has had its last epoch")]
    LastEpoch {
        /// The zone.
        zone: ZoneName,
    },
    /// A member has counted to the end of an epoch.
    #[error(transparent)]
    LastRevision(#[from] LastRevision),
    /// A name that neither `.gitattributes` nor `store.toml` could hold.
    #[error("the PKI folder `{}` cannot be kept in a store: of its name", .0.escape_debug())]
    PkiName(String),
    /// The PKI folder is not in the repository.
    #[error("the PKI {0} is not inside the repository")]
    PkiOutside(String),
    /// What was taken over from git-crypt cannot be.
    #[error("the git-crypt repository cannot be taken over: {0}")]
    GitCrypt(String),
}

fn names(members: &[MemberName]) -> String {
    members.iter().map(|member| format!("`{member}`")).collect::<Vec<_>>().join(", ")
}
