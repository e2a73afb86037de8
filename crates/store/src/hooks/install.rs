// SPDX-License-Identifier: MIT OR Apache-2.0
//! Putting our hooks in their places, and taking them away again.

use std::{
    fs::{self, Metadata},
    path::{Path, PathBuf},
};

use certkeep_pki::change::Contents;

use super::{Event, HookError, Hooks, Standing, place, place::Place, reads, script};
use crate::{
    durable::{Access, FileError, inspect, permissions, remove_if_present, rename_if_present, write_new},
    read::read_file,
};

/// For everybody who may use the repository, as git's own samples are.
const MODE: u32 = 0o755;

impl Hooks {
    /// Has git ask the guard at every event: what does not stand yet is made,
    /// what stands is brought up to date. `program` is a word of a shell's
    /// language by which certkeep is called.
    ///
    /// # Errors
    ///
    /// See [`HookError`]; what was written before the error stays.
    pub fn install(&self, program: &str) -> Result<Vec<(Event, Standing)>, HookError> {
        for &event in self.events {
            match self.standing_at(event)? {
                Standing::ByKeeper(_) => {}
                Standing::Configured => place::configure(&self.top, event, program)?,
                Standing::File(file) => self.write(&file, event, program)?,
                Standing::ByPreCommit(file) => write_hook(&file, event, program)?,
                Standing::Missing if self.configurable => place::configure(&self.top, event, program)?,
                Standing::Missing => self.place_file(event, program)?,
            }
        }
        self.standing()
    }

    /// Takes every hook of ours away and puts back what stood in its place, as it
    /// was; gives the events at which there was one.
    ///
    /// # Errors
    ///
    /// See [`HookError`].
    pub fn uninstall(&self) -> Result<Vec<Event>, HookError> {
        let mut taken = Vec::new();
        for &event in self.events {
            let configured = place::deconfigure(&self.top, event)?;
            let filed = match &self.place {
                Place::Husky(folder) => take_block(&folder.join(event.name()))?,
                Place::Folder { folder, .. } | Place::Hidden { folder, .. } => {
                    take_hook(&folder.join(event.name()), event)?
                }
            };
            taken.extend((configured || filed).then_some(event));
        }
        Ok(taken)
    }

    fn place_file(&self, event: Event, program: &str) -> Result<(), HookError> {
        if let Some((keeper, file)) = &self.keeper {
            return Err(HookError::Kept { keeper: *keeper, file: file.clone() });
        }
        let folder = match &self.place {
            Place::Hidden { scope, folder } => {
                return Err(HookError::Hidden { scope: scope.clone(), folder: folder.clone() });
            }
            Place::Husky(folder) | Place::Folder { folder, .. } => folder,
        };
        fs::create_dir_all(folder).map_err(FileError::new("create", folder))?;
        let file = folder.join(event.name());
        // Ours, which somebody has made no executable, only becomes one again.
        if matches!(self.place, Place::Folder { .. }) && !reads(&file, script::is_ours)? {
            set_aside(&file, event)?;
        }
        self.write(&file, event, program)
    }

    fn write(&self, file: &Path, event: Event, program: &str) -> Result<(), HookError> {
        match &self.place {
            Place::Husky(_) => write_block(file, event),
            // Others may get it with the next pull: no path of this machine in it.
            Place::Folder { shared: true, .. } => write_hook(file, event, "certkeep"),
            Place::Folder { shared: false, .. } | Place::Hidden { .. } => write_hook(file, event, program),
        }
    }
}

/// Where the program pre-commit puts a hook that it finds, and runs it from.
pub(super) fn legacy(hook: &Path) -> PathBuf {
    let mut legacy = hook.as_os_str().to_owned();
    legacy.push(".legacy");
    legacy.into()
}

/// Gives a hook that stands there its second name. Until ours takes the first,
/// it has both: there is no moment without a hook.
fn set_aside(hook: &Path, event: Event) -> Result<(), HookError> {
    let before = hook.with_file_name(event.before());
    match inspect(hook)? {
        None => Ok(()),
        Some(metadata) if metadata.is_dir() => Err(HookError::NoScript(hook.to_owned())),
        Some(_) if inspect(&before)?.is_some() => Err(HookError::Occupied { hook: hook.to_owned(), before }),
        Some(_) => {
            let named = fs::hard_link(hook, &before).or_else(|_| fs::rename(hook, &before));
            Ok(named.map_err(FileError::new("rename", hook))?)
        }
    }
}

fn write_hook(file: &Path, event: Event, program: &str) -> Result<(), HookError> {
    let new = script::file(event, program).into_bytes();
    let mode = inspect(file)?.filter(Metadata::is_file).map(|metadata| permissions(&metadata));
    if mode == Some(MODE) && reads(file, |old| old == new)? {
        return Ok(());
    }
    Ok(replace(file, new, MODE)?)
}

fn write_block(file: &Path, event: Event) -> Result<(), HookError> {
    let no_script = || HookError::NoScript(file.to_owned());
    let old = match inspect(file)? {
        None => None,
        Some(metadata) if metadata.is_file() => read_file(file)?,
        Some(_) => return Err(no_script()),
    };
    let new = script::with_block(old.as_deref(), event).ok_or_else(no_script)?;
    if old.as_ref() == Some(&new) {
        return Ok(());
    }
    let mode = inspect(file)?.map_or(MODE, |metadata| permissions(&metadata));
    Ok(replace(file, new, mode)?)
}

/// Takes our block out of a script, and away a script that is nothing else.
fn take_block(file: &Path) -> Result<bool, HookError> {
    if !reads(file, script::has_block)? {
        return Ok(false);
    }
    let script = read_file(file)?.unwrap_or_default();
    if script::is_only_block(&script) {
        remove_if_present(file)?;
    } else {
        let mode = inspect(file)?.map_or(MODE, |metadata| permissions(&metadata));
        replace(file, script::without_block(&script), mode)?;
    }
    Ok(true)
}

/// Takes our hook away, wherever the program pre-commit has put it meanwhile.
fn take_hook(hook: &Path, event: Event) -> Result<bool, HookError> {
    let (before, legacy) = (hook.with_file_name(event.before()), legacy(hook));
    if reads(hook, script::is_ours)? {
        if !rename_if_present(&before, hook)? {
            remove_if_present(hook)?;
        }
        return Ok(true);
    }
    if !reads(&legacy, script::is_ours)? {
        return Ok(false);
    }
    if reads(&before, script::is_of_pre_commit)? {
        // A newer one of pre-commit's own stands in the first place.
        remove_if_present(&before)?;
        remove_if_present(&legacy)?;
    } else if !rename_if_present(&before, &legacy)? {
        remove_if_present(&legacy)?;
    }
    Ok(true)
}

/// Whole or not at all: git would run half of it.
fn replace(file: &Path, bytes: Vec<u8>, mode: u32) -> Result<(), FileError> {
    let mut new = file.as_os_str().to_owned();
    new.push(".certkeep-new");
    let new = PathBuf::from(new);
    remove_if_present(&new)?;
    write_new(&new, &Contents::Public(bytes), Access::Mode(mode), None)?.sync()?;
    rename_if_present(&new, file).map(drop)
}
