// SPDX-License-Identifier: MIT OR Apache-2.0
//! No command at all: what the PKI of this directory looks like.

use certkeep_pki::{
    index::Status,
    layout::PkiPath,
    x509::{crl::Crl, describe::Value},
};
use certkeep_store::store::{OpenError, Store};

use crate::{lookup, order, render, report::Failure, session::Session, settings::Format};

/// Shows where the PKI is, its CA, its certificates and its CRL.
///
/// # Errors
///
/// A file of the PKI cannot be read.
pub fn run(session: &mut Session) -> Result<(), Failure> {
    let value = describe(session)?;
    let text = match session.settings.format {
        Format::Json => render::json(&value),
        _ => {
            let hint =
                "\n`certkeep help` lists the commands, `certkeep quickstart demo` makes a CA to look at.\n";
            render::text("certkeep", &value) + hint
        }
    };
    Ok(session.terminal.data(&session.settings.called.put(&text))?)
}

/// The store that the PKI is in, and whether it is open here.
fn store(session: &Session) -> Result<Value, Failure> {
    let Some(vault) = session.vault()? else { return Ok(Value::Absent) };
    let mut unlocked = Vec::new();
    for zone in vault.manifest().zones.keys() {
        if vault.is_unlocked(zone)? {
            unlocked.push(zone.to_string());
        }
    }
    let state =
        if unlocked.is_empty() { "locked".to_owned() } else { format!("unlocked: {}", unlocked.join(", ")) };
    Ok(format!("{} ({state})", vault.work_tree().display()).into())
}

fn describe(session: &Session) -> Result<Value, Failure> {
    let settings = &session.settings;
    let path = |path: &std::path::Path| Value::Text(path.display().to_string());
    let algorithm = order::key_algorithm(settings)?.to_string();
    let mut entries = vec![
        ("pki", path(&settings.pki)),
        ("vars_file", settings.vars_file.as_deref().map_or(Value::Absent, path)),
        ("store", store(session)?),
        ("profile_set", settings.profile_set.to_string().into()),
        ("new_keys", algorithm.into()),
    ];
    match Store::open(&settings.pki) {
        Ok(_) => {}
        Err(OpenError::NotAPki { .. }) => {
            entries.push(("status", "there is no PKI yet: `certkeep init-pki`".into()));
            return Ok(Value::Section(entries));
        }
        Err(error) => return Err(error.into()),
    }
    if session.read(&PkiPath::CaCertificate)?.is_none() {
        let waiting = session.exists(&PkiPath::CaKey)?;
        let status = if waiting {
            "the CA waits for its certificate"
        } else {
            "there is no CA yet: `certkeep build-ca`"
        };
        entries.push(("status", status.into()));
        return Ok(Value::Section(entries));
    }
    let authority = session.authority()?;
    let certificate = authority.certificate();
    entries.push(("ca", certificate.subject().to_string().into()));
    entries.push(("ca_not_after", certificate.not_after().to_string().into()));
    if let Some(index) = lookup::index(session)? {
        let count = |wanted: Status| index.rows().filter(|row| row.status() == wanted).count();
        let number = |count: usize| Value::Number(u64::try_from(count).unwrap_or(u64::MAX));
        entries.push(("valid", number(count(Status::Valid))));
        entries.push(("revoked", number(count(Status::Revoked))));
        entries.push(("expired", number(count(Status::Expired))));
    }
    let crl = session.read(&PkiPath::CrlPem)?.and_then(|bytes| Crl::read(&bytes).ok());
    let due = crl.and_then(|crl| crl.next_update()).map(|next| next.to_string());
    entries.push(("crl_next_update", due.into()));
    Ok(Value::Section(entries))
}
