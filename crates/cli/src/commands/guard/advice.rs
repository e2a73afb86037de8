// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to do about a finding, each ready to be pasted or obeyed.

use certkeep_store::guard::{Breach, Shrunk, Unsealed};

use super::{
    owner::State,
    told::{Front, Told},
};
use crate::{report::take_theirs, terminal::shell_path};

/// What to do about it: first where it stands, then about the key itself.
pub(super) fn of(told: &Told, breach: &Breach, front: Front) -> Vec<String> {
    let path = shell_path(&told.path);
    let mut advice = Vec::new();
    match (front, breach) {
        (_, Breach::Shrunk(Shrunk::Driver)) => {
            advice.push("to set it up: `certkeep unlock`, or any certkeep command that writes".to_owned());
        }
        (_, Breach::Shrunk(Shrunk::Keys { first, .. })) => advice.push(take_theirs(first)),
        (Front::Staged | Front::Push | Front::Receive, Breach::Opened { .. }) => {
            advice.extend(of_opened(told, front, &path));
        }
        (Front::Staged, Breach::Moved { from }) => {
            advice.push(format!("to put it back: `git mv -- {path} {}`", shell_path(from)));
            advice.push(
                "to have it there: put it back, `certkeep store protect PATTERN` for the new place, and move it again"
                    .to_owned(),
            );
        }
        (Front::Staged, Breach::Shrunk(_)) => {
            advice.push(
                "to take the change back: `git restore --staged '*.gitattributes' .certkeep`".to_owned(),
            );
        }
        (Front::Staged, Breach::Unsealed { what: Unsealed::Plaintext | Unsealed::OtherTool, .. }) => {
            advice.push(format!("to seal it: `certkeep unlock`, then `git add --renormalize -- {path}`"));
        }
        (Front::Staged, Breach::Unsealed { what: Unsealed::Symlink, .. }) => {
            advice.push("put the file itself there: git keeps the target of a link as plain text".to_owned());
        }
        (Front::Staged, Breach::Unsealed { what: Unsealed::Altered | Unsealed::ForeignKey, .. }) => {
            advice.push(format!("the versions that git has: `git log -- {path}`"));
        }
        (Front::Staged, _) => {
            advice.push(format!("to take it out of the commit: `git reset -- {path}`"));
        }
        (
            Front::Push | Front::Receive,
            Breach::Material(_) | Breach::Copied { .. } | Breach::Unsealed { .. },
        ) if told.commit.is_none() => {
            advice.push("no commit has it: delete the tag that leads to it: `git tag -d TAG`".to_owned());
        }
        (Front::Push | Front::Receive, _) => {
            let commit = told.commit.as_deref().and_then(|commit| commit.get(..10)).unwrap_or("COMMIT");
            advice.push(format!(
                "to take it out of the commit {commit}: `git rebase -i {commit}^` (`--root` if it is the first); a later commit that removes it does not help"
            ));
        }
        (
            Front::Tree | Front::History,
            Breach::Material(_) | Breach::Copied { .. } | Breach::Unsealed { .. },
        ) => {
            advice.push(
                "replace the key: no rewriting of the history takes it back from who has a copy".to_owned(),
            );
        }
        (Front::Tree | Front::History | Front::Files, _) => {}
    }
    let condition = match front {
        Front::Staged | Front::Push | Front::Files => "if anybody else may have it",
        Front::Receive | Front::Tree | Front::History => "others may have it",
    };
    for owner in &told.owners {
        if let Some(command) = owner.revocation() {
            advice.push(format!("{condition}: `{command}`, then `certkeep gen-crl`"));
        } else if owner.is_authority && !matches!(owner.state, State::Revoked(_)) {
            advice.push(format!(
                "{condition}: make a new CA, issue anew what this one has issued, and have everybody who trusts it stop"
            ));
        }
    }
    advice
}

/// What was sealed and would be in the clear: whose rules these are, how it is
/// sealed again, and how whoever means it says so.
fn of_opened(told: &Told, front: Front, path: &str) -> Vec<String> {
    let mut advice = vec!["who changed the rules: `git log -p -- .certkeep .gitattributes`".to_owned()];
    let once = |command: &str| {
        format!("if a member has meant that: `git -c certkeep.allowUnprotect=true {command}`")
    };
    match front {
        Front::Staged => {
            let blob = told.blob.as_deref().unwrap_or("HEAD");
            advice.push(format!("to take it out of the commit: `git reset -- {path}`"));
            advice.push(format!("to have it sealed again: `certkeep store protect {path}`, then `git add -- {path}`"));
            advice.push(once("commit"));
            advice.push(format!("or for this content alone, in .certkeep/guard.toml: [[allow]] blob = \"{blob}\", path = \"...\", reason = \"...\""));
        }
        Front::Receive => advice.push(
            "if a member has meant that: `git config certkeep.allowUnprotect true` on this server, for as long as it takes"
                .to_owned(),
        ),
        _ => {
            let commit = told.commit.as_deref().and_then(|commit| commit.get(..10)).unwrap_or("COMMIT");
            advice.push(format!("to take it out of the commit {commit}: `git rebase -i {commit}^`"));
            advice.push("in a locked clone, first see what its keys can tell: `certkeep unlock`, then again".to_owned());
            advice.push(once("push"));
        }
    }
    advice
}
