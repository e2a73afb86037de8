// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to do about the errors of the encrypted store, and the refusals of the
//! commands that work on it. long: one short arm for each error, and no logic.

use std::{ffi::OsStr, io, path::Path};

use certkeep_store::{
    history::GitError,
    identity::IdentityError,
    manifest::{Distrust, LastRevision},
    member::{MemberName, MemberNameError},
    pins::PinError,
    vault::{Vault, VaultError},
    worktree::WorkTreeError,
    wrap::{KeyState, RecipientError, WrapError},
    zone::{Pattern, PatternError, Rules, ZoneName, ZoneNameError},
};

use super::{
    ExitCode, Failure,
    rotations::{of_forgotten_rotation, of_lost_rotation, of_pushed_rotation, short, take_theirs},
};
use crate::terminal::{Safe, shell_word};

const NAME_A_KEY: &str =
    "name the key of a member: `certkeep --identity=FILE ...`, or CERTKEEP_IDENTITY_FILE";
const WHO_CHANGED_IT: &str = "do not go on before you know who changed it: `git log -p -- .certkeep`";
/// Where what is checked out is older than what this clone has seen.
pub const OLDER_BRANCH: &str =
    "if this is only an older branch: `git merge` the newer one into it, then again";
const READ_OLDER_BRANCH: &str =
    "only to read it: `git switch NEWER-BRANCH`, `certkeep unlock`, `git switch -`";
const SWITCH_BACK: &str = "go to a branch that has it: `git switch BRANCH`";
const MAKE_A_KEY: &str =
    "make an age key: `mkdir -p ~/.config/certkeep && age-keygen -o ~/.config/certkeep/identity.txt`";

/// Where to look for whoever broke a file.
fn history_of(path: &str) -> String {
    format!("who changed it: `git log -- {}`", Safe(shell_word(path)))
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            VaultError::Record(_) => match error {
                VaultError::Record(error) => error.into(),
                _ => failure,
            },
            VaultError::Git(git) => failure.of_git(git),
            VaultError::WorkTree(error) => failure.of_work_tree(error),
            VaultError::Open { path, .. } | VaultError::Symlink { path } => failure.with_hint(history_of(path)),
            VaultError::Identity { zone, source } => {
                Self::closed(format!("nothing here opens the zone `{zone}`"), zone, source)
            }
            VaultError::Exists(_) => failure
                .with_hint("look at it: `certkeep store status`")
                .with_hint("let somebody in: `certkeep member add NAME KEY`"),
            VaultError::NoZone { .. } => failure.with_hint("the zones: `certkeep store status`"),
            VaultError::NoMember { .. } => failure.with_hint("the members: `certkeep member list`"),
            VaultError::KeyExists { .. } => failure.with_hint("the members: `certkeep member list`"),
            VaultError::MemberExists { member } => failure
                .with_hint(format!("give the new key another name, or take the old one out first: `certkeep member remove {member}`"))
                .with_hint(format!("the same OpenPGP key with a new date or subkey: `certkeep member refresh {member}`")),
            VaultError::LastMember { .. } => {
                failure.with_hint("let somebody else in first: `certkeep member add NAME KEY`")
            }
            VaultError::LastRevision(LastRevision { zone }) => failure
                .with_hint(WHO_CHANGED_IT)
                .with_hint(format!("a new key begins a new count: `certkeep store rotate --zone={zone}`")),
            VaultError::NoRecipient => failure.with_hint("name one: `certkeep store init --recipient=KEY`"),
            VaultError::Distrust { source, .. } => match source {
                Distrust::OtherEpoch | Distrust::OtherStore | Distrust::OtherKey => failure
                    .with_hint("a merge may have mixed two states: `git log -- .certkeep`"),
                _ => failure.with_hint(WHO_CHANGED_IT),
            },
            VaultError::Pin(PinError::RolledBack { begun, .. }) => {
                let failure = failure.with_hint(OLDER_BRANCH).with_hint(READ_OLDER_BRANCH);
                let failure = match begun {
                    Some(commit) if !commit.is_empty() => failure
                        .with_hint(format!("the later one began here, in: `git merge {}`", short(commit))),
                    _ => failure,
                };
                failure.with_hint(WHO_CHANGED_IT)
            }
            VaultError::Pin(PinError::Line(_) | PinError::Read(_)) => failure
                .with_hint("the file is `certkeep/pins` in git's folder: `git rev-parse --git-common-dir`")
                .with_hint(
                    "compare the epochs and keys of `.certkeep/zones/*/zone.toml` with a colleague's, then move \
                     that file away and `certkeep unlock`",
                ),
            VaultError::Pin(PinError::Substituted { forgotten: true, .. }) => of_forgotten_rotation(failure),
            VaultError::Pin(PinError::Substituted { begun, .. }) => {
                of_lost_rotation(failure.with_hint(WHO_CHANGED_IT), begun.as_ref())
            }
            VaultError::Elsewhere(_) => failure.with_hint(SWITCH_BACK),
            VaultError::PatternTaken { by, zone, .. } => failure.with_hint(format!(
                "to have another zone keep it: `certkeep store unprotect {}`, which zone `{zone}` has, then again",
                Safe(shell_word(by))
            )),
            VaultError::Pushed { commit, reference, shared } => {
                of_pushed_rotation(failure, commit, (!shared).then_some(reference))
            }
            VaultError::Offered { zone, key, branch, commit } => of_pushed_rotation(failure, commit, None)
                .with_hint(format!(
                    "only if you saw that push fail: take the line `rule offered {zone} {key} {}` out of \
                     `certkeep/pins` in git's folder (`git rev-parse --git-common-dir`), then again",
                    Safe(branch)
                )),
            VaultError::OthersFirst { commit, .. } => {
                failure.with_hint(WHO_CHANGED_IT).with_hint(take_theirs(commit))
            }
            VaultError::StillNeeded { paths, .. } => failure.listing(paths).with_hint(NAME_A_KEY),
            VaultError::LeavesHimself => failure
                .with_hint("another member has to do it: `certkeep member list`")
                .with_hint("to exchange a key of your own, name the new one, too: `certkeep --identity=FILE ...`"),
            VaultError::PkiName(_) => failure.with_hint("give it a name without \\ and without control characters"),
            VaultError::Pin(_) | VaultError::Unverified => failure.with_hint(WHO_CHANGED_IT),
            VaultError::DoesNotOpen { paths, .. } => failure.listing(paths).with_hint(WHO_CHANGED_IT),
            VaultError::KeysInPublic { paths } => failure
                .listing(paths)
                .with_hint("a key belongs into the PKI's folder `private`: `mv FILE pki/private/`")
                .with_hint("if it was ever pushed, treat it as compromised: `certkeep revoke-issued NAME keyCompromise`"),
            VaultError::InTheClear { paths } => {
                failure.listing(paths).with_hint("seal all work trees first: `certkeep lock`")
            }
            VaultError::Staged { paths } => failure
                .listing(paths)
                .with_hint("commit them first: `git commit`, or take them back: `git restore --staged FILE`"),
            VaultError::Wrap { member, source } => {
                renewal(member, source).into_iter().fold(failure, Self::with_hint)
            }
            VaultError::Unconfirmed { members } => {
                let names: Vec<&str> = members.iter().map(MemberName::as_str).collect();
                let names = names.join(" ");
                failure
                    .with_hint("look at them: `certkeep member list`")
                    .with_hint(format!("to confirm them: `certkeep member refresh {names}`"))
                    .with_hint("to take one out: `certkeep member remove NAME`")
            }
            VaultError::Forged { members, leaving } => {
                let files: Vec<String> =
                    members.iter().map(|member| format!("'.certkeep/*/{member}.toml'")).collect();
                let names: Vec<&str> = leaving.iter().chain(members).map(MemberName::as_str).collect();
                failure
                    .with_hint(format!("who wrote them: `git log -p -- {}`", files.join(" ")))
                    .with_hint(format!("to take them out: `certkeep member remove {}`", names.join(" ")))
            }
            VaultError::KeyReplaced { member } => failure
                .with_hint(format!("who changed it: `git log -p -- .certkeep/members/{member}.toml`")),
            VaultError::PkiOutside(_) => {
                failure.with_hint("run it in the folder of the PKI, or name the PKI: `certkeep --pki=DIR store init`")
            }
            VaultError::OutOfPlace { path } => failure.with_hint(format!(
                "it belongs to another store: open it there, then put the plaintext in its place: {}",
                Safe(shell_word(path))
            )),
            _ => failure,
        }
    }
}

/// How a member whom nothing could be wrapped for gets a usable key.
#[must_use]
pub fn renewal(member: &MemberName, error: &WrapError) -> Vec<String> {
    let WrapError::NoUsableSubkey { fingerprint, subkeys } = error else { return Vec::new() };
    let expired = subkeys.iter().filter(|subkey| subkey.state == KeyState::Expired);
    let expired: Vec<&str> = expired.map(|subkey| subkey.fingerprint.as_str()).collect();
    // gpg takes `*` for those subkeys only that have not expired yet.
    let renew = match expired.join(" ") {
        none if none.is_empty() => format!("`gpg --quick-add-key {fingerprint} cv25519 encr 2y`"),
        subkeys => format!(
            "`gpg --quick-set-expire {fingerprint} 2y {subkeys}`, and once more without the subkey if the \
             whole key has expired"
        ),
    };
    vec![
        format!("{member} renews the key: {renew}"),
        format!("then `gpg --import` it here, and `certkeep member refresh {member}`"),
    ]
}

impl Failure {
    pub(super) fn listing(mut self, facts: &[impl std::fmt::Display]) -> Self {
        self.causes.extend(facts.iter().map(|fact| Safe(fact).to_string()));
        self
    }

    /// The same with what to do about a repository.
    pub(super) fn of_git(self, error: &GitError) -> Self {
        match error {
            GitError::NoIdentity => self.with_hint(
                "tell git who you are: `git config --global user.name NAME`, `git config --global user.email ADDRESS`",
            ),
            GitError::Foreign { path } => self.with_hint(format!(
                "if you trust it: `git config --global --add safe.directory {}`",
                Safe(shell_word(&path.display().to_string()))
            )),
            GitError::Busy { path } => self.with_hint(format!(
                "if no git is running: `rm {}`",
                Safe(shell_word(&path.display().to_string()))
            )),
            GitError::Moved { .. } => self.with_hint("nothing was changed: run it again"),
            _ => self,
        }
    }

    /// The same with what to do about files that are not as git has them.
    fn of_work_tree(self, error: &WorkTreeError) -> Self {
        match error {
            WorkTreeError::Git(git) => self.of_git(git),
            WorkTreeError::Changed { paths } => self
                .listing(paths)
                .with_hint("to keep it: `git add FILE`, then `git commit`")
                .with_hint("to go back to what git has: `git restore FILE`; a file that git does not know: `rm FILE`"),
            WorkTreeError::InTheWay { path, .. } => {
                self.with_hint(format!("move it away: `mv {0} {0}.mine`", Safe(shell_word(path))))
            }
            WorkTreeError::Broken { path, .. } => self.with_hint(history_of(path)),
            _ => self,
        }
    }

    /// A sealed file of the PKI that was not opened.
    pub fn sealed(path: &str, error: VaultError) -> Self {
        match &error {
            VaultError::Identity { zone, source } => Self::closed(
                format!("{path} is sealed, and nothing here opens the zone `{zone}`"),
                zone,
                source,
            ),
            _ => error.into(),
        }
    }

    /// No identity opens a zone: every place that was tried, and what else there is.
    fn closed(message: String, zone: &ZoneName, source: &IdentityError) -> Self {
        let failure = Self::refused(message);
        let failure = match source {
            IdentityError::NoneFits { tried } => failure.listing(tried),
            _ => failure.listing(&[source.to_string()]),
        };
        failure
            .with_hint(NAME_A_KEY)
            .with_hint(format!("who can open the zone `{zone}`: `certkeep member list`"))
    }

    /// There is no such zone.
    pub fn no_zone(zone: &ZoneName, vault: &Vault) -> Self {
        let zones: Vec<&str> = vault.manifest().zones.keys().map(ZoneName::as_str).collect();
        Self::refused(format!("there is no zone `{zone}`"))
            .with_hint(format!("the zones: {}", zones.join(", ")))
    }

    /// There is no such member.
    pub fn no_member(member: &MemberName) -> Self {
        Self::refused(format!("there is no member `{member}`"))
            .with_hint("the members: `certkeep member list`")
    }

    /// A key that is to be somebody's, nobody says whose.
    pub fn key_without_name() -> Self {
        Self::refused("--key is the key of one member")
            .with_hint("say whose: `certkeep member refresh NAME --key KEY`")
    }

    /// The store has another key under a name than its owner says.
    pub fn other_key(member: &MemberName, fingerprint: &str) -> Self {
        Self::refused(format!("the store has another key under the name `{member}`: {}", Safe(fingerprint)))
            .with_hint(format!("who put it there: `git log -p -- .certkeep/members/{member}.toml`"))
            .with_hint(format!("to take it out: `certkeep member remove {member}`"))
    }

    /// Members whom nobody looked at.
    pub fn not_confirmed_unseen(members: &[&MemberName]) -> Self {
        let names: Vec<&str> = members.iter().map(|member| member.as_str()).collect();
        Self::refused(format!("nobody was asked who is to be confirmed: {}", names.join(", ")))
            .with_hint(format!("to be asked: `certkeep member refresh {}`", names.join(" ")))
            .with_hint("with the key that you have from him: `certkeep member refresh NAME --key KEY`")
    }

    /// A name of which neither this clone nor its history knows anything.
    pub fn not_known_here(member: &MemberName) -> Self {
        Self::refused(format!(
            "whose key `{member}` had cannot be told here: this clone has a part of the history only, and has not seen it"
        ))
        .with_hint("fetch the rest: `git fetch --unshallow`")
        .with_hint(format!(
            "or give the key that you have from him: `certkeep member refresh {member} --key KEY`"
        ))
    }

    /// A pattern that no zone has.
    pub fn no_pattern(pattern: &Pattern, rules: &Rules) -> Self {
        let patterns =
            rules.patterns().iter().map(|(pattern, zone)| format!("{} ({zone})", Safe(pattern.as_str())));
        let patterns: Vec<String> = patterns.collect();
        let failure = Self::refused(format!("no zone has the pattern `{}`", Safe(pattern.as_str())));
        if patterns.is_empty() {
            failure
        } else {
            failure.with_hint(format!("the patterns: {}", patterns.join(", ")))
        }
    }

    /// A pattern that is the name of a folder, and matches nothing in it.
    pub fn pattern_of_a_folder(pattern: &Pattern) -> Self {
        let below = shell_word(&format!("{}/**", pattern.as_str()));
        Self::refused(format!(
            "`{}` is a folder: as in .gitattributes, its name says nothing of the files in it",
            Safe(pattern.as_str())
        ))
        .with_hint(format!("to keep everything in it sealed: `certkeep store protect {below}`, in quotes"))
    }

    /// No folder in memory for plaintext.
    pub fn no_memory() -> Self {
        Self::refused("there is no folder in memory here: neither XDG_RUNTIME_DIR nor /dev/shm is one")
            .with_hint("plaintext on a disk may outlive its removal; to allow that: `certkeep exec --allow-disk -- COMMAND`")
    }

    /// A change of the store without a commit would be half a change.
    pub fn store_without_commit() -> Self {
        Self::refused("a change of the store is a commit, and none is wanted")
            .with_hint("leave out `--no-commit`, and `unset CERTKEEP_NO_COMMIT`")
    }

    /// A store that keeps no PKI.
    pub fn store_without_pki() -> Self {
        Self::refused("this store keeps no PKI")
    }

    /// A program of the user's that did not start.
    pub fn cannot_run(program: &OsStr, error: &io::Error) -> Self {
        let mut failure = Self::refused(format!("cannot run {}", Safe(program.display())));
        failure.causes.push(error.to_string());
        failure
    }

    /// A program of the user's ended with a code of its own, having said why itself.
    pub fn of_command(exit: ExitCode) -> Self {
        Self::refused("").with_exit(exit)
    }

    /// A file that was to be made.
    pub fn cannot_write(path: &Path, error: &io::Error) -> Self {
        let mut failure = Self::refused(format!("cannot write {}", Safe(path.display())));
        failure.causes.push(error.to_string());
        failure
    }

    /// Secrets of a PKI that nobody would seal, in the work tree of a store.
    pub fn other_pki(pki: &Path, vault: &Vault, open: &[String]) -> Self {
        let failure = Self::refused(format!(
            "{} lies in an encrypted store that keeps another PKI, and no zone would keep its secrets",
            Safe(pki.display())
        ))
        .listing(open);
        match vault.pki() {
            Some(own) => failure.with_hint(format!(
                "the PKI that is kept: `certkeep --pki={} ...`",
                Safe(shell_word(&own.display().to_string()))
            )),
            None => failure,
        }
        .with_hint("make the other one outside of this repository, or name its files: `certkeep store protect PATTERN`")
    }

    /// The place of the PKI is in no store.
    pub fn no_store(pki: &Path) -> Self {
        let folder = pki.parent().unwrap_or(pki).display();
        if Vault::is_elsewhere(pki) {
            return Self::refused(format!("{} has a store, but not in this commit", Safe(folder)))
                .with_hint(SWITCH_BACK);
        }
        Self::refused(format!("{} is not in a certkeep repository", Safe(folder)))
            .with_hint("make one: `certkeep store init`")
            .with_hint("or go to the one you mean, or name its PKI: `certkeep --pki=DIR ...`")
    }

    /// A text that is nobody's public key.
    pub fn no_recipient(text: &str, error: &RecipientError) -> Self {
        let failure = Self::from_error(error);
        let failure = Self { message: format!("`{}`: {}", Safe(text), failure.message), ..failure };
        match error {
            RecipientError::Ambiguous { fingerprints } => {
                failure.listing(fingerprints).with_hint("name the one you mean by its whole fingerprint")
            }
            RecipientError::Private => {
                failure.with_hint("the file beside it that ends in .pub is the public key")
            }
            RecipientError::NotInGpg(_) => failure.with_hint(
                "a KEY is age1..., an SSH public key or its file, the file of an OpenPGP certificate, \
                 or a fingerprint or address that gpg knows",
            ),
            RecipientError::SshType(_) | RecipientError::SecurityKey(_) => {
                failure.with_hint("another SSH key: `ssh-keygen -t ed25519`").with_hint(MAKE_A_KEY)
            }
            _ => failure,
        }
    }

    /// The user has no key at all.
    pub fn no_own_key() -> Self {
        Self::refused(
            "this user has no key that could open the store: gpg has no secret key, ~/.ssh no SSH key, and \
             ~/.config/certkeep/identity.txt is not there",
        )
        .with_hint(MAKE_A_KEY)
        .with_hint("then name its public key: `certkeep store init --recipient=age1... --name=NAME`")
    }

    /// gpg has several keys of this user.
    pub fn several_own_keys(fingerprints: &[String]) -> Self {
        let mut failure = Self::refused("gpg has several secret keys, and one of them is to open the store");
        failure.causes = fingerprints.to_vec();
        failure.with_hint("name it: `certkeep store init --recipient=FINGERPRINT`")
    }

    /// An identity file of age that does not tell its public key.
    pub fn identity_without_public_key(path: &str) -> Self {
        Self::refused(format!("{} does not tell its public key", Safe(path))).with_hint(format!(
            "name it: `certkeep store init --recipient=$(age-keygen -y {})`",
            Safe(shell_word(path))
        ))
    }

    /// A key whose owner has no name yet.
    pub fn nameless(shown: &str) -> Self {
        Self::refused(format!("what is the owner of this key called? {shown}"))
            .with_hint("give a name: `--name=NAME`, one for each `--recipient`")
    }

    /// More names than keys.
    pub fn too_many_names() -> Self {
        Self::refused("there are more names than recipients")
            .with_hint("the first `--name` belongs to the first `--recipient`, and so on")
    }

    /// git was not to be run.
    pub fn git(what: &str, said: &str) -> Self {
        let mut failure = Self::refused(format!("git could not {what}"));
        failure.causes.extend(said.lines().map(|line| Safe(line).to_string()));
        failure
    }
}

impl From<MemberNameError> for Failure {
    fn from(error: MemberNameError) -> Self {
        Self::from_error(&error)
    }
}

impl From<ZoneNameError> for Failure {
    fn from(error: ZoneNameError) -> Self {
        Self::from_error(&error)
    }
}

impl From<PatternError> for Failure {
    fn from(error: PatternError) -> Self {
        let failure = Self::from_error(&error);
        match &error {
            PatternError::Folder(text) => {
                let folder = text.trim_end_matches('/');
                failure.with_hint(format!("everything in it: `{}/**`", Safe(folder)))
            }
            _ => failure.with_hint("for example: `*.key`, `deploy/secrets/**`"),
        }
    }
}
