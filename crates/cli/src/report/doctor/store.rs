// SPDX-License-Identifier: MIT OR Apache-2.0
//! The checks of a store and of the git around it: one table. NAME stands for the
//! member or the zone that a finding is about, or for the path.
//!
//! long: a line for each check, and no logic.

use std::path::Path;

use certkeep_pki::doctor::Severity::{Error, Note, Warning};
use certkeep_store::vault::health::{Fault, Kind};

use super::{Row, Told};

const FIX: &[&str] = &["certkeep doctor --fix"];
const UNLOCK: &[&str] = &["certkeep unlock"];
const REFRESH: &[&str] = &["certkeep member refresh NAME"];
const ROTATE: &[&str] = &["certkeep store rotate --zone=NAME"];
const LOOK: &str = "look who it was: git log -p -- .certkeep";

macro_rules! rows {
    ($($kind:ident $id:literal $severity:ident $fix:ident $mend:expr, $meaning:literal;)*) => {
        fn row(kind: Kind) -> Row {
            match kind {
                $(Kind::$kind => Row {
                    id: $id,
                    severity: $severity,
                    meaning: $meaning,
                    mend: $mend,
                    fix: $fix,
                },)*
            }
        }
    };
}

const SAFE: bool = true;
const MANUAL: bool = false;

rows! {
    // What git has.
    PlaintextInGit "plaintext-in-git" Error MANUAL
        &["certkeep unlock, then git add --renormalize PATH, and commit", "if it was ever pushed, the key is compromised: certkeep revoke-issued NAME keyCompromise"],
        "a file that is to be sealed is in the clear in a commit or in the index: whoever has the repository reads it";
    KeyInGit "key-in-git" Error MANUAL
        &["git rm --cached PATH, or certkeep store protect PATH", "if it was ever pushed, the key is compromised: certkeep revoke-issued NAME keyCompromise"],
        "git has a private key where no zone keeps it: whoever has the repository reads it";
    KeyInWorkTree "key-in-work-tree" Warning MANUAL
        &["certkeep store protect PATH, or name it in .gitignore, or move it out of the repository"],
        "a private key lies where the next `git add` takes it as it is";
    SecretInHistory "secret-in-history" Warning MANUAL
        &["treat the key as compromised: certkeep revoke-issued NAME keyCompromise, then issue anew"],
        "an earlier commit has a secret in the clear, and nothing takes it back";
    KeysInPlainGit "keys-in-plain-git" Error MANUAL
        &["certkeep store init", "if they were ever pushed, they are compromised: revoke and issue anew"],
        "git has private keys in the clear, and no store seals them: whoever has the repository reads them";
    KeysBesideGit "keys-beside-git" Warning MANUAL
        &["certkeep store init, or name them in .gitignore"],
        "private keys lie in a git repository without a store, where the next `git add` takes them as they are";
    Altered "sealed-altered" Error MANUAL
        &["put back the last good version: git log -- PATH, then git restore --source=COMMIT PATH"],
        "a sealed file was altered or cut off since it was sealed: nobody can open it";
    UnknownKey "sealed-unknown-key" Error MANUAL
        &["git log -p -- PATH", "where two rotations were merged: certkeep unlock --discard-rotation"],
        "a file is sealed with a key that is none of its zone's: no member can open it";
    OldEpoch "sealed-old-epoch" Warning MANUAL ROTATE,
        "files are sealed with an earlier key, as merges leave them: a former member who has that key opens them";
    NewerFormat "sealed-newer" Warning MANUAL
        &["install a newer certkeep"],
        "a file was sealed by a newer certkeep, which this one cannot open";
    OtherTool "sealed-by-another-tool" Warning MANUAL
        &["open it with that program, then git add --renormalize PATH, and commit"],
        "a file is the ciphertext of another program, whose keys no member is known to have";
    Misplaced "sealed-unprotected" Warning MANUAL
        &["certkeep store protect PATH, then certkeep store unprotect PATH if it is to be in the clear"],
        "a sealed file that no zone keeps: nobody opens it, not even in an unlocked clone";
    Link "link-in-place" Error MANUAL
        &["replace the link by the file or folder that it stands for"],
        "a symbolic link or submodule in the place of what is protected: no filter seals what lies behind it";

    // Who can read it here.
    PlaintextExposed "plaintext-exposed" Warning SAFE FIX,
        "others on this machine can read a protected file that is in the clear";
    FolderExposed "secret-folder-open" Warning SAFE FIX,
        "others on this machine can enter a folder of secrets, and read what git writes there";
    StateExposed "clone-state-exposed" Error SAFE FIX,
        "others on this machine can read what certkeep keeps under .git, possibly the keys of the zones";
    IdentityExposed "identity-exposed" Error SAFE FIX,
        "others on this machine can read the private key that opens the store";

    // Whose word the store is.
    StoreDamaged "store-damaged" Error MANUAL
        &["put back the last good version: git log -- .certkeep, then git restore --source=COMMIT .certkeep", LOOK],
        "a file of .certkeep cannot be understood: no command that needs it works";
    StoreExchanged "store-exchanged" Error MANUAL
        &[LOOK, "where two rotations were merged: certkeep unlock --discard-rotation"],
        "this is not the store that this clone has seen, or an earlier state of it: nothing of it is obeyed";
    ZoneForged "zone-forged" Error MANUAL &[LOOK, "put back what members wrote: git revert COMMIT"],
        "somebody who is no member has changed what a zone protects, or for whom";
    ZoneEarlier "zone-earlier" Warning MANUAL &[LOOK],
        "a zone is described as it was before: an older branch, or somebody has put the description back";
    ZoneShut "zone-shut" Error MANUAL
        &["from a clone that is still unlocked: certkeep member add, then certkeep store rotate --zone=NAME"],
        "no member can open a zone: what is sealed in it is lost to everybody who has not unlocked it";
    ZoneOfOne "zone-of-one" Note MANUAL
        &["certkeep member add WHO KEY --zone NAME"],
        "one member alone opens a zone: when his key is lost, so is what is sealed in it";

    // Members.
    GrantForged "grant-forged" Error MANUAL &[LOOK, "certkeep member remove NAME"],
        "nobody who opens the zone has let this member in: it counts for nothing, until somebody trusts it by mistake";
    GrantOutdated "grant-unconfirmed" Warning MANUAL REFRESH,
        "a member was let in on another branch, before the present keys were made, and is to be confirmed";
    GrantWithoutMember "grant-without-member" Error MANUAL &["certkeep member remove NAME"],
        "a grant for somebody of whom the store has no key";
    GrantWithoutWrap "member-waits" Warning MANUAL
        &[
            "look who let him in: git log -p -- .certkeep",
            "if a member did: certkeep member refresh NAME if his key is of OpenPGP, or else certkeep store rotate",
            "if nobody did: certkeep member remove NAME",
        ],
        "a member has a grant, and cannot open the zone: its present keys are not wrapped for him";
    WrapWithoutGrant "wrap-without-grant" Error MANUAL ROTATE,
        "the present keys of a zone are wrapped for somebody who has no grant";
    MemberWithoutGrant "member-without-grant" Warning MANUAL
        &["certkeep member remove NAME, or let him in: certkeep member remove and then member add"],
        "a member of no zone: he can open nothing";
    MemberKey "member-key-broken" Error MANUAL
        &[LOOK, "certkeep member remove NAME, then certkeep member add NAME KEY"],
        "the file of a member holds no key, or another one than it names: nothing can be wrapped for him";
    OpenPgpExpired "openpgp-expired" Warning MANUAL
        &["ask him for the renewed key, gpg --import it, then certkeep member refresh NAME"],
        "an OpenPGP key has expired: with the next rotation its owner is left out";
    OpenPgpExpiring "openpgp-expiring" Warning MANUAL
        &["ask him for the renewed key, gpg --import it, then certkeep member refresh NAME"],
        "an OpenPGP key expires within 30 days: with the next rotation after that its owner is left out";
    OpenPgpRevoked "openpgp-revoked" Error MANUAL &["certkeep member remove NAME"],
        "an OpenPGP key is revoked, and still opens what was wrapped for it: somebody else may have it";
    OpenPgpUnusable "openpgp-unusable" Error MANUAL
        &["certkeep member remove NAME, then certkeep member add NAME KEY"],
        "nothing can be encrypted to an OpenPGP key: it has no encryption subkey that can be used";
    OpenPgpRenewed "openpgp-renewed" Note MANUAL REFRESH,
        "gpg on this machine knows the renewed form of a member's key";

    // What git is told.
    NotSetUp "clone-not-set-up" Warning MANUAL UNLOCK,
        "this clone was never unlocked, so git has no filter: what is committed here goes in as it is";
    DriverMissing "driver-missing" Error SAFE FIX,
        "this clone is unlocked and git has no filter: the next `git add` stores plaintext";
    DriverSetting "driver-setting" Error SAFE FIX,
        "git is not told what `certkeep unlock` tells it: it may store plaintext, or merge what it should not";
    DriverProgram "driver-program-gone" Error SAFE FIX,
        "git is to call a certkeep that is gone: it can neither read nor write what is protected";
    DriverElsewhere "driver-not-local" Warning SAFE FIX,
        "the filter stands in a configuration that is not this repository's: whoever edits that takes it away here";
    HookMissing "hook-missing" Warning SAFE FIX,
        "git does not ask the guard, which looks for private keys before they leave";
    HookNotExecutable "hook-not-executable" Warning SAFE FIX,
        "git passes over the guard's hook, because it is not executable";
    HookDisabled "hook-disabled" Warning SAFE FIX,
        "the guard's hook is switched off in git's configuration";
    HookOther "hook-of-others" Warning SAFE FIX,
        "another hook stands where the guard's should, and does not ask it; it is kept, and runs after the guard";
    HooksHidden "hooks-path-elsewhere" Warning MANUAL
        &["git config core.hooksPath .git/hooks, then certkeep guard install", "or call `certkeep guard` from the hooks there"],
        "core.hooksPath of the user or the machine sends git past this repository's hooks";
    HooksKept "hooks-kept-by-others" Warning MANUAL
        &["name `certkeep guard` in that file, see docs/guard.md"],
        "another program keeps the hooks of this repository, and does not run the guard";
    BlockMissing "attributes-block-missing" Error SAFE FIX,
        "git's attributes have lost certkeep's block: other clones store protected files in the clear";
    BlockDiffers "attributes-block-differs" Warning SAFE FIX,
        "certkeep's block was edited, or something was written behind it: other clones may protect less";
    InfoDiffers "attributes-info-differs" Error SAFE FIX,
        "what this clone tells git by itself is not what it is to protect: pulled attributes can take away from it";
    AttributesShrink "attributes-shrink" Error MANUAL
        &["take the line out: git check-attr -a PATH, and the .gitattributes from there up", "git log -p -- '*.gitattributes'"],
        "attributes keep protected files away from the filter, or convert their bytes: they are stored in the clear, or damaged";
    AttributesMerge "attributes-merge" Warning MANUAL
        &["take the line out: git check-attr -a PATH, and the .gitattributes from there up"],
        "attributes keep protected files away from certkeep's merge driver: git would join lines of ciphertext";

    // What this clone knows, and has left.
    PinsMissing "pins-missing" Warning MANUAL UNLOCK,
        "this clone has forgotten which store it has seen: an exchanged one would not be noticed";
    PinsDamaged "pins-damaged" Error MANUAL
        &["certkeep lock, then rm .git/certkeep/pins if the store is the right one, then certkeep unlock"],
        "what this clone has seen of the store cannot be read: no command obeys the store";
    KeyringBehind "keyring-behind" Warning MANUAL UNLOCK,
        "a zone has a new key, which this clone has not unlocked yet: what is sealed with it stays closed here";
    KeyringDamaged "keyring-damaged" Error MANUAL
        &["rm .git/certkeep/keyring, then certkeep unlock"],
        "the keys of this clone cannot be read: git can neither read nor write what is protected";
    ChangeUnfinished "change-unfinished" Warning SAFE FIX,
        "a command was interrupted, and what it had promised is not completed yet";
    GitUnfinished "git-unfinished" Warning MANUAL
        &["finish it: git status says how"],
        "a merge or rebase is under way: nothing can be shared, and the database may have both sides in it";
    SyncHalfway "sync-halfway" Warning MANUAL
        &["git status says where, then certkeep sync; or give it up: certkeep sync --abort"],
        "`certkeep sync` stopped half-way, at a conflict or because it was killed";
    GitLocked "git-lock-stale" Warning MANUAL
        &["if no git is running, remove the file"],
        "a lock file of git's was left: git and certkeep wait for whoever held it";
    Unreadable "unreadable" Error MANUAL
        &["git fsck"],
        "something could not be looked at, so nobody can say that it is sound";
}

/// The checks, in the order in which they are published.
#[must_use]
pub fn rows() -> Vec<Row> {
    Kind::ALL.iter().map(|kind| row(*kind)).collect()
}

impl From<&Fault> for Told {
    fn from(fault: &Fault) -> Self {
        // Of a file, the certificate of its name: a key belongs to it.
        let file = Path::new(&fault.subject).file_stem().and_then(|name| name.to_str());
        let name = match fault.kind {
            Kind::PlaintextInGit | Kind::KeyInGit | Kind::SecretInHistory => file,
            _ => fault.name.as_deref(),
        };
        let mut told = Self::new(row(fault.kind), &fault.subject, name, &fault.what);
        for mend in &mut told.mend {
            *mend = mend.replace("PATH", &crate::terminal::shell_word(&fault.subject));
        }
        told
    }
}
