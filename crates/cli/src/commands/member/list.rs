// SPDX-License-Identifier: MIT OR Apache-2.0
//! `member list`: everybody, with keys and zones. Whether a member gave a grant only
//! somebody who can open its zone can tell: where he cannot, that is said.

use certkeep_pki::{moment::Moment, x509::describe::Value};
use certkeep_store::{manifest::GrantState, vault::members::Known, wrap::Recipient};

use super::{super::account, skipped};
use crate::{
    report::Failure,
    session::Session,
    terminal::{Asker, Safe},
};

/// Shows the list.
pub(super) fn run(session: &mut Session) -> Result<(), Failure> {
    let opened = session.opened()?;
    let now = opened.now;
    let zones: Vec<_> = opened.vault.manifest().zones.keys().cloned().collect();
    for zone in &zones {
        // Whoever is in no zone sees who is.
        drop(opened.vault.zone_keys(zone, opened.keys, &mut Asker(opened.terminal)));
    }
    let known = opened.vault.members(opened.keys)?;
    let doubtful =
        known.iter().any(|known| known.zones.values().any(|state| *state == Some(GrantState::Outdated)));
    let mut changed = Vec::new();
    for known in &known {
        let before = session.opened()?.vault.known_before(&known.name)?;
        changed.extend(before.into_iter().map(|fingerprint| (known.name.clone(), fingerprint)));
    }
    let members = known.iter().map(|known| describe(known, now)).collect();
    account::show(session, "Store", &Value::Section(vec![("members", Value::List(members))]))?;
    for (name, fingerprint) in changed {
        session.terminal.warning(format_args!(
            "`{name}` had another key when this clone saw it last: {}; if it is his, `certkeep member refresh {name} --key KEY`",
            Safe(fingerprint)
        ));
    }
    if doubtful {
        session.terminal.notice(
            "who is to be confirmed came by a merge: look who that is, then `certkeep member refresh NAME`, \
             or `certkeep member remove NAME`",
        );
    }
    Ok(())
}

fn describe(known: &Known, now: Moment) -> Value {
    let zones = known.zones.iter().map(|(zone, state)| match state {
        Some(GrantState::Valid) if known.waiting.contains(zone) => format!("{zone} (no key wrapped)"),
        Some(GrantState::Valid) => zone.to_string(),
        Some(GrantState::Outdated) => format!("{zone} (to be confirmed)"),
        Some(GrantState::Forged) => format!("{zone} (forged)"),
        None => format!("{zone} (unchecked)"),
    });
    let member = known.member.as_ref();
    Value::Section(vec![
        ("name", known.name.as_str().into()),
        ("kind", member.map(|member| member.kind.as_str().to_owned()).into()),
        ("fingerprint", member.map(|member| member.fingerprint.clone()).into()),
        ("zones", account::texts(zones)),
        ("subkeys", account::texts(member.map_or_else(Vec::new, |member| subkeys(&member.key, now)))),
    ])
}

/// The encryption subkeys of an OpenPGP key: nothing is wrapped for one that has expired.
fn subkeys(key: &str, now: Moment) -> Vec<String> {
    let Ok(recipient) = Recipient::parse(key.as_bytes()) else { return vec!["cannot be read".to_owned()] };
    recipient.subkeys(now).iter().map(skipped::described).collect()
}
