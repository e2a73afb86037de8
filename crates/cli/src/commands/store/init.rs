// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store init`: makes a git repository a store.

use std::path::PathBuf;

use certkeep_store::{
    history::Message,
    member::MemberName,
    store::Store,
    vault::{
        init::{self, Making, Report},
        past::Past,
    },
    wrap::Recipient,
};

use super::super::{account, guard::hooks, member::skipped};
use crate::{
    identities, interrupt, message,
    recipients::{self, Found},
    report::Failure,
    session::Session,
    settings::{Commits, Machine},
    terminal::{Safe, shell_word},
};
use certkeep_pki::x509::describe::Value;

/// Arguments of `store init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) people: People,
}

/// Who may open a new store.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct People {
    /// Who may open it: age1..., an SSH public key or its file, an OpenPGP certificate's file, or what gpg
    /// knows (repeatable; default: your own key)
    #[arg(long = "recipient", value_name = "KEY")]
    pub(super) recipients: Vec<String>,
    /// What the owner of the recipient is called, in the same order (default: from the key's comment)
    #[arg(long = "name", value_name = "NAME")]
    pub(super) names: Vec<String>,
}

/// A member to be, with where the key was found.
pub(in crate::commands) type Named = (MemberName, Found);

/// Asks whom it is for, makes the store, says what earlier commits give away.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    if session.settings.commits == Commits::None {
        return Err(Failure::store_without_commit());
    }
    let mut members = args.people.find(&session.settings.machine)?;
    if members.is_empty() {
        let own = recipients::own(&session.settings.machine)?.ok_or_else(Failure::no_own_key)?;
        let name = args.people.names.first().map(|name| MemberName::parse(name)).transpose()?;
        let name = name.or_else(|| own.suggested_name()).ok_or_else(|| Failure::nameless(&own.shown()))?;
        members.push((name, own));
    }
    let folder = folder(session);
    let details = format!(
        "About to make an encrypted store in {}\n  PKI: {}\n{}",
        Safe(folder.display()),
        Safe(session.settings.pki.display()),
        described(&members),
    );
    if members.iter().any(|(_, found)| !found.exact) {
        session.terminal.confirm(details, "Compare the keys, then confirm: ")?;
    }
    if session.settings.dry_run {
        session.terminal.notice(format_args!("would make a store in {}", Safe(folder.display())));
        session.terminal.notice(described(&members));
        return Ok(());
    }
    let report = make(members, message::of(&["store", "init"]), session)?;
    say(&report, session)?;
    hooks::install_by_the_way(&folder, session);
    Ok(())
}

/// Makes the store; this run can open it from then on.
pub(in crate::commands) fn make(
    members: Vec<Named>,
    message: Message,
    session: &mut Session,
) -> Result<Report, Failure> {
    if Store::open(&session.settings.pki).is_ok() {
        session.lock()?;
    }
    let members: Vec<(MemberName, Recipient)> =
        members.into_iter().map(|(name, found)| (name, found.recipient)).collect();
    let message = session.with_everything(&message)?;
    let directory = folder(session);
    let program = program(&session.settings.machine);
    let pki = session.settings.pki.clone();
    let mut keys = identities::keys(&mut session.settings)?;
    let making =
        Making { directory: &directory, pki: Some(&pki), program: &program, now: session.now, message };
    let (vault, mut report) = {
        let _signals = interrupt::put_off();
        init::init(&making, &members, &mut Session::rng())?
    };
    report.keys.drain(..).for_each(|made| keys.insert(made));
    session.enter(vault, keys);
    Ok(report)
}

/// Where the repository is, or is to be: around the PKI.
pub(in crate::commands) fn folder(session: &Session) -> PathBuf {
    let pki = &session.settings.pki;
    if pki.join(".git").exists() { pki.clone() } else { pki.parent().unwrap_or(pki).to_owned() }
}

/// How git is to call this program: by its name, where the shell finds it.
pub(in crate::commands) fn program(machine: &Machine) -> String {
    let own = std::env::current_exe().ok().filter(|_| !machine.has_program("certkeep"));
    own.map_or_else(|| "certkeep".to_owned(), |path| shell_word(&path.display().to_string()))
}

/// The members, one a line.
pub(in crate::commands) fn described(members: &[Named]) -> String {
    let lines = members.iter().map(|(name, found)| format!("  Member {name}: {}", found.shown()));
    lines.collect::<Vec<_>>().join("\n")
}

impl People {
    /// The recipients that were named, each with its name.
    pub(super) fn find(&self, machine: &Machine) -> Result<Vec<Named>, Failure> {
        if self.names.len() > self.recipients.len().max(1) {
            return Err(Failure::too_many_names());
        }
        let mut names = self.names.iter();
        let mut members = Vec::new();
        for text in &self.recipients {
            let found = recipients::find(text, machine)?;
            let name = names.next().map(|name| MemberName::parse(name)).transpose()?;
            let name =
                name.or_else(|| found.suggested_name()).ok_or_else(|| Failure::nameless(&found.shown()))?;
            members.push((name, found));
        }
        Ok(members)
    }
}

/// What was made, and which secrets it comes too late for.
pub(super) fn say(report: &Report, session: &mut Session) -> Result<(), Failure> {
    let members = session.vault()?.into_iter().flat_map(|vault| vault.manifest().members.keys());
    let members = members.map(|name| Value::Text(name.to_string())).collect();
    let place = session.vault()?.map(|vault| vault.work_tree().display().to_string());
    let value = Value::Section(vec![
        ("store", place.into()),
        ("new_repository", Value::Flag(report.created_repository)),
        ("members", Value::List(members)),
        ("sealed", account::texts(&report.sealed)),
        ("exposed", exposed(&report.exposed)),
        ("commit", report.commit.clone().into()),
        ("not_wrapped_for", skipped::names(&report.skipped)),
    ]);
    account::say(session, "Made a store", &value)?;
    skipped::warn_of(&report.skipped, session);
    warn_of(&report.exposed, session);
    if report.unreachable > 0 {
        session.terminal.warning(format_args!(
            "git still has {} with a private key in the clear, of commits that were replaced or never made",
            if report.unreachable == 1 {
                "1 object".to_owned()
            } else {
                format!("{} objects", report.unreachable)
            }
        ));
        session
            .terminal
            .notice("to drop them here: `git reflog expire --expire=now --all`, then `git gc --prune=now`");
    }
    session.terminal.notice("next: let others in with `certkeep member add NAME KEY`");
    Ok(())
}

/// Secrets in earlier commits as values.
pub(super) fn exposed(past: &[Past]) -> Value {
    let entries = past.iter().map(|past| {
        Value::Section(vec![("path", past.path.as_str().into()), ("commit", past.commit.as_str().into())])
    });
    Value::List(entries.collect())
}

/// Sealing a file does not take back what was committed before.
pub(super) fn warn_of(past: &[Past], session: &mut Session) {
    if past.is_empty() {
        return;
    }
    session
        .terminal
        .warning("earlier commits hold secrets in the clear, and whoever has a copy of them can read these:");
    for past in past {
        session.terminal.notice(format_args!("  {} in {}", Safe(&past.path), Safe(&past.commit)));
    }
    session.terminal.notice(
        "treat the keys among them as compromised: `certkeep revoke-issued NAME keyCompromise`, then issue anew",
    );
}
