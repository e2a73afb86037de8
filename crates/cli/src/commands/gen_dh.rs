// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gen-dh`: the Diffie-Hellman group of OpenVPN servers with RSA keys.

use certkeep_pki::{change::ChangeSet, dh, layout::PkiPath, x509::profile::ProfileSet};

use super::{details, word};
use crate::{message, order, report::Failure, session::Session};

/// Arguments of `gen-dh`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// fresh: search a prime of its own, which takes minutes
    #[arg(value_name = "fresh")]
    words: Vec<String>,
}

/// Writes a group of RFC 7919, or searches one.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let [fresh] = word::present(&args.words, ["fresh"])?;
    let path = PkiPath::DhParameters;
    let exists = session.exists(&path)?;
    if exists {
        // easy-rsa 3.2: gen-dh - batch does not stand for the yes
        if session.settings.batch {
            return Err(
                Failure::exists(&path).with_hint("to make another: without `--batch`, or remove it first")
            );
        }
        session.terminal.confirm("dh.pem exists and will be overwritten", "Overwrite?  ")?;
    }
    let bits = session.settings.key_size.unwrap_or(match order::profile_set(&session.settings) {
        ProfileSet::Strict => 3072,
        ProfileSet::Easyrsa => 2048,
    });
    let pem = if fresh && !session.settings.dry_run {
        session.terminal.notice(format_args!("searching a safe prime of {bits} bits; this takes a while"));
        let mut progress = session.terminal.progress("candidates tried");
        dh::fresh(bits, &mut Session::rng(), &mut |count| {
            progress.count(u64::try_from(count).unwrap_or(u64::MAX), None);
        })?
    } else {
        dh::well_known(bits)?
    };
    session.lock()?;
    let mut changes = ChangeSet::new();
    if exists {
        changes.replace(path.clone(), pem);
    } else {
        changes.create(path.clone(), pem);
    }
    session.record(&changes, &message::of(&["gen-dh"]))?;
    if !session.settings.dry_run {
        let which = if fresh { "a group of its own".to_owned() } else { format!("ffdhe{bits} of RFC 7919") };
        session.terminal.notice(format_args!("wrote {which}"));
        details::say_files(session, &[path.relative()]);
    }
    Ok(())
}
