// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a git looks for the hooks of a repository, and who else is at home there.

use std::path::{Path, PathBuf};

use super::{Event, Keeper, script};
use crate::git::{self, GitError};

/// The first git that runs hooks which its configuration names.
const CONFIGURED_HOOKS: (u32, u32) = (2, 54);

/// The files by which other programs keep hooks.
const KEEPERS: [(Keeper, &[&str]); 2] = [
    (
        Keeper::Lefthook,
        &[
            "lefthook.yml",
            ".lefthook.yml",
            "lefthook.yaml",
            ".lefthook.yaml",
            "lefthook.toml",
            ".lefthook.toml",
            "lefthook.json",
            ".lefthook.json",
        ],
    ),
    (Keeper::Overcommit, &[".overcommit.yml"]),
];

/// Where hooks go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Into this folder; `shared` if it is in the work tree, so that git may
    /// keep it for everybody.
    Folder {
        /// The folder, which may not exist yet.
        folder: PathBuf,
        /// Whether others may get it too.
        shared: bool,
    },
    /// Into the scripts that husky calls, in this folder of the work tree.
    Husky(PathBuf),
    /// Nowhere: git looks into a folder that is not this repository's.
    Hidden {
        /// Whose setting that is.
        scope: String,
        /// The folder.
        folder: PathBuf,
    },
}

impl Place {
    /// Asks git, from the top of a work tree or in a bare repository.
    pub(super) fn find(top: &Path, bare: bool) -> Result<Self, GitError> {
        let folder = git::ask(top, &["rev-parse", "--git-path", "hooks"])?.unwrap_or_default();
        let folder = top.join(folder);
        let setting = git::ask(top, &["config", "--show-scope", "--get", "core.hooksPath"])?;
        let Some(setting) = setting else { return Ok(Self::Folder { folder, shared: false }) };
        let setting = setting.to_string_lossy();
        let scope = setting.split_once('\t').map_or("", |(scope, _)| scope).to_owned();
        let own = git::ask(top, &["rev-parse", "--git-common-dir"])?.unwrap_or_default();
        let shared = !bare && within(&folder, top) && !within(&folder, &top.join(own));
        if shared && let Some(husky) = husky(&folder) {
            return Ok(Self::Husky(husky));
        }
        if shared || scope == "local" || scope == "worktree" {
            Ok(Self::Folder { folder, shared })
        } else {
            Ok(Self::Hidden { scope, folder })
        }
    }
}

/// The folder of husky's scripts, if git was sent to husky: `.husky/_` since its
/// version 9, `.husky` before.
fn husky(folder: &Path) -> Option<PathBuf> {
    let above = if folder.ends_with("_") { folder.parent()? } else { folder };
    above.ends_with(".husky").then(|| above.to_owned())
}

/// Whether a path that may not exist yet is below a folder, links followed.
fn within(path: &Path, folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    let existing = path.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    existing.is_some_and(|existing| existing.starts_with(folder))
}

/// The program that keeps the hooks of a work tree, and the file by which it does.
pub(super) fn keeper(top: &Path) -> Option<(Keeper, PathBuf)> {
    KEEPERS.iter().find_map(|(keeper, names)| {
        let file = names.iter().map(|name| top.join(name)).find(|file| file.is_file())?;
        Some((*keeper, file))
    })
}

/// Whether this git runs hooks that its configuration names.
pub(super) fn git_runs_configured_hooks(top: &Path) -> Result<bool, GitError> {
    let version = git::ask(top, &["version"])?.unwrap_or_default();
    let version = version.to_string_lossy();
    let mut numbers = version.trim_start_matches("git version ").split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return Ok(false) };
    Ok((major, minor) >= CONFIGURED_HOOKS)
}

/// The settings of one event. Each has a name of its own: the commands differ.
fn setting(event: Event, key: &str) -> String {
    format!("hook.certkeep-{}.{key}", event.name())
}

/// Whether nobody has switched our hook off, in whichever file of configuration.
fn is_enabled(top: &Path, event: Event) -> Result<bool, GitError> {
    let enabled = git::ask(top, &["config", "--type=bool", "--get", &setting(event, "enabled")])?;
    Ok(enabled.is_none_or(|enabled| enabled == "true"))
}

/// Whether the configuration of this repository names our hook.
pub(super) fn configured(top: &Path, event: Event) -> Result<bool, GitError> {
    let command = git::ask(top, &["config", "--local", "--get", &setting(event, "command")])?;
    let named = git::ask(top, &["config", "--local", "--get", &setting(event, "event")])?;
    let ours = command.is_some_and(|command| script::is_command(&command.to_string_lossy()));
    Ok(ours && named.is_some_and(|named| named == event.name()) && is_enabled(top, event)?)
}

/// Whether our hook is named, and somebody has switched it off.
pub(super) fn is_disabled(top: &Path, event: Event) -> Result<bool, GitError> {
    let command = git::ask(top, &["config", "--local", "--get", &setting(event, "command")])?;
    let ours = command.is_some_and(|command| script::is_command(&command.to_string_lossy()));
    Ok(ours && !is_enabled(top, event)?)
}

/// Names our hook in the configuration of this repository.
pub(super) fn configure(top: &Path, event: Event, program: &str) -> Result<(), GitError> {
    for (key, value) in [("command", script::command(event, program).as_str()), ("event", event.name())] {
        let name = setting(event, key);
        if git::ask(top, &["config", "--local", "--get", &name])?.is_none_or(|set| set != value) {
            git::ask(top, &["config", "--local", "--replace-all", &name, value])?;
        }
    }
    if !is_enabled(top, event)? {
        git::ask(top, &["config", "--local", "--replace-all", &setting(event, "enabled"), "true"])?;
    }
    Ok(())
}

/// Takes our hook out of the configuration; says whether it was there.
pub(super) fn deconfigure(top: &Path, event: Event) -> Result<bool, GitError> {
    let section = format!("hook.certkeep-{}", event.name());
    if git::ask(top, &["config", "--local", "--get", &format!("{section}.command")])?.is_none() {
        return Ok(false);
    }
    git::ask(top, &["config", "--local", "--remove-section", &section])?;
    Ok(true)
}
