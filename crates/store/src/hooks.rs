// SPDX-License-Identifier: MIT OR Apache-2.0
//! git's hooks: whether git asks the guard before it commits, pushes or takes
//! what is pushed, and how it comes to do so.
//!
//! Nobody's hook is lost. A git that knows hooks in its configuration gets ours
//! there; else they go into the folder that git looks into, to run before what
//! stands there; with husky into the scripts that it calls. Where another program
//! keeps the hooks, or a folder that is not this repository's, nothing is written.

mod install;
mod place;
mod script;
mod silent;

use std::path::{Path, PathBuf};

use thiserror::Error;

use self::place::Place;
pub use self::{script::Event, silent::Silent};
use crate::{
    durable::{FileError, permissions},
    git::{self, GitError},
    read::{ReadError, read_file},
};

/// A program that keeps the hooks of a repository by a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// lefthook, `lefthook.yml`.
    Lefthook,
    /// overcommit, `.overcommit.yml`.
    Overcommit,
}

/// Why hooks could not be put in their places or taken away.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HookError {
    /// Neither a work tree nor a bare repository.
    #[error("{} is in no git repository", .0.display())]
    NoRepository(PathBuf),
    /// git did not say where its hooks are, or did not take a setting.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A hook cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A hook cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another program keeps the hooks and would overwrite ours.
    #[error("{} keeps the hooks of this repository, by {}", match keeper {
        Keeper::Lefthook => "lefthook",
        Keeper::Overcommit => "overcommit",
    }, file.display())]
    Kept {
        /// Which.
        keeper: Keeper,
        /// Its file.
        file: PathBuf,
    },
    /// core.hooksPath names a folder for every repository of this user or machine.
    #[error("core.hooksPath ({scope}) names {}, which is not this repository's", folder.display())]
    Hidden {
        /// Whose setting it is: `global`, `system`, `command`.
        scope: String,
        /// The folder.
        folder: PathBuf,
    },
    /// A hook came in the place of ours, and one is there from before ours.
    #[error("{} came in the place of the guard, and {} is from before it", hook.display(), before.display())]
    Occupied {
        /// The hook that stands there now.
        hook: PathBuf,
        /// The one from before.
        before: PathBuf,
    },
    /// Not a file, or a script in no shell's language.
    #[error("{} is no script of a shell", .0.display())]
    NoScript(PathBuf),
}

/// How git comes to ask the guard at one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does not.
    Missing,
    /// By its configuration.
    Configured,
    /// By this file.
    File(PathBuf),
    /// By this file, which the program pre-commit calls.
    ByPreCommit(PathBuf),
    /// By the file of another program, which names the guard.
    ByKeeper(PathBuf),
}

/// The hooks of one repository.
#[derive(Debug)]
pub struct Hooks {
    /// Where git is run: the top of the work tree, or the bare repository.
    top: PathBuf,
    events: &'static [Event],
    place: Place,
    keeper: Option<(Keeper, PathBuf)>,
    /// Whether this git runs hooks that its configuration names.
    configurable: bool,
}

impl Hooks {
    /// The hooks of the repository that a directory is in, wherever git looks for them.
    ///
    /// # Errors
    ///
    /// [`HookError::NoRepository`]; git does not say where they are.
    pub fn find(directory: &Path) -> Result<Self, HookError> {
        let absent = || HookError::NoRepository(directory.to_owned());
        let bare = match git::ask(directory, &["rev-parse", "--is-bare-repository"]) {
            Err(GitError::Program { message, .. }) if message.contains("not a git repository") => {
                return Err(absent());
            }
            answer => answer?.ok_or_else(absent)? == "true",
        };
        let question = if bare { "--absolute-git-dir" } else { "--show-toplevel" };
        let top = PathBuf::from(git::ask(directory, &["rev-parse", question])?.ok_or_else(absent)?);
        Ok(Self {
            place: Place::find(&top, bare)?,
            keeper: if bare { None } else { place::keeper(&top) },
            // A server's repository may be many users', each with a git of his own.
            configurable: !bare && place::git_runs_configured_hooks(&top)?,
            events: if bare { &script::OF_SERVER } else { &script::OF_WORK },
            top,
        })
    }

    /// How git comes to ask the guard, for every event that matters here.
    ///
    /// # Errors
    ///
    /// A hook or the configuration cannot be read.
    pub fn standing(&self) -> Result<Vec<(Event, Standing)>, HookError> {
        self.events.iter().map(|&event| Ok((event, self.standing_at(event)?))).collect()
    }

    fn standing_at(&self, event: Event) -> Result<Standing, HookError> {
        if self.configurable && place::configured(&self.top, event)? {
            return Ok(Standing::Configured);
        }
        if let Some((_, file)) = &self.keeper
            && reads(file, script::names_the_guard)?
        {
            return Ok(Standing::ByKeeper(file.clone()));
        }
        Ok(match &self.place {
            Place::Husky(folder) => {
                let file = folder.join(event.name());
                if reads(&file, script::has_block)? { Standing::File(file) } else { Standing::Missing }
            }
            Place::Folder { folder, .. } | Place::Hidden { folder, .. } => {
                let hook = folder.join(event.name());
                let legacy = install::legacy(&hook);
                let runs = |file: &Path, so: fn(&[u8]) -> bool| reads(file, so).map(|so| so && is_run(file));
                if runs(&hook, script::is_ours)? {
                    Standing::File(hook)
                } else if runs(&legacy, script::is_ours)? && runs(&hook, script::is_of_pre_commit)? {
                    Standing::ByPreCommit(legacy)
                } else {
                    Standing::Missing
                }
            }
        })
    }
}

/// Whether git runs a hook: it passes over one that is not executable.
fn is_run(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| permissions(&metadata) & 0o111 != 0)
}

/// Whether there is a file and its bytes are `so`.
fn reads(file: &Path, so: impl Fn(&[u8]) -> bool) -> Result<bool, ReadError> {
    // A folder or a pipe is nobody's hook.
    Ok(file.is_file() && read_file(file)?.is_some_and(|bytes| so(&bytes)))
}
