// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be wrong with a store and with the git around it: facts, without a
//! word of what to do.

macro_rules! kinds {
    ($($(#[doc = $meaning:literal])+ $kind:ident,)*) => {
        /// What is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[doc = $meaning])+ $kind,)*
        }

        impl Kind {
            /// All of them, in the order in which they are looked for.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];
        }
    };
}

kinds! {
    /// A protected file is in the clear in a commit or in the index.
    PlaintextInGit,
    /// A private key in a commit or in the index, where no zone keeps it.
    KeyInGit,
    /// A private key in the work tree, in a file that no zone keeps and git does not ignore.
    KeyInWorkTree,
    /// An earlier commit has a protected file or a private key in the clear.
    SecretInHistory,
    /// Commits have private keys, and there is no store.
    KeysInPlainGit,
    /// The work tree has private keys that git does not ignore, and there is no store.
    KeysBesideGit,
    /// A sealed file was altered or cut off.
    Altered,
    /// A file is sealed with a key that is none of the store's.
    UnknownKey,
    /// Files are sealed with a key of an epoch that has ended.
    OldEpoch,
    /// A file is sealed by a newer certkeep.
    NewerFormat,
    /// A protected file is the ciphertext of another program.
    OtherTool,
    /// A sealed file that no zone keeps: nobody opens it.
    Misplaced,
    /// A symbolic link or a submodule in the place of a protected file or folder.
    Link,
    /// Others can read the plaintext of a protected file.
    PlaintextExposed,
    /// Others can enter a folder of secrets.
    FolderExposed,
    /// Others can read what certkeep keeps under git's directory.
    StateExposed,
    /// Others can read an identity file.
    IdentityExposed,
    /// A file of `.certkeep` cannot be read or understood.
    StoreDamaged,
    /// Not the store that this clone has seen, or an earlier state of it.
    StoreExchanged,
    /// A zone's description was written by no member.
    ZoneForged,
    /// A zone is described as it was before.
    ZoneEarlier,
    /// The keys of a zone are wrapped for nobody.
    ZoneShut,
    /// One member alone opens a zone, in a store of several.
    ZoneOfOne,
    /// A grant that no member gave.
    GrantForged,
    /// A grant of an earlier epoch.
    GrantOutdated,
    /// A grant for a name without a key.
    GrantWithoutMember,
    /// A grant, and the present keys are not wrapped for it.
    GrantWithoutWrap,
    /// The present keys are wrapped for somebody without a grant.
    WrapWithoutGrant,
    /// A member of no zone.
    MemberWithoutGrant,
    /// The file of a member holds no key, or another one than it says.
    MemberKey,
    /// An OpenPGP key has expired.
    OpenPgpExpired,
    /// An OpenPGP key expires within 30 days.
    OpenPgpExpiring,
    /// An OpenPGP key is revoked.
    OpenPgpRevoked,
    /// An OpenPGP key that nothing can be encrypted to, for another reason.
    OpenPgpUnusable,
    /// gpg has a newer form of an expiring, expired or revoked key.
    OpenPgpRenewed,
    /// This clone was never unlocked: git has no filter.
    NotSetUp,
    /// This clone was unlocked, and git has no filter now.
    DriverMissing,
    /// A setting is not as `unlock` makes it.
    DriverSetting,
    /// The program that git is to call is gone.
    DriverProgram,
    /// The settings are those of the user or the machine, not of this repository.
    DriverElsewhere,
    /// git does not ask the guard.
    HookMissing,
    /// A hook of ours is not executable.
    HookNotExecutable,
    /// A hook of ours is switched off.
    HookDisabled,
    /// Another hook stands there, which does not ask the guard.
    HookOther,
    /// git looks for hooks in a folder that is not this repository's.
    HooksHidden,
    /// Another program keeps the hooks, and does not ask the guard.
    HooksKept,
    /// `.gitattributes` has not the block of certkeep.
    BlockMissing,
    /// A block of certkeep is not what the store's rules make of it, or not at the end.
    BlockDiffers,
    /// `info/attributes` is not as `unlock` makes it.
    InfoDiffers,
    /// Attributes keep protected files away from the filter, or convert their bytes.
    AttributesShrink,
    /// Attributes keep protected files away from the merge driver.
    AttributesMerge,
    /// What this clone has seen of the store is gone.
    PinsMissing,
    /// What this clone has seen of the store cannot be read.
    PinsDamaged,
    /// The others have begun an epoch of a zone whose key this clone has not unlocked yet.
    KeyringBehind,
    /// The keys of this clone cannot be read.
    KeyringDamaged,
    /// An interrupted change is not completed yet, or has left something.
    ChangeUnfinished,
    /// A merge, a rebase or the like of git is under way.
    GitUnfinished,
    /// `sync` stopped half-way.
    SyncHalfway,
    /// A lock file of git's that is old.
    GitLocked,
    /// Something could not be looked at.
    Unreadable,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// Where: a path from the top of the work tree, a zone, a member, a setting.
    pub subject: String,
    /// The zone or the member that a command would be about, if it is about one.
    pub name: Option<String>,
    /// What was found, in a line without a final stop. Foreign text is not escaped.
    pub what: String,
}

impl Fault {
    pub(super) fn new(kind: Kind, subject: impl ToString, what: impl ToString) -> Self {
        Self { kind, subject: subject.to_string(), name: None, what: what.to_string() }
    }

    pub(super) fn about(self, name: impl ToString) -> Self {
        Self { name: Some(name.to_string()), ..self }
    }
}
