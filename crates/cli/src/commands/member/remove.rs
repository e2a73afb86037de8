// SPDX-License-Identifier: MIT OR Apache-2.0
//! `member remove`: takes people out, and tells what that does not undo.

use std::collections::BTreeSet;

use certkeep_pki::{
    layout::EntryName,
    x509::{certificate::Certificate, describe::Value, general_name, oid},
};
use certkeep_store::{member::MemberName, vault::rotate::Removal};

use super::{
    super::{account, store::rotate},
    skipped,
};
use crate::{
    interrupt, lookup, message,
    report::Failure,
    session::{Opened, Session},
    settings::Format,
    terminal::{Asker, Safe, shell_word},
};

/// Arguments of `member remove`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The members
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

/// Rotates what they could open, and lists it.
pub(super) fn run(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let names = args.names.iter().map(|name| MemberName::parse(name)).collect::<Result<BTreeSet<_>, _>>()?;
    let names: Vec<MemberName> = names.into_iter().collect();
    let zones = session.opened()?.vault.zones_of(&names)?;
    let who = listed(&names);
    let details = match zones.as_slice() {
        [] => format!("About to remove {who}, who had no zone to open"),
        zones => format!(
            "About to remove {who}, make new keys for {} and seal every file there anew",
            rotate::names(zones)
        ),
    };
    session.terminal.confirm(details, "Confirm removal: ")?;
    if session.settings.dry_run {
        session
            .terminal
            .notice(format_args!("would remove {who} and make new keys for {}", rotate::names(&zones)));
        return Ok(());
    }
    let mut words = vec!["member", "remove"];
    words.extend(names.iter().map(MemberName::as_str));
    let message = message::of(&words);
    let Opened { vault, keys, terminal, now } = session.opened_to_write()?;
    vault.may_take_out(&names, &zones, keys, &mut Asker(terminal))?;
    for zone in zones.iter().chain(&vault.contested(&zones)?) {
        // Asked before signals are put off: somebody may have to type.
        vault.zone_keys(zone, keys, &mut Asker(terminal))?;
    }
    let mut shown = terminal.progress("sealing anew");
    let removal = {
        let _signals = interrupt::put_off();
        let mut progress = |done, total| shown.reach(done, total);
        let rng = &mut Session::rng();
        vault.remove_members(&names, keys, &mut Asker(terminal), now, &message, rng, &mut progress)?
    };
    drop(shown);
    say(&names, &removal, session)
}

/// Names in a sentence.
fn listed(names: &[MemberName]) -> String {
    names.iter().map(MemberName::as_str).collect::<Vec<_>>().join(", ")
}

/// A private key that he could read.
struct Readable {
    path: String,
    /// Whether the present commit still has it.
    present: bool,
    name: Option<EntryName>,
    certificate: Option<Certificate>,
    /// The number in the name of an archived key.
    archived: Option<String>,
}

fn say(names: &[MemberName], removal: &Removal, session: &mut Session) -> Result<(), Failure> {
    let folder = session.vault()?.and_then(|vault| vault.manifest().pki.clone());
    let mut keys = Vec::new();
    let mut others = Vec::new();
    for path in removal.readable.keys() {
        match private_key(path, folder.as_deref(), removal.present.contains(path), session) {
            Some(key) => keys.push(key),
            None => others.push(path.clone()),
        }
    }
    let commands: Vec<String> = keys.iter().flat_map(Readable::commands).collect();
    let mut entries = vec![
        ("members", account::texts(names)),
        ("zones", account::texts(&removal.rotated.zones)),
        ("files_sealed_anew", account::number(removal.rotated.files)),
        ("commit", removal.rotated.commit.clone().into()),
        ("not_wrapped_for", skipped::names(&removal.rotated.skipped)),
        ("private_keys_he_could_read", Value::List(keys.iter().map(Readable::describe).collect())),
        ("other_files_he_could_read", account::texts(&others)),
    ];
    if session.settings.format == Format::Json {
        entries.push(("commands", account::texts(&commands)));
    }
    account::say(session, "Removed", &Value::Section(entries))?;
    skipped::warn_of(&removal.rotated.skipped, session);
    if removal.readable.is_empty() {
        return Ok(());
    }
    let (who, opens) = (listed(names), if names.len() == 1 { "opens" } else { "open" });
    session.terminal.warning(format_args!(
        "{who} {opens} nothing that is sealed from now on; what is listed, and everything else in the \
         history up to now, stays readable to {who}: only new keys help"
    ));
    if keys.iter().any(|key| key.path.ends_with("private/ca.key")) {
        session.terminal.warning(
            "the CA's own private key is among them: who keeps a copy can issue anything; make a new CA",
        );
    }
    if !commands.is_empty() {
        session.terminal.notice("to replace the certificates whose keys are among them:");
        for command in &commands {
            session.terminal.notice(format_args!("  {}", Safe(command)));
        }
        session.terminal.notice("  certkeep gen-crl");
    }
    Ok(())
}

/// What a path of the PKI says of a private key, if it is one.
fn private_key(path: &str, folder: Option<&str>, present: bool, session: &Session) -> Option<Readable> {
    let relative = match folder? {
        "" => path,
        folder => path.strip_prefix(folder)?.strip_prefix('/')?,
    };
    let mut key = Readable { path: path.to_owned(), present, name: None, certificate: None, archived: None };
    if let Some(name) = relative.strip_prefix("private/").and_then(|file| file.strip_suffix(".key")) {
        key.name = EntryName::parse(name).ok();
        // The index may be gone or broken; the key is listed all the same.
        key.certificate = match name {
            "ca" => session.authority().ok().map(|authority| authority.certificate().clone()),
            _ => lookup::certificate(session, name).ok().map(|found| found.certificate),
        };
        return Some(key);
    }
    let file = relative.strip_prefix("revoked/private_by_serial/")?;
    key.archived = Some(file.strip_suffix(".key").unwrap_or(file).to_owned());
    Some(key)
}

impl Readable {
    fn describe(&self) -> Value {
        let serial =
            self.certificate.as_ref().map(|certificate| certificate.serial_number().to_hex().to_string());
        Value::Section(vec![
            ("path", self.path.as_str().into()),
            ("name", self.name.as_ref().map(|name| name.as_str().to_owned()).into()),
            ("serial", serial.or_else(|| self.archived.clone()).into()),
            ("revoked", Value::Flag(self.archived.is_some())),
            ("present", Value::Flag(self.present)),
        ])
    }

    /// What replaces the certificate; nothing where there is none, or it is revoked already.
    fn commands(&self) -> Vec<String> {
        let (Some(name), Some(certificate)) = (&self.name, &self.certificate) else { return Vec::new() };
        if certificate.is_ca() {
            return Vec::new();
        }
        let name = shell_word(name.as_str());
        let mut issue = format!("certkeep issue {} {name}", kind(certificate));
        for alt_name in certificate.subject_alt_names() {
            issue.push(' ');
            issue.push_str(&shell_word(&general_name::display(&alt_name)));
        }
        vec![format!("certkeep revoke-issued {name} keyCompromise"), issue]
    }
}

/// The type of a certificate, from what it may be used for.
fn kind(certificate: &Certificate) -> &'static str {
    let uses = certificate.extended_key_usage().unwrap_or_default();
    let has = |purpose| oid::parse(oid::PURPOSES, purpose).is_some_and(|purpose| uses.contains(&purpose));
    match (has("serverAuth"), has("clientAuth")) {
        (true, true) => "serverClient",
        (true, false) => "server",
        _ if has("codeSigning") => "codeSigning",
        _ if has("emailProtection") => "email",
        _ => "client",
    }
}
