// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why git does not ask the guard, where it does not.

use std::path::PathBuf;

use super::{Event, HookError, Hooks, Standing, is_run, place, place::Place, reads, script};

/// Why git does not ask the guard at an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Silent {
    /// There is no hook.
    Missing,
    /// Ours is there, and git passes over it: it is not executable.
    NotExecutable(PathBuf),
    /// Ours is in the configuration, and switched off there.
    Disabled,
    /// Another hook is there, which does not ask the guard.
    Other(PathBuf),
    /// git looks into a folder that is not this repository's (`core.hooksPath`).
    Hidden {
        /// Whose setting it is: `global`, `system`, `command`.
        scope: String,
        /// The folder.
        folder: PathBuf,
    },
    /// Another program keeps the hooks, by this file, which does not name the guard.
    Kept(PathBuf),
}

impl Hooks {
    /// The events at which git does not ask the guard, and why.
    ///
    /// # Errors
    ///
    /// A hook or the configuration cannot be read.
    pub fn silent(&self) -> Result<Vec<(Event, Silent)>, HookError> {
        let mut silent = Vec::new();
        for (event, standing) in self.standing()? {
            if standing == Standing::Missing {
                silent.push((event, self.why_silent(event)?));
            }
        }
        Ok(silent)
    }

    fn why_silent(&self, event: Event) -> Result<Silent, HookError> {
        if self.configurable && place::is_disabled(&self.top, event)? {
            return Ok(Silent::Disabled);
        }
        if let Some((_, file)) = &self.keeper {
            return Ok(Silent::Kept(file.clone()));
        }
        let folder = match &self.place {
            Place::Hidden { scope, folder } => {
                return Ok(Silent::Hidden { scope: scope.clone(), folder: folder.clone() });
            }
            Place::Husky(folder) | Place::Folder { folder, .. } => folder,
        };
        let hook = folder.join(event.name());
        Ok(if reads(&hook, script::is_ours)? && !is_run(&hook) {
            Silent::NotExecutable(hook)
        } else if hook.exists() {
            Silent::Other(hook)
        } else {
            Silent::Missing
        })
    }
}
