// SPDX-License-Identifier: MIT OR Apache-2.0
//! The doctor's look at the store: what it finds, and what of it is mended safely.
//! Nothing is loosened, no history written anew, no file removed.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use certkeep_store::{
    hooks::Hooks,
    vault::{
        Vault,
        health::{Asked, Examined, Fault, Kind},
    },
};

use super::super::{guard::hooks, store::init};
use crate::{
    identities, message,
    report::Failure,
    session::{Opened, Session},
    settings::Settings,
};

/// What can be mended together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Complete,
    Modes,
    Block,
    Drivers,
    Hooks,
}

/// Everything that is wrong with the store that the PKI of this run lies in, or
/// the current folder; nothing where there is none. To be called before anything
/// opens the store: whatever does completes and closes some of it.
pub(super) fn examine(history: bool, session: &mut Session) -> Result<Option<Examined>, Failure> {
    let gpg = identities::gpg(&session.settings.machine);
    let identities = identity_files(&session.settings);
    let progress = Mutex::new(session.terminal.progress("examining"));
    let watch = |far: certkeep_store::guard::Progress| {
        progress.lock().unwrap_or_else(PoisonError::into_inner).count(far.done, far.total);
    };
    let asked = Asked { now: session.now, gpg: Some(&gpg), identities: &identities, history, watch: &watch };
    let mut examined = Vault::examine(&session.settings.pki, &asked)?;
    if let Some(examined) = examined.as_mut().filter(|_| !history) {
        examined.skipped.push(
            "earlier commits, which may hold secrets in the clear: `certkeep doctor --history`".to_owned(),
        );
    }
    Ok(examined)
}

/// Every file in which this user's keys would be looked for.
fn identity_files(settings: &Settings) -> Vec<PathBuf> {
    let named = &settings.identities;
    let mut files: Vec<_> = named.files.iter().filter(|file| file.as_os_str() != "-").cloned().collect();
    files.extend(named.environment_file.clone());
    if let Some(home) = &settings.machine.home {
        files.extend(
            [".ssh/id_ed25519", ".ssh/id_rsa", ".config/certkeep/identity.txt"].map(|name| home.join(name)),
        );
    }
    files
}

/// What of the store can be mended safely.
#[derive(Debug, Default)]
pub(super) struct Plan {
    faults: Vec<Fault>,
    is_store: bool,
}

/// Looks for what can be mended.
pub(super) fn plan(session: &mut Session) -> Result<Plan, Failure> {
    let examined = examine(false, session)?;
    Ok(examined.map(|Examined { faults, is_store, .. }| Plan { faults, is_store }).unwrap_or_default())
}

impl Plan {
    /// Whether there is an encrypted store at all.
    pub(super) fn is_store(&self) -> bool {
        self.is_store
    }

    /// What would be done, a line each. Foreign text is not escaped.
    pub(super) fn lines(&self) -> Vec<String> {
        proposals(&self.faults)
    }

    /// Does it.
    pub(super) fn carry_out(&self, session: &mut Session) -> Result<(), Failure> {
        if steps(&self.faults).is_empty() {
            return Ok(());
        }
        mend(&self.faults, session)?;
        session.release();
        session.read_again();
        Ok(())
    }
}

/// What would be done, a line each, for faults that can be mended safely.
fn proposals(faults: &[Fault]) -> Vec<String> {
    let named = |kinds: &[Step]| {
        let found = faults.iter().filter(|fault| step(fault.kind).is_some_and(|step| kinds.contains(&step)));
        let mut subjects: Vec<&str> = found.map(|fault| fault.subject.as_str()).collect();
        subjects.dedup();
        subjects.join(", ")
    };
    let lines = steps(faults).into_iter().map(|step| match step {
        Step::Complete => format!("complete what was interrupted ({})", named(&[step])),
        Step::Modes => format!("close to others: {}", named(&[step])),
        Step::Block => format!("write certkeep's block again, in one commit: {}", named(&[step])),
        Step::Drivers => format!("tell git to call certkeep, as `certkeep unlock` does ({})", named(&[step])),
        Step::Hooks => format!("have git ask the guard ({})", named(&[step])),
    });
    lines.collect()
}

/// Does what [`proposals`] has shown.
fn mend(faults: &[Fault], session: &mut Session) -> Result<(), Failure> {
    let identities = identity_files(&session.settings);
    let program = init::program(&session.settings.machine);
    for step in steps(faults) {
        match step {
            // Whatever opens the store does it.
            Step::Complete => {
                session.opened()?;
                session.say_left_away();
            }
            Step::Modes => {
                session.opened()?.vault.close_to_others(&identities)?;
            }
            Step::Block => {
                let Opened { vault, .. } = session.opened_to_write()?;
                let commit = vault.restore_blocks(&message::of(&["doctor", "--fix"]))?;
                session.say_committed(commit.as_deref());
            }
            Step::Drivers => {
                session.opened()?.vault.install_driver(&program)?;
            }
            Step::Hooks => {
                let top = session.opened()?.vault.work_tree().to_owned();
                Hooks::find(&top)?.install(&hooks::program(&session.settings.machine))?;
            }
        }
    }
    Ok(())
}

fn steps(faults: &[Fault]) -> Vec<Step> {
    let mut steps: Vec<_> = faults.iter().filter_map(|fault| step(fault.kind)).collect();
    steps.sort();
    steps.dedup();
    steps
}

fn step(kind: Kind) -> Option<Step> {
    Some(match kind {
        Kind::ChangeUnfinished => Step::Complete,
        Kind::PlaintextExposed | Kind::FolderExposed | Kind::StateExposed | Kind::IdentityExposed => {
            Step::Modes
        }
        Kind::BlockMissing | Kind::BlockDiffers => Step::Block,
        Kind::DriverMissing
        | Kind::DriverSetting
        | Kind::DriverProgram
        | Kind::DriverElsewhere
        | Kind::InfoDiffers => Step::Drivers,
        Kind::HookMissing | Kind::HookNotExecutable | Kind::HookDisabled | Kind::HookOther => Step::Hooks,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, step};
    use crate::report::doctor::store::rows;

    #[test]
    fn what_the_table_calls_safe_is_what_is_mended() {
        for (kind, row) in Kind::ALL.iter().zip(rows()) {
            assert_eq!(step(*kind).is_some(), row.fix, "{}", row.id);
        }
    }
}
