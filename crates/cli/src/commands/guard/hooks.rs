// SPDX-License-Identifier: MIT OR Apache-2.0
//! `guard install`, `guard uninstall`, `guard status`: whether git asks the guard.

use std::path::Path;

use certkeep_pki::x509::describe::Value;
use certkeep_store::hooks::{Event, Hooks, Standing};

use super::super::{account, store::init};
use crate::{
    report::Failure,
    session::Session,
    settings::Machine,
    terminal::{Safe, shell_word},
};

/// Has git ask the guard in the repository of this directory.
pub(super) fn install(session: &mut Session) -> Result<(), Failure> {
    let hooks = Hooks::find(&session.settings.machine.here)?;
    if session.settings.dry_run {
        for (event, standing) in hooks.standing()? {
            if standing == Standing::Missing {
                session.terminal.notice(format_args!("would have git ask the guard: {}", event.name()));
            }
        }
        return Ok(());
    }
    let standing = hooks.install(&program(&session.settings.machine))?;
    account::say(session, "git asks the guard", &described(&standing))
}

/// Takes the hooks away, and puts back what stood there before.
pub(super) fn uninstall(session: &mut Session) -> Result<(), Failure> {
    let hooks = Hooks::find(&session.settings.machine.here)?;
    if session.settings.dry_run {
        for (event, standing) in hooks.standing()? {
            if standing != Standing::Missing {
                session.terminal.notice(format_args!("would take away: {}", event.name()));
            }
        }
        return Ok(());
    }
    let taken = hooks.uninstall()?;
    let taken = account::texts(taken.into_iter().map(Event::name));
    account::say(session, "git asks the guard no longer", &Value::Section(vec![("hooks", taken)]))?;
    for (event, standing) in hooks.standing()? {
        if let Standing::ByKeeper(file) = standing {
            let file = file.display();
            session.terminal.notice(format_args!("{} asks it still, by {}", event.name(), Safe(file)));
        }
    }
    Ok(())
}

/// Says how git comes to ask the guard.
pub(super) fn status(session: &mut Session) -> Result<(), Failure> {
    let hooks = Hooks::find(&session.settings.machine.here)?;
    account::show(session, "git asks the guard", &described(&hooks.standing()?))
}

/// Has git ask the guard in a repository that certkeep has set up. Where that
/// cannot be, the user hears what to do, and nothing else is wrong.
pub(in crate::commands) fn install_by_the_way(directory: &Path, session: &mut Session) {
    let installed = Hooks::find(directory).and_then(|hooks| {
        let missing = hooks.standing()?.iter().any(|(_, standing)| *standing == Standing::Missing);
        hooks.install(&program(&session.settings.machine))?;
        Ok(missing)
    });
    match installed {
        Ok(true) => session.terminal.notice(
            "git asks `certkeep guard` before it commits and pushes; to undo that: `certkeep guard uninstall`",
        ),
        Ok(false) => {}
        Err(error) => {
            let failure = Failure::from(error);
            session.terminal.warning(format_args!(
                "git does not ask `certkeep guard` before it commits: {}",
                Safe(&failure.message)
            ));
            for line in failure.causes.iter().chain(&failure.hints) {
                for line in line.lines() {
                    session.terminal.notice(format_args!("  {}", Safe(line)));
                }
            }
        }
    }
}

/// How a hook is to call this program: by its path where it is installed, or
/// else where it is; the hook looks along `PATH` if it is gone from there.
pub(in crate::commands) fn program(machine: &Machine) -> String {
    let installed = std::env::split_paths(&machine.path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("certkeep"))
        .find(|file| file.is_file());
    let path = installed.or_else(|| std::env::current_exe().ok());
    let path = path.as_deref().and_then(Path::to_str).map(shell_word);
    path.unwrap_or_else(|| init::program(machine))
}

fn described(standing: &[(Event, Standing)]) -> Value {
    let entries = standing.iter().map(|(event, standing)| {
        let by = match standing {
            Standing::Configured => "git's configuration".to_owned(),
            Standing::File(file) | Standing::ByKeeper(file) => file.display().to_string(),
            Standing::ByPreCommit(file) => format!("pre-commit, which runs {}", file.display()),
            _ => "not asked".to_owned(),
        };
        (event.name(), by.into())
    });
    Value::Section(entries.collect())
}
