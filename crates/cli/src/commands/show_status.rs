// SPDX-License-Identifier: MIT OR Apache-2.0
//! `show-expire`, `show-revoke`, `show-renew`: what the index knows, one line for
//! each certificate, in the words that easy-rsa's callers look for.

use certkeep_pki::{
    index::{Index, Row, Status},
    layout::{PkiDirectory, PkiPath},
    moment::{Days, Moment},
    x509::{certificate::Certificate, describe::Value},
};

use crate::{lookup, render, report::Failure, session::Session, settings::Format, terminal::Safe};

/// Arguments of the three commands.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The common name of the certificates to be shown; all without one
    name: Option<String>,
}

/// A certificate as it is listed.
struct Entry {
    status: char,
    serial: String,
    /// The middle of the line, between serial number and common name.
    text: String,
    common_name: String,
    /// The same for programs.
    more: Vec<(&'static str, Value)>,
}

/// Shows what ends within the days that `--days` or `EASYRSA_PRE_EXPIRY_WINDOW` name.
pub(super) fn expire(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let days = Days(session.settings.days.unwrap_or(session.settings.pre_expiry_window));
    let until = session.now.plus(days.seconds());
    let index = index(session)?;
    let due = index.rows().filter(|row| row.status() != Status::Revoked && row.expiry() <= until);
    let entries =
        due.map(|row| entry(row, row.expiry().to_string(), vec![("not_after", text(row.expiry()))]));
    show(args, entries.collect(), session)?;
    if let Ok(authority) = session.authority() {
        let end = authority.certificate().not_after();
        if end <= until {
            let verb = if end < session.now { "expired" } else { "will expire" };
            session.terminal.warning(format_args!("CA certificate {verb} on {end}: `certkeep renew-ca`"));
        }
    }
    Ok(())
}

/// Shows what was revoked, when and why.
pub(super) fn revoke(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let index = index(session)?;
    let entries = index.rows().filter_map(|row| {
        let revocation = row.revocation().filter(|_| row.status() == Status::Revoked)?;
        let reason = revocation.reason.map(|reason| reason.to_string());
        let shown = reason.clone().unwrap_or_else(|| "None given".to_owned());
        let more = vec![("revoked_at", text(revocation.at)), ("reason", reason.into())];
        Some(entry(row, format!("Revoked: {} | Reason: {shown}", revocation.at), more))
    });
    show(args, entries.collect(), session)
}

/// Shows what was renewed and is not revoked yet.
pub(super) fn renew(args: &Args, session: &mut Session) -> Result<(), Failure> {
    let index = index(session)?;
    let mut entries = Vec::new();
    for name in lookup::names_in(session, PkiDirectory::Renewed)? {
        let path = PkiPath::Renewed(name);
        let Some(bytes) = session.read(&path)? else { continue };
        let certificate = match Certificate::read(&bytes) {
            Ok(certificate) => certificate,
            Err(error) => {
                session.terminal.warning(format_args!("{}: {}", Safe(&path), Safe(&error)));
                continue;
            }
        };
        let row = index.find(&certificate.serial_number().to_hex());
        let Some(row) = row.filter(|row| row.status() != Status::Revoked) else { continue };
        let end = certificate.not_after();
        entries.push(entry(row, format!("Expires: {end}"), vec![("not_after", text(end))]));
    }
    show(args, entries, session)
}

fn index(session: &Session) -> Result<Index, Failure> {
    session.authority()?;
    lookup::index(session)?.ok_or_else(|| Failure::missing(&PkiPath::Index))
}

fn text(moment: Moment) -> Value {
    moment.to_string().into()
}

fn entry(row: Row<'_>, text: String, more: Vec<(&'static str, Value)>) -> Entry {
    Entry {
        status: match row.status() {
            Status::Valid => 'V',
            Status::Revoked => 'R',
            Status::Expired => 'E',
        },
        serial: row.serial_text().to_owned(),
        text,
        common_name: row.common_name().unwrap_or_default(),
        more,
    }
}

fn show(args: &Args, mut entries: Vec<Entry>, session: &mut Session) -> Result<(), Failure> {
    if let Some(name) = args.name.as_deref().filter(|name| !name.is_empty()) {
        entries.retain(|entry| entry.common_name == name);
        if entries.is_empty() {
            session.terminal.warning(format_args!("nothing to show of {}", Safe(name)));
        }
    }
    let output = match session.settings.format {
        Format::Json => {
            let section = |entry: Entry| {
                let mut fields = vec![
                    ("status", entry.status.to_string().into()),
                    ("serial_number", entry.serial.into()),
                    ("common_name", entry.common_name.into()),
                ];
                fields.extend(entry.more);
                Value::Section(fields)
            };
            render::json(&Value::List(entries.into_iter().map(section).collect()))
        }
        _ => entries
            .iter()
            .map(|entry| {
                let Entry { status, serial, text, common_name, .. } = entry;
                format!("{status} | Serial: {serial} | {text} | CN: {}\n", Safe(common_name))
            })
            .collect(),
    };
    Ok(session.terminal.data(&output)?)
}
