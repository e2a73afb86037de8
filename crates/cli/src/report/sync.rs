// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to do when clones do not come together by themselves.

use certkeep_pki::{layout::PkiPath, merge::check::Flaw};
use certkeep_store::{
    vault::sync::{Midway, SyncError, Unmerged, Upstream, Way},
    zone::{Pattern, ZoneName},
};

use super::Failure;
use crate::terminal::{Safe, Terminal, shell_word};

/// The most files that are named.
const SHOWN: usize = 20;

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        let failure = match &error {
            SyncError::Vault(_) => {
                let SyncError::Vault(error) = error else { unreachable!("matched above") };
                return error.into();
            }
            SyncError::Git(git) => return Self::from_error(&error).of_git(git),
            _ => Self::from_error(&error),
        };
        match &error {
            SyncError::Unfinished { what } => failure
                .with_hint(format!(
                    "to go on: `git status` says what is missing, then `git {what} --continue`"
                ))
                .with_hint(format!(
                    "to stop, with everything as it was before: `git {what} {}`",
                    end_of(what)
                )),
            SyncError::Killed { .. } => failure.with_hint(
                "to have everything as it was before that sync: `certkeep sync --abort`, then `certkeep sync`",
            ),
            SyncError::Detached => failure.with_hint("go to the branch that is shared: `git switch main`"),
            SyncError::NoUpstream { branch } => failure.with_hint(format!(
                "name one: `git push --set-upstream origin {}`",
                Safe(shell_word(branch))
            )),
            SyncError::Dirty { paths } => failure.listing_some(paths).with_hint(
                "commit them: `git commit -a`, or put them aside: `git stash`, later `git stash pop`",
            ),
            SyncError::InTheWay { paths } => {
                let words: Vec<_> = paths.iter().take(SHOWN).map(|path| shell_word(path)).collect();
                failure
                    .listing_some(paths)
                    .with_hint(format!("move them elsewhere: `mv -- {} ~`", Safe(words.join(" "))))
            }
            SyncError::Fetch { remote, .. } => failure
                .with_hint(format!("git itself has to reach it: `git fetch {}`", Safe(shell_word(remote)))),
            SyncError::Conflict { way, paths, .. } => conflict(failure, *way, paths),
            SyncError::Lost { paths } => failure
                .listing_some(paths)
                .with_hint("join them by hand, and look what becomes of these files: `git rebase @{u}`"),
            SyncError::LostBefore { before, paths } => since(failure.listing_some(paths), before),
            SyncError::Stuck { before, .. } => {
                failure.with_hint(format!("what was there before is kept: `git reset --keep {before}`"))
            }
            SyncError::Rebase { .. } => failure.with_hint("the branch is where it was: `git status`"),
            SyncError::Rejected { .. } => failure.with_hint(
                "your commits are on top of the others', and in this clone alone: `git log @{u}..`",
            ),
            _ => failure,
        }
    }
}

/// How git is told to give up what it has begun.
fn end_of(what: &str) -> &'static str {
    if what == "bisect" { "reset" } else { "--abort" }
}

/// What to do about a join that is over, and that nobody has looked at until now.
fn since(failure: Failure, before: &str) -> Failure {
    failure.with_hint(go_back(before)).with_hint(
        "if it is meant to be so: `git update-ref -d refs/worktree/certkeep/before`, then `git push`",
    )
}

fn go_back(before: &str) -> String {
    format!("to have everything as it was before that sync: `git reset --keep {before}`")
}

/// Whether a row is lost: that is never meant so.
fn loses(flaws: &[Flaw]) -> bool {
    flaws.iter().any(|flaw| matches!(flaw, Flaw::Gone(_)))
}

fn conflict(mut failure: Failure, way: Way, paths: &[Unmerged]) -> Failure {
    let is_rebase = way == Way::Rebase;
    let described = |file: &Unmerged| {
        // During a rebase git calls the others' side ours.
        let (theirs, ours) = if is_rebase { (file.ours, file.theirs) } else { (file.theirs, file.ours) };
        let what = match (theirs, ours) {
            (true, true) => "both sides have changed it",
            (true, false) => "the others have changed it, your commit takes it away",
            (false, true) => "the others have taken it away, your commit has changed it",
            (false, false) => "both sides have taken it away",
        };
        format!("{}: {what}", Safe(&file.path))
    };
    failure.causes = paths.iter().take(SHOWN).map(described).collect();
    if let Some(more) = paths.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        failure.causes.push(format!("and {more} more: `git status`"));
    }
    let words: Vec<String> = paths.iter().take(SHOWN).map(|file| shell_word(&file.path)).collect();
    let (there, gone): (Vec<_>, Vec<_>) = paths.iter().partition(|file| file.ours && file.theirs);
    let abort = if is_rebase { "git rebase --abort" } else { "git merge --abort" };
    failure = failure.with_hint(format!(
        "to stop, with everything as it was before: `{abort}`; the others' state stays at `@{{u}}`"
    ));
    let (database, there): (Vec<_>, Vec<_>) = there.into_iter().partition(|file| is_of_database(&file.path));
    if !database.is_empty() {
        let words: Vec<String> = database.iter().map(|file| shell_word(&file.path)).collect();
        let words = words.join(" ");
        failure = failure.with_hint(format!(
            "never take one side of the CA's database, it would lose the other's certificates; when what git \
             said of it above is put right, have both merged: `certkeep unlock`, `git checkout --merge -- \
             {words}`, `git add -- {words}`"
        ));
    }
    if let Some(file) = there.first() {
        let word = shell_word(&file.path);
        let (others, own) = if is_rebase { ("ours", "theirs") } else { ("theirs", "ours") };
        failure = failure.with_hint(format!(
            "to take the others' file: `git checkout --{others} -- {word}`; your own: `git checkout --{own} -- {word}`"
        ));
    }
    if let Some(file) = gone.first() {
        let word = shell_word(&file.path);
        failure = failure.with_hint(format!(
            "to keep what one side took away: `git add -- {word}`; to let it go: `git rm -- {word}`"
        ));
        if file.path.contains("issued/") {
            failure = failure.with_hint(
                "one side has revoked, renewed or put aside a certificate that the other has issued anew: \
                 keep the new one, and `certkeep revoke-issued NAME` afterwards if its key is not to be used",
            );
        }
    }
    let go_on = if is_rebase { "git rebase --continue" } else { "git merge --continue" };
    failure.with_hint(format!(
        "when all is decided: `git add -- {}`, `{go_on}`, `certkeep sync`",
        words.join(" ")
    ))
}

/// Whether a file is one of those that certkeep's merge driver puts together from both sides.
fn is_of_database(path: &str) -> bool {
    path.rsplit('/').next().and_then(PkiPath::database).is_some()
}

impl Failure {
    /// What git and the merge driver said of a conflict, before the failure sums it up.
    pub fn talk_of_conflict(error: &SyncError, terminal: &mut Terminal) {
        if let SyncError::Conflict { message, .. } = error {
            for line in message.lines() {
                terminal.notice(Safe(line));
            }
        }
    }

    /// git is in the midst of something, and a commit to the PKI would get lost in it.
    pub fn midway(Midway { what, of_sync }: Midway) -> Self {
        let abort = if of_sync { "certkeep sync --abort".to_owned() } else { format!("git {what} --abort") };
        Self::refused(format!("a {what} is under way in this work tree: nothing was changed"))
            .with_hint(format!(
                "to go on with it: `git status` says what is missing, then `git {what} --continue`"
            ))
            .with_hint(format!("to stop, with everything as it was before: `{abort}`"))
            .with_hint("to change the files alone, and commit them with it: `--no-commit`")
    }

    /// Two branches have given a pattern to one zone each.
    pub fn twice_protected(twice: &[(Pattern, ZoneName, ZoneName)]) -> Self {
        let mut failure = Self::refused(
            "two zones have the same pattern: not everybody could open its files; nothing was pushed",
        );
        for (pattern, one, other) in twice.iter().take(SHOWN) {
            let (shown, word) = (Safe(pattern.as_str()), Safe(shell_word(pattern.as_str())).to_string());
            failure.causes.push(format!("{shown}: in the zones {one} and {other}"));
            failure = failure
                .with_hint(format!(
                    "to leave it to the zone {one}: `certkeep store unprotect --zone={other} {word}`"
                ))
                .with_hint(format!(
                    "to leave it to the zone {other}: `certkeep store unprotect --zone={one} {word}`"
                ));
        }
        failure.with_hint("that seals its files anew and puts nothing in the clear; then: `certkeep sync`")
    }

    /// Somebody else was always first.
    pub fn always_late(attempts: u32) -> Self {
        Self::refused(format!("somebody else was first {attempts} times"))
            .with_hint("your commits are in this clone: `certkeep sync` again, or with more `--attempts=N`")
    }

    /// What was merged, or is to be pushed, does not fit together. The branch is, or
    /// will be, at `moved_from` again; `uncommitted` are certificates that are in no commit.
    pub fn misfits(
        flaws: &[Flaw],
        uncommitted: &[String],
        upstream: &Upstream,
        moved_from: Option<&str>,
    ) -> Self {
        let mut failure = Self::refused("what was merged does not fit together; it was not pushed");
        failure.list_flaws(flaws);
        if !uncommitted.is_empty() {
            let words: Vec<_> = uncommitted.iter().take(SHOWN).map(|path| shell_word(path)).collect();
            failure = failure.with_hint(format!(
                "lies here, and is in no commit: `git add -- {}`; what else, says `git status -uall`",
                Safe(words.join(" "))
            ));
        }
        let authority = flaws
            .iter()
            .any(|flaw| matches!(flaw, Flaw::OtherAuthority(..) | Flaw::Unreadable(PkiPath::CaCertificate)));
        let file = if authority { "ca.crt" } else { "index.txt" };
        failure = failure
            .with_hint(format!("who changed it: `git log -p -- {file}`, on {} too", Safe(&upstream.remote)));
        if authority && moved_from.is_some() {
            failure = failure
                .with_hint("only if you know that the CA was exchanged: `git rebase @{u}` takes it over");
        }
        if let Some(before) = moved_from {
            failure = failure
                .with_hint(format!("your branch is where it was: {}", before.get(..10).unwrap_or(before)))
                .with_hint(
                    "if it is the others' state, to put that in order here: `git rebase @{u}`, and commit",
                );
        }
        let (failure, lost) = (failure.with_way_back(flaws), loses(flaws));
        failure.with_hint(if lost {
            "once it is put in order and committed: `certkeep sync`"
        } else {
            "once it is put in order and committed: `certkeep sync`; if it is meant so: `git push`"
        })
    }

    /// How a row comes back that a side of a merge has taken away.
    fn with_way_back(self, flaws: &[Flaw]) -> Self {
        if !loses(flaws) {
            return self;
        }
        self.with_hint(
            "a certificate without its row can never be revoked; to get it back, if the certificate is still \
             there: `certkeep doctor --rebuild-index`",
        )
    }

    /// What an earlier run has begun was ended by somebody, and lacks something now.
    pub fn lost_since(flaws: &[Flaw], before: &str) -> Self {
        let mut failure =
            Self::refused("since the last sync was interrupted, this branch has lost something");
        failure.list_flaws(flaws);
        if loses(flaws) {
            return failure
                .with_way_back(flaws)
                .with_hint(go_back(before))
                .with_hint("then: `certkeep sync`");
        }
        since(failure, before)
    }

    fn list_flaws(&mut self, flaws: &[Flaw]) {
        let mut told: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        told.dedup();
        let more = told.len().saturating_sub(SHOWN);
        self.causes.extend(told.into_iter().take(SHOWN));
        if more > 0 {
            self.causes.push(format!("and {more} more"));
        }
    }

    fn listing_some(mut self, paths: &[String]) -> Self {
        self.causes.extend(paths.iter().take(SHOWN).map(|path| Safe(path).to_string()));
        self
    }
}
