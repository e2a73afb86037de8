// SPDX-License-Identifier: MIT OR Apache-2.0
//! `member refresh`: OpenPGP keys that were renewed, and members that came by a merge.

use std::collections::BTreeMap;

use certkeep_pki::x509::describe::Value;
use certkeep_store::{
    manifest::GrantState,
    member::{Kind, MemberName},
    vault::{VaultError, members::Known},
    wrap::{Recipient, gpg::recipient_from_gpg},
};

use super::{super::account, skipped};
use crate::{
    identities, interrupt, message, recipients,
    report::Failure,
    session::{Opened, Session},
    terminal::{Asker, Safe},
};

/// Arguments of `member refresh`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whom to refresh (default: everybody)
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The key of the one NAME, from himself: age1..., an SSH public key or its file, an OpenPGP certificate's file
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Wrap for an OpenPGP key although it has expired
    #[arg(long)]
    allow_expired: bool,
}

/// Looks for renewed keys, shows who is to be confirmed, wraps the keys again.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let names = args.names.iter().map(|name| MemberName::parse(name)).collect::<Result<Vec<_>, _>>()?;
    if let Some(key) = &args.key {
        let [name] = names.as_slice() else { return Err(Failure::key_without_name()) };
        let found = recipients::find(key, &session.settings.machine)?;
        let fingerprint = found.recipient.fingerprint();
        let member = session.opened()?.vault.manifest().members.get(name).cloned();
        if let Some(member) = member.filter(|member| member.fingerprint != fingerprint) {
            return Err(Failure::other_key(name, &member.fingerprint));
        }
        if !session.settings.dry_run {
            session.opened_alone()?.vault.know_member(name, &fingerprint)?;
        }
    }
    let known = known(session)?;
    if let Some(missing) = names.iter().find(|name| !known.iter().any(|known| known.name == **name)) {
        return Err(Failure::no_member(missing));
    }
    let wanted: Vec<&Known> =
        known.iter().filter(|known| names.is_empty() || names.contains(&known.name)).collect();
    let renewed = renewed(&wanted, args.allow_expired, session);
    let outdated = |known: &&&Known| known.zones.values().any(|state| *state == Some(GrantState::Outdated));
    let outdated: Vec<&Known> = wanted.iter().filter(outdated).copied().collect();
    if !outdated.is_empty() && args.key.is_none() {
        // Consent that was given beforehand is for nobody in particular.
        if session.settings.batch {
            return Err(Failure::not_confirmed_unseen(
                &outdated.iter().map(|known| &known.name).collect::<Vec<_>>(),
            ));
        }
        for known in &outdated {
            if session.opened()?.vault.never_seen(&known.name)? {
                return Err(Failure::not_known_here(&known.name));
            }
        }
        let lines = outdated.iter().map(|known| {
            let zones: Vec<String> = known.zones.keys().map(ToString::to_string).collect();
            let fingerprint = known.member.as_ref().map_or("", |member| member.fingerprint.as_str());
            format!("  {}: {}, for {}", known.name, Safe(fingerprint), zones.join(", "))
        });
        let lines: Vec<String> = lines.collect();
        let details = format!(
            "These were let in on another branch, before the present keys were made:\n{}",
            lines.join("\n")
        );
        session.terminal.confirm(details, "Confirm them as members: ")?;
    }
    let confirmed: Vec<MemberName> = outdated.iter().map(|known| known.name.clone()).collect();
    if renewed.is_empty() && confirmed.is_empty() {
        session.terminal.notice("nobody has a newer key, and nobody is to be confirmed");
        return Ok(());
    }
    if session.settings.dry_run {
        for name in renewed.keys() {
            session.terminal.notice(format_args!("would wrap the keys again for {name}"));
        }
        for name in &confirmed {
            session.terminal.notice(format_args!("would confirm {name}"));
        }
        return Ok(());
    }
    let mut words = vec!["member", "refresh"];
    words.extend(args.names.iter().map(String::as_str));
    let Opened { vault, keys, terminal, now } = session.opened_to_write()?;
    let report = {
        let _signals = interrupt::put_off();
        vault.refresh_members(
            &renewed,
            &confirmed,
            args.allow_expired,
            keys,
            &mut Asker(terminal),
            now,
            &message::of(&words),
        )?
    };
    let value = Value::Section(vec![
        ("renewed", account::texts(renewed.keys())),
        ("confirmed", account::texts(&confirmed)),
        ("zones", account::texts(&report.zones)),
        ("commit", report.commit.into()),
        ("not_wrapped_for", skipped::names(&report.skipped)),
    ]);
    account::say(session, "Refreshed", &value)?;
    skipped::warn_of(&report.skipped, session);
    Ok(())
}

/// The members; their grants are checked where a key at hand opens the zone.
fn known(session: &mut Session) -> Result<Vec<Known>, Failure> {
    let Opened { vault, keys, terminal, .. } = session.opened()?;
    let zones: Vec<_> = vault.manifest().zones.keys().cloned().collect();
    for zone in &zones {
        match vault.zone_keys(zone, keys, &mut Asker(terminal)) {
            Ok(_) | Err(VaultError::Identity { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(vault.members(keys)?)
}

/// Those whose OpenPGP key gpg knows in another form, and those whom the present
/// keys can be wrapped for although they are not.
fn renewed(wanted: &[&Known], allow_expired: bool, session: &mut Session) -> BTreeMap<MemberName, Recipient> {
    let gpg = identities::gpg(&session.settings.machine);
    let mut renewed = BTreeMap::new();
    for known in wanted {
        let Some(member) = known.member.as_ref().filter(|member| member.kind == Kind::OpenPgp) else {
            continue;
        };
        let own = || Recipient::parse(member.key.as_bytes()).ok();
        let found = recipient_from_gpg(&gpg, &member.fingerprint).map_err(|error| {
            session.terminal.notice(format_args!("{}: {}", known.name, Safe(error)));
        });
        let Some(recipient) = found.ok().or_else(own) else { continue };
        let waits = !known.waiting.is_empty() && recipient.is_usable(session.now);
        if allow_expired || waits || recipient.text() != member.key {
            renewed.insert(known.name.clone(), recipient);
        }
    }
    renewed
}
