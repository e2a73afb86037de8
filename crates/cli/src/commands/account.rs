// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was done to a store: talk for people, data for programs.

use certkeep_pki::x509::describe::Value;
use certkeep_store::{vault::trust::OnlyHere, zone::ZoneName};

use crate::{render, report::Failure, session::Session, settings::Format, terminal::Safe};

/// Says what came of a command that changes something: on standard error for
/// people, as JSON on standard output where that is asked for.
///
/// # Errors
///
/// Standard output cannot be written.
pub(super) fn say(session: &mut Session, title: &str, value: &Value) -> Result<(), Failure> {
    match session.settings.format {
        Format::Json => session.terminal.data(&render::json(value))?,
        _ => session.terminal.notice(render::text(title, value).trim_end()),
    }
    Ok(())
}

/// Shows what was asked for.
///
/// # Errors
///
/// As [`say`].
pub(super) fn show(session: &mut Session, title: &str, value: &Value) -> Result<(), Failure> {
    let text = match session.settings.format {
        Format::Json => render::json(value),
        _ => session.settings.called.put(&render::text(title, value)).into_owned(),
    };
    Ok(session.terminal.data(&text)?)
}

/// Anything with a name, as a list of texts.
pub(super) fn texts(items: impl IntoIterator<Item = impl ToString>) -> Value {
    Value::List(items.into_iter().map(|item| Value::Text(item.to_string())).collect())
}

/// A zone whose description is not the last one that was seen.
pub(super) fn earlier(zone: &ZoneName) -> String {
    format!(
        "the zone `{zone}` is described as it was before this clone saw it last, or as no member has: what was \
         protected then stays protected here; if this is no older branch, see who it was: `git log -p -- .certkeep/zones/{zone}`"
    )
}

/// A zone whose key the others have changed.
pub(super) fn renewed(zone: &ZoneName) -> String {
    format!("the zone `{zone}` has a new key, which this clone has not unlocked yet: `certkeep unlock`")
}

/// What is protected in this clone alone, with the commands that let it go.
pub(super) fn only_here(only: &OnlyHere) -> Vec<String> {
    let patterns = only.patterns.iter().map(|pattern| {
        let quoted = Safe(pattern.as_str());
        format!(
            "`{quoted}` is no longer protected by what was pulled, and stays protected in this clone: if a member took it \
             out (`git log -p -- .certkeep/zones`), `certkeep store unprotect '{quoted}'` has it forgotten here, too"
        )
    });
    let zones = only.zones.iter().map(|zone| {
        format!(
            "the zone `{zone}` is transparent by what was pulled, and stays sealed in this clone: if a member wants it so \
             (`git log -p -- .certkeep/zones`), `certkeep store zone set {zone} --mode transparent` opens it here, too"
        )
    });
    patterns.chain(zones).collect()
}

/// A count.
pub(super) fn number(count: usize) -> Value {
    Value::Number(u64::try_from(count).unwrap_or(u64::MAX))
}
