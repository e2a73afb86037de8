// SPDX-License-Identifier: MIT OR Apache-2.0
//! `set-pass`: another passphrase for a private key, or none.

use certkeep_pki::{
    change::ChangeSet,
    layout::{EntryName, PkiPath},
    secret::SecretBytes,
};
use certkeep_store::store::replace_secret_file;

use super::word;
use crate::{input, message, report::Failure, session::Session, terminal::Safe};

/// Arguments of `set-pass`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name under which the key is filed; `ca` is the CA's own
    name: String,
    /// nopass: take the passphrase away; file: NAME is a path to a key outside of the PKI
    #[arg(value_name = "nopass|file")]
    words: Vec<String>,
}

/// Writes the key anew, encrypted or not.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let [no_pass, file] = word::present(&args.words, ["nopass", "file"])?;
    if file {
        return of_file(args, no_pass, session);
    }
    let name = EntryName::parse(&args.name)?;
    let path = if name == EntryName::ca() { PkiPath::CaKey } else { PkiPath::PrivateKey(name.clone()) };
    session.lock()?;
    let key = session.private_key(&path, &format!("the private key of {}", Safe(&name)))?;
    let passphrase = session.new_passphrase(no_pass, "Key")?;
    let mut changes = ChangeSet::new();
    changes.replace(path.clone(), Session::key_file(&key, passphrase.as_ref())?);
    session.record(&changes, &message::of(&["set-pass", &args.name]))?;
    if !session.settings.dry_run {
        say(
            session,
            passphrase.is_some(),
            &Safe(session.settings.pki.join(path.relative()).display()).to_string(),
        );
        let inline = PkiPath::PrivateInline(name.clone());
        if session.exists(&inline)? {
            session.terminal.notice(format_args!(
                "{inline} still holds the key as it was: `certkeep inline {}` makes it anew",
                Safe(&name)
            ));
        }
    }
    Ok(())
}

fn of_file(args: &Args, no_pass: bool, session: &mut Session) -> Result<(), Failure> {
    let path = session.settings.machine.here.join(&args.name);
    let inside = path.canonicalize().ok().zip(session.settings.pki.canonicalize().ok());
    if inside.is_some_and(|(path, pki)| path.starts_with(pki)) {
        return Err(
            Failure::refused("that file is in the PKI").with_hint("name the key: `certkeep set-pass NAME`")
        );
    }
    let shown = args.name.as_str();
    let bytes = SecretBytes::new(input::read(&path)?);
    let key = session.open_key(&bytes, shown, shown)?;
    let passphrase = session.new_passphrase(no_pass, "Key")?;
    let new = Session::key_file(&key, passphrase.as_ref())?;
    if session.settings.dry_run {
        session.terminal.notice(format_args!("would write {}", Safe(shown)));
        return Ok(());
    }
    replace_secret_file(&path, new).map_err(|error| Failure::cannot_write(&path, &error.source))?;
    say(session, passphrase.is_some(), &Safe(shown).to_string());
    Ok(())
}

fn say(session: &mut Session, encrypted: bool, file: &str) {
    let state = if encrypted { "has a new passphrase" } else { "has no passphrase any more" };
    session.terminal.notice(format_args!("the private key {state}"));
    session.terminal.notice(format_args!("  {file}"));
}
