// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store protect`, `store unprotect`: which files outside the PKI are kept sealed.

use std::path::Path;

use certkeep_pki::x509::describe::Value;
use certkeep_store::{
    vault::zones::Report,
    zone::{KEYS, Pattern},
};

use super::{super::account, init, rotate};
use crate::{
    interrupt, message,
    report::Failure,
    session::{Opened, Session},
    terminal::{Asker, Safe},
};

/// Arguments of `store protect`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Patterns as in .gitattributes, relative to the top of the repository
    #[arg(value_name = "PATTERN", required = true)]
    patterns: Vec<String>,
    /// The zone that is to keep them
    #[arg(long, default_value = KEYS)]
    zone: String,
}

/// Arguments of `store unprotect`.
#[derive(Debug, clap::Args)]
pub(super) struct UnprotectArgs {
    /// Patterns as they were given to `store protect`
    #[arg(value_name = "PATTERN", required = true)]
    patterns: Vec<String>,
    /// The one zone that is to lose them, where another one has them too
    #[arg(long)]
    zone: Option<String>,
}

/// Adds patterns to a zone.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let patterns = read(&args.patterns)?;
    let vault = session.opened()?.vault;
    let folder = patterns.iter().find(|pattern| is_folder(pattern, vault.work_tree()));
    if let Some(folder) = folder {
        return Err(Failure::pattern_of_a_folder(folder));
    }
    let zone = rotate::known(&args.zone, vault)?;
    if session.settings.dry_run {
        for pattern in &patterns {
            let pattern = Safe(pattern.as_str());
            session.terminal.notice(format_args!("would keep {pattern} sealed, in the zone {zone}"));
        }
        return Ok(());
    }
    let mut words = vec!["store", "protect"];
    words.extend(args.patterns.iter().map(String::as_str));
    let Opened { vault, keys, terminal, .. } = session.opened_to_write()?;
    vault.zone_keys(&zone, keys, &mut Asker(terminal))?;
    let report = {
        let _signals = interrupt::put_off();
        vault.protect(&patterns, &zone, keys, &mut Asker(terminal), &message::of(&words))?
    };
    say("Protected", &report, session)?;
    init::warn_of(&report.exposed, session);
    Ok(())
}

/// Takes patterns away.
pub(super) fn undo(args: &UnprotectArgs, session: &mut Session) -> Result<(), Failure> {
    let patterns = read(&args.patterns)?;
    let vault = &session.opened()?.vault;
    let unknown =
        patterns.iter().find(|pattern| !vault.rules().patterns().iter().any(|(known, _)| known == *pattern));
    if let Some(unknown) = unknown {
        return Err(Failure::no_pattern(unknown, vault.rules()));
    }
    let only = args.zone.as_ref().map(|zone| rotate::known(zone, vault)).transpose()?;
    let shown: Vec<String> = patterns.iter().map(|pattern| Safe(pattern.as_str()).to_string()).collect();
    if patterns.iter().all(|pattern| vault.is_only_remembered(pattern)) {
        return forget(&patterns, &shown.join(", "), session);
    }
    let about = match &only {
        Some(zone) => format!(
            "About to take these out of the zone {zone}, and have git keep in the clear what no other zone has: {}",
            shown.join(", ")
        ),
        None => format!("About to have git keep these in the clear: {}", shown.join(", ")),
    };
    session.terminal.confirm(about, "Confirm: ")?;
    if session.settings.dry_run {
        session.terminal.notice(format_args!("would keep in the clear: {}", shown.join(", ")));
        return Ok(());
    }
    let mut words = vec!["store", "unprotect"];
    let of_zone = args.zone.as_ref().map(|zone| format!("--zone={zone}"));
    words.extend(of_zone.as_deref());
    words.extend(args.patterns.iter().map(String::as_str));
    let Opened { vault, keys, terminal, .. } = session.opened_to_write()?;
    let report =
        vault.unprotect(&patterns, only.as_ref(), keys, &mut Asker(terminal), &message::of(&words))?;
    say("In the clear from now on", &report, session)
}

/// Makes this clone forget what the store does not say any more.
fn forget(patterns: &[Pattern], shown: &str, session: &mut Session) -> Result<(), Failure> {
    session.terminal.confirm(
        format!(
            "The store does not have these any more, and no key here tells whether a member took them out: {shown}\n\
             Look first who it was: git log -p -- .certkeep/zones"
        ),
        "Forget them here, too: ",
    )?;
    if session.settings.dry_run {
        session.terminal.notice(format_args!("would forget: {shown}"));
        return Ok(());
    }
    let Opened { vault, .. } = session.opened_alone()?;
    let forgotten = vault.loosen(patterns, &[])?;
    let forgotten = account::texts(forgotten.iter().map(|pattern| pattern.as_str()));
    account::say(session, "Forgotten", &Value::Section(vec![("patterns", forgotten)]))
}

/// Whether a pattern is the name of a folder. To git that says nothing of what is in it; shells
/// make such names of a `secrets/**` without quotes.
fn is_folder(pattern: &Pattern, top: &Path) -> bool {
    top.join(pattern.as_str().trim_start_matches('/')).is_dir()
}

fn read(texts: &[String]) -> Result<Vec<Pattern>, Failure> {
    Ok(texts.iter().map(|text| Pattern::parse(text)).collect::<Result<_, _>>()?)
}

fn say(title: &str, report: &Report, session: &mut Session) -> Result<(), Failure> {
    let value = Value::Section(vec![
        ("files", account::texts(&report.files)),
        ("exposed", init::exposed(&report.exposed)),
        ("commit", report.commit.clone().into()),
    ]);
    account::say(session, title, &value)
}
