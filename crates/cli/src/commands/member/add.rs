// SPDX-License-Identifier: MIT OR Apache-2.0
//! `member add`: lets somebody in.

use certkeep_pki::x509::describe::Value;
use certkeep_store::{member::MemberName, zone::CA};

use super::super::{account, store::rotate};
use crate::{
    interrupt, message, recipients,
    report::Failure,
    session::{Opened, Session},
    terminal::Asker,
};

/// Arguments of `member add`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the member is to be called
    name: String,
    /// age1..., an SSH public key or its file, an OpenPGP certificate's file, or what gpg knows
    key: String,
    /// A zone that he may open (repeatable; default: all)
    #[arg(long = "zone", value_name = "ZONE")]
    zones: Vec<String>,
}

/// Shows the key and the zones, and wraps the keys.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let name = MemberName::parse(&args.name)?;
    let found = recipients::find(&args.key, &session.settings.machine)?;
    let zones = rotate::zones(&args.zones, session.opened()?.vault)?;
    let mut details = format!(
        "About to add a member:\n  Name: {name}\n  Key: {}\n  May open: {}",
        found.shown(),
        rotate::names(&zones),
    );
    if zones.iter().any(|zone| zone.as_str() == CA) {
        details.push_str("\nThe zone ca is the CA's private key: its members can issue anything.");
    }
    session.terminal.confirm(&details, "Compare the key, then confirm: ")?;
    if session.settings.dry_run {
        session.terminal.notice(details.replacen("About to add", "would add", 1));
        return Ok(());
    }
    let mut words = vec!["member".to_owned(), "add".to_owned(), name.to_string()];
    words.extend(args.zones.iter().map(|zone| format!("--zone={zone}")));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut message = message::of(&words);
    message
        .trailers
        .push(("Certkeep-Member".to_owned(), format!("{name} {}", found.recipient.fingerprint())));
    let Opened { vault, keys, terminal, now } = session.opened_to_write()?;
    for zone in &zones {
        // Asked before signals are put off: somebody may have to type.
        vault.zone_keys(zone, keys, &mut Asker(terminal))?;
    }
    let report = {
        let _signals = interrupt::put_off();
        vault.add_member(&name, &found.recipient, &zones, keys, &mut Asker(terminal), now, &message)?
    };
    let value = Value::Section(vec![
        ("name", name.as_str().into()),
        ("kind", found.recipient.kind().as_str().into()),
        ("fingerprint", found.recipient.fingerprint().into()),
        ("zones", account::texts(&report.zones)),
        ("commit", report.commit.into()),
    ]);
    account::say(session, "Added", &value)?;
    session.terminal.notice("next: `git push`; the member then pulls and runs `certkeep unlock`");
    Ok(())
}
