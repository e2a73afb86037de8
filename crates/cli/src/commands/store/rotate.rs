// SPDX-License-Identifier: MIT OR Apache-2.0
//! `store rotate`: new keys for zones.

use certkeep_pki::x509::describe::Value;
use certkeep_store::{vault::Vault, zone::ZoneName};

use super::super::{account, member::skipped};
use crate::{
    interrupt, message,
    report::Failure,
    session::{Opened, Session},
    terminal::Asker,
};

/// Arguments of `store rotate`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A zone (repeatable; default: all)
    #[arg(long = "zone", value_name = "ZONE")]
    zones: Vec<String>,
}

/// Begins a new epoch.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let zones = zones(&args.zones, session.opened()?.vault)?;
    let shown = names(&zones);
    session.terminal.confirm(
        format!("About to make new keys for {shown} and to seal every file there anew"),
        "Confirm rotation: ",
    )?;
    if session.settings.dry_run {
        session.terminal.notice(format_args!("would make new keys for {shown}"));
        return Ok(());
    }
    let message = message::of(&["store", "rotate"]);
    let Opened { vault, keys, terminal, now } = session.opened_to_write()?;
    for zone in zones.iter().chain(&vault.contested(&zones)?) {
        // Asked before signals are put off: somebody may have to type.
        vault.zone_keys(zone, keys, &mut Asker(terminal))?;
    }
    let mut shown = terminal.progress("sealing anew");
    let report = {
        let _signals = interrupt::put_off();
        let mut progress = |done, total| shown.reach(done, total);
        let rng = &mut Session::rng();
        vault.rotate(&zones, keys, &mut Asker(terminal), now, &message, rng, &mut progress)?
    };
    drop(shown);
    let value = Value::Section(vec![
        ("zones", account::texts(&report.zones)),
        ("files", account::number(report.files)),
        ("commit", report.commit.into()),
        ("not_wrapped_for", skipped::names(&report.skipped)),
    ]);
    account::say(session, "Rotated", &value)?;
    skipped::warn_of(&report.skipped, session);
    Ok(())
}

/// The zones that were named, or all.
pub(in crate::commands) fn zones(named: &[String], vault: &Vault) -> Result<Vec<ZoneName>, Failure> {
    if named.is_empty() {
        return Ok(vault.manifest().zones.keys().cloned().collect());
    }
    named.iter().map(|name| known(name, vault)).collect()
}

/// A zone of this store.
pub(in crate::commands) fn known(name: &str, vault: &Vault) -> Result<ZoneName, Failure> {
    let zone = ZoneName::parse(name)?;
    if vault.manifest().zones.contains_key(&zone) { Ok(zone) } else { Err(Failure::no_zone(&zone, vault)) }
}

/// Zones in a sentence.
pub(in crate::commands) fn names(zones: &[ZoneName]) -> String {
    let names: Vec<String> = zones.iter().map(ToString::to_string).collect();
    format!("the zone{} {}", if zones.len() == 1 { "" } else { "s" }, names.join(", "))
}
