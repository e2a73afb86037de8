// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gen-tls-auth-key`, `gen-tls-crypt-key`, `gen-tls-crypt-v2-key`, `import-tls-key`:
//! OpenVPN's keys for the control channel. No openvpn is needed for them.

use std::path::PathBuf;

use certkeep_pki::{
    change::ChangeSet,
    layout::{EntryName, PkiPath},
    openvpn::{self, TlsUse},
    secret::SecretBytes,
};

use super::details;
use crate::{input, message, report::Failure, session::Session, terminal::Safe};

/// Arguments of `gen-tls-crypt-v2-key`.
#[derive(Debug, clap::Args)]
pub struct SecondArgs {
    /// The client whose key is made; without one it is the servers' key
    name: Option<String>,
}

/// Arguments of `import-tls-key`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The file with the key; - is standard input
    file: PathBuf,
    /// tls-auth or tls-crypt, where the file does not say what it is for
    #[arg(value_name = "tls-auth|tls-crypt")]
    purpose: Option<String>,
}

/// Makes `private/easyrsa-tls.key`.
pub(super) fn generate(purpose: TlsUse, session: &mut Session) -> Result<(), Failure> {
    let file = openvpn::static_key(purpose, &mut Session::rng());
    let command = format!("gen-{}-key", purpose.option());
    file_key(session, PkiPath::TlsKey, file, &[&command], &format!("made a {} key", purpose.option()))
}

/// Makes the servers' tls-crypt-v2 key, or the key of one client.
pub(super) fn second(args: &SecondArgs, session: &mut Session) -> Result<(), Failure> {
    let command = "gen-tls-crypt-v2-key";
    let Some(name) = args.name.as_deref().filter(|name| !name.is_empty()) else {
        let file = openvpn::server_key(&mut Session::rng());
        let said = "made the servers' tls-crypt-v2 key";
        return file_key(session, PkiPath::TlsCryptV2Server, file, &[command], said);
    };
    let entry = EntryName::parse_new(name)?;
    session.lock()?;
    let path = PkiPath::TlsCryptV2Client(entry.clone());
    session.refuse_existing(&path)?;
    let server = session.read_secret(&PkiPath::TlsCryptV2Server)?;
    let server = server.ok_or_else(|| {
        Failure::missing(&PkiPath::TlsCryptV2Server)
            .with_hint("make it first: `certkeep gen-tls-crypt-v2-key`")
    })?;
    let file = openvpn::client_key(&server, session.now, &mut Session::rng())
        .map_err(|error| Failure::unreadable(&PkiPath::TlsCryptV2Server, &error))?;
    let said = format!("made the tls-crypt-v2 key of {}", Safe(&entry));
    file_key(session, path, file, &[command, name], &said)
}

/// Files a key that somebody else has made.
pub(super) fn import(args: &ImportArgs, session: &mut Session) -> Result<(), Failure> {
    let bytes = SecretBytes::new(input::read(&args.file)?);
    let given = match args.purpose.as_deref().filter(|word| !word.is_empty()) {
        None => None,
        Some("tls-auth") => Some(TlsUse::Auth),
        Some("tls-crypt") => Some(TlsUse::Crypt),
        Some(word) => {
            return Err(Failure::refused(format!("unknown command option `{}`", Safe(word)))
                .with_hint("this command knows: tls-auth, tls-crypt"));
        }
    };
    let shown = args.file.display().to_string();
    let purpose = given.or_else(|| TlsUse::of_file(&bytes)).ok_or_else(|| {
        Failure::refused(format!("{} does not say what the key in it is for", Safe(&shown)))
            .with_hint("say it: `certkeep import-tls-key FILE tls-crypt` (or tls-auth)")
    })?;
    let file =
        openvpn::import_static_key(&bytes, purpose).map_err(|error| Failure::in_file(&shown, &error))?;
    let said = format!("filed a {} key", purpose.option());
    file_key(session, PkiPath::TlsKey, file, &["import-tls-key"], &said)
}

fn file_key(
    session: &mut Session,
    path: PkiPath,
    file: SecretBytes,
    command: &[&str],
    said: &str,
) -> Result<(), Failure> {
    session.lock()?;
    session.refuse_existing(&path)?;
    let mut changes = ChangeSet::new();
    changes.create(path.clone(), file);
    session.record(&changes, &message::of(command))?;
    if !session.settings.dry_run {
        session.terminal.notice(said);
        details::say_files(session, &[path.relative()]);
        session.terminal.notice("next: `certkeep inline NAME` for every server and client");
    }
    Ok(())
}
