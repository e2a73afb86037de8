// SPDX-License-Identifier: MIT OR Apache-2.0
//! Members whom a change of the store left without its new keys: what to tell
//! of them, here and wherever keys are wrapped for everybody.

use certkeep_pki::x509::describe::Value;
use certkeep_store::{
    vault::members::Skipped,
    wrap::{Subkey, WrapError},
};

use super::super::account;
use crate::{report::renewal, session::Session, terminal::Safe};

/// Their names.
pub(in crate::commands) fn names(skipped: &Skipped) -> Value {
    account::texts(skipped.keys())
}

/// Says why, and how they get in again.
pub(in crate::commands) fn warn_of(skipped: &Skipped, session: &mut Session) {
    for (member, error) in skipped {
        session.terminal.warning(format_args!(
            "the present keys are not wrapped for {member}, who cannot open what is sealed from now on: {}",
            Safe(error)
        ));
        if let WrapError::NoUsableSubkey { subkeys, .. } = error {
            for subkey in subkeys {
                session.terminal.notice(format_args!("  subkey {}", described(subkey)));
            }
        }
        for hint in renewal(member, error) {
            session.terminal.notice(format_args!("  {hint}"));
        }
    }
}

/// A subkey in a list.
pub(super) fn described(subkey: &Subkey) -> String {
    let expires = subkey.expires.map_or_else(String::new, |moment| format!(", expires {moment}"));
    format!("{} {}{expires}", subkey.fingerprint, subkey.state)
}
