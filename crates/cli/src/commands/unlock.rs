// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unlock` and `lock`: whether the files of this clone are plaintext.

use certkeep_pki::x509::describe::Value;
use certkeep_store::{
    identity::{IdentityError, Tried, Why},
    vault::{VaultError, lock::Locked, trust::OnlyHere},
    zone::Mode,
};

use super::{account, guard::hooks, store::init};
use crate::{
    interrupt, message,
    report::Failure,
    session::{Opened, Session, waiting_for},
    settings::Commits,
    terminal::{Asker, ConfirmError, Safe},
};

/// Arguments of `unlock`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only say which zones a key on this machine opens; change nothing
    #[arg(long)]
    check: bool,
    /// Forget a rotation of this clone that was never pushed, because another one came first
    #[arg(long, conflicts_with = "check")]
    discard_rotation: bool,
}

/// Opens every zone that a key at hand opens.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    if args.discard_rotation {
        discard(session)?;
    }
    let Opened { vault, keys, terminal, .. } = session.opened()?;
    vault.verify()?;
    let mut zones = Vec::new();
    for name in vault.manifest().zones.keys() {
        zones.push((name.clone(), vault.mode(name)?.unwrap_or(Mode::Sealed)));
    }
    let doubtful = vault.doubtful()?;
    let (mut opened, mut closed) = (Vec::new(), Vec::new());
    for (zone, mode) in &zones {
        // A sealed zone is opened when one of its files is needed: to ask for its
        // key now would be for nothing, unless that tells whether its rules are genuine.
        let sealed = !args.check && *mode == Mode::Sealed;
        if sealed && !doubtful.contains(zone) {
            continue;
        }
        match vault.zone_keys(zone, keys, &mut Asker(terminal)) {
            Ok(_) | Err(VaultError::Identity { .. } | VaultError::NobodyCanOpen { .. }) if sealed => {}
            Ok(_) => opened.push(zone.clone()),
            Err(error @ VaultError::Identity { .. }) => closed.push((zone.clone(), error)),
            // Not a key that is missing but a zone that is not to be trusted.
            Err(error) => return Err(error.into()),
        }
    }
    if opened.is_empty() && !closed.is_empty() {
        return Err(closed.swap_remove(0).1.into());
    }
    for (zone, error) in &closed {
        for tried in broken(error) {
            terminal.warning(format_args!("the zone `{zone}` stays closed: {}", Safe(tried)));
        }
    }
    let member = opened.iter().find_map(|zone| keys.opener(zone)).map(ToString::to_string);
    let mut entries = vec![
        ("member", member.into()),
        ("opened", account::texts(&opened)),
        ("closed", account::texts(closed.iter().map(|(zone, _)| zone))),
    ];
    if args.check || session.settings.dry_run {
        return account::show(session, "Zones", &Value::Section(entries));
    }
    let Opened { vault, keys, .. } = session.opened()?;
    let only = vault.only_here(keys)?;
    let let_go = asked_to_let_go(&only, session)?;
    let program = init::program(&session.settings.machine);
    let Opened { vault, keys, terminal, .. } = session.opened_alone()?;
    if let_go {
        vault.loosen(&only.patterns, &only.zones)?;
    }
    let mut progress = terminal.progress("unlocking");
    let report = {
        let _signals = interrupt::put_off();
        vault.unlock(&program, keys, &mut Asker(terminal), &mut |done, total| progress.reach(done, total))?
    };
    drop(progress);
    entries.push(("files", account::number(report.files)));
    account::say(session, "Unlocked", &Value::Section(entries))?;
    if let Some(top) = session.vault()?.map(|vault| vault.work_tree().to_owned()) {
        hooks::install_by_the_way(&top, session);
    }
    if !let_go {
        for said in account::only_here(&only) {
            session.terminal.warning(said);
        }
    }
    for zone in report.earlier {
        session.terminal.warning(format_args!("{}", account::earlier(&zone)));
    }
    let strange = !report.strange.is_empty();
    for (path, key) in report.strange {
        let key = key.map_or_else(|| "a key of git-crypt".to_owned(), |key| format!("the key {key}"));
        session.terminal.warning(format_args!(
            "{} stays sealed: it was sealed with {key}, which is none of its zone's",
            Safe(path)
        ));
    }
    if strange {
        session.terminal.notice(
            "where two rotations were merged, or somebody's rotation was taken back: `certkeep unlock --discard-rotation`",
        );
    }
    Ok(())
}

/// Asks whether what was pulled may take away protection. Consent that was given
/// beforehand is none to that, and nor is an answer that nobody typed.
fn asked_to_let_go(only: &OnlyHere, session: &mut Session) -> Result<bool, Failure> {
    if only.patterns.is_empty() && only.zones.is_empty() || !Asker(&mut session.terminal).is_somebody() {
        return Ok(false);
    }
    let patterns = only.patterns.iter().map(|pattern| format!("  {}", Safe(pattern.as_str())));
    let zones =
        only.zones.iter().map(|zone| format!("  zone {zone}: from now on in the clear where it is unlocked"));
    let lines: Vec<String> = patterns.chain(zones).collect();
    let details = format!(
        "No longer protected by what was pulled. Look first who it was: git log -p -- .certkeep/zones\n{}\n\
         Let go of it here, too? Files that these name are then committed in the clear.",
        lines.join("\n")
    );
    match session.terminal.confirm(details, "Let go: ") {
        Ok(()) => Ok(true),
        Err(ConfirmError::Declined) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Asks whether it is as the user says: nobody else knows.
fn discard(session: &mut Session) -> Result<(), Failure> {
    session.terminal.confirm(
        "About to forget the epochs that this clone began and that no remote is known to have.\n\
         Go on only if your push was rejected: otherwise a former member may have put the present one there.",
        "Confirm: ",
    )?;
    if session.settings.dry_run {
        session.terminal.notice("would forget them");
        return Ok(());
    }
    if session.settings.commits == Commits::None {
        return Err(Failure::store_without_commit());
    }
    let discarded = {
        let Opened { vault, keys, terminal, .. } = session.opened_alone()?;
        // Asked before signals are put off: somebody may have to type.
        let lost = vault.lost_rotations(keys, &mut Asker(terminal))?;
        let _signals = interrupt::put_off();
        vault.discard_rotations(lost, &message::of(&["unlock", "--discard-rotation"]))?
    };
    for (commit, subject) in discarded.rotations {
        let subject = subject.map(|subject| format!(" ({})", Safe(subject))).unwrap_or_default();
        session.terminal.notice(format_args!(
            "forgot the epochs of {}{subject}: what it was for has to be done again",
            commit.get(..10).unwrap_or(&commit)
        ));
    }
    if discarded.files > 0 {
        let files = if discarded.files == 1 { "file" } else { "files" };
        session
            .terminal
            .notice(format_args!("sealed anew with the present keys: {} {files}", discarded.files));
    }
    session.say_committed(discarded.commit.as_deref());
    Ok(())
}

/// What was tried on a zone and is more than a key that does not belong there.
fn broken(error: &VaultError) -> impl Iterator<Item = &Tried> {
    let tried = match error {
        VaultError::Identity { source: IdentityError::NoneFits { tried }, .. } => tried.as_slice(),
        _ => &[],
    };
    tried.iter().filter(|tried| !matches!(tried.why, Why::Missing | Why::NoMember))
}

/// Puts ciphertext back and forgets the keys.
pub(super) fn lock(session: &mut Session) -> Result<(), Failure> {
    if session.settings.dry_run {
        session.opened()?;
        session
            .terminal
            .notice("would put ciphertext in the place of every unlocked file and forget the keys");
        return Ok(());
    }
    let (files, doubt) = match session.opened_alone() {
        Ok(Opened { vault, terminal, .. }) => {
            let mut progress = terminal.progress("locking");
            let _signals = interrupt::put_off();
            let Locked { files, doubt } = vault.lock(&mut |done, total| progress.reach(done, total))?;
            (files, doubt.map(Failure::from))
        }
        // What cannot be opened can be locked all the same.
        Err(failure) => match session.damaged()? {
            Some(damaged) => {
                let terminal = &mut session.terminal;
                let _alone = damaged.alone(&mut |waiting| terminal.notice(waiting_for(waiting, "store")))?;
                let _signals = interrupt::put_off();
                (damaged.lock(&mut |_, _| {})?, Some(failure))
            }
            None => return Err(failure),
        },
    };
    account::say(session, "Locked", &Value::Section(vec![("files", account::number(files))]))?;
    // Locked all the same: it takes plaintext away.
    doubt.map_or(Ok(()), Err)
}
